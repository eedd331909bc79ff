/**
 * An orphan: a folder of the hold without rows, which a run has left that was killed between the two. Postfix has handed its
 * message over again since, and that run may have passed it on: the decision log says so.
 */
import { existsSync } from 'node:fs'
import { describeError, Failure } from '../failure.js'
import { type Decision, decisionFolder, readDecisions } from '../logs/decisionlog.js'
import { words } from '../text/translate.js'
import type { HoldEnvelope, HoldFolder, Move } from './folder.js'
import { holdIdOf } from './id.js'

const DAY_MS = 86_400_000
/** The last of the year 9999. */
const LATEST = Date.UTC(10_000, 0) - 1

/** The envelope of a folder, or what is wrong with it: the id vouches for what it says of the message. */
export function readEnvelope(folder: HoldFolder, id: string): HoldEnvelope | Failure {
  const wrong = (why: string): Failure => new Failure('envelope.json', why)
  try {
    const envelope = folder.read(id)
    if (!isEnvelope(envelope)) return wrong(words`it has not what it should`)
    // One of an older version does not say.
    envelope.automatic ??= ''
    const { queueId, sender, sha256 } = envelope
    return holdIdOf(queueId, sender, sha256) === id
      ? envelope
      : wrong(words`it is of another message: the id does not fit`)
  } catch (error) {
    return wrong(describeError((error as { cause?: unknown }).cause ?? error))
  }
}

function isEnvelope(value: unknown): value is HoldEnvelope {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Record<string, unknown>
  const texts = ['id', 'queueId', 'sender', 'sha256', 'subject', 'messageId']
  if (!texts.every((name) => typeof fields[name] === 'string')) return false
  if (!['size', 'heldAt', 'expiresAt'].every((name) => Number.isSafeInteger(fields[name]))) return false
  if (!['string', 'undefined'].includes(typeof fields.automatic)) return false
  if (typeof fields.client !== 'object' || fields.client === null || !Array.isArray(fields.recipients))
    return false
  return fields.recipients.every((one: unknown) => {
    const { address, state, reason, detail } = (one ?? {}) as Record<string, unknown>
    const isText = [address, reason, detail].every((text) => typeof text === 'string')
    return isText && (state === 'held' || state === 'refused')
  })
}

/** To whom messages were passed on, by hold id and address, as moves. */
export type Passed = ReadonlyMap<string, ReadonlyMap<string, Move>>

/**
 * Asks the decision log which recipients of these messages were passed on. A queue id comes back where long ones are off: sender
 * and size have to be the same as well.
 * @throws Failure when the log cannot be read
 */
export async function findPassed(state: string, envelopes: readonly HoldEnvelope[]): Promise<Passed> {
  const passed = new Map<string, Map<string, Move>>()
  if (envelopes.length === 0 || !existsSync(decisionFolder(state))) return passed
  const byQueueId = new Map<string, HoldEnvelope[]>()
  for (const envelope of envelopes)
    byQueueId.set(envelope.queueId, [...(byQueueId.get(envelope.queueId) ?? []), envelope])
  // Whatever a wrong clock or a damaged envelope says, it is a day of the calendar.
  const first = envelopes.reduce((least, { heldAt }) => Math.min(least, heldAt), LATEST)
  // A day before, as the clock may have been put back in between.
  const since = new Date(Math.max(first - DAY_MS, 0))
  for await (const decision of readDecisions(state, since.toISOString().slice(0, 10))) {
    for (const envelope of byQueueId.get(decision.queueId) ?? []) {
      if (decision.sender !== envelope.sender || decision.size !== envelope.size) continue
      const moves = passed.get(envelope.id) ?? new Map<string, Move>()
      passed.set(envelope.id, moves)
      for (const move of movesIn(decision)) moves.set(move.address, move)
    }
  }
  return passed
}

function movesIn({ recipients, passedAs, at }: Decision): Move[] {
  return recipients
    .filter(({ did }) => did === 'passed')
    .map(({ to }) => ({
      address: to,
      state: 'passed',
      queueId: passedAs ?? '',
      who: 'toeh-filter',
      at: Date.parse(at),
    }))
}
