/**
 * The routine: when cleanup, digest and backup, which cron or a timer is to run, were last done, as the state folder says; and since
 * when everything passes.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { lastBackupAt } from '../database/backup.js'
import { type Database, databasePath } from '../database/database.js'
import { Progress } from '../database/progress.js'
import { decisionFolder } from '../logs/decisionlog.js'
import { readTimekeeping } from '../system/clock.js'

/** The name in `progress` of when a digest was last run, milliseconds since 1970. */
export const DIGEST = 'digest'
/** A line of the decision log is no longer than this but for hundreds of recipients. */
const LINE_BYTES = 65_536

/** The first and the last whole line of a file. */
function endsOf(path: string): string[] {
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    const piece = (at: number): string[] => {
      const bytes = Buffer.alloc(Math.min(LINE_BYTES, size))
      return bytes
        .subarray(0, readSync(fd, bytes, 0, bytes.length, at))
        .toString()
        .trimEnd()
        .split('\n')
    }
    return [piece(0)[0] ?? '', piece(Math.max(0, size - LINE_BYTES)).at(-1) ?? '']
  } finally {
    closeSync(fd)
  }
}

function modeIn(line: string): unknown {
  try {
    return (JSON.parse(line) as { mode?: unknown } | null)?.mode
  } catch {
    return undefined
  }
}

/**
 * Since when everything passes: the first of the days, counted back from the last one, that began and ended so. A day is known by its
 * first and its last line, since there may be a hundred thousand between them.
 * @returns midnight of that day (UTC), or null
 */
function observedSince(state: string): number | null {
  const folder = decisionFolder(state)
  const days = readdirSync(folder).filter((name) => /^\d{4}-\d\d-\d\d\.jsonl$/.test(name))
  let since: number | null = null
  for (const name of days.sort().reverse()) {
    const modes = endsOf(join(folder, name)).map(modeIn)
    if (modes.some((mode) => mode !== undefined && mode !== 'observe')) break
    if (modes.includes('observe')) since = Date.parse(name.slice(0, 10))
  }
  return since
}

/** What is known of it. @throws Error where the state folder is closed */
export function readRoutine(state: string, db: Database): RoutineFact {
  const progress = new Progress(db)
  const digest = progress.get(DIGEST)
  const { birthtimeMs, mtimeMs } = statSync(databasePath(state))
  return {
    // Some file systems do not know when a file was made.
    since: birthtimeMs > 0 ? birthtimeMs : mtimeMs,
    cleanup: readTimekeeping(progress.get('cleanup'))?.last.at ?? null,
    digest: digest === undefined ? null : Number(digest),
    backup: lastBackupAt(state),
    observing: observedSince(state),
  }
}

/** When what cron or a timer runs was last done: milliseconds since 1970, null for never. */
export interface RoutineFact {
  /** When the database was made. */
  since: number
  cleanup: number | null
  digest: number | null
  backup: number | null
  /** Since when everything passes; null where the last mail was judged in earnest, or there was none. */
  observing: number | null
}
