/** The notice: the mail that tells people what waits, and why. Composed by nodemailer, null sender, never sent outside. */
import libmime from 'libmime'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'
import { visible } from './display.js'
import { letterHtml, letterSubject, letterText, type NoticeRequest } from './letter.js'

/** More is for the message itself to show. */
const SUBJECT_CHARACTERS = 200

/** The subject for people: encoded words decoded (RFC 2047), what could deceive made visible. */
export function readableSubject(raw: string, none: string): string {
  const text = visible(libmime.decodeWords(raw).replace(/\s+/g, ' ').trim())
  const characters = [...text]
  if (characters.length > SUBJECT_CHARACTERS) return `${characters.slice(0, SUBJECT_CHARACTERS).join('')}…`
  return text === '' ? none : text
}

/** The whole mail as bytes with LF line ends, as the spool takes it. */
export async function composeNotice(request: NoticeRequest): Promise<Buffer> {
  const [first] = request.messages
  const original =
    request.messages.length === 1 && /^<[\x21-\x7e]{1,900}>$/.test(first?.messageId ?? '')
      ? first?.messageId
      : undefined
  const messages = request.messages.map((message) => ({
    ...message,
    subject: readableSubject(message.subject, ''),
  }))
  const letter = { ...request, messages }
  const mail = new MailComposer({
    from: { name: 'TOEH', address: request.from },
    to: [...request.to],
    subject: letterSubject(letter),
    text: letterText(letter),
    html: letterHtml(letter),
    ...(original === undefined ? {} : { inReplyTo: original, references: original }),
    // RFC 3834: nobody's vacation program answers this; X-Auto-Response-Suppress is Exchange's word for it.
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
  })
  const bytes = await mail.compile().build()
  return Buffer.from(bytes.toString('latin1').replace(/\r\n/g, '\n'), 'latin1')
}
