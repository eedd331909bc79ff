/** Which Node this runs on: the versions that package.json's `engines` have, and no others. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import refuseVersion from '../../lib/system/nodeversion.cjs'
import { ROOT } from '../support/lab.js'

const TABLE: [node: string, taken: boolean][] = [
  ['', false],
  ['18.20.4', false],
  ['20.18.3', false],
  ['20.19.0', true],
  ['20.20.1', true],
  ['21.7.3', false],
  ['22.13.1', false],
  ['22.14.0', true],
  ['23.11.0', false],
  ['24.0.0', true],
  ['24.0.0-nightly', true],
  ['26.1.0', true],
  [process.versions.node, true],
]

t.test('each side of each limit', (t) => {
  for (const [node, taken] of TABLE)
    t.equal(
      refuseVersion(node),
      taken
        ? undefined
        : `Node ${node} does not do: TOEH runs on 20 from 20.19 on, 22 from 22.14 on, and 24 or newer (docs/install.md: where to get one)`,
      node,
    )
  t.end()
})

t.test('it is what package.json tells npm', (t) => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    engines: { node: string }
  }
  /** `>=20.19 <21 || >=24`, and no more of that language. */
  const takes = (node: string): boolean => {
    const [major = 0, minor = 0] = node.split('.').map(Number)
    return engines.node.split(' || ').some((range) =>
      range.split(' ').every((bound) => {
        const [, sign = '', first = '', second = '0'] = /^(>=|<)(\d+)(?:\.(\d+))?$/.exec(bound) ?? []
        const isFrom = major > Number(first) || (major === Number(first) && minor >= Number(second))
        return sign === '>=' ? isFrom : sign === '<' && !isFrom
      }),
    )
  }
  for (const [node, taken] of TABLE) t.equal(takes(node), taken, node)
  t.end()
})
