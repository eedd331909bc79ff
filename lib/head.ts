/** The head of a message: its header fields as bytes allow, for the loop guard and for people. Never decides. Pure. */

/**
 * The unfolded value of the topmost field of this name (RFC 5322, 2.2.3), or undefined.
 * @param head the first bytes of the message; only whole header lines before the empty line count
 */
export function topmostField(head: Buffer, name: string): string | undefined {
  // UTF-8 for SMTPUTF8 mail; invalid bytes become U+FFFD, which is shown and never sent.
  const text = head.toString('utf8')
  const lines = text.split(/\r?\n/)
  const end = lines.indexOf('')
  if (end >= 0) lines.length = end
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

/** The name our own SMTP client says in EHLO: `.invalid` (RFC 2606) can be nobody else's. */
export const HELO_NAME = 'toeh-reinject.invalid'

/**
 * Whether the message has come from our own reinjection: the topmost Received, which only our own Postfix
 * writes, shows our EHLO name. Then the service behind 10026 has a content_filter, and mail would go round.
 */
export function hasLooped(head: Buffer): boolean {
  return topmostField(head, 'Received')?.toLowerCase().startsWith(`from ${HELO_NAME} `) ?? false
}
