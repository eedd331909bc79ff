/** The message on the wire: queue file lines to SMTP DATA (RFC 5321, 4.5.2). Pure. */

const LF = 0x0a
const DOT = 0x2e
const CR = 0x0d

/**
 * Turns LF lines into DATA, piece by piece: each LF becomes CRLF, a dot that starts a line is doubled, and the
 * end is CRLF.CRLF. Every other byte stays, bare CR and NUL included: smtp(8) and cleanup(8) deal with those.
 */
export class DotStuffing {
  #atLineStart = true
  #out: Buffer | undefined

  /** The next piece of the message, encoded; it stands in a buffer that the next call uses again. */
  push(piece: Buffer): Buffer {
    // Every byte may become two, and one more where a dot starts a line across pieces.
    const most = piece.length * 2 + 1
    if (this.#out === undefined || this.#out.length < most) this.#out = Buffer.allocUnsafeSlow(most)
    const out = this.#out
    let written = 0
    let from = 0
    while (from < piece.length) {
      if (this.#atLineStart && piece[from] === DOT) out[written++] = DOT
      const lf = piece.indexOf(LF, from)
      const lineEnd = lf < 0 ? piece.length : lf
      written += piece.copy(out, written, from, lineEnd)
      this.#atLineStart = lf >= 0
      if (lf >= 0) {
        out[written++] = CR
        out[written++] = LF
      }
      from = lineEnd + 1
    }
    return out.subarray(0, written)
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
