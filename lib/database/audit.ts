/** The audit: what people did, append-only, each row chained to the one before by its hash. */
import { createHash, randomBytes } from 'node:crypto'
import type { Redaction } from '../mail/redaction.js'
import type { Database } from './database.js'
import { Progress } from './progress.js'

/** Who acts, and when. */
export interface Actor {
  /** The person, by login name; `cleanup` for the timer. */
  who: string
  /** Milliseconds since 1970. */
  at: number
}

export interface Deed extends Actor {
  /**
   * `allow`, `block`, `revoke`, `released`, `rejected`, `restored`, `expired`, `answered`, `bounced`, `read`, `saved`, `mode`,
   * `forget`, `erased`.
   */
  what: string
  /** The rule's value, `hold recipient`, or the configuration. */
  subject: string
  was: string
  now: string
}

function sha256(values: readonly (string | number)[]): string {
  // As a JSON array, so that no two lists read the same.
  return createHash('sha256').update(JSON.stringify(values)).digest('hex')
}

/**
 * What stands in the chain for the words of a deed that name people. With the salt gone nobody can try out whom they named,
 * and the chain still follows: that is how a person is forgotten (docs/data-protection.md).
 */
export function sealOf(salt: string, { who, subject, was, now }: Deed): string {
  return sha256([salt, who, subject, was, now])
}

/**
 * The hash of a row: over the previous one, when, what, and the seal of the rest. Rows of older versions have no salt, and
 * their words stand in it themselves.
 */
export function chainHash(previous: string, deed: Deed, salt = ''): string {
  const { at, who, what, subject, was, now } = deed
  if (salt === '') return sha256([previous, at, who, what, subject, was, now])
  return sealedHash(previous, deed, sealOf(salt, deed))
}

function sealedHash(previous: string, { at, what }: Pick<Deed, 'at' | 'what'>, seal: string): string {
  return sha256([previous, at, what, seal])
}

/** What a deed `erased` says of the row that it has changed: everything in that row, as it is from then on. */
function standingOf({ hash, seal, at, who, what, subject, was, now }: StoredRow): string {
  return sha256([hash, seal ?? '', at, who, what, subject, was, now])
}

/** The row that a deed `erased` speaks of. */
const ERASED = /^row ([0-9]+)$/

const ANCHOR = 'audit anchor'

/** Rows that are read at once. */
const PIECE = 1000

/** The hash before the first row that is still there; empty where none was ever removed. */
function anchorOf(db: Database): string {
  return new Progress(db).get(ANCHOR) ?? ''
}

/** Appends; call it inside the transaction that does the deed, so that neither stands without the other. */
export function appendAudit(db: Database, deed: Deed): void {
  const last = db.get<{ hash: string }>('SELECT hash FROM audit ORDER BY id DESC LIMIT 1')
  const previous = last?.hash ?? anchorOf(db)
  const { at, who, what, subject, was, now } = deed
  const salt = randomBytes(16).toString('hex')
  const hash = chainHash(previous, deed, salt)
  const sql =
    'INSERT INTO audit (at, who, what, subject, was, now, salt, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
  db.run(sql, at, who, what, subject, was, now, salt, hash)
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
  /** Empty in rows of older versions, and where a person was forgotten. */
  salt: string
  /** Of a row in which a person was forgotten: the seal of what it said; empty where it had no salt. Else null. */
  seal: string | null
}

/** Whether a row follows from the hash before it. What a row without a salt said before it was redacted nobody can tell. */
function follows(previous: string, row: StoredRow): boolean {
  if (row.seal === null) return row.hash === chainHash(previous, row, row.salt)
  return row.seal === '' || row.hash === sealedHash(previous, row, row.seal)
}

/** What the chain says of itself. */
export interface AuditState {
  rows: number
  /** The id of the first row that does not follow from the one before, or null. */
  broken: number | null
  /** How many of them have pseudonyms in them for people who were forgotten since. */
  erased: number
  /** The hash of the last row: noted elsewhere, it shows rows that were cut off at the end. */
  head: string
}

/** Rows, oldest first, so many at once: it only grows, and no writer has to wait until all of it is read. */
function* pieces<Row>(
  db: Database,
  columns: string,
  fits: string,
  ...values: (string | number | null)[]
): Generator<Row[]> {
  const end = `SELECT max(id) AS id FROM (SELECT id FROM audit WHERE id > ? ORDER BY id LIMIT ${PIECE})`
  const sql = `SELECT ${columns} FROM audit WHERE id > ? AND id <= ? AND ${fits} ORDER BY id`
  for (let from = Number.MIN_SAFE_INTEGER; ; ) {
    const to = db.get<{ id: number | null }>(end, from)?.id ?? null
    if (to === null) return
    yield db.all<Row>(sql, from, to, ...values)
    from = to
  }
}

/**
 * Follows the chain from the first row to the last, or to the first that does not fit. A row that was redacted fits where the
 * last deed `erased` that speaks of it says so: those stand in the chain behind it.
 */
export function verifyAudit(db: Database): AuditState {
  const anchor = anchorOf(db)
  let head = anchor
  let rows = 0
  const redacted = new Map<number, string>()
  const vouched = new Map<number, string>()
  for (const piece of pieces<StoredRow>(db, '*', 'true')) {
    for (const row of piece) {
      if (!follows(head, row)) {
        // Somebody has removed the oldest meanwhile.
        if (anchorOf(db) !== anchor) return verifyAudit(db)
        return { rows, broken: row.id, erased: 0, head }
      }
      const [, of] = row.what === 'erased' ? (ERASED.exec(row.subject) ?? []) : []
      if (of !== undefined) vouched.set(Number(of), row.now)
      if (row.seal !== null) redacted.set(row.id, standingOf(row))
      head = row.hash
      rows++
    }
  }
  const broken = [...redacted].find(([id, standing]) => vouched.get(id) !== standing)?.[0] ?? null
  if (broken === null) return { rows, broken, erased: redacted.size, head }
  // Somebody was forgotten meanwhile: that row is not any more what was read.
  const now = db.get<StoredRow>('SELECT * FROM audit WHERE id = ?', broken)
  if (now === undefined || standingOf(now) !== redacted.get(broken)) return verifyAudit(db)
  return { rows, broken, erased: redacted.size, head }
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
    const found = pieces<StoredRow>(this.#db, columns, fits, since, end, subject, ...named)
    return [...found].flatMap((rows) => this.#withMail(rows))
  }

  /** The deeds of a person's last command that did more than read, oldest first: all those of one moment. */
  async lastAct(who: string): Promise<AuditRow[]> {
    const changing = `who = ? AND what NOT IN ('read', 'saved', 'erased')`
    const sql = `SELECT at FROM audit WHERE ${changing} ORDER BY id DESC LIMIT 1`
    const last = this.#db.get<{ at: number }>(sql, who)
    if (last === undefined) return []
    const deeds = `SELECT id, at, who, what, subject, was, now FROM audit WHERE ${changing} AND at = ? ORDER BY id`
    return this.#withMail(this.#db.all<StoredRow>(deeds, who, last.at))
  }

  /** A deed about held mail has its hold id first in its subject. */
  #withMail(rows: readonly StoredRow[]): AuditRow[] {
    const sql = 'SELECT id, sender, subject FROM hold WHERE id IN (SELECT value FROM json_each(?))'
    const ids = rows.map(({ subject }) => subject.slice(0, 12))
    const mails = this.#db.all<{ id: string; sender: string; subject: string }>(sql, JSON.stringify(ids))
    const byId = new Map(mails.map(({ id, ...mail }) => [id, mail]))
    return rows.map((row) => ({ ...row, mail: byId.get(row.subject.slice(0, 12)) ?? null }))
  }

  /** Whether the whole of it is as it was written. */
  async verify(): Promise<AuditState> {
    return verifyAudit(this.#db)
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
      new Progress(this.#db).set(ANCHOR, end.hash)
      return this.#db.run('DELETE FROM audit WHERE id <= ?', end.id)
    })
  }
}

/** The rows of the audit that name somebody. */
export function auditNaming(db: Database, redaction: Redaction): { id: number; at: number; what: string }[] {
  return rowsNaming(db, redaction).map(({ id, at, what }) => ({ id, at, what }))
}

function rowsNaming(db: Database, redaction: Redaction): StoredRow[] {
  const text = `lower(who || char(10) || subject || char(10) || was || char(10) || now)`
  const sql = `SELECT * FROM audit WHERE EXISTS (SELECT 1 FROM json_each(?) WHERE instr(${text}, value) > 0) ORDER BY id`
  return db
    .all<StoredRow>(sql, redaction.domains)
    .filter(({ who, subject, was, now }) => [who, subject, was, now].some((part) => redaction.touches(part)))
}

/**
 * Puts pseudonyms in the place of a person in every row, inside the caller's transaction. Each row keeps its hash, so that those
 * behind it follow from it as before; of what it said its seal remains, and a deed `erased` at the end of the chain says
 * what the row says now, so that nobody can change it once more unseen.
 * @returns how many rows were changed
 */
export function redactAudit(db: Database, redaction: Redaction, actor: Actor): number {
  const sql = `UPDATE audit SET who = ?, subject = ?, was = ?, now = ?, salt = '', seal = ? WHERE id = ?`
  const rows = rowsNaming(db, redaction)
  for (const row of rows) {
    const seal = row.seal ?? (row.salt === '' ? '' : sealOf(row.salt, row))
    const who = redaction.redact(row.who)
    const subject = redaction.redact(row.subject)
    const [was, now] = [redaction.redact(row.was), redaction.redact(row.now)]
    db.run(sql, who, subject, was, now, seal, row.id)
    const left = standingOf({ ...row, who, subject, was, now, seal })
    appendAudit(db, { ...actor, what: 'erased', subject: `row ${row.id}`, was: '', now: left })
  }
  return rows.length
}

/** When the newest entry of audit or hold was made, milliseconds since 1970; 0 where there is none. */
export function newestEntry(db: Database): number {
  const sql = 'SELECT max(at) AS newest FROM (SELECT at FROM audit UNION ALL SELECT held_at FROM hold)'
  return db.get<{ newest: number | null }>(sql)?.newest ?? 0
}
