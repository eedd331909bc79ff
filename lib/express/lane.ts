/**
 * The lane's files: a small SQLite database beside the state folder that Postfix reads, and nobody else opens as one. It holds
 * keys and nothing else of the landscape.
 *
 *   lane.db       the base: made whole, never changed
 *   lane.db-wal   its log, which grows with every change (lib/express/writeaheadlog.ts)
 *   lane.db-shm   a folder, where SQLite would have a file that readers share
 *
 * So SQLite takes what it reads for a database that it may not write (https://www.sqlite.org/wal.html#readonly), by whomever:
 * root's sqlite3(1) can do no harm, and Postfix's group has nothing to write. A reader then shares no lock with a writer, which
 * dict_sqlite would end its process for, and goes by the log alone: it looks for a new transaction in it each time it is asked.
 *
 * Base and log together are a generation. A log that has grown long ends with its generation: its header is taken away, and
 * without it nothing passes, also for whoever has these files open; then two new files take their places. Who comes between
 * has one of each, whose numbers differ, and nothing passes. Postfix's processes that have the old ones open send all mail to
 * the filter until they end (max_use, max_idle).
 *
 * Whoever changes it has the lock of the landscape's database.
 */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Database, workInMemory } from '../database/database.js'
import { EXIT } from '../exit.js'
import { Failure, toFailure } from '../failure.js'
import { type LaneRow, laneKey } from '../rules/lanerow.js'
import { syncPath } from '../system/files.js'
import { LANE_SCHEMA, type LaneFiles, laneQuery } from './tables.js'
import {
  baseOf,
  framesBetween,
  isBase,
  NO_HEADER,
  newLog,
  PAGE_BYTES,
  readLog,
  type Tail,
} from './writeaheadlog.js'

/** The folder of the lane: beside the state folder, which nobody else may enter. */
export function laneFolder(state: string): string {
  return `${state.replace(/\/+$/, '')}-express`
}

export function lanePath(state: string): string {
  return `${laneFolder(state)}/lane.db`
}

/** What is in the folder, and how: for its owner, and for Postfix's group to read. */
export function lanePlaces(state: string): { path: string; kind: 'folder' | 'file'; mode: number }[] {
  const path = lanePath(state)
  return [
    { path: laneFolder(state), kind: 'folder', mode: 0o750 },
    { path, kind: 'file', mode: 0o640 },
    { path: `${path}-wal`, kind: 'file', mode: 0o640 },
    { path: `${path}-shm`, kind: 'folder', mode: 0o750 },
  ]
}

/** The files Postfix reads when its services start, beside the configuration. */
export function laneFiles(config: string): LaneFiles {
  const folder = dirname(resolve(config))
  return {
    map: join(folder, 'express.cf'),
    senders: join(folder, 'express-senders'),
    recipients: join(folder, 'express-recipients'),
  }
}

const PUT = `INSERT INTO lane (key, pass) VALUES (?, iif(?, (SELECT number FROM generation), 0))
             ON CONFLICT (key) DO UPDATE SET pass = excluded.pass`

/** A longer log ends its generation: a reader goes through all of it after every change. */
const LONGEST_LOG = 4 * 1024 * 1024

const HINT = 'run toeh express --write as root, or set enabled = false under [express]'

/** What the lane needs of the configuration. */
interface LaneConfig {
  state: string
  internal: ReadonlySet<string>
}

export class Lane {
  readonly #folder: string
  readonly #path: string
  readonly #log: string
  readonly #shared: string
  /** Domains whose addresses never pass by the lane. */
  readonly internal: ReadonlySet<string>

  /**
   * @param isNew whether its files are still to be made, by {@link replace}
   * @throws Failure where it is missing or closed to this user: a rule that changes without it would go on passing
   */
  constructor(config: LaneConfig, isNew = false) {
    this.#folder = laneFolder(config.state)
    this.#path = lanePath(config.state)
    this.#log = `${this.#path}-wal`
    this.#shared = `${this.#path}-shm`
    this.internal = config.internal
    if (!isNew && !existsSync(this.#path))
      throw unfit(this.#path, 'its file is missing or closed to this user')
    const folder = lstatSync(this.#folder, { throwIfNoEntry: false })
    const isOurs = folder?.isDirectory() === true && folder.uid === process.getuid?.()
    if (!isOurs || (folder.mode & 0o022) !== 0) throw unfit(this.#folder, 'others could write in it')
  }

  /** Sends whatever these values cover to the filter, until {@link put} says how it stands. */
  shut(values: Iterable<string>): void {
    this.#change((db) => {
      for (const value of values) db.run(PUT, laneKey(value), 0)
    })
  }

  /** The row of each of these values, or none, in place of what is there. */
  put(rows: ReadonlyMap<string, LaneRow | undefined>): void {
    this.#change((db) => {
      for (const [value, row] of rows) {
        if (row === undefined) db.run('DELETE FROM lane WHERE key = ?', laneKey(value))
        else db.run(PUT, row.key, row.pass ? 1 : 0)
      }
    })
  }

  /**
   * These rows and no others; what is right already is not written. A lane that is shut, or damaged, is made anew.
   * @returns how many rows were wrong
   */
  replace(rows: readonly LaneRow[]): number {
    try {
      const wrong = this.#change((db) => {
        const { gone, changed } = differences(rowsIn(db), rows)
        for (const key of gone) db.run('DELETE FROM lane WHERE key = ?', key)
        for (const { key, pass } of changed) db.run(PUT, key, pass ? 1 : 0)
        return gone.length + changed.length
      })
      if (wrong !== undefined) return wrong
    } catch {
      // It cannot be read. If it cannot be written either, that is said below.
    }
    this.#begin(rows)
    return rows.length
  }

  rows(): LaneRow[] {
    return this.#look(rowsIn) ?? []
  }

  /** Those of these recipients whom Postfix lets go round the filter. */
  passing(recipients: readonly string[]): Set<string> {
    const of = (half: string): string => `(SELECT ${half} FROM given)`
    const query = laneQuery({ address: of('address'), local: of('local'), domain: of('domain') })
    const sql = `WITH given (address, local, domain) AS (SELECT ?, ?, ?) ${query}`
    const passes = (db: Database, recipient: string): boolean => {
      // As a service of the lane folds it.
      const address = recipient.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
      const at = address.lastIndexOf('@')
      return at > 0 && db.get(sql, address, address.slice(0, at), address.slice(at)) !== undefined
    }
    return this.#look((db) => new Set(recipients.filter((one) => passes(db, one)))) ?? new Set()
  }

  /** Works on what readers see; undefined where that is nothing, because the log has no header. */
  #look<T>(work: (db: Database) => T): T | undefined {
    return this.#open(work)?.result
  }

  /** The same, and writes what the work has changed. Where nothing passes anyway, nothing is done. */
  #change<T>(work: (db: Database) => T): T | undefined {
    const done = this.#open(work)
    if (done === undefined) return undefined
    const frames = framesBetween(done.before, done.image, done.tail)
    if (done.tail.end + frames.length > LONGEST_LOG)
      this.#begin(workInMemory({ image: done.image, path: this.#path, page: PAGE_BYTES }, rowsIn).result)
    else if (frames.length > 0) this.#write((log) => writeAt(log, frames, done.tail.end))
    return done.result
  }

  #open<T>(work: (db: Database) => T): { result: T; before: Buffer; image: Buffer; tail: Tail } | undefined {
    const base = readOwn(this.#path)
    const isWhole = isBase(base) && lstatSync(this.#shared, { throwIfNoEntry: false })?.isDirectory()
    if (!isWhole) throw unfit(this.#path, 'it is damaged')
    const { image: before, tail } = readLog(base, readOwn(this.#log))
    if (tail === undefined) return undefined
    return { before, tail, ...workInMemory({ image: before, path: this.#path, page: PAGE_BYTES }, work) }
  }

  /** Works on the log that is there. */
  #write(work: (log: number) => void): void {
    said(this.#log, () => {
      const log = openSync(this.#log, constants.O_RDWR | constants.O_NOFOLLOW)
      try {
        work(log)
        fsyncSync(log)
      } finally {
        closeSync(log)
      }
    })
  }

  /** A new generation of these rows. The old one ends first, so that whoever has it open passes nothing more. */
  #begin(rows: readonly LaneRow[]): void {
    if (lstatSync(this.#log, { throwIfNoEntry: false }) !== undefined)
      this.#write((log) => writeAt(log, NO_HEADER, 0))
    const number = 1 + randomBytes(6).readUIntBE(0, 6)
    const at = { path: this.#path, page: PAGE_BYTES }
    const { image: shut } = workInMemory({ ...at, image: undefined }, (db) => {
      for (const table of LANE_SCHEMA) db.run(table)
      db.run('INSERT INTO generation VALUES (NULL)')
      for (const { key, pass } of rows) db.run('INSERT INTO lane VALUES (?, ?)', key, pass ? number : 0)
    })
    const { image: open } = workInMemory({ ...at, image: shut }, (db) =>
      db.run('UPDATE generation SET number = ?', number),
    )
    const { header, tail } = newLog(randomBytes(8))
    said(this.#path, () => {
      if (!existsSync(this.#shared)) {
        mkdirSync(this.#shared)
        chmodSync(this.#shared, 0o750)
      }
      const drafts = [
        [this.#path, baseOf(shut)],
        [this.#log, Buffer.concat([header, framesBetween(shut, open, tail)])],
      ] as const
      for (const [path, bytes] of drafts) writeDraft(draftOf(path), bytes)
      for (const [path] of drafts) renameSync(draftOf(path), path)
      syncPath(this.#folder)
    })
  }
}

/**
 * Puts rights right, and takes away what is no file or folder of ours, for {@link Lane.replace} to make anew. Not our own files:
 * who has them open is to see that their generation ends.
 * @throws Failure where there is anything else in the folder
 */
export function tidyLane(state: string): void {
  const places = lanePlaces(state).slice(1)
  const names = new Set(places.flatMap(({ path }) => [path, draftOf(path)]))
  for (const name of readdirSync(laneFolder(state))) {
    const path = join(laneFolder(state), name)
    if (!names.has(path))
      throw new Failure('express lane', 'it does not belong there', {
        at: path,
        hint: 'look what it is, and take it away',
      })
  }
  for (const { path, kind, mode } of places) {
    rmSync(draftOf(path), { recursive: true, force: true })
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found === undefined) continue
    const isOurs =
      found.uid === process.getuid?.() && (kind === 'file' ? found.isFile() : found.isDirectory())
    if (!isOurs) rmSync(path, { recursive: true })
    else if ((found.mode & 0o777) !== mode) chmodSync(path, mode)
  }
}

function unfit(at: string, why: string): Failure {
  return new Failure('express lane', why, { at, status: EXIT.config, hint: HINT })
}

/** Does it, and says where it fails. @throws Failure */
function said<T>(at: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw toFailure('express lane', error, { at })
  }
}

function readOwn(path: string): Buffer {
  return said(path, () => {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      return readFileSync(fd)
    } finally {
      closeSync(fd)
    }
  })
}

function writeAt(fd: number, bytes: Buffer, place: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, place + at)
}

function draftOf(path: string): string {
  return `${path}.new`
}

/** Writes a file for its owner, and for its group to read; the folder says which group that is. */
function writeDraft(path: string, bytes: Buffer): void {
  rmSync(path, { force: true })
  const fd = openSync(path, 'wx', 0o600)
  try {
    writeAt(fd, bytes, 0)
    fchmodSync(fd, 0o640)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function rowsIn(db: Database): LaneRow[] {
  return db
    .all<{ key: string; pass: number }>('SELECT key, pass FROM lane ORDER BY key')
    .map(({ key, pass }) => ({ key, pass: pass !== 0 }))
}

/** What would have to change for some rows to become others. */
export function differences(
  are: readonly LaneRow[],
  should: readonly LaneRow[],
): { gone: string[]; changed: LaneRow[] } {
  const there = new Map(are.map(({ key, pass }) => [key, pass]))
  const changed = should.filter(({ key, pass }) => there.get(key) !== pass)
  for (const { key } of should) there.delete(key)
  return { gone: [...there.keys()], changed }
}
