/** toeh report: what passed, what was held, what waits and for how long; on the terminal or as one page. */
import { resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { grouped } from '../chart.js'
import { readDecisions } from '../decisions.js'
import { answer, type CommonOptions, type Desk, openDesk } from '../desk.js'
import { localDay, localTime, shortAge, shortSize } from '../display.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { FigureCount, type Figures } from '../figures.js'
import { counted, drawPage, SPAN_NAMES, shareHeld } from '../page.js'
import { publish } from '../publish.js'
import { describeRoom, measureRoom } from '../room.js'
import { parseSince } from '../term.js'

interface Options extends CommonOptions {
  since: string
  html?: string
}

/** Days of the summary's picture: two weeks fit any terminal. */
const DAYS_SHOWN = 14
const ROWS_SHOWN = 5
const BAR = 30

async function gather(desk: Desk, since: number): Promise<Figures> {
  const now = desk.actor.at
  const count = new FigureCount(since, now)
  const firstDay = new Date(count.since).toISOString().slice(0, 10)
  for await (const decision of readDecisions(desk.config.state, firstDay)) count.add(decision)
  const held = await desk.hold.since(count.since)
  return count.figures(held, await desk.hold.waiting(), await desk.landscape.lives())
}

function bar(value: number, most: number): string {
  return value === 0 ? '' : '#'.repeat(Math.max(1, Math.round((BAR * value) / most)))
}

/** The summary, in lines of 80 columns but for what addresses need. */
export function describeFigures(figures: Figures, mode: Desk['config']['mode']): string[] {
  const { since, until, days, waiting, settled, release, newest, senders, rules } = figures
  const lines = [
    `from ${localTime(since)} to ${localTime(until)}${mode === 'observe' ? '; TOEH observes, everything passes' : ''}`,
    '',
    `${counted(figures.messages, 'message')}; recipients: ${grouped(figures.passed)} passed, ${grouped(figures.held)} held, ${grouped(figures.refused)} refused, ${grouped(figures.observed)} passed that would have been held (${shareHeld(figures)} held, or would have been)`,
  ]
  const shown = days.slice(-DAYS_SHOWN)
  const heldOn = ({ held, refused, observed }: (typeof days)[number]): number => held + refused + observed
  const most = shown.reduce((top, day) => Math.max(top, heldOn(day)), 0)
  lines.push('', 'day          passed    held')
  for (const day of shown) {
    const line = `${day.day} ${grouped(day.passed).padStart(8)} ${grouped(heldOn(day)).padStart(7)}  ${bar(heldOn(day), most)}`
    lines.push(line.trimEnd())
  }
  lines.push('')
  if (waiting.oldest === null) lines.push('nothing waits')
  else {
    const oldest = `the oldest for ${shortAge(until - waiting.oldest)}`
    lines.push(
      `${counted(waiting.messages, 'message')} (${shortSize(waiting.bytes)}) for ${counted(waiting.recipients, 'recipient')} wait, ${oldest}:`,
    )
    for (const [index, count] of waiting.spans.entries()) {
      const name = index === SPAN_NAMES.length - 1 ? 'longer' : `up to ${SPAN_NAMES[index]}`
      if (count > 0) lines.push(`  ${name.padEnd(15)} ${grouped(count)}`)
    }
  }
  lines.push(
    `settled: ${grouped(settled.released)} released, ${grouped(settled.rejected)} rejected, ${grouped(settled.expired)} expired`,
  )
  if (release.median !== null && release.ninetieth !== null)
    lines.push(
      `time to release: half within ${shortAge(release.median)}, nine of ten within ${shortAge(release.ninetieth)}`,
    )
  if (newest.length > 0) lines.push('', 'newest destinations')
  for (const { address, first, state } of newest.slice(0, ROWS_SHOWN))
    lines.push(`  ${localTime(first)}  ${address}  ${state}`)
  if (senders.length > 0) lines.push('', 'whose mail is held most')
  for (const { sender, held, recipients } of senders.slice(0, ROWS_SHOWN))
    lines.push(`  ${grouped(held).padStart(6)} of ${grouped(recipients)}  ${sender === '' ? '<>' : sender}`)
  lines.push(
    '',
    `the landscape: ${counted(rules.allows, 'allow rule')}, ${counted(rules.blocks, 'block')}; ${rules.grown < 0 ? '' : '+'}${grouped(rules.grown)} since ${localDay(since)}`,
  )
  return lines
}

const module: CommandModule = {
  command: 'report',
  describe: 'what passed, what was held, what waits and for how long',
  builder: (yargs: Argv) =>
    yargs
      .option('since', {
        type: 'string',
        default: '30d',
        requiresArg: true,
        describe: 'from a day on (2026-11-04), or so long ago (30d)',
      })
      .option('html', {
        type: 'string',
        requiresArg: true,
        describe: 'write one page to this file; - is standard output',
      })
      .example('toeh report --since 7d', 'the last week, in lines')
      .example('toeh report --html report.html', 'the last thirty days as a page'),
  handler: async (args) => {
    const options = args as unknown as Options
    if (options.html === '') throw new Failure('report', 'which file?', { status: EXIT.usage })
    const file = options.html === undefined ? undefined : resolve(options.html)
    const desk = openDesk(options, 'read')
    const figures = await gather(desk, parseSince('--since', options.since, desk.actor.at))
    if (file === undefined) {
      const room = describeRoom(desk.config, await measureRoom(desk.config, desk.hold))
      answer(options, figures, [...describeFigures(figures, desk.config.mode), ...room])
      return
    }
    const [company = ''] = desk.config.internal
    const page = drawPage(figures, company, desk.config.mode)
    if (options.html === '-') {
      process.stdout.write(page)
      return
    }
    publish('report', 'report --html -', file, page, 0o600)
    answer(options, { file, ...figures }, [file])
  },
}
export default module
