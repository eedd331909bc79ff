/** The rehearsal: mail of the past and what would be held of it today, counted. Pure. */

import { type Attempt, isShortQueueId, ownText } from '../logs/maillog.js'
import { DeliverySet } from '../mail/deliveryset.js'
import { PASSING, type Reason, type Verdict } from '../rules/decide.js'
import { dayOf } from './candidates.js'

const DAY_MS = 86_400_000

export interface DayCount {
  day: string
  messages: number
  /** Messages with at least one recipient that would be held. */
  messagesHeld: number
  recipients: number
  held: number
  /** Destinations that would be held for the first time: each asks a person once, if the answer is yes. */
  firstHeld: number
}

export interface SenderCount {
  sender: string
  recipients: number
  held: number
}

export interface DestinationCount {
  recipient: string
  reason: Reason
  held: number
  senders: number
  first: string
  last: string
}

export interface ReplayReport {
  messages: number
  messagesHeld: number
  recipients: number
  held: number
  /** Distinct destinations that would be held. */
  destinations: number
  /** How many recipients would pass or be held for each reason. */
  reasons: Partial<Record<Reason, number>>
  days: DayCount[]
  senders: SenderCount[]
  byDestination: DestinationCount[]
}

interface Destination {
  reason: Reason
  held: number
  senders: Set<string>
  first: number
  last: number
}

export class Rehearsal {
  readonly #seen = new DeliverySet()
  readonly #messages = new DeliverySet()
  readonly #messagesHeld = new DeliverySet()
  readonly #days = new Map<number, DayCount>()
  readonly #senders = new Map<string, SenderCount>()
  readonly #destinations = new Map<string, Destination>()
  readonly #reasons: Partial<Record<Reason, number>> = {}
  #recipients = 0
  #held = 0

  /**
   * Whether this attempt is the first one to be looked at for its (host, queue id, recipient): a message that was
   * deferred is tried again, and rotated files overlap.
   */
  isNew(attempt: Attempt): boolean {
    return this.#seen.add(attempt.host, attempt.id, attempt.recipient, roundOf(attempt))
  }

  /** Counts one recipient with its verdict. */
  add(attempt: Attempt, verdict: Verdict): void {
    const { at, host, id, sender = '' } = attempt
    const number = Math.floor(at / DAY_MS)
    let day = this.#days.get(number)
    if (day === undefined) {
      day = { day: dayOf(at), messages: 0, messagesHeld: 0, recipients: 0, held: 0, firstHeld: 0 }
      this.#days.set(number, day)
    }
    let count = this.#senders.get(sender)
    if (count === undefined) {
      count = { sender: ownText(sender), recipients: 0, held: 0 }
      this.#senders.set(count.sender, count)
    }
    this.#recipients++
    this.#reasons[verdict.reason] = (this.#reasons[verdict.reason] ?? 0) + 1
    day.recipients++
    count.recipients++
    const round = roundOf(attempt)
    if (this.#messages.add(host, id, '', round)) day.messages++
    if (PASSING.has(verdict.reason)) return
    this.#held++
    day.held++
    count.held++
    if (this.#messagesHeld.add(host, id, '', round)) day.messagesHeld++
    let destination = this.#destinations.get(verdict.recipient)
    if (destination === undefined) {
      day.firstHeld++
      destination = { reason: verdict.reason, held: 0, senders: new Set(), first: at, last: at }
      this.#destinations.set(ownText(verdict.recipient), destination)
    }
    destination.held++
    destination.senders.add(count.sender)
    destination.first = Math.min(destination.first, at)
    destination.last = Math.max(destination.last, at)
  }

  report(): ReplayReport {
    const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
    return {
      messages: this.#messages.size,
      messagesHeld: this.#messagesHeld.size,
      recipients: this.#recipients,
      held: this.#held,
      destinations: this.#destinations.size,
      reasons: { ...this.#reasons },
      days: [...this.#days.values()].sort((a, b) => byName(a.day, b.day)),
      senders: [...this.#senders.values()]
        .filter(({ held }) => held > 0)
        .sort((a, b) => b.held - a.held || byName(a.sender, b.sender)),
      byDestination: [...this.#destinations]
        .map(([recipient, { reason, held, senders, first, last }]) => ({
          recipient,
          reason,
          held,
          senders: senders.size,
          first: dayOf(first),
          last: dayOf(last),
        }))
        .sort((a, b) => b.held - a.held || byName(a.recipient, b.recipient)),
    }
  }
}

function roundOf({ id, at }: Attempt): number {
  return isShortQueueId(id) ? Math.floor(at / DAY_MS) : 0
}
