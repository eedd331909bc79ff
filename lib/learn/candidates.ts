/** Candidates: from mail that was delivered, the rules that a person may want. Pure; it proposes and adds nothing. */

import { type Attempt, isShortQueueId, ownText } from '../logs/maillog.js'
import { parseAddress } from '../mail/address.js'
import { DeliverySet } from '../mail/deliveryset.js'
import { isOwnSender, type People, senderOf } from '../mail/mailbox.js'
import { words } from '../text/translate.js'

const DAY_MS = 86_400_000

/** How a destination was used. */
interface Use {
  /** Distinct messages. */
  messages: number
  /** Messages of each day of the log's calendar; days since 1970. */
  days: Map<number, number>
  /** Numbers of senders. */
  senders: Set<number>
  /** Wall-clock milliseconds. */
  first: number
  last: number
}

interface DomainUse extends Use {
  addresses: Map<string, Use>
}

function note(use: Use, at: number, sender: number): void {
  use.messages++
  const day = Math.floor(at / DAY_MS)
  use.days.set(day, (use.days.get(day) ?? 0) + 1)
  use.senders.add(sender)
  if (at < use.first) use.first = at
  if (at > use.last) use.last = at
}

function unused(): Use {
  return { messages: 0, days: new Map(), senders: new Set(), first: Number.POSITIVE_INFINITY, last: 0 }
}

/** From how many addresses and senders on a domain may be doubted: below that a firm looks the same. */
const DOUBT_ADDRESSES = 12
const DOUBT_SENDERS = 6

/** The form of a local part: how its parts are joined, and whether figures stand in it. */
function formOf(address: string): string {
  const local = address.slice(0, address.lastIndexOf('@'))
  const joined = /^[^._-]{1,2}[._-]/.test(local) ? 'a.b' : (/[._-]/.exec(local)?.[0] ?? '')
  return `${joined}${/[0-9]/.test(local) ? '9' : ''}`
}

/**
 * Whether the log itself says that strangers to each other have their addresses at a domain: many of them, by no common
 * form, each written to by one person of his own, and hardly ever two in one message. Colleagues of a firm are written
 * to by the same people, and together.
 */
export function looksShared({
  addresses,
  senders,
  messages,
}: Pick<DomainUse, 'addresses' | 'senders' | 'messages'>): boolean {
  if (addresses.size < DOUBT_ADDRESSES || senders.size < DOUBT_SENDERS) return false
  const forms = new Map<string, number>()
  let single = 0
  let deliveries = 0
  for (const [key, use] of addresses) {
    forms.set(formOf(key), (forms.get(formOf(key)) ?? 0) + 1)
    if (use.senders.size === 1) single++
    deliveries += use.messages
  }
  const together = deliveries - messages
  return (
    single >= 0.85 * addresses.size &&
    together <= 0.03 * deliveries &&
    Math.max(...forms.values()) <= 0.6 * addresses.size
  )
}

/**
 * Counts deliveries, each (host, queue id, recipient) once: a file that is read twice adds nothing. A short queue id
 * comes back for other messages, so there the day counts as well.
 */
export class DeliveryTally {
  readonly #people: Omit<People, 'logins'>
  readonly #seen = new DeliverySet()
  readonly #domains = new Map<string, DomainUse>()
  /** Recipients as they were written, with what they came to; undefined for one that is not to be learned. */
  readonly #recipients = new Map<string, { domain: string; key: string } | undefined>()
  /** Senders of the company by number, -1 for others. */
  readonly #senders = new Map<string, number>()
  readonly #names: string[] = []
  /** Deliveries that counted. */
  deliveries = 0
  /** Deliveries whose message began before the log does: their sender is not known, so they do not count. */
  unjoined = 0
  first = Number.POSITIVE_INFINITY
  last = 0

  constructor(people: Omit<People, 'logins'>) {
    this.#people = people
  }

  /**
   * Takes an attempt, and counts it if it is a delivery from the company to somebody outside.
   * @returns whether it counted
   */
  add(attempt: Pick<Attempt, 'at' | 'host' | 'id' | 'sender' | 'recipient' | 'delivered'>): boolean {
    if (!attempt.delivered) return false
    const recipient = this.#recipient(attempt.recipient)
    if (recipient === undefined) return false
    const { at, host, id } = attempt
    const round = isShortQueueId(id) ? Math.floor(at / DAY_MS) : 0
    if (attempt.sender === undefined) {
      // It may have been read before, with its beginning, where rotated files overlap.
      const counted = this.#seen.has(host, id, recipient.key, round)
      if (!counted && this.#seen.add(host, id, `?${recipient.key}`, round)) this.unjoined++
      return false
    }
    const sender = this.#sender(attempt.sender)
    if (sender < 0 || !this.#seen.add(host, id, recipient.key, round)) return false
    // Its end had been read before its beginning.
    if (this.#seen.has(host, id, `?${recipient.key}`, round)) this.unjoined--
    this.deliveries++
    if (at < this.first) this.first = at
    if (at > this.last) this.last = at
    let domain = this.#domains.get(recipient.domain)
    if (domain === undefined) {
      domain = { ...unused(), addresses: new Map() }
      this.#domains.set(recipient.domain, domain)
    }
    let address = domain.addresses.get(recipient.key)
    if (address === undefined) {
      address = unused()
      domain.addresses.set(recipient.key, address)
    }
    note(address, at, sender)
    // One message to three people of a firm is one message to the firm.
    if (this.#seen.add(host, id, `@${recipient.domain}`, round)) note(domain, at, sender)
    else domain.senders.add(sender)
    return true
  }

  #recipient(text: string): { domain: string; key: string } | undefined {
    const known = this.#recipients.get(text)
    if (known !== undefined || this.#recipients.has(text)) return known
    const own = ownText(text)
    const { internal } = this.#people
    const address = parseAddress(own, internal)
    const outside = address.plain && !internal.has(address.domain)
    const entry = outside ? { domain: address.domain, key: address.key } : undefined
    this.#recipients.set(own, entry)
    return entry
  }

  #sender(text: string): number {
    const known = this.#senders.get(text)
    if (known !== undefined) return known
    const own = ownText(text)
    const address = senderOf(own, this.#people)
    let number = -1
    if (address.plain && isOwnSender(own, this.#people)) {
      number = this.#senders.get(address.key) ?? this.#names.push(address.key) - 1
      this.#senders.set(address.key, number)
    }
    this.#senders.set(own, number)
    return number
  }

  /** Every outside address that was delivered to, folded. */
  addresses(): string[] {
    return [...this.#domains.values()].flatMap(({ addresses }) => [...addresses.keys()])
  }

  /** How many messages went to each outside domain. */
  domains(): Map<string, number> {
    return new Map([...this.#domains].map(([name, { messages }]) => [name, messages]))
  }

  /** The messages to an address or a domain, by day. */
  messagesByDay(value: string): [day: string, messages: number][] {
    const domain = this.#domains.get(value.slice(value.lastIndexOf('@') + 1))
    const use = value.includes('@') ? domain?.addresses.get(value) : domain
    return [...(use?.days ?? [])].map(([day, messages]) => [dayOf(day * DAY_MS), messages])
  }

  /**
   * The rules to propose, most used first: a domain where several of its addresses are in use, else the address.
   */
  propose(facts: ProposalFacts): Proposal {
    const proposal: Proposal = { candidates: [], refused: [], known: 0, below: 0 }
    for (const [name, domain] of this.#domains) {
      const open: [string, Use][] = []
      for (const [key, use] of domain.addresses) {
        const standing = facts.standing(key)
        if (standing === 'known') proposal.known++
        else if (standing === 'open') open.push([key, use])
        else proposal.refused.push({ value: key, messages: use.messages, why: standing.why })
      }
      if (open.length === 0) continue
      let whole = domain.addresses.size > 1
      if (whole) {
        const why = facts.refusal(name) ?? (looksShared(domain) ? doubt(domain) : undefined)
        whole = why === undefined
        if (why !== undefined) proposal.refused.push({ value: name, messages: domain.messages, why })
      }
      for (const [value, use] of whole ? [[name, domain] as const] : open) {
        if (use.messages < facts.minMessages || use.days.size < facts.minDays) proposal.below++
        else proposal.candidates.push(this.#candidate(value, name, use, domain.addresses.size, facts))
      }
    }
    proposal.candidates.sort((a, b) => b.messages - a.messages || (a.value < b.value ? -1 : 1))
    proposal.refused.sort((a, b) => b.messages - a.messages || (a.value < b.value ? -1 : 1))
    return proposal
  }

  #candidate(value: string, domain: string, use: Use, inUse: number, facts: ProposalFacts): Candidate {
    const [only] = use.senders
    const remarks: Remark[] = []
    if (use.senders.size === 1 && only !== undefined) {
      remarks.push({ kind: 'one sender', text: words`only ${this.#names[only] ?? ''} writes there` })
    }
    if (use.first > this.last - 7 * DAY_MS) {
      remarks.push({ kind: 'new', text: words`first seen in the last week` })
    }
    const alike = facts.lookalikes(domain, use.messages, use.senders.size)
    if (alike.length > 0) remarks.push({ kind: 'alike', text: words`looks like ${alike.join(', ')}` })
    const kind = value === domain ? 'domain' : 'address'
    return {
      value,
      kind,
      addresses: kind === 'domain' ? inUse : 1,
      messages: use.messages,
      days: use.days.size,
      senders: use.senders.size,
      first: dayOf(use.first),
      last: dayOf(use.last),
      remarks,
    }
  }
}

function doubt({ addresses, senders }: DomainUse): string {
  return words`${addresses.size} addresses of no common form, of which ${senders.size} people write each to his own: it may be a provider. If it is one company, allow it`
}

/** What may be worth a person's look; none of it decides anything. */
export interface Remark {
  kind: 'one sender' | 'new' | 'alike'
  text: string
}

export interface Candidate {
  value: string
  kind: 'address' | 'domain'
  /** Addresses of the domain in use; 1 for an address. */
  addresses: number
  messages: number
  days: number
  senders: number
  /** Days of the log, `2026-11-04`. */
  first: string
  last: string
  remarks: Remark[]
}

export interface Proposal {
  candidates: Candidate[]
  /** What is not proposed although it is in use, with the reason. */
  refused: { value: string; messages: number; why: string }[]
  /** Addresses that the landscape passes already. */
  known: number
  /** Candidates with too few messages or days. */
  below: number
}

export interface ProposalFacts {
  /** What the landscape says of an address: passed, open, or why it is not to be proposed. */
  standing: (address: string) => 'known' | 'open' | { why: string }
  /** Why a domain may not be a rule, or undefined. */
  refusal: (domain: string) => string | undefined
  /** Known or much used domains that this one, used so much by so many, could be taken for. */
  lookalikes: (domain: string, messages: number, senders: number) => string[]
  minMessages: number
  minDays: number
}

/** A wall-clock time's day, as `2026-11-04`. */
export function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10)
}
