/**
 * Plain: the address rules of the design a second time, for comparison with lib/mail/address.ts. Read one character at a
 * time and without its patterns or its converter, so that both are not wrong in the same way.
 */

/**
 * What a text is: `perhaps` where it depends on Unicode's tables whether an internationalised label may be
 * registered. If it is plain, then with this key and no other. What is not may still surely be mail to a domain, and known
 * by an exact rule; `sure` is whether Unicode's tables are not asked for that.
 */
export type Reading =
  | { verdict: 'plain' | 'perhaps'; local: string; domain: string; key: string }
  | { verdict: 'not plain'; odd?: { domain: string; key?: string; sure: boolean } }

const NOT_PLAIN: Reading = { verdict: 'not plain' }
const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const DIGITS = '0123456789'
/** RFC 5322's atext without `%` and `!`, which route. */
const ATEXT = `${LOWER}${UPPER}${DIGITS}#$&'*+-/=?^_\`{|}~`
const LDH = `${LOWER}${UPPER}${DIGITS}-`
/** What Postfix takes in a host name (valid_hostname.c). */
const HOST = `${LDH}_`

/** First and last code points of what has no place in a domain: blanks, controls, what cannot be seen, other dots. */
const NEVER: [number, number][] = [
  [0x80, 0xa0], // C1 and the no-break space
  [0xad, 0xad], // soft hyphen
  [0x61c, 0x61c],
  [0x1680, 0x1680],
  [0x180e, 0x180e],
  [0x2000, 0x200f], // blanks, zero widths, direction marks
  [0x2028, 0x202f],
  [0x205f, 0x206f],
  [0x3000, 0x3002],
  [0xd800, 0xdfff], // lone surrogates
  [0xe000, 0xf8ff], // private use
  [0xfeff, 0xfeff],
  [0xff00, 0xff9f], // fullwidth and halfwidth forms, the dot among them
  [0xfff0, 0xffff], // U+FFFD: bytes that were lost
  [0xe0000, 0xe01ef], // tags and variation selectors
]

/** ASCII lower case, letter by letter. */
export function lower(text: string): string {
  let folded = ''
  for (const unit of text.split('')) {
    const at = UPPER.indexOf(unit)
    folded += at < 0 ? unit : LOWER.charAt(at)
  }
  return folded
}

function isAllOf(text: string, alphabet: string): boolean {
  for (const character of text) if (!alphabet.includes(character)) return false
  return true
}

function isNever(codePoint: number): boolean {
  return NEVER.some(([first, last]) => first <= codePoint && codePoint <= last)
}

function codePoints(text: string): number[] {
  return [...text].map((character) => character.codePointAt(0) ?? 0)
}

/** Bias adaptation (RFC 3492, 6.1). */
function adapt(delta: number, count: number, first: boolean): number {
  let rest = first ? Math.floor(delta / 700) : Math.floor(delta / 2)
  rest += Math.floor(rest / count)
  let k = 0
  for (; rest > 455; k += 36) rest = Math.floor(rest / 35)
  return k + Math.floor((36 * rest) / (rest + 38))
}

function threshold(k: number, bias: number): number {
  return Math.min(26, Math.max(1, k - bias))
}

/** Punycode (RFC 3492, 6.3). */
export function toPunycode(label: string): string {
  const input = codePoints(label)
  let output = input
    .filter((point) => point < 0x80)
    .map((point) => String.fromCharCode(point))
    .join('')
  const basic = output.length
  if (basic > 0) output += '-'
  let next = 0x80
  let delta = 0
  let bias = 72
  for (let handled = basic; handled < input.length; ) {
    const least = Math.min(...input.filter((point) => point >= next))
    delta += (least - next) * (handled + 1)
    next = least
    for (const point of input) {
      if (point < next) delta++
      if (point !== next) continue
      let q = delta
      for (let k = 36; ; k += 36) {
        const t = threshold(k, bias)
        if (q < t) break
        output += `${LOWER}${DIGITS}`.charAt(t + ((q - t) % (36 - t)))
        q = Math.floor((q - t) / (36 - t))
      }
      output += `${LOWER}${DIGITS}`.charAt(q)
      bias = adapt(delta, handled + 1, handled === basic)
      delta = 0
      handled++
    }
    delta++
    next++
  }
  return output
}

/** The text that a Punycode of lower case stands for (RFC 3492, 6.2), or undefined. */
export function fromPunycode(code: string): string | undefined {
  const hyphen = code.lastIndexOf('-')
  const output = codePoints(hyphen > 0 ? code.slice(0, hyphen) : '')
  let next = 0x80
  let i = 0
  let bias = 72
  for (let at = hyphen > 0 ? hyphen + 1 : 0; at < code.length; ) {
    const before = i
    let weight = 1
    for (let k = 36; ; k += 36) {
      const digit = `${LOWER}${DIGITS}`.indexOf(code.charAt(at))
      if (at >= code.length || digit < 0) return undefined
      at++
      i += digit * weight
      const t = threshold(k, bias)
      if (digit < t) break
      weight *= 36 - t
    }
    const count = output.length + 1
    bias = adapt(i - before, count, before === 0)
    next += Math.floor(i / count)
    i %= count
    if (next > 0x10ffff) return undefined
    output.splice(i, 0, next)
    i++
  }
  return String.fromCodePoint(...output)
}

/** Whether a label of more than ASCII could be registered, as far as this file can tell. */
function couldBeULabel(label: string): boolean {
  if (label.normalize('NFC') !== label) return false
  return codePoints(label).every((point) =>
    point < 0x80 ? LDH.includes(String.fromCharCode(point)) : !isNever(point),
  )
}

/** A label folded and as an A-label, and whether Unicode's tables have to be asked; undefined if it is no host name's. */
function readLabel(label: string): { ascii: string; sure: boolean } | undefined {
  const folded = lower(label)
  let ascii = folded
  let sure = true
  if (codePoints(folded).some((point) => point >= 0x80)) {
    if (!couldBeULabel(folded)) return undefined
    ascii = `xn--${toPunycode(folded)}`
    sure = false
  } else if (folded.startsWith('xn--')) {
    const unicode = fromPunycode(folded.slice(4))
    if (unicode === undefined || codePoints(unicode).every((point) => point < 0x80)) return undefined
    if (!couldBeULabel(unicode) || `xn--${toPunycode(unicode)}` !== folded) return undefined
    sure = false
  }
  if (ascii.length < 1 || ascii.length > 63) return undefined
  if (ascii.startsWith('-') || ascii.endsWith('-')) return undefined
  if (!isAllOf(ascii, sure ? HOST : LDH)) return undefined
  return { ascii, sure }
}

function isDotAtom(local: string): boolean {
  let atStart = true
  for (const character of local) {
    if (character === '.' ? atStart : !ATEXT.includes(character)) return false
    atStart = character === '.'
  }
  return !atStart
}

/** A domain as A-labels, and whether Unicode's tables have to be asked; undefined if it is no host name. */
function readDomain(text: string, single: readonly string[]): { domain: string; sure: boolean } | undefined {
  const labels = text.split('.').map(readLabel)
  const known = labels.filter((label) => label !== undefined)
  const last = known.at(-1)
  if (known.length < labels.length || last === undefined || isAllOf(last.ascii, DIGITS)) return undefined
  const domain = known.map(({ ascii }) => ascii).join('.')
  if (known.length < 2 && !single.includes(domain)) return undefined
  return { domain, sure: known.every(({ sure }) => sure) }
}

/** What is not plain for its local part alone, and surely mail to its domain. */
function readOdd(text: string, single: readonly string[]): Reading {
  const at = text.lastIndexOf('@')
  const domain = at < 0 ? undefined : readDomain(text.slice(at + 1), single)
  if (domain === undefined || Buffer.byteLength(text) > 254) return NOT_PLAIN
  const given = text.slice(0, at)
  const quoted = given.length > 2 && given.startsWith('"') && given.endsWith('"')
  const local = quoted ? given.slice(1, -1) : given
  if (local === '' || local.startsWith('-') || (quoted && isDotAtom(local))) return NOT_PLAIN
  if (isAllOf(local, `${ATEXT}.`)) {
    const key = `${lower(local)}@${domain.domain}`
    return key.length > 254 ? NOT_PLAIN : { verdict: 'not plain', odd: { ...domain, key } }
  }
  // Letters of any script, each an atom's character; whether one is a letter is for Unicode's tables to say.
  const letters = [...local].map((character) => ((character.codePointAt(0) ?? 0) < 0x80 ? character : 'x'))
  const seen = codePoints(local).every((point) => point < 0x80 || !isNever(point) || point >= 0xff00)
  if (quoted || !seen || !isDotAtom(letters.join(''))) return NOT_PLAIN
  return { verdict: 'not plain', odd: { domain: domain.domain, sure: false } }
}

/**
 * What the design says of a text.
 * @param single domains of one label that are the company's own
 */
export function readAddress(text: string, single: readonly string[] = []): Reading {
  const at = text.indexOf('@')
  if (at < 0) return NOT_PLAIN
  const local = text.slice(0, at)
  if (!isDotAtom(local) || local.startsWith('-')) return readOdd(text, single)
  const domain = readDomain(text.slice(at + 1), single)
  if (domain === undefined) return NOT_PLAIN
  const key = `${lower(local)}@${domain.domain}`
  if (Buffer.byteLength(text) > 254 || key.length > 254) return NOT_PLAIN
  return { verdict: domain.sure ? 'plain' : 'perhaps', local: lower(local), domain: domain.domain, key }
}
