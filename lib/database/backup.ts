/** Backups of the database: taken while filters run, checked, published by one rename; and the newest of them. */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Failure, toFailure } from '../failure.js'
import { syncPath } from '../system/files.js'
import { markBackup, readBackup } from './backupmark.js'
import { databasePath, openForReading } from './database.js'
import { examineDatabase } from './examine.js'

export interface Backup {
  /** Absolute. */
  path: string
  /** Milliseconds since 1970. */
  at: number
  /** Rows by table. */
  rows: Record<string, number>
}

/** A backup's name in a folder of backups; their names sort by time. */
const DATED = /^toeh-[0-9]{8}T[0-9]{6}Z\.db$/

/** The file in the state folder that says where the last backup was put. */
function pointerPath(state: string): string {
  return join(state, 'last-backup')
}

/** When the last backup was finished, wherever it is now; milliseconds since 1970, null where there was none. */
export function lastBackupAt(state: string): number | null {
  return statSync(pointerPath(state), { throwIfNoEntry: false })?.mtimeMs ?? null
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory()
}

/** Where a backup goes: the file that was named, or a dated one in the folder that was named. @throws Failure */
function targetOf(state: string, file: string, at: number): string {
  const path = resolve(file)
  const name = `toeh-${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z.db`
  const target = isFolder(path) ? join(path, name) : path
  if (!existsSync(target)) return target
  const isOwn = realpathSync(target) === realpathSync(databasePath(state))
  if (isOwn || readBackup(target) === undefined) {
    throw new Failure('backup', isOwn ? 'it is the database itself' : 'it exists and is no backup of ours', {
      at: target,
      hint: 'name another file, or a folder',
    })
  }
  return target
}

/**
 * Copies the database to `file`, or to a dated file where that is a folder: in a folder of its own beside it, marked, checked,
 * synced, renamed. Its own, because others may write where backups go, and SQLite would take a journal that they put beside
 * the copy for its own. Readers are not disturbed; a writer waits for as long as the copying takes.
 * @throws Failure with nothing left behind, and with an older backup of that name as it was
 */
export async function takeBackup(
  state: string,
  file: string,
  at: number,
  options: { busySeconds: number },
): Promise<Backup> {
  const target = targetOf(state, file, at)
  let folder: string | undefined
  try {
    folder = mkdtempSync(join(dirname(target), `.${basename(target)}-`))
    const draft = join(folder, 'draft')
    closeSync(openSync(draft, 'wx', 0o600))
    const db = openForReading(databasePath(state), options)
    const counted = await db.copyTo(draft).finally(() => db.close())
    markBackup(draft, at)
    const rows = check(draft, counted, options)
    syncPath(draft)
    renameSync(draft, target)
    syncPath(dirname(target))
    writeFileSync(`${pointerPath(state)}.new`, `${target}\n`, { mode: 0o600 })
    renameSync(`${pointerPath(state)}.new`, pointerPath(state))
    return { path: target, at, rows }
  } catch (error) {
    throw toFailure('backup', error, { at: target })
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}

/** Reads the copy back. @returns its rows by table @throws Failure where they are not those of the database */
function check(
  draft: string,
  counted: Record<string, number>,
  options: { busySeconds: number },
): Record<string, number> {
  const { condition, details } = examineDatabase(draft, options)
  const rows = readBackup(draft)?.rows ?? {}
  const differs = Object.keys(counted).filter(
    // The mark is a row of progress.
    (table) => table !== 'progress' && rows[table] !== counted[table],
  )
  const faults = [
    ...(condition === 'whole' ? [] : [condition]),
    ...details,
    ...differs.map((table) => `rows of ${table} are missing`),
  ]
  if (faults.length === 0) return rows
  throw new Failure('backup', `the copy is not whole: ${faults.join('; ')}`, {
    at: draft,
    hint: 'toeh fsck looks at the database itself',
  })
}

/** The dated backups of a folder, newest first; other files are none. */
function datedIn(folder: string): Backup[] {
  const names = readdirSync(folder).filter((name) => DATED.test(name))
  return names
    .sort()
    .reverse()
    .flatMap((name) => {
      const path = join(folder, name)
      const read = readBackup(path)
      return read === undefined ? [] : [{ path, ...read }]
    })
}

/** The backups that are where the last one was put, newest first; those elsewhere nobody here knows of. */
export function backupsBeside(state: string): Backup[] {
  try {
    const last = readFileSync(pointerPath(state), 'utf8').trimEnd()
    const dated = datedIn(dirname(last))
    const read = dated.some(({ path }) => path === last) ? undefined : readBackup(last)
    return read === undefined ? dated : [{ path: last, ...read }, ...dated]
  } catch {
    return [] // None was made, or they are not for this user to see.
  }
}

/** Removes all dated backups of a folder but the newest `keep`. @returns the paths that are gone */
export function thinOut(folder: string, keep: number): string[] {
  const old = datedIn(folder).slice(keep)
  for (const { path } of old) rmSync(path)
  return old.map(({ path }) => path)
}

/**
 * The newest backup: of the folder or file that was named, else of where the last one was put.
 * @throws Failure where a file was named that is no backup of ours
 */
export function newestBackup(state: string, named: string | undefined): Backup | undefined {
  if (named === undefined) {
    const pointer = pointerPath(state)
    const last = existsSync(pointer) ? readFileSync(pointer, 'utf8').trimEnd() : ''
    if (last === '' || !isFolder(dirname(last))) return undefined
    // Where backups are dated, one may be newer than the last that was noted.
    const [newest] = DATED.test(basename(last)) ? datedIn(dirname(last)) : []
    const read = readBackup(last)
    return newest ?? (read === undefined ? undefined : { path: last, ...read })
  }
  const path = resolve(named)
  const read = isFolder(path) ? datedIn(path)[0] : readBackup(path)
  if (read === undefined) throw new Failure('backup', 'there is no backup of ours', { at: path })
  return { path, ...read }
}
