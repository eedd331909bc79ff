/** What may be shown: text from mail made safe for terminals and notices. Pure. */

/**
 * The text with every character that could steer a terminal, turn the reading direction or hide written as its
 * code point: `\u{202e}`.
 */
export function visible(text: string): string {
  // Unicode's properties take time to look up, and most texts are printable ASCII.
  if (!/[^\x20-\x7e]/.test(text)) return text
  // Controls, line separators, bidirectional and zero-width marks, lone surrogates; then blanks that have no ink
  // (Hangul fillers) and variation selectors. An alternation, because some of them combine with their neighbours.
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]|\u{034f}|\u{115f}|\u{1160}|\u{17b4}|\u{17b5}|[\u{180b}-\u{180f}]|\u{2800}|\u{3164}|[\u{fe00}-\u{fe0f}]|\u{ffa0}|[\u{e0100}-\u{e01ef}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

/** Bytes for people: `0.9k`, `25M`; three digits at most. */
export function shortSize(bytes: number): string {
  let value = bytes
  for (const unit of ['', 'k', 'M', 'G']) {
    if (value < 999.5 || unit === 'G') {
      return unit === '' ? `${value}` : `${value < 9.95 ? value.toFixed(1) : Math.round(value)}${unit}`
    }
    value /= 1024
  }
  return ''
}

/** Milliseconds as one unit: `40s`, `5m`, `3h`, `12d`. */
export function shortAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86400)}d`
}

/** A point in time, local zone, as `2026-11-24 08:12`. */
export function localTime(milliseconds: number): string {
  const date = new Date(milliseconds)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** The day of a point in time, local zone, as `2026-11-24`. */
export function localDay(milliseconds: number): string {
  return localTime(milliseconds).slice(0, 10)
}

/** What a wall clock shows at a point in time, local zone, as milliseconds as if it were UTC: as mail logs are read. */
export function wallClock(milliseconds: number): number {
  return milliseconds - new Date(milliseconds).getTimezoneOffset() * 60_000
}
