/**
 * The attachments of the message on standard input, one JSON line each on standard output, and its text where the word
 * "text" asks for it: a program of its own, which describe starts and may kill. mailparser takes half a minute and a
 * gigabyte for 38 MB of line ends.
 */
import { createReadStream } from 'node:fs'
import { MailParser } from 'mailparser'
import type { Attachment, AttachmentFinding } from '../lib/mime/attachment.js'
import { textOfHtml } from '../lib/mime/htmltext.js'

/** More of a message is not looked at; its recipients and its header are told all the same. */
const MOST_BYTES = 64 * 1024 * 1024
/** More are not listed. */
const MOST_ATTACHMENTS = 500
/** More characters of the text are not shown. */
const MOST_TEXT = 20_000

const withText = process.argv[2] === 'text'

let listed = 0

function tell(finding: AttachmentFinding): void {
  process.stdout.write(`${JSON.stringify(finding)}\n`)
}

function tellAttachment(attachment: Attachment): void {
  listed++
  if (listed <= MOST_ATTACHMENTS) tell({ attachment })
  else if (listed === MOST_ATTACHMENTS + 1)
    tell({ trouble: `it has more than ${MOST_ATTACHMENTS} attachments` })
}

/** The text that a mail program shows: of a message that has none but HTML, what is left of that, wherever it stands. */
async function tellText({ text, html }: { text?: unknown; html?: unknown }): Promise<void> {
  const own = typeof text === 'string' ? text : ''
  const whole = own.trim() === '' && typeof html === 'string' ? await textOfHtml(html) : own
  tell({ text: whole.slice(0, MOST_TEXT) })
  if (whole.length > MOST_TEXT)
    tell({ trouble: `only the first ${MOST_TEXT} characters of its text are shown` })
}

const parser = new MailParser({
  skipHtmlToText: !withText,
  skipTextToHtml: true,
  skipImageLinks: true,
  skipTextLinks: true,
})
parser.on('data', (part) => {
  if (part.type !== 'attachment') {
    if (withText) tellText(part).catch(fail)
    return
  }
  const { content, contentType, filename } = part
  let size = 0
  content.on('data', (bytes: Buffer) => {
    size += bytes.length
  })
  content.on('end', () => {
    const [name = '', type = ''] = [filename, contentType].map((text) => String(text ?? '').slice(0, 1000))
    tellAttachment({ name, type, size })
    part.release?.()
  })
})
const fail = (error: Error): void => {
  tell({ trouble: error.message })
  process.exitCode = 0
  process.stdin.destroy()
}
parser.on('error', fail)
let read = 0
createReadStream('', { fd: 0, end: MOST_BYTES - 1 })
  .on('error', fail)
  .on('data', (bytes) => {
    read += bytes.length
  })
  .on('end', () => {
    if (read === MOST_BYTES) tell({ trouble: `only its first ${MOST_BYTES / 1024 / 1024} MB were looked at` })
  })
  .pipe(parser)
