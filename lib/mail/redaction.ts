/** Redaction: a person's addresses found in texts, and the pseudonyms that stand in their place. Pure. */
import { foldAscii } from './address.js'

/** What stands before an address that is part of a longer one, and behind it. */
const BEFORE = '(?<![A-Za-z0-9.!#$%&*+/?^_`{|}~\\u0080-\\uffff-])'
const BEHIND = '(?![A-Za-z0-9_\\u0080-\\uffff-]|\\.[A-Za-z0-9])'

interface Named {
  domain: string
  pattern: RegExp
  pseudonym: string
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

/**
 * An address as texts have it: itself, as JSON writes it, and inside the envelope senders of lists and forwarders
 * (`list+jean=supplier.example@…`, and `…=supplier.example=jean@…` of SRS).
 */
function patternOf(local: string, domain: string): RegExp {
  const [name, host] = [literal(local), literal(domain)]
  const escaped = literal(JSON.stringify(local).slice(1, -1))
  const plain = escaped === name ? name : `(?:${name}|${escaped})`
  return new RegExp(
    `${BEFORE}${plain}@${host}${BEHIND}|(?<=[+=-])${plain}=${host}(?=@)|(?<==)${host}=${plain}(?=@)`,
    'gi',
  )
}

export class Redaction {
  readonly #named: readonly Named[]

  /** @param pseudonyms by address; case does not count */
  constructor(pseudonyms: ReadonlyMap<string, string>) {
    this.#named = [...pseudonyms].map(([address, pseudonym]) => {
      const at = address.lastIndexOf('@')
      const [local, domain] = [address.slice(0, at), address.slice(at + 1)]
      return { domain, pattern: patternOf(local, domain), pseudonym }
    })
  }

  /** Whether a text names one of them. */
  touches(text: string): boolean {
    return this.#named.some(({ pattern }) => text.search(pattern) >= 0)
  }

  /** The domains, folded: a text that has none of them names nobody. As JSON, for a query. */
  get domains(): string {
    return JSON.stringify([...new Set(this.#named.map(({ domain }) => foldAscii(domain)))])
  }

  /** The text with pseudonyms. */
  redact(text: string): string {
    return this.#named.reduce((rest, { pattern, pseudonym }) => rest.replace(pattern, () => pseudonym), text)
  }

  /** The same, and never longer than it was: a pseudonym that is longer than the address loses its beginning. */
  redactWithin(text: string): string {
    return this.#named.reduce(
      (rest, { pattern, pseudonym }) => rest.replace(pattern, (found) => pseudonym.slice(-found.length)),
      text,
    )
  }

  /** Every text in a value of JSON. @param within whether none may become longer */
  redactAll(value: unknown, within = false): unknown {
    if (typeof value === 'string') return within ? this.redactWithin(value) : this.redact(value)
    if (Array.isArray(value)) return value.map((one) => this.redactAll(one, within))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.redactAll(one, within)]))
  }
}
