/** A row of the lane: its key, the domains whose blocks may reach it, and what passes without the filter. */
import t from 'tap'
import type { Rule } from '../../lib/rules/decide.js'
import { domainsAbove, laneKey, laneRow } from '../../lib/rules/lanerow.js'

t.test('keys, and the domains above', async (t) => {
  t.equal(laneKey('x@a.test'), 'x@a.test')
  t.equal(laneKey('a.test'), '@a.test')
  t.strictSame(domainsAbove('x@c.b.a.test'), ['c.b.a.test', 'b.a.test', 'a.test'])
  t.strictSame(domainsAbove('c.b.a.test'), ['b.a.test', 'a.test'])
})

t.test('the row of a value', async (t) => {
  const rule = (value: string, more: Partial<Rule> = {}): Rule => ({
    kind: value.includes('@') ? 'address' : 'domain',
    ...{ id: 1, value, subdomains: false, scope: '', effect: 'allow', endsAt: null },
    ...{ addedBy: 'test', addedAt: 0, source: 'test', note: '' },
    ...more,
  })
  const row = (value: string, ...rules: Rule[]): string => {
    const byValue = new Map<string, Rule[]>()
    for (const one of rules) byValue.set(one.value, [...(byValue.get(one.value) ?? []), one])
    const found = laneRow(value, byValue, new Set(['corp.test']))
    return found === undefined ? 'none' : `${found.pass ? 'pass' : 'stop'} ${found.key}`
  }
  const block = { effect: 'block' } as const
  const wide = { effect: 'block', subdomains: true } as const
  t.equal(row('a.test', rule('a.test')), 'pass @a.test')
  t.equal(row('x@a.test', rule('x@a.test')), 'pass x@a.test')
  t.equal(row('x@a.test', rule('a.test')), 'none', 'its domain has one')
  t.equal(row('a.test', rule('a.test', { scope: '@corp.test' })), 'none', 'for some')
  t.equal(row('a.test', rule('a.test', { endsAt: 5 })), 'none', 'for a time')
  t.equal(row('a.test', rule('a.test', { endsAt: 5 }), rule('a.test')), 'pass @a.test')
  t.equal(row('x@corp.test', rule('x@corp.test')), 'none', 'an alias may lead out')
  t.equal(row('corp.test', rule('corp.test')), 'none')
  t.equal(row('a.corp.test', rule('a.corp.test')), 'pass @a.corp.test')
  t.equal(row('a.test', rule('a.test', block)), 'stop @a.test')
  t.equal(row('a.test', rule('a.test'), rule('a.test', { ...block, scope: 'x@corp.test' })), 'stop @a.test')
  t.equal(row('x@a.test', rule('x@a.test'), rule('a.test', block)), 'stop x@a.test')
  t.equal(
    row('x@b.a.test', rule('x@b.a.test'), rule('a.test', block)),
    'pass x@b.a.test',
    'that domain alone',
  )
  t.equal(row('x@b.a.test', rule('x@b.a.test'), rule('a.test', wide)), 'stop x@b.a.test')
  t.equal(row('c.b.a.test', rule('c.b.a.test'), rule('a.test', wide)), 'stop @c.b.a.test')
  t.equal(row('b.a.test', rule('b.a.test'), rule('a.test', block)), 'pass @b.a.test')
  t.equal(row('a.test', rule('a.test'), rule('b.a.test', wide)), 'pass @a.test')
})
