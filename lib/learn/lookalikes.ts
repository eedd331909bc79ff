/** Look-alikes: which candidates a person should look at because a forger would have chosen such a name. Pure. */

import { splitDomain } from '../mail/publicsuffix.js'
import { KnownDomains, type NearMiss } from '../nearmiss/nearmiss.js'

/** A forged name is written to by a few people, and less than the one it stands for. */
const FEW_SENDERS = 3
const RARER = 2
/** Who is written to by many is marked only beside a giant. */
const MUCH_RARER = 10
/** Two letters apart: shorter names are so by chance. */
const LONG_LABEL = 10

/** Whether a forger makes such a name of the other one; nearness alone has too many names beside one another. */
function isForgers(domain: string, { value, likeness }: NearMiss): boolean {
  const own = splitDomain(domain)
  const other = splitDomain(value)
  // Below one name that somebody registered everything is his.
  if (own.label === other.label && own.suffix === other.suffix) return false
  if (likeness === 'edit distance 2') return other.label.length >= LONG_LABEL
  if (likeness !== 'added or moved label') return true
  // The whole name among the words: lenoir-paris, lenoir.invoices; not the end of some longer word.
  const words = new Set(domain.split(/[.-]/))
  return other.label.split('-').every((word) => words.has(word))
}

export class Lookalikes {
  readonly #messages: ReadonlyMap<string, number>
  readonly #known: ReadonlySet<string>
  readonly #landmarks: KnownDomains
  readonly #near = new Map<string, NearMiss[]>()

  /**
   * @param known domains of rules, and the company's own: whatever looks like them is marked, however much it is used
   * @param messages how many messages went to each domain of the log
   */
  constructor(known: Iterable<string>, messages: ReadonlyMap<string, number>) {
    this.#messages = messages
    this.#known = new Set(known)
    // One message makes nobody worth a forgery, and a forger's own names do not hide the one they are made after.
    const used = [...messages].filter(([, count]) => count >= RARER).map(([domain]) => domain)
    const all = new Set([...this.#known, ...used])
    this.#landmarks = new KnownDomains([...all].map((value) => ({ value, kind: 'domain' })))
  }

  /** What a domain that so many messages of so many senders went to could be taken for; strongest likeness first. */
  of(domain: string, messages: number, senders: number): string[] {
    const least = messages * (senders <= FEW_SENDERS ? RARER : MUCH_RARER)
    return this.#nearestTo(domain)
      .filter(({ value }) => this.#known.has(value) || (this.#messages.get(value) ?? 0) >= least)
      .map(({ value }) => value)
  }

  #nearestTo(domain: string): NearMiss[] {
    let near = this.#near.get(domain)
    if (near === undefined) {
      near = this.#landmarks.near(`x@${domain}`).filter((miss) => isForgers(domain, miss))
      this.#near.set(domain, near)
    }
    return near
  }
}
