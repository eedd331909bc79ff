/**
 * Addresses: the one strict parser for decisions. Pure.
 *
 * A plain address is an ASCII dot-atom, an `@` and a host name of two labels or more (RFC 5321, 4.1.2,
 * without quotes, literals and source routes). Everything else has a fault and is never let out on its
 * own, whatever its domain: Postfix resolves `victim%ext.com@ours` to ext.com (contract of resolve.c).
 */
import { domainToASCII, domainToUnicode } from 'node:url'

/** Why an address is not plain: a closed set, each with a test that names it. */
export type Fault =
  | 'empty'
  | 'no domain'
  | 'undecodable bytes'
  | 'control character'
  | 'blank'
  | 'quoted'
  | 'second @'
  | 'percent or bang routing'
  | 'leading hyphen'
  | 'local part is not a dot-atom'
  | 'local part is not ASCII'
  | 'too long'
  | 'address literal'
  | 'domain is not a host name'
  | 'single-label domain'
  | 'numeric top-level domain'
  | 'internationalised domain does not round-trip'

export interface PlainAddress {
  plain: true
  /** Folded local part (ASCII lower case only: RFC 4343 for names, and the design for local parts). */
  local: string
  /** Folded domain as A-labels (RFC 5890). */
  domain: string
  /** `local@domain`, the key of an address rule. */
  key: string
}

export type Address = PlainAddress | { plain: false; fault: Fault }

const MAX_LOCAL = 64
const MAX_ADDRESS = 254
const MAX_DOMAIN = 253
const ATEXT = "[a-z0-9#$&'*+\\-/=?^_`{|}~]+"
const DOT_ATOM = `${ATEXT}(?:\\.${ATEXT})*`
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const IS_DOT_ATOM = new RegExp(`^${DOT_ATOM}$`)
const IS_LABEL = new RegExp(`^${LABEL}$`)
/**
 * What nearly every address is: plain, folded already and without an A-label. The long way below says the same of it,
 * and compiles nine expressions for that.
 */
const IS_PLAIN = new RegExp(`^(?!-)${DOT_ATOM}@(?:${LABEL}\\.)+(?![0-9]+$)${LABEL}$`)

/** ASCII lower case, and nothing else: never a locale's or Unicode's folding (the Turkish i, the Kelvin sign). */
export function foldAscii(text: string): string {
  // Of ASCII alone toLowerCase() makes the same, and needs no expression to be compiled.
  return isAscii(text) ? text.toLowerCase() : text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

function fault(fault: Fault): { plain: false; fault: Fault } {
  return { plain: false, fault }
}

/** The address as rules see it, or the first fault found. The given text itself is what is sent on. */
export function parseAddress(text: string): Address {
  if (text === '') return fault('empty')
  if (text.length <= MAX_ADDRESS && IS_PLAIN.test(text) && !text.includes('xn--')) {
    const at = text.indexOf('@')
    if (at <= MAX_LOCAL)
      return { plain: true, local: text.slice(0, at), domain: text.slice(at + 1), key: text }
  }
  // Unicode's properties cost a millisecond to look up for the first time; most addresses are printable ASCII.
  const exotic = /[^\x21-\x7e]/.test(text)
  if (exotic && text.includes('\u{fffd}')) return fault('undecodable bytes')
  if (exotic && /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text)) return fault('control character')
  if (/["\\]/.test(text)) return fault('quoted')
  if (exotic && /\p{Zs}/u.test(text)) return fault('blank')
  const at = text.lastIndexOf('@')
  if (at < 0) return fault('no domain')
  const local = foldAscii(text.slice(0, at))
  if (local.includes('@')) return fault('second @')
  if (/[%!]/.test(local)) return fault('percent or bang routing')
  if (text.startsWith('-')) return fault('leading hyphen')
  if (/[^\x21-\x7e]/.test(local)) return fault('local part is not ASCII')
  if (!IS_DOT_ATOM.test(local)) return fault('local part is not a dot-atom')
  const domain = parseDomain(text.slice(at + 1))
  if (!domain.plain) return domain
  const bytes = exotic ? Buffer.byteLength(text) : text.length
  if (local.length > MAX_LOCAL || bytes > MAX_ADDRESS) return fault('too long')
  const key = `${local}@${domain.domain}`
  if (key.length > MAX_ADDRESS) return fault('too long')
  return { plain: true, local, domain: domain.domain, key }
}

export type Domain = { plain: true; domain: string } | { plain: false; fault: Fault }

/** By its prefix (RFC 5890, 2.3.2.1). */
function isALabel(label: string): boolean {
  return label.startsWith('xn--')
}

/** A domain folded and as A-labels, or its fault. An internationalised one must survive the round trip exactly. */
export function parseDomain(text: string): Domain {
  const folded = foldAscii(text)
  if (folded === '') return fault('no domain')
  if (folded.startsWith('[')) return fault('address literal')
  let ascii = folded
  if (/[^\x21-\x7e]/.test(folded)) {
    // The converter would quietly decode `%2e` and cut at `/`: what may stand in a U-label, and nothing else.
    const isULabel = (label: string): boolean => /^[a-z0-9\-\p{L}\p{M}\p{N}\u{b7}\u{30fb}]+$/u.test(label)
    if (!folded.split('.').every(isULabel)) return fault('domain is not a host name')
    ascii = domainToASCII(folded)
    if (ascii === '' || domainToUnicode(ascii) !== folded) {
      return fault('internationalised domain does not round-trip')
    }
  }
  const labels = ascii.split('.')
  if (!labels.every((label) => IS_LABEL.test(label))) return fault('domain is not a host name')
  if (ascii.length > MAX_DOMAIN) return fault('too long')
  if (labels.length < 2) return fault('single-label domain')
  if (/^[0-9]+$/.test(labels.at(-1) ?? '')) return fault('numeric top-level domain')
  // A forged A-label (one that encodes plain ASCII, or nothing) must not stand beside the name it imitates. Node 24 and newer give
  // back what is no A-label as it is.
  if (labels.some(isALabel)) {
    const unicode = domainToUnicode(ascii)
    if (domainToASCII(unicode) !== ascii || unicode.split('.').some(isALabel))
      return fault('internationalised domain does not round-trip')
  }
  return { plain: true, domain: ascii }
}

/** The domains above `domain`, nearest first, down to two labels: `a.b.c.d` gives `b.c.d`, `c.d`. */
export function parentDomains(domain: string): string[] {
  const labels = domain.split('.')
  const parents: string[] = []
  for (let i = 1; i <= labels.length - 2; i++) parents.push(labels.slice(i).join('.'))
  return parents
}

const ATOM = "[A-Za-z0-9!#$%&'*+\\-/=?^_`{|}~\\u{80}-\\u{10ffff}]+"
const MAILBOX = new RegExp(
  `^(?:${ATOM}(?:\\.${ATOM})*|"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\u{80}-\\u{10ffff}]|\\\\[\\x20-\\x7e])*")` +
    `@(?:[A-Za-z0-9\\-_\\u{80}-\\u{10ffff}]+(?:\\.[A-Za-z0-9\\-_\\u{80}-\\u{10ffff}]+)*|\\[[A-Za-z0-9.:\\-]+\\])$`,
  'u',
)

/**
 * Whether an address can stand between `<` and `>` of an SMTP command as it is (RFC 5321 Mailbox, RFC 6531).
 * Wider than plain: what a person releases may be quoted. What fails could end the command early, or has
 * already lost bytes on its way here, and is never sent.
 */
export function isSendable(text: string): boolean {
  if (parseAddress(text).plain) return true
  return !/[\u{fffd}\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text) && MAILBOX.test(text)
}

/** Whether every character is ASCII; otherwise the transaction needs SMTPUTF8 (RFC 6531). */
export function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text)
}
