/** What fsck does so that the database can be worked with: it brings it up to date, or has it rebuilt. */
import type { Config } from '../../config.js'
import { type Database, databasePath, openForReading, openForWriting } from '../../database/database.js'
import { type Examined, examineDatabase } from '../../database/examine.js'
import { describeError } from '../../failure.js'
import { words } from '../../text/translate.js'
import type { FsckContext } from './context.js'
import { describeCondition, rebuild } from './rebuild.js'

/** The database, once it can be worked with; undefined where it cannot. */
export async function openExamined(context: FsckContext): Promise<Database | undefined> {
  const { config, options, findings } = context
  const path = databasePath(config.state)
  const { repair } = options
  let { condition, details } = examineDatabase(path, config)
  if (condition === 'interrupted' || condition === 'older') {
    const state =
      condition === 'older'
        ? words`it is of an older schema`
        : words`a writer was killed in the middle of a change, and it has to be rolled back`
    const advice = words`the next run of any command does it, and this one with --repair`
    const after = repair ? bringUp(path, config) : undefined
    findings.tell('database', path, state, advice, after?.condition === 'whole')
    if (after === undefined) return undefined
    condition = after.condition
    details = after.details
  }
  if (condition === 'whole') {
    return repair ? openForWriting(path, config) : openForReading(path, config)
  }
  const state = describeCondition({ condition, details })
  if (!repair) {
    findings.tell(
      'database',
      path,
      state,
      words`all mail is deferred meanwhile; toeh fsck --repair rebuilds it`,
    )
    return undefined
  }
  findings.tell('database', path, state, await rebuild(context, path), true)
  return openForWriting(path, config)
}

/** Rolls back or migrates, as any writer does; what comes of it. */
function bringUp(path: string, config: Config): Examined {
  try {
    openForWriting(path, config).close()
  } catch (error) {
    const { condition, details } = examineDatabase(path, config)
    return condition === 'whole' || condition === 'interrupted'
      ? { condition: 'damaged', details: [describeError(error), ...details] }
      : { condition, details }
  }
  return examineDatabase(path, config)
}

/** Which rows name others that are not there, in words; empty where none do. */
export function brokenKeys(config: Config): string {
  return examineDatabase(databasePath(config.state), config).details.join('; ')
}
