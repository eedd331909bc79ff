/** lane.ts and its keeping by landscape.ts: whatever breaks, the lane passes too little, never too much. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { databasePath, openForWriting } from '../lib/database.js'
import type { RuleDraft } from '../lib/decide.js'
import { Failure } from '../lib/failure.js'
import { Landscape } from '../lib/landscape.js'
import { Lane, laneFolder, lanePath } from '../lib/lane.js'
import { Lab } from './support/lab.js'

const ACTOR = { who: 'test', at: 1 }

function draft(effect: 'allow' | 'block', value: string, more: Partial<RuleDraft> = {}): RuleDraft {
  const kind = value.includes('@') ? 'address' : 'domain'
  return { kind, value, subdomains: false, scope: '', effect, endsAt: null, source: '', note: '', ...more }
}

function make(t: Test): { lab: Lab; lane: Lane; landscape: Landscape } {
  const lab = new Lab(t.testdir(), '')
  mkdirSync(laneFolder(lab.state))
  writeFileSync(lanePath(lab.state), '')
  const lane = new Lane({ state: lab.state, internal: new Set(['corp.test']), busySeconds: 5 })
  const db = openForWriting(databasePath(lab.state), { busySeconds: 5 })
  t.teardown(() => db.close())
  return { lab, lane, landscape: new Landscape(db, lane) }
}

const passes = (lane: Lane, recipient: string): boolean => lane.passing([recipient]).has(recipient)
const shown = (lane: Lane): string[] => lane.rows().map(({ key, pass }) => `${pass ? 'pass' : 'stop'} ${key}`)

t.test('a row for each rule that counts, and none for what does not', async (t) => {
  const { lane, landscape } = make(t)
  await landscape.add(
    [
      draft('allow', 'known.test'),
      draft('allow', 'wide.test', { subdomains: true }),
      draft('allow', 'x@one.test'),
      draft('allow', 'mine.test', { scope: 'anna@corp.test' }),
      draft('allow', 'brief.test', { endsAt: 99 }),
      draft('allow', 'corp.test'),
      draft('allow', 'otto@corp.test'),
      draft('block', 'bad@known.test', { scope: '@corp.test' }),
      draft('block', 'evil.test', { subdomains: true, endsAt: 99 }),
    ],
    ACTOR,
  )
  t.strictSame(shown(lane), [
    'stop @evil.test',
    'pass @known.test',
    'pass @wide.test',
    'stop bad@known.test',
    'pass x@one.test',
  ])
  await landscape.revoke(['evil.test', 'known.test'], undefined, ACTOR)
  t.strictSame(shown(lane), ['pass @wide.test', 'stop bad@known.test', 'pass x@one.test'])
})

t.test('beneath a block nothing passes', async (t) => {
  const { lane, landscape } = make(t)
  await landscape.add(
    [
      draft('allow', 'x@a.b.evil.test'),
      draft('allow', 'b.evil.test'),
      draft('allow', 'evil.test.good.test'),
      draft('block', 'evil.test', { subdomains: true }),
    ],
    ACTOR,
  )
  t.strictSame(
    ['x@a.b.evil.test', 'x@b.evil.test', 'x@evil.test', 'x@evil.test.good.test'].map((one) =>
      passes(lane, one),
    ),
    [false, false, false, true],
  )
})

const LABELS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'test']

for (let height = 2; height < LABELS.length; height++) {
  const above = LABELS.slice(-height).join('.')
  t.test(`a block of ${above} reaches all that is below, and its end lets it pass again`, async (t) => {
    const { lane, landscape } = make(t)
    const domain = LABELS.join('.')
    const below = [`x@${domain}`, `y@${domain}`]
    const others = ['z@beside.g.test', `x@not${above}`]
    await landscape.add([draft('allow', `x@${domain}`), draft('allow', domain)], ACTOR)
    await landscape.add([draft('allow', 'beside.g.test'), draft('allow', `not${above}`)], ACTOR)
    const passing = (recipients: string[]): boolean[] => recipients.map((one) => passes(lane, one))
    t.strictSame(passing([...below, ...others]), [true, true, true, true])
    await landscape.add([draft('block', above, { subdomains: true, scope: 'eva@corp.test' })], ACTOR)
    t.strictSame(passing(below), [false, false])
    t.strictSame(passing(others), [height > 2, true], 'what is beside it')
    t.equal(await landscape.mendLane(2), 0)
    // What comes later is below it too.
    await landscape.add([draft('allow', `w.${domain}`), draft('allow', `v@w.${domain}`)], ACTOR)
    t.strictSame(passing([`u@w.${domain}`, `v@w.${domain}`]), [false, false])
    await landscape.revoke([above], undefined, ACTOR)
    t.strictSame(passing([...below, ...others, `u@w.${domain}`, `v@w.${domain}`]), Array(6).fill(true))
    t.equal(await landscape.mendLane(2), 0)
  })
}

t.test('a block of a domain alone reaches its addresses, and not the domains below', async (t) => {
  const { lane, landscape } = make(t)
  await landscape.add(
    [draft('allow', 'x@evil.test'), draft('allow', 'x@a.evil.test'), draft('allow', 'a.evil.test')],
    ACTOR,
  )
  await landscape.add([draft('block', 'evil.test', { scope: '@corp.test' })], ACTOR)
  t.strictSame(
    ['x@evil.test', 'x@a.evil.test', 'y@a.evil.test'].map((one) => passes(lane, one)),
    [false, true, true],
  )
  t.equal(await landscape.mendLane(2), 0)
})

t.test('a block over many values', async (t) => {
  const { lane, landscape } = make(t)
  // More than are looked at in one go.
  const drafts = Array.from({ length: 12_000 }, (_, i) =>
    draft('allow', i % 3 === 0 ? `p${i}@big.test` : `p${i}@other${i}.test`),
  )
  await landscape.add([...drafts, draft('allow', 'big.test')], ACTOR)
  await landscape.add([draft('block', 'big.test')], ACTOR)
  t.equal(lane.rows().filter(({ pass }) => !pass).length, 4001)
  t.equal(await landscape.mendLane(2), 0)
  await landscape.revoke(['big.test'], undefined, ACTOR)
  t.equal(lane.rows().filter(({ pass }) => pass).length, 12_000)
  t.equal(await landscape.mendLane(2), 0)
})

t.test('whatever changes, in whatever order, each row is as it would be made anew', async (t) => {
  const { lane, landscape } = make(t)
  const domains = ['a.test', 'b.a.test', 'c.b.a.test', 'ba.test', 'd.test']
  const values = [...domains, ...domains.flatMap((domain) => [`x@${domain}`, `y@${domain}`])]
  const change = fc.record({
    value: fc.constantFrom(...values),
    effect: fc.constantFrom('allow', 'allow', 'allow', 'block', 'revoke', 'revoke'),
    scope: fc.constantFrom('', '', 'eva@corp.test', '@corp.test'),
    subdomains: fc.boolean(),
    endsAt: fc.constantFrom(null, null, 99),
  })
  const counts = { refused: 0, pass: 0, stop: 0 }
  for (const { value, effect, scope, subdomains, endsAt } of fc.sample(change, {
    numRuns: 250,
    seed: Number(process.env.SEED ?? 1),
  })) {
    const wide = subdomains && !value.includes('@')
    const done =
      effect === 'revoke'
        ? landscape.revoke([value], undefined, ACTOR)
        : landscape.add([draft(effect, value, { scope, subdomains: wide, endsAt })], ACTOR)
    await done.catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      counts.refused++
    })
    const rows = lane.rows()
    const wrong = await landscape.mendLane(2)
    if (wrong !== 0) t.fail(`${wrong} wrong after ${effect} ${value}`, { found: rows, wanted: lane.rows() })
    for (const { pass } of rows) counts[pass ? 'pass' : 'stop']++
  }
  t.ok(counts.refused > 10 && counts.pass > 200 && counts.stop > 200, JSON.stringify(counts))
})

t.test('a rule that cannot be added leaves the lane as it was', async (t) => {
  const { lane, landscape } = make(t)
  await landscape.add([draft('allow', 'known.test'), draft('block', 'evil.test')], ACTOR)
  const before = shown(lane)
  await t.rejects(
    landscape.add([draft('block', 'known.test'), draft('allow', 'evil.test')], ACTOR),
    /blocks it/,
  )
  t.strictSame(shown(lane), before)
})

t.test('a change that is cut off', async (t) => {
  for (const [name, change] of [
    ['a block', (it: Landscape) => it.add([draft('block', 'known.test', { subdomains: true })], ACTOR)],
    ['a revoke', (it: Landscape) => it.revoke(['known.test'], undefined, ACTOR)],
    ['an allow', (it: Landscape) => it.add([draft('allow', 'new.test')], ACTOR)],
  ] as const) {
    await t.test(`${name}, after the rules have changed`, async (t) => {
      const { lab, lane, landscape } = make(t)
      await landscape.add([draft('allow', 'known.test'), draft('allow', 'sub.known.test')], ACTOR)
      const db = openForWriting(databasePath(lab.state), { busySeconds: 5 })
      t.teardown(() => db.close())
      const dying = {
        internal: lane.internal,
        shut: (values: Iterable<string>) => lane.shut(values),
        replace: () => 0,
        put: () => {
          throw new Failure('test', 'cut off')
        },
      }
      await t.rejects(change(new Landscape(db, dying)) as Promise<unknown>, /cut off/)
      t.notOk(passes(lane, 'x@new.test'))
      t.equal(passes(lane, 'x@known.test'), name === 'an allow')
      t.equal(passes(lane, 'x@sub.known.test'), name !== 'a block')
      t.equal(
        (await landscape.mendLane(2)) > 0,
        name !== 'a block',
        'and is mended; a block is as shut as can be',
      )
      t.equal(await landscape.mendLane(2), 0)
      t.equal(passes(lane, 'x@new.test'), name === 'an allow')
      t.equal(passes(lane, 'x@sub.known.test'), name !== 'a block')
    })
  }
  await t.test('a lane that cannot be written keeps the rule from changing', async (t) => {
    const { lab, lane, landscape } = make(t)
    await landscape.add([draft('allow', 'known.test')], ACTOR)
    writeFileSync(lanePath(lab.state), 'no database at all, but long enough to be looked at '.repeat(100))
    await t.rejects(landscape.revoke(['known.test'], undefined, ACTOR), /lane\.db/)
    t.equal((await landscape.list(2)).length, 1)
    t.throws(() => passes(lane, 'x@known.test'))
  })
})

t.test('its log stays when the last connection closes', (t) => {
  const { lab, lane } = make(t)
  lane.shut(['known.test'])
  for (const end of ['-wal', '-shm']) t.ok(existsSync(`${lanePath(lab.state)}${end}`), end)
  t.end()
})

t.test('a missing file is told', (t) => {
  const lab = new Lab(t.testdir(), '')
  t.throws(() => new Lane({ state: lab.state, internal: new Set(), busySeconds: 5 }), /toeh express|missing/)
  t.end()
})
