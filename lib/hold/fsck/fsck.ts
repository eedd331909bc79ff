/**
 * The check that everything is whole: the database, each message's folder, bytes, envelope and rows, rights. It repairs
 * only what is safe, deletes nothing, and is right while filters run beside it: what looks wrong is looked at twice,
 * and a folder whose run may still live is left alone. docs/backup.md has the table of what it finds.
 */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config.js'
import type { Actor } from '../../database/audit.js'
import { databasePath } from '../../database/database.js'
import { words } from '../../text/translate.js'
import { HoldFolder } from '../folder.js'
import { MendableHold } from '../repair.js'
import { type FsckContext, FsckFindings, type FsckOptions, type FsckReport } from './context.js'
import { brokenKeys, openExamined } from './database.js'
import { MessageCheck } from './messages.js'
import { checkRights } from './rights.js'

/** As cleanup: older than any run can be. */
const TEMPORARY_MS = 86_400_000

/** Looks at everything, and repairs what is safe where that was asked for. Without it nothing is written. */
export async function fsck(config: Config, actor: Actor, options: FsckOptions): Promise<FsckReport> {
  const findings = new FsckFindings()
  const folder = new HoldFolder(config.state)
  const context = { config, actor, options, folder, findings }
  checkRights(context)
  let checked = 0
  const db = await openExamined(context)
  const keys = db === undefined ? '' : brokenKeys(config)
  if (db !== undefined) {
    try {
      const hold = new MendableHold(db, folder)
      await checkCounts(context, hold)
      const messages = new MessageCheck(context, hold)
      await messages.run()
      checked = messages.checked
    } finally {
      db.close()
    }
  }
  if (keys !== '') {
    const left = brokenKeys(config)
    const advice = words`what can be mended is told with its message; for the rest restore a backup`
    findings.tell(
      'database',
      databasePath(config.state),
      keys,
      left === '' ? words`mended` : advice,
      left === '',
    )
  }
  checkTemporaries(context)
  return { findings: findings.list, checked, whole: findings.list.every(({ repaired }) => repaired) }
}

/** Whether what waits is counted as it is: who is counted wrongly is neither listed nor expired. */
async function checkCounts({ config, options, findings }: FsckContext, hold: MendableHold): Promise<void> {
  const wrong = hold.recount(options.repair)
  if (wrong.length === 0) return
  const path = databasePath(config.state)
  const why = words`what waits is counted wrongly: ${wrong.join(', ')}`
  const { repair } = options
  const what = repair
    ? words`counted anew`
    : words`toeh fsck --repair counts anew, and so does toeh cleanup once a day`
  findings.tell('counts', path, why, what, repair)
}

function checkTemporaries({ actor, folder, findings }: FsckContext): void {
  for (const name of readdirSync(folder.tmp)) {
    const path = join(folder.tmp, name)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined || actor.at - stat.mtimeMs < TEMPORARY_MS) continue
    findings.tell(
      'temporary',
      path,
      words`a run that was killed has left it`,
      words`toeh cleanup; is its timer running?`,
    )
  }
}
