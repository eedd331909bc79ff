/** Landscape: rules come and go by a person's act, all or none, and each act is in the audit. */
import t, { type Test } from 'tap'
import type { Database } from '../../lib/database/database.js'
import type { RuleDraft } from '../../lib/rules/decide.js'
import { describeRule, type Landscape } from '../../lib/rules/landscape.js'
import { failureOf } from '../support/failing.js'
import { makeLab } from '../support/lab.js'

const MARIE = { who: 'marie', at: 1000 }
const PAUL = { who: 'paul', at: 2000 }
const NOW = 3000

function draft(value: string, changes: Partial<RuleDraft> = {}): RuleDraft {
  const kind = value.includes('@') ? 'address' : 'domain'
  const rest = { scope: '', endsAt: null, source: 'command', note: '' }
  return { kind, value, subdomains: false, effect: 'allow', ...rest, ...changes }
}

/** A landscape of its own for one test. */
function makeLandscape(t: Test): { db: Database; landscape: Landscape } {
  const { db, landscape } = makeLab(t).stores()
  t.teardown(() => db.close())
  return { db, landscape }
}

/** What stands, in words. */
async function standing(landscape: Landscape): Promise<string[]> {
  return landscape.list(NOW).map(describeRule)
}

/** The audit in words: who, what, subject, from, to. */
function deeds(db: Database): string[] {
  return db
    .all<Record<string, string>>('SELECT * FROM audit ORDER BY id')
    .map(({ who, at, what, subject, was, now }) => [who, at, what, subject, was, now].join('|'))
}

t.test('a new rule carries who added it, when, why and from where', async (t) => {
  const { db, landscape } = makeLandscape(t)
  const [result] = landscape.add(
    [draft('known.test', { source: 'release 7k3m', note: 'the new supplier' })],
    MARIE,
  )
  const rule = {
    id: 1,
    kind: 'domain',
    value: 'known.test',
    subdomains: false,
    scope: '',
    effect: 'allow',
    endsAt: null,
    addedBy: 'marie',
    addedAt: 1000,
    source: 'release 7k3m',
    note: 'the new supplier',
  }
  t.strictSame(result, { rule, added: true })
  t.strictSame(landscape.list(NOW), [rule])
  t.strictSame(landscape.facts(['known.test'], NOW), new Map([['known.test', [rule]]]))
  t.strictSame(deeds(db), ['marie|1000|allow|known.test||allow known.test'])
})

t.test('a duplicate leaves the first rule, its owner and the audit alone', async (t) => {
  const { db, landscape } = makeLandscape(t)
  landscape.add([draft('known.test', { subdomains: true })], MARIE)
  for (const subdomains of [true, false]) {
    const [again] = landscape.add([draft('known.test', { subdomains })], PAUL)
    t.equal(again?.added, false)
    t.match(again?.rule, { id: 1, addedBy: 'marie', subdomains: true })
  }
  t.equal(deeds(db).length, 1)
  const twice = landscape.add([draft('a@new.test'), draft('a@new.test')], PAUL)
  t.same(
    twice.map(({ rule, added }) => [rule.id, added]),
    [
      [2, true],
      [2, false],
    ],
  )
})

t.test('a rule that is to reach subdomains replaces the narrow one', async (t) => {
  const { db, landscape } = makeLandscape(t)
  landscape.add([draft('known.test')], MARIE)
  const [wide] = landscape.add([draft('known.test', { subdomains: true })], PAUL)
  t.match(wide, { added: true, rule: { id: 2, subdomains: true, addedBy: 'paul' } })
  t.strictSame(await standing(landscape), ['allow known.test with subdomains'])
  t.equal(deeds(db)[1], 'paul|2000|allow|known.test|allow known.test|allow known.test with subdomains')
  t.strictSame(db.all('SELECT id, revoked_by, revoked_at FROM rule ORDER BY id'), [
    { id: 1, revoked_by: 'paul', revoked_at: 2000 },
    { id: 2, revoked_by: null, revoked_at: null },
  ])
})

t.test('a block stands beside an allow, and an allow never beside a block', async (t) => {
  const { db, landscape } = makeLandscape(t)
  landscape.add([draft('known.test')], MARIE)
  const [block] = landscape.add([draft('known.test', { effect: 'block' })], PAUL)
  t.equal(block?.added, true)
  t.strictSame(await standing(landscape), ['allow known.test', 'block known.test'])
  t.equal(landscape.facts(['known.test'], NOW).get('known.test')?.length, 2)

  landscape.add([draft('evil.test', { effect: 'block' })], PAUL)
  const failure = await failureOf(() => landscape.add([draft('evil.test')], MARIE))
  t.equal(
    failure.line,
    'allow evil.test: rule 3 of paul blocks it; toeh revoke evil.test first, if you are sure',
  )
  t.equal(failure.status, 1)
  t.equal(deeds(db).length, 3)
})

t.test('all drafts or none', async (t) => {
  const { db, landscape } = makeLandscape(t)
  landscape.add([draft('evil.test', { effect: 'block' })], PAUL)
  await failureOf(() => landscape.add([draft('one.test'), draft('evil.test'), draft('two.test')], MARIE))
  t.strictSame(await standing(landscape), ['block evil.test'])
  t.equal(deeds(db).length, 1, 'and nothing in the audit of what did not happen')
})

t.test('revoke ends what stands there; the rows stay', async (t) => {
  const { db, landscape } = makeLandscape(t)
  landscape.add([draft('known.test'), draft('a@known.test')], MARIE)
  landscape.add([draft('known.test', { effect: 'block' })], MARIE)
  const ended = landscape.revoke(['known.test', 'never.test'], undefined, PAUL)
  t.strictSame(ended.map(describeRule), ['allow known.test', 'block known.test'])
  t.strictSame(await standing(landscape), ['allow a@known.test'])
  t.equal(landscape.facts(['known.test'], NOW).size, 0)
  t.strictSame(deeds(db).slice(3), [
    'paul|2000|revoke|known.test|allow known.test|',
    'paul|2000|revoke|known.test|block known.test|',
  ])
  t.strictSame(
    db.all('SELECT revoked_by, revoked_at, added_by FROM rule WHERE value = ? ORDER BY id', 'known.test'),
    [
      { revoked_by: 'paul', revoked_at: 2000, added_by: 'marie' },
      { revoked_by: 'paul', revoked_at: 2000, added_by: 'marie' },
    ],
  )
  t.strictSame(landscape.revoke(['known.test'], undefined, PAUL), [], 'once')

  const [back] = landscape.add([draft('known.test')], PAUL)
  t.match(back, { added: true, rule: { id: 4 } }, 'it may come back, under a new id')
})

t.test('facts are of the values asked for, exactly', async (t) => {
  const { landscape } = makeLandscape(t)
  landscape.add([draft('known.test'), draft('a@known.test'), draft('sub.known.test')], MARIE)
  const facts = landscape.facts(['a@known.test', 'known.test', 'known.test', 'test', 'nown.test', ''], NOW)
  t.strictSame([...facts.keys()], ['a@known.test', 'known.test'])
  t.equal(landscape.facts([], NOW).size, 0)
  t.equal(landscape.facts(["' OR 1=1 --", '%'], NOW).size, 0)
})

t.test('list finds by a part of the value and takes it literally', async (t) => {
  const { landscape } = makeLandscape(t)
  landscape.add([draft('b.test'), draft('a_b.test'), draft('anna@b.test'), draft('axb.test')], MARIE)
  t.strictSame(await standing(landscape), [
    'allow a_b.test',
    'allow anna@b.test',
    'allow axb.test',
    'allow b.test',
  ])
  const values = async (pattern: string): Promise<string[]> =>
    landscape.list(NOW, pattern).map(({ value }) => value)
  t.strictSame(await values('a_b'), ['a_b.test'])
  t.strictSame(await values('@b'), ['anna@b.test'])
  t.strictSame(await values('%'), [])
})

t.test('rules of different scopes stand side by side, and go one by one', async (t) => {
  const { db, landscape } = makeLandscape(t)
  const scopes = ['', 'anna@corp.test', '@corp.test', 'accounting']
  for (const scope of scopes) {
    const [result] = landscape.add([draft('known.test', { scope })], MARIE)
    t.equal(result?.added, true, scope)
  }
  t.strictSame(await standing(landscape), [
    'allow known.test',
    'allow known.test for @corp.test',
    'allow known.test for accounting',
    'allow known.test for anna@corp.test',
  ])
  t.strictSame(
    landscape
      .facts(['known.test'], NOW)
      .get('known.test')
      ?.map(({ scope }) => scope)
      .toSorted(),
    scopes.toSorted(),
  )
  landscape.add([draft('known.test', { scope: 'accounting', effect: 'block' })], MARIE)
  await failureOf(() => landscape.add([draft('known.test', { scope: 'accounting' })], MARIE))
  t.equal(landscape.add([draft('known.test', { scope: '@corp.test' })], MARIE)[0]?.added, false)
  const ended = landscape.revoke(['known.test'], 'accounting', PAUL)
  t.strictSame(ended.map(describeRule), [
    'allow known.test for accounting',
    'block known.test for accounting',
  ])
  t.equal(landscape.revoke(['known.test'], undefined, PAUL).length, 3, 'without a scope: all of them')
  t.equal(deeds(db).at(-1), 'paul|2000|revoke|known.test|allow known.test for anna@corp.test|')
})

t.test('a rule that has ended counts no more, and makes place', async (t) => {
  const { db, landscape } = makeLandscape(t)
  landscape.add([draft('known.test', { endsAt: NOW })], MARIE)
  t.equal(landscape.facts(['known.test'], NOW - 1).size, 1)
  t.equal(landscape.facts(['known.test'], NOW).size, 0)
  t.strictSame(landscape.list(NOW), [])
  const late = { who: 'paul', at: NOW }
  t.strictSame(landscape.revoke(['known.test'], undefined, late), [], 'there is nothing to end')
  const [again] = landscape.add([draft('known.test')], late)
  t.match(again, { added: true, rule: { id: 2, endsAt: null } })
  t.strictSame(db.all('SELECT revoked_by, revoked_at FROM rule WHERE id = 1'), [
    { revoked_by: 'its end', revoked_at: NOW },
  ])
})

t.test('what is as wide and as long stays; what is wider or longer takes its place', async (t) => {
  const cases: [Partial<RuleDraft>, Partial<RuleDraft>, boolean][] = [
    [{}, { endsAt: 9000 }, false],
    [{ endsAt: 9000 }, { endsAt: 8000 }, false],
    [{ endsAt: 9000 }, { endsAt: 9000 }, false],
    [{ endsAt: 9000 }, { endsAt: 9001 }, true],
    [{ endsAt: 9000 }, {}, true],
    [{ subdomains: true }, {}, false],
    [{ subdomains: true, endsAt: 9000 }, {}, true],
    [{}, { subdomains: true, endsAt: 9000 }, true],
  ]
  for (const [first, second, added] of cases) {
    const { landscape } = makeLandscape(t)
    landscape.add([draft('known.test', first)], MARIE)
    const [result] = landscape.add([draft('known.test', second)], PAUL)
    const name = JSON.stringify([first, second])
    t.equal(result?.added, added, name)
    t.equal(result?.replaced?.id, added ? 1 : undefined, name)
    t.match(result?.rule, added ? { id: 2, ...second } : { id: 1, ...first }, name)
    t.equal(landscape.list(NOW).length, 1, name)
  }
})

const NOVEMBER = Date.UTC(2026, 10, 24, 12)
const ONE = { id: 1 }

t.test('uses: the larger number of a day stays; sums, since and last', async (t) => {
  const { landscape } = makeLandscape(t)
  landscape.add([draft('one.test'), draft('two.test')], MARIE)
  const record = (...uses: [rule: number, day: string, messages: number][]): void =>
    landscape.recordUses(
      uses.map(([rule, day, messages]) => ({ rule, day, messages })),
      NOVEMBER,
    )
  t.equal(landscape.usesOf([ONE]).size, 0)
  await record([1, '2026-11-20', 5], [1, '2026-11-21', 2], [99, '2026-11-20', 7])
  await record([1, '2026-11-20', 3], [1, '2026-11-21', 4], [2, '2026-11-22', 1])
  const uses = landscape.usesOf([ONE, { id: 2 }, { id: 99 }])
  t.strictSame(
    [...uses],
    [
      [1, { messages: 9, since: '2026-11-20', last: '2026-11-21' }],
      [2, { messages: 1, since: '2026-11-22', last: '2026-11-22' }],
    ],
  )
  t.strictSame([...landscape.usesOf([{ id: 2 }]).keys()], [2], 'of those that are asked for')
})

t.test('old uses become months, then years, and are never counted twice', async (t) => {
  const { db, landscape } = makeLandscape(t)
  landscape.add([draft('one.test')], MARIE)
  const days = (year: number): { rule: number; day: string; messages: number }[] =>
    ['03-01', '03-09', '08-01', '08-02'].map((day) => ({ rule: 1, day: `${year}-${day}`, messages: 2 }))
  const rows = (): string[] =>
    db
      .all<{ period: string; messages: number }>('SELECT period, messages FROM rule_use ORDER BY period')
      .map(({ period, messages }) => `${period} ${messages}`)
  landscape.recordUses(days(2026), NOVEMBER)
  t.strictSame(rows(), ['2026-03 4', '2026-08-01 2', '2026-08-02 2'], 'three months back are days')
  landscape.recordUses(days(2026), NOVEMBER)
  t.strictSame(rows(), ['2026-03 4', '2026-08-01 2', '2026-08-02 2'], 'read again')
  landscape.recordUses(days(2024), NOVEMBER)
  landscape.recordUses(days(2023), NOVEMBER)
  t.strictSame(rows(), ['2023 8', '2024-03 4', '2024-08 4', '2026-03 4', '2026-08-01 2', '2026-08-02 2'])
  const december = Date.UTC(2026, 11, 1, 12)
  landscape.recordUses([], december)
  t.strictSame(rows(), ['2023 8', '2024-03 4', '2024-08 4', '2026-03 4', '2026-08 4'], 'a month later')
  landscape.recordUses(days(2026), december)
  landscape.recordUses([{ rule: 1, day: '2026-08-01', messages: 5 }], december)
  t.strictSame(rows().slice(-1), ['2026-08 5'], 'of a month the larger sum')
  landscape.recordUses([], Date.UTC(2027, 6, 1, 12))
  t.strictSame(rows(), ['2023 8', '2024 8', '2026-03 4', '2026-08 5'], 'a year later')
  t.strictSame(landscape.usesOf([ONE]).get(1), { messages: 25, since: '2023', last: '2026-08' })
})

t.test('a rule that stands in place of another has its uses', async (t) => {
  const { landscape } = makeLandscape(t)
  landscape.add([draft('one.test')], MARIE)
  const use = { rule: 1, day: '2026-11-20', messages: 5 }
  landscape.recordUses([use], NOVEMBER)
  landscape.add([draft('one.test', { subdomains: true })], PAUL)
  t.strictSame(
    [...landscape.usesOf([ONE, { id: 2 }])],
    [[2, { messages: 5, since: '2026-11-20', last: '2026-11-20' }]],
  )
})
