/** The harvest: logs read from end to end as attempts, with what the landscape says of them. */
import { companyOf } from './config.js'
import { decide, lookupKeys, type Rule, type Verdict } from './decide.js'
import { type CommonOptions, type Desk, openDesk } from './desk.js'
import { EXIT } from './exit.js'
import { Failure } from './failure.js'
import { type LogSource, openJournal, openLogs, readLines } from './logfile.js'
import type { Origin } from './mailbox.js'
import { type Attempt, LineParser, Tracker } from './maillog.js'
import { showProgress } from './progress.js'
import { words } from './speech.js'

/** Which logs, and from when on. */
export interface HarvestOptions {
  file: string[]
  /** Where the journal is, empty for this machine's; undefined for none. */
  journal?: string | undefined
  since?: string | undefined
}

/** What was read. */
export interface Reading {
  lines: number
  broken: number
}

/**
 * `--since` as wall-clock milliseconds.
 * @throws Failure (2) for what is no date
 */
export function parseSince(operation: string, text: string | undefined): number | undefined {
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
  const from = parseSince(operation, since)
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

/**
 * Reads the sources one after the other; gives the attempts since that time, many at once. `reading` counts along.
 * @throws Failure where one cannot be read to its end
 */
export async function* attemptsIn(
  sources: readonly LogSource[],
  since: number | undefined,
  reading: Reading,
): AsyncGenerator<Attempt[]> {
  const tracker = new Tracker()
  const progress = await showProgress(sources)
  const from = since ?? Number.NEGATIVE_INFINITY
  try {
    for (const source of sources) {
      const parser = new LineParser(source.reference)
      for await (const { lines, broken } of readLines(source)) {
        const attempts: Attempt[] = []
        reading.lines += lines.length + broken
        reading.broken += broken
        for (const line of lines) {
          const event = parser.parse(line)
          if (event === undefined) continue
          if (event.kind === 'broken') reading.broken++
          const attempt = tracker.take(event)
          if (attempt !== undefined && attempt.at >= from) attempts.push(attempt)
        }
        progress.update()
        yield attempts
      }
    }
  } finally {
    progress.stop()
  }
}

const CACHED = 50_000

/** Verdicts on mail of the past by today's landscape, with the rules of an address read once. */
export class Judge {
  readonly #desk: Desk
  readonly #rules = new Map<string, ReadonlyMap<string, readonly Rule[]>>()

  constructor(desk: Desk) {
    this.#desk = desk
  }

  /** What the filter would say, by its own `decide`. */
  async verdict(origin: Origin, recipient: string): Promise<Verdict> {
    let rules = this.#rules.get(recipient)
    if (rules === undefined) {
      rules = await this.#desk.landscape.facts(lookupKeys(recipient), this.#desk.actor.at)
      if (this.#rules.size >= CACHED) this.#rules.clear()
      this.#rules.set(recipient, rules)
    }
    const facts = { ...companyOf(this.#desk.config), rules }
    const [verdict] = decide({ ...origin, recipients: [recipient] }, facts)
    if (verdict === undefined) throw new Failure('decide', words`there is no verdict`, { at: recipient })
    return verdict
  }
}
