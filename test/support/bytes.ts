/** Bytes: random messages in random pieces, and what an SMTP server makes of DATA. */
import fc from 'fast-check'

const ONLY_BYTES = fc.nat(255)
/** What line ends and dots are made of comes far more often than chance would have it. */
const byte = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0x2e) },
  { weight: 2, arbitrary: fc.constant(0x0a) },
  { weight: 1, arbitrary: fc.constant(0x0d) },
  { weight: 3, arbitrary: ONLY_BYTES },
)
const snippet = fc.constantFrom(
  '\n.\n',
  '\n.\r\n',
  '\r\n.\r\n',
  '\r.\r',
  '\n..',
  '.\n',
  '\n\n',
  '\r\r\n',
  'MAIL FROM:<>\n',
)
const part = fc.oneof(
  fc.array(byte, { maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  snippet.map((text) => Buffer.from(text)),
  fc.integer({ min: 900, max: 1100 }).map((length) => Buffer.alloc(length, 'x')),
)

/** A message in the pieces it is read in, empty ones among them. */
export const message: fc.Arbitrary<Buffer[]> = fc
  .tuple(fc.array(part, { maxLength: 6 }), fc.array(fc.nat(200), { maxLength: 8 }))
  .map(([parts, cuts]) => {
    const bytes = Buffer.concat(parts)
    const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
    return places.slice(1).map((place, index) => bytes.subarray(places[index], place))
  })

/**
 * The message that DATA carries, as Postfix reads it (RFC 5321, 4.5.2): lines end in CRLF, a dot in front of a line
 * goes, and a lone one is the end.
 * @throws Error where the end is missing or something stands behind it
 */
export function unstuff(data: Buffer): Buffer {
  const out: Buffer[] = []
  for (let from = 0; from < data.length; ) {
    const end = data.indexOf('\r\n', from)
    if (end < 0) throw new Error('a line without an end')
    if (data[from] === 0x2e && end === from + 1) {
      if (end + 2 < data.length) throw new Error('bytes behind the end')
      return Buffer.concat(out)
    }
    out.push(data.subarray(data[from] === 0x2e ? from + 1 : from, end), Buffer.from('\n'))
    from = end + 2
  }
  throw new Error('no end')
}
