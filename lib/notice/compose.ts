/** The notice: the mail that tells people what waits, and why. Composed by nodemailer, never sent outside. */
import libmime from 'libmime'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'
import { visible } from '../text/visible.js'
import { markOf } from './consent.js'
import { letterHtml, letterSubject, letterText, type NoticeRequest } from './render.js'

/** More is for the message itself to show. */
const SUBJECT_CHARACTERS = 200

/** A header's text with its encoded words decoded (RFC 2047), nothing made visible. */
export function decodeHeader(raw: string): string {
  return libmime.decodeWords(raw)
}

/** The subject for people: encoded words decoded (RFC 2047), what could deceive made visible. */
export function readableSubject(raw: string, none: string): string {
  const text = visible(decodeHeader(raw).replace(/\s+/g, ' ').trim())
  const characters = [...text]
  if (characters.length > SUBJECT_CHARACTERS) return `${characters.slice(0, SUBJECT_CHARACTERS).join('')}…`
  return text === '' ? none : text
}

/** The subject without what could be taken for a number: with two of them an answer would have none. */
function withoutMarks(letter: NoticeRequest): string {
  return letterSubject(letter).replace(/\[(?=toeh\s)/gi, '(')
}

/** The whole mail as bytes with LF line ends, as the spool takes it. */
export async function composeNotice(request: NoticeRequest): Promise<Buffer> {
  const { kind, reply } = request
  const [first, ...others] = request.messages
  const answered = request.inReplyTo ?? (others.length === 0 ? first?.messageId : undefined) ?? ''
  const original = /^<[\x21-\x7e]{1,900}>$/.test(answered) ? answered : undefined
  const messages = request.messages.map((message) => ({
    ...message,
    subject: readableSubject(message.subject, ''),
  }))
  const letter = { ...request, messages }
  const mail = new MailComposer({
    from: { name: 'TOEH', address: request.from },
    to: [...request.to],
    // The number goes last: a list of mails shows who has written.
    subject: reply === undefined ? letterSubject(letter) : `${withoutMarks(letter)} ${markOf(reply.token)}`,
    ...(reply === undefined ? {} : { replyTo: reply.address }),
    text: letterText(letter),
    html: letterHtml(letter),
    ...(original === undefined ? {} : { inReplyTo: original, references: original }),
    // RFC 3834: nobody's vacation program answers this; X-Auto-Response-Suppress is Exchange's word for it.
    headers: {
      'Auto-Submitted': kind === 'answered' ? 'auto-replied' : 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
    },
  })
  const bytes = await mail.compile().build()
  return Buffer.from(bytes.toString('latin1').replace(/\r\n/g, '\n'), 'latin1')
}
