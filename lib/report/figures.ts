/**
 * Figures: what a report tells, worked out from the decision log, the hold and the landscape. Pure.
 *
 * It is long because all figures are counted in one pass over the decision log.
 */

import { DeliverySet } from '../mail/deliveryset.js'
import type { Reason } from '../rules/decide.js'
import { localDay } from '../text/visible.js'

/** Lengths of time by which waiting is counted, milliseconds: up to each, and longer than the last. */
export const SPANS = [1, 4, 24, 72, 168].map((hours) => hours * 3_600_000)

/** Rows of each table. */
export const MOST = 12

/** What a day of the local calendar had, in recipients: a message to three people counts three times. */
export interface Day {
  day: string
  /** Messages that the gate saw; each once, however many runs it took. */
  messages: number
  /** Sent on, and known. */
  passed: number
  held: number
  /** Known, and refused by the server behind the gate: they wait as well. */
  refused: number
  /** Sent on in observe mode only; they would have been held. */
  observed: number
  /** Rules that were live at the end of the day. */
  allows: number
  blocks: number
}

/** One line of the decision log, as far as it counts here. */
interface Decided {
  at: string
  queueId: string
  sender: string
  hold?: string | null
  recipients: readonly { to: string; verdict: string; reason: string; did: string }[]
}

/** One recipient of the hold that was settled since. */
export interface SettledFact {
  state: string
  /** Milliseconds since 1970. */
  heldAt: number
  changedAt: number
}

/** What waits now, whenever it was held. */
export interface WaitingFacts {
  messages: number
  recipients: number
  bytes: number
  /** When the oldest was held, and the oldest of those held in the time that is told of; milliseconds since 1970. */
  oldest: number | undefined
  oldestSince: number | undefined
  /** Messages by how long they wait, along SPANS. */
  spans: number[]
  /** The first of them, oldest first. */
  longest: readonly WaitingFact[]
}

/** One message that waits, with those who wait in it. */
export interface WaitingFact {
  id: string
  sender: string
  size: number
  heldAt: number
  expiresAt: number
  recipients: readonly { address: string; reason: string }[]
}

/** One rule, living or ended; `to` is when it ended or will end, or null. Milliseconds since 1970. */
export interface RuleFact {
  effect: 'allow' | 'block'
  value: string
  addedBy: string
  from: number
  to: number | null
}

export interface Waiting {
  id: string
  sender: string
  recipients: number
  /** The first of them. */
  first: string
  reason: string
  heldAt: number
  expiresAt: number
}

export interface Figures {
  /** Milliseconds since 1970. */
  since: number
  until: number
  messages: number
  passed: number
  held: number
  refused: number
  observed: number
  /** Recipients by reason. */
  reasons: Partial<Record<Reason, number>>
  days: Day[]
  waiting: {
    messages: number
    recipients: number
    bytes: number
    /** When the oldest was held, or null. */
    oldest: number | null
    /** Messages by how long they wait, along SPANS. */
    spans: number[]
    longest: Waiting[]
  }
  /** Recipients that people or the timer settled. */
  settled: { released: number; rejected: number; expired: number }
  release: {
    /** Milliseconds, or null where nothing was released: half were released within it, nine of ten within the other. */
    median: number | null
    ninetieth: number | null
    /** Recipients by how long they waited, along SPANS. */
    spans: number[]
  }
  /** Destinations nobody knew, the newest first. */
  newest: Destination[]
  /** Senders with most that was, or would have been, held. */
  senders: { sender: string; recipients: number; held: number }[]
  rules: {
    allows: number
    blocks: number
    /** Allow rules more (or less) than at `since`. */
    grown: number
    newest: { value: string; effect: 'allow' | 'block'; addedBy: string; addedAt: number }[]
  }
}

export interface Destination {
  address: string
  /** When somebody first wrote to it, in the time that is told of. Milliseconds since 1970. */
  first: number
  last: number
  recipients: number
  senders: number
  /** What has become of the last: a state of the hold, `observed`, or `held` where the hold does not know it. */
  state: string
}

function spanOf(length: number): number {
  const index = SPANS.findIndex((span) => length <= span)
  return index < 0 ? SPANS.length : index
}

function countSpans(lengths: readonly number[]): number[] {
  const counts = new Array<number>(SPANS.length + 1).fill(0)
  for (const length of lengths) counts[spanOf(length)] = (counts[spanOf(length)] ?? 0) + 1
  return counts
}

/** What waits, from all of it, oldest first: for who has it at hand. */
export function sumUp(waiting: readonly WaitingFact[], now: number): WaitingFacts {
  return {
    messages: waiting.length,
    recipients: waiting.reduce((total, { recipients }) => total + recipients.length, 0),
    bytes: waiting.reduce((total, { size }) => total + size, 0),
    oldest: waiting[0]?.heldAt,
    oldestSince: undefined,
    spans: countSpans(waiting.map(({ heldAt }) => now - heldAt)),
    longest: waiting,
  }
}

/** The least value that this part of all reach; null of none. */
function quantile(sorted: readonly number[], part: number): number | null {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? null
}

/** The begins of the local days from one point in time to another, in order. */
function daysBetween(from: number, until: number): number[] {
  const begins: number[] = []
  const first = new Date(from)
  for (let offset = 0; ; offset++) {
    const begin = new Date(first.getFullYear(), first.getMonth(), first.getDate() + offset).getTime()
    if (begin > until) return begins
    begins.push(begin)
  }
}

interface Met {
  address: string
  first: number
  last: number
  recipients: number
  senders: Set<string>
  observed: boolean
  /** The hold of the last, and the address as it was written then. */
  hold: string | null
  written: string
}

interface Meeting {
  to: string
  sender: string
  time: number
  hold: string | null
  observed: boolean
}

/** Ten years of days: an axis has an end. */
const MOST_MS = 3_660 * 86_400_000

/** Counts the decision log line by line, then joins it with the rest. */
export class FigureCount {
  readonly #since: number
  readonly #until: number
  readonly #seen = new DeliverySet()
  readonly #days = new Map<string, Day>()
  readonly #reasons: Partial<Record<Reason, number>> = {}
  readonly #senders = new Map<string, { recipients: number; held: number }>()
  readonly #met = new Map<string, Met>()
  #first: number

  /** Milliseconds since 1970. */
  constructor(since: number, until: number) {
    this.#since = Math.max(since, until - MOST_MS)
    this.#until = until
    this.#first = until
  }

  get since(): number {
    return this.#since
  }

  #day(at: number): Day {
    const day = localDay(at)
    let counts = this.#days.get(day)
    if (counts === undefined) {
      counts = { day, messages: 0, passed: 0, held: 0, refused: 0, observed: 0, allows: 0, blocks: 0 }
      this.#days.set(day, counts)
    }
    return counts
  }

  /** Counts one line. What an earlier run had settled is not counted again; nor is what lies outside the time. */
  add({ at, queueId, sender, hold = null, recipients }: Decided): void {
    const time = Date.parse(at)
    if (!(time >= this.#since && time <= this.#until)) return
    this.#first = Math.min(this.#first, time)
    const day = this.#day(time)
    if (this.#seen.add(day.day, queueId, '')) day.messages++
    for (const { to, verdict, reason, did } of recipients) {
      const what = did === 'passed' && verdict === 'hold' ? 'observed' : did
      if (what !== 'passed' && what !== 'held' && what !== 'refused' && what !== 'observed') continue
      day[what]++
      this.#reasons[reason as Reason] = (this.#reasons[reason as Reason] ?? 0) + 1
      const writer = this.#senders.get(sender) ?? { recipients: 0, held: 0 }
      this.#senders.set(sender, writer)
      writer.recipients++
      if (what !== 'passed') writer.held++
      if (reason === 'unknown') this.#meet({ to, sender, time, hold, observed: what === 'observed' })
    }
  }

  #meet({ to, sender, time, hold, observed }: Meeting): void {
    const key = to.toLowerCase()
    const met = this.#met.get(key)
    if (met === undefined) {
      this.#met.set(key, {
        address: to,
        first: time,
        last: time,
        recipients: 1,
        senders: new Set([sender]),
        ...{ observed, hold, written: to },
      })
      return
    }
    met.first = Math.min(met.first, time)
    if (time >= met.last) Object.assign(met, { observed, hold, written: to })
    met.last = Math.max(met.last, time)
    met.recipients++
    met.senders.add(sender)
  }

  /** Where the hold knows what has become of the newest destinations. */
  lastHolds(): { hold: string; address: string }[] {
    return this.#newestMet().flatMap(({ hold, written }) =>
      hold === null ? [] : [{ hold, address: written }],
    )
  }

  /**
   * @param since recipients that were settled since then
   * @param rules all that ever were
   * @param states what has become of those {@link lastHolds} asks for, by address
   */
  figures(
    since: readonly SettledFact[],
    waiting: WaitingFacts,
    rules: readonly RuleFact[],
    states: ReadonlyMap<string, string> = new Map(),
  ): Figures {
    const settled = since.filter(({ changedAt }) => changedAt >= this.#since && changedAt <= this.#until)
    const inState = (state: string): SettledFact[] => settled.filter((fact) => fact.state === state)
    const released = inState('released')
    const lengths = released
      .map(({ heldAt, changedAt }) => Math.max(0, changedAt - heldAt))
      .sort((a, b) => a - b)
    const begun = settled.reduce(
      (least, { changedAt }) => Math.min(least, changedAt),
      Math.min(this.#first, waiting.oldestSince ?? this.#first),
    )
    const days = this.#allDays(begun, rules)
    const sum = (pick: (day: Day) => number): number => days.reduce((total, day) => total + pick(day), 0)
    const last = days.at(-1)
    return {
      since: this.#since,
      until: this.#until,
      messages: sum(({ messages }) => messages),
      passed: sum(({ passed }) => passed),
      held: sum((day) => day.held),
      refused: sum(({ refused }) => refused),
      observed: sum(({ observed }) => observed),
      reasons: { ...this.#reasons },
      days,
      waiting: {
        messages: waiting.messages,
        recipients: waiting.recipients,
        bytes: waiting.bytes,
        oldest: waiting.oldest ?? null,
        spans: waiting.spans,
        longest: waiting.longest.slice(0, MOST).map(({ recipients, ...message }) => ({
          id: message.id,
          sender: message.sender,
          recipients: recipients.length,
          first: recipients[0]?.address ?? '',
          reason: recipients[0]?.reason ?? '',
          heldAt: message.heldAt,
          expiresAt: message.expiresAt,
        })),
      },
      settled: {
        released: released.length,
        rejected: inState('rejected').length,
        expired: inState('expired').length,
      },
      release: {
        median: quantile(lengths, 0.5),
        ninetieth: quantile(lengths, 0.9),
        spans: countSpans(lengths),
      },
      newest: this.#newestMet().map(({ senders, observed, hold: _, written, ...met }) => ({
        ...met,
        senders: senders.size,
        state: observed ? 'observed' : (states.get(written) ?? 'held'),
      })),
      senders: [...this.#senders]
        .filter(([, counts]) => counts.held > 0)
        .map(([sender, counts]) => ({ sender, ...counts }))
        .sort((a, b) => b.held - a.held || (a.sender < b.sender ? -1 : 1))
        .slice(0, MOST),
      rules: {
        allows: last?.allows ?? 0,
        blocks: last?.blocks ?? 0,
        grown: (last?.allows ?? 0) - rules.filter((rule) => this.#allowedAtFirst(rule)).length,
        newest: rules
          .filter(({ from, to }) => from <= this.#until && (to === null || to > this.#until))
          .sort((a, b) => b.from - a.from || (a.value < b.value ? -1 : 1))
          .slice(0, MOST)
          .map(({ value, effect, addedBy, from }) => ({ value, effect, addedBy, addedAt: from })),
      },
    }
  }

  #allowedAtFirst({ effect, from, to }: RuleFact): boolean {
    return effect === 'allow' && from <= this.#since && (to === null || to > this.#since)
  }

  /** Every day from the first that has something on, those without mail too, with the rules of its end. */
  #allDays(begun: number, rules: readonly RuleFact[]): Day[] {
    const begins = daysBetween(Math.max(this.#since, begun), this.#until)
    const days = begins.map((begin) => this.#day(begin))
    // One step up where a rule begins, one down where it ends, then summed: rules may be many, and days too.
    const steps = days.map(() => ({ allow: 0, block: 0 }))
    const indexOf = (time: number): number => {
      let low = 0
      let high = begins.length
      while (low < high) {
        const middle = (low + high) >> 1
        if ((begins[middle] ?? 0) <= time) low = middle + 1
        else high = middle
      }
      return Math.max(0, low - 1)
    }
    for (const { effect, from, to } of rules) {
      if (from > this.#until) continue
      const begin = steps[indexOf(from)]
      if (to !== null && to <= (begins[0] ?? 0)) continue
      if (begin !== undefined) begin[effect]++
      if (to === null || to > this.#until) continue
      const end = steps[indexOf(to)]
      if (end !== undefined) end[effect]--
    }
    let allows = 0
    let blocks = 0
    for (const [index, day] of days.entries()) {
      allows += steps[index]?.allow ?? 0
      blocks += steps[index]?.block ?? 0
      day.allows = allows
      day.blocks = blocks
    }
    return days
  }

  #newestMet(): Met[] {
    return [...this.#met.values()]
      .sort((a, b) => b.first - a.first || (a.address < b.address ? -1 : 1))
      .slice(0, MOST)
  }
}
