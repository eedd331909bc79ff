/**
 * A moment as RFC 3339 has it, in UTC, for toeh-filter: the first Date of a process has V8 read the time zone, and that
 * costs a fiftieth of a run (bench/NOTES.md). Elsewhere Date is as good.
 */

const DAY_MS = 86_400_000
/** Days from 1 March of year 0 to 1 January 1970, and in 400 years of the Gregorian calendar. */
const EPOCH_DAYS = 719_468
const ERA_DAYS = 146_097

const two = (number: number): string => String(number).padStart(2, '0')

/**
 * `2026-11-24T14:58:04.303Z`. Years are counted from March, so that the leap day is the last of its year.
 * @param milliseconds since 1970, of the years 0 to 9999
 */
export function utcStamp(milliseconds: number): string {
  const days = Math.floor(milliseconds / DAY_MS)
  const rest = milliseconds - days * DAY_MS
  const era = Math.floor((days + EPOCH_DAYS) / ERA_DAYS)
  const dayOfEra = days + EPOCH_DAYS - era * ERA_DAYS
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  // From March on the months have 31 30 31 30 31 days, again and again.
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  const year = yearOfEra + era * 400 + (month < 3 ? 1 : 0)
  const time = [rest / 3_600_000, (rest / 60_000) % 60, (rest / 1000) % 60].map((part) =>
    two(Math.floor(part)),
  )
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
  return `${date}T${time.join(':')}.${String(rest % 1000).padStart(3, '0')}Z`
}
