/** Releasing: held recipients are claimed, sent on with the original envelope and bytes, and settled. */

import type { Actor } from '../database/audit.js'
import { EXIT } from '../exit.js'
import { describeError, Failure, isTemporary, toFailure } from '../failure.js'
import { type HeldMessage, isInHand, isWaiting, RELEASE_ABANDONED_MS } from '../hold/heldmail.js'
import type { Hold } from '../hold/hold.js'
import { demandHoldId } from '../hold/id.js'
import { matchAddress } from '../hold/selection.js'
import { isSendable } from '../mail/address.js'
import { describeLapsed, lapsedAt, type SignatureEnd } from '../mail/dkim.js'
import { inspect, readBytes, storedIn } from '../mail/message.js'
import { RECIPIENTS_AT_ONCE, reinject } from '../mail/reinject.js'
import { ANSWER_MS, type Delivery, type Refusal } from '../mail/transaction.js'
import { signaturesIn } from '../mime/describe.js'
import { type NoticeContext, sendNotice, tellableOf, Unreached } from '../notice/notify.js'
import { WORDING } from '../notice/wording.js'
import { words } from '../text/translate.js'
import { localTime } from '../text/visible.js'

/** A release gives up after this long, so that a claim twice as old is surely dead. */
const RELEASE_LIMIT_MS = RELEASE_ABANDONED_MS / 2
const REPLY_MS = 60_000

/** What a release needs: where the hold is, the way on, and who acts when. */
export interface ReleaseContext extends NoticeContext {
  hold: Hold
  actor: Actor
}

export interface Released {
  id: string
  released: { recipients: string[]; queueId: string }[]
  /** What did not go out, and why. */
  failed: Unsent[]
  /** DKIM signatures of what went out that had run out by then. */
  lapsed: SignatureEnd[]
  /** Why its sender could not be told; left out where that did not happen. */
  untold?: string
}

interface Unsent {
  recipient: string
  why: string
  /** Whether nothing stands against it: it was not sent, and the same may be another time. */
  later: boolean
}

/** The waiting recipients of a message that were asked for. @throws Failure for one that does not wait there */
export function chooseRecipients(message: HeldMessage, asked: readonly string[] | undefined): string[] {
  const waiting = message.recipients.filter(isWaiting).map(({ address }) => address)
  if (asked === undefined) {
    if (waiting.length > 0) return waiting
    throw new Failure('hold', words`nobody waits in it any more`, {
      at: message.id,
      hint: `toeh show ${message.id}`,
    })
  }
  const chosen = asked.flatMap((address) => {
    const isAsked = matchAddress(address)
    const found = waiting.filter(isAsked)
    if (found.length > 0) return found
    const state = message.recipients.find((recipient) => isAsked(recipient.address))?.state
    throw new Failure(
      'hold',
      `${address} ${state === undefined ? 'is not a recipient of it' : `is ${state} already`}`,
      {
        at: message.id,
        status: state === undefined ? EXIT.noInput : EXIT.failed,
      },
    )
  })
  return [...new Set(chosen)]
}

/** Every message that was named, and those of its recipients that were asked for, before anything is done to one. */
export async function chooseMessages(
  { hold }: Pick<ReleaseContext, 'hold'>,
  ids: readonly string[],
  recipients: readonly string[] | undefined,
): Promise<{ message: HeldMessage; chosen: string[] }[]> {
  const choices = []
  for (const id of new Set(ids.map(demandHoldId))) {
    const message = hold.find(id)
    choices.push({ message, chosen: chooseRecipients(message, recipients) })
  }
  return choices
}

/**
 * Releases recipients of one message. Compare-and-set: whoever claims a recipient sends to it, nobody else.
 * @param again also recipients of a release that was cut off and may have gone out
 * @throws Failure, with nothing changed, when the bytes are missing or not those that were held
 */
export async function release(
  desk: ReleaseContext,
  message: HeldMessage,
  recipients: readonly string[],
  again = false,
): Promise<Released> {
  const { hold, actor } = desk
  const began = performance.now()
  const result: Released = { id: message.id, released: [], failed: [], lapsed: [] }
  let eightBit: boolean
  // Before anything is sent: with the last recipient the bytes go.
  const lapsed = lapsedAt(await signaturesIn(desk.folder.messagePath(message.id)), actor.at)
  try {
    eightBit = (await checkBytes(desk, message)).eightBit
  } catch (error) {
    // Somebody may have settled them since they were chosen; with the last of them the bytes have gone.
    const current = hold.find(message.id)
    if (current.recipients.some(isWaiting)) throw error
    for (const recipient of recipients) {
      result.failed.push(unclaimed(current, recipient, actor))
    }
    return result
  }
  const sendable = recipients.filter((recipient) => {
    const fits = isSendable(recipient) && (message.sender === '' || isSendable(message.sender))
    const why = words`it cannot be written into an SMTP command as it is`
    if (!fits) result.failed.push({ recipient, why, later: false })
    return fits
  })
  // Claimed slice by slice: a claim must not grow old while another slice is on its way.
  for (let from = 0; from < sendable.length; from += RECIPIENTS_AT_ONCE) {
    const slice = sendable.slice(from, from + RECIPIENTS_AT_ONCE)
    const now = { ...actor, at: actor.at + Math.round(performance.now() - began) }
    const claimed = hold.claim(message.id, slice, again, now)
    if (claimed.length < slice.length) {
      const current = hold.find(message.id)
      for (const recipient of slice.filter((address) => !claimed.includes(address))) {
        result.failed.push(unclaimed(current, recipient, now))
      }
    }
    if (claimed.length > 0) await sendClaimed(desk, { ...message, eightBit }, claimed, now, result)
  }
  if (result.released.length > 0) result.lapsed = lapsed
  hold.removeSettled(message.id)
  return result
}

/**
 * {@link release}, with a failure told beside the rest instead of thrown: other messages of the same call may have
 * gone out already, and their queue ids have to be said. Its sender is told, if he was told that it waits.
 * @param quiet not to tell him
 */
export async function tryRelease(
  desk: ReleaseContext,
  message: HeldMessage,
  recipients: readonly string[],
  again = false,
  quiet = false,
): Promise<Released> {
  try {
    const result = await release(desk, message, recipients, again)
    return quiet ? result : { ...result, ...(await tellReleased(desk, message, result)) }
  } catch (error) {
    const failure = { why: describeError(error), later: isTemporary(error) }
    return {
      id: message.id,
      released: [],
      failed: recipients.map((recipient) => ({ recipient, ...failure })),
      lapsed: [],
    }
  }
}

async function tellReleased(
  desk: ReleaseContext,
  message: HeldMessage,
  { released }: Released,
): Promise<Pick<Released, 'untold'>> {
  const sent = released.flatMap(({ recipients }) => recipients)
  const sender = tellableOf(desk.config, message)
  if (sent.length === 0 || sender === undefined) return {}
  const { standing } = WORDING[desk.config.language]
  const recipients = message.recipients
    .filter(({ address }) => sent.includes(address))
    .map((recipient) => ({ ...recipient, standing: standing.released }))
  const { who, at } = desk.actor
  try {
    if (!desk.hold.wasTold(message)) return {}
    await sendNotice(desk, 'released', [sender], [{ ...message, recipients }], {
      // Nobody said yes to this very message where a rule has let it go.
      decision: who === 'cleanup' ? undefined : { who: who.replace(/ by mail$/, ''), at, note: '' },
    })
    return {}
  } catch (error) {
    // Nobody here has heard that it waits either.
    if (error instanceof Unreached) return {}
    return { untold: describeError(error) }
  }
}

/** A recipient who could not be claimed. */
function unclaimed(message: HeldMessage, address: string, actor: Actor): Unsent {
  const recipient = message.recipients.find((one) => one.address === address)
  const unsent = (why: string, later = false): Unsent => ({ recipient: address, why, later })
  if (recipient?.state !== 'releasing') return unsent(words`it is ${recipient?.state ?? 'gone'} already`)
  const since = words`${recipient.changedBy} began to release it at ${localTime(recipient.changedAt)}`
  if (isInHand(recipient, actor.at)) return unsent(words`${since}: let that end`, true)
  return unsent(
    words`${since} and was cut off; it may have been sent: look in the mail log, then repeat with --again, or reject it`,
  )
}

async function checkBytes({ folder }: ReleaseContext, message: HeldMessage): Promise<{ eightBit: boolean }> {
  const path = folder.messagePath(message.id)
  let found: { sha256: string; eightBit: boolean }
  try {
    found = await inspect(readBytes(path))
  } catch (error) {
    throw toFailure('release', error, { at: path, status: EXIT.failed })
  }
  if (found.sha256 !== message.sha256) {
    throw new Failure('release', 'the bytes are not those that were held (SHA-256 differs)', {
      at: path,
      hint: 'restore the file from a backup, or reject the message',
    })
  }
  return found
}

async function sendClaimed(
  desk: ReleaseContext,
  message: HeldMessage & { eightBit: boolean },
  claimed: string[],
  claim: Actor,
  result: Released,
): Promise<void> {
  const { hold, folder, config, actor } = desk
  const { id, sender, size, eightBit } = message
  const refused: Refusal[] = []
  const began = performance.now()
  const transaction = {
    sender,
    recipients: claimed,
    size,
    eightBit,
    origin: { client: message.client, queueId: message.queueId },
    message: storedIn(folder.messagePath(id)),
    onRefused: async (refusals: readonly Refusal[]) => {
      refused.push(...refusals)
      for (const { recipient, reply } of refusals) hold.unclaim(id, [recipient], reply, claim)
    },
    // Whoever was stopped meanwhile sees no timer in time: somebody else may have its claim by now.
    beforeEnd: () => {
      if (performance.now() - began >= RELEASE_LIMIT_MS) throw overLimit()
    },
  }
  let delivery: Delivery
  try {
    delivery = await withLimit((limit) =>
      reinject(config.reinject, transaction, { replyMs: REPLY_MS, answerMs: ANSWER_MS, limit }),
    )
  } catch (error) {
    const unsure = error instanceof Failure && error.inDoubt
    const why = unsure ? `${error.message}; it may have been sent all the same` : describeError(error)
    const rest = claimed.filter((address) => !refused.some(({ recipient }) => recipient === address))
    if (unsure) hold.noteDoubt(id, rest, why)
    else hold.unclaim(id, rest, why, claim)
    for (const recipient of rest) result.failed.push({ recipient, why, later: !unsure && isTemporary(error) })
    delivery = { accepted: [], queueId: '' }
  }
  for (const { recipient, reply } of refused) result.failed.push({ recipient, why: reply, later: false })
  if (delivery.accepted.length === 0) return
  const { accepted, queueId } = delivery
  try {
    hold.settleReleased(id, accepted, queueId, actor)
    result.released.push({ recipients: accepted, queueId })
  } catch (error) {
    // The copy is out. The claim stands, and nobody sends it again unasked.
    const why = `it was sent as ${queueId || 'one without an id'}, but that could not be written down: ${describeError(error)}`
    for (const recipient of accepted) result.failed.push({ recipient, why, later: false })
  }
}

function overLimit(): Error {
  return new Error(`not done within ${RELEASE_LIMIT_MS / 1000} s`)
}

/** Ends the work at the limit: what went on behind our back could send what somebody else has claimed by then. */
async function withLimit<T>(work: (limit: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(overLimit()), RELEASE_LIMIT_MS)
  try {
    return await work(limit.signal)
  } finally {
    clearTimeout(timer)
  }
}

/** What is to be said of each recipient beside his state. @param tellLapsed of a signature of this domain that has run out */
export function besideState(
  { released, failed, lapsed }: Released,
  tellLapsed: (domain: string) => string,
): Map<string, string> {
  const signatures = lapsed.map(({ domain }) => tellLapsed(domain)).join('; ')
  const sent = signatures === '' ? [] : released.flatMap(({ recipients }) => recipients)
  return new Map([
    ...sent.map((recipient): [string, string] => [recipient, signatures]),
    ...failed.map(({ recipient, why }): [string, string] => [recipient, why]),
  ])
}

/** What a release did, in lines. */
export function describeReleased({ id, released, failed, lapsed, untold }: Released): string[] {
  return [
    ...released.flatMap(({ recipients, queueId }) =>
      recipients.map((to) => words`${id} released to ${to}${queueId === '' ? '' : words` as ${queueId}`}`),
    ),
    ...lapsed.map((end) => `${id} ${describeLapsed(end)}`),
    ...failed.map(({ recipient, why }) => words`${id} NOT released to ${recipient}: ${why}`),
    ...(untold === undefined ? [] : [words`${id}: its sender could not be told: ${untold}`]),
  ]
}
