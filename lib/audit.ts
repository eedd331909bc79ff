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
  /** `allow`, `block`, `revoke`, `released`, `rejected`, `expired`. */
  what: string
  /** The rule's value, or `hold recipient`. */
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

/** Appends; call it inside the transaction that does the deed, so that neither stands without the other. */
export function appendAudit(db: Database, deed: Deed): void {
  const previous = db.get<{ hash: string }>('SELECT hash FROM audit ORDER BY id DESC LIMIT 1')?.hash ?? ''
  const { at, who, what, subject, was, now } = deed
  const sql = 'INSERT INTO audit (at, who, what, subject, was, now, hash) VALUES (?, ?, ?, ?, ?, ?, ?)'
  db.run(sql, at, who, what, subject, was, now, chainHash(previous, deed))
}
