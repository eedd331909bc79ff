/** The audit: what people did, append-only, each row chained to the one before by its hash. */
import { createHash } from 'node:crypto'
import type { Database } from './database.js'

/** Who acts, and when. */
export interface Actor {
  /** The person, by login name; `cleanup` for the timer. */
  who: string
  /** Milliseconds since 1970. */
  at: number
}

export interface Deed extends Actor {
  /** `allow`, `block`, `revoke`, `released`, `rejected`, `expired`, `answered`, `bounced`, `read`, `saved`, `mode`. */
  what: string
  /** The rule's value, `hold recipient`, or the configuration. */
  subject: string
  was: string
  now: string
}

/** SHA-256 over the previous hash and this deed, as a JSON array so that no two deeds read the same. */
export function chainHash(previous: string, deed: Deed): string {
  const { at, who, what, subject, was, now } = deed
  return createHash('sha256')
    .update(JSON.stringify([previous, at, who, what, subject, was, now]))
    .digest('hex')
}

const ANCHOR = 'audit anchor'

/** Rows that are read at once. */
const PIECE = 1000

/** The hash before the first row that is still there; empty where none was ever removed. */
function anchorOf(db: Database): string {
  return db.get<{ value: string }>('SELECT value FROM progress WHERE name = ?', ANCHOR)?.value ?? ''
}

/** Appends; call it inside the transaction that does the deed, so that neither stands without the other. */
export function appendAudit(db: Database, deed: Deed): void {
  const last = db.get<{ hash: string }>('SELECT hash FROM audit ORDER BY id DESC LIMIT 1')
  const previous = last?.hash ?? anchorOf(db)
  const { at, who, what, subject, was, now } = deed
  const sql = 'INSERT INTO audit (at, who, what, subject, was, now, hash) VALUES (?, ?, ?, ?, ?, ?, ?)'
  db.run(sql, at, who, what, subject, was, now, chainHash(previous, deed))
}

export interface AuditRow extends Deed {
  id: number
  /** Of the held message that the deed is about, as long as its rows are kept. */
  mail: { sender: string; subject: string } | null
}

/** Which rows: of a person, of a deed, whose subject contains a text, in a time (milliseconds since 1970). */
export interface AuditFilter {
  who?: string | undefined
  what?: string | undefined
  subject?: string | undefined
  since?: number | undefined
  before?: number | undefined
}

interface StoredRow extends Deed {
  id: number
  hash: string
}

/** What the chain says of itself. */
export interface AuditState {
  rows: number
  /** The id of the first row that does not follow from the one before, or null. */
  broken: number | null
  /** The hash of the last row: noted elsewhere, it shows rows that were cut off at the end. */
  head: string
}

export class Audit {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Writes down a deed that changes nothing else. */
  async note(deed: Deed): Promise<void> {
    this.#db.transaction(() => appendAudit(this.#db, deed))
  }

  /** The deeds that fit, oldest first. */
  async list({ who, what, subject = '', since = 0, before }: AuditFilter): Promise<AuditRow[]> {
    const columns = 'id, at, who, what, subject, was, now'
    const fits =
      'at >= ? AND at < ? AND instr(subject, ?) > 0 AND (? IS NULL OR who = ?) AND (? IS NULL OR what = ?)'
    const named = [who ?? null, who ?? null, what ?? null, what ?? null]
    const end = before ?? Number.MAX_SAFE_INTEGER
    const pieces = this.#pieces<StoredRow>(columns, fits, since, end, subject, ...named)
    return [...pieces].flatMap((rows) => this.#withMail(rows))
  }

  /** A deed about held mail has its hold id first in its subject. */
  #withMail(rows: readonly StoredRow[]): AuditRow[] {
    const sql = 'SELECT id, sender, subject FROM hold WHERE id IN (SELECT value FROM json_each(?))'
    const ids = rows.map(({ subject }) => subject.slice(0, 12))
    const mails = this.#db.all<{ id: string; sender: string; subject: string }>(sql, JSON.stringify(ids))
    const byId = new Map(mails.map(({ id, ...mail }) => [id, mail]))
    return rows.map((row) => ({ ...row, mail: byId.get(row.subject.slice(0, 12)) ?? null }))
  }

  /** Rows, oldest first, so many at once: it only grows, and no writer has to wait until all of it is read. */
  *#pieces<Row>(columns: string, fits: string, ...values: (string | number | null)[]): Generator<Row[]> {
    const end = `SELECT max(id) AS id FROM (SELECT id FROM audit WHERE id > ? ORDER BY id LIMIT ${PIECE})`
    const sql = `SELECT ${columns} FROM audit WHERE id > ? AND id <= ? AND ${fits} ORDER BY id`
    for (let from = Number.MIN_SAFE_INTEGER; ; ) {
      const to = this.#db.get<{ id: number | null }>(end, from)?.id ?? null
      if (to === null) return
      yield this.#db.all<Row>(sql, from, to, ...values)
      from = to
    }
  }

  /** Follows the chain from the first row to the last, or to the first that does not fit. */
  async verify(): Promise<AuditState> {
    const anchor = anchorOf(this.#db)
    let head = anchor
    let rows = 0
    for (const piece of this.#pieces<StoredRow>('*', 'true')) {
      for (const row of piece) {
        if (row.hash !== chainHash(head, row)) {
          // Somebody has removed the oldest meanwhile.
          if (anchorOf(this.#db) !== anchor) return this.verify()
          return { rows, broken: row.id, head }
        }
        head = row.hash
        rows++
      }
    }
    return { rows, broken: null, head }
  }

  /** Whether the row with this hash is there: one noted elsewhere, so that rows cut off at the end show. */
  async has(hash: string): Promise<boolean> {
    return this.#db.get('SELECT 1 FROM audit WHERE hash = ?', hash) !== undefined
  }

  /**
   * Removes the oldest rows, up to the first that is not from before that time, and keeps the hash the rest rests on.
   * @returns how many rows went
   */
  async prune(before: number): Promise<number> {
    return this.#db.transaction(() => {
      const end = this.#db.get<{ id: number; hash: string }>(
        `SELECT id, hash FROM audit
         WHERE id < ifnull((SELECT min(id) FROM audit WHERE at >= ?), 9223372036854775807) ORDER BY id DESC LIMIT 1`,
        before,
      )
      if (end === undefined) return 0
      this.#db.run('INSERT OR REPLACE INTO progress (name, value) VALUES (?, ?)', ANCHOR, end.hash)
      return this.#db.run('DELETE FROM audit WHERE id <= ?', end.id)
    })
  }
}

/** When the newest entry of audit or hold was made, milliseconds since 1970; 0 where there is none. */
export function newestEntry(db: Database): number {
  const sql = 'SELECT max(at) AS newest FROM (SELECT at FROM audit UNION ALL SELECT held_at FROM hold)'
  return db.get<{ newest: number | null }>(sql)?.newest ?? 0
}
