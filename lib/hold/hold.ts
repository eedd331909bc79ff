/** The hold: parked messages and the state of each of their recipients. docs/hold.md has the table of states. */
import { type Actor, appendAudit } from '../database/audit.js'
import { describeError } from '../failure.js'
import type { HoldEnvelope, Move } from './folder.js'
import {
  HeldMail,
  type HeldMessage,
  RELEASE_ABANDONED_MS,
  type Recipient,
  type State,
  toMessage,
  unreachedSince,
} from './heldmail.js'

function movesTo(state: State, addresses: readonly string[], { who, at }: Actor, queueId = ''): Move[] {
  return addresses.map((address) => ({ address, state, queueId, who, at }))
}

/** Of a row of `recipient`: that this rejection is what became of it. */
const REJECTED_THEN = `state = 'rejected' AND changed_by = ? AND changed_at = ?`

/** The hold, as it is worked with: recipients are parked, claimed, settled. */
export class Hold extends HeldMail {
  #has(id: string): boolean {
    return this.db.get('SELECT 1 FROM hold WHERE id = ?', id) !== undefined
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
      // It stays a folder without rows; the decision log says what has become of its message (lib/hold/fsck/fsck.ts).
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
      if (!this.isWaiting(id)) return false
      this.folder.restoreMessage(spoolFolder, this.envelopeOf(id))
      return true
    }, 'exclusive')
  }

  /** The envelope as the rows have it: when it was held stays the time of its first run. */
  protected envelopeOf(id: string): HoldEnvelope {
    const { notifiedAt: _, recipients: __, ...facts } = toMessage(this.row(id), [])
    return { ...facts, recipients: this.waitingIn(id) }
  }

  /** @returns whether it is new */
  #insertHold(envelope: HoldEnvelope): boolean {
    const { id, queueId, sender, sha256, size, subject, messageId, client, heldAt, expiresAt } = envelope
    const sql = `INSERT INTO hold (id, queue_id, sender, sha256, size, subject, message_id, client, held_at, expires_at, automatic)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
    const about = [sender, sha256, size, subject, messageId, JSON.stringify(client)]
    return this.db.run(sql, id, queueId, ...about, heldAt, expiresAt, envelope.automatic) === 1
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
    const isThere = this.isWaiting(id) && this.folder.has(id)
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
      if (!this.isWaiting(id) || !this.folder.has(id)) return false
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
      if (!this.isWaiting(id)) this.folder.remove(id)
    })
  }

  /**
   * Notes that people were told of these messages, as they are given. One that somebody has joined meanwhile is left to be told of,
   * and one of which every notice has bounced already.
   * @param at when telling them began
   */
  recordNotified(
    messages: readonly { id: string; recipients: readonly { address: string }[] }[],
    at: number,
  ): void {
    const sql = `UPDATE hold SET notified_at = ? WHERE id = ? AND NOT EXISTS (SELECT 1 FROM recipient
                 WHERE hold = hold.id AND state IN ('held', 'refused') AND address NOT IN (SELECT value FROM json_each(?)))
                 AND NOT (${unreachedSince('?')})`
    this.db.transaction(() => {
      for (const { id, recipients } of messages)
        this.db.run(sql, at, id, JSON.stringify(recipients.map(({ address }) => address)), at, at)
    })
  }

  /** Whether a notice of all its recipients has gone out, also where those to the approvers have come back since. */
  wasTold({ id, notifiedAt, recipients }: HeldMessage): boolean {
    if (notifiedAt !== null) return true
    const newest = Math.max(...recipients.map(({ changedAt }) => changedAt))
    const sql = `SELECT 1 FROM audit WHERE what = 'bounced' AND subject = ? AND at >= ? LIMIT 1`
    return this.db.get(sql, id, newest) !== undefined
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
