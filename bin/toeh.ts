/** toeh: what people and timers run. One command, one file in lib/commands; only the one that is asked for is run. */

import yargs, { type Argv, type CommandModule } from 'yargs'
import type { CommonOptions } from '../lib/cli/context.js'
import { EXIT } from '../lib/exit.js'
import { describeError, Failure } from '../lib/failure.js'
import { ERRAND } from '../lib/system/owner.js'
import { type Language, languageOf, speak, spoken, translated, words } from '../lib/text/translate.js'
import { visible } from '../lib/text/visible.js'

/** Put in by bundle.mjs. */
declare const VERSION: string

const COMMANDS: Record<string, () => Promise<{ default: CommandModule }>> = {
  init: () => import('../lib/commands/init.js'),
  mode: () => import('../lib/commands/mode.js'),
  doctor: () => import('../lib/commands/doctor.js'),
  allow: () => import('../lib/commands/allow.js'),
  block: () => import('../lib/commands/block.js'),
  revoke: () => import('../lib/commands/revoke.js'),
  undo: () => import('../lib/commands/undo.js'),
  known: () => import('../lib/commands/known.js'),
  learn: () => import('../lib/commands/learn.js'),
  replay: () => import('../lib/commands/replay.js'),
  why: () => import('../lib/commands/why.js'),
  import: () => import('../lib/commands/import.js'),
  export: () => import('../lib/commands/export.js'),
  list: () => import('../lib/commands/list.js'),
  show: () => import('../lib/commands/show.js'),
  release: () => import('../lib/commands/release.js'),
  reject: () => import('../lib/commands/reject.js'),
  moderate: () => import('../lib/commands/moderate.js'),
  recheck: () => import('../lib/commands/recheck.js'),
  cleanup: () => import('../lib/commands/cleanup.js'),
  audit: () => import('../lib/commands/audit.js'),
  forget: () => import('../lib/commands/forget.js'),
  express: () => import('../lib/commands/express.js'),
  digest: () => import('../lib/commands/digest.js'),
  report: () => import('../lib/commands/report.js'),
  metrics: () => import('../lib/commands/metrics.js'),
  backup: () => import('../lib/commands/backup.js'),
  fsck: () => import('../lib/commands/fsck.js'),
}

/**
 * Put before a word behind `--` that begins with a hyphen, which yargs would read as an option all the same; taken away
 * before a command sees it. No argument has a NUL of its own.
 */
const BEHIND = '\0'

function unmark(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unmark)
  return typeof value === 'string' && value.startsWith(BEHIND) ? value.slice(BEHIND.length) : value
}

/** Loads the words of a language, where they are not those of the sources. */
async function speakIn(language: Language): Promise<void> {
  if (language === 'fr') speak('fr', (await import('../lib/text/fr/commands.js')).FRENCH)
}

/** The language of the configuration, for where the environment says nothing. A command says what is wrong with it. */
async function configured(options: CommonOptions): Promise<Language> {
  try {
    const [{ loadTrusted }, { configPath }] = await Promise.all([
      import('../lib/cli/trust.js'),
      import('../lib/cli/context.js'),
    ])
    return loadTrusted(configPath(options)).language
  } catch {
    return 'en'
  }
}

/** What yargs has against a command line. */
class Complaint extends Error {}

/** Those that are told in our words (lib/cli/complaint.ts), which knows them by yargs' English. */
const COMPLAINTS = {
  'Unknown argument: %s': { one: 'Unknown argument: %s', other: 'Unknown arguments: %s' },
  'Not enough non-option arguments: got %s, need at least %s': {
    one: 'Not enough non-option arguments: got %s, need at least %s',
    other: 'Not enough non-option arguments: got %s, need at least %s',
  },
  'Not enough arguments following: %s': 'Not enough arguments following: %s',
}

/** The complaint with what was perhaps meant: looked for only now. */
async function explain(
  { message }: Complaint,
  argv: readonly string[],
  asked: string | undefined,
  parser: Argv,
  module: CommandModule | undefined,
): Promise<Failure> {
  const { complaintOf } = await import('../lib/cli/complaint.js')
  const { getOptions } = parser as unknown as { getOptions(): { key: Record<string, unknown> } }
  const command = [module?.command].flat()[0]?.toString()
  const { what, meant } = complaintOf(message, argv, {
    command,
    commands: Object.keys(COMMANDS),
    // yargs keeps each in camel case too.
    options: Object.keys(getOptions.call(parser).key).filter((name) => /^[a-z][a-z-]+$/.test(name)),
  })
  const help = asked === undefined ? words`toeh --help names the commands` : `toeh ${asked} --help`
  const hint = meant.length === 0 ? help : `${words`did you mean ${meant.join(', ')}?`} ${help}`
  return new Failure('usage', what, { status: EXIT.usage, hint })
}

/** The texts of a command's help, in the language that was chosen. */
function inChosenWords<T>(facts: T): T {
  const { describe } = (facts ?? {}) as { describe?: unknown }
  return typeof describe === 'string' ? { ...facts, describe: translated(describe) } : facts
}

/** Each command tells yargs of its options by these (option calls options): in their place, ones that translate. */
function translateHelp(parser: Argv): void {
  const methods = parser as unknown as Record<string, (...given: unknown[]) => unknown>
  for (const name of ['options', 'positional', 'example']) {
    const tell = methods[name]
    methods[name] = (first, second) =>
      tell?.call(parser, first, typeof second === 'string' ? translated(second) : inChosenWords(second))
  }
}

/** yargs composes a command's help after every run of it, for a later call that no one makes here: half of the run. */
function spareHelp(parser: Argv): void {
  const { getInternalMethods } = parser as unknown as {
    getInternalMethods?(): { getUsageInstance(): { cacheHelpMessage(): void } }
  }
  const usage = getInternalMethods?.call(parser).getUsageInstance()
  if (usage !== undefined) usage.cacheHelpMessage = () => {}
}

async function main(argv: string[]): Promise<void> {
  // No command: root starts it as another user, and nobody is told of it.
  if (argv[0] === ERRAND && process.getuid?.() !== 0)
    return (await import('../lib/cli/errand.js')).run(argv[1] ?? '')
  // What programs read is English.
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  const asJson = argv.slice(0, end).some((word) => /^--json(=|$)/.test(word))
  const language = languageOf(process.env)
  if (language !== undefined && !asJson) await speakIn(language)
  const asked = argv.find((word) => Object.hasOwn(COMMANDS, word))
  const names = asked === undefined ? Object.keys(COMMANDS) : [asked]
  const modules = await Promise.all(names.map((name) => COMMANDS[name]?.()))
  // yargs loses a lone - among positionals. The value of an option stays what it is.
  const given = argv.map((word, index) => {
    if (word === '-' && argv[index - 1]?.startsWith('--') !== true) return '/dev/stdin'
    return index > end && word.startsWith('-') ? `${BEHIND}${word}` : word
  })
  // All behind it is marked where it has to be, and yargs would count none of it.
  given.splice(end, 1)
  const parser = yargs(given)
    .scriptName('toeh')
    .version(VERSION)
    .locale(spoken())
    .updateStrings(COMPLAINTS as unknown as Record<string, string>)
    .usage(words`$0 COMMAND: who is known, what waits, and who said yes. See toeh COMMAND --help.`)
    .option('config', { type: 'string', describe: words`configuration file`, requiresArg: true })
    .option('json', { type: 'boolean', describe: words`answer as JSON` })
    .demandCommand(1, words`which command?`)
    .strict()
    .middleware((args) => {
      for (const [name, value] of Object.entries(args)) args[name] = unmark(value)
    })
    .middleware(async (args) => {
      if (language === undefined && !asJson) await speakIn(await configured(args as CommonOptions))
    })
    .help()
    .alias('help', 'h')
    .wrap(80)
    .exitProcess(false)
    .fail((message, error) => {
      // yargs words some of its complaints and throws others (YError): all of them are wrong usage.
      if (error !== undefined && error.name !== 'YError') throw error
      throw new Complaint((error?.message ?? message).replaceAll(BEHIND, '').replace(/\s*\n\s*/g, ' '))
    })
  translateHelp(parser)
  spareHelp(parser)
  for (const module of modules) if (module !== undefined) parser.command(inChosenWords(module.default))
  try {
    await parser.parseAsync()
  } catch (error) {
    if (!(error instanceof Complaint)) throw error
    throw await explain(error, argv, asked, parser, asked === undefined ? undefined : modules[0]?.default)
  }
}

// Whatever a command makes is for its owner alone, unless it says otherwise.
process.umask(0o077)
// A reader that has seen enough (head, less) is no error.
process.stdout.on('error', () => process.exit())

/** Of an error that nobody has made a Failure of, the file too. */
function lastWords(error: unknown): string {
  const { path } = (error ?? {}) as { path?: unknown }
  return error instanceof Failure || typeof path !== 'string'
    ? describeError(error)
    : `${path}: ${describeError(error)}`
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`toeh: ${visible(lastWords(error))}\n`)
  process.exitCode = error instanceof Failure ? error.status : EXIT.failed
})
