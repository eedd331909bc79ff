/** Tests of sync.ts: what ends by a list, and how much of it may. */
import t from 'tap'
import type { Rule, RuleDraft } from '../../lib/rules/decide.js'
import { demandShare, endingsOf, syncSource } from '../../lib/rules/sync.js'

let serial = 0
function rule(value: string, changes: Partial<Rule> = {}): Rule {
  const plain = {
    kind: 'domain',
    value,
    subdomains: false,
    scope: '',
    effect: 'allow',
    endsAt: null,
  } as const
  return { id: ++serial, ...plain, source: 'sync erp', note: '', addedBy: 'anna', addedAt: 1, ...changes }
}
function draft(value: string, changes: Partial<RuleDraft> = {}): RuleDraft {
  const { id: _, addedBy: __, addedAt: ___, ...rest } = rule(value)
  return { ...rest, ...changes }
}

t.test('names', async (t) => {
  t.equal(syncSource('erp'), 'sync erp')
  t.equal(syncSource('ERP_2.fr-x'), 'sync ERP_2.fr-x')
  for (const name of ['', ' erp', 'a b', '-x', 'é', 'x'.repeat(65)])
    t.throws(() => syncSource(name), /a name has letters, digits/, name)
})

t.test('what ends', async (t) => {
  const rules = [
    rule('stays.test'),
    rule('gone.test'),
    rule('other.test', { source: 'command' }),
    rule('old.test', { source: 'sync crm' }),
    rule('wide.test', { subdomains: true }),
    rule('long.test'),
    rule('scoped.test', { scope: '@corp.test' }),
    rule('turned.test'),
  ]
  const drafts = [
    draft('stays.test'),
    draft('wide.test'),
    draft('long.test', { endsAt: 5 }),
    draft('scoped.test'),
    draft('turned.test', { effect: 'block' }),
    draft('new.test'),
  ]
  const { gone, narrowed, of } = endingsOf(rules, 'sync erp', drafts)
  t.strictSame(
    gone.map(({ value }) => value),
    ['gone.test', 'scoped.test', 'turned.test'],
  )
  t.strictSame(
    narrowed.map(({ value }) => value),
    ['wide.test', 'long.test'],
  )
  t.equal(of, 6)
  t.strictSame(
    endingsOf(rules, 'sync erp', [...drafts, draft('wide.test', { subdomains: true })]).narrowed.length,
    1,
  )
})

t.test('how much may end', async (t) => {
  const ending = (gone: number, of: number) => ({
    gone: Array.from({ length: gone }, () => rule('a.test')),
    narrowed: [],
    of,
  })
  const table: [gone: number, of: number, atMost: number, drafts: number, is: RegExp | undefined][] = [
    [0, 0, 10, 1, undefined],
    [1, 5, 10, 4, undefined],
    [2, 5, 10, 3, /2 of 5 rules are not in it any more; nothing was changed/],
    [10, 100, 10, 90, undefined],
    [11, 100, 10, 89, /11 of 100 rules/],
    [11, 100, 11, 89, undefined],
    [1, 100, 0, 99, undefined],
    [100, 100, 100, 1, undefined],
    [100, 100, 100, 0, /there is no rule in it/],
    [0, 0, 100, 0, /there is no rule in it/],
  ]
  for (const [gone, of, atMost, drafts, is] of table) {
    const act = (): void => demandShare('x.csv', ending(gone, of), drafts, atMost)
    if (is === undefined) t.doesNotThrow(act, `${gone} of ${of}`)
    else t.throws(act, is, `${gone} of ${of}`)
  }
})
