/**
 * toeh import: rules from a CSV or JSON file, a list, or an address book; all of them or none. It is long because what is wrong,
 * what would change and what was changed are told in one order, which stands here to be read as a whole.
 */
import { closeSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, fileOrHyphen, openDesk } from '../cli/context.js'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import { parseScope } from '../rules/draft.js'
import { describeRule, type Foreseen } from '../rules/landscape.js'
import {
  type Carried,
  draftEntries,
  type RuleFileProblem,
  type RuleFileReading,
  readJson,
} from '../rules/rulefile.js'
import { AT_MOST, demandShare, type Ending, endingsOf, syncSource } from '../rules/sync.js'
import { openAsCaller } from '../system/caller.js'
import { parseEnd } from '../text/durations.js'
import { words } from '../text/translate.js'
import { visible } from '../text/visible.js'

const FORMATS = ['csv', 'json', 'vcf', 'ldif'] as const
type Format = (typeof FORMATS)[number]

interface Options extends CommonOptions {
  file: string
  format?: Format
  dryRun: boolean
  force: boolean
  skipFaults: boolean
  column?: string
  sync?: string
  atMost?: number
  for?: string
  until?: string
  note: string
}

/** Opens it, without reading. @returns undefined for standard input @throws Failure (66) */
function open(file: string): number | undefined {
  try {
    return file === '-' ? undefined : openAsCaller(file)
  } catch (error) {
    const denied = (error as { code?: unknown }).code === 'EACCES'
    throw new Failure('import', describeError(error), {
      at: file,
      status: EXIT.noInput,
      hint: denied ? words`or let the shell open it: ${'toeh import - < FILE'}` : undefined,
      cause: error,
    })
  }
}

/** What a file says, and whether its letters beyond ASCII were guessed. */
interface Text {
  text: string
  guessed: boolean
}

/** UTF-16 by its mark, or by the zero that is every other byte of what is written in Latin letters. */
function wideEncoding(bytes: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le'
  return (first === 0xfe && second === 0xff) || (first === 0 && second !== 0) ? 'utf-16be' : undefined
}

/** The file's text: of UTF-8 or UTF-16, with or without a byte order mark; else guessed to be of Windows. */
async function readText(file: string, fd: number | undefined): Promise<Text> {
  let bytes: Buffer
  try {
    bytes = fd === undefined ? await buffer(process.stdin) : readFileSync(fd)
    if (fd !== undefined) closeSync(fd)
  } catch (error) {
    throw new Failure('import', describeError(error), { at: file, status: EXIT.noInput, cause: error })
  }
  const wide = wideEncoding(bytes)
  if (wide !== undefined) return { text: new TextDecoder(wide).decode(bytes), guessed: false }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), guessed: false }
  } catch {
    return { text: new TextDecoder('windows-1252').decode(bytes), guessed: true }
  }
}

function formatOf(file: string, format: Format | undefined): Format {
  const [, ending = ''] = /\.([a-z]+)$/i.exec(file) ?? []
  const named = ending.toLowerCase() === 'vcard' ? 'vcf' : ending.toLowerCase()
  return format ?? FORMATS.find((one) => one === named) ?? 'csv'
}

async function readFile(file: string, fd: number | undefined, options: Options): Promise<RuleFileReading> {
  const { text, guessed } = await readText(file, fd)
  const format = formatOf(file, options.format)
  const { column } = options
  if (column !== undefined && format !== 'csv')
    throw new Failure('import', words`only a table has columns`, { at: '--column', status: EXIT.usage })
  if (format === 'ldif') return (await import('../rules/ldif.js')).readLdif(text)
  if (format === 'vcf') return (await import('../rules/vcard.js')).readAddressBook(text)
  const reading = format === 'json' ? readJson(text) : (await import('../rules/csv.js')).readCsv(text, column)
  // Of an address book the letters matter in names alone; a rule has to say what it says.
  if (!guessed || reading.columns !== undefined) return reading
  throw new Failure('import', words`it is not UTF-8`, {
    at: file,
    status: EXIT.dataError,
    hint: 'spreadsheets save that as "CSV UTF-8"',
  })
}

interface Change {
  where: string
  fate: 'new' | 'replaces'
  rule: Carried['draft']
  /** What it replaces. */
  replaced?: string
}

interface Outlook {
  changes: Change[]
  same: number
  problems: RuleFileProblem[]
  /** Those in whose way no block stands. */
  free: Carried['draft'][]
  /** What a list would change of a rule that is not its own. */
  kept: RuleFileProblem[]
}

/** What adding would do, and which of the drafts a block stands in the way of. */
function look(carried: readonly Carried[], foreseen: readonly Foreseen[], own: string | undefined): Outlook {
  const outlook: Outlook = { changes: [], same: 0, problems: [], free: [], kept: [] }
  for (const [index, { where, draft: rule }] of carried.entries()) {
    const { fate, meets } = foreseen[index] ?? { fate: 'new' }
    const met = typeof meets === 'number' ? carried[meets]?.where : meets && `rule ${meets.id}`
    if (own !== undefined && fate === 'replaces' && typeof meets === 'object' && meets.source !== own) {
      outlook.kept.push({ where, why: `rule ${meets.id} of another source stays as it is` })
      continue
    }
    if (fate !== 'blocked') outlook.free.push(rule)
    if (fate === 'same') outlook.same++
    else if (fate === 'blocked') {
      const hint = typeof meets === 'number' ? '' : `; toeh revoke ${rule.value} first, if you are sure`
      outlook.problems.push({ where, why: `allow ${rule.value}: ${met} blocks it${hint}` })
    } else if (fate === 'new') outlook.changes.push({ where, fate, rule })
    else {
      const words = typeof meets === 'object' ? `: ${describeRule(meets)}` : ''
      outlook.changes.push({ where, fate, rule, replaced: `${met}${words}` })
    }
  }
  return outlook
}

/** As they stand in the file: each check finds its own. */
function inOrder(problems: readonly RuleFileProblem[]): RuleFileProblem[] {
  const place = ({ where }: RuleFileProblem): number => Number(/[0-9]+/.exec(where)?.[0] ?? 0)
  return problems.toSorted((a, b) => place(a) - place(b))
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`
}

/** What a list may not change. */
function keptLines(kept: readonly RuleFileProblem[]): string[] {
  const some = kept.slice(0, 10).map(({ where, why }) => `  ${where}: ${why}`)
  if (kept.length === 0) return []
  return [
    `${count(kept.length, 'rule', 'rules')} of the file left out:`,
    ...some,
    ...(kept.length > 10 ? ['  …'] : []),
  ]
}

/** Where the entries of a table came from, and what of an address book was passed over. */
function sources({ columns, left = [] }: RuleFileReading): string[] {
  const lines =
    columns === undefined ? [] : [`addresses from ${columns.map((name) => JSON.stringify(name)).join(', ')}`]
  if (left.length === 0) return lines
  const some = left.slice(0, 10).map(({ where }) => where)
  const where = (left.length > 10 ? [...some, '…'] : some).join(', ')
  return [
    ...lines,
    `${count(left.length, 'address', 'addresses')} left out, known to Exchange alone: ${where}`,
  ]
}

/** What was there already, was over, or could not be kept. */
function remarks(same: number, ended: number, comments: readonly string[]): string[] {
  const lines = same === 0 ? [] : [`= ${count(same, 'rule', 'rules')} already there`]
  if (ended > 0)
    lines.push(`${count(ended, 'rule', 'rules')} of the file left out, because the time has come`)
  if (comments.length > 0) {
    const some = comments.length > 10 ? [...comments.slice(0, 10), '…'] : comments
    lines.push(
      `${count(comments.length, 'comment', 'comments')} not kept, without a rule to note it: ${some.join(', ')}`,
    )
  }
  return lines
}

const module: CommandModule = {
  command: 'import <file>',
  describe: 'add the rules of a CSV or JSON file, a list, or an address book',
  builder: (yargs: Argv) =>
    yargs
      .positional('file', { type: 'string', demandOption: true, describe: 'the file; - is standard input' })
      .option('format', {
        choices: FORMATS,
        requiresArg: true,
        describe: "default: by the file's ending, else csv",
      })
      .option('dry-run', {
        type: 'boolean',
        default: false,
        describe: 'show what would change; change nothing',
      })
      .option('force', {
        type: 'boolean',
        default: false,
        describe: 'take whole domains of freemail and other shared ones',
      })
      .option('skip-faults', {
        type: 'boolean',
        default: false,
        describe: 'take the rest of a file that has faults, and list them',
      })
      .option('column', {
        type: 'string',
        requiresArg: true,
        describe: 'the column with the addresses, in a table that is no export; found where left out',
      })
      .option('sync', {
        type: 'string',
        requiresArg: true,
        describe: 'the list is the truth for this source: what is not in it any more ends',
      })
      .option('at-most', {
        type: 'number',
        requiresArg: true,
        describe: `with --sync: how much of the source may end at once, in percent (default ${AT_MOST})`,
      })
      .option('for', {
        type: 'string',
        requiresArg: true,
        describe: 'only for mail of this sender, @domain or group, where the file does not say',
      })
      .option('until', {
        type: 'string',
        requiresArg: true,
        describe: 'until the end of this day (2026-12-31), or for so long (30d), where the file does not say',
      })
      .option('note', {
        type: 'string',
        default: '',
        requiresArg: true,
        describe: 'why, where the file does not say',
      })
      .example('toeh import suppliers.csv --dry-run', 'what would change'),
  handler: async (args) => {
    const options = args as unknown as Options
    const file = fileOrHyphen(options.file)
    const { dryRun, force, note } = options
    if (file === '') throw new Failure('import', words`which file?`, { status: EXIT.usage })
    const sync = options.sync === undefined ? undefined : syncSource(options.sync)
    const { atMost = AT_MOST } = options
    if (!Number.isInteger(atMost) || atMost < 0 || atMost > 100 || (options.atMost !== undefined && !sync))
      throw new Failure('import', words`it is a whole number from 0 to 100, and goes with --sync`, {
        at: '--at-most',
        status: EXIT.usage,
      })
    if (sync !== undefined && options.skipFaults)
      throw new Failure('import', words`what has a fault would count as gone: not with --sync`, {
        at: '--skip-faults',
        status: EXIT.usage,
      })
    // Before the desk: root may open files that the owner of the state folder may not.
    const fd = open(file)
    const desk = openDesk(options, dryRun ? 'read' : 'decide')
    const reading = await readFile(file, fd, options)
    const { groups, internal, shared } = desk.config
    const { at, who } = desk.actor
    const scope = options.for === undefined ? '' : parseScope('import', options.for, desk.config)
    const endsAt = options.until === undefined ? null : parseEnd('--until', options.until, at)
    const source = sync ?? `import ${file === '-' ? '-' : basename(file)}`
    // Of a list that is the truth every rule is its own, whatever it says.
    const entries =
      sync === undefined ? reading.entries : reading.entries.map((entry) => ({ ...entry, source }))
    const drafted = draftEntries(entries, {
      who,
      at,
      groups,
      internal,
      shared,
      force,
      source,
      scope,
      endsAt,
      note,
    })
    const { carried, ended } = drafted
    const drafts = carried.map(({ draft }) => draft)
    const none: Ending = { gone: [], narrowed: [], of: 0 }
    const ending = sync === undefined ? none : endingsOf(desk.landscape.list(at), sync, drafts)
    const ends = [...ending.gone, ...ending.narrowed]
    const without = new Set(ends.map(({ id }) => id))
    const outlook = look(carried, desk.landscape.foresee(drafts, at, without), sync)
    const problems = [...reading.problems, ...drafted.problems, ...outlook.problems]
    const { changes, same } = outlook
    const rest = [...remarks(same, ended, reading.comments), ...sources(reading), ...keptLines(outlook.kept)]
    if (dryRun) {
      const endings = ends.map((rule) => `- ${describeRule(rule)}`)
      const lines = changes.map(({ fate, rule, replaced, where }) =>
        fate === 'new'
          ? `+ ${describeRule(rule)}  (${where})`
          : words`~ ${describeRule(rule)}  (${where}), in place of ${replaced ?? ''}`,
      )
      const value = {
        dryRun,
        changes,
        same,
        ended,
        revoked: ends,
        kept: outlook.kept,
        comments: reading.comments,
        problems,
        left: reading.left ?? [],
        columns: reading.columns ?? [],
      }
      lines.unshift(...endings)
      answer(
        options,
        value,
        lines.length + rest.length > 0 ? [...lines, ...rest] : [words`nothing would change`],
      )
    }
    // A file of which nothing is left was not what it was taken for.
    const refused = problems.length > 0 && !(options.skipFaults && outlook.free.length > 0)
    if (problems.length > 0) {
      for (const { where, why } of inOrder(problems))
        process.stderr.write(`toeh: ${visible(`import ${file} ${where}: ${why}`)}\n`)
    }
    if (refused) {
      const would = dryRun ? 'would be refused, and with it the whole file' : 'refused; nothing was changed'
      throw new Failure('import', `${count(problems.length, 'fault', 'faults')}: ${would}`, {
        at: file,
        status: EXIT.dataError,
        hint: dryRun || options.skipFaults ? undefined : words`--skip-faults takes the rest`,
      })
    }
    if (sync !== undefined) demandShare(file, ending, drafts.length + drafted.ended, atMost)
    if (dryRun) return
    const { added: results, ended: revoked } = desk.landscape.exchange(ends, outlook.free, desk.actor)
    const added = results.filter((result) => result.added)
    const replaced = added.filter((result) => result.replaced !== undefined)
    const instead = replaced.length === 0 ? '' : `, ${replaced.length} of them in place of another`
    const value = {
      added: added.map(({ rule }) => rule),
      replaced: replaced.map((result) => result.replaced),
      same: results.length - added.length,
      ended,
      comments: reading.comments,
      revoked,
      kept: outlook.kept,
      problems,
      left: reading.left ?? [],
      columns: reading.columns ?? [],
    }
    if (problems.length > 0) rest.push(`${count(problems.length, 'fault', 'faults')} skipped`)
    const over = sync === undefined ? '' : `, ${revoked.length} ended`
    const endings = revoked.map((rule) => `- ${describeRule(rule)}`)
    answer(options, value, [
      ...endings,
      `${count(added.length, 'rule', 'rules')} added${instead}${over}`,
      ...rest,
    ])
  },
}
export default module
