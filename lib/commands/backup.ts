/** toeh backup: a consistent copy of the database, taken while filters run, and checked. */
import { dirname, resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, openDesk } from '../cli/context.js'
import { demandTarget } from '../cli/trust.js'
import { takeBackup, thinOut } from '../database/backup.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { words } from '../text/translate.js'

interface Options extends CommonOptions {
  file: string
  keep?: number
}

const module: CommandModule = {
  command: 'backup <file>',
  describe: 'copy the database to a file, or to a dated file in a folder, and check the copy',
  builder: (yargs: Argv) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'the file, or a folder' })
      .option('keep', {
        type: 'number',
        requiresArg: true,
        describe: 'in a folder: keep so many, remove older ones',
      })
      .example('toeh backup /var/backups/toeh --keep 14', 'from cron, once a day'),
  handler: async (args) => {
    const options = args as unknown as Options
    const { keep } = options
    if (keep !== undefined && (!Number.isInteger(keep) || keep < 1))
      throw new Failure('backup', '--keep must be a whole number from 1 on', { status: EXIT.usage })
    const { config, actor } = openDesk(options, 'read')
    demandTarget('backup', config, resolve(options.file), undefined)
    const backup = await takeBackup(config.state, options.file, actor.at, config)
    const inFolder = backup.path !== resolve(options.file)
    const removed = keep !== undefined && inFolder ? thinOut(dirname(backup.path), keep) : []
    const { rule = 0, hold = 0 } = backup.rows
    answer(options, { ...backup, removed }, [
      words`${backup.path}: ${rule} rules, ${hold} messages, checked`,
      ...removed.map((path) => words`${path}: removed`),
    ])
  },
}
export default module
