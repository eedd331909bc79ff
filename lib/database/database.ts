/**
 * The database: one SQLite file, opened for reading or for writing, its schema and its errors. Everything that
 * speaks SQL stands on this; nothing above landscape, hold and audit knows that it is SQL.
 *
 * It is long because opening, waiting and errors are one promise: whoever asks gets the rows or one clear failure.
 */
import { closeSync, existsSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type Sqlite from 'better-sqlite3'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import bettersqlite from '../system/bettersqlite.cjs'
import { MIGRATIONS } from './schema.js'

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

export function load(): { Sqlite: typeof Sqlite; native: object } {
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

export function explain(error: unknown, path: string): never {
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
export function barWriters(path: string, options: OpenOptions): () => void {
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

export function countRows(db: Sqlite.Database): Record<string, number> {
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

export interface OpenOptions {
  busySeconds: number
}

export function connect(
  path: string,
  options: OpenOptions,
  flags: { readonly: boolean; fileMustExist: boolean },
): Sqlite.Database {
  const { Sqlite, native } = load()
  const settings = { ...flags, timeout: options.busySeconds * 1000, nativeBinding: native }
  // The types know of a path alone; the loaded part is taken as well (better-sqlite3, lib/database/database.js).
  return new Sqlite(path, settings as unknown as Sqlite.Options)
}

export function schemaVersion(db: Sqlite.Database): number {
  return db.pragma('user_version', { simple: true }) as number
}

export function checkVersion(version: number, path: string): void {
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

/**
 * Opens the database of a state folder, by what the configuration says.
 * @throws as {@link openForReading} and {@link openForWriting}
 */
export function openState(
  { state, busySeconds }: { state: string; busySeconds: number },
  access: 'read' | 'write',
): Database {
  const open = access === 'read' ? openForReading : openForWriting
  return open(databasePath(state), { busySeconds })
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
