/**
 * The database: one SQLite file, opened for reading or for writing, its schema and its errors. Everything that
 * speaks SQL stands on this; nothing above landscape, hold and audit knows that it is SQL.
 */
import { closeSync, existsSync, openSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type Sqlite from 'better-sqlite3'
import bettersqlite from './bettersqlite.cjs'
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
  // What only knew the last use counts from the decision log anew.
  `
  CREATE TABLE rule_use (
    rule INTEGER NOT NULL REFERENCES rule (id),
    period TEXT NOT NULL,  -- a day, 2026-11-20; of older ones the month, 2026-03, or the year
    messages INTEGER NOT NULL,
    PRIMARY KEY (rule, period)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO rule_use
    SELECT id, date(last_used_at / 1000, 'unixepoch', 'localtime'), 1 FROM rule WHERE last_used_at IS NOT NULL;
  ALTER TABLE rule DROP COLUMN last_used_at;
  DELETE FROM progress WHERE name = 'uses folded to';
  `,
  `
  CREATE TABLE token (
    hash TEXT PRIMARY KEY,  -- SHA-256 of what a notice carries
    hold TEXT NOT NULL REFERENCES hold (id),
    recipients TEXT NOT NULL,  -- JSON
    approver TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    answer TEXT CHECK (answer IN ('release', 'know', 'reject')),
    used_by TEXT,  -- SHA-256 of the mail
    used_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX token_hold ON token (hold);
  `,
  // What waits and how much of it there is, kept beside the rows, so that nobody goes through all of them to know it.
  // Triggers keep it: whatever moves a recipient, by whichever statement, takes it along in the same transaction.
  `
  ALTER TABLE hold ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;  -- how many of its recipients wait
  UPDATE hold SET waiting =
      (SELECT count(*) FROM recipient r WHERE r.hold = hold.id AND r.state IN ('held', 'refused', 'releasing'))
    WHERE id IN (SELECT hold FROM recipient WHERE state IN ('held', 'refused', 'releasing'));
  -- With waiting in it, as SQLite else looks for it in the table.
  CREATE INDEX hold_waiting ON hold (held_at, id, waiting) WHERE waiting > 0;
  CREATE INDEX hold_miscounted ON hold (id) WHERE waiting < 0;  -- Empty, so that finding that out costs nothing.
  CREATE INDEX hold_due ON hold (expires_at) WHERE waiting > 0;
  DROP INDEX hold_unnotified;
  CREATE INDEX hold_unnotified ON hold (held_at) WHERE notified_at IS NULL AND waiting > 0;

  CREATE TABLE load (messages INTEGER NOT NULL, recipients INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO load SELECT count(*), coalesce(sum(waiting), 0), coalesce(sum(size), 0) FROM hold WHERE waiting > 0;
  DELETE FROM progress WHERE name = 'hold load';

  -- Messages nobody waits in any more and whose folder may still be there.
  CREATE TABLE leaving (hold TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

  CREATE TRIGGER recipient_comes AFTER INSERT ON recipient WHEN new.state IN ('held', 'refused', 'releasing')
  BEGIN
    UPDATE hold SET waiting = waiting + 1 WHERE id = new.hold;
  END;
  CREATE TRIGGER recipient_moves AFTER UPDATE OF state ON recipient
    WHEN (new.state IN ('held', 'refused', 'releasing')) <> (old.state IN ('held', 'refused', 'releasing'))
  BEGIN
    UPDATE hold SET waiting = waiting + iif(new.state IN ('held', 'refused', 'releasing'), 1, -1) WHERE id = new.hold;
  END;
  CREATE TRIGGER recipient_goes AFTER DELETE ON recipient WHEN old.state IN ('held', 'refused', 'releasing')
  BEGIN
    UPDATE hold SET waiting = waiting - 1 WHERE id = old.hold;
  END;
  -- Of a message whose row was lost and is put back, recipients may be there already.
  CREATE TRIGGER hold_comes AFTER INSERT ON hold
    WHEN EXISTS (SELECT 1 FROM recipient WHERE hold = new.id AND state IN ('held', 'refused', 'releasing'))
  BEGIN
    UPDATE hold SET waiting =
        (SELECT count(*) FROM recipient WHERE hold = new.id AND state IN ('held', 'refused', 'releasing'))
      WHERE id = new.id;
  END;
  CREATE TRIGGER hold_counts AFTER UPDATE OF waiting ON hold
  BEGIN
    UPDATE load SET recipients = recipients + new.waiting - old.waiting,
      messages = messages + (new.waiting > 0) - (old.waiting > 0),
      bytes = bytes + (new.waiting > 0) * new.size - (old.waiting > 0) * old.size;
    INSERT INTO leaving SELECT new.id WHERE old.waiting > 0 AND new.waiting = 0
      AND NOT EXISTS (SELECT 1 FROM leaving WHERE hold = new.id);
  END;
  CREATE TRIGGER hold_goes AFTER DELETE ON hold WHEN old.waiting > 0
  BEGIN
    UPDATE load SET recipients = recipients - old.waiting, messages = messages - 1, bytes = bytes - old.size;
  END;

  CREATE INDEX recipient_settled ON recipient (changed_at, state) WHERE state IN ('released', 'rejected', 'expired');
  CREATE INDEX recipient_released ON recipient (lower(address), changed_at) WHERE state = 'released';
  -- From the last @ on.
  CREATE INDEX recipient_released_domain
    ON recipient (lower(substr(address, length(rtrim(address, replace(address, '@', ''))))), changed_at)
    WHERE state = 'released';
  CREATE INDEX token_expires ON token (expires_at);
  `,
  // What people are forgotten by (lib/audit.ts): rows that are there have no salt, and keep the hash that they have.
  `
  ALTER TABLE audit ADD COLUMN salt TEXT NOT NULL DEFAULT '';
  ALTER TABLE audit ADD COLUMN seal TEXT;
  `,
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
  /**
   * Runs `work` in one transaction: all of it, or nothing. Nobody else writes meanwhile; with `exclusive`, nobody reads
   * either. Nested calls join the outer one.
   */
  transaction<T>(work: () => T, lock?: 'immediate' | 'exclusive'): T
  /**
   * Runs what reads for a second or two while nobody writes, if there is such a time soon. Else a writer that is to commit would
   * let nobody else begin to read until this ends (PENDING, https://www.sqlite.org/lockingv3.html#locking), and known mail would
   * be deferred.
   */
  still<T>(work: () => T): T
  /** Waits so many seconds at most for a lock, from now on. */
  waitAtMost(seconds: number): void
  /** From now on overwrites what is deleted with zeros (https://www.sqlite.org/pragma.html#pragma_secure_delete). */
  overwriteDeleted(): void
  /** Writes the file anew without what earlier changes have left in its free places. Nobody else reads or writes meanwhile. */
  compact(): void
  /** Copies the whole database into a file, as it is at one moment. @returns rows by table */
  copyTo(path: string): Promise<Record<string, number>>
  close(): void
}

/**
 * better-sqlite3's native part, loaded once, looked for where Node would: finding it by the package's own means costs a quarter
 * of a run's start, and `require` another hundredth.
 * @throws Failure (75) where there is none for this Node
 */
function loadNative(): object {
  const module = { exports: {} }
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    for (const part of bettersqlite.natives) {
      const path = join(folder, 'node_modules', bettersqlite.folder, part)
      if (!existsSync(path)) continue
      try {
        process.dlopen(module, path)
        return module.exports
      } catch (error) {
        // Made for another Node 20 than this, another processor or another C library.
        throw unfit(`its native part does not load: ${describeError(error)}`, path, error)
      }
    }
    if (folder === dirname(folder)) break
  }
  throw unfit('it has no native part', import.meta.dirname)
}

/** What is said where better-sqlite3 is not there for the Node that runs. */
function unfit(why: string, at: string, cause?: unknown): Failure {
  return new Failure('database', `better-sqlite3 for Node ${process.versions.node}: ${why}`, {
    at,
    status: EXIT.tempFail,
    hint: howToRefit(import.meta.dirname),
    cause,
  })
}

/** What brings one for this Node, by where this program lies: npm's package, Debian's, or a checkout. */
export function howToRefit(folder: string): string {
  if (folder.includes('/node_modules/toeh/'))
    return 'after a change of Node: npm install --global ./toeh-VERSION.tgz, under this Node (docs/install.md)'
  return folder.startsWith('/usr/lib/toeh/')
    ? 'install the package toeh again'
    : 'under this Node: npm ci && npm run build'
}

let loaded: { Sqlite: typeof Sqlite; native: object } | undefined

function load(): { Sqlite: typeof Sqlite; native: object } {
  if (loaded === undefined) {
    const native = loadNative()
    try {
      loaded = { Sqlite: bettersqlite.load(), native }
    } catch (error) {
      throw unfit('it was not installed when this was built', import.meta.dirname, error)
    }
  }
  return loaded
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
  readonly #options: OpenOptions
  readonly #statements = new Map<string, Sqlite.Statement<Value[]>>()

  constructor(db: Sqlite.Database, path: string, options: OpenOptions = { busySeconds: 0 }) {
    this.#db = db
    this.#path = path
    this.#options = options
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

  transaction<T>(work: () => T, lock: 'immediate' | 'exclusive' = 'immediate'): T {
    return this.#try(() => (this.#db.inTransaction ? work() : this.#db.transaction(work)[lock]()))
  }

  waitAtMost(seconds: number): void {
    this.#try(() => this.#db.pragma(`busy_timeout = ${seconds * 1000}`))
  }

  overwriteDeleted(): void {
    this.#try(() => this.#db.pragma('secure_delete = ON'))
  }

  compact(): void {
    this.#try(() => this.#db.exec('VACUUM'))
  }

  still<T>(work: () => T): T {
    if (!this.#db.readonly) return this.transaction(work)
    let release: (() => void) | undefined
    try {
      const busySeconds = Math.min(this.#options.busySeconds, PATIENCE)
      release = this.#try(() => barWriters(this.#path, { busySeconds }))
    } catch (error) {
      // Whoever writes for so long is not about to commit: a person is not kept from looking.
      if ((error as { cause?: { code?: unknown } }).cause?.code !== 'SQLITE_BUSY') throw error
    }
    try {
      return work()
    } finally {
      release?.()
    }
  }

  /** In one step: a copy in many would begin anew with each commit (https://www.sqlite.org/backup.html). */
  async copyTo(path: string): Promise<Record<string, number>> {
    const release = this.#try(() => barWriters(this.#path, this.#options))
    try {
      this.#db.exec('BEGIN')
      const rows = countRows(this.#db)
      await this.#db.backup(path, { progress: () => 0x7fffffff })
      return rows
    } catch (error) {
      return explain(error, this.#path)
    } finally {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK')
      release()
    }
  }

  close(): void {
    this.#db.close()
  }
}

/**
 * Takes the place of the one who may write (RESERVED), so that nobody else comes to the point where readers are kept out.
 * @returns what gives it back
 * @throws SQLITE_BUSY where somebody writes for longer than `busySeconds`
 */
function barWriters(path: string, options: OpenOptions): () => void {
  const db = connect(path, options, { readonly: false, fileMustExist: true })
  try {
    db.exec('BEGIN IMMEDIATE')
  } catch (error) {
    db.close()
    // Nobody can write who has our rights.
    if (/^SQLITE_READONLY/.test(String((error as { code?: unknown }).code))) return () => {}
    throw error
  }
  return () => {
    db.exec('ROLLBACK')
    db.close()
  }
}

function countRows(db: Sqlite.Database): Record<string, number> {
  const sql = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
  const tables = db.prepare<[], { name: string }>(sql).all()
  return Object.fromEntries(
    tables.map(({ name }) => {
      const count = db.prepare<[], { n: number }>(`SELECT count(*) AS n FROM "${name}"`).get()
      return [name, count?.n ?? 0]
    }),
  )
}

/** Seconds that a reader waits for writers to end, of {@link Database.still}. */
const PATIENCE = 1

interface OpenOptions {
  busySeconds: number
}

function connect(
  path: string,
  options: OpenOptions,
  flags: { readonly: boolean; fileMustExist: boolean },
): Sqlite.Database {
  const { Sqlite, native } = load()
  const settings = { ...flags, timeout: options.busySeconds * 1000, nativeBinding: native }
  // The types know of a path alone; the loaded part is taken as well (better-sqlite3, lib/database.js).
  return new Sqlite(path, settings as unknown as Sqlite.Options)
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
      if (version === MIGRATIONS.length) return new SqliteDatabase(db, path, options)
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
    // What does not fit into the cache would be written before the commit, and nobody could read from then on.
    db.pragma('cache_spill = OFF')
    const version = schemaVersion(db)
    if (mustExist || version > 0) checkVersion(version, path)
    if (version < MIGRATIONS.length) migrate(db)
    return new SqliteDatabase(db, path, options)
  } catch (error) {
    db?.close()
    return explain(error, path)
  }
}

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

/**
 * Works on a database that is in memory alone, and gives it back as an image (https://www.sqlite.org/c3ref/serialize.html).
 * @param image what it is made of, which says that there is no log; undefined for a new one
 * @param path whose image it is, for complaints
 * @param page bytes of a page of a new one
 * @throws Failure as {@link openForReading} does
 */
export function workInMemory<T>(
  { image, path, page }: { image: Buffer | undefined; path: string; page: number },
  work: (db: Database) => T,
): { result: T; image: Buffer } {
  const { Sqlite, native } = load()
  const settings = { nativeBinding: native } as unknown as Sqlite.Options
  let db: Sqlite.Database | undefined
  try {
    db = new Sqlite(image ?? ':memory:', settings)
    if (image === undefined) db.pragma(`page_size = ${page}`)
    // Freed bytes would keep what was taken out.
    db.pragma('secure_delete = ON')
    const lasting = new SqliteDatabase(db, path)
    const result = lasting.transaction(() => work(lasting))
    return { result, image: db.serialize() }
  } catch (error) {
    return explain(error, path)
  } finally {
    db?.close()
  }
}
