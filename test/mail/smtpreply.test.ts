/** Tests of reply.ts: SMTP replies in a stream, however it is cut. */
import t from 'tap'
import { describeReply, queuedAs, type Reply, ReplyReader } from '../../lib/mail/smtpreply.js'

function read(...pieces: string[]): Reply[] {
  const reader = new ReplyReader()
  return pieces.flatMap((piece) => reader.push(Buffer.from(piece, 'latin1')))
}

const STREAMS: [string, Reply[]][] = [
  ['', []],
  ['220 mx ESMTP\r\n', [{ code: 220, text: 'mx ESMTP', lines: ['mx ESMTP'] }]],
  ['250 ok\n', [{ code: 250, text: 'ok', lines: ['ok'] }]],
  ['250\r\n', [{ code: 250, text: '', lines: [''] }]],
  ['250 \r\n', [{ code: 250, text: '', lines: [''] }]],
  [
    '250-mx\r\n250-SIZE 1000\r\n250-\r\n250 8BITMIME\r\n',
    [{ code: 250, text: 'mx SIZE 1000  8BITMIME', lines: ['mx', 'SIZE 1000', '', '8BITMIME'] }],
  ],
  [
    '250 2.1.0 Ok\r\n550-5.1.1 no\r\n550 5.1.1 such user\r\n354 go\r\n',
    [
      { code: 250, text: '2.1.0 Ok', lines: ['2.1.0 Ok'] },
      { code: 550, text: '5.1.1 no 5.1.1 such user', lines: ['5.1.1 no', '5.1.1 such user'] },
      { code: 354, text: 'go', lines: ['go'] },
    ],
  ],
  ['250 a\rb\0\xe9\r\n', [{ code: 250, text: 'a\rb\0\xe9', lines: ['a\rb\0\xe9'] }]],
  ['250 no end', []],
  ['250-open\r\n', []],
]

t.test('replies, cut at every place and byte by byte', (t) => {
  for (const [stream, replies] of STREAMS) {
    const name = JSON.stringify(stream)
    t.strictSame(read(stream), replies, name)
    t.strictSame(read(...stream), replies, `byte by byte: ${name}`)
    const differing: number[] = []
    for (let at = 0; at <= stream.length; at++) {
      const cut = JSON.stringify(read(stream.slice(0, at), stream.slice(at)))
      if (cut !== JSON.stringify(replies)) differing.push(at)
    }
    t.strictSame(differing, [], `cut in two: ${name}`)
  }
  t.end()
})

t.test('what is no SMTP is refused, with its start', (t) => {
  const garbage = [
    ['hello\r\n', '"hello"'],
    ['\r\n', '""'],
    ['25 ok\r\n', '"25 ok"'],
    ['2500 ok\r\n', '"2500 ok"'],
    ['250:ok\r\n', '"250:ok"'],
    ['150 ok\r\n', '"150 ok"'],
    ['650 ok\r\n', '"650 ok"'],
    [' 250 ok\r\n', '" 250 ok"'],
    ['3e2 ok\r\n', '"3e2 ok"'],
    ['+25 ok\r\n', '"+25 ok"'],
    ['0x9 ok\r\n', '"0x9 ok"'],
    ['2.5 ok\r\n', '"2.5 ok"'],
    ['\x16\x03\x01\n', '"\\u0016\\u0003\\u0001"'],
    ['250-a\r\nHTTP/1.1 400\r\n', '"HTTP/1.1 400"'],
    [`${'x'.repeat(100)}\r\n`, `"${'x'.repeat(60)}"`],
  ]
  for (const [stream = '', shown] of garbage) {
    t.throws(() => read(stream), { message: `not an SMTP reply: ${shown}` }, JSON.stringify(stream))
  }
  t.end()
})

t.test('the lines of one reply have one code', (t) => {
  for (const text of ['554-no\r\n250 Ok\r\n', '250-x\r\n251 x\r\n']) {
    t.throws(
      () => new ReplyReader().push(Buffer.from(text)),
      { message: /^an SMTP reply with two codes: (554 and 250|250 and 251)$/ },
      text,
    )
  }
  const two = new ReplyReader().push(Buffer.from('250-x\r\n250 y\r\n554 no\r\n'))
  t.strictSame(
    two.map(({ code }) => code),
    [250, 554],
    'the next reply has its own',
  )
  t.end()
})

t.test('a reply of more than 64 kB is refused, however it comes', (t) => {
  const message = 'an SMTP reply of more than 64 kB'
  const limit = 64 * 1024
  const line = `250-${'x'.repeat(1000)}\r\n`
  const tooMuch: [string, string[]][] = [
    ['a line without an end', ['x'.repeat(limit + 1)]],
    ['a line without an end, in pieces', Array.from({ length: 66 }, () => 'x'.repeat(1000))],
    ['lines without a last one', Array.from({ length: 66 }, () => line)],
    ['empty lines without a last one', Array.from({ length: limit / 4 }, () => '250-\r\n')],
    ['lines and the last one, at once', [`${line.repeat(66)}250 end\r\n`]],
    ['one line, at once', [`250 ${'x'.repeat(limit)}\r\n`]],
  ]
  for (const [name, pieces] of tooMuch) t.throws(() => read(...pieces), { message }, name)
  t.equal(read(`250 ${'x'.repeat(limit - 6)}\r\n`).length, 1, 'just within')
  // The limit is a reply's, not the stream's.
  t.equal(read('250 ok\r\n'.repeat(20000)).length, 20000)
  t.end()
})

t.test('the id of the copy', (t) => {
  const texts: [string, string][] = [
    ['2.0.0 Ok: queued as 4bQ8Yk2hJnz1', '4bQ8Yk2hJnz1'],
    ['2.0.0 Ok: queued as 1A2B3C4D5E', '1A2B3C4D5E'],
    ['2.0.0 Ok', ''],
    ['2.0.0 Ok: queued as', ''],
    ['2.0.0 Ok: queued as ABC', ''],
    ['2.0.0 Ok: requeued as ABCDEF', ''],
    [`2.0.0 Ok: queued as ${'A'.repeat(33)}`, ''],
  ]
  for (const [text, id] of texts) t.equal(queuedAs({ code: 250, text, lines: [text] }), id, text)
  t.equal(describeReply({ code: 450, text: '4.2.0 busy', lines: ['4.2.0 busy'] }), '450 4.2.0 busy')
  t.end()
})

t.test('a reply is told on one line', (t) => {
  const [reply] = new ReplyReader().push(Buffer.from('550 a\rb\0\x1b[2J\x85c\r\n', 'latin1'))
  t.equal(reply && describeReply(reply), '550 a b [2J c')
  t.end()
})
