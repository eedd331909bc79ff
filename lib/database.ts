/**
 * The database: one SQLite file, opened for reading or for writing, its schema and its errors. Everything that
 * speaks SQL stands on this; nothing above landscape, hold and audit knows that it is SQL.
 */
import { closeSync, existsSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { EXIT } from './exit.js'
import { describeError, Failure } from './failure.js'

/** Each entry takes the schema one version further; user_version counts those that were applied. */
const MIGRATIONS = [
  `
  CREATE TABLE rule (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('address', 'domain')),
    value TEXT NOT NULL,
    subdomains INTEGER NOT NULL CHECK (subdomains IN (0, 1)),
    scope TEXT NOT NULL DEFAULT '',
    effect TEXT NOT NULL CHECK (effect IN ('allow', 'block')),
    added_by TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    note TEXT NOT NULL,
    revoked_by TEXT,
    revoked_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX rule_live ON rule (value, scope, effect) WHERE revoked_at IS NULL;

  CREATE TABLE hold (
    id TEXT PRIMARY KEY,
    queue_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    subject TEXT NOT NULL,
    message_id TEXT NOT NULL,
    client TEXT NOT NULL,  -- JSON
    held_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    notified_at INTEGER,
    closing_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hold_unnotified ON hold (held_at) WHERE notified_at IS NULL;

  CREATE TABLE recipient (
    hold TEXT NOT NULL REFERENCES hold (id),
    address TEXT NOT NULL,
    state TEXT NOT NULL
      CHECK (state IN ('held', 'refused', 'releasing', 'released', 'rejected', 'expired', 'passed')),
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    queue_id TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (hold, address)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX recipient_waiting ON recipient (hold) WHERE state IN ('held', 'refused', 'releasing');

  CREATE TABLE notice (sender TEXT PRIMARY KEY, sent_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    subject TEXT NOT NULL,
    was TEXT NOT NULL,
    now TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE rule ADD COLUMN ends_at INTEGER;
  ALTER TABLE rule ADD COLUMN last_used_at INTEGER;
  CREATE TABLE progress (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  'CREATE INDEX hold_queue_id ON hold (queue_id);',
]

/** The database file of a state folder. */
export function databasePath(state: string): string {
  return join(state, 'toeh.db')
}

type Value = string | number | null
export type Row = Record<string, Value>

export interface Database {
  /** Every row of a query. */
  all<T>(sql: string, ...values: Value[]): T[]
  /** The first row of a query, or undefined. */
  get<T>(sql: string, ...values: Value[]): T | undefined
  /** Runs a change; how many rows it changed. */
  run(sql: string, ...values: Value[]): number
  /** Runs `work` in one immediate transaction: all of it, or nothing. Nested calls join the outer one. */
  transaction<T>(work: () => T): T
  close(): void
}

/**
 * better-sqlite3's native part by its path, looked for where Node would: finding it by its own means (`bindings`)
 * costs a quarter of a run's start.
 */
function nativeBinding(): string {
  const part = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node'
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const path = join(folder, part)
    if (existsSync(path)) return path
    if (folder === dirname(folder)) break
  }
  throw new Failure('database', 'better-sqlite3 was not built', {
    at: import.meta.dirname,
    status: EXIT.tempFail,
    hint: 'npm rebuild better-sqlite3',
  })
}

const HINTS: Record<string, string> = {
  SQLITE_BUSY: 'another process keeps it locked; it is tried again',
  SQLITE_CORRUPT: 'it is damaged: stop the filter and restore it from a backup',
  SQLITE_NOTADB: 'it is no SQLite file: restore it from a backup',
  SQLITE_CANTOPEN: 'check that it exists and belongs to the toeh user; toeh init makes it',
  SQLITE_READONLY: 'check its rights and its owner, and those of its folder',
  SQLITE_FULL: 'the disk is full: make room',
  SQLITE_IOERR: 'the disk failed or is full',
}

function explain(error: unknown, path: string): never {
  if (error instanceof Failure) throw error
  const code = (error as { code?: unknown }).code
  // Without a code it is better-sqlite3's own complaint: the folder is missing.
  const hint = typeof code === 'string' ? HINTS[code.split('_').slice(0, 2).join('_')] : HINTS.SQLITE_CANTOPEN
  throw new Failure('database', describeError(error), { at: path, status: EXIT.tempFail, hint, cause: error })
}

class SqliteDatabase implements Database {
  readonly #db: Sqlite.Database
  readonly #path: string
  readonly #statements = new Map<string, Sqlite.Statement<Value[]>>()

  constructor(db: Sqlite.Database, path: string) {
    this.#db = db
    this.#path = path
  }

  #prepare(sql: string): Sqlite.Statement<Value[]> {
    const prepared = this.#statements.get(sql) ?? this.#db.prepare<Value[]>(sql)
    this.#statements.set(sql, prepared)
    return prepared
  }

  #try<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      return explain(error, this.#path)
    }
  }

  all<T>(sql: string, ...values: Value[]): T[] {
    return this.#try(() => this.#prepare(sql).all(...values) as T[])
  }

  get<T>(sql: string, ...values: Value[]): T | undefined {
    return this.#try(() => this.#prepare(sql).get(...values) as T | undefined)
  }

  run(sql: string, ...values: Value[]): number {
    return this.#try(() => this.#prepare(sql).run(...values).changes)
  }

  transaction<T>(work: () => T): T {
    return this.#try(() => (this.#db.inTransaction ? work() : this.#db.transaction(work).immediate()))
  }

  close(): void {
    this.#db.close()
  }
}

interface OpenOptions {
  busySeconds: number
}

function connect(
  path: string,
  options: OpenOptions,
  flags: { readonly: boolean; fileMustExist: boolean },
): Sqlite.Database {
  return new Sqlite(path, { ...flags, timeout: options.busySeconds * 1000, nativeBinding: nativeBinding() })
}

function schemaVersion(db: Sqlite.Database): number {
  return db.pragma('user_version', { simple: true }) as number
}

function checkVersion(version: number, path: string): void {
  if (version === 0) {
    throw new Failure('database', 'it is empty', { at: path, status: EXIT.config, hint: 'run toeh init' })
  }
  if (version > MIGRATIONS.length) {
    throw new Failure(
      'database',
      `its schema is version ${version}, this program knows ${MIGRATIONS.length}`,
      {
        at: path,
        status: EXIT.config,
        hint: 'install the newer TOEH that made it',
      },
    )
  }
}

function migrate(db: Sqlite.Database): void {
  db.transaction(() => {
    for (let version = schemaVersion(db); version < MIGRATIONS.length; version++) {
      db.exec(MIGRATIONS[version] ?? '')
      db.pragma(`user_version = ${version + 1}`)
    }
  }).immediate()
}

/**
 * A read-only connection: it creates, writes and recovers nothing. One exception: a writer that was killed leaves
 * a hot journal, which no reader may roll back, and mail would be deferred until somebody writes; so it is rolled
 * back here by opening for writing once (https://www.sqlite.org/lockingv3.html#hot_journals).
 * @throws Failure when it is missing, busy for longer than `busySeconds`, damaged, or of another schema
 */
export function openForReading(path: string, options: OpenOptions): Database {
  for (let recovered = false; ; recovered = true) {
    let db: Sqlite.Database | undefined
    try {
      db = connect(path, options, { readonly: true, fileMustExist: true })
      const version = schemaVersion(db)
      checkVersion(version, path)
      if (version === MIGRATIONS.length) return new SqliteDatabase(db, path)
      db.close()
    } catch (error) {
      db?.close()
      const code = String((error as { code?: unknown }).code)
      if (recovered || !/^SQLITE_(READONLY_(ROLLBACK|RECOVERY)|CANTOPEN)$/.test(code)) explain(error, path)
    }
    openForWriting(path, options).close()
  }
}

/**
 * A writing connection: rollback journal kept as a file of length 0 and synced (TRUNCATE, FULL), so that a commit
 * that returned survives a power cut and readers never need a `-wal`. Migrates an older schema.
 * @throws Failure as {@link openForReading} does
 */
export function openForWriting(path: string, options: OpenOptions): Database {
  return openWritable(path, options, true)
}

/** Creates the database where it is missing, for its owner alone, and brings its schema up to date. For `toeh init`. */
export function createDatabase(path: string, options: OpenOptions): Database {
  return openWritable(path, options, false)
}

function openWritable(path: string, options: OpenOptions, mustExist: boolean): Database {
  let db: Sqlite.Database | undefined
  try {
    // SQLite would take the umask's word for who may read it; its journal takes over the rights of the file.
    if (!mustExist) closeSync(openSync(path, 'a', 0o600))
    db = connect(path, options, { readonly: false, fileMustExist: true })
    db.pragma('journal_mode = TRUNCATE')
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    const version = schemaVersion(db)
    if (mustExist || version > 0) checkVersion(version, path)
    if (version < MIGRATIONS.length) migrate(db)
    return new SqliteDatabase(db, path)
  } catch (error) {
    db?.close()
    return explain(error, path)
  }
}
