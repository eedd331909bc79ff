/** toeh audit: who did what, and whether the record of it is whole. */
import type { Argv, CommandModule } from 'yargs'
import type { AuditRow } from '../audit.js'
import { answer, type CommonOptions, clock, openDesk } from '../desk.js'
import { localTime } from '../display.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { words } from '../speech.js'
import { parseSince } from '../term.js'

interface Options extends CommonOptions {
  text?: string
  who?: string
  since?: string
  head?: string
}

/** One deed in one line: `2026-11-24 10:02  marie  released  7k3m… x@a.test: releasing → 4bQ8…`. */
function describeDeed({ at, who, what, subject, was, now }: AuditRow): string {
  const change = was === '' ? now : now === '' ? words`was ${was}` : `${was} → ${now}`
  return `${localTime(at)}  ${who}  ${what}  ${subject}${change === '' ? '' : `: ${change}`}`
}

async function list(options: Options): Promise<void> {
  const since = options.since === undefined ? undefined : parseSince('--since', options.since, clock())
  const desk = openDesk(options, 'read')
  const rows = await desk.audit.list({ who: options.who, subject: options.text, since })
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
      .option('head', {
        type: 'string',
        requiresArg: true,
        describe: 'for verify: a head it said earlier; shows rows cut off at the end',
      })
      .example('toeh audit supplier.example --since 30d', 'who decided what about it this month')
      .example('toeh audit verify', 'status 1 where a row was changed or removed'),
  handler: async (args) => {
    const options = args as unknown as Options
    const { text, who, since, head } = options
    const wrong = text === 'verify' ? (who ?? since) !== undefined : head !== undefined
    if (wrong) {
      throw new Failure('audit', '--who and --since are for the list, --head is for verify', {
        status: EXIT.usage,
      })
    }
    await (text === 'verify' ? verify(options) : list(options))
  },
}
export default module
