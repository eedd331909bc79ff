/** Terms: points and lengths of time as people write them, `2026-12-31` and `30d`. Pure. */
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { words } from './translate.js'

const UNITS: Record<string, number> = { h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 }

/** A length of time such as `12h`, `30d`, `2w`, `1y`, in milliseconds; or undefined. */
function parseLength(text: string): number | undefined {
  const [, count, unit = ''] = /^([1-9][0-9]{0,4})([hdwy])$/.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * (UNITS[unit] ?? 0)
}

/** The first instant of a day in the local zone, or undefined where the calendar has no such day. */
function parseDay(text: string): Date | undefined {
  const [, year, month, day] = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(text) ?? []
  if (year === undefined) return undefined
  const date = new Date(Number(year), Number(month) - 1, Number(day))
  return date.getMonth() === Number(month) - 1 && date.getDate() === Number(day) ? date : undefined
}

function misuse(option: string, text: string, why: string): Failure {
  return new Failure(option, why, { at: JSON.stringify(text), status: EXIT.usage })
}

/**
 * When a rule is to end: after the day that is named, or so long from now.
 * @returns milliseconds since 1970
 * @throws Failure (2) where it is neither, or lies in the past
 */
export function parseEnd(option: string, text: string, now: number): number {
  const length = parseLength(text)
  if (length !== undefined) return now + length
  const day = parseDay(text)
  if (day === undefined) throw misuse(option, text, words`it is no date as 2026-12-31 and no time as 30d`)
  const end = new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime() - 1
  if (end <= now) throw misuse(option, text, words`that day has passed`)
  return end
}

/**
 * A point in the past: the begin of a day, or so long ago.
 * @returns milliseconds since 1970
 * @throws Failure (2)
 */
export function parseSince(option: string, text: string, now: number): number {
  const length = parseLength(text)
  if (length !== undefined) return now - length
  const day = parseDay(text)
  if (day === undefined) throw misuse(option, text, words`it is no date as 2026-12-31 and no time as 30d`)
  return day.getTime()
}

/**
 * An instant in the form of RFC 3339, `2026-12-31T22:59:59.999Z`, as exports have it; six digits and a sign for years
 * beyond 9999, as ECMAScript writes them.
 * @returns milliseconds since 1970, or undefined where it is none
 */
export function parseInstant(text: string): number | undefined {
  const [, year, month, day] =
    /^([+-][0-9]{6}|[0-9]{4})-([0-9]{2})-([0-9]{2})T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})$/.exec(
      text,
    ) ?? []
  const time = Date.parse(text)
  if (year === undefined || Number.isNaN(time)) return undefined
  // Date.parse takes the 30th of February for the 2nd of March.
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) ? time : undefined
}
