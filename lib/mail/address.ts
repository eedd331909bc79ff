/**
 * Addresses: the one strict parser for decisions. Pure.
 *
 * A plain address is an ASCII dot-atom, an `@` and a host name of two labels or more (RFC 5321, 4.1.2,
 * without quotes, literals and source routes). Everything else has a fault and is never let out for its
 * domain's sake: Postfix resolves `victim%ext.com@ours` to ext.com (contract of resolve.c).
 *
 * Host names may have underscores, as Postfix takes them, and local parts any length: RFC 5321, 4.5.3.1, asks for no limit
 * where none is needed, and what services have people answer to (`reply+` and ninety characters) is longer than its 64.
 */
import { domainToASCII, domainToUnicode } from 'node:url'

/** Why an address is not plain: a closed set, each with a test that names it. */
export type AddressFault =
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

/** Odd for its dots alone, as mobile operators in Japan gave addresses out: `try..this@` and `"try..this"@` are one. */
export interface DottedAddress {
  plain: false
  fault: AddressFault
  domain: string
  /** `local@domain`, without quotes, folded: what an address rule may know it by, and no other rule. */
  key: string
}

export interface OddAddress {
  plain: false
  fault: AddressFault
  /** The domain it is surely mail to: nothing in its local part could make Postfix look for another. */
  domain?: string
  key?: undefined
}

export type Address = PlainAddress | DottedAddress | OddAddress

const MAX_ADDRESS = 254
const MAX_DOMAIN = 253
const ATEXT = "[a-z0-9#$&'*+\\-/=?^_`{|}~]+"
const DOT_ATOM = `${ATEXT}(?:\\.${ATEXT})*`
const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const IS_DOT_ATOM = new RegExp(`^${DOT_ATOM}$`)
/** Atext and dots, and no leading hyphen, which is an option to some program somewhere. */
const IS_DOTTED = /^(?!-)[a-z0-9#$&'*+\-/=?^_`{|}~.]+$/
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

const NONE: ReadonlySet<string> = new Set()

function fault(fault: AddressFault): { plain: false; fault: AddressFault } {
  return { plain: false, fault }
}

/** What is no plain address for its local part, with what can be said of it all the same. */
function odd(
  fault: AddressFault,
  text: string,
  domainText: string,
  key: (domain: string) => string | undefined,
  single: ReadonlySet<string>,
): DottedAddress | OddAddress {
  const parsed = parseDomain(domainText, single)
  if (!parsed.plain || Buffer.byteLength(text) > MAX_ADDRESS) return { plain: false, fault }
  const { domain } = parsed
  const known = key(domain)
  if (known === undefined) return { plain: false, fault, domain }
  return known.length > MAX_ADDRESS ? { plain: false, fault } : { plain: false, fault, domain, key: known }
}

/**
 * Whether a local part of more than ASCII is of letters, marks and numbers that can be seen, beside atext. To Postfix they are
 * bytes like others, so it is nobody's but its domain's.
 */
function isOfLetters(local: string): boolean {
  const atoms =
    /^[a-z0-9#$&'*+\-/=?^_`{|}~\p{L}\p{M}\p{N}]+(?:\.[a-z0-9#$&'*+\-/=?^_`{|}~\p{L}\p{M}\p{N}]+)*$/u
  return atoms.test(local) && !/\p{Default_Ignorable_Code_Point}/u.test(local)
}

/**
 * The address as rules see it, or the first fault found. The given text itself is what is sent on.
 * @param single domains of one label that count: the company's own. Nobody else's name ends in its first label.
 */
export function parseAddress(text: string, single = NONE): Address {
  if (text === '') return fault('empty')
  if (text.length <= MAX_ADDRESS && IS_PLAIN.test(text) && !text.includes('xn--')) {
    const at = text.indexOf('@')
    return { plain: true, local: text.slice(0, at), domain: text.slice(at + 1), key: text }
  }
  // Unicode's properties cost a millisecond to look up for the first time; most addresses are printable ASCII.
  const exotic = /[^\x21-\x7e]/.test(text)
  if (exotic && text.includes('\u{fffd}')) return fault('undecodable bytes')
  if (exotic && /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text)) return fault('control character')
  if (/["\\]/.test(text)) {
    const [, quoted = '', domain = ''] = /^"([^"\\]*)"@([^"\\@]*)$/.exec(text) ?? []
    const inner = foldAscii(quoted)
    // Postfix itself quotes no dot-atom, so one in quotes was not resolved by it.
    if (!IS_DOTTED.test(inner) || IS_DOT_ATOM.test(inner)) return fault('quoted')
    return odd('quoted', text, domain, (at) => `${inner}@${at}`, single)
  }
  if (exotic && /\p{Zs}/u.test(text)) return fault('blank')
  const at = text.lastIndexOf('@')
  if (at < 0) return fault('no domain')
  const local = foldAscii(text.slice(0, at))
  if (local.includes('@')) return fault('second @')
  if (/[%!]/.test(local)) return fault('percent or bang routing')
  if (text.startsWith('-')) return fault('leading hyphen')
  const domainText = text.slice(at + 1)
  if (/[^\x21-\x7e]/.test(local)) {
    const why = 'local part is not ASCII'
    return isOfLetters(local) ? odd(why, text, domainText, () => undefined, single) : fault(why)
  }
  if (!IS_DOT_ATOM.test(local)) {
    const why = 'local part is not a dot-atom'
    return IS_DOTTED.test(local)
      ? odd(why, text, domainText, (domain) => `${local}@${domain}`, single)
      : fault(why)
  }
  const domain = parseDomain(domainText, single)
  if (!domain.plain) return domain
  const bytes = exotic ? Buffer.byteLength(text) : text.length
  const key = `${local}@${domain.domain}`
  if (bytes > MAX_ADDRESS || key.length > MAX_ADDRESS) return fault('too long')
  return { plain: true, local, domain: domain.domain, key }
}

export type Domain = { plain: true; domain: string } | { plain: false; fault: AddressFault }

/** By its prefix (RFC 5890, 2.3.2.1). */
function isALabel(label: string): boolean {
  return label.startsWith('xn--')
}

/** What may stand in a label of a name that is given with more than ASCII: a U-label, or one of ASCII beside it. */
function isWrittenLabel(label: string): boolean {
  return isAscii(label)
    ? /^[a-z0-9_-]*$/.test(label)
    : /^[a-z0-9\-\p{L}\p{M}\p{N}\u{b7}\u{30fb}]+$/u.test(label)
}

/** A domain of the company's own: as {@link parseDomain}, and one label will do. */
export function parseOwnDomain(text: string): Domain {
  return parseDomain(text, new Set([foldAscii(text)]))
}

/**
 * A domain folded and as A-labels, or its fault. An internationalised one must survive the round trip exactly.
 * @param single domains of one label that count
 */
export function parseDomain(text: string, single = NONE): Domain {
  const folded = foldAscii(text)
  if (folded === '') return fault('no domain')
  if (folded.startsWith('[')) return fault('address literal')
  let ascii = folded
  if (/[^\x21-\x7e]/.test(folded)) {
    // The converter would quietly decode `%2e` and cut at `/`.
    if (!folded.split('.').every(isWrittenLabel)) return fault('domain is not a host name')
    ascii = domainToASCII(folded)
    if (ascii === '' || domainToUnicode(ascii) !== folded) {
      return fault('internationalised domain does not round-trip')
    }
  }
  const labels = ascii.split('.')
  if (!labels.every((label) => IS_LABEL.test(label))) return fault('domain is not a host name')
  if (ascii.length > MAX_DOMAIN) return fault('too long')
  if (labels.length < 2 && !single.has(ascii)) return fault('single-label domain')
  if (/^[0-9]+$/.test(labels.at(-1) ?? '')) return fault('numeric top-level domain')
  // A forged A-label (one that encodes plain ASCII, or nothing) must not stand beside the name it imitates. Node 24 and newer give
  // back what is no A-label as it is.
  if (labels.some(isALabel)) {
    const unicode = domainToUnicode(ascii)
    const written = unicode.split('.')
    if (domainToASCII(unicode) !== ascii || written.some(isALabel) || !written.every(isWrittenLabel))
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
  // Two dots in a row stand in no Mailbox, and every server takes them. Whose domain it is makes no difference here.
  const single = new Set([foldAscii(text.slice(text.lastIndexOf('@') + 1))])
  if (parseAddress(text, single).key !== undefined) return true
  return !/[\u{fffd}\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text) && MAILBOX.test(text)
}

/** Whether every character is ASCII; otherwise the transaction needs SMTPUTF8 (RFC 6531). */
export function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text)
}
