/**
 * The decision: for each recipient, pass or hold, with one reason and the one rule it rests on. Pure.
 *
 * The order, first match decides:
 *
 * 1. malformed       whatever is not a plain address, even at an internal domain: Postfix may resolve it elsewhere. What
 *                    it surely does not (address.ts) is internal where its domain is, and our own server says at once that
 *                    there is nobody of that name. A local part that only has its dots in odd places is malformed
 *                    unless a rule for exactly this address says otherwise.
 * 2. internal        the recipient's domain is the company's own, whoever has sent, if only a command of SMTP can name him: else
 *                    it is held as a foreign sender's.
 * 3. foreign-sender  the sender is neither null nor one of the company's: a forged sender would carry the document out in
 *                    the bounce. A forward has such a sender as well, so a rule of the scope {@link FOREIGN} may say yes
 *                    or no; no other rule lets this mail by, and every block on the way counts against it.
 * 4. a rule          the most specific one: the address, then its domain, then the nearest parent domain whose
 *                    rule reaches subdomains. At equal destinations a rule for this sender comes before one for a
 *                    group he is in, that before one for his domain, that before one for everyone; and where all
 *                    is equal, as among several groups of his, block before allow.
 * 5. unknown         nobody has ever said yes: hold.
 *
 * For whom a rule speaks is asked of mailboxes (mailbox.ts): a sender's extension makes nobody else of him. A block counts for
 * everybody who may be behind the message: one that speaks of the login, and not of the sender too, comes before all
 * rules for the sender, and where it may be anybody, as with the null sender, a block for some counts as one for everyone.
 * An allow is the sender's own.
 *
 * Whom it may hurt: a colleague who writes to a new customer waits for an approver. That is the price, and why
 * 4 must be right: an over-broad rule lets a stranger in, so a domain rule covers that domain alone unless a
 * person asked for more. Only the envelope is looked at; headers are the sender's to write.
 */
import { type Address, type AddressFault, isSendable, parentDomains, parseAddress } from '../mail/address.js'
import {
  type Company,
  FOREIGN,
  isOwnSender,
  mailboxOf,
  type Origin,
  type People,
  sendersBehind,
} from '../mail/mailbox.js'

export interface Rule {
  id: number
  kind: 'address' | 'domain'
  /** Folded `local@domain`, or a domain as A-labels. */
  value: string
  /** Whether a domain rule also covers the domains below. */
  subdomains: boolean
  /** Whose mail it speaks of: empty for everyone's, a folded sender address, `@domain`, a group's name, or {@link FOREIGN}. */
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

export type Reason = 'internal' | 'allowed' | 'malformed' | 'foreign-sender' | 'blocked' | 'unknown'
export const PASSING: ReadonlySet<Reason> = new Set<Reason>(['internal', 'allowed'])

export interface Verdict {
  recipient: string
  pass: boolean
  reason: Reason
  /** The row it rests on, for `allowed` and `blocked`. */
  rule?: Rule
  /** What is wrong with the address, for `malformed`. */
  fault?: AddressFault
}

/** Live rules of every scope by their value: what the landscape knows of the keys that were asked for. */
export type RulesByValue = ReadonlyMap<string, readonly Rule[]>

export interface DecisionFacts extends Company {
  rules: RulesByValue
}

/** The values under which a rule for this recipient could stand, most specific first; none if malformed. */
export function lookupKeys(recipient: string): string[] {
  return keysOf(parseAddress(recipient))
}

/** Of an odd address at most the address itself. */
function keysOf(address: Address): string[] {
  if (address.plain) return [address.key, address.domain, ...parentDomains(address.domain)]
  return address.key === undefined ? [] : [address.key]
}

/** The scopes a mailbox is in, nearest first, equals together: itself, its groups, its domain, everyone. */
export function scopesOf(mailbox: string | undefined, { groups, delimiters }: Company): string[][] {
  if (mailbox === undefined) return [['']]
  const domain = mailbox.slice(mailbox.lastIndexOf('@'))
  const memberOf = [...groups].filter(([, members]) =>
    members.some((member) => member === domain || mailboxOf(member, delimiters) === mailbox),
  )
  return [[mailbox], memberOf.map(([name]) => name), [domain], ['']].filter(({ length }) => length > 0)
}

/** Whose mail rules are asked for. */
interface Asker {
  scopes: readonly string[][]
  /** Whether it may be anybody's, so that a block of any scope counts. */
  anybody: boolean
}

/** Of several rules that say the same the first made; undefined of none. */
function firstMade(rules: readonly Rule[]): Rule | undefined {
  return rules.reduce<Rule | undefined>(
    (first, rule) => (first === undefined || rule.id < first.id ? rule : first),
    undefined,
  )
}

/** The one of equally specific rules that counts for an asker, or undefined. */
function nearest(
  rules: readonly Rule[],
  { scopes, anybody }: Asker,
  { delimiters }: DecisionFacts,
): Rule | undefined {
  const isBlock = ({ effect }: Rule): boolean => effect === 'block'
  const block = anybody ? firstMade(rules.filter(isBlock)) : undefined
  if (block !== undefined) return block
  for (const equals of scopes) {
    const own = rules.filter(({ scope }) => equals.includes(mailboxOf(scope, delimiters)))
    const first = firstMade(own.filter(isBlock)) ?? firstMade(own)
    if (first !== undefined) return first
  }
  return undefined
}

/** The rule that decides for a recipient, or undefined. */
function decidingRule(recipient: Address, asker: Asker, facts: DecisionFacts): Rule | undefined {
  for (const [index, key] of keysOf(recipient).entries()) {
    const equals = facts.rules.get(key)
    if (equals === undefined) continue
    // After the address and its domain come the domains above.
    const rule = nearest(index < 2 ? equals : equals.filter(({ subdomains }) => subdomains), asker, facts)
    if (rule !== undefined) return rule
  }
  return undefined
}

/** Whose rules a message is judged by: the sender's, and the blocks of others who may be behind it. */
interface Askers {
  sender: Asker
  others: readonly Asker[]
}

function isOwnOrigin({ sender }: Origin, people: People): boolean {
  return sender === undefined || isOwnSender(sender, people)
}

/** The scopes of the rules that may let a message by, nearest first, equals together. */
export function scopesAsked(origin: Origin, company: Company): string[][] {
  return isOwnOrigin(origin, company) ? scopesOf(sendersBehind(origin, company).own, company) : [[FOREIGN]]
}

function askersOf(origin: Origin, ownSender: boolean, facts: DecisionFacts): Askers {
  const { own, others, anybody } = sendersBehind(origin, facts)
  return {
    sender: { scopes: ownSender ? scopesOf(own, facts) : [[FOREIGN]], anybody: anybody || !ownSender },
    others: others.map((mailbox) => ({ scopes: scopesOf(mailbox, facts), anybody: false })),
  }
}

/**
 * The block that one of the others would meet, or undefined. One that speaks of the sender as well, as those for everyone do,
 * is left to his own rules, where a nearer one may stand before it.
 */
function objection(recipient: Address, { sender, others }: Askers, facts: DecisionFacts): Rule | undefined {
  const own = sender.scopes.flat()
  for (const other of others) {
    const rule = decidingRule(recipient, other, facts)
    if (rule?.effect === 'block' && !own.includes(mailboxOf(rule.scope, facts.delimiters))) return rule
  }
  return undefined
}

function decideOne(recipient: string, ownSender: boolean, askers: Askers, facts: DecisionFacts): Verdict {
  const address = parseAddress(recipient, facts.internal)
  if (address.domain !== undefined && facts.internal.has(address.domain))
    return { recipient, pass: true, reason: 'internal' }
  const found = objection(address, askers, facts) ?? decidingRule(address, askers.sender, facts)
  const rule = ownSender || found?.scope === FOREIGN ? found : undefined
  if (rule === undefined) {
    if (!address.plain) return { recipient, pass: false, reason: 'malformed', fault: address.fault }
    return { recipient, pass: false, reason: ownSender ? 'unknown' : 'foreign-sender' }
  }
  return rule.effect === 'allow'
    ? { recipient, pass: true, reason: 'allowed', rule }
    : { recipient, pass: false, reason: 'blocked', rule }
}

/**
 * One verdict for each recipient, in their order. Same envelope and facts, same verdicts: there is no clock here. Without a
 * sender it is what somebody of the company gets of whom no rule speaks.
 */
export function decide(
  envelope: Origin & { recipients: readonly string[] },
  facts: DecisionFacts,
): Verdict[] {
  const ownSender = isOwnOrigin(envelope, facts)
  const askers = askersOf(envelope, ownSender, facts)
  // Passed on, mail from a sender whom no SMTP command can name would be put off for good.
  const isNamed = ownSender || isSendable(envelope.sender ?? '')
  return envelope.recipients.map((recipient) => {
    const verdict = decideOne(recipient, ownSender, askers, facts)
    return verdict.pass && !isNamed ? { recipient, pass: false, reason: 'foreign-sender' } : verdict
  })
}
