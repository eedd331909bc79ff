/** Held mail: what waits in the hold, and what was settled, as the rows have it. Changes nothing. */
import type { Database } from '../database/database.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import type { Client } from '../mail/envelope.js'
import type { HeldRecipient, HoldEnvelope, HoldFolder } from './folder.js'

export type State = 'held' | 'refused' | 'releasing' | 'released' | 'rejected' | 'expired' | 'passed'

export interface Recipient {
  address: string
  state: State
  reason: string
  /** The fault, rule or reply behind the reason; after a failed release, what it failed on. */
  detail: string
  /** The id Postfix gave the copy that went out, or empty. */
  queueId: string
  changedBy: string
  /** Milliseconds since 1970. */
  changedAt: number
}

export interface HeldMessage extends Omit<HoldEnvelope, 'recipients'> {
  /** When the people concerned were told, or null. */
  notifiedAt: number | null
  recipients: Recipient[]
}

/** After this long a release that has not ended cannot be alive any more: it limits itself to half of it. */
export const RELEASE_ABANDONED_MS = 10 * 60_000

/** What waits: messages, their recipients who wait, and bytes of them. */
export interface Load {
  messages: number
  recipients: number
  bytes: number
}

/** Which of the messages that wait: those held in a time, milliseconds since 1970. */
export interface HeldBetween {
  since?: number | undefined
  before?: number | undefined
}

export const WAITING = `('held', 'refused', 'releasing')`

/** Of a row of `hold`: that somebody in it can be released, rejected or expired without anything being in doubt. */
export const ANSWERABLE = `EXISTS (SELECT 1 FROM recipient WHERE recipient.hold = hold.id AND state IN ('held', 'refused'))`

/**
 * SQL that says of a row of `hold` whether all notices since that time that could be answered have bounced.
 * @param since SQL for milliseconds since 1970
 */
export function unreachedSince(since: string): string {
  const bounced = `SELECT 1 FROM audit WHERE what = 'bounced' AND audit.subject = hold.id AND at >= ${since}`
  const open = 'SELECT 1 FROM token WHERE token.hold = hold.id AND used_at IS NULL'
  return `EXISTS (${bounced}) AND NOT EXISTS (${open} AND NOT EXISTS (${bounced} AND was = token.approver))`
}

/** Of any time, also one that a wrong clock or a damaged envelope has written: nothing that waits is left out. */
const [EARLIEST, LATEST] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]

/** Goes through the index alone: some sixteen nanoseconds a message. */
const COUNT = '(SELECT count(*) FROM hold WHERE waiting > 0 AND held_at >= ? AND held_at < ?)'

export interface HoldRow {
  id: string
  queue_id: string
  sender: string
  sha256: string
  size: number
  subject: string
  message_id: string
  client: string
  held_at: number
  expires_at: number
  automatic: string
  notified_at: number | null
}

interface RecipientRow {
  hold: string
  address: string
  state: State
  reason: string
  detail: string
  queue_id: string
  changed_by: string
  changed_at: number
}

export function toMessage(row: HoldRow, recipients: Recipient[]): HeldMessage {
  return {
    id: row.id,
    queueId: row.queue_id,
    sender: row.sender,
    sha256: row.sha256,
    size: row.size,
    subject: row.subject,
    messageId: row.message_id,
    client: JSON.parse(row.client) as Client,
    heldAt: row.held_at,
    expiresAt: row.expires_at,
    automatic: row.automatic,
    notifiedAt: row.notified_at,
    recipients,
  }
}

function toRecipient(row: RecipientRow): Recipient {
  const { hold: _, queue_id: queueId, changed_by: changedBy, changed_at: changedAt, ...same } = row
  return { ...same, queueId, changedBy, changedAt }
}

/** Whether a recipient still waits for a person. */
export function isWaiting({ state }: { state: State }): boolean {
  return state === 'held' || state === 'refused' || state === 'releasing'
}

/** Whether a release has it that may still be alive. */
export function isInHand({ state, changedAt }: Recipient, now: number): boolean {
  return state === 'releasing' && now - changedAt < RELEASE_ABANDONED_MS
}

/** Reads the hold. */
export class HeldMail {
  protected readonly db: Database
  protected readonly folder: HoldFolder

  constructor(db: Database, folder: HoldFolder) {
    this.db = db
    this.folder = folder
  }

  /** Waits so many seconds at most for a locked database, from now on. */
  waitAtMost(seconds: number): void {
    this.db.waitAtMost(seconds)
  }

  /** Whether there is a hold of a message with this queue id; ids recur, so it need not be of the same message. */
  hasHeld(queueId: string): boolean {
    return this.db.get('SELECT 1 FROM hold WHERE queue_id = ?', queueId) !== undefined
  }

  /** The state of each recipient this message's hold knows; empty where there is none. */
  states(id: string): Map<string, State> {
    const rows = this.db.all<RecipientRow>('SELECT * FROM recipient WHERE hold = ?', id)
    return new Map(rows.map((row) => [row.address, row.state]))
  }

  /** How much waits. The database keeps count with every change. */
  load(): Load {
    const load = this.db.get<Load>('SELECT messages, recipients, bytes FROM load')
    return load ?? { messages: 0, recipients: 0, bytes: 0 }
  }

  /** One held message with all its recipients, waiting or settled. @throws Failure where there is none */
  find(id: string): HeldMessage {
    const row = this.row(id)
    const recipients = this.db.all<RecipientRow>(
      'SELECT * FROM recipient WHERE hold = ? ORDER BY address',
      id,
    )
    return toMessage(row, recipients.map(toRecipient))
  }

  protected row(id: string): HoldRow {
    const row = this.db.get<HoldRow>('SELECT * FROM hold WHERE id = ?', id)
    if (row !== undefined) return row
    throw new Failure('hold', 'there is no such message', {
      at: id,
      status: EXIT.noInput,
      hint: 'toeh list shows them',
    })
  }

  /** Who waits in a message, as envelope.json has them. */
  protected waitingIn(id: string): HeldRecipient[] {
    return this.db.all<HeldRecipient>(
      `SELECT address, iif(reason = 'refused', 'refused', 'held') AS state, reason, detail
       FROM recipient WHERE hold = ? AND state IN ${WAITING} ORDER BY address`,
      id,
    )
  }

  /**
   * The messages that wait, oldest first, each with its waiting recipients only.
   * @param most so many of them
   * @param newest the latest first
   */
  waiting({
    since,
    before,
    most,
    newest = false,
  }: HeldBetween & { most?: number | undefined; newest?: boolean } = {}): HeldMessage[] {
    const select = (): HeldMessage[] =>
      this.select(
        `held_at >= ? AND held_at < ? ORDER BY held_at ${newest ? 'DESC' : ''}, id LIMIT ?`,
        ...[since ?? EARLIEST, before ?? LATEST, most ?? -1],
      )
    return most === undefined ? this.db.still(select) : select()
  }

  /** The messages of which nobody waits any more, newest first, with all their recipients. */
  settled({ since, before }: HeldBetween = {}): HeldMessage[] {
    const rest = 'held_at >= ? AND held_at < ? ORDER BY held_at DESC, id'
    const values = [since ?? EARLIEST, before ?? LATEST]
    return this.db.still(() => this.#choose('waiting = 0', 'true', rest, ...values))
  }

  /** How many messages wait that were held in a time. */
  count({ since = EARLIEST, before = LATEST }: HeldBetween): number {
    return this.db.get<{ n: number }>(`SELECT ${COUNT} AS n`, since, before)?.n ?? 0
  }

  /** The ids of the messages that wait. */
  waitingIds(): Set<string> {
    const sql = 'SELECT id FROM hold WHERE waiting > 0'
    return new Set(this.db.still(() => this.db.all<{ id: string }>(sql)).map(({ id }) => id))
  }

  /**
   * How many of the messages that wait were held from each of these times on up to the next later one.
   * @param times milliseconds since 1970, latest first
   * @returns one number more than times: the last is of what was held before all of them
   */
  countSince(times: readonly number[]): number[] {
    const starts = [...times, EARLIEST]
    const counts = starts.map((_, index) => `${COUNT} AS "${index}"`)
    const values = starts.flatMap((start, index) => [start, starts[index - 1] ?? LATEST])
    const row = this.db.get<Record<string, number>>(`SELECT ${counts.join(', ')}`, ...values)
    return starts.map((_, index) => row?.[index] ?? 0)
  }

  /** @param rest what else the rows must meet, and their order */
  protected select(rest: string, ...values: number[]): HeldMessage[] {
    return this.#choose('waiting > 0', `state IN ${WAITING}`, rest, ...values)
  }

  #choose(which: string, whom: string, rest: string, ...values: number[]): HeldMessage[] {
    const rows = this.db.all<HoldRow>(`SELECT * FROM hold WHERE ${which} AND ${rest}`, ...values)
    const byHold = new Map<string, Recipient[]>(rows.map(({ id }) => [id, []]))
    // All in one statement: each takes the lock of the file and asks for a journal.
    const sql = `SELECT recipient.* FROM json_each(?) AS asked CROSS JOIN recipient ON hold = asked.value
                 WHERE ${whom} ORDER BY address`
    for (const row of this.db.all<RecipientRow>(sql, JSON.stringify([...byHold.keys()])))
      byHold.get(row.hold)?.push(toRecipient(row))
    // Between the two its last recipient may have left.
    return rows
      .map((row) => toMessage(row, byHold.get(row.id) ?? []))
      .filter(({ recipients }) => recipients.length > 0)
  }

  /** Recipients who were settled since a point in time. */
  settledSince(time: number): { state: State; heldAt: number; changedAt: number }[] {
    const sql = `SELECT r.state, h.held_at AS heldAt, r.changed_at AS changedAt
                 FROM recipient r JOIN hold h ON h.id = r.hold
                 WHERE r.state IN ('released', 'rejected', 'expired') AND r.changed_at >= ?`
    return this.db.still(() => this.db.all(sql, time))
  }

  /** When the oldest message that waits was held, or the oldest of those held since a point in time; or undefined. */
  oldest(since = EARLIEST): number | undefined {
    const sql = 'SELECT min(held_at) AS at FROM hold WHERE waiting > 0 AND held_at >= ?'
    return this.db.get<{ at: number | null }>(sql, since)?.at ?? undefined
  }

  /** When the newest message was held, or undefined. */
  newest(): number | undefined {
    return this.db.get<{ at: number | null }>('SELECT max(held_at) AS at FROM hold')?.at ?? undefined
  }

  /** What the rows say of a folder: nothing, that somebody waits in it, or that its bytes may go. */
  standing(id: string): 'unknown' | 'waiting' | 'settled' {
    if (this.db.get('SELECT 1 FROM hold WHERE id = ?', id) === undefined) return 'unknown'
    return this.isWaiting(id) ? 'waiting' : 'settled'
  }

  protected isWaiting(id: string): boolean {
    return (
      this.db.get(`SELECT 1 FROM recipient WHERE hold = ? AND state IN ${WAITING} LIMIT 1`, id) !== undefined
    )
  }

  /** Messages that wait and that nobody was told about. */
  unnotified(): HeldMessage[] {
    return this.db.still(() => this.select(`notified_at IS NULL AND ${ANSWERABLE} ORDER BY held_at, id`))
  }
}
