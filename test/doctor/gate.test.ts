/** The gate's checks on facts alone: what differs between versions of Postfix that are not here. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Facts } from '../../lib/doctor/facts.js'
import { GATE_CHECKS } from '../../lib/doctor/gate.js'
import { parseServices } from '../../lib/postfix/mastercf.js'
import { ROOT } from '../support/lab.js'

const sample = readFileSync(join(ROOT, 'master.cf.sample'), 'utf8')

t.test('arguments: the macros that pipe(8) of this version has', (t) => {
  const [gate] = parseServices(sample)
  const whatOf = (postfix: string): (string | undefined)[] => {
    const services = parseServices(sample.replace(/(?=-- \S+$)/m, '--envid=$(envid) '))
    const facts = {
      services,
      expected: { gate },
      user: { name: 'toeh', group: 'toeh' },
      versions: { postfix },
    } as unknown as Facts
    return (GATE_CHECKS.find(({ name }) => name === 'arguments')?.look(facts) ?? []).map(({ what }) => what)
  }
  t.match(whatOf('3.7.11'), [/pipe\(8\) knows no \$\{envid\}/])
  t.match(whatOf('3.8.6'), [/pipe\(8\) knows no \$\{envid\}/])
  t.same(whatOf('3.9.0'), [])
  t.same(whatOf('3.10.13'), [])
  t.same(whatOf('4.0.0'), [])
  t.end()
})
