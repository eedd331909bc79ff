/**
 * The books of a soak: what became of each (message, recipient) that Postfix took, from the sink and the hold, and
 * why something came twice, from Postfix's log and the list of kills.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { Lab } from '../support/lab.js'
import { type SunkMail, unwire } from '../support/sink.js'
import type { Kill } from './killer.js'
import { kindOf, type Letter, numberOf } from './letter.js'

/** What the books are made of: a private Postfix that has come to rest. */
export interface Ledger {
  lab: Pick<Lab, 'query' | 'decisions' | 'state'>
  sink: { mails: readonly Pick<SunkMail, 'bytes' | 'recipients' | 'at'>[] }
  log(): string
}

export interface Accepted {
  letter: Letter
  queueId: string
}

interface Row {
  id: string
  queueId: string
  address: string
  state: string
  sha256: string
  /** When the run began that parked it, as far as the rows still say; milliseconds since 1970. */
  parkedAt: number
}

export type Cause = 'filter' | 'pipe' | 'reinjection' | 'silence' | 'unexplained'

export interface Books {
  messages: number
  recipients: number
  /** Arrived without ever having waited. */
  delivered: number
  waiting: number
  /** A release that was cut off: sent or not, a person has to look. */
  inDoubt: number
  released: number
  rejected: number
  /** Neither arrived nor waiting nor settled. */
  lost: string[]
  /** Arrived, though nobody released it. */
  out: string[]
  /** Released, and arrived more than once. */
  releasedTwice: string[]
  /** Copies beyond the first, by what explains them. */
  twice: Record<Cause, number>
  unexplained: string[]
  /** Copies or held bytes that are not those that were submitted. */
  altered: string[]
}

const WAITING = ['held', 'refused']

/** @param silenced queue ids of messages that the server has taken without a word */
export function balance(
  postfix: Ledger,
  accepted: readonly Accepted[],
  kills: readonly Kill[],
  silenced: ReadonlySet<string> = new Set(),
): Books {
  const rows = readRows(postfix)
  const byNumber = new Map(accepted.map((one) => [one.letter.number, one]))
  /** When each copy of a recipient's arrived. */
  const copies = new Map<string, number[]>()
  const books: Books = {
    messages: accepted.length,
    recipients: accepted.reduce((sum, { letter }) => sum + letter.recipients.length, 0),
    ...{ delivered: 0, waiting: 0, inDoubt: 0, released: 0, rejected: 0 },
    ...{ lost: [], out: [], releasedTwice: [], unexplained: [], altered: [] },
    twice: { filter: 0, pipe: 0, reinjection: 0, silence: 0, unexplained: 0 },
  }
  for (const { bytes, recipients, at } of postfix.sink.mails) {
    const one = byNumber.get(numberOf(bytes) ?? -1)
    if (one === undefined || !unwire(bytes).toString().endsWith(`\n\n${one.letter.body}`)) {
      books.altered.push(`a copy to ${recipients.join(', ')}`)
      continue
    }
    for (const to of recipients) {
      const key = `${one.queueId} ${to}`
      copies.set(key, [...(copies.get(key) ?? []), at])
      if (!one.letter.recipients.includes(to)) books.out.push(`${key}: never asked for`)
    }
  }
  const explain = explainer(postfix.log(), kills, silenced)
  const parked = parkedTimes(postfix)
  for (const { letter, queueId } of accepted) {
    for (const address of letter.recipients) {
      const key = `${queueId} ${address}`
      const row = rows.get(key)
      const arrived = copies.get(key) ?? []
      const early = kindOf(address) === 'later' ? sentBefore(row, parked.get(key), arrived) : 0
      enter(books, key, address, row?.state, arrived.length - early, () => explain(queueId))
      if (early > 0) explainCopies(books, `${key}: parked, ${early} copies before`, early, explain(queueId))
    }
  }
  for (const id of new Set([...rows.values()].filter(isOpen).map((row) => row.id))) {
    const row = [...rows.values()].find((one) => one.id === id)
    const path = `${postfix.lab.state}/hold/${id}/message.eml`
    if (!existsSync(path) || digest(path) !== row?.sha256) books.altered.push(`the bytes of ${id}`)
  }
  return books
}

function isOpen({ state }: Row): boolean {
  return state === 'releasing' || WAITING.includes(state)
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

/** Rows by queue id and address; two of one recipient would be two holds of one message. */
function readRows(postfix: Ledger): Map<string, Row> {
  const rows = postfix.lab.query<Row>(
    `SELECT h.id, h.queue_id AS queueId, r.address, r.state, h.sha256,
       iif(r.state IN ('held', 'refused'), r.changed_at, h.held_at) AS parkedAt
     FROM recipient r JOIN hold h ON h.id = r.hold`,
  )
  const map = new Map(rows.map((row) => [`${row.queueId} ${row.address}`, row]))
  if (map.size !== rows.length) throw new Error('a recipient stands in two holds of the same message')
  return map
}

/** When the runs began that parked each (message, recipient), by the decision log; one that was killed has not written. */
function parkedTimes(postfix: Ledger): Map<string, number> {
  const held = postfix.lab
    .decisions()
    .flatMap(({ at, queueId, recipients }) =>
      recipients
        .filter(({ did }) => did === 'held')
        .map(({ to }): [string, number] => [`${queueId} ${to}`, Date.parse(at)]),
    )
  return new Map(held)
}

/**
 * Copies that had arrived before the run began that parked: its recipient was known to the run before it, which was killed in
 * the instant, and somebody has revoked that since. A run that parks what another has meanwhile sent began before it arrived.
 */
function sentBefore(row: Row | undefined, parkedAt: number | undefined, arrived: readonly number[]): number {
  if (row === undefined || row.state === 'passed') return 0
  return arrived.filter((at) => at < (parkedAt ?? row.parkedAt)).length
}

/** Enters one recipient of one message under exactly one heading. */
function enter(
  books: Books,
  key: string,
  address: string,
  state: string | undefined,
  copies: number,
  explain: () => Cause,
): void {
  const at = `${key}: ${state ?? 'no row'}, ${copies} copies`
  switch (state) {
    case 'released':
      if (copies === 0) books.lost.push(at)
      else if (copies > 1) books.releasedTwice.push(at)
      else books.released++
      return
    case 'releasing':
      if (copies > 1) books.releasedTwice.push(at)
      else books.inDoubt++
      return
    case 'held':
    case 'refused':
      if (copies > 0) books.out.push(at)
      else books.waiting++
      return
    case 'rejected':
      if (copies > 0) books.out.push(at)
      else books.rejected++
      return
    default:
      if (copies === 0) books.lost.push(at)
      else if (kindOf(address) === 'stranger' || kindOf(address) === 'malformed') books.out.push(at)
      else books.delivered++
  }
  if (copies > 1) explainCopies(books, at, copies - 1, explain())
}

function explainCopies(books: Books, at: string, copies: number, cause: Cause): void {
  books.twice[cause] += copies
  if (cause === 'unexplained') books.unexplained.push(at)
}

/**
 * Why Postfix handed a message to the filter once more although a copy had gone out: its filter, the pipe that
 * had started it or had just said `sent`, or the smtpd that had taken the copy was killed, or that said nothing for too long.
 */
function explainer(
  log: string,
  kills: readonly Kill[],
  silenced: ReadonlySet<string>,
): (queueId: string) => Cause {
  const pids = (victim: string): Set<string> =>
    new Set(kills.filter((kill) => kill.victim === victim).map(({ pid }) => String(pid)))
  const smtpds = pids('reinjection')
  const pipes = pids('pipe')
  const killed = (victim: string, queueId: string): boolean =>
    kills.some((kill) => kill.victim === victim && kill.queueId === queueId)
  const took = collect(log, /toeh-reinject\/smtpd\[(\d+)\]: \w+: client=.*orig_queue_id=(\w+)/g)
  const piped = collect(log, /postfix\/pipe\[(\d+)\]: (?=(\w+): to=)/g)
  return (queueId) => {
    if (silenced.has(queueId)) return 'silence'
    if (killed('filter', queueId)) return 'filter'
    if (killed('pipe', queueId) || piped.get(queueId)?.some((pid) => pipes.has(pid))) return 'pipe'
    return took.get(queueId)?.some((pid) => smtpds.has(pid)) ? 'reinjection' : 'unexplained'
  }
}

/** The first group of each match, by the second. */
function collect(text: string, pattern: RegExp): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const [, value = '', key = ''] of text.matchAll(pattern))
    found.set(key, [...(found.get(key) ?? []), value])
  return found
}
