/**
 * Races: two programs at the same recipient, as real processes, again and again. One of them wins; each recipient
 * ends in one state, what was released is sent once, what was not is never sent, and the loser says so. RACE_ROUNDS
 * makes it longer.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Lab, makeLab, type Outcome } from '../support/lab.js'
import { makeSink, type Sink } from '../support/sink.js'

const ROUNDS = Number(process.env.RACE_ROUNDS ?? 3)
/** No further round is begun after this: a slow machine sees fewer rounds, not a late end. */
const LIMIT_MS = Number(process.env.RACE_SECONDS ?? 5) * 1000

const EVE = 'eve@stranger.test'
const MAL = 'mal@stranger.test'
const BOTH = [EVE, MAL]

interface Round {
  lab: Lab
  sink: Sink
  id: string
  queueId: string
}

type Runner = (round: Round) => Promise<Outcome>

const release: Runner = ({ lab, id }) => lab.toeh('release', id)
const reject: Runner = ({ lab, id }) => lab.toeh('reject', id, '--quiet')
const recheck: Runner = ({ lab }) => lab.toeh('recheck')
const cleanup: Runner = ({ lab }) => lab.toeh('cleanup')
const retry: Runner = ({ lab, queueId }) => lab.filter({ queueId, recipients: BOTH })

/** The states each program leads to. */
const ENDS: Record<string, string> = {
  release: 'released',
  recheck: 'released',
  reject: 'rejected',
  cleanup: 'expired',
  retry: '',
}

const RUNNERS: Record<string, Runner> = { release, reject, recheck, cleanup, retry }

/** Copies that reached the sink for a person, not counting notices. */
function copiesTo(sink: Sink, address: string): number {
  return sink.mails.filter(({ recipients }) => recipients.includes(address)).length
}

/** Runs both within the same moment, in either order. */
async function collide(
  one: () => Promise<Outcome>,
  other: () => Promise<Outcome>,
  round: number,
): Promise<Outcome[]> {
  const later = (round % 3) * 40
  const [first, second] = await Promise.all([
    wait(round % 2 === 0 ? 0 : later).then(one),
    wait(round % 2 === 0 ? later : 0).then(other),
  ])
  return [first, second]
}

/** A program's answer: a status that fits it, one line for each recipient, and no word of the machinery. */
function assertAnswer(t: Test, name: string, { code, signal, stdout, stderr }: Outcome): void {
  const said = `${name}: ${code} ${signal} ${stdout}${stderr}`
  t.match(stderr, /^(toeh: [^\n]+\n)?$/, `${said}: at most one line`)
  t.notMatch(`${stdout}${stderr}`, /ENOENT|no such file|\bat .*:\d+:\d+/i, `${said}: in words for people`)
  if (name === 'retry') return void t.strictSame([code, signal, stderr], [0, null, ''], said)
  const told = /NOT /.test(stdout) || stderr !== ''
  t.equal(code, told ? 1 : 0, said)
}

/** What a program said it has done to these two. */
function done(name: string, { stdout }: Outcome, address: string): boolean {
  const word = {
    release: 'released to',
    recheck: 'released to',
    reject: 'rejected for',
    // It releases what has become known, before anything expires.
    cleanup: '(?:expired for|released to)',
  }[name]
  return (
    word !== undefined &&
    stdout.split('\n').some((line) => new RegExp(`^\\w{12} ${word} ${address}`).test(line))
  )
}

const PAIRS: [string, string][] = [
  ['release', 'release'],
  ['release', 'reject'],
  ['release', 'cleanup'],
  ['release', 'recheck'],
  ['release', 'retry'],
  ['reject', 'reject'],
  ['reject', 'cleanup'],
  ['reject', 'recheck'],
  ['reject', 'retry'],
  ['recheck', 'recheck'],
  ['recheck', 'cleanup'],
  ['recheck', 'retry'],
  ['cleanup', 'retry'],
]

t.setTimeout((PAIRS.length + 4) * (LIMIT_MS + 60_000))

for (const [one, other] of PAIRS) {
  t.test(`${one} against ${other}`, { timeout: LIMIT_MS + 120_000 }, async (t) => {
    const until = Date.now() + LIMIT_MS
    const wins = new Map<string, number>()
    let round = 0
    for (; round < ROUNDS && Date.now() < until; round++) {
      const sink = await makeSink(t)
      const lab = makeLab(t, sink.setting)
      const queueId = `RACE${round}`
      const id = await lab.park(BOTH, { queueId })
      if ([one, other].includes('recheck')) await lab.allow('stranger.test')
      if ([one, other].includes('cleanup')) lab.change('UPDATE hold SET expires_at = 1')
      const run = (name: string) => (): Promise<Outcome> =>
        RUNNERS[name]?.({ lab, sink, id, queueId }) as Promise<Outcome>
      const [first, second] = (await collide(run(one), run(other), round)) as [Outcome, Outcome]
      assertAnswer(t, one, first)
      assertAnswer(t, other, second)
      for (const address of BOTH) {
        const state = lab.query<{ state: string }>('SELECT state FROM recipient WHERE address = ?', address)
        const [only, ...more] = state.map((row) => row.state)
        t.same(more, [], 'one row')
        t.ok([ENDS[one], ENDS[other]].includes(only), `${address} is ${only}`)
        t.equal(copiesTo(sink, address), only === 'released' ? 1 : 0, `${address} is ${only}: copies`)
        const claims = [done(one, first, address), done(other, second, address)].filter(Boolean).length
        t.equal(claims, 1, `exactly one said it did it: ${first.stdout}${second.stdout}`)
        wins.set(only ?? '', (wins.get(only ?? '') ?? 0) + 1)
      }
      t.same(
        lab.query(`SELECT subject FROM audit WHERE what IN ('released', 'rejected', 'expired')`).length,
        BOTH.length,
        'each settled once',
      )
      // What a retry published while the bytes were going is a settled folder, and the next cleanup takes it.
      t.equal((await lab.toeh('cleanup')).code, 0)
      t.same([lab.held(), lab.temporaries()], [[], []], 'no bytes stay')
      await sink.stop()
    }
    t.comment(`${round} rounds: ${JSON.stringify(Object.fromEntries(wins))}`)
  })
}

t.test('the filter against itself, with a person at once behind it', async (t) => {
  const known = 'bob@corp.test'
  for (let round = 0; round < ROUNDS; round++) {
    const sink = await makeSink(t)
    const lab = makeLab(t, sink.setting)
    const run = (): Promise<Outcome> => lab.filter({ queueId: `SELF${round}`, recipients: [known, ...BOTH] })
    const first = run()
    const second = wait(round * 15).then(run)
    const early = await Promise.race([first, second])
    const id = / in (\w{12})\n/.exec(early?.stdout ?? '')?.[1] ?? ''
    const person = await lab.toeh('release', id)
    t.equal(person.code, 0, person.stderr + person.stdout)
    const outcomes = await Promise.all([first, second])
    for (const outcome of outcomes) assertAnswer(t, 'retry', outcome)
    for (const address of BOTH) t.equal(copiesTo(sink, address), 1, `${address} once`)
    t.ok([1, 2].includes(copiesTo(sink, known)), 'two runs at once may both send to the known, none may not')
    t.same(lab.states(), [`${known} passed`, ...BOTH.map((address) => `${address} released`)])
    t.equal((await lab.toeh('cleanup')).code, 0)
    t.same(lab.held(), [], 'no bytes stay')
    await sink.stop()
  }
})

t.test('further recipients against the release of the first: both, each once', async (t) => {
  for (let round = 0; round < ROUNDS; round++) {
    const sink = await makeSink(t)
    const lab = makeLab(t, sink.setting)
    const queueId = `JOIN${round}`
    const id = await lab.park([EVE], { queueId })
    const join = (): Promise<Outcome> => lab.filter({ queueId, recipients: [MAL] })
    const [released, joined] = (await collide(() => lab.toeh('release', id), join, round)) as [
      Outcome,
      Outcome,
    ]
    assertAnswer(t, 'release', released)
    // The bytes may go between its look and its rows: then it is Postfix's again.
    t.ok([0, 75].includes(joined.code ?? -1), joined.stdout)
    if (joined.code === 75) t.equal((await join()).code, 0, 'the next attempt parks')
    t.equal(copiesTo(sink, EVE), 1)
    const waits = lab.states().includes(`${MAL} held`)
    t.equal(copiesTo(sink, MAL), waits ? 0 : 1, lab.states().join())
    if (waits) t.equal((await lab.toeh('release', id)).code, 0, 'its bytes are there')
    t.equal(copiesTo(sink, MAL), 1)
    await sink.stop()
  }
})

t.test('allow and revoke beside filters: each run follows the rules as they stood, whole', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  let stop = false
  const people = async (): Promise<void> => {
    while (!stop) {
      const allowed = await lab.toeh('allow', 'stranger.test')
      t.equal(allowed.code, 0, allowed.stderr)
      const revoked = await lab.toeh('revoke', 'stranger.test')
      t.ok([0, 66].includes(revoked.code ?? -1), revoked.stderr)
    }
  }
  const filters = async (name: string): Promise<void> => {
    for (let run = 0; run < ROUNDS * 2; run++) {
      const outcome = await lab.filter({ queueId: `RUN${name}${run}`, recipients: BOTH })
      t.equal(outcome.code, 0, outcome.stdout)
      t.match(outcome.stdout, /^toeh: (passed 2 as \w+|held 2 in \w{12})\n$/, 'one rule, read once, for both')
    }
  }
  const work = Promise.all([people(), people()])
  await Promise.all([filters('A'), filters('B')])
  stop = true
  await work
  const held = lab.states().length
  t.equal(held + copiesTo(sink, EVE) + copiesTo(sink, MAL), ROUNDS * 8, 'held or passed')
  t.same(lab.query('SELECT value FROM rule WHERE revoked_at IS NULL GROUP BY value HAVING count(*) > 1'), [])
})

t.test('an import beside filters: in force whole or not at all, and no unknown passes', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, `busy_seconds = 1\n${sink.setting}`)
  const file = join(lab.dir, 'rules.csv')
  const domains = Array.from({ length: 3000 }, (_, index) => `supplier${index}.test`)
  writeFileSync(file, `value\n${domains.join('\n')}\n`)
  const ends = ['x@supplier0.test', 'x@supplier2999.test']
  let imported = false
  const importing = lab.toeh('import', file).finally(() => {
    imported = true
  })
  const seen = new Set<string>()
  const filters = async (name: string): Promise<void> => {
    for (let run = 0, after = 0; after < 2; run++) {
      if (imported) after++
      const { code, stdout } = await lab.filter({ queueId: `RUN${name}${run}`, recipients: [...ends, EVE] })
      seen.add(stdout.replace(/ (as|in) \w+/g, ''))
      t.ok(code === 0 || code === 75, stdout)
    }
  }
  await Promise.all([importing, filters('A'), filters('B')])
  const { code, stderr } = await importing
  t.equal(code, 0, stderr)
  const allowed = /^toeh: (held 3|passed 2, held 1)\n$|^4\.3\.0 toeh: database/
  t.same(
    [...seen].filter((text) => !allowed.test(text)),
    [],
    'all of it or nothing',
  )
  t.ok(
    [...seen].some((text) => text.startsWith('toeh: passed 2')),
    'the last runs know it',
  )
  t.equal(copiesTo(sink, EVE), 0)
})
