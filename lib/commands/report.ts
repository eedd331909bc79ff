/** toeh report: what passed, what was held, what waits and for how long; on the terminal or as one page. */
import { resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { describeRoom } from '../cli/capacitywarning.js'
import { answer, type CommonOptions, type Desk, openDesk } from '../cli/context.js'
import { demandTarget } from '../cli/trust.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { measureRoom } from '../hold/capacity.js'
import { readDecisions } from '../logs/decisionlog.js'
import { FigureCount, type Figures, MOST, SPANS } from '../report/figures.js'
import { drawPage, messagesOf, recipientsOf, rulesOf, shareHeld, spanNames } from '../report/page.js'
import { publish } from '../system/files.js'
import { ageOf, grouped, sizeOf } from '../text/amounts.js'
import { parseSince } from '../text/durations.js'
import { translated, words } from '../text/translate.js'
import { localDay, localTime } from '../text/visible.js'

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
  const states = new Map<string, string>()
  for (const { hold, address } of count.lastHolds()) {
    const state = desk.hold.states(hold).get(address)
    if (state !== undefined) states.set(address, state)
  }
  const waiting = {
    ...desk.hold.load(),
    oldest: desk.hold.oldest(),
    oldestSince: desk.hold.oldest(count.since),
    spans: desk.hold.countSince(SPANS.map((span) => now - span)),
    longest: desk.hold.waiting({ most: MOST }),
  }
  return count.figures(desk.hold.settledSince(count.since), waiting, desk.landscape.lives(), states)
}

function bar(value: number, most: number): string {
  return value === 0 ? '' : '#'.repeat(Math.max(1, Math.round((BAR * value) / most)))
}

/** The summary, in lines of 80 columns but for what addresses need. */
export function describeFigures(figures: Figures, mode: Desk['config']['mode']): string[] {
  const { since, until, days, waiting, settled, release, newest, senders, rules } = figures
  const lines = [
    mode === 'observe'
      ? words`from ${localTime(since)} to ${localTime(until)}; TOEH observes, everything passes`
      : words`from ${localTime(since)} to ${localTime(until)}`,
    '',
    words`${messagesOf(figures.messages)}; recipients: ${grouped(figures.passed)} passed, ${grouped(figures.held)} held, ${grouped(figures.refused)} refused, ${grouped(figures.observed)} passed that would have been held (${shareHeld(figures)} held, or would have been)`,
  ]
  const shown = days.slice(-DAYS_SHOWN)
  const heldOn = ({ held, refused, observed }: (typeof days)[number]): number => held + refused + observed
  const most = shown.reduce((top, day) => Math.max(top, heldOn(day)), 0)
  lines.push('', words`day          passed    held`)
  for (const day of shown) {
    const line = `${day.day} ${grouped(day.passed).padStart(8)} ${grouped(heldOn(day)).padStart(7)}  ${bar(heldOn(day), most)}`
    lines.push(line.trimEnd())
  }
  lines.push('')
  if (waiting.oldest === null) lines.push(words`nothing waits`)
  else {
    lines.push(
      words`${messagesOf(waiting.messages)} (${sizeOf(waiting.bytes)}) for ${recipientsOf(waiting.recipients)} wait, the oldest for ${ageOf(until - waiting.oldest)}:`,
    )
    const names = spanNames()
    for (const [index, count] of waiting.spans.entries())
      if (count > 0) lines.push(`  ${(names[index] ?? '').padEnd(15)} ${grouped(count)}`)
  }
  lines.push(
    words`settled: ${grouped(settled.released)} released, ${grouped(settled.rejected)} rejected, ${grouped(settled.expired)} expired`,
  )
  if (release.median !== null && release.ninetieth !== null)
    lines.push(
      words`time to release: half within ${ageOf(release.median)}, nine of ten within ${ageOf(release.ninetieth)}`,
    )
  if (newest.length > 0) lines.push('', words`newest destinations`)
  for (const { address, first, state } of newest.slice(0, ROWS_SHOWN))
    lines.push(`  ${localTime(first)}  ${address}  ${translated(state)}`)
  if (senders.length > 0) lines.push('', words`whose mail is held most`)
  for (const { sender, held, recipients } of senders.slice(0, ROWS_SHOWN))
    lines.push(
      words`  ${grouped(held).padStart(6)} of ${grouped(recipients)}  ${sender === '' ? '<>' : sender}`,
    )
  lines.push(
    '',
    words`the landscape: ${rulesOf(rules.allows, rules.blocks)}; ${rules.grown < 0 ? '' : '+'}${grouped(rules.grown)} since ${localDay(since)}`,
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
    if (options.html === '') throw new Failure('report', words`which file?`, { status: EXIT.usage })
    const file = options.html === undefined ? undefined : resolve(options.html)
    const desk = openDesk(options, 'read')
    if (file !== undefined && options.html !== '-')
      demandTarget('report', desk.config, file, 'report --html -')
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
