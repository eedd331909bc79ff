/** The harvest: logs read from end to end as attempts, with what the landscape says of them. */

import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { nameFormat } from '../logs/format.js'
import { type LeftOut, Legs, parseWayOut, type WayOut } from '../logs/legs.js'
import { type LogSource, openJournal, openLogs, readLines } from '../logs/logfile.js'
import { type Attempt, LineParser, Tracker } from '../logs/maillog.js'
import { words } from '../text/translate.js'
import { type CommonOptions, type Desk, openDesk } from './context.js'
import { showProgress } from './progressbar.js'

/** Which logs, and from when on. */
export interface HarvestOptions {
  file: string[]
  /** Where the journal is, empty for this machine's; undefined for none. */
  journal?: string | undefined
  since?: string | undefined
  /** Ways out, as `--relay` names them. */
  relay?: string[] | undefined
}

/** What was read. */
export interface LogReading {
  lines: number
  broken: number
  /** Lines of Postfix. */
  postfix: number
  /** Recipients that were taken somewhere, but not out of the house, by where. */
  leftOut: LeftOut[]
}

/** Nothing read yet. */
export function noLogReading(): LogReading {
  return { lines: 0, broken: 0, postfix: 0, leftOut: [] }
}

/**
 * The ways out that `--relay` names.
 * @throws Failure (2) for what is none
 */
export function parseWays(operation: string, texts: readonly string[] = []): WayOut[] {
  return texts.map((text) => {
    const way = parseWayOut(text)
    if (way !== undefined) return way
    throw new Failure(operation, words`it is no host`, {
      at: `--relay ${JSON.stringify(text)}`,
      status: EXIT.usage,
      hint: words`write it as the log has it: HOST, HOST:PORT or ADDRESS:PORT`,
    })
  })
}

/**
 * `--since` as wall-clock milliseconds.
 * @throws Failure (2) for what is no date
 */
export function parseLogSince(operation: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  // Date.parse takes 2026-02-31 for a day in March.
  if (!Number.isNaN(at) && new Date(at).toISOString().startsWith(text)) return at
  throw new Failure(operation, words`it is no date`, {
    at: `--since ${JSON.stringify(text)}`,
    status: EXIT.usage,
    hint: words`write it as 2026-11-04`,
  })
}

/**
 * Opens the logs that a command names. Do it before openDesk, which gives up the rights to read them.
 * @throws Failure (2, 66, 77)
 */
export async function openSources(
  operation: string,
  options: HarvestOptions,
  now: number,
): Promise<LogSource[]> {
  const { file, journal, since } = options
  const from = parseLogSince(operation, since)
  if ((journal !== undefined) === file.length > 0) {
    const why = file.length > 0 ? words`give files or --journal, not both` : words`which log?`
    throw new Failure(operation, why, {
      status: EXIT.usage,
      hint: `toeh ${operation} /var/log/mail.log, or --journal`,
    })
  }
  return journal === undefined ? openLogs(file, now) : [await openJournal(journal, from, now)]
}

/**
 * Opens the desk behind the logs, and closes those again where it cannot be: Node complains of files that are left open.
 * @throws Failure as openDesk does
 */
export function openDeskBehind(
  sources: readonly LogSource[],
  options: CommonOptions,
  access: 'read' | 'decide',
): Desk {
  try {
    return openDesk(options, access)
  } catch (error) {
    for (const { stream } of sources) stream.destroy()
    throw error
  }
}

/** How much of what was not understood is looked at, to say what it is. */
const BEGINNING = 4000
/** Of so few lines none is a log. */
const FEW_LINES = 3

/** @throws Failure (65) where most of a source was not understood */
function demandUnderstood(operation: string, name: string, lines: number, broken: number, odd: string): void {
  if (broken === 0 || broken * 2 <= lines) return
  const why = words`${broken} of its ${lines} lines are in no form that is known`
  throw new Failure(operation, why, {
    at: name,
    status: EXIT.dataError,
    hint:
      nameFormat(odd) ??
      words`a line has a stamp, a host and a program: Nov  4 05:06:07 mx postfix/smtp[12]: ID: text`,
  })
}

/** @throws Failure (65) where nothing was Postfix's, or nothing of it says what left the house */
function demandPostfix(
  operation: string,
  reading: LogReading,
  left: number,
  names: readonly string[],
  beginning: string,
): void {
  const at = names.length === 1 ? names[0] : undefined
  if (reading.postfix === 0) {
    const why =
      reading.lines === 0
        ? words`there is nothing in it, which says nothing of the mail`
        : words`of ${reading.lines} lines none is of Postfix, which says nothing of the mail`
    const hint =
      nameFormat(beginning) ??
      words`postconf maillog_file says where Postfix logs, else syslog or the journal has it: --journal`
    throw new Failure(operation, why, { at, status: EXIT.dataError, hint })
  }
  const [way] = reading.leftOut
  if (left > 0 || way === undefined) return
  throw new Failure(operation, words`nothing in it left by another host, all went to ${way.relay}`, {
    at,
    status: EXIT.dataError,
    hint: words`where that is the way out, name it: --relay ${nameOfWay(way.relay)}`,
  })
}

/** `[127.0.0.1]:2525` of `127.0.0.1[127.0.0.1]:2525`, as --relay takes it. */
function nameOfWay(relay: string): string {
  const [, address = relay, port = ''] = /\[([^\]\s]*)\](:[0-9]+)?$/.exec(relay) ?? []
  return address.includes(':') ? `[${address}]${port}` : `${address}${port}`
}

/** What was left out, for people: nothing where nothing was. */
export function leftOutLines({ leftOut }: LogReading): string[] {
  if (leftOut.length === 0) return []
  const all = leftOut.reduce((sum, { recipients }) => sum + recipients, 0)
  const some = leftOut.slice(0, 3).map(({ relay, recipients }) => `  ${recipients} ${relay}`)
  return [
    words`${all} recipients left out, who were taken no further than:`,
    ...(leftOut.length > 3 ? [...some, '  …'] : some),
    words`  (--relay names the way out, where one of these is it)`,
  ]
}

/**
 * Reads the sources one after the other; gives the attempts since that time, many at once. `reading` counts along.
 * @param operation the command, for complaints
 * @throws Failure where one cannot be read to its end; 65 where a source was not understood, or nothing was Postfix's
 */
export async function* attemptsIn(
  operation: string,
  sources: readonly LogSource[],
  since: number | undefined,
  reading: LogReading,
  ways: readonly WayOut[] = [],
): AsyncGenerator<Attempt[]> {
  const tracker = new Tracker()
  const legs = new Legs(ways)
  const progress = await showProgress(sources)
  let beginning = ''
  const from = since ?? Number.NEGATIVE_INFINITY
  const wanted = (attempts: readonly Attempt[]): Attempt[] => attempts.filter(({ at }) => at >= from)
  try {
    for (const source of sources) {
      const parser = new LineParser(source.reference)
      let read = 0
      let unread = 0
      let odd = ''
      for await (const { lines, broken } of readLines(source)) {
        const attempts: Attempt[] = []
        read += lines.length + broken
        unread += broken
        if (parser.postfix === 0 && beginning.length < BEGINNING)
          beginning += lines.slice(0, 10).join('\n').slice(0, BEGINNING)
        for (const line of lines) {
          const event = parser.parse(line)
          if (event === undefined) continue
          if (event.kind === 'broken') {
            unread++
            if (odd.length < BEGINNING) odd += `${line.slice(0, 1000)}\n`
          }
          const attempt = tracker.take(event)
          if (attempt !== undefined) attempts.push(attempt)
        }
        progress.update()
        yield wanted(legs.take(attempts))
      }
      reading.lines += read
      reading.broken += unread
      reading.postfix += parser.postfix
      if (read > FEW_LINES) demandUnderstood(operation, source.name, read, unread, odd)
    }
    yield wanted(legs.end())
    reading.leftOut = legs.leftOut
    demandPostfix(
      operation,
      reading,
      legs.left,
      sources.map(({ name }) => name),
      beginning,
    )
  } finally {
    progress.stop()
  }
}
