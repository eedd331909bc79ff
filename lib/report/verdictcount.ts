/**
 * The verdicts of all time, counted: a counter that grows only, although days of the decision log are removed. Cleanup
 * folds whole days into a sum before it removes any; what came since is counted where it stands.
 */

import type { Config } from '../config.js'
import type { Actor } from '../database/audit.js'
import type { Progress } from '../database/progress.js'
import { readDecisions } from '../logs/decisionlog.js'
import { countDecision, type Verdicts } from './metrics.js'

const PROGRESS = 'verdicts counted to'
const DAY_MS = 86_400_000

/** Where the decision log lies, what was counted of it, and the time. */
export interface Counted {
  config: Pick<Config, 'state'>
  progress: Progress
  actor: Actor
}

/** Days of UTC, as the files are named. */
interface Sum {
  /** The first day that is counted; empty as long as there was none. */
  since: string
  /** The last day that is in `verdicts`; empty before the first. */
  to: string
  verdicts: Verdicts
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

function readSum(text: string | undefined): Sum {
  return text === undefined ? { since: '', to: '', verdicts: {} } : (JSON.parse(text) as Sum)
}

/** The sum with the days after it, up to one that is not counted any more (undefined: all). */
async function countOn(state: string, sum: Sum, before: string | undefined): Promise<Sum> {
  const verdicts = { ...sum.verdicts }
  let { since, to } = sum
  const from = to === '' ? '' : dayOf(Date.parse(to) + DAY_MS)
  for await (const { at, recipients } of readDecisions(state, from)) {
    const day = at.slice(0, 10)
    if (before !== undefined && day >= before) break
    countDecision(verdicts, recipients)
    if (since === '') since = day
    if (day > to) to = day
  }
  return { since, to, verdicts }
}

/**
 * Folds the days that no run adds to any more: a run that began before midnight still writes to the file of its day, so
 * yesterday is left. Twice, or by two at once, it comes to the same. Only by a clock that is believed: a day that was
 * folded is not read again.
 */
export async function foldVerdicts({ config, progress, actor }: Counted): Promise<void> {
  const sum = readSum(progress.get(PROGRESS))
  const folded = await countOn(config.state, sum, dayOf(actor.at - DAY_MS))
  if (folded.to !== sum.to) progress.set(PROGRESS, JSON.stringify(folded))
}

/** @returns all that was ever counted, and since when (milliseconds since 1970) */
export async function countVerdicts({
  config,
  progress,
  actor,
}: Counted): Promise<{ countedSince: number; verdicts: Verdicts }> {
  for (;;) {
    const text = progress.get(PROGRESS)
    const { since, verdicts } = await countOn(config.state, readSum(text), undefined)
    // A cleanup may have folded and removed days while they were being read.
    if (progress.get(PROGRESS) !== text) continue
    return { countedSince: Date.parse(since === '' ? dayOf(actor.at) : since), verdicts }
  }
}
