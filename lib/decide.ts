/**
 * The decision: for each recipient, pass or hold, with one reason and the one rule it rests on. Pure.
 *
 * The order, first match decides:
 *
 * 1. malformed       whatever is not a plain address, even at an internal domain: Postfix may resolve it elsewhere.
 * 2. foreign-sender  the sender is neither null nor at an internal domain: a forged sender would carry the
 *                    document out in the bounce, so even mail to a colleague waits.
 * 3. internal        the recipient's domain is the company's own.
 * 4. a rule          the most specific one: the address, then its domain, then the nearest parent domain whose
 *                    rule reaches subdomains. At equal destinations a rule for this sender comes before one for a
 *                    group he is in, that before one for his domain, that before one for everyone; and where all
 *                    is equal, as among several groups of his, block before allow.
 * 5. unknown         nobody has ever said yes: hold.
 *
 * Whom it may hurt: a colleague who writes to a new customer waits for an approver. That is the price, and why
 * 4 must be right: an over-broad rule lets a stranger in, so a domain rule covers that domain alone unless a
 * person asked for more. Only the envelope is looked at; headers are the sender's to write.
 */
import { type Fault, type PlainAddress, parentDomains, parseAddress } from './address.js'

export interface Rule {
  id: number
  kind: 'address' | 'domain'
  /** Folded `local@domain`, or a domain as A-labels. */
  value: string
  /** Whether a domain rule also covers the domains below. */
  subdomains: boolean
  /** Whose mail it speaks of: empty for everyone's, a folded sender address, `@domain`, or a group's name. */
  scope: string
  effect: 'allow' | 'block'
  /** Milliseconds since 1970 after which it counts no more, or null. */
  endsAt: number | null
  addedBy: string
  /** Milliseconds since 1970. */
  addedAt: number
  /** What brought it in: `command`, `release 7k3m…`. */
  source: string
  note: string
}

/** A rule before it has an id, a person and a history. */
export type RuleDraft = Omit<Rule, 'id' | 'addedBy' | 'addedAt'>

/** Groups of senders by name: folded addresses and `@domain`. */
export type Groups = ReadonlyMap<string, readonly string[]>

export type Reason = 'internal' | 'allowed' | 'malformed' | 'foreign-sender' | 'blocked' | 'unknown'
export const PASSING: ReadonlySet<Reason> = new Set<Reason>(['internal', 'allowed'])

export interface Verdict {
  recipient: string
  pass: boolean
  reason: Reason
  /** The row it rests on, for `allowed` and `blocked`. */
  rule?: Rule
  /** What is wrong with the address, for `malformed`. */
  fault?: Fault
}

/** Live rules of every scope by their value: what the landscape knows of the keys that were asked for. */
export type RulesByValue = ReadonlyMap<string, readonly Rule[]>

export interface Facts {
  internal: ReadonlySet<string>
  groups: Groups
  rules: RulesByValue
}

/** The values under which a rule for this recipient could stand, most specific first; none if malformed. */
export function lookupKeys(recipient: string): string[] {
  const address = parseAddress(recipient)
  return address.plain ? keysOf(address) : []
}

function keysOf({ key, domain }: PlainAddress): string[] {
  return [key, domain, ...parentDomains(domain)]
}

/**
 * The scopes a sender is in, nearest first, equals together: himself, his groups, his domain, everyone. The null sender
 * and one that is not plain are in everyone's only.
 */
export function scopesOf(sender: string, groups: Groups): string[][] {
  const address = parseAddress(sender)
  if (!address.plain) return [['']]
  const domain = `@${address.domain}`
  const memberOf = [...groups].filter(
    ([, members]) => members.includes(address.key) || members.includes(domain),
  )
  return [[address.key], memberOf.map(([name]) => name), [domain], ['']].filter(({ length }) => length > 0)
}

/** The one of equally specific rules that counts for these scopes, or undefined: of several that say it the first made. */
function nearest(rules: readonly Rule[], scopes: readonly string[][]): Rule | undefined {
  for (const equals of scopes) {
    const own = rules.filter(({ scope }) => equals.includes(scope))
    const blocks = own.filter(({ effect }) => effect === 'block')
    const [first] = (blocks.length > 0 ? blocks : own).sort((a, b) => a.id - b.id)
    if (first !== undefined) return first
  }
  return undefined
}

/** The rule that decides for a plain recipient, or undefined. */
function decidingRule(
  recipient: PlainAddress,
  scopes: readonly string[][],
  rules: RulesByValue,
): Rule | undefined {
  for (const [index, key] of keysOf(recipient).entries()) {
    const equals = rules.get(key)
    if (equals === undefined) continue
    // After the address and its domain come the domains above.
    const rule = nearest(index < 2 ? equals : equals.filter(({ subdomains }) => subdomains), scopes)
    if (rule !== undefined) return rule
  }
  return undefined
}

/** Whether the sender is the company's: null (a bounce of our own) or plain and at an internal domain. */
export function isOwnSender(sender: string, internal: ReadonlySet<string>): boolean {
  if (sender === '') return true
  const address = parseAddress(sender)
  return address.plain && internal.has(address.domain)
}

function decideOne(
  recipient: string,
  ownSender: boolean,
  scopes: readonly string[][],
  facts: Facts,
): Verdict {
  const address = parseAddress(recipient)
  if (!address.plain) return { recipient, pass: false, reason: 'malformed', fault: address.fault }
  if (!ownSender) return { recipient, pass: false, reason: 'foreign-sender' }
  if (facts.internal.has(address.domain)) return { recipient, pass: true, reason: 'internal' }
  const rule = decidingRule(address, scopes, facts.rules)
  if (rule === undefined) return { recipient, pass: false, reason: 'unknown' }
  return rule.effect === 'allow'
    ? { recipient, pass: true, reason: 'allowed', rule }
    : { recipient, pass: false, reason: 'blocked', rule }
}

/** One verdict for each recipient, in their order. Same envelope and facts, same verdicts: there is no clock here. */
export function decide(envelope: { sender: string; recipients: readonly string[] }, facts: Facts): Verdict[] {
  const ownSender = isOwnSender(envelope.sender, facts.internal)
  const scopes = scopesOf(envelope.sender, facts.groups)
  return envelope.recipients.map((recipient) => decideOne(recipient, ownSender, scopes, facts))
}
