/** Timekeeping: whether the clock can be believed before something ends by it. Pure; times in milliseconds since 1970. */

/** Cleanup runs once a day at the least, and timers are not exact: further than this the clock has jumped, or stood. */
export const JUMP_MS = 25 * 3_600_000
/** A second run this long after a doubt settles it: once a week still does. */
export const CONFIRM_MS = 8 * 86_400_000

/** What a cleanup leaves for the next. */
export interface Timekeeping {
  /** The time of the last run that believed its clock. */
  last: number
  /** The time a later run did not believe, or null. */
  doubted: number | null
  /** Ids of messages that were due then and could not be ended. */
  kept: string[]
}

/**
 * Whether a run may end things by its clock: it is about a day from the last run at the most, in either direction, or
 * the run before found it where it is now.
 */
export function believes({ last, doubted }: Timekeeping, now: number): boolean {
  if (Math.abs(now - last) <= JUMP_MS) return true
  return doubted !== null && now >= doubted && now - doubted <= CONFIRM_MS
}

/** The record that an earlier run has left; undefined where there is none, or none that can be read. */
export function readTimekeeping(text: string | undefined): Timekeeping | undefined {
  try {
    const { last, doubted, kept } = JSON.parse(text ?? '') as Partial<Timekeeping>
    if (typeof last !== 'number') return undefined
    return {
      last,
      doubted: typeof doubted === 'number' ? doubted : null,
      kept: Array.isArray(kept) ? kept.filter((id) => typeof id === 'string') : [],
    }
  } catch {
    return undefined
  }
}
