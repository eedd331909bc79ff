/**
 * Erasure: what the database holds of a person, and what takes it out; and what goes by itself once it is old. It goes through
 * every table, as nobody else does.
 */
import { type Actor, appendAudit, auditNaming, redactAudit } from '../database/audit.js'
import type { Database } from '../database/database.js'
import { Progress } from '../database/progress.js'
import type { Redaction } from '../mail/redaction.js'
import type { HoldFolder } from './folder.js'

/**
 * So long Postfix may hand a message over again that the hold has settled (maximal_queue_lifetime: five days). Its rows say then
 * to whom it went; without them it would go there once more.
 */
export const RETRY_MS = 7 * 86_400_000

/** A message of the hold in which somebody is named. */
export interface NamedMessage {
  id: string
  heldAt: number
  /** How many of its recipients wait, whoever they are. */
  waiting: number
  /** Whether it is the sender who is named. */
  asSender: boolean
}

export interface NamedRule {
  id: number
  /** Whether it is in force and for this address, or for its mail: then it is a person's to end. */
  inForce: boolean
}

/** Where the database names somebody. */
export interface Naming {
  messages: NamedMessage[]
  rules: NamedRule[]
  /** Tokens of notices, answered or not. */
  tokens: number
  /** Senders whose last notice is remembered. */
  notices: number
  audit: { id: number; at: number; what: string }[]
}

interface HoldRow {
  id: string
  sender: string
  subject: string
  message_id: string
  client: string
  held_at: number
  waiting: number
}

interface RecipientRow {
  hold: string
  address: string
  detail: string
  changed_by: string
}

interface RuleRow {
  id: number
  value: string
  scope: string
  added_by: string
  source: string
  note: string
  revoked_by: string | null
  live: number
}

/** The name in `progress` of what is left to do to the file. */
const COMPACT = 'file to be written anew'

/** A condition that one of the domains is in these columns; its value is {@link Redaction.domains}. */
function namesOneOf(...columns: string[]): string {
  const text = columns.map((column) => `coalesce(${column}, '')`).join(' || char(10) || ')
  return `EXISTS (SELECT 1 FROM json_each(?) AS named WHERE instr(lower(${text}), named.value) > 0)`
}

export class Erasure {
  readonly #db: Database
  readonly #folder: HoldFolder

  constructor(db: Database, folder: HoldFolder) {
    this.#db = db
    this.#folder = folder
  }

  /** Where somebody is named, now. */
  async naming(redaction: Redaction, now: number): Promise<Naming> {
    return this.#db.still(() => this.#naming(redaction, now))
  }

  #naming(redaction: Redaction, now: number): Naming {
    const holds = this.#holds(redaction)
    return {
      messages: holds.map(({ id, sender, held_at, waiting }) => ({
        ...{ id, heldAt: held_at, waiting },
        asSender: redaction.touches(sender),
      })),
      rules: this.#rules(redaction, now).map(({ id, live, value, scope }) => ({
        id,
        inForce: live === 1 && (redaction.touches(value) || redaction.touches(scope)),
      })),
      tokens: this.#tokens(redaction).length,
      notices: this.#notices(redaction).length,
      audit: auditNaming(this.#db, redaction),
    }
  }

  #holds(redaction: Redaction): HoldRow[] {
    const rows = this.#db.all<HoldRow>(
      `SELECT id, sender, subject, message_id, client, held_at, waiting FROM hold
       WHERE ${namesOneOf('sender', 'subject', 'message_id', 'client')}
       OR id IN (SELECT hold FROM recipient WHERE ${namesOneOf('address', 'detail', 'changed_by')}) ORDER BY held_at, id`,
      redaction.domains,
      redaction.domains,
    )
    const among = new Set(this.#recipients(redaction).map(({ hold }) => hold))
    return rows.filter(
      ({ id, sender, subject, message_id, client }) =>
        among.has(id) || [sender, subject, message_id, client].some((text) => redaction.touches(text)),
    )
  }

  #recipients(redaction: Redaction): RecipientRow[] {
    const sql = `SELECT hold, address, detail, changed_by FROM recipient WHERE ${namesOneOf('address', 'detail', 'changed_by')}`
    return this.#db
      .all<RecipientRow>(sql, redaction.domains)
      .filter((row) => [row.address, row.detail, row.changed_by].some((text) => redaction.touches(text)))
  }

  #rules(redaction: Redaction, now: number): RuleRow[] {
    const columns = ['value', 'scope', 'added_by', 'source', 'note', 'revoked_by'] as const
    const live = 'revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?)'
    const sql = `SELECT id, ${columns.join(', ')}, ${live} AS live FROM rule WHERE ${namesOneOf(...columns)} ORDER BY id`
    return this.#db
      .all<RuleRow>(sql, now, redaction.domains)
      .filter((row) => columns.some((column) => redaction.touches(row[column] ?? '')))
  }

  #tokens(redaction: Redaction): { hash: string; recipients: string; approver: string }[] {
    const sql = `SELECT hash, recipients, approver FROM token WHERE ${namesOneOf('recipients', 'approver')}`
    return this.#db
      .all<{ hash: string; recipients: string; approver: string }>(sql, redaction.domains)
      .filter(({ recipients, approver }) => redaction.touches(recipients) || redaction.touches(approver))
  }

  #notices(redaction: Redaction): string[] {
    return this.#db
      .all<{ sender: string }>(`SELECT sender FROM notice WHERE ${namesOneOf('sender')}`, redaction.domains)
      .map(({ sender }) => sender)
      .filter((sender) => redaction.touches(sender))
  }

  /**
   * Puts pseudonyms in the place of a person everywhere, in one transaction, with a deed `forget` in the audit. Of a message that
   * names them the subject, the Message-ID and, where they are its sender, the client go too.
   * @param demandFree is shown what is there, under the lock, and throws where it must stay
   * @throws Failure, with nothing changed
   */
  async forget(
    redaction: Redaction,
    pseudonyms: readonly string[],
    actor: Actor,
    demandFree: (naming: Naming) => void,
  ): Promise<Naming> {
    this.#db.overwriteDeleted()
    return this.#db.transaction(() => {
      const naming = this.#naming(redaction, actor.at)
      demandFree(naming)
      for (const message of this.#holds(redaction)) this.#redactHold(message, redaction)
      for (const row of this.#recipients(redaction)) this.#redactRecipient(row, redaction)
      for (const { hash, recipients, approver } of this.#tokens(redaction)) {
        const left = JSON.stringify(redaction.redactAll(JSON.parse(recipients)))
        const sql = 'UPDATE token SET recipients = ?, approver = ? WHERE hash = ?'
        this.#db.run(sql, left, redaction.redact(approver), hash)
      }
      for (const sender of this.#notices(redaction))
        this.#db.run('DELETE FROM notice WHERE sender = ?', sender)
      for (const rule of this.#rules(redaction, actor.at)) this.#redactRule(rule, redaction)
      const rows = redactAudit(this.#db, redaction, actor)
      appendAudit(this.#db, {
        ...actor,
        what: 'forget',
        subject: pseudonyms.join(' '),
        was: '',
        now: `messages ${naming.messages.length}, rules ${naming.rules.length}, audit rows ${rows}`,
      })
      new Progress(this.#db).set(COMPACT, String(actor.at))
      return naming
    }, 'exclusive')
  }

  #redactHold({ id, sender, client }: HoldRow, redaction: Redaction): void {
    // Bytes that a cut-off run has left: cleanup would take them away.
    if (this.#folder.isThere(id)) this.#folder.remove(id)
    const fields = JSON.parse(client) as Record<string, string>
    const left = redaction.touches(sender)
      ? Object.fromEntries(Object.keys(fields).map((key) => [key, '']))
      : redaction.redactAll(fields)
    const sql = `UPDATE hold SET sender = ?, subject = '', message_id = '', client = ? WHERE id = ?`
    this.#db.run(sql, redaction.redact(sender), JSON.stringify(left), id)
  }

  #redactRecipient({ hold, address, detail, changed_by }: RecipientRow, redaction: Redaction): void {
    const sql = `UPDATE OR IGNORE recipient SET address = ?, detail = ?, changed_by = ? WHERE hold = ? AND address = ?`
    const values = [address, detail, changed_by].map((text) => redaction.redact(text))
    if (this.#db.run(sql, ...values, hold, address) === 1) return
    // The same person in another spelling: one row is left of the two.
    this.#db.run('DELETE FROM recipient WHERE hold = ? AND address = ?', hold, address)
  }

  #redactRule(rule: RuleRow, redaction: Redaction): void {
    const { id, value, scope, added_by, source, note, revoked_by } = rule
    const values = [value, scope, added_by, source, note].map((text) => redaction.redact(text))
    const by = revoked_by === null ? null : redaction.redact(revoked_by)
    const sql = `UPDATE rule SET value = ?, scope = ?, added_by = ?, source = ?, note = ?, revoked_by = ? WHERE id = ?`
    this.#db.run(sql, ...values, by, id)
  }

  /**
   * Writes the database's file anew where a person was forgotten since it last was, so that what was written over is in none of
   * its free places. Until it has been done it is asked for again.
   * @returns whether it was done
   */
  async compact(): Promise<boolean> {
    const progress = new Progress(this.#db)
    if (progress.get(COMPACT) === undefined) return false
    this.#db.compact()
    progress.remove(COMPACT)
    return true
  }

  /**
   * Removes what the hold remembers of messages of which nobody waits any more and that were settled before a time, with the tokens
   * of their notices. One that is younger than {@link RETRY_MS} stays whatever that time is.
   * @returns how many messages went
   */
  async pruneSettled(before: number, now: number): Promise<number> {
    const end = Math.min(before, now - RETRY_MS)
    this.#db.overwriteDeleted()
    let gone = 0
    // In pieces: nobody who has somebody to park waits for all of it.
    for (let last: string | undefined = ''; last !== undefined; ) {
      const from: string = last
      last = this.#db.transaction(() => {
        const ids = this.#oldAfter(from, end)
        // A folder that a cut-off run has left goes first: cleanup does that, and knows it by its rows.
        const these = ids.filter((id) => !this.#folder.isThere(id))
        const asked = JSON.stringify(these)
        this.#db.run('DELETE FROM token WHERE hold IN (SELECT value FROM json_each(?))', asked)
        this.#db.run('DELETE FROM recipient WHERE hold IN (SELECT value FROM json_each(?))', asked)
        this.#db.run('DELETE FROM hold WHERE id IN (SELECT value FROM json_each(?))', asked)
        gone += these.length
        return ids.at(-1)
      })
    }
    return gone
  }

  /** Settled messages from an id on, so many at once. */
  #oldAfter(id: string, end: number): string[] {
    const sql = `SELECT id FROM hold WHERE id > ? AND waiting = 0 AND held_at < ?
                 AND NOT EXISTS (SELECT 1 FROM recipient WHERE recipient.hold = hold.id AND changed_at >= ?)
                 AND NOT EXISTS (SELECT 1 FROM leaving WHERE leaving.hold = hold.id) ORDER BY id LIMIT 1000`
    return this.#db.all<{ id: string }>(sql, id, end, end).map((row) => row.id)
  }

  /**
   * Removes rules that ended before a time, with their uses: the audit has said as long who made and ended them.
   * @returns how many went
   */
  async pruneRules(before: number): Promise<number> {
    this.#db.overwriteDeleted()
    return this.#db.transaction(() => {
      const ended = 'SELECT id FROM rule WHERE coalesce(revoked_at, ends_at) < ?'
      this.#db.run(`DELETE FROM rule_use WHERE rule IN (${ended})`, before)
      return this.#db.run(`DELETE FROM rule WHERE id IN (${ended})`, before)
    })
  }

  /** Forgets when senders were last told, where that was before a time. @returns how many */
  async pruneNotices(before: number): Promise<number> {
    return this.#db.run('DELETE FROM notice WHERE sent_at < ?', before)
  }
}
