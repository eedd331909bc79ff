/** The notice: the mail that tells people what waits, and why. Composed by nodemailer, null sender, never sent outside. */
import libmime from 'libmime'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'
import { shortSize, visible } from './display.js'
import { nearMissLines } from './sidebyside.js'
import type { UsedNeighbour } from './usage.js'
import { type HoldReason, type Language, WORDING, type Wording } from './wording.js'

/** What a notice says of one message. */
export interface NoticeMessage {
  id: string
  sender: string
  /** As it stands in the header, encoded words and all. */
  subject: string
  /** `<…>` of the original, or empty. */
  messageId: string
  size: number
  /** Milliseconds since 1970. */
  heldAt: number
  expiresAt: number
  recipients: readonly {
    address: string
    reason: string
    detail: string
    nearMisses?: readonly UsedNeighbour[] | undefined
  }[]
}

export type NoticeKind = 'sender' | 'approver' | 'expired' | 'rejected'

export interface NoticeRequest {
  kind: NoticeKind
  language: Language
  from: string
  to: readonly string[]
  approvers: readonly string[]
  /** At least one. */
  messages: readonly NoticeMessage[]
}

/** More is for the message itself to show. */
const SUBJECT_CHARACTERS = 200

/** The subject for people: encoded words decoded (RFC 2047), what could deceive made visible. */
export function readableSubject(raw: string, none: string): string {
  const text = visible(libmime.decodeWords(raw).replace(/\s+/g, ' ').trim())
  const characters = [...text]
  if (characters.length > SUBJECT_CHARACTERS) return `${characters.slice(0, SUBJECT_CHARACTERS).join('')}…`
  return text === '' ? none : text
}

function subjectOf(request: NoticeRequest, words: Wording): string {
  const [first] = request.messages
  const subject = readableSubject(first?.subject ?? '', words.noSubject)
  const many = request.messages.length > 1
  switch (request.kind) {
    case 'sender':
      return many ? words.senderManySubject(request.messages.length) : words.senderSubject(subject)
    case 'approver':
      return many
        ? words.approverManySubject(request.messages.length)
        : words.approverSubject(visible(first?.sender || words.nullSender))
    case 'expired':
      return words.expiredSubject(subject)
    case 'rejected':
      return words.rejectedSubject(subject)
  }
}

function describeMessage(message: NoticeMessage, language: Language, showExpiry: boolean): string[] {
  const words = WORDING[language]
  const time = new Intl.DateTimeFormat(words.locale, { dateStyle: 'long', timeStyle: 'short' })
  const { labels } = words
  const facts: [string, string][] = [
    [labels.from, visible(message.sender || words.nullSender)],
    [labels.subject, readableSubject(message.subject, words.noSubject)],
    [labels.date, time.format(message.heldAt)],
    [labels.size, shortSize(message.size)],
    [labels.id, message.id],
  ]
  if (showExpiry) facts.push([labels.expires, time.format(message.expiresAt)])
  const width = Math.max(...facts.map(([label]) => label.length)) + words.colon.length + 1
  return [
    ...facts.map(([label, value]) => `  ${`${label}${words.colon}`.padEnd(width)}${value}`),
    '',
    `  ${labels.recipients}${words.colon}`,
    ...message.recipients.flatMap(({ address, reason, detail, nearMisses = [] }) => [
      `    ${visible(address)}`,
      `        ${words.reason(reason as HoldReason, visible(detail))}`,
      ...nearMissLines(nearMisses, language).map((line) => `        ${visible(line)}`),
    ]),
    '',
  ]
}

/** The text of a notice. */
export function noticeText(request: NoticeRequest): string {
  const words = WORDING[request.language]
  const { kind, messages, approvers } = request
  const intro = {
    sender: words.senderIntro,
    approver: words.approverIntro,
    expired: words.expiredIntro,
    rejected: words.rejectedIntro,
  }[kind]
  const waits = kind === 'sender' || kind === 'approver'
  const lines = [
    intro,
    '',
    ...messages.flatMap((message) => describeMessage(message, request.language, waits)),
  ]
  if (kind === 'sender') {
    const names = approvers.join(', ')
    lines.push(
      names === '' ? words.nextForSenderNobody : words.nextForSender(names),
      '',
      words.othersSent,
      words.notYou,
    )
  }
  if (kind === 'approver') {
    lines.push(words.nextForApprover)
    for (const { id } of messages)
      lines.push('', `    toeh show ${id}`, `    toeh release ${id}`, `    toeh reject ${id}`)
  }
  return `${lines.join('\n')}\n`
}

/** The whole mail as bytes with LF line ends, as the spool takes it. */
export async function composeNotice(request: NoticeRequest): Promise<Buffer> {
  const words = WORDING[request.language]
  const [first] = request.messages
  const original =
    request.messages.length === 1 && /^<[\x21-\x7e]{1,900}>$/.test(first?.messageId ?? '')
      ? first?.messageId
      : undefined
  const mail = new MailComposer({
    from: { name: 'TOEH', address: request.from },
    to: [...request.to],
    subject: subjectOf(request, words),
    text: noticeText(request),
    ...(original === undefined ? {} : { inReplyTo: original, references: original }),
    // RFC 3834: nobody's vacation program answers this; X-Auto-Response-Suppress is Exchange's word for it.
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
  })
  const bytes = await mail.compile().build()
  return Buffer.from(bytes.toString('latin1').replace(/\r\n/g, '\n'), 'latin1')
}
