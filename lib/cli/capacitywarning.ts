/** Shortage: what is said to people of room that is running out. The gate says it in a Failure of its own. */

import type { Config } from '../config.js'
import type { Room } from '../hold/capacity.js'
import { counted, sizeOf } from '../text/amounts.js'
import { words } from '../text/translate.js'

/** From this part of a limit on it is told of. */
const NEARLY = 0.8

function tellLoad({ messages, bytes }: Room['load'], { holdMessages, holdBytes }: Config['limits']): string {
  return [
    holdMessages === 0
      ? counted(messages, words`${messages} message waits`, words`${messages} messages wait`)
      : words`${messages} of at most ${holdMessages} messages wait`,
    holdBytes === 0 ? sizeOf(bytes) : words`${sizeOf(bytes)} of at most ${sizeOf(holdBytes)}`,
  ].join(', ')
}

/** What of disk and hold is at its limit or close to it, in lines; none where there is room enough. */
export function describeRoom({ limits }: Pick<Config, 'limits'>, { free, load }: Room): string[] {
  const { holdMessages, holdBytes } = limits
  const isAt = (value: number, limit: number, part: number): boolean => limit > 0 && value >= limit * part
  const near = (part: number): boolean =>
    isAt(load.messages, holdMessages, part) || isAt(load.bytes, holdBytes, part)
  const lines: string[] = []
  const left = words`${sizeOf(free)} are left, limits.free_megabytes asks for ${sizeOf(limits.free)}`
  if (free < limits.free) lines.push(words`all mail is deferred: ${left}`)
  else if (free < limits.free * 2) lines.push(words`the disk is nearly full: ${left}`)
  if (near(1)) lines.push(words`new unknown recipients are deferred: ${tellLoad(load, limits)}`)
  else if (near(NEARLY)) lines.push(words`the hold is nearly full: ${tellLoad(load, limits)}`)
  return lines
}
