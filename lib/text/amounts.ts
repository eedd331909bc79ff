/** Amounts: numbers, sizes and lengths of time as people read them in the language that was chosen. Pure. */

import { spoken } from './translate.js'
import { shortAge, shortSize } from './visible.js'

/** A number for people: `12,345`; `12 345` in French. */
export function grouped(value: number): string {
  return value.toLocaleString(spoken())
}

/** The text for one, or that for any other number; French takes none for one as well. */
export function counted(count: number, one: string, many: string): string {
  const isOne = spoken() === 'fr' ? count < 2 : count === 1
  return isOne ? one : many
}

/** Bytes: `0.9k`, `25M`; `0,9 ko`, `25 Mo` in French. */
export function sizeOf(bytes: number): string {
  const short = shortSize(bytes)
  if (spoken() !== 'fr') return short
  const [, value = '', unit = ''] = /^(.*?)([kMG]?)$/.exec(short) ?? []
  return `${value.replace('.', ',')}\u00a0${unit}o`
}

/** Milliseconds as one unit: `40s`, `5m`, `3h`, `12d`; `40 s`, `5 min`, `3 h`, `12 j` in French. */
export function ageOf(milliseconds: number): string {
  const short = shortAge(milliseconds)
  if (spoken() !== 'fr') return short
  const units: Record<string, string> = { s: 's', m: 'min', h: 'h', d: 'j' }
  return `${short.slice(0, -1)}\u00a0${units[short.slice(-1)] ?? ''}`
}

/** A part of a whole: `1.2 %`; `1,2 %` in French. */
export function shareOf(part: number, whole: number): string {
  const digits = whole === 0 ? 0 : 1
  const percent = whole === 0 ? 0 : (100 * part) / whole
  const text = percent.toLocaleString(spoken(), {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  return `${text} %`
}
