/** The campaign: the strokes of many cases, worked off two at a time, and the table of what came of them. */
import { appendFileSync } from 'node:fs'
import type { Test } from 'tap'
import type { Lab } from '../support/lab.js'
import type { Stroke } from './stroke.js'
import { type Model, strike, trouble, type Verdict } from './trial.js'

/** Everything with `npm run test:crash`; else a part of it that differs from day to day. */
export const FULL = process.env.TOEH_CRASH === 'full'

/** The cases whose name begins like this, to repeat a part: `TOEH_CRASH_CASE='toeh reject'`. */
export function chosen<T extends { name: string }>(cases: readonly T[]): T[] {
  return cases.filter(({ name }) => name.startsWith(process.env.TOEH_CRASH_CASE ?? ''))
}

/** A file that takes each verdict as it comes. */
const TABLE = process.env.TOEH_CRASH_TABLE

/** The day that chooses the part: the same day, the same strokes. */
export const DAY = Number(process.env.TOEH_CRASH_DAY ?? Math.floor(Date.now() / 86_400_000))

/** Every k-th of these, all of them with `npm run test:crash`. */
export function part<T>(all: readonly T[], k: number): T[] {
  return FULL ? [...all] : all.filter((_, index) => (index + DAY) % k === 0)
}

export interface Job {
  run: () => Promise<Verdict[]>
}

export function strokesOf(model: Model, strokes: readonly Stroke[]): Job[] {
  return strokes.map((stroke) => ({ run: () => strike(model, stroke) }))
}

/**
 * Troubles of growing size until the case no longer notices: each rung is a real limit of the system.
 * @param rungs from the tightest on
 */
export function ladderOf(
  model: Model,
  name: string,
  rungs: readonly number[],
  through: (lab: Lab, rung: number) => string[],
): Job {
  return {
    run: async () => {
      const verdicts: Verdict[] = []
      for (const rung of rungs) {
        const verdict = await trouble(model, `${name} ${rung}`, (lab) => through(lab, rung))
        verdicts.push({ ...verdict, effect: name })
      }
      return verdicts
    },
  }
}

/** No other file of tests runs beside these (package.json, `serial`): each stop for strace waits its turn there. */
const HANDS = 2

/** Works off the jobs, as many at a time as there are hands. */
export async function workOff(jobs: readonly Job[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  let next = 0
  const hand = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
      const came = await job.run()
      verdicts.push(...came)
      if (TABLE !== undefined) appendFileSync(TABLE, came.map((one) => `${JSON.stringify(one)}\n`).join(''))
    }
  }
  await Promise.all(Array.from({ length: HANDS }, hand))
  return verdicts
}

/** The table as comments of the test: each row once, with how often it came. */
function comment(t: Test, rows: readonly string[]): void {
  const times = new Map<string, number>()
  for (const row of rows) times.set(row, (times.get(row) ?? 0) + 1)
  for (const [row, count] of times) t.comment(count === 1 ? row : `${row} (${count} times)`)
}

function failBroken(t: Test, verdicts: readonly Verdict[]): void {
  for (const { case: name, stroke, outcome, broken } of verdicts)
    if (broken) t.fail(`${name}: ${stroke}: ${outcome}`)
}

/** What came of limits: at least one run felt each, and nothing was broken. */
export function reportLimits(t: Test, verdicts: readonly Verdict[]): void {
  comment(
    t,
    verdicts.map(({ case: name, stroke, outcome }) =>
      FULL ? `${name} | ${stroke} | ${outcome}` : `${name} | ${outcome}`,
    ),
  )
  const felt = verdicts.filter(({ struck }) => struck !== undefined).length
  t.comment(`runs under a limit ${verdicts.length}, of which ${felt} could not end well; day ${DAY}`)
  failBroken(t, verdicts)
  t.ok(felt > 0, 'the limit was felt')
}

/** The tries of each stroke of which none has struck anything. */
function idleStrokes(verdicts: readonly Verdict[]): Verdict[][] {
  const strokes = new Map<string, Verdict[]>()
  for (const verdict of verdicts) {
    if (!/ (at|from) /.test(verdict.stroke)) continue
    const name = `${verdict.case} ${verdict.stroke}`
    strokes.set(name, [...(strokes.get(name) ?? []), verdict])
  }
  return [...strokes.values()].filter((tries) => tries.every(({ struck }) => struck === undefined))
}

/** The table and the sums, as comments of the test; and that nothing was broken and every point was struck. */
export function report(t: Test, verdicts: readonly Verdict[], strokes: number): void {
  t.comment(FULL ? 'command | stroke | call | target | outcome' : 'command | outcome')
  comment(
    t,
    verdicts.map(({ case: name, stroke, outcome }) => {
      const columns = stroke.replace(/ (at|from) (\S+) (.*)/, ' $1 | $2 | $3')
      return FULL ? `${name} | ${columns} | ${outcome}` : `${name} | ${outcome}`
    }),
  )
  const kills = verdicts.filter(({ effect, struck }) => effect === 'kill' && struck !== undefined)
  const points = new Set(kills.map(({ case: name, struck }) => `${name} ${struck}`))
  const faults = verdicts.filter(({ effect, struck }) => effect !== 'kill' && struck !== undefined)
  const copies = verdicts.filter(({ outcome }) => outcome.includes('SECOND COPY'))
  const idle = idleStrokes(verdicts)
  const missed = idle.filter((tries) => tries.some(({ there }) => there)).flatMap(([first]) => first ?? [])
  t.comment(
    `strokes planned ${strokes}, runs struck ${kills.length + faults.length}: kills ${kills.length} at ` +
      `${points.size} points, faults ${faults.length}; not struck ${missed.length}, not there again ${idle.length - missed.length}; second copies ` +
      `${copies.length}; broken ${verdicts.filter(({ broken }) => broken).length}; day ${DAY}`,
  )
  failBroken(t, verdicts)
  t.equal(
    missed.length,
    0,
    `every stroke has fallen: ${missed.map(({ case: name, stroke }) => `${name} ${stroke}`)}`,
  )
  t.ok(kills.length > 0 && faults.length > 0, 'kills and faults have fallen')
}
