/** toeh audit: who did what, and whether the record of it is whole. */
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, clock, openDesk } from '../cli/context.js'
import type { AuditRow } from '../database/audit.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { readableSubject } from '../notice/compose.js'
import { parseSince } from '../text/durations.js'
import { words } from '../text/translate.js'
import { localTime, visible } from '../text/visible.js'

interface Options extends CommonOptions {
  text?: string
  who?: string
  deed?: string
  since?: string
  before?: string
  csv: boolean
  head?: string
}

/** One deed in one line: `2026-11-24 10:02  marie  released  7k3m… x@a.test: releasing → 4bQ8…`. */
function describeDeed({ at, who, what, subject, was, now, mail }: AuditRow): string {
  const change = was === '' ? now : now === '' ? words`was ${was}` : `${was} → ${now}`
  const from = mail?.sender === '' ? '<>' : mail?.sender
  const about = mail === null ? '' : ` (${from}, ${readableSubject(mail.subject, words`(no subject)`)})`
  return `${localTime(at)}  ${who}  ${what}  ${subject}${change === '' ? '' : `: ${change}`}${about}`
}

async function asCsv(rows: readonly AuditRow[]): Promise<string> {
  const records = rows.map(({ id, at, who, what, subject, was, now, mail }) => ({
    ...{ id, at: new Date(at).toISOString(), who, what, subject, was, now },
    sender: mail?.sender ?? '',
    message: mail === null ? '' : readableSubject(mail.subject, ''),
  }))
  const columns = ['id', 'at', 'who', 'what', 'subject', 'was', 'now', 'sender', 'message']
  return (await import('../rules/csv.js')).writeSpreadsheet(columns, records)
}

async function list(options: Options): Promise<void> {
  const { who, deed: what, text: subject } = options
  const time = (name: 'since' | 'before'): number | undefined => {
    const given = options[name]
    return given === undefined ? undefined : parseSince(`--${name}`, given, clock())
  }
  const [since, before] = [time('since'), time('before')]
  if (options.csv && options.json === true)
    throw new Failure('audit', words`--csv and --json do not go together`, { status: EXIT.usage })
  const desk = openDesk(options, 'read')
  const rows = await desk.audit.list({ who, what, subject, since, before })
  if (options.csv) {
    const text = await asCsv(rows)
    process.stdout.write(process.stdout.isTTY ? text.split('\n').map(visible).join('\n') : text)
    return
  }
  answer(options, rows, rows.length > 0 ? rows.map(describeDeed) : [words`nothing`])
}

async function verify(options: Options): Promise<void> {
  const { head } = options
  if (head !== undefined && !/^[0-9a-f]{64}$/.test(head)) {
    throw new Failure('audit', words`it is no hash`, {
      at: `--head ${JSON.stringify(head)}`,
      status: EXIT.usage,
      hint: words`give the 64 digits that an earlier toeh audit verify has said`,
    })
  }
  const desk = openDesk(options, 'read')
  const state = await desk.audit.verify()
  const headFound = head === undefined ? null : await desk.audit.has(head)
  if (state.broken !== null || headFound === false) process.exitCode = EXIT.failed
  const lines =
    state.broken === null
      ? [words`whole: ${state.rows} rows, each follows from the one before`, `head ${state.head}`]
      : [words`NOT whole: row ${state.broken} was changed, or what stood before it was removed`]
  if (state.erased > 0)
    lines.push(words`rows with a pseudonym in place of a person who was forgotten: ${state.erased}`)
  if (headFound === true) lines.push(words`the row with that head is there`)
  if (headFound === false) lines.push(words`NOT there: the row with that head was changed or removed`)
  answer(options, { ...state, headFound }, lines)
}

const module: CommandModule = {
  command: 'audit [text]',
  describe: 'who allowed, released, rejected and revoked, and when; or whether that record is whole',
  builder: (yargs: Argv) =>
    yargs
      .positional('text', {
        type: 'string',
        describe: 'part of an address, domain or hold id; or the word verify',
      })
      .option('who', { type: 'string', requiresArg: true, describe: 'only what this person did' })
      .option('since', {
        type: 'string',
        requiresArg: true,
        describe: 'only from a day on (2026-11-04), or so long ago (30d)',
      })
      .option('before', {
        type: 'string',
        requiresArg: true,
        describe: 'only what was done before a day (2026-11-04), or longer ago than this (10d)',
      })
      .option('deed', {
        type: 'string',
        requiresArg: true,
        describe: 'only this: allow, block, revoke, released, rejected, expired, read, saved, forget',
      })
      .option('csv', {
        type: 'boolean',
        default: false,
        describe: 'as CSV for a spreadsheet, times in UTC',
      })
      .option('head', {
        type: 'string',
        requiresArg: true,
        describe: 'for verify: a head it said earlier; shows rows cut off at the end',
      })
      .example('toeh audit supplier.example --since 30d', 'who decided what about it this month')
      .example('toeh audit --deed released --since 30d --csv', 'what an auditor asks for')
      .example('toeh audit verify', 'status 1 where a row was changed or removed'),
  handler: async (args) => {
    const options = args as unknown as Options
    const { text, who, deed, since, before, csv, head } = options
    const narrows = csv || [who, deed, since, before].some((option) => option !== undefined)
    const wrong = text === 'verify' ? narrows : head !== undefined
    if (wrong) {
      throw new Failure('audit', '--who, --since and their like are for the list, --head is for verify', {
        status: EXIT.usage,
      })
    }
    await (text === 'verify' ? verify(options) : list(options))
  },
}
export default module
