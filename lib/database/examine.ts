/** Examining a database: whether it is whole, and what else it is. Nothing is changed by it. */

import { existsSync, statSync } from 'node:fs'
import type Sqlite from 'better-sqlite3'
import { describeError } from '../failure.js'
import { barWriters, checkVersion, connect, explain, type OpenOptions, schemaVersion } from './database.js'
import { MIGRATIONS } from './schema.js'

/** `interrupted`: a writer was killed, and the next one rolls back what it had begun. `older`: of an older schema. */
export type Condition = 'whole' | 'missing' | 'empty' | 'damaged' | 'interrupted' | 'older'

export interface Examined {
  condition: Condition
  /** What SQLite says of it, or where foreign keys lead nowhere. */
  details: string[]
}

/**
 * What a database file is, found without writing to it: SQLite's integrity_check and foreign_key_check.
 * @throws Failure when it is locked, closed to this user, or of a newer schema
 */
export function examineDatabase(path: string, options: OpenOptions): Examined {
  if (!existsSync(path)) return { condition: 'missing', details: [] }
  let db: Sqlite.Database | undefined
  let release: (() => void) | undefined
  try {
    if (statSync(path).size === 0) return { condition: 'empty', details: [] }
    db = connect(path, options, { readonly: true, fileMustExist: true })
    const version = schemaVersion(db)
    if (version === 0) return { condition: 'empty', details: [] }
    checkVersion(version, path)
    release = barWriters(path, options)
    const said = db.pragma('integrity_check(20)') as { integrity_check: string }[]
    const faults = said.map((row) => row.integrity_check.replace(/\s+/g, ' ')).filter((text) => text !== 'ok')
    if (faults.length > 0) return { condition: 'damaged', details: faults }
    const keys = db.pragma('foreign_key_check') as { table: string; parent: string }[]
    const lost = new Set(keys.map(({ table, parent }) => `rows of ${table} without their ${parent}`))
    return { condition: version < MIGRATIONS.length ? 'older' : 'whole', details: [...lost] }
  } catch (error) {
    const code = String((error as { code?: unknown }).code)
    const words = [describeError(error)]
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return { condition: 'damaged', details: words }
    if (/^SQLITE_READONLY_(ROLLBACK|RECOVERY)$/.test(code)) return { condition: 'interrupted', details: [] }
    return explain(error, path)
  } finally {
    release?.()
    db?.close()
  }
}
