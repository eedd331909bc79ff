/** lane.ts and its keeping by landscape.ts: whatever breaks, the lane passes too little, never too much. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type Sqlite from 'better-sqlite3'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { databasePath, openForWriting } from '../../lib/database/database.js'
import { Lane, laneFolder, lanePath, lanePlaces, tidyLane } from '../../lib/express/lane.js'
import { laneQuery } from '../../lib/express/tables.js'
import { Failure } from '../../lib/failure.js'
import type { RuleDraft } from '../../lib/rules/decide.js'
import { Landscape } from '../../lib/rules/landscape.js'
import bettersqlite from '../../lib/system/bettersqlite.cjs'
import { failureOf } from '../support/failing.js'
import { Lab } from '../support/lab.js'

const ACTOR = { who: 'test', at: 1 }

function draft(effect: 'allow' | 'block', value: string, more: Partial<RuleDraft> = {}): RuleDraft {
  const kind = value.includes('@') ? 'address' : 'domain'
  return { kind, value, subdomains: false, scope: '', effect, endsAt: null, source: '', note: '', ...more }
}

function make(t: Test): { lab: Lab; lane: Lane; landscape: Landscape } {
  const lab = new Lab(t.testdir(), '')
  mkdirSync(laneFolder(lab.state))
  const lane = new Lane({ state: lab.state, internal: new Set(['corp.test']) }, true)
  lane.replace([])
  const db = openForWriting(databasePath(lab.state), { busySeconds: 5 })
  t.teardown(() => db.close())
  return { lab, lane, landscape: new Landscape(db, lane) }
}

const passes = (lane: Lane, recipient: string): boolean => lane.passing([recipient]).has(recipient)
const shown = (lane: Lane): string[] => lane.rows().map(({ key, pass }) => `${pass ? 'pass' : 'stop'} ${key}`)

t.test('a row for each rule that counts, and none for what does not', async (t) => {
  const { lane, landscape } = make(t)
  landscape.add(
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
  landscape.revoke(['evil.test', 'known.test'], undefined, ACTOR)
  t.strictSame(shown(lane), ['pass @wide.test', 'stop bad@known.test', 'pass x@one.test'])
})

t.test('beneath a block nothing passes', async (t) => {
  const { lane, landscape } = make(t)
  landscape.add(
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
    landscape.add([draft('allow', `x@${domain}`), draft('allow', domain)], ACTOR)
    landscape.add([draft('allow', 'beside.g.test'), draft('allow', `not${above}`)], ACTOR)
    const passing = (recipients: string[]): boolean[] => recipients.map((one) => passes(lane, one))
    t.strictSame(passing([...below, ...others]), [true, true, true, true])
    landscape.add([draft('block', above, { subdomains: true, scope: 'eva@corp.test' })], ACTOR)
    t.strictSame(passing(below), [false, false])
    t.strictSame(passing(others), [height > 2, true], 'what is beside it')
    t.equal(landscape.mendLane(2), 0)
    // What comes later is below it too.
    landscape.add([draft('allow', `w.${domain}`), draft('allow', `v@w.${domain}`)], ACTOR)
    t.strictSame(passing([`u@w.${domain}`, `v@w.${domain}`]), [false, false])
    landscape.revoke([above], undefined, ACTOR)
    t.strictSame(passing([...below, ...others, `u@w.${domain}`, `v@w.${domain}`]), Array(6).fill(true))
    t.equal(landscape.mendLane(2), 0)
  })
}

t.test('a block of a domain alone reaches its addresses, and not the domains below', async (t) => {
  const { lane, landscape } = make(t)
  landscape.add(
    [draft('allow', 'x@evil.test'), draft('allow', 'x@a.evil.test'), draft('allow', 'a.evil.test')],
    ACTOR,
  )
  landscape.add([draft('block', 'evil.test', { scope: '@corp.test' })], ACTOR)
  t.strictSame(
    ['x@evil.test', 'x@a.evil.test', 'y@a.evil.test'].map((one) => passes(lane, one)),
    [false, true, true],
  )
  t.equal(landscape.mendLane(2), 0)
})

t.test('a block over many values', async (t) => {
  const { lane, landscape } = make(t)
  // More than are looked at in one go.
  const drafts = Array.from({ length: 12_000 }, (_, i) =>
    draft('allow', i % 3 === 0 ? `p${i}@big.test` : `p${i}@other${i}.test`),
  )
  landscape.add([...drafts, draft('allow', 'big.test')], ACTOR)
  landscape.add([draft('block', 'big.test')], ACTOR)
  t.equal(lane.rows().filter(({ pass }) => !pass).length, 4001)
  t.equal(landscape.mendLane(2), 0)
  landscape.revoke(['big.test'], undefined, ACTOR)
  t.equal(lane.rows().filter(({ pass }) => pass).length, 12_000)
  t.equal(landscape.mendLane(2), 0)
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
    try {
      if (effect === 'revoke') landscape.revoke([value], undefined, ACTOR)
      else landscape.add([draft(effect, value, { scope, subdomains: wide, endsAt })], ACTOR)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      counts.refused++
    }
    const rows = lane.rows()
    const wrong = landscape.mendLane(2)
    if (wrong !== 0) t.fail(`${wrong} wrong after ${effect} ${value}`, { found: rows, wanted: lane.rows() })
    for (const { pass } of rows) counts[pass ? 'pass' : 'stop']++
  }
  t.ok(counts.refused > 10 && counts.pass > 200 && counts.stop > 200, JSON.stringify(counts))
})

t.test('a rule that cannot be added leaves the lane as it was', async (t) => {
  const { lane, landscape } = make(t)
  landscape.add([draft('allow', 'known.test'), draft('block', 'evil.test')], ACTOR)
  const before = shown(lane)
  t.throws(
    () => landscape.add([draft('block', 'known.test'), draft('allow', 'evil.test')], ACTOR),
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
      landscape.add([draft('allow', 'known.test'), draft('allow', 'sub.known.test')], ACTOR)
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
      t.throws(() => change(new Landscape(db, dying)), /cut off/)
      t.notOk(passes(lane, 'x@new.test'))
      t.equal(passes(lane, 'x@known.test'), name === 'an allow')
      t.equal(passes(lane, 'x@sub.known.test'), name !== 'a block')
      t.equal(landscape.mendLane(2) > 0, name !== 'a block', 'and is mended; a block is as shut as can be')
      t.equal(landscape.mendLane(2), 0)
      t.equal(passes(lane, 'x@new.test'), name === 'an allow')
      t.equal(passes(lane, 'x@sub.known.test'), name !== 'a block')
    })
  }
  await t.test('a lane that cannot be written keeps the rule from changing', async (t) => {
    const { lab, lane, landscape } = make(t)
    landscape.add([draft('allow', 'known.test')], ACTOR)
    writeFileSync(lanePath(lab.state), 'no database at all, but long enough to be looked at '.repeat(100))
    t.throws(() => landscape.revoke(['known.test'], undefined, ACTOR), /lane\.db/)
    t.equal(landscape.list(2).length, 1)
    t.throws(() => passes(lane, 'x@known.test'))
  })
})

const Database = bettersqlite.load()

/** Who asks as Postfix does, by a connection that stays open. */
function ask(path: string): { passes: (recipient: string) => boolean; db: Sqlite.Database } {
  const db = new Database(path)
  const passes = (recipient: string): boolean => {
    const [local = '', domain = ''] = recipient.split('@')
    const sql = laneQuery({ address: `'${recipient}'`, local: `'${local}'`, domain: `'@${domain}'` })
    return db.prepare(sql).get() !== undefined
  }
  return { passes, db }
}

t.test('a reader who has it open sees each change at once, and can change nothing', async (t) => {
  const { lab, lane, landscape } = make(t)
  const path = lanePath(lab.state)
  const { passes, db } = ask(path)
  t.notOk(passes('x@known.test'))
  landscape.add([draft('allow', 'known.test')], ACTOR)
  t.ok(passes('x@known.test'))
  landscape.add([draft('block', 'x@known.test')], ACTOR)
  t.strictSame([passes('x@known.test'), passes('y@known.test')], [false, true])
  landscape.revoke(['known.test'], undefined, ACTOR)
  t.notOk(passes('y@known.test'))
  const before = lane.rows()
  for (const sql of [
    "INSERT INTO lane VALUES ('@evil.test', 1)",
    'PRAGMA wal_checkpoint(TRUNCATE)',
    'DELETE FROM lane',
  ])
    try {
      db.exec(sql)
    } catch {
      // It may not.
    }
  db.close()
  t.strictSame(lane.rows(), before)
  t.strictSame(readdirSync(laneFolder(lab.state)).sort(), ['lane.db', 'lane.db-shm', 'lane.db-wal'])
  t.strictSame(
    lanePlaces(lab.state)
      .slice(1)
      .map(({ path }) => (statSync(path).mode & 0o777).toString(8)),
    ['640', '640', '750'],
  )
})

t.test('a long log ends with its generation, and with it all that passed by it', async (t) => {
  const { lab, lane, landscape } = make(t)
  landscape.add([draft('allow', 'known.test'), draft('block', 'bad@known.test')], ACTOR)
  const path = lanePath(lab.state)
  const [asked, unasked] = [ask(path), ask(path)]
  t.ok(asked.passes('x@known.test'))
  const first = statSync(path).ino
  for (let number = 0; statSync(path).ino === first; number++) {
    if (number > 500) throw new Error('its log grows without end')
    const drafts = Array.from({ length: 40 }, (_, i) =>
      draft('allow', `d${number}x${i}${'y'.repeat(40)}.test`),
    )
    landscape.add(drafts, ACTOR)
  }
  t.ok(statSync(`${path}-wal`).size < 100_000, 'the new log is short')
  t.notOk(asked.passes('x@known.test'), 'nothing passes for who has the old one open')
  t.notOk(unasked.passes('x@known.test'), 'nor for who has opened the old base and comes to the new log')
  const next = ask(path)
  t.strictSame(['x@known.test', 'bad@known.test'].map(next.passes), [true, false], 'who comes now')
  landscape.revoke(['known.test'], undefined, ACTOR)
  t.strictSame(
    [asked, unasked, next].map(({ passes }) => passes('x@known.test')),
    [false, false, false],
  )
  landscape.add([draft('allow', 'known.test')], ACTOR)
  t.strictSame(
    [asked, unasked, next].map(({ passes }) => passes('x@known.test')),
    [false, false, true],
  )
  for (const { db } of [asked, unasked, next]) db.close()
  t.equal(landscape.mendLane(2), 0)
  t.equal(lane.rows().find(({ key }) => key === 'bad@known.test')?.pass, false)
})

t.test('a change of generation that is cut off leaves it shut, and the next cleanup opens it', async (t) => {
  /** Base and log of each generation. */
  const [oldOne, newOne] = [new Map<string, Buffer>(), new Map<string, Buffer>()]
  const { lab, lane, landscape } = make(t)
  landscape.add([draft('allow', 'gone.test')], ACTOR)
  const base = lanePath(lab.state)
  const keep = (to: Map<string, Buffer>): void => {
    for (const path of [base, `${base}-wal`]) to.set(path, readFileSync(path))
  }
  keep(oldOne)
  landscape.revoke(['gone.test'], undefined, ACTOR)
  landscape.add([draft('allow', 'known.test')], ACTOR)
  rmSync(`${base}-wal`)
  t.equal(landscape.mendLane(2), 1)
  keep(newOne)
  const shut = Buffer.concat([Buffer.alloc(32), oldOne.get(`${base}-wal`)?.subarray(32) ?? Buffer.alloc(0)])
  for (const [name, first, second] of [
    ['before the first rename', oldOne.get(base), shut],
    ['between the two', newOne.get(base), shut],
    ['a log that is empty', newOne.get(base), Buffer.alloc(0)],
    ['an old base and a new log', oldOne.get(base), newOne.get(`${base}-wal`)],
  ] as const) {
    writeFileSync(base, first ?? '')
    writeFileSync(`${base}-wal`, second ?? '')
    writeFileSync(`${base}.new`, 'half of a base')
    const { passes, db } = ask(base)
    t.strictSame(['x@gone.test', 'x@known.test'].map(passes), [false, false], name)
    db.close()
    t.strictSame([...lane.passing(['x@gone.test', 'x@known.test'])], [], `${name}: as we see it`)
    landscape.add([draft('allow', 'other.test')], ACTOR)
    landscape.revoke(['other.test'], undefined, ACTOR)
    t.notOk(passesAnew(base, 'x@gone.test'), `${name}: a change opens nothing of it again`)
    t.ok(landscape.mendLane(2) >= 1, name)
    t.strictSame(
      ['x@gone.test', 'x@known.test'].map((one) => passesAnew(base, one)),
      [false, true],
      `${name}: mended`,
    )
    t.equal(landscape.mendLane(2), 0)
  }
})

function passesAnew(path: string, recipient: string): boolean {
  const { passes, db } = ask(path)
  const passed = passes(recipient)
  db.close()
  return passed
}

t.test('what is damaged is made anew by cleanup, and no rule changes before', async (t) => {
  for (const [name, damage] of [
    ['a base of something else', (path: string) => writeFileSync(path, 'x'.repeat(4096))],
    ['a base that is short', (path: string) => truncateSync(path, 1500)],
    ['no log', (path: string) => rmSync(`${path}-wal`)],
    ['no folder for what readers share', (path: string) => rmdirSync(`${path}-shm`)],
  ] as const) {
    const { lab, lane, landscape } = make(t)
    const path = lanePath(lab.state)
    landscape.add([draft('allow', 'known.test'), draft('allow', 'x@other.test')], ACTOR)
    damage(path)
    t.throws(() => landscape.revoke(['known.test'], undefined, ACTOR), Failure, name)
    t.equal(landscape.list(2).length, 2, name)
    t.equal(landscape.mendLane(2), 2, name)
    t.strictSame([passes(lane, 'x@known.test'), passesAnew(path, 'x@known.test')], [true, true], name)
  }
})

t.test('a link in the place of the log is followed by nobody', async (t) => {
  const { lab, lane, landscape } = make(t)
  const path = lanePath(lab.state)
  landscape.add([draft('allow', 'known.test')], ACTOR)
  const elsewhere = join(lab.dir, 'elsewhere')
  renameSync(`${path}-wal`, elsewhere)
  symlinkSync(elsewhere, `${path}-wal`)
  const bytes = readFileSync(elsewhere)
  t.throws(() => landscape.revoke(['known.test'], undefined, ACTOR), /lane\.db-wal: .*\(ELOOP\)/)
  t.throws(() => landscape.mendLane(2), /lane\.db-wal: .*\(ELOOP\)/)
  t.ok(readFileSync(elsewhere).equals(bytes))
  tidyLane(lab.state)
  t.equal(landscape.mendLane(2), 1, 'toeh express --write takes it away')
  t.ok(lstatSync(`${path}-wal`).isFile())
  t.ok(passes(lane, 'x@known.test'))
})

t.test('a folder that others can write is refused, and so is what does not belong there', async (t) => {
  const { lab } = make(t)
  const folder = laneFolder(lab.state)
  const config = { state: lab.state, internal: new Set<string>() }
  const path = lanePath(lab.state)
  const refused = `express lane ${folder}: others could write in it; run toeh express --write as root, or set enabled = false under [express]`
  for (const mode of [0o2770, 0o757]) {
    chmodSync(folder, mode)
    t.equal((await failureOf(() => new Lane(config))).line, refused, mode.toString(8))
  }
  chmodSync(folder, 0o2750)
  t.ok(new Lane(config))
  if (process.getuid?.() === 0) {
    chownSync(folder, 65534, 65534)
    t.equal((await failureOf(() => new Lane(config))).line, refused, "another user's")
    chownSync(folder, 0, 0)
  }
  for (const name of ['lane.db-journal', '.hidden', 'lane.db-mj01']) {
    writeFileSync(join(folder, name), '')
    const { line } = await failureOf(() => tidyLane(lab.state))
    t.equal(
      line,
      `express lane ${join(folder, name)}: it does not belong there; look what it is, and take it away`,
    )
    rmSync(join(folder, name))
  }
  chmodSync(path, 0o666)
  const { ino } = statSync(path)
  // What another has made there, and what a killed command has left.
  rmSync(`${path}-shm`, { recursive: true })
  writeFileSync(`${path}-shm`, 'x')
  writeFileSync(join(lab.dir, 'precious'), 'precious', { mode: 0o600 })
  rmSync(`${path}-wal`)
  symlinkSync(join(lab.dir, 'precious'), `${path}-wal`)
  symlinkSync(join(lab.dir, 'precious'), `${path}.new`)
  tidyLane(lab.state)
  t.strictSame(readdirSync(folder), ['lane.db'], 'what is not ours is taken away')
  t.equal(statSync(path).ino, ino)
  t.equal(statSync(path).mode & 0o777, 0o640, 'what is ours has its rights again')
  t.equal(readFileSync(join(lab.dir, 'precious'), 'utf8'), 'precious')
  renameSync(folder, `${folder}-real`)
  symlinkSync(`${folder}-real`, folder)
  writeFileSync(join(`${folder}-real`, 'lane.db'), '')
  t.equal((await failureOf(() => new Lane(config))).line, refused, 'a link')
})

t.test('a missing file is told', (t) => {
  const lab = new Lab(t.testdir(), '')
  t.throws(() => new Lane({ state: lab.state, internal: new Set() }), /toeh express|missing/)
  t.end()
})
