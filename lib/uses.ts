/** The uses of rules: when each last decided, folded from the decision log into the landscape. */
import { readDecisions } from './decisions.js'
import type { Desk } from './desk.js'

const PROGRESS = 'uses folded to'

/**
 * Reads the decision log from the day it was last read to and notes for each rule when it last decided. Reading a day
 * twice changes nothing.
 */
export async function foldUses({ config, landscape }: Desk): Promise<void> {
  const uses = new Map<number, number>()
  let last = (await landscape.progress(PROGRESS)) ?? ''
  for await (const { at, recipients } of readDecisions(config.state, last)) {
    const time = Date.parse(at)
    for (const { rule } of recipients) {
      if (rule !== null) uses.set(rule, Math.max(time, uses.get(rule) ?? 0))
    }
    if (at.slice(0, 10) > last) last = at.slice(0, 10)
  }
  await landscape.recordUses(uses)
  await landscape.setProgress(PROGRESS, last)
}
