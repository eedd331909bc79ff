/** The message on the wire: queue file lines to SMTP DATA (RFC 5321, 4.5.2). Pure. */

/**
 * Turns LF lines into DATA, piece by piece: each LF becomes CRLF, a dot that starts a line is doubled, and the
 * end is CRLF.CRLF. Every other byte stays, bare CR and NUL included: smtp(8) and cleanup(8) deal with those.
 * Bytes are texts here, a character for each (latin1): replaced in one go, a third of the time that line by line took.
 */
export class DotStuffing {
  #atLineStart = true

  /** The next piece of the message, encoded; as latin1. */
  push(piece: Buffer): string {
    if (piece.length === 0) return ''
    const text = piece.toString('latin1')
    const stuffed = text.includes('\n.') ? text.replaceAll('\n.', '\n..') : text
    const dot = this.#atLineStart && text.startsWith('.') ? '.' : ''
    this.#atLineStart = text.endsWith('\n')
    return dot + stuffed.replaceAll('\n', '\r\n')
  }

  /** The bytes after the last piece: a line that was left open is closed first. */
  end(): string {
    return this.#atLineStart ? '.\r\n' : '\r\n.\r\n'
  }
}

/** A value as xtext (RFC 3461, 4): `+`, `=` and whatever is not printable ASCII as `+HH`. */
export function xtext(value: string): string {
  if (/^[!-*,-<>-~]*$/.test(value)) return value
  return [...Buffer.from(value)]
    .map((byte) =>
      byte < 0x21 || byte > 0x7e || byte === 0x2b || byte === 0x3d
        ? `+${byte.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte),
    )
    .join('')
}
