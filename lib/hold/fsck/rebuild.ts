/** How a lost database is rebuilt: from the newest backup, and from the folders of the messages. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename } from 'node:path'
import { type Backup, newestBackup } from '../../database/backup.js'
import { unmarkBackup } from '../../database/backupmark.js'
import { createDatabase, openForWriting } from '../../database/database.js'
import { type Examined, examineDatabase } from '../../database/examine.js'
import { describeError, Failure } from '../../failure.js'
import { syncPath } from '../../system/files.js'
import { words } from '../../text/translate.js'
import { localTime } from '../../text/visible.js'
import { findPassed, readEnvelope } from '../orphan.js'
import { MendableHold, movesOf } from '../repair.js'
import type { FsckContext } from './context.js'

/**
 * Builds a database beside the place of the lost one, from the newest backup where there is one and from the folders,
 * and puts it there. What was there is kept under another name, its journal too, which would else be played into the
 * new one. @returns what was done
 */
export async function rebuild(
  { config, actor, options, folder }: FsckContext,
  path: string,
): Promise<string> {
  const { state } = config
  const backup = newestBackup(state, options.backup)
  const draft = `${path}.rebuild-${randomBytes(6).toString('hex')}`
  const lost = existsSync(path) ? statSync(path).ino : undefined
  let adopted = 0
  try {
    makeBase(draft, backup)
    const db = openForWriting(draft, config)
    try {
      adopted = await adoptAll({ config, actor, folder }, new MendableHold(db, folder))
    } finally {
      db.close()
    }
    syncPath(draft)
    const aside = `${path}.damaged-${new Date(actor.at).toISOString().replace(/[:.]/g, '')}`
    const kept = setAside(path, aside, lost)
    // Not rename: whatever somebody else has put there meanwhile must stay.
    linkSync(draft, path)
    syncPath(state)
    const from =
      backup === undefined
        ? words`rebuilt without a backup: no rule is known, ${adopted} recipients from the folders`
        : words`rebuilt from the backup ${describe(backup)}, ${adopted} recipients from the folders`
    const old = kept ? [words`the old one is kept as ${basename(aside)}`] : []
    return [from, ...old, words`run toeh fsck again in a while`].join('; ')
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('rebuild', describeError(error), { at: path, cause: error })
  } finally {
    for (const part of [draft, `${draft}-journal`]) rmSync(part, { force: true })
  }
}

/** Takes in what the folders have and the rows have not. @returns how many recipients */
async function adoptAll(
  { config, actor, folder }: Pick<FsckContext, 'config' | 'actor' | 'folder'>,
  hold: MendableHold,
): Promise<number> {
  let adopted = 0
  const envelopes = folder.ids().flatMap((id) => {
    const envelope = folder.has(id) ? readEnvelope(folder, id) : undefined
    return envelope === undefined || envelope instanceof Failure ? [] : [envelope]
  })
  const passed = await findPassed(config.state, envelopes)
  for (const envelope of envelopes) {
    const moves = movesOf(folder, envelope.id, passed.get(envelope.id))
    adopted += hold.adopt(envelope, moves, actor).length
    hold.followMoves(envelope.id, moves, actor)
  }
  return adopted
}

/** What is wrong with a database, in words. */
export function describeCondition({ condition, details }: Examined): string {
  switch (condition) {
    case 'damaged':
      return words`it is damaged: ${details.join('; ')}`
    case 'missing':
      return words`it is missing`
    case 'empty':
      return words`it is empty`
    default:
      return condition
  }
}

function describe({ path, at }: Backup): string {
  return words`${path} of ${localTime(at)}`
}

/** The backup's copy, or an empty database. */
function makeBase(draft: string, backup: Backup | undefined): void {
  if (backup === undefined) {
    createDatabase(draft, { busySeconds: 0 }).close()
    return
  }
  closeSync(openSync(draft, 'wx', 0o600))
  copyFileSync(backup.path, draft)
  unmarkBackup(draft)
  const { condition, details } = examineDatabase(draft, { busySeconds: 0 })
  if (condition === 'whole' || condition === 'older') return
  throw new Failure(
    'rebuild',
    words`the backup cannot be used: ${describeCondition({ condition, details })}`,
    {
      at: backup.path,
      hint: words`name another with --backup FILE`,
    },
  )
}

/** Keeps what is there under another name, with its journal. @returns whether there was something */
function setAside(path: string, aside: string, inode: number | undefined): boolean {
  const there = existsSync(path)
  if (there && statSync(path).ino !== inode)
    throw new Failure('rebuild', words`somebody else has put another database there`, { at: path })
  if (there) renameSync(path, aside)
  const journal = lstatSync(`${path}-journal`, { throwIfNoEntry: false })
  if (journal !== undefined && journal.size > 0) renameSync(`${path}-journal`, `${aside}-journal`)
  return there
}
