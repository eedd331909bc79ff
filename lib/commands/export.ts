/** toeh export: every live rule as CSV or JSON, in an order that diff(1) can use. */
import { resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, fileOrHyphen, openDesk } from '../cli/context.js'
import { demandTarget } from '../cli/trust.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { writeJson } from '../rules/rulefile.js'
import { publish } from '../system/files.js'
import { words } from '../text/translate.js'
import { visible } from '../text/visible.js'

interface Options extends CommonOptions {
  file?: string
  format?: 'csv' | 'json'
}

const module: CommandModule = {
  command: 'export [file]',
  describe: 'every rule as CSV or JSON, for keeping, comparing and toeh import',
  builder: (yargs: Argv) =>
    yargs
      .positional('file', { type: 'string', describe: 'where to (default: standard output)' })
      .option('format', {
        choices: ['csv', 'json'] as const,
        requiresArg: true,
        describe: "default: by the file's ending, else csv",
      })
      .example('toeh export rules.csv', 'the landscape in one file'),
  handler: async (args) => {
    const options = args as unknown as Options
    const named = options.file === undefined ? '-' : fileOrHyphen(options.file)
    if (named === '') throw new Failure('export', words`which file?`, { status: EXIT.usage })
    const file = named === '-' ? undefined : named
    const asJson = file === undefined ? options.json === true : /\.json$/i.test(file)
    const format = options.format ?? (asJson ? 'json' : 'csv')
    const desk = openDesk(options, 'read')
    if (file !== undefined) demandTarget('export', desk.config, resolve(file), 'export')
    const rules = desk.landscape.list(desk.actor.at)
    const text = format === 'json' ? writeJson(rules) : (await import('../rules/csv.js')).writeCsv(rules)
    if (file !== undefined) {
      publish('export', 'export', resolve(file), text, 0o600)
      const count = rules.length === 1 ? words`1 rule` : words`${rules.length} rules`
      answer(options, { file, format, rules: rules.length }, [words`${count} in ${file}`])
    } else if (process.stdout.isTTY) {
      // What a note holds may steer a terminal; a file gets it as it is.
      process.stdout.write(text.split('\n').map(visible).join('\n'))
    } else process.stdout.write(text)
  },
}
export default module
