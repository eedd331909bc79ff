/**
 * The legs: what smtp(8) tried on the way to a scanner and what it tried on the way out of the house, told apart. A
 * message that a scanner on another host hands back has two legs in the log, and only the second one has left. Pure.
 */
import { type Attempt, ownText } from './maillog.js'

/** How long a leg waits for the next one, in milliseconds: what a scanner with a queue of its own may take. */
const WAIT_MS = 10 * 60_000
/** And how many may: each keeps the piece of the file that it was read from. */
const MOST_WAITING = 20_000
/** How many of one message-id are looked through. */
const MOST_ALIKE = 200

/** A way out that a person has named: a host as the log has it or its address, with or without a port. */
export interface WayOut {
  host: string
  /** Undefined for every port. */
  port: string | undefined
}

/**
 * Reads `HOST[:PORT]`, `[ADDRESS]:PORT` or an address as they are written in main.cf and in the log.
 * @returns undefined for what is none
 */
export function parseWayOut(text: string): WayOut | undefined {
  const [, bracketed, plain, bare, port] =
    /^(?:\[([^\]\s]+)\]|([0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*)|([^\s:[\]]+))(?::([0-9]{1,5}))?$/i.exec(text) ?? []
  const host = bracketed ?? plain ?? bare
  return host === undefined ? undefined : { host: host.toLowerCase().replace(/\.$/, ''), port }
}

/** `name[address]:port` in its parts. */
function partsOf(relay: string): { name: string; address: string; port: string } {
  const [, name = '', address = '', port = ''] = /^([^[\s]*)\[([^\]\s]*)\](?::([0-9]+))?$/.exec(relay) ?? []
  return { name: name.toLowerCase(), address: address.toLowerCase(), port }
}

function isNamed(relay: string, ways: readonly WayOut[]): boolean {
  const { name, address, port } = partsOf(relay)
  return ways.some((way) => (way.host === name || way.host === address) && (way.port ?? port) === port)
}

/**
 * Whether the second leg is the message of the first one come back: from the address that it went to, and on its way to
 * another. List software beside a smarthost brings the same message to the same recipient as well, but by the same relay.
 */
function handsBack(first: Attempt, second: Attempt): boolean {
  const { address } = partsOf(first.relay)
  return address !== '' && address === second.client.toLowerCase() && first.relay !== second.relay
}

interface Waiting {
  attempt: Attempt
  /** It has left for another host, as far as can be seen; only such a one waits for a second leg. */
  leg: boolean
  superseded: boolean
  /** One more that waits with the same message-id, and with the same queue id. */
  sameMessage: Waiting | undefined
  sameId: Waiting | undefined
}

/** What was left out, by where it went. */
export interface LeftOut {
  relay: string
  /** Deliveries and tries of single recipients, as the log has them. */
  recipients: number
}

/** Tells the legs of messages apart, in the order of the log. Memory is bounded. */
export class Legs {
  readonly #ways: readonly WayOut[]
  #waiting: Waiting[] = []
  /** How many in front of them have been let go. */
  #gone = 0
  /** The last that waits with a message-id, and with a queue id: texts that are there already, as new ones would cost most. */
  readonly #byMessage = new Map<string, Waiting>()
  readonly #byId = new Map<string, Waiting>()
  /** Messages that have come back, by queue id, with the relay that they went on to; the oldest are forgotten. */
  readonly #returned = new Map<string, { host: string; relay: string }>()
  /** Relays that hand back what they get. */
  readonly #scanners = new Set<string>()
  readonly #leftOut = new Map<string, number>()
  /** Recipients that left the house. */
  left = 0

  /** @param ways the ways out that were named; where there is none, every other host is one that hands nothing back */
  constructor(ways: readonly WayOut[] = []) {
    this.#ways = ways
  }

  /** Takes attempts in turn; gives those whose fate is known by now, with `outward` and `delivered` as they are. */
  take(attempts: readonly Attempt[]): Attempt[] {
    const settled: Attempt[] = []
    for (const attempt of attempts) {
      if (this.#ways.length > 0) this.#byName(attempt, settled)
      else this.#byLegs(attempt, settled)
    }
    return settled
  }

  /** What still waits, at the end of the log. */
  end(): Attempt[] {
    const settled: Attempt[] = []
    for (const waiting of this.#waiting.slice(this.#gone)) this.#settle(waiting, settled)
    this.#waiting = []
    this.#gone = 0
    return settled
  }

  /** What was left out, most first. */
  get leftOut(): LeftOut[] {
    const all = [...this.#leftOut].map(([relay, recipients]) => ({ relay, recipients }))
    return all.sort((a, b) => b.recipients - a.recipients || (a.relay < b.relay ? -1 : 1))
  }

  #byName(attempt: Attempt, settled: Attempt[]): void {
    if (attempt.relay === '') {
      settled.push(attempt)
      if (attempt.outward) this.left++
    } else if (isNamed(attempt.relay, this.#ways)) {
      this.left++
      settled.push({ ...attempt, outward: true, delivered: attempt.sent })
    } else settled.push(this.#inside(attempt))
  }

  #byLegs(attempt: Attempt, settled: Attempt[]): void {
    const { host, relay, originalId } = attempt
    // What has come back says which message it was, to smtpd by XFORWARD, or by the same message-id and recipient.
    if (originalId !== '' && relay !== '') this.#comeBack(host, originalId, relay)
    // What is no leg waits as well: the order of the log stays as it is.
    const leg = attempt.outward && relay !== ''
    const waiting: Waiting = { attempt, leg, superseded: false, sameMessage: undefined, sameId: undefined }
    this.#waiting.push(waiting)
    if (leg) this.#join(waiting)
    this.#let(attempt.at, settled)
  }

  /** Looks for the leg before, and is there for the one behind. */
  #join(waiting: Waiting): void {
    const { attempt } = waiting
    const { host, id, messageId, recipient } = attempt
    const returned = this.#returned.size === 0 ? undefined : this.#returned.get(id)
    if (returned?.host === host) this.#supersede(waiting, returned.relay)
    if (messageId !== '') {
      waiting.sameMessage = this.#byMessage.get(messageId)
      let most = MOST_ALIKE
      for (let before = waiting.sameMessage; before !== undefined; before = before.sameMessage) {
        // Programs there are that give all their mail one message-id.
        if (--most === 0) before.sameMessage = undefined
        if (before.attempt.id === id || before.attempt.recipient !== recipient) continue
        if (handsBack(before.attempt, attempt)) this.#supersede(before, attempt.relay)
      }
      this.#byMessage.set(messageId, waiting)
    }
    const other = this.#byId.get(id)
    // A short id comes back for other messages; those are no concern of this one.
    if (other?.attempt.host === host) waiting.sameId = other
    this.#byId.set(id, waiting)
  }

  #comeBack(host: string, id: string, relay: string): void {
    if (this.#returned.get(id)?.host === host) return
    if (this.#returned.size >= MOST_WAITING) {
      const [oldest] = this.#returned.keys()
      if (oldest !== undefined) this.#returned.delete(oldest)
    }
    this.#returned.set(id, { host, relay: ownText(relay) })
    for (let one = this.#byId.get(id); one !== undefined; one = one.sameId)
      if (one.attempt.host === host) this.#supersede(one, relay)
  }

  /** One that is the way out as well is no scanner, whatever comes back from it. */
  #supersede(waiting: Waiting, relay: string | undefined): void {
    waiting.superseded = true
    const scanner = waiting.attempt.relay
    if (relay !== scanner && !this.#scanners.has(scanner)) this.#scanners.add(ownText(scanner))
  }

  /** Lets go of what has waited long enough. */
  #let(now: number, settled: Attempt[]): void {
    for (; this.#gone < this.#waiting.length; this.#gone++) {
      const waiting = this.#waiting[this.#gone]
      if (waiting === undefined) break
      const many = this.#waiting.length - this.#gone > MOST_WAITING
      if (!many && now - waiting.attempt.at <= WAIT_MS) break
      this.#settle(waiting, settled)
    }
    // Cut seldom: each cut copies what is left.
    if (this.#gone < 1000 || this.#gone * 2 < this.#waiting.length) return
    this.#waiting = this.#waiting.slice(this.#gone)
    this.#gone = 0
  }

  #settle({ attempt, leg, superseded }: Waiting, settled: Attempt[]): void {
    const { id, messageId, relay } = attempt
    // Those in front go first, so whoever is last with a name takes the name along. The chain behind it is history.
    if (leg) {
      if (this.#byId.get(id)?.attempt === attempt) this.#byId.delete(id)
      if (this.#byMessage.get(messageId)?.attempt === attempt) this.#byMessage.delete(messageId)
    }
    const inside = leg ? superseded || this.#scanners.has(relay) : attempt.sent
    if (!inside && attempt.outward) this.left++
    settled.push(inside ? this.#inside(attempt) : attempt)
  }

  #inside(attempt: Attempt): Attempt {
    const { relay } = attempt
    const count = this.#leftOut.get(relay)
    if (relay !== '') this.#leftOut.set(count === undefined ? ownText(relay) : relay, (count ?? 0) + 1)
    return { ...attempt, outward: false, delivered: false }
  }
}
