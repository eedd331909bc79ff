/** toeh fsck: is everything whole? Repairs what is safe where it is told to; deletes nothing. */
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, clock, configPath, enterState } from '../cli/context.js'
import { loadTrusted } from '../cli/trust.js'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import type { FsckFinding } from '../hold/fsck/context.js'
import { fsck } from '../hold/fsck/fsck.js'
import { accounts, demandMember, describeAccounts } from '../system/accounts.js'
import { demandReadable } from '../system/caller.js'
import { words } from '../text/translate.js'

interface Options extends CommonOptions {
  repair?: boolean
  settleGone?: boolean
  backup?: string
}

function describeFinding({ fault, at, why, what, repaired }: FsckFinding): string {
  return `${at}: ${fault}: ${why}; ${repaired ? words`repaired` : words`to do`}: ${what}`
}

/** Whether the caller could read it himself, a file or a folder of backups. @throws Failure (66) */
function demandBackup(backup: string): void {
  try {
    demandReadable(backup)
  } catch (error) {
    throw new Failure('backup', describeError(error), { at: backup, status: EXIT.noInput, cause: error })
  }
}

const module: CommandModule = {
  command: 'fsck',
  describe: 'check that database, folders, bytes and rights are whole; repair what is safe',
  builder: (yargs: Argv) =>
    yargs
      .option('repair', { type: 'boolean', describe: 'repair what is safe; without it nothing is written' })
      .option('settle-gone', {
        type: 'boolean',
        describe: 'with --repair: reject what waits without its bytes',
      })
      .option('backup', {
        type: 'string',
        requiresArg: true,
        describe:
          'with --repair: the backup a lost database is rebuilt from; a file, or a folder of dated ones',
      })
      .example('toeh fsck', 'at any time, also while mail flows')
      .example('toeh fsck --repair', 'read first what it says without'),
  handler: async (args) => {
    const options = args as unknown as Options
    const { repair = false, settleGone = false, backup } = options
    if (!repair && (settleGone || backup !== undefined))
      throw new Failure('fsck', words`--settle-gone and --backup go with --repair`, { status: EXIT.usage })
    const config = loadTrusted(configPath(options))
    const who = accounts()
    const actor = { who: describeAccounts(who), at: clock() }
    if (backup !== undefined) demandBackup(backup)
    const owner = enterState(config.state)
    // To settle what has no bytes is to reject it, and the rules of a backup become those of the landscape.
    if (settleGone || backup !== undefined) demandMember(who, config.people.group, owner)
    const report = await fsck(config, actor, { repair, settleGone, backup })
    if (!report.whole) process.exitCode = EXIT.failed
    const lines = report.findings.map(describeFinding)
    answer(
      options,
      report,
      lines.length > 0 ? lines : [words`whole: ${report.checked} messages that wait were read`],
    )
  },
}
export default module
