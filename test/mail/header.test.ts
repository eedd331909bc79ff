/** Tests of head.ts: header fields out of raw bytes, and the loop guard. */
import t from 'tap'
import { HELO_NAME, hasLooped, headerFields, receivedAt, topmostField } from '../../lib/mail/header.js'

// Bytes, field name, value.
const FIELDS: [string, string, string | undefined][] = [
  ['Subject: one\nSubject: two\n\n', 'Subject', 'one'],
  ['subject: one\n\n', 'SUBJECT', 'one'],
  ['Subject:one\n\n', 'Subject', 'one'],
  ['Subject:\n\n', 'Subject', ''],
  ['Subject: a\n b\n\tc\n\nd', 'Subject', 'a b\tc'],
  ['Subject: a\r\n b\r\nTo: x\r\n\r\n', 'Subject', 'a b'],
  ['Subject: a\n', 'Subject', 'a'],
  ['Subject: a', 'Subject', 'a'],
  ['To: x\n\nSubject: in the body\n', 'Subject', undefined],
  ['To: x\r\n\r\nSubject: in the body\r\n', 'Subject', undefined],
  ['To: x\n\r\nSubject: in the body\n', 'Subject', undefined],
  ['\nSubject: in the body\n\nmore\n', 'Subject', undefined],
  ['\r\nSubject: in the body\r\n\r\n', 'Subject', undefined],
  ['To: x\n Subject: folded\n\n', 'Subject', undefined],
  ['X-Subject: x\n\n', 'Subject', undefined],
  ['Subject : x\n\n', 'Subject', undefined],
  ['', 'Subject', undefined],
  ['\n', 'Subject', undefined],
]

t.test('the topmost field of a name, unfolded', (t) => {
  for (const [head, name, value] of FIELDS) {
    t.equal(topmostField(Buffer.from(head), name), value, JSON.stringify(head))
  }
  t.equal(topmostField(Buffer.from('Subject: Grüße\n\n'), 'Subject'), 'Grüße')
  t.equal(topmostField(Buffer.from('Subject: Gr\xfc\xdfe\n\n', 'latin1'), 'Subject'), 'Gr\u{fffd}\u{fffd}e')
  t.equal(topmostField(Buffer.from('Subject: a\0b\n\n'), 'Subject'), 'a\0b')
  t.end()
})

const BY_US = `Received: from ${HELO_NAME} (localhost [127.0.0.1])\n\tby mx.corp.test\n`
const OTHER = 'Received: from pc (pc [192.0.2.7])\n\tby mx.corp.test\n'
const LOOPS: [string, boolean][] = [
  [`${BY_US}${OTHER}\n`, true],
  [`X-First: x\n${BY_US}${OTHER}\n`, true],
  [BY_US.toUpperCase(), true],
  [`Received: from\n ${HELO_NAME} (x)\n\n`, true],
  [`${OTHER}${BY_US}\n`, false], // further down a client can write what it likes
  [`${OTHER}\n${BY_US}`, false],
  [`Received: from ${HELO_NAME}.evil.test (x)\n\n`, false],
  [`Received: from x${HELO_NAME} (x)\n\n`, false],
  [`Received: from pc (${HELO_NAME} [192.0.2.7])\n\n`, false],
  [`X-Received: from ${HELO_NAME} (x)\n\n`, false],
  [`\n${BY_US}\n`, false],
  ['', false],
]

t.test('only a topmost Received with our own name is a loop', (t) => {
  t.match(HELO_NAME, /\.invalid$/)
  for (const [head, looped] of LOOPS) t.equal(hasLooped(Buffer.from(head)), looped, JSON.stringify(head))
  t.end()
})

t.test('when our own Postfix took it', (t) => {
  const date = 'Tue, 24 Nov 2026 13:00:00 +0100 (CET)'
  const at = Date.UTC(2026, 10, 24, 12)
  const heads: [string, number | undefined][] = [
    [`Received: from pc (pc [192.0.2.7])\n\tby mx.corp.test (Postfix) with ESMTP id 1;\n\t${date}\n\n`, at],
    [`X: y\nReceived: by mx.corp.test; Tue, 24 Nov 2026 12:00:00 GMT\n${OTHER}\n`, at],
    [`Received: from "a;b" by mx.corp.test; ${date}\n\n`, at],
    [`${OTHER}Received: by mx.corp.test; ${date}\n\n`, undefined],
    [`Received: by mx.corp.test; yesterday\n\n`, undefined],
    ['Subject: x\n\n', undefined],
    ['', undefined],
  ]
  for (const [head, time] of heads) t.equal(receivedAt(Buffer.from(head)), time, JSON.stringify(head))
  t.end()
})

t.test('all fields, as far as the head goes', (t) => {
  const { fields, whole } = headerFields(Buffer.from('A: 1\r\n\t2\nno field\nB:\n: none\n\nC: body\n'))
  t.strictSame(fields, [
    { name: 'A', value: '1 2' },
    { name: 'B', value: '' },
  ])
  t.equal(whole, true)
  t.equal(headerFields(Buffer.from('A: 1')).whole, true, 'the message ends within its header')
  t.equal(
    headerFields(Buffer.alloc(65_536, 'A: 1\n')).whole,
    false,
    'the head ends, and maybe not the header',
  )
  t.end()
})
