/** Timekeeping: whether the clock can be believed before something ends by it. Pure; times in milliseconds. */

/** A moment by two clocks: one that can be set, and one that cannot. */
export interface Moment {
  /** Since 1970. */
  at: number
  /** Which boot of the machine this is (random(4), boot_id); empty where that cannot be told. */
  boot: string
  /** Since that boot, sleep included (clock_gettime(2), CLOCK_BOOTTIME). */
  uptime: number
}

const HOUR_MS = 3_600_000
/** Cleanup runs once a day at the least, and timers are not exact: further than this the clock has jumped, or stood. */
export const JUMP_MS = 25 * HOUR_MS
/** By how much the two clocks may differ within one boot: more is no drift. */
export const DRIFT_MS = HOUR_MS
/** For so long a doubt has to stand, by the clock that cannot be set. */
export const CONFIRM_MS = HOUR_MS
/** The same where the system itself says that its clock is not synchronised. */
export const CONFIRM_UNKEPT_MS = 24 * HOUR_MS
/** After another boot a doubt is one no longer than this: once a week still settles it. */
export const DOUBT_MS = 8 * 24 * HOUR_MS

/** What a cleanup leaves for the next. */
export interface Timekeeping {
  /** The last run that believed its clock. */
  last: Moment
  /** The first later run that did not believe it, or null. */
  doubted: Moment | null
  /** Ids of messages that were due then and could not be ended. */
  kept: string[]
}

function isSameBoot(one: Moment, other: Moment): boolean {
  return one.boot !== '' && one.boot === other.boot
}

/** By how much the clock was set between two moments of one boot. */
function setBy(earlier: Moment, now: Moment): number {
  return Math.abs(now.at - earlier.at - (now.uptime - earlier.uptime))
}

/** Whether what a run doubted is still so: the clock was not set again since. */
function stands(doubted: Moment, now: Moment): boolean {
  if (isSameBoot(doubted, now)) return setBy(doubted, now) <= DRIFT_MS
  return now.at >= doubted.at && now.at - doubted.at <= DOUBT_MS
}

/**
 * Whether a run may end things by its clock: it has gone on since the last run as it should, in either direction, or has stood
 * where it is now for an hour that was not measured by itself.
 * @param isKept whether the system says that its clock is synchronised; undefined where it does not say
 */
export function believes({ last, doubted }: Timekeeping, now: Moment, isKept: boolean | undefined): boolean {
  if (isSameBoot(last, now) ? setBy(last, now) <= DRIFT_MS : Math.abs(now.at - last.at) <= JUMP_MS)
    return true
  if (doubted === null || !stands(doubted, now)) return false
  const stood = isSameBoot(doubted, now) ? now.uptime - doubted.uptime : now.uptime
  return stood >= (isKept === false ? CONFIRM_UNKEPT_MS : CONFIRM_MS)
}

/** The doubt that a run which does not believe its clock leaves: the first one, as long as the clock stands as it did then. */
export function doubtOf({ doubted }: Timekeeping, now: Moment): Moment {
  return doubted !== null && stands(doubted, now) ? doubted : now
}

/** A moment as it was written; a number is what earlier versions have left. */
function readMoment(value: unknown): Moment | undefined {
  if (typeof value === 'number') return { at: value, boot: '', uptime: 0 }
  const { at, boot, uptime } = (value ?? {}) as Partial<Moment>
  if (typeof at !== 'number' || typeof boot !== 'string' || typeof uptime !== 'number') return undefined
  return { at, boot, uptime }
}

/** The record that an earlier run has left; undefined where there is none, or none that can be read. */
export function readTimekeeping(text: string | undefined): Timekeeping | undefined {
  try {
    const { last, doubted, kept } = JSON.parse(text ?? '') as Record<string, unknown>
    const moment = readMoment(last)
    if (moment === undefined) return undefined
    return {
      last: moment,
      // Without its boot nobody knows how long it has stood.
      doubted: typeof doubted === 'number' ? null : (readMoment(doubted) ?? null),
      kept: Array.isArray(kept) ? kept.filter((id) => typeof id === 'string') : [],
    }
  } catch {
    return undefined
  }
}
