/**
 * Moderation: an approver's mail, from its bytes to what was done and what he is told. docs/moderate.md tells it in
 * prose.
 *
 * The order is the promise: who it is, before anything is answered → the token, used in one transaction → the release
 * or the no, durable → the confirmation. Whatever fails in between is Postfix's to repeat: the same mail again finds its
 * own token used by itself, and goes on from where it was.
 */
import { parseAddress } from './address.js'
import { automatic, claimedApprover, doubtsOf, keyOf } from './authentication.js'
import { agreed, needsTwo, parseAnswer, tokenIn } from './consent.js'
import type { RuleDraft } from './decide.js'
import { loginOf } from './decisions.js'
import type { Desk } from './desk.js'
import { EXIT } from './exit.js'
import { describeError, Failure } from './failure.js'
import { hasLooped, headerFields } from './head.js'
import { type HeldMessage, isWaiting, type Recipient } from './hold.js'
import { decodeHeader } from './notice.js'
import { sendNotice, tellableSender } from './notify.js'
import { tryRelease } from './release.js'
import { replyText } from './replytext.js'
import { draftRule } from './ruledraft.js'
import type { Token, Tokens } from './token.js'
import { type Answer, type Outcome, type Standing, WORDING } from './wording.js'

/** Of a header that is longer nothing is believed: a second From could stand below. */
const HEAD_BYTES = 64 * 1024

/** What pipe(8) hands over. */
export interface Mail {
  /** Of the envelope. */
  sender: string
  /** Of whoever submitted it to this Postfix, or empty. */
  saslUser: string
  queueId: string
  /** Its beginning, and the SHA-256 of all of it. */
  bytes: Buffer
  digest: string
  /** Whether there was more than anybody's answer has. */
  tooLong: boolean
}

/** What came of it, for one recipient: what went wrong beside his state. */
interface Result {
  outcome: Outcome
  message?: HeldMessage
  /** Those that the token speaks of. */
  addresses?: readonly string[]
  failed?: ReadonlyMap<string, string>
  known?: readonly string[]
  /** How long the same token can still be answered with. */
  again?: number
  /** Why the sender does not hear of a no, or null. */
  untold?: string | null
}

/**
 * Does what an approver's mail says, and tells him.
 * @returns a line for Postfix's log: what was done, without addresses and without the token
 * @throws Failure where it is Postfix's to try again
 */
export async function moderate(desk: Desk, mail: Mail): Promise<string> {
  const { fields, whole } = headerFields(mail.bytes.subarray(0, HEAD_BYTES))
  if (!whole) return 'dropped: its header is too long'
  const machine = automatic(fields, mail.sender)
  if (machine !== undefined) return `dropped: ${machine}`
  const claimed = claimedApprover(fields, desk.config.approvers)
  if ('refused' in claimed) return `dropped: ${claimed.refused}`
  const { approver } = claimed
  const login = mail.saslUser === '' ? await loginBehindGate(desk, mail) : mail.saslUser
  const doubt = doubtsOf(approver, fields, login, desk.config.moderate)
  if (doubt !== undefined) return `dropped: ${doubt}`

  const value = (name: string): string =>
    fields.find((field) => field.name.trim().toLowerCase() === name)?.value ?? ''
  const token = tokenIn(decodeHeader(value('subject')))
  const text = mail.tooLong ? '' : await replyText(mail.bytes)
  const turn = new Turn(desk, approver, login, mail.digest)
  const result = await turn.take(token, parseAnswer(text))
  await confirm(desk, approver, result, value('message-id').trim(), token)
  const { outcome, message, untold = null } = result
  const untoldWords = untold === null ? '' : ' (its sender could not be told)'
  return `${outcome}${message === undefined ? '' : ` ${message.id}`}${untoldWords}`
}

/**
 * The login of a mail that has passed the gate on its way here.
 * @throws Failure (75) where the gate has not written it down: it may be about to
 */
async function loginBehindGate(desk: Desk, { bytes, queueId }: Mail): Promise<string> {
  if (!hasLooped(bytes.subarray(0, HEAD_BYTES))) return ''
  const login = await loginOf(desk.config.state, queueId)
  if (login !== undefined) return login
  throw new Failure('moderate', 'the decision log does not say whose login it was', { status: EXIT.tempFail })
}

/** One approver's turn at one message. */
class Turn {
  readonly #desk: Desk
  readonly #tokens: Tokens
  readonly #key: string
  readonly #login: string
  readonly #digest: string

  constructor(desk: Desk, approver: string, login: string, digest: string) {
    this.#desk = { ...desk, actor: { who: `${approver} by mail`, at: desk.actor.at } }
    this.#tokens = desk.tokens
    this.#key = keyOf(approver) ?? ''
    this.#login = login
    this.#digest = digest
  }

  async take(text: string | undefined, answer: Answer | undefined): Promise<Result> {
    const token = text === undefined ? undefined : await this.#tokens.find(text)
    if (text === undefined || token === undefined || token.approver !== this.#key)
      return { outcome: 'unknown' }
    const message = await this.#desk.hold.find(token.hold)
    const of = { message, addresses: token.recipients }
    if (token.usedBy !== null && token.usedBy !== this.#digest) return { outcome: 'spent', ...of }
    if (this.#isOwn(message)) return { outcome: 'own', ...of }
    const fresh = token.usedBy === null
    if (fresh && token.expiresAt <= this.#desk.actor.at) return { outcome: 'expired', ...of }
    if (answer === undefined) return { outcome: 'unclear', again: token.expiresAt }
    if (fresh) {
      if (chosen(message, token.recipients).length === 0) return { outcome: 'settled', ...of }
      const used = await this.#tokens.use(text, answer, this.#digest, this.#desk.actor)
      if (!used && (await this.#tokens.find(text))?.usedBy !== this.#digest)
        return { outcome: 'spent', ...of }
    }
    return answer === 'reject' ? this.#refuse(message, token) : this.#accept(message, token)
  }

  /** Whether the approver has sent the message himself: by its envelope, or with the login that answers. */
  #isOwn({ sender, client }: HeldMessage): boolean {
    return keyOf(sender) === this.#key || (this.#login !== '' && client.saslUser === this.#login)
  }

  async #refuse(message: HeldMessage, { recipients }: Token): Promise<Result> {
    const { hold, config, actor } = this.#desk
    await hold.settle(message.id, chosen(message, recipients), 'rejected', actor)
    await hold.removeSettled(message.id)
    const now = await hold.find(message.id)
    // Also those that an earlier run of this mail has rejected, which may not have come to telling.
    const rejected = now.recipients.filter(
      ({ address, state, changedBy }) =>
        recipients.includes(address) && state === 'rejected' && changedBy === actor.who,
    )
    const sender = tellableSender(config, message.sender)
    let untold: string | null = null
    if (rejected.length > 0 && sender !== undefined) {
      try {
        await sendNotice(this.#desk, 'rejected', [sender], [{ ...now, recipients: rejected }])
      } catch (error) {
        // The no stands. Where nothing can be sent at all the confirmation fails as well, and Postfix repeats it.
        untold = describeError(error)
      }
    }
    const outcome = rejected.length === recipients.length ? 'rejected' : 'failed'
    return { outcome, message: now, addresses: recipients, untold }
  }

  async #accept(message: HeldMessage, { recipients }: Token): Promise<Result> {
    const { config, hold, landscape, actor } = this.#desk
    const { approvers, moderate, groups } = config
    const everybody = message.recipients.map(({ address }) => address)
    const two = needsTwo(moderate.two, groups, message.sender, everybody)
    const keys = approvers.map(keyOf)
    // Whoever is no approver any more has not said yes.
    const yeses = (await this.#tokens.yeses(message.id)).filter(({ approver }) => keys.includes(approver))
    const { ready, know } = agreed(yeses, recipients, two ? 2 : 1)
    const waiting = chosen(message, ready)
    if (ready.length === 0) return { outcome: 'noted', message, addresses: recipients }
    const drafts = know ? draftRules(message, waiting) : []
    await landscape.add(drafts, actor)
    const failed = new Map<string, string>()
    if (waiting.length > 0) {
      const result = await tryRelease(this.#desk, message, waiting)
      for (const { recipient, why } of result.failed) failed.set(recipient, why)
    }
    const now = await hold.find(message.id)
    const all = ready.every((address) => stateOf(now, address) === 'released')
    return {
      outcome: all ? (ready.length < recipients.length ? 'noted' : 'released') : 'failed',
      message: now,
      addresses: recipients,
      failed,
      known: drafts.map(({ value }) => value),
    }
  }
}

/** Of these recipients those who still wait. */
function chosen(message: HeldMessage, addresses: readonly string[]): string[] {
  return message.recipients
    .filter((recipient) => isWaiting(recipient) && addresses.includes(recipient.address))
    .map(({ address }) => address)
}

function stateOf(message: HeldMessage, address: string): string | undefined {
  return message.recipients.find((recipient) => recipient.address === address)?.state
}

/** Rules for those that can have one: single addresses, never a domain. */
function draftRules({ id }: HeldMessage, addresses: readonly string[]): RuleDraft[] {
  return addresses
    .filter((address) => parseAddress(address).plain)
    .map((address) =>
      draftRule(address, {
        effect: 'allow',
        subdomains: false,
        force: false,
        note: '',
        source: `release ${id}`,
      }),
    )
}

/** Tells the approver what came of his answer; one that was not understood may be given again. */
async function confirm(
  desk: Desk,
  approver: string,
  { outcome, message, addresses = [], failed, known = [], again }: Result,
  inReplyTo: string,
  token: string | undefined,
): Promise<void> {
  const { moderate, language } = desk.config
  const words = WORDING[language]
  const standing = ({ state, address, queueId }: Recipient): string => {
    const name: Standing = state === 'held' || state === 'refused' ? 'waits' : state
    const parts = [
      queueId === '' ? words.standing[name] : `${words.standing[name]} (${queueId})`,
      known.includes(keyOf(address) ?? '') ? words.known : '',
      failed?.get(address) ?? '',
    ]
    return parts.filter((part) => part !== '').join('; ')
  }
  const messages = (message === undefined ? [] : [message]).map((one) => ({
    ...one,
    recipients: one.recipients
      .filter(({ address }) => addresses.includes(address))
      .map((recipient) => ({ ...recipient, standing: standing(recipient) })),
  }))
  const reply =
    again === undefined || token === undefined
      ? undefined
      : { token, address: moderate.address, until: again, two: false }
  await sendNotice(desk, 'answered', [approver], messages, { outcome, inReplyTo, reply })
}
