/** The head of a message: its header fields as bytes allow, for the loop guard and for people. Never decides. Pure. */

const CR = 0x0d
const LF = 0x0a

/** The lines before the first empty one, and whether that is there. */
function headerLines(head: Buffer): { lines: string[]; ended: boolean } {
  // Found in the bytes: a body of 60 kB is not taken apart for its header.
  const ends = ['\n\n', '\n\r\n'].map((mark) => head.indexOf(mark)).filter((at) => at >= 0)
  const starts = head[0] === CR && head[1] === LF ? LF : head[0]
  const end = starts === LF ? 0 : Math.min(...ends, head.length)
  // UTF-8 for SMTPUTF8 mail; invalid bytes become U+FFFD, which is shown and never sent.
  return { lines: head.toString('utf8', 0, end).split(/\r?\n/), ended: end < head.length }
}

/**
 * The unfolded value of the topmost field of this name (RFC 5322, 2.2.3), or undefined.
 * @param head the first bytes of the message; only whole header lines before the empty line count
 */
export function topmostField(head: Buffer, name: string): string | undefined {
  const { lines } = headerLines(head)
  const prefix = `${name.toLowerCase()}:`
  const start = lines.findIndex((line) => line.toLowerCase().startsWith(prefix))
  if (start < 0) return undefined
  let value = (lines[start] ?? '').slice(prefix.length)
  for (const line of lines.slice(start + 1)) {
    if (!/^[ \t]/.test(line)) break
    value += line
  }
  return value.trim()
}

/**
 * The header fields in order, unfolded, as far as `head` goes; lines that are no field are passed over.
 * @returns also whether the end of the header, or of the message, was seen
 */
export function headerFields(head: Buffer): { fields: { name: string; value: string }[]; whole: boolean } {
  const fields: { name: string; parts: string[] }[] = []
  const { lines, ended } = headerLines(head)
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (/^[ \t]/.test(line)) fields.at(-1)?.parts.push(line.trim())
    else if (colon > 0) fields.push({ name: line.slice(0, colon), parts: [line.slice(colon + 1)] })
  }
  return {
    fields: fields.map(({ name, parts }) => ({ name, value: parts.join(' ').trim() })),
    whole: ended || head.length < WHOLE_BYTES,
  }
}

/** A head of this many bytes or more may have been cut. */
const WHOLE_BYTES = 64 * 1024

/** The name our own SMTP client says in EHLO: `.invalid` (RFC 2606) can be nobody else's. */
export const HELO_NAME = 'toeh-reinject.invalid'

/**
 * Whether the message has come from our own reinjection: the topmost Received, which only our own Postfix
 * writes, shows our EHLO name. Then the service behind 10026 has a content_filter, and mail would go round.
 */
export function hasLooped(head: Buffer): boolean {
  // Nearly no message has that name anywhere: its lines need not be taken apart.
  if (!head.toString('latin1').toLowerCase().includes(HELO_NAME)) return false
  return topmostField(head, 'Received')?.toLowerCase().startsWith(`from ${HELO_NAME} `) ?? false
}

/** When our own Postfix took the message, by its topmost Received (RFC 5322, 3.6.7); undefined where that says no time. */
export function receivedAt(head: Buffer): number | undefined {
  const received = topmostField(head, 'Received') ?? ''
  const at = Date.parse(received.slice(received.lastIndexOf(';') + 1))
  return Number.isNaN(at) ? undefined : at
}

export interface Field {
  name: string
  value: string
}
