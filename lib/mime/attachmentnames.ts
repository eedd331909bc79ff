/**
 * The enclosures of a message, by name, for a notice: boundaries and part headers alone are read, in place, because the
 * filter composes notices and `toeh show`'s thorough look costs half a second. For people; nothing rests on it.
 */

import libmime from 'libmime'
import { readBytes } from '../mail/message.js'
import type { Enclosures } from './attachment.js'

/** More of a message is not looked at. */
const MOST_BYTES = 64 * 1024 * 1024
const MOST_ENCLOSURES = 100
const MOST_DEPTH = 20
/** Of a line in a body as much as a boundary can have (RFC 2046, 5.1.1), of one in a header as much as a name can. */
const BODY_LINE = 80
const HEADER_LINE = 2000
const MOST_HEADER_LINES = 500

const HYPHEN = 0x2d
const LF = 0x0a
const CR = 0x0d

interface Part {
  name: string
  base64: boolean
  /** Bytes as sent, without line ends. */
  bytes: number
  lines: number
}

class Walk {
  readonly list: { name: string; size: number }[] = []
  whole = true
  readonly #boundaries: string[] = []
  /** Lines of the header that is being read, or undefined in a body. */
  #header: string[] | undefined = []
  #part: Part | undefined
  #line = ''
  #length = 0

  push(piece: Buffer): void {
    let from = 0
    for (let lf = piece.indexOf(LF); lf >= 0; lf = piece.indexOf(LF, from)) {
      this.#take(piece, from, piece[lf - 1] === CR ? Math.max(from, lf - 1) : lf)
      this.#endLine()
      from = lf + 1
    }
    this.#take(piece, from, piece.length)
  }

  end(): void {
    if (this.#length > 0) this.#endLine()
    if (this.#header !== undefined) this.#endHeader(this.#header)
    this.#endPart()
  }

  #take(piece: Buffer, from: number, to: number): void {
    const inBody = this.#header === undefined
    const dull = inBody && this.#line === '' && (this.#length > 0 || piece[from] !== HYPHEN)
    this.#length += to - from
    if (dull) return
    const room = (inBody ? BODY_LINE : HEADER_LINE) - this.#line.length
    this.#line += piece.toString('latin1', from, Math.min(to, from + room))
  }

  #endLine(): void {
    const line = this.#line.trimEnd()
    const length = this.#length
    this.#line = ''
    this.#length = 0
    if (line.startsWith('--') && this.#isBoundary(line)) return
    if (this.#header === undefined) {
      if (this.#part === undefined) return
      this.#part.bytes += length
      this.#part.lines++
    } else if (line === '') this.#endHeader(this.#header)
    else if (this.#header.length < MOST_HEADER_LINES) this.#header.push(line)
    else this.whole = false
  }

  #isBoundary(line: string): boolean {
    const at = this.#boundaries.findLastIndex((one) => line === `--${one}` || line === `--${one}--`)
    if (at < 0) return false
    const closes = line === `--${this.#boundaries[at]}--`
    this.#endPart()
    this.#boundaries.length = closes ? at : at + 1
    this.#header = closes ? undefined : []
    return true
  }

  #endHeader(lines: string[]): void {
    this.#header = undefined
    const fields = Buffer.from(lines.join('\n'), 'latin1')
      .toString('utf8')
      .replace(/\n[ \t]+/g, ' ')
      .split('\n')
    const field = (name: string): { value: string; params: Record<string, string> } => {
      const line = fields.find((text) => text.toLowerCase().startsWith(`${name}:`)) ?? ''
      return libmime.parseHeaderValue(line.slice(name.length + 1, HEADER_LINE))
    }
    const type = field('content-type')
    const kind = type.value.toLowerCase()
    const { boundary = '' } = type.params
    if (kind.startsWith('multipart/') && boundary !== '') {
      if (this.#boundaries.length < MOST_DEPTH) this.#boundaries.push(boundary.slice(0, BODY_LINE - 4))
      else this.whole = false
      return
    }
    const disposition = field('content-disposition')
    const name = disposition.params.filename ?? type.params.name ?? ''
    const isText = kind === '' || kind.startsWith('text/')
    if (isText && name === '' && disposition.value.toLowerCase() !== 'attachment') return
    const base64 = field('content-transfer-encoding').value.toLowerCase() === 'base64'
    this.#part = { name: libmime.decodeWords(name), base64, bytes: 0, lines: 0 }
  }

  #endPart(): void {
    const part = this.#part
    this.#part = undefined
    if (part === undefined) return
    const { name, base64, bytes, lines } = part
    const size = base64 ? Math.floor((bytes * 3) / 4) : bytes + lines
    if (this.list.length < MOST_ENCLOSURES) this.list.push({ name, size })
    else this.whole = false
  }
}

/** What a message file encloses; sizes are near enough for people. Never throws. */
export async function findEnclosures(path: string): Promise<Enclosures> {
  const walk = new Walk()
  let left = MOST_BYTES
  try {
    for await (const piece of readBytes(path)) {
      walk.push(piece.subarray(0, left))
      left -= piece.length
      if (left > 0) continue
      walk.whole = false
      break
    }
    walk.end()
  } catch {
    walk.whole = false
  }
  return { list: walk.list, whole: walk.whole }
}
