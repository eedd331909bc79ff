/** Telling people: who is to hear of a held message, and how the mail gets to them. */

import { type Config, companyOf } from '../config.js'
import { openState } from '../database/database.js'
import { Failure } from '../failure.js'
import type { HoldFolder } from '../hold/folder.js'
import type { HeldMessage } from '../hold/heldmail.js'
import type { Hold } from '../hold/hold.js'
import { Tokens } from '../hold/token.js'
import { isSendable } from '../mail/address.js'
import { isReturnPath, noticeName, senderOf } from '../mail/mailbox.js'
import { spool } from '../mail/message.js'
import { reinject } from '../mail/reinject.js'
import { ANSWER_MS } from '../mail/transaction.js'
import { findEnclosures } from '../mime/attachmentnames.js'
import { Neighbours, placeRecipients } from '../nearmiss/neighbours.js'
import { type Aliases, readAliases } from '../postfix/aliases.js'
import { hiddenCopies, readCopies } from '../postfix/copies.js'
import { type Residence, reachable, readResidences } from '../postfix/residents.js'
import { untilAlone } from '../system/siblings.js'
import { keyOf } from './authentication.js'
import { composeNotice } from './compose.js'
import { isNamed, isOwn, needsTwo } from './consent.js'
import type { AnswerOffer, NoticeKind, NoticeMessage, NoticeRequest } from './render.js'

const REPLY_MS = 10_000
const HOUR_MS = 3_600_000
/** So long other slices of a mail are waited for; a notice has ten seconds in all. */
const SLICES_MS = 4000
/** More messages of one sender at once are not for answering by mail. */
const MOST_ANSWERABLE = 10
/** Of several messages in one mail so many are looked into. */
const MOST_LOOKED_INTO = 20

/** Reads once for a configuration: a run that tells many asks Postfix no more often than one that tells one. */
function once<T>(read: () => Promise<T>): (config: Config) => Promise<T> {
  const answers = new WeakMap<Config, Promise<T>>()
  return (config) => {
    const answer = answers.get(config) ?? read()
    answers.set(config, answer)
    return answer
  }
}

const aliasesFor = once(() => readAliases().catch(() => undefined))
const residencesFor = once(() => readResidences().catch(() => []))
const copiesFor = once(() => readCopies())

export interface NoticeContext {
  config: Config
  folder: HoldFolder
  /** Of a caller who tells of many; else they are loaded for the one notice. */
  neighbours?: Neighbours
}

/**
 * The sender, where a notice may go to: an internal address, never one outside, never the null sender, and never an address
 * where a notice would count as a bounce. Of one that our own server has rewritten, whom it has rewritten.
 */
export function tellableSender(config: Config, sender: string): string | undefined {
  const address = senderOf(sender, config)
  if (!address.plain || !config.internal.has(address.domain) || isReturnPath(address.key)) return undefined
  return keyOf(sender, config.internal) === address.key ? sender : address.key
}

/** The same of a held message: a program that has sent one reads no notices, or answers them. */
export function tellableOf(
  config: Config,
  { sender, automatic }: Pick<HeldMessage, 'sender' | 'automatic'>,
): string | undefined {
  return automatic === '' ? tellableSender(config, sender) : undefined
}

/** Nobody here would read the notice: trying again changes nothing. */
export class Unreached extends Failure {}

/**
 * Whom a notice to these people has to go to, as it goes in where Postfix maps no addresses any more.
 * @throws Unreached where that is nobody
 */
async function mailboxesBehind(
  { reinject: way, internal }: Config,
  to: readonly string[],
  aliases: Aliases | undefined,
  residences: readonly Residence[],
): Promise<readonly string[]> {
  // sendmail(1) hands it to a cleanup(8) that maps them.
  if (way.kind !== 'smtp' || aliases === undefined) return to
  const found: string[] = []
  try {
    for (const address of to) found.push(...(await reachable(address, { aliases, residences }, internal)))
  } catch {
    // A table that this user may not read: as they are named, then.
    return to
  }
  const sendable = [...new Set(found)].filter(isSendable)
  if (sendable.length === 0)
    throw new Unreached('notice', 'Postfix has nobody of that name here', { at: to.join(' ') })
  return sendable
}

/** The messages as their sender may see them: without copies that Postfix has added, and without those that were nothing else. */
async function asSenderSees(
  messages: readonly NoticeMessage[],
  config: Config,
  aliases: Aliases | undefined,
): Promise<readonly NoticeMessage[]> {
  if (aliases === undefined) return messages
  const copies = await copiesFor(config)
  const seen: NoticeMessage[] = []
  for (const message of messages) {
    const recipients = message.recipients.map(({ address }) => address)
    const hidden = await hiddenCopies({ sender: message.sender, recipients }, copies, aliases)
    seen.push({ ...message, recipients: message.recipients.filter(({ address }) => !hidden.has(address)) })
  }
  return seen.filter(({ recipients }) => recipients.length > 0)
}

/**
 * Composes one notice and sends it past the gate: with the null sender, so that nothing answers it, and a notice that can be
 * answered with the address that answers go to, where `toeh moderate` knows a bounce by the number in it.
 * @throws Failure when it did not go out, {@link Unreached} where there is nobody it could reach
 */
export async function sendNotice(
  post: NoticeContext,
  kind: NoticeKind,
  to: readonly string[],
  messages: readonly NoticeMessage[],
  more: Partial<NoticeRequest> = {},
): Promise<void> {
  const { config, folder } = post
  const aliases = await aliasesFor(config)
  const residences = aliases === undefined ? [] : await residencesFor(config)
  const recipients = await mailboxesBehind(config, to, aliases, residences)
  const isForSender = kind !== 'answered' && kind !== 'approver' && kind !== 'automatic'
  const his = isForSender && messages.every(({ sender }) => tellableSender(config, sender) === to[0])
  const shown = his ? await asSenderSees(messages, config, aliases).catch(() => messages) : messages
  if (his && shown.length === 0) return
  const bytes = await composeNotice({
    ...more,
    kind,
    to,
    messages: shown,
    language: config.language,
    from: config.notice.from,
    approvers: config.approvers,
    contact: config.notice.contact,
  })
  async function* pieces(): AsyncGenerator<Buffer> {
    yield bytes
  }
  const spooled = await spool(pieces(), folder.tmp)
  try {
    const { size, eightBit } = spooled
    const transaction = {
      sender: kind === 'approver' ? (more.reply?.address ?? '') : '',
      recipients,
      size,
      eightBit,
      message: spooled,
      onRefused: async ([first]: readonly { reply: string }[]) => {
        throw new Failure('notice', first?.reply ?? 'refused')
      },
    }
    await reinject(config.reinject, transaction, { replyMs: REPLY_MS, answerMs: ANSWER_MS })
  } finally {
    spooled.discard()
  }
}

/** Tells the sender and the approvers of one new hold, once all that is handed over of its mail is in it. @throws Failure as {@link tell} does */
export async function notifyHeld(post: NoticeContext, hold: Hold, id: string, now: number): Promise<void> {
  const { queueId } = hold.find(id)
  await untilAlone(queueId, SLICES_MS)
  const message = hold.find(id)
  const waiting = {
    ...message,
    recipients: message.recipients.filter(({ state }) => state === 'held' || state === 'refused'),
  }
  await tell(post, hold, [waiting], now)
}

/** Messages by whom their notices are counted for: one mailbox of the company's, or all that is from outside. */
export function bySender<T extends { sender: string }>(config: Config, messages: readonly T[]): T[][] {
  return [...grouped(messages, ({ sender }) => noticeName(sender, config)).values()]
}

function grouped<T, K>(items: readonly T[], nameOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(nameOf(item))
    if (group === undefined) groups.set(nameOf(item), [item])
    else group.push(item)
  }
  return groups
}

/** A sender whom no notice reaches is no reason to tell the approvers again and again. */
function allowUnreached(error: unknown): void {
  if (!(error instanceof Unreached)) throw error
}

/**
 * Tells the people concerned of these messages, all of {@link bySender one sender}, and notes that they were told. A sender
 * hears no second time of what only the approvers' mail has come back of.
 * @throws Failure when a mail did not go out; then the messages stay with `toeh digest`
 */
export async function tell(
  post: NoticeContext,
  hold: Hold,
  messages: readonly HeldMessage[],
  now: number,
): Promise<void> {
  if (messages.length === 0) return
  const { config } = post
  const senderOf = (message: HeldMessage): string | undefined => tellableOf(config, message)
  if (config.approvers.length > 0 || messages.some((message) => senderOf(message) !== undefined)) {
    const placed = await place(post, messages)
    if (config.approvers.length > 0) await askApprovers(post, placed, now)
    // Each at the very address it was sent from: he may sort his mail by it.
    const untold = placed.filter((message) => !hold.wasTold(message))
    for (const [sender, his] of grouped(untold, senderOf))
      if (sender !== undefined) await sendNotice(post, 'sender', [sender], his).catch(allowUnreached)
  }
  hold.recordNotified(messages, now)
}

/**
 * Tells the approvers of automatic mail: all of it in one mail, a line a message, and once. Nobody is asked about it.
 * @throws Failure when that did not go out; then the messages stay with `toeh digest`
 */
export async function tellOfAutomatic(
  post: NoticeContext,
  hold: Hold,
  messages: readonly HeldMessage[],
  now: number,
): Promise<void> {
  const { approvers } = post.config
  if (messages.length === 0) return
  if (approvers.length > 0) await sendNotice(post, 'automatic', approvers, messages)
  hold.recordNotified(messages, now)
}

/**
 * Asks the approvers: all in one mail, or, where they can answer by mail, each in mails of his own, one a message. Many
 * messages of one sender at once are more than anybody answers well one by one, and a flood is for the server's people.
 */
async function askApprovers(post: NoticeContext, messages: readonly Placed[], now: number): Promise<void> {
  const { approvers, moderate } = post.config
  const asked = new Map(messages.map((message) => [message.id, askedAbout(post.config, message)]))
  const isAsked = (approver: string): boolean => [...asked.values()].some((some) => some.includes(approver))
  if (!moderate.enabled || messages.length > MOST_ANSWERABLE) {
    await sendNotice(post, 'approver', approvers.filter(isAsked), messages)
    return
  }
  const db = openState(post.config, 'write')
  try {
    const tokens = new Tokens(db)
    const unreached: Unreached[] = []
    for (const approver of approvers.filter(isAsked)) {
      try {
        for (const message of messages) {
          if (!asked.get(message.id)?.includes(approver)) continue
          const reply = await replyOf(post.config, tokens, message, approver, now)
          await sendNotice(post, 'approver', [approver], [message], { reply })
        }
      } catch (error) {
        // One whom nothing reaches keeps the others from nothing.
        if (!(error instanceof Unreached)) throw error
        unreached.push(error)
      }
    }
    const [first] = unreached
    if (first !== undefined && unreached.length === approvers.filter(isAsked).length) throw first
  } finally {
    db.close()
  }
}

/** Whom to ask about a message: not who has sent it, unless there is nobody else. */
function askedAbout(config: Config, { sender, client }: HeldMessage): readonly string[] {
  const { approvers } = config
  const company = companyOf(config)
  const others = approvers.filter((approver) => {
    const key = keyOf(approver)
    return key === undefined || !isNamed(key, { sender, login: client.saslUser }, company)
  })
  return others.length === 0 ? approvers : others
}

/** What lets this approver answer; nothing where the message is his own. */
async function replyOf(
  config: Config,
  tokens: Tokens,
  message: Placed,
  approver: string,
  now: number,
): Promise<AnswerOffer | undefined> {
  const key = keyOf(approver)
  const company = companyOf(config)
  const origin = { sender: message.sender, login: message.client.saslUser }
  if (key === undefined || isOwn(key, origin, company)) return undefined
  const { address, expireHours, two } = config.moderate
  const recipients = message.recipients.map((recipient) => recipient.address)
  const until = Math.min(message.expiresAt, now + expireHours * HOUR_MS)
  const token = tokens.issue({ hold: message.id, recipients, approver: key, expiresAt: until })
  return { token, address, until, two: needsTwo(two, company, origin, recipients) }
}

/** A held message as its notice shows it. */
type Placed = HeldMessage & NoticeMessage

/** The messages with their attachments, their unknown recipients with near misses. */
async function place(post: NoticeContext, messages: readonly HeldMessage[]): Promise<Placed[]> {
  const { config } = post
  if (post.neighbours === undefined) {
    const db = openState(config, 'read')
    try {
      return await place({ ...post, neighbours: new Neighbours(db, config.internal) }, messages)
    } finally {
      db.close()
    }
  }
  const placed: Placed[] = []
  for (const [index, message] of messages.entries()) {
    const enclosures =
      index < MOST_LOOKED_INTO ? await findEnclosures(post.folder.messagePath(message.id)) : undefined
    placed.push({ ...(await placeRecipients(post.neighbours, message)), enclosures })
  }
  return placed
}
