/** The hold: parked messages and the state of each of their recipients. docs/hold.md has the table of states. */
import { type Actor, appendAudit } from './audit.js'
import type { Database } from './database.js'
import type { Client } from './envelope.js'
import { EXIT } from './exit.js'
import { describeError, Failure } from './failure.js'
import type { HeldRecipient, HoldEnvelope, HoldFolder, Move } from './holdfolder.js'
import { syncPath } from './publish.js'

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
const ANSWERABLE = `EXISTS (SELECT 1 FROM recipient WHERE recipient.hold = hold.id AND state IN ('held', 'refused'))`

/** Of any time, also one that a wrong clock or a damaged envelope has written: nothing that waits is left out. */
const [EARLIEST, LATEST] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]

/** Of a row of `recipient`: that this rejection is what became of it. */
const REJECTED_THEN = `state = 'rejected' AND changed_by = ? AND changed_at = ?`

/** Goes through the index alone: some sixteen nanoseconds a message. */
const COUNT = '(SELECT count(*) FROM hold WHERE waiting > 0 AND held_at >= ? AND held_at < ?)'

/** Ids of messages that are not counted as they are, and `load` where the sum is wrong. One statement: one moment. */
const MISCOUNTED = `
  WITH counted AS MATERIALIZED (SELECT hold.id, hold.waiting, hold.size, count(*) AS n FROM recipient
    JOIN hold ON hold.id = recipient.hold WHERE state IN ${WAITING} GROUP BY recipient.hold)
  SELECT id FROM counted WHERE n <> waiting
  UNION ALL SELECT id FROM hold WHERE (waiting > 0 OR waiting < 0) AND NOT EXISTS
    (SELECT 1 FROM recipient WHERE recipient.hold = hold.id AND state IN ${WAITING})
  UNION ALL SELECT 'load' WHERE NOT EXISTS (SELECT 1 FROM load WHERE messages = (SELECT count(*) FROM counted)
    AND recipients = (SELECT coalesce(sum(n), 0) FROM counted)
    AND bytes = (SELECT coalesce(sum(size), 0) FROM counted))`

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

function movesTo(state: State, addresses: readonly string[], { who, at }: Actor, queueId = ''): Move[] {
  return addresses.map((address) => ({ address, state, queueId, who, at }))
}

export class Hold {
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

  #has(id: string): boolean {
    return this.db.get('SELECT 1 FROM hold WHERE id = ?', id) !== undefined
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

  /**
   * Parks recipients of a message: its folder first, durably, then the rows, in one transaction. A hold of the
   * same message is joined; recipients it knows already stay as they are. Safe to repeat, and to run twice at once.
   * @param demandAwaited asked once the database is ours, which may have taken long; throws where it is to be left alone
   * @returns whether the message has moved into the hold's folder
   * @throws Failure (75), after which nothing counts as parked
   */
  park(spoolFolder: string, envelope: HoldEnvelope, demandAwaited: () => void = () => {}): boolean {
    const { id, recipients, heldAt, expiresAt } = envelope
    this.folder.prepare(spoolFolder, envelope)
    let moved = false
    try {
      // Exclusively: a run that Postfix starts because this one's pipe is gone looks for our rows either before we ask, and then
      // we are told, or when they are there.
      this.db.transaction(() => {
        demandAwaited()
        moved = this.folder.publish(spoolFolder, envelope)
        // The hold's row last: where it is new, all who wait in it are counted at once, not each by itself.
        this.db.run('PRAGMA defer_foreign_keys = ON')
        const joined = this.#insertRecipients(id, recipients, '', heldAt)
        const isNew = this.#insertHold(envelope)
        if (isNew && moved) return
        // Those who join are to be told of too, and wait as long as the first.
        const sql = `UPDATE hold SET notified_at = NULL, closing_at = NULL, expires_at = max(expires_at, ?) WHERE id = ?`
        if (!isNew && joined > 0) this.db.run(sql, expiresAt, id)
        if (joined > 0 || moved) this.folder.rewrite(this.envelopeOf(id))
      }, 'exclusive')
    } catch (error) {
      if (moved) this.#withdraw(id)
      throw error
    }
    return moved
  }

  /**
   * Takes a folder away that was published for rows that could not be written: Postfix retries the message, may pass it by
   * then, and what is left would look like a message that waits.
   */
  #withdraw(id: string): void {
    try {
      this.db.transaction(() => {
        if (!this.#has(id)) this.folder.remove(id)
      }, 'exclusive')
    } catch {
      // It stays a folder without rows; the decision log says what has become of its message (lib/fsck.ts).
    }
  }

  /**
   * Gives a message that somebody waits in its bytes again, which were lost or damaged, durably.
   * @param spoolFolder has the same message
   * @returns whether it has moved there; not where nobody waits any more
   * @throws Failure (75)
   */
  restoreMessage(spoolFolder: string, id: string): boolean {
    return this.db.transaction(() => {
      if (!this.#isWaiting(id)) return false
      this.folder.restoreMessage(spoolFolder, this.envelopeOf(id))
      return true
    }, 'exclusive')
  }

  /** The envelope as the rows have it: when it was held stays the time of its first run. */
  protected envelopeOf(id: string): HoldEnvelope {
    const { notifiedAt: _, recipients: __, ...facts } = toMessage(this.row(id), [])
    return { ...facts, recipients: this.waitingIn(id) }
  }

  /** How much waits. The database keeps count with every change. */
  load(): Load {
    const load = this.db.get<Load>('SELECT messages, recipients, bytes FROM load')
    return load ?? { messages: 0, recipients: 0, bytes: 0 }
  }

  /** @returns whether it is new */
  #insertHold(envelope: HoldEnvelope): boolean {
    const { id, queueId, sender, sha256, size, subject, messageId, client, heldAt, expiresAt } = envelope
    const sql = `INSERT INTO hold (id, queue_id, sender, sha256, size, subject, message_id, client, held_at, expires_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
    const about = [sender, sha256, size, subject, messageId, JSON.stringify(client)]
    return this.db.run(sql, id, queueId, ...about, heldAt, expiresAt) === 1
  }

  /** All in one statement. @returns how many are new */
  #insertRecipients(
    id: string,
    recipients: readonly Pick<Recipient, 'address' | 'state' | 'reason' | 'detail'>[],
    queueId: string,
    at: number,
  ): number {
    const sql = `INSERT INTO recipient (hold, address, state, reason, detail, queue_id, changed_by, changed_at)
                 SELECT ?, value ->> 'address', value ->> 'state', value ->> 'reason', value ->> 'detail', ?,
                   'toeh-filter', ? FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`
    return this.db.run(sql, id, queueId, at, JSON.stringify(recipients))
  }

  /** Who waits in a message, as envelope.json has them. */
  protected waitingIn(id: string): HeldRecipient[] {
    return this.db.all<HeldRecipient>(
      `SELECT address, iif(reason = 'refused', 'refused', 'held') AS state, reason, detail
       FROM recipient WHERE hold = ? AND state IN ${WAITING} ORDER BY address`,
      id,
    )
  }

  /** Notes which recipients of a held message were sent on, so that a retry does not send to them again. */
  recordPassed(id: string, addresses: readonly string[], queueId: string, at: number): void {
    const passed = { state: 'passed', reason: 'known', detail: '' } as const
    this.#insertRecipients(
      id,
      addresses.map((address) => ({ address, ...passed })),
      queueId,
      at,
    )
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
      this.#select(
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
  #select(rest: string, ...values: number[]): HeldMessage[] {
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

  /**
   * Claims recipients for a release: held or refused → releasing, in one transaction. With `again`, also those of
   * a release that was cut off, once it cannot be alive any more.
   * @returns the addresses this call has claimed; another process's are not among them
   */
  claim(id: string, addresses: readonly string[], again: boolean, actor: Actor): string[] {
    const sql = `UPDATE recipient SET state = 'releasing', changed_by = ?, changed_at = ? WHERE hold = ? AND address = ?
                 AND (state IN ('held', 'refused') OR (? AND state = 'releasing' AND changed_at <= ?))`
    const abandoned = actor.at - RELEASE_ABANDONED_MS
    const claimed = this.db.transaction(() =>
      addresses.filter(
        (address) => this.db.run(sql, actor.who, actor.at, id, address, again ? 1 : 0, abandoned) === 1,
      ),
    )
    try {
      // Before anything is sent: a database restored from a backup would not know of it.
      this.folder.recordMoves(id, movesTo('releasing', claimed, actor))
    } catch (error) {
      this.unclaim(id, claimed, describeError(error), actor)
      throw error
    }
    return claimed
  }

  /** releasing → released, with the id Postfix gave. */
  settleReleased(id: string, addresses: readonly string[], queueId: string, actor: Actor): void {
    this.db.transaction(() => {
      for (const address of addresses) {
        this.move(id, address, 'released', actor, `state = 'releasing'`, queueId)
      }
    })
    this.#noteMoves(id, 'released', addresses, actor, queueId)
  }

  /** In the folder too, where it can be: it is committed already. */
  #noteMoves(id: string, state: State, addresses: readonly string[], actor: Actor, queueId = ''): void {
    try {
      this.folder.recordMoves(id, movesTo(state, addresses, actor, queueId))
    } catch {
      // A full disk: the database has it, and the next backup will.
    }
  }

  /**
   * releasing → what it was before, with what the release failed on. A claim that somebody else has taken over since, because it
   * looked dead, is his: he may be sending.
   * @param claim who has claimed them, and when
   */
  unclaim(id: string, addresses: readonly string[], detail: string, claim: Actor): void {
    const sql = `UPDATE recipient SET state = iif(reason = 'refused', 'refused', 'held'), detail = ?
                 WHERE hold = ? AND address = ? AND state = 'releasing' AND changed_by = ? AND changed_at = ?`
    const given = this.db.transaction(() =>
      addresses.filter((address) => this.db.run(sql, detail, id, address, claim.who, claim.at) === 1),
    )
    this.#noteMoves(id, 'held', given, claim)
  }

  /** Notes why a release may or may not have gone out; the recipients stay in releasing. */
  noteDoubt(id: string, addresses: readonly string[], detail: string): void {
    this.db.transaction(() => {
      for (const address of addresses) {
        this.db.run('UPDATE recipient SET detail = ? WHERE hold = ? AND address = ?', detail, id, address)
      }
    })
  }

  /**
   * held or refused → rejected, or → expired, all at once; with `again` also what {@link claim} would take again.
   * @param note why, for the audit; or empty
   * @returns the addresses that were moved
   */
  settle(
    id: string,
    addresses: readonly string[],
    state: 'rejected' | 'expired',
    actor: Actor,
    again = false,
    note = '',
  ): string[] {
    const abandoned = ` OR (state = 'releasing' AND changed_at <= ${actor.at - RELEASE_ABANDONED_MS})`
    const from = `(state IN ('held', 'refused')${again ? abandoned : ''})`
    const moved = this.db.transaction(() =>
      addresses.filter((address) => this.move(id, address, state, actor, from, '', note)),
    )
    this.#noteMoves(id, state, moved, actor)
    return moved
  }

  /** Whether {@link restore} would take back this rejection. */
  isRestorable(id: string, address: string, rejection: Actor): boolean {
    const sql = `SELECT 1 FROM recipient WHERE hold = ? AND address = ? AND ${REJECTED_THEN}`
    const isThere = this.#isWaiting(id) && this.folder.has(id)
    return isThere && this.db.get(sql, id, address, rejection.who, rejection.at) !== undefined
  }

  /**
   * rejected → what it was before, while others of the message wait: its bytes are there. Under the write lock, which whoever
   * takes the bytes away takes too.
   * @param rejection who has rejected it, and when: no later one is taken back
   * @returns whether it waits again
   */
  restore(id: string, address: string, rejection: Actor, actor: Actor): boolean {
    return this.db.transaction(() => {
      if (!this.#isWaiting(id) || !this.folder.has(id)) return false
      const sql = `UPDATE recipient SET state = iif(reason = 'refused', 'refused', 'held'), changed_by = ?, changed_at = ?
                   WHERE hold = ? AND address = ? AND ${REJECTED_THEN}`
      if (this.db.run(sql, actor.who, actor.at, id, address, rejection.who, rejection.at) !== 1) return false
      appendAudit(this.db, {
        ...actor,
        what: 'restored',
        subject: `${id} ${address}`,
        was: 'rejected',
        now: 'held',
      })
      this.folder.rewrite(this.envelopeOf(id))
      // Before the commit: else toeh fsck would take the folder's word that it is rejected.
      this.folder.recordMoves(id, movesTo('held', [address], actor))
      return true
    })
  }

  /** @param from the SQL condition that the row must meet: compare and set */
  protected move(
    id: string,
    address: string,
    to: State,
    actor: Actor,
    from: string,
    queueId = '',
    note = '',
  ): boolean {
    const was = this.db.get<{ state: State }>(
      'SELECT state FROM recipient WHERE hold = ? AND address = ?',
      id,
      address,
    )
    const sql = `UPDATE recipient SET state = ?, queue_id = ?, changed_by = ?, changed_at = ?
                 WHERE hold = ? AND address = ? AND ${from}`
    if (this.db.run(sql, to, queueId, actor.who, actor.at, id, address) !== 1) return false
    appendAudit(this.db, {
      ...actor,
      what: to,
      subject: `${id} ${address}`,
      was: was?.state ?? '',
      now: queueId || (note === '' ? to : `${to}: ${note}`),
    })
    return true
  }

  /**
   * Removes the bytes of a hold whose last recipient has left; the rows stay. The write lock keeps a late retry of
   * the filter from joining a folder that is about to go.
   */
  removeSettled(id: string): void {
    this.db.transaction(() => {
      if (!this.#isWaiting(id)) this.folder.remove(id)
    })
  }

  /**
   * Removes the bytes of messages whose last recipient has left since this was last called, where they are still there:
   * the run that was to do it was cut off. A message is forgotten only once its folder is gone for good.
   * @returns how many were still there
   */
  removeLeft(): number {
    const ids = this.db.all<{ hold: string }>('SELECT hold FROM leaving').map(({ hold }) => hold)
    if (ids.length === 0) return 0
    const left = ids.filter((id) => this.folder.isThere(id))
    for (const id of left) this.removeSettled(id)
    syncPath(this.folder.root)
    this.db.run('DELETE FROM leaving WHERE hold IN (SELECT value FROM json_each(?))', JSON.stringify(ids))
    return left.filter((id) => !this.folder.isThere(id)).length
  }

  /**
   * Counts all that wait and compares it with what is kept. Nothing of ours makes the two differ; but a message that is
   * counted wrongly would be neither listed nor expired, so it is not taken on trust.
   * @param mend whether to put it right
   * @returns what was wrong: ids of messages, and `load`, the sum of all
   */
  recount(mend: boolean): string[] {
    const wrong = this.db.still(() => this.db.all<{ id: string }>(MISCOUNTED)).map(({ id }) => id)
    if (!mend || wrong.length === 0) return wrong
    return this.db.transaction(() => {
      // What looked wrong may have been in the middle of a change.
      const ids = this.db.all<{ id: string }>(MISCOUNTED).map(({ id }) => id)
      const counted = `SELECT count(*) FROM recipient WHERE recipient.hold = hold.id AND state IN ${WAITING}`
      const sql = `UPDATE hold SET waiting = (${counted}) WHERE id IN (SELECT value FROM json_each(?))`
      this.db.run(sql, JSON.stringify(ids))
      this.db.run('DELETE FROM load')
      this.db.run(`INSERT INTO load SELECT count(*), coalesce(sum(waiting), 0), coalesce(sum(size), 0) FROM hold
                   WHERE waiting > 0`)
      return ids
    })
  }

  /** What the rows say of a folder: nothing, that somebody waits in it, or that its bytes may go. */
  standing(id: string): 'unknown' | 'waiting' | 'settled' {
    if (this.db.get('SELECT 1 FROM hold WHERE id = ?', id) === undefined) return 'unknown'
    return this.#isWaiting(id) ? 'waiting' : 'settled'
  }

  #isWaiting(id: string): boolean {
    return (
      this.db.get(`SELECT 1 FROM recipient WHERE hold = ? AND state IN ${WAITING} LIMIT 1`, id) !== undefined
    )
  }

  /**
   * Takes messages that have expired and that no other cleanup has in hand.
   * @param staleBefore a claim older than this was left by a cleanup that died
   */
  claimExpired(now: number, staleBefore: number): HeldMessage[] {
    return this.db.transaction(() => {
      const expired = `expires_at <= ? AND (closing_at IS NULL OR closing_at < ?) AND ${ANSWERABLE} ORDER BY expires_at, id`
      const messages = this.#select(expired, now, staleBefore)
      for (const { id } of messages) this.db.run('UPDATE hold SET closing_at = ? WHERE id = ?', now, id)
      return messages
    })
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

  /**
   * Lets messages wait from `last` on that were due at `last` and that the cleanup of that time did not know: a clock
   * that was behind has written their times.
   * @param known ids of messages that it could not end
   * @returns the ids of those that were put off
   */
  putOff(last: number, known: readonly string[]): string[] {
    const from = `waiting > 0 AND expires_at <= ? AND held_at <= expires_at AND closing_at IS NULL AND ${ANSWERABLE}
                  AND id NOT IN (SELECT value FROM json_each(?))`
    const late = JSON.stringify(known)
    return this.db.transaction(() => {
      const ids = this.db.all<{ id: string }>(`SELECT id FROM hold WHERE ${from}`, last, late)
      for (const { id } of ids)
        this.db.run('UPDATE hold SET expires_at = ? + expires_at - held_at WHERE id = ?', last, id)
      return ids.map(({ id }) => id)
    })
  }

  /** Gives an expired message back to the next cleanup. */
  unclaimExpired(id: string): void {
    this.db.run('UPDATE hold SET closing_at = NULL WHERE id = ?', id)
  }

  /** Messages that wait and that nobody was told about. */
  unnotified(): HeldMessage[] {
    return this.db.still(() => this.#select(`notified_at IS NULL AND ${ANSWERABLE} ORDER BY held_at, id`))
  }

  /** Notes that people were told of these messages. */
  recordNotified(ids: readonly string[], at: number): void {
    this.db.transaction(() => {
      for (const id of ids) this.db.run('UPDATE hold SET notified_at = ? WHERE id = ?', at, id)
    })
  }

  /**
   * Takes the right to send one notice about this sender's mail: at most one an interval, however many runs ask.
   * @returns whether this call has it
   */
  claimNotice(sender: string, now: number, intervalMs: number): boolean {
    const sql = `INSERT INTO notice (sender, sent_at) VALUES (?, ?) ON CONFLICT (sender)
                 DO UPDATE SET sent_at = excluded.sent_at WHERE notice.sent_at <= excluded.sent_at - ?`
    return this.db.run(sql, sender, now, intervalMs) === 1
  }
}
