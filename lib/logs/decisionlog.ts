/** The decision log: decisions/YYYY-MM-DD.jsonl (UTC), one line a run, appended and not synced. */
import { closeSync, createReadStream, openSync, readdirSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { toFailure } from '../failure.js'
import { utcStamp } from '../system/utc.js'

const HOUR_MS = 3_600_000

export interface Decision {
  /** RFC 3339, UTC. */
  at: string
  mode: 'enforce' | 'observe'
  queueId: string
  sender: string
  /** Bytes. */
  size: number
  client: string
  saslUser: string
  /** The hold that has the parked recipients, or null. */
  hold: string | null
  /** The queue id of the copy that was sent on, or null. */
  passedAs: string | null
  /** `did` differs from `verdict` in observe mode, and where an earlier run had settled the recipient. */
  recipients: {
    to: string
    verdict: 'pass' | 'hold'
    reason: string
    rule: number | null
    did: string
  }[]
}

/** Where its files are. */
export function decisionFolder(state: string): string {
  return join(state, 'decisions')
}

export interface DecisionLog {
  append(decision: Decision): void
  close(): void
}

/**
 * Opens the file of the day of `now` (milliseconds since 1970). A run opens it before it sends anything: what cannot be
 * written down is not let out.
 * @throws Failure (75) when it cannot be opened
 */
export function openDecisionLog(state: string, now: number): DecisionLog {
  const path = join(decisionFolder(state), `${utcStamp(now).slice(0, 10)}.jsonl`)
  try {
    const fd = openSync(path, 'a', 0o600)
    return {
      // One write: O_APPEND keeps lines of simultaneous runs apart (write(2)).
      append: (decision) => {
        writeSync(fd, `${JSON.stringify(decision)}\n`)
      },
      close: () => closeSync(fd),
    }
  } catch (error) {
    throw toFailure('open decision log', error, { at: path })
  }
}

/** The files of the days, oldest first. */
export function dayFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^[0-9]{4}-[0-9]{2}-[0-9]{2}\.jsonl$/.test(name))
    .sort()
}

/**
 * Removes the decision log of days before `day` (`YYYY-MM-DD`, UTC).
 * @returns how many days went
 */
export function pruneDecisions(state: string, day: string): number {
  const folder = decisionFolder(state)
  const old = dayFiles(folder).filter((name) => name.slice(0, 10) < day)
  for (const name of old) unlinkSync(join(folder, name))
  return old.length
}

/** The decision of a line; undefined where it is not whole. */
function decisionIn(line: string): Decision | undefined {
  try {
    const decision = JSON.parse(line) as Decision | null
    const whole = Array.isArray(decision?.recipients) && !Number.isNaN(Date.parse(decision.at))
    return whole ? decision : undefined
  } catch {
    return undefined
  }
}

/**
 * The decisions of days from `since` on (`YYYY-MM-DD`, UTC), oldest first. A line that was cut off by a full disk is
 * passed over.
 */
export async function* readDecisions(state: string, since = ''): AsyncGenerator<Decision> {
  const folder = decisionFolder(state)
  for (const name of dayFiles(folder)) {
    if (name.slice(0, 10) < since) continue
    for await (const line of createInterface({
      input: createReadStream(join(folder, name)),
      crlfDelay: Infinity,
    })) {
      const decision = decisionIn(line)
      if (decision !== undefined) yield decision
    }
  }
}

/**
 * Who handed a message in at the gate, by the queue id under which it passed it on: the second half of its way does not know the
 * login any more (XFORWARD carries none).
 * @param at when that was, milliseconds since 1970: the log of other days is not read for it
 * @returns the login, empty where there was none, and the client's address; undefined where the log has no such message
 */
export async function originOf(
  state: string,
  passedAs: string,
  at: number,
): Promise<Pick<Decision, 'saslUser' | 'client'> | undefined> {
  const folder = decisionFolder(state)
  const mark = `"passedAs":${JSON.stringify(passedAs)}`
  // A run's day is that of its beginning, and it has ended an hour later at most.
  const [first, last] = [utcStamp(at - HOUR_MS), utcStamp(at)].map((stamp) => stamp.slice(0, 10))
  for (const name of dayFiles(folder)) {
    const day = name.slice(0, 10)
    if (day !== first && day !== last) continue
    const input = createReadStream(join(folder, name))
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      const decision = line.includes(mark) ? decisionIn(line) : undefined
      if (decision?.passedAs === passedAs) return decision
    }
  }
  return undefined
}
