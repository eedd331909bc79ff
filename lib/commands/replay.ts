/** toeh replay: past mail against today's landscape: what would have been held. */
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, clock } from '../cli/context.js'
import {
  attemptsIn,
  type LogReading,
  leftOutLines,
  noLogReading,
  openDeskBehind,
  openSources,
  parseLogSince,
  parseWays,
} from '../cli/maillogs.js'
import { PastVerdicts } from '../learn/pastverdicts.js'
import { Rehearsal, type ReplayReport } from '../learn/replay.js'
import type { Attempt } from '../logs/maillog.js'
import { isOwnSender } from '../mail/mailbox.js'
import { words } from '../text/translate.js'
import { visible } from '../text/visible.js'

interface Options extends CommonOptions {
  file: string[]
  journal?: string
  since?: string
  relay?: string[]
  all: boolean
}

const ROWS = 20
const ADDRESS_COLUMNS = 42

/** `12.3%`, and `-` of nothing. */
function share(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)}%`
}

/** An address cut at its front where it is too long: the end of the domain says whose it is. */
function cut(address: string): string {
  const characters = [...visible(address)]
  const text =
    characters.length <= ADDRESS_COLUMNS ? characters : ['…', ...characters.slice(1 - ADDRESS_COLUMNS)]
  return text.join('').padEnd(ADDRESS_COLUMNS)
}

/** A heading with its rows, at most so many; how many more there are is said. */
function section(heading: string, rows: readonly string[], all: boolean): string[] {
  if (rows.length === 0) return []
  const shown = all ? rows : rows.slice(0, ROWS)
  const more = rows.length - shown.length
  return ['', heading, ...shown, ...(more > 0 ? [words`  and ${more} more; --all shows them`] : [])]
}

function linesOf(report: ReplayReport, reading: LogReading, unjoined: number, all: boolean): string[] {
  const { messages, messagesHeld, recipients, held, destinations } = report
  const reasons = Object.entries(report.reasons)
    .sort()
    .map(([reason, number]) => `${reason} ${number}`)
  const lines = [
    words`${reading.lines} lines, ${reading.broken} broken, ${messages} messages to ${recipients} recipients`,
    words`would have been held:`,
    words`  ${held} recipients (${share(held, recipients)}), ${destinations} destinations`,
    words`  ${messagesHeld} messages (${share(messagesHeld, messages)})`,
  ]
  if (reasons.length > 0) lines.push(words`by reason: ${reasons.join(', ')}`)
  if (unjoined > 0)
    lines.push(words`${unjoined} recipients not counted: the log begins too late to say who sent`)
  lines.push(...leftOutLines(reading))
  const days = report.days.map(
    (day) =>
      `${day.day} ${String(day.messages).padStart(9)} ${String(day.messagesHeld).padStart(7)} ${share(day.messagesHeld, day.messages).padStart(7)} ${String(day.firstHeld).padStart(17)}`,
  )
  const senders = report.senders.map(
    (count) =>
      `${cut(count.sender === '' ? '<>' : count.sender)} ${String(count.held).padStart(7)} ${share(count.held, count.recipients).padStart(7)}`,
  )
  const byDestination = report.byDestination.map(
    ({ recipient, held: times, senders: people, reason }) =>
      `${cut(recipient)} ${String(times).padStart(7)} ${String(people).padStart(7)}  ${reason}`,
  )
  return [
    ...lines,
    ...section('day         messages    held   share  new destinations', days, all),
    ...section(`${'sender'.padEnd(ADDRESS_COLUMNS)}    held   share`, senders, all),
    ...section(`${'destination'.padEnd(ADDRESS_COLUMNS)}    held senders  reason`, byDestination, all),
  ]
}

const module: CommandModule = {
  command: 'replay [file..]',
  describe: "past mail against today's landscape: what would have been held",
  builder: (yargs: Argv) =>
    yargs
      .positional('file', {
        type: 'string',
        array: true,
        default: [],
        describe: 'log files, plain or packed, in any order; - reads standard input',
      })
      .option('journal', {
        type: 'string',
        describe: "read systemd's journal, or that of another machine: a folder or a file",
      })
      .option('since', { type: 'string', requiresArg: true, describe: 'from this day on, as 2026-11-04' })
      .option('relay', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'the way out, where mail leaves by this host alone: HOST or HOST:PORT as in the log',
      })
      .option('all', { type: 'boolean', default: false, describe: `every row, not ${ROWS} of each table` })
      .example('toeh replay /var/log/mail.log*', 'before you switch to enforce'),
  handler: async (args) => {
    const options = args as unknown as Options
    const since = parseLogSince('replay', options.since)
    const ways = parseWays('replay', options.relay)
    const sources = await openSources('replay', options, clock())
    const desk = openDeskBehind(sources, options, 'read')
    const { config } = desk
    const judge = new PastVerdicts(desk)
    const rehearsal = new Rehearsal()
    const reading = noLogReading()
    let unjoined = 0
    // Mail from outside that Postfix forwards never meets the gate, which stands on submission and pickup.
    const meetsTheGate = ({ sender, submitted }: Attempt): boolean =>
      submitted || (sender !== undefined && sender !== '' && isOwnSender(sender, config))
    for await (const attempts of attemptsIn('replay', sources, since, reading, ways)) {
      for (const attempt of attempts) {
        if (!attempt.outward || !(attempt.sender === undefined || meetsTheGate(attempt))) continue
        if (!rehearsal.isNew(attempt)) continue
        if (attempt.sender === undefined) unjoined++
        else rehearsal.add(attempt, await judge.verdict(attempt, attempt.recipient))
      }
    }
    const report = rehearsal.report()
    const lines = linesOf(report, reading, unjoined, options.all)
    answer(options, { ...reading, unjoined, ...report }, lines)
  },
}
export default module
