/** Property: runs a fast-check property within a time limit, and says how many cases it has seen. */
import fc from 'fast-check'
import type { Test } from 'tap'

/** Milliseconds after which no further case is begun: a slow machine sees fewer cases, not a late end. */
const LIMIT_MS = 15_000

/** FUZZ_RUNS in the environment: so many times the usual cases, in so many times the usual time. */
export const FUZZ_RUNS = Math.max(1, Number(process.env.FUZZ_RUNS ?? 1) || 1)

/**
 * Asserts that a property holds. A failure is told with the smallest case found, its seed and its path; SEED in
 * the environment runs a seed again.
 * @param cases how many to try
 * @param limitMs milliseconds after which no further one is begun
 * @returns how many it has tried
 */
export async function holds<T>(
  t: Test,
  name: string,
  cases: number,
  property: fc.IRawProperty<T>,
  limitMs = LIMIT_MS,
): Promise<number> {
  const { SEED } = process.env
  const seed = SEED === undefined ? {} : { seed: Number(SEED) }
  const limits = {
    numRuns: cases * FUZZ_RUNS,
    interruptAfterTimeLimit: limitMs * FUZZ_RUNS,
    includeErrorInReport: true,
  }
  // fast-check does not wait for the case that is under way at the limit, which would outlive its test's teardown.
  const run = property.run.bind(property)
  const underWay: { last: ReturnType<typeof run> } = { last: null }
  property.run = (...given) => {
    underWay.last = run(...given)
    return underWay.last
  }
  const details = await fc.check(property, { ...limits, ...seed })
  const late = await underWay.last
  if (details.failed) t.fail(`${name}\n${await fc.asyncDefaultReportMessage(details)}`)
  else if (late !== null && 'error' in late) t.fail(`${name}: the case at the limit: ${late.error}`)
  else t.pass(`${name}: ${details.numRuns} cases`)
  return details.numRuns
}

/** Throws unless both are the same as JSON: within a property, where an assertion of tap would count each case. */
export function assertSame(actual: unknown, expected: unknown, what = 'actual'): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (one !== other) throw new Error(`${what}: ${one}\nexpected: ${other}`)
}
