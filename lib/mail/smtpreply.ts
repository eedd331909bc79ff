/** An SMTP reply (RFC 5321, 4.2), and the parser that finds replies in a stream. Pure. */

export interface Reply {
  code: number
  /** Text of every line, joined with blanks, code removed. */
  text: string
  lines: string[]
}

const MAX_REPLY = 64 * 1024

/** The reply as the server said it, on one line: a bare CR does not end one for SMTP, but it does for readers. */
export function describeReply(reply: Reply): string {
  return `${reply.code} ${reply.text}`.replace(/\p{Cc}+/gu, ' ')
}

/** The id Postfix gave the copy (`250 2.0.0 Ok: queued as 4bQ…`), or empty. */
export function queuedAs(reply: Reply): string {
  return /\bqueued as ([0-9A-Za-z]{4,32})\b/.exec(reply.text)?.[1] ?? ''
}

function demandWithin(size: number): void {
  if (size > MAX_REPLY) throw new Error('an SMTP reply of more than 64 kB')
}

/** Three digits, of which the first is 2 to 5. */
function isCode(text: string): boolean {
  const code = Number(text)
  return code >= 200 && code < 600 && String(code) === text
}

export class ReplyReader {
  #text = ''
  #lines: string[] = []
  /** The code of the line before, while its reply goes on. */
  #code: string | undefined
  /** Bytes of {@link #lines}, line ends and codes included. */
  #size = 0

  /**
   * Takes bytes, gives the replies they complete.
   * @throws Error when what comes is not SMTP, or one reply is over 64 kB
   */
  push(bytes: Buffer): Reply[] {
    const replies: Reply[] = []
    const text = this.#text + bytes.toString('latin1')
    let from = 0
    for (let lf = text.indexOf('\n'); lf >= 0; lf = text.indexOf('\n', from)) {
      const line = text.slice(from, lf > from && text[lf - 1] === '\r' ? lf - 1 : lf)
      this.#size += lf + 1 - from
      from = lf + 1
      demandWithin(this.#size)
      const digits = line.slice(0, 3)
      const separator = line.slice(3, 4)
      if (!isCode(digits) || !['', ' ', '-'].includes(separator))
        throw new Error(`not an SMTP reply: ${JSON.stringify(line.slice(0, 60))}`)
      // Every line has the same code (RFC 5321, 4.2.1): which of two would count?
      if (this.#code !== undefined && this.#code !== digits)
        throw new Error(`an SMTP reply with two codes: ${this.#code} and ${digits}`)
      this.#code = separator === '-' ? digits : undefined
      this.#lines.push(line.slice(4))
      if (separator !== '-') {
        replies.push({ code: Number(digits), text: this.#lines.join(' '), lines: this.#lines })
        this.#lines = []
        this.#size = 0
      }
    }
    this.#text = text.slice(from)
    demandWithin(this.#size + this.#text.length)
    return replies
  }
}
