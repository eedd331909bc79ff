/**
 * Tokens: 128 bits from the system's random numbers that let one approver answer once for one hold. Only their SHA-256
 * is kept. A used one stays as the record of a yes or a no.
 */
import { createHash, randomBytes } from 'node:crypto'
import { type Actor, appendAudit } from '../database/audit.js'
import type { Database } from '../database/database.js'
import { unreachedSince } from './heldmail.js'

export interface Token {
  hold: string
  /** Those it speaks of: who waited when it was made. */
  recipients: string[]
  /** Folded. */
  approver: string
  /** Milliseconds since 1970. */
  expiresAt: number
  /** SHA-256 of the mail that has used it, or null. */
  usedBy: string | null
  usedAt: number | null
  answer: Answer | null
}

type Row = Omit<Token, 'recipients'> & { recipients: string }

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const COLUMNS =
  'hold, recipients, approver, expires_at AS expiresAt, used_by AS usedBy, used_at AS usedAt, answer'

/** 26 characters of five bits: 128 and two of no meaning. */
function drawToken(): string {
  const bits = [...randomBytes(16)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.padEnd(130, '0').match(/.{5}/g) ?? [])
    .map((five) => ALPHABET[Number.parseInt(five, 2)])
    .join('')
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

export class Tokens {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Makes one; the caller is the only one to see it. */
  issue(of: Pick<Token, 'hold' | 'recipients' | 'approver' | 'expiresAt'>): string {
    const token = drawToken()
    const sql = `INSERT INTO token (hash, hold, recipients, approver, expires_at) VALUES (?, ?, ?, ?, ?)`
    this.#db.run(sql, hashOf(token), of.hold, JSON.stringify(of.recipients), of.approver, of.expiresAt)
    return token
  }

  find(token: string): Token | undefined {
    const row = this.#db.get<Row>(`SELECT ${COLUMNS} FROM token WHERE hash = ?`, hashOf(token))
    return row === undefined ? undefined : { ...row, recipients: JSON.parse(row.recipients) }
  }

  /**
   * Uses it, with one row in the audit: whoever comes second, or too late, gets nothing.
   * @param usedBy SHA-256 of the mail that answers
   * @returns whether it was this call
   */
  use(token: string, answer: Answer, usedBy: string, actor: Actor): boolean {
    const sql = `UPDATE token SET used_at = ?, used_by = ?, answer = ?
                 WHERE hash = ? AND used_at IS NULL AND expires_at > ?`
    return this.#db.transaction(() => {
      const hash = hashOf(token)
      if (this.#db.run(sql, actor.at, usedBy, answer, hash, actor.at) !== 1) return false
      const hold = this.#db.get<{ hold: string }>('SELECT hold FROM token WHERE hash = ?', hash)?.hold ?? ''
      appendAudit(this.#db, { ...actor, what: 'answered', subject: hold, was: '', now: answer })
      return true
    })
  }

  /**
   * Makes it as good as new for any mail, where nothing has come of it, with one row in the audit.
   * @param usedBy SHA-256 of the mail that has used it
   */
  giveBack(token: string, usedBy: string, actor: Actor): void {
    const hash = hashOf(token)
    const where = 'hash = ? AND used_by = ?'
    const sql = `UPDATE token SET used_at = NULL, used_by = NULL, answer = NULL WHERE ${where}`
    this.#db.transaction(() => {
      const row = this.#db.get<Row>(`SELECT ${COLUMNS} FROM token WHERE ${where}`, hash, usedBy)
      if (row === undefined) return
      this.#db.run(sql, hash, usedBy)
      appendAudit(this.#db, { ...actor, what: 'answered', subject: row.hold, was: row.answer ?? '', now: '' })
    })
  }

  /**
   * Notes that the notice with this number did not arrive, with one row in the audit. With no other approver left whom one
   * may have reached, the message counts as one that nobody was told of.
   * @returns the hold; undefined where nobody was given that number, or where it was answered
   */
  recordBounce(token: string, why: string, actor: Actor): string | undefined {
    const sql = 'SELECT hold, approver FROM token WHERE hash = ? AND used_at IS NULL'
    return this.#db.transaction(() => {
      const row = this.#db.get<{ hold: string; approver: string }>(sql, hashOf(token))
      if (row === undefined) return undefined
      const { hold, approver } = row
      appendAudit(this.#db, { ...actor, what: 'bounced', subject: hold, was: approver, now: why })
      this.#db.run(
        `UPDATE hold SET notified_at = NULL WHERE id = ? AND ${unreachedSince('notified_at')}`,
        hold,
      )
      return hold
    })
  }

  /** Every yes that was given for a hold. */
  yeses(hold: string): Yes[] {
    const sql = `SELECT ${COLUMNS} FROM token WHERE hold = ? AND answer IN ('release', 'know') ORDER BY used_at`
    return this.#db.all<Row & { answer: Answer }>(sql, hold).map(({ approver, answer, recipients }) => ({
      approver,
      answer,
      recipients: JSON.parse(recipients) as string[],
    }))
  }

  /**
   * Removes those that have expired before a point in time and whose message does not wait any more.
   * @returns how many
   */
  prune(before: number): number {
    const waits = 'SELECT 1 FROM hold WHERE id = token.hold AND waiting > 0'
    return this.#db.run(`DELETE FROM token WHERE expires_at < ? AND NOT EXISTS (${waits})`, before)
  }
}

/** What an approver's mail may say; `know` is a release whose recipients are known from then on. */
export type Answer = 'release' | 'know' | 'reject'

/** A yes that was given: by whom, how, and for which recipients. */
export interface Yes {
  approver: string
  answer: Answer
  recipients: readonly string[]
}
