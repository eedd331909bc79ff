/** The mark of a backup: what tells a copy from a database that is worked with. */
import type Sqlite from 'better-sqlite3'
import { connect, countRows } from './database.js'

/** Marks a copy as a backup: `toeh` in ASCII, where the SQLite header has room for an application's own number. */
const BACKUP_ID = 0x746f6568

const BACKUP = 'backup taken at'

/** Opens a copy that nobody else has in hand, runs `work` on it, and leaves no journal beside it. */
function onCopy<T>(path: string, readonly: boolean, work: (db: Sqlite.Database) => T): T {
  const db = connect(path, { busySeconds: 0 }, { readonly, fileMustExist: true })
  try {
    if (!readonly) db.pragma('journal_mode = MEMORY')
    return work(db)
  } finally {
    db.close()
  }
}

/** Makes a copy known as a backup of this moment. */
export function markBackup(path: string, at: number): void {
  onCopy(path, false, (db) => {
    db.prepare('INSERT OR REPLACE INTO progress (name, value) VALUES (?, ?)').run(BACKUP, String(at))
    db.pragma(`application_id = ${BACKUP_ID}`)
  })
}

/** Makes a copy of a backup a database like any other. */
export function unmarkBackup(path: string): void {
  onCopy(path, false, (db) => {
    db.prepare('DELETE FROM progress WHERE name = ?').run(BACKUP)
    db.pragma('application_id = 0')
  })
}

/** When a file was made, if it is a backup of ours, and its rows by table; undefined for any other file. */
export function readBackup(path: string): { at: number; rows: Record<string, number> } | undefined {
  try {
    return onCopy(path, true, (db) => {
      if (db.pragma('application_id', { simple: true }) !== BACKUP_ID) return undefined
      const sql = 'SELECT value FROM progress WHERE name = ?'
      const at = Number(db.prepare<[string], { value: string }>(sql).get(BACKUP)?.value)
      return Number.isFinite(at) ? { at, rows: countRows(db) } : undefined
    })
  } catch {
    return undefined // No SQLite file, or a damaged one: nothing to go by.
  }
}
