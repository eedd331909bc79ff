/** Tests of wire.ts: the bytes of DATA do not depend on how the message was cut into pieces. */
import t from 'tap'
import { DotStuffing, xtext } from '../../lib/mail/dotstuffing.js'

/** DATA for a message that comes in these pieces. */
function encode(...pieces: Buffer[]): string {
  const stuffing = new DotStuffing()
  return pieces.map((piece) => stuffing.push(piece)).join('') + stuffing.end()
}

const LONG = 'x'.repeat(3000)
// Message, DATA; as latin1, so that every byte is possible.
const MESSAGES: [string, string][] = [
  ['', '.\r\n'],
  ['\n', '\r\n.\r\n'],
  ['\n\n', '\r\n\r\n.\r\n'],
  ['a\n', 'a\r\n.\r\n'],
  ['a', 'a\r\n.\r\n'], // no final newline: closed
  ['a\nb', 'a\r\nb\r\n.\r\n'],
  ['.', '..\r\n.\r\n'],
  ['.\n', '..\r\n.\r\n'],
  ['..\n', '...\r\n.\r\n'],
  ['.\n.\n.\n', '..\r\n..\r\n..\r\n.\r\n'],
  ['a.\n', 'a.\r\n.\r\n'],
  ['a\n.b\nc.d\n', 'a\r\n..b\r\nc.d\r\n.\r\n'],
  ['a\n.', 'a\r\n..\r\n.\r\n'],
  ['a\n.\nMAIL FROM:<x@evil.test>\n', 'a\r\n..\r\nMAIL FROM:<x@evil.test>\r\n.\r\n'],
  // A lone CR starts no line, so a dot behind it is not doubled; and it stays.
  ['a\r.\rb\n', 'a\r.\rb\r\n.\r\n'],
  ['a\r', 'a\r\r\n.\r\n'],
  ['a\r\n.\r\n', 'a\r\r\n..\r\r\n.\r\n'],
  ['\0.\0\n\0', '\0.\0\r\n\0\r\n.\r\n'],
  ['\xff\xfe\x80.\n.\xe9\n', '\xff\xfe\x80.\r\n..\xe9\r\n.\r\n'],
]

t.test('every message, cut at every place', (t) => {
  for (const [message, data] of MESSAGES) {
    const bytes = Buffer.from(message, 'latin1')
    t.equal(encode(bytes), data, JSON.stringify(message))
    const differing: number[] = []
    for (let at = 0; at <= bytes.length; at++) {
      if (encode(bytes.subarray(0, at), bytes.subarray(at)) !== data) differing.push(at)
    }
    t.strictSame(differing, [], `cut in two: ${JSON.stringify(message)}`)
    t.equal(
      encode(...[...bytes].map((byte) => Buffer.of(byte))),
      data,
      `byte by byte: ${JSON.stringify(message)}`,
    )
  }
  t.end()
})

t.test('one message, cut in every way there is', (t) => {
  const bytes = Buffer.from('.\n..\n\na\r\n.b.\n')
  const data = '..\r\n...\r\n\r\na\r\r\n..b.\r\n.\r\n'
  let wrong = 0
  for (let cuts = 0; cuts < 2 ** (bytes.length - 1); cuts++) {
    const pieces: Buffer[] = []
    let from = 0
    for (let at = 1; at < bytes.length; at++) {
      if ((cuts & (1 << (at - 1))) === 0) continue
      pieces.push(bytes.subarray(from, at))
      from = at
    }
    if (encode(...pieces, bytes.subarray(from)) !== data) wrong++
  }
  t.equal(wrong, 0)
  t.end()
})

t.test('long lines stay whole', (t) => {
  const bytes = Buffer.from(`.${LONG}\n.${LONG}`)
  const data = `..${LONG}\r\n..${LONG}\r\n.\r\n`
  let wrong = 0
  for (let at = 0; at <= bytes.length; at++) {
    if (encode(bytes.subarray(0, at), bytes.subarray(at)) !== data) wrong++
  }
  t.equal(wrong, 0)
  t.end()
})

t.test('no message can end DATA early, whatever its bytes', (t) => {
  // All texts of four characters out of the ones that matter.
  const alphabet = ['.', '\n', '\r', 'a']
  let early = 0
  for (let n = 0; n < alphabet.length ** 6; n++) {
    let text = ''
    for (let rest = n, i = 0; i < 6; i++, rest = Math.floor(rest / 4)) text += alphabet[rest % 4]
    // As the server sees it: behind the line end of its own 354.
    if (`\r\n${encode(Buffer.from(text))}`.indexOf('\r\n.\r\n') !== encode(Buffer.from(text)).length - 3)
      early++
  }
  t.equal(early, 0)
  t.end()
})

t.test('empty pieces change nothing', (t) => {
  const none = Buffer.alloc(0)
  t.equal(encode(none, Buffer.from('a\n'), none, Buffer.from('.b'), none), 'a\r\n..b\r\n.\r\n')
  t.equal(encode(none, none), '.\r\n')
  t.end()
})

t.test('xtext', (t) => {
  const values: [string, string][] = [
    ['', ''],
    ['mx.corp.test', 'mx.corp.test'],
    ['a b', 'a+20b'],
    ['a+b=c', 'a+2Bb+3Dc'],
    ['\r\nDATA', '+0D+0ADATA'],
    ['\0~\x7f!', '+00~+7F!'],
    ['é', '+C3+A9'],
    ['IPv6:2001:db8::1', 'IPv6:2001:db8::1'],
  ]
  for (const [value, coded] of values) t.equal(xtext(value), coded, JSON.stringify(value))
  t.end()
})
