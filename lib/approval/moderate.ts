/**
 * Moderation: an approver's mail, from its bytes to what was done and what he is told. docs/moderate.md tells it in
 * prose.
 *
 * The order is the promise: who it is, before anything is answered → the token, used in one transaction → the release
 * or the no, durable → the rules → the confirmation. What fails for the moment is Postfix's to repeat: the same mail again
 * finds its own token used by itself, and goes on from where it was; where nothing was done yet, the token is given back
 * first. What fails for good is told to the approver, and is no failure of this run.
 *
 * It is long because one answer is one story, from who wrote it to what the approver hears back.
 */

import { companyOf } from '../config.js'
import { EXIT } from '../exit.js'
import { describeError, Failure, isTemporary } from '../failure.js'
import { type HeldMessage, isInHand, isWaiting, type Recipient } from '../hold/heldmail.js'
import type { Answer, Token, Tokens } from '../hold/token.js'
import { originOf as originAtGate } from '../logs/decisionlog.js'
import { queuedAt } from '../logs/maillog.js'
import { parseAddress } from '../mail/address.js'
import { automatic } from '../mail/automatic.js'
import { readReport } from '../mail/deliveryreport.js'
import { type Field, hasLooped, headerFields, receivedAt } from '../mail/header.js'
import { mailboxOf, type Origin } from '../mail/mailbox.js'
import { replyText } from '../mime/replytext.js'
import { answerOf } from '../notice/answer.js'
import { claimedApprover, doubtsOf, keyOf } from '../notice/authentication.js'
import { decodeHeader } from '../notice/compose.js'
import { agreed, isOwn, needsTwo, tokenIn } from '../notice/consent.js'
import { sendNotice, tellableOf } from '../notice/notify.js'
import { type Outcome, type Standing, WORDING } from '../notice/wording.js'
import type { RuleDraft } from '../rules/decide.js'
import { draftRule } from '../rules/draft.js'
import type { Landscape } from '../rules/landscape.js'
import { visible } from '../text/visible.js'
import { besideState, type ReleaseContext, type Released, tryRelease } from './release.js'

/** Of a header that is longer nothing is believed: a second From could stand below. */
const HEAD_BYTES = 64 * 1024
/** Of what a server said of a bounce the audit keeps so many characters. */
const MOST_WHY = 300

/** So long after a message came from the gate its login may still be about to be written down. */
const LOGIN_AWAITED_MS = 5 * 60_000
/** The same where nothing but its time says that it may come from there. */
const PERHAPS_AWAITED_MS = 10_000

/** What an answer can move: the hold, the landscape, and the numbers that were given out. */
export interface ApprovalContext extends ReleaseContext {
  landscape: Landscape
  tokens: Tokens
}

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
  /** Of those who were to become known and did not, why. */
  barred?: ReadonlyMap<string, string>
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
export async function moderate(desk: ApprovalContext, mail: Mail): Promise<string> {
  const { fields, whole } = headerFields(mail.bytes.subarray(0, HEAD_BYTES))
  if (!whole) return 'dropped: its header is too long'
  const bounced = mail.sender === '' && !mail.tooLong ? noteBounce(desk, mail.bytes) : undefined
  if (bounced !== undefined) return `the notice of ${bounced} to an approver has bounced`
  const machine = automatic(fields, mail.sender)
  if (machine !== '') return `dropped: ${machine}`
  const claimed = claimedApprover(fields, desk.config.approvers)
  if ('refused' in claimed) return `dropped: ${claimed.refused}`
  const { approver } = claimed
  const doubt = await doubtOf(desk, mail, fields, approver)
  if (doubt !== undefined) return `dropped: ${doubt}`

  const value = (name: string): string =>
    fields.find((field) => field.name.trim().toLowerCase() === name)?.value ?? ''
  const token = tokenIn(decodeHeader(value('subject')))
  const { texts, sealed } = mail.tooLong ? { texts: [], sealed: false } : await replyText(mail.bytes)
  const turn = new ApproverAnswer(desk, approver, mail.digest)
  const result = await turn.take(token, answerOf(texts), sealed)
  const told = await confirm(desk, approver, result, value('message-id').trim(), token)
  const { outcome, message, untold = null } = result
  const parts = [
    `${outcome}${message === undefined ? '' : ` ${message.id}`}`,
    untold === null ? '' : '(its sender could not be told)',
    told ? '' : '(who has answered could not be told)',
  ]
  return parts.filter((part) => part !== '').join(' ')
}

/**
 * Notes a notice that has come back. Anybody may write such a report, but only whoever has seen the notice has its number.
 * @returns the hold it told of, or undefined where it is no such report
 */
function noteBounce({ tokens, actor }: ApprovalContext, bytes: Buffer): string | undefined {
  const report = readReport(bytes)
  const token = report && tokenIn(decodeHeader(report.subject))
  if (report === undefined || token === undefined) return undefined
  const why = visible(report.why.replace(/\s+/g, ' ')).slice(0, MOST_WHY)
  return tokens.recordBounce(token, why, { who: 'postfix', at: actor.at })
}

/**
 * Why a mail is not the approver's, or undefined. One that has passed the gate on its way here has its login in the decision
 * log, by its queue id. That it came from there our own Received says; where header_checks have taken that away, the time in a long
 * queue id says where to look. Whoever only says so finds nothing there.
 * @throws Failure (75) where the gate may be about to write it down
 */
async function doubtOf(
  { config, actor }: ApprovalContext,
  { bytes, queueId, sender, saslUser }: Mail,
  fields: readonly Field[],
  approver: string,
): Promise<string | undefined> {
  const { moderate, state } = config
  if (saslUser !== '') return doubtsOf(approver, fields, saslUser, moderate)
  const head = bytes.subarray(0, HEAD_BYTES)
  const isMarked = hasLooped(head)
  const at = isMarked ? receivedAt(head) : queuedAt(queueId)
  const origin = at === undefined ? undefined : await originAtGate(state, queueId, at)
  const login = origin?.saslUser ?? ''
  // A server of ours that has seen to it who he is, as its administrator says.
  const isVouched = login === '' && origin !== undefined && moderate.relays.includes(origin.client)
  if (isVouched && keyOf(sender) === keyOf(approver)) return undefined
  const doubt = doubtsOf(approver, fields, login, moderate)
  if (origin !== undefined && login === '' && doubt !== undefined)
    return `${doubt}; it came from ${origin.client}`
  if (origin !== undefined || at === undefined || (doubt === undefined && !isMarked)) return doubt
  const age = actor.at - at
  // A time to come is nobody's clock, and would be waited for.
  if (age < 0 || age > (isMarked ? LOGIN_AWAITED_MS : PERHAPS_AWAITED_MS)) return doubt
  throw new Failure('moderate', 'the decision log does not say whose login it was', { status: EXIT.tempFail })
}

/** One approver's turn at one message. */
class ApproverAnswer {
  readonly #desk: ApprovalContext
  readonly #tokens: Tokens
  readonly #key: string
  readonly #digest: string
  readonly #approver: string

  constructor(desk: ApprovalContext, approver: string, digest: string) {
    this.#desk = { ...desk, actor: { who: `${approver} by mail`, at: desk.actor.at } }
    this.#tokens = desk.tokens
    this.#key = keyOf(approver) ?? ''
    this.#digest = digest
    this.#approver = approver
  }

  /** @param sealed whether the mail says something that cannot be read here */
  async take(text: string | undefined, answer: Answer | undefined, sealed: boolean): Promise<Result> {
    const token = text === undefined ? undefined : this.#tokens.find(text)
    if (text === undefined || token === undefined || token.approver !== this.#key)
      return { outcome: 'unknown' }
    const message = this.#desk.hold.find(token.hold)
    const of = { message, addresses: token.recipients }
    if (token.usedBy !== null && token.usedBy !== this.#digest) return { outcome: 'spent', ...of }
    if (isOwn(this.#key, originOf(message), companyOf(this.#desk.config))) return { outcome: 'own', ...of }
    const fresh = token.usedBy === null
    if (fresh && token.expiresAt <= this.#desk.actor.at) return { outcome: 'expired', ...of }
    if (answer === undefined) return { outcome: sealed ? 'sealed' : 'unclear', again: token.expiresAt }
    if (fresh) {
      if (chosen(message, token.recipients).length === 0) return { outcome: 'settled', ...of }
      const used = this.#tokens.use(text, answer, this.#digest, this.#desk.actor)
      if (!used && this.#tokens.find(text)?.usedBy !== this.#digest) return { outcome: 'spent', ...of }
    }
    try {
      return await (answer === 'reject' ? this.#refuse(message, token) : this.#accept(message, token))
    } catch (error) {
      if (isTemporary(error)) {
        await this.#giveBack(text, token)
        throw error
      }
      const why = describeError(error)
      const failed = new Map(token.recipients.map((address) => [address, why]))
      return { ...of, outcome: 'failed', message: this.#desk.hold.find(message.id), failed }
    }
  }

  /** Leaves the number to whatever mail comes next, if nothing has come of this one. */
  async #giveBack(text: string, { hold, recipients }: Token): Promise<void> {
    try {
      const states = new Map(this.#desk.hold.find(hold).recipients.map((one) => [one.address, one.state]))
      const untouched = recipients.every((address) => /^(?:held|refused)$/.test(states.get(address) ?? ''))
      if (untouched) this.#tokens.giveBack(text, this.#digest, this.#desk.actor)
    } catch {
      // It stays with this mail, which comes again.
    }
  }

  async #refuse(message: HeldMessage, { recipients }: Token): Promise<Result> {
    const { hold, config, actor } = this.#desk
    hold.settle(message.id, chosen(message, recipients), 'rejected', actor)
    try {
      hold.removeSettled(message.id)
    } catch {
      // The no stands, and cleanup removes the bytes.
    }
    const now = hold.find(message.id)
    if (now.recipients.some((one) => recipients.includes(one.address) && isInHand(one, actor.at)))
      throw new Failure('reject', 'it is being released: let that end', { at: now.id, status: EXIT.tempFail })
    // Also those that an earlier run of this mail has rejected, which may not have come to telling.
    const rejected = now.recipients.filter(
      ({ address, state, changedBy }) =>
        recipients.includes(address) && state === 'rejected' && changedBy === actor.who,
    )
    const sender = tellableOf(config, message)
    let untold: string | null = null
    if (rejected.length > 0 && sender !== undefined) {
      try {
        const decision = { who: this.#approver, at: actor.at, note: '' }
        await sendNotice(this.#desk, 'rejected', [sender], [{ ...now, recipients: rejected }], { decision })
      } catch (error) {
        // The no stands. Where nothing can be sent at all the confirmation fails as well, and Postfix repeats it.
        untold = describeError(error)
      }
    }
    const outcome = rejected.length === recipients.length ? 'rejected' : 'failed'
    return { outcome, message: now, addresses: recipients, untold }
  }

  async #accept(message: HeldMessage, { recipients }: Token): Promise<Result> {
    const { config, hold, actor } = this.#desk
    const { approvers, moderate } = config
    const everybody = message.recipients.map(({ address }) => address)
    const two = needsTwo(moderate.two, companyOf(config), originOf(message), everybody)
    const keys = approvers.map((approver) => keyOf(approver))
    // Whoever is no approver any more has not said yes, and with an extension he is no second one.
    const yeses = this.#tokens
      .yeses(message.id)
      .filter(({ approver }) => keys.includes(approver))
      .map((yes) => ({ ...yes, approver: mailboxOf(yes.approver, config.delimiters) }))
    const { ready, know } = agreed(yeses, recipients, two ? 2 : 1)
    if (ready.length === 0) return { outcome: 'noted', message, addresses: recipients }
    const waiting = chosen(message, ready)
    let failed = new Map<string, string>()
    if (waiting.length > 0) {
      const result = await tryRelease(this.#desk, message, waiting)
      failed = besideState(result, WORDING[config.language].lapsed)
      await this.#demandSettled(message.id, result)
    }
    const now = hold.find(message.id)
    // Also those that an earlier run of this mail has sent on, which may not have come to this.
    const sent = now.recipients.filter(
      ({ address, state, changedBy }) =>
        ready.includes(address) && state === 'released' && changedBy === actor.who,
    )
    const rules = know ? await this.#makeKnown(draftRules(message, sent)) : {}
    const all = ready.every((address) => stateOf(now, address) === 'released')
    const outcome = all ? (ready.length < recipients.length ? 'noted' : 'released') : 'failed'
    return { outcome, message: now, addresses: recipients, failed, ...rules }
  }

  /** @throws Failure (75) where somebody still waits whom the same release may reach another time */
  async #demandSettled(id: string, { failed }: Released): Promise<void> {
    const later = failed.filter((one) => one.later)
    if (later.length === 0) return
    const now = this.#desk.hold.find(id)
    const [first] = later.filter(({ recipient }) => chosen(now, [recipient]).length > 0)
    if (first !== undefined) throw new Failure('release', first.why, { at: id, status: EXIT.tempFail })
  }

  /** One by one: what a rule has against one is nothing against the others. */
  async #makeKnown(drafts: readonly RuleDraft[]): Promise<Required<Pick<Result, 'known' | 'barred'>>> {
    const known: string[] = []
    const barred = new Map<string, string>()
    for (const draft of drafts) {
      try {
        this.#desk.landscape.add([draft], this.#desk.actor)
        known.push(draft.value)
      } catch (error) {
        if (isTemporary(error)) throw error
        barred.set(draft.value, describeError(error))
      }
    }
    return { known, barred }
  }
}

function originOf({ sender, client }: HeldMessage): Origin {
  return { sender, login: client.saslUser }
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
function draftRules({ id }: HeldMessage, recipients: readonly Recipient[]): RuleDraft[] {
  return recipients
    .filter(({ address }) => parseAddress(address).key !== undefined)
    .map(({ address }) =>
      draftRule(address, {
        effect: 'allow',
        subdomains: false,
        force: false,
        note: '',
        source: `release ${id}`,
      }),
    )
}

/**
 * Tells the approver what came of his answer; one that was not understood may be given again.
 * @returns whether he could be told: not where our own server refuses his address
 * @throws Failure (75) where it may be able to another time
 */
async function confirm(
  desk: ApprovalContext,
  approver: string,
  { outcome, message, addresses = [], failed, known = [], barred, again }: Result,
  inReplyTo: string,
  token: string | undefined,
): Promise<boolean> {
  const { moderate, language } = desk.config
  const words = WORDING[language]
  const standing = ({ state, address, queueId }: Recipient): string => {
    const name: Standing = state === 'held' || state === 'refused' ? 'waits' : state
    const key = parseAddress(address).key ?? ''
    const bar = barred?.get(key)
    const parts = [
      queueId === '' ? words.standing[name] : `${words.standing[name]} (${queueId})`,
      known.includes(key) ? words.known : '',
      bar === undefined ? '' : words.notKnown(bar),
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
  try {
    await sendNotice(desk, 'answered', [approver], messages, { outcome, inReplyTo, reply })
    return true
  } catch (error) {
    if (isTemporary(error)) throw error
    return false
  }
}
