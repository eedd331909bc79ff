/** The uses of rules: how many messages each decided on each day, counted from the decision log into the landscape. */

import type { Config } from '../config.js'
import type { Actor } from '../database/audit.js'
import type { Progress } from '../database/progress.js'
import { readDecisions } from '../logs/decisionlog.js'
import { localDay } from '../text/visible.js'
import type { Landscape } from './landscape.js'
import { UseCount } from './usecount.js'

const PROGRESS = 'uses counted to'
const DAY_MS = 86_400_000

/**
 * Reads the decision log from the day it was last read to and notes how many messages each rule decided. Reading a day
 * twice changes nothing. Days are local, as those of the mail log, and files are days of UTC: so it begins one earlier.
 */
export async function foldUses({
  config,
  landscape,
  progress,
  actor,
}: {
  config: Pick<Config, 'state'>
  landscape: Landscape
  progress: Progress
  actor: Actor
}): Promise<void> {
  const count = new UseCount()
  let last = progress.get(PROGRESS) ?? ''
  const from = last === '' ? '' : new Date(Date.parse(last) - DAY_MS).toISOString().slice(0, 10)
  for await (const { at, queueId, recipients } of readDecisions(config.state, from)) {
    const day = localDay(Date.parse(at))
    for (const { rule, did } of recipients) {
      // An earlier run had settled the others.
      if (rule !== null && !did.startsWith('nothing')) count.add(rule, day, '', queueId)
    }
    if (at.slice(0, 10) > last) last = at.slice(0, 10)
  }
  landscape.recordUses(count.uses(), actor.at)
  progress.set(PROGRESS, last)
}
