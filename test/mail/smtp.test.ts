/** Smtp: what is said to our own Postfix, in which order and byte for byte, and what each answer leads to. */
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Failure } from '../../lib/failure.js'
import { sendBySmtp } from '../../lib/mail/smtp.js'
import type { Delivery, Patience, Refusal, Transaction } from '../../lib/mail/transaction.js'
import { goByHandles, goByHandlesIn } from '../support/handles.js'
import { CLIENT, pieces } from '../support/held.js'
import { type Answers, ehlo, HANG_UP, makeScript, type Script } from '../support/script.js'

const HELLO = 'EHLO toeh-reinject.invalid'
const OK_MAIL = 'MAIL FROM:<anna@corp.test>'

interface Course {
  script: Script
  /** What came of it; the other one is undefined. */
  delivery: Delivery | undefined
  failure: Failure | undefined
  refused: Refusal[]
}

interface Given extends Partial<Omit<Transaction, 'open'>> {
  /** The message, in the pieces it is read in. */
  message?: (string | Buffer)[]
  patienceMs?: number
}

/** As long for each reply as for the answer to the end. */
const patienceOf = (ms: number): Patience => ({ replyMs: ms, answerMs: ms })

/** One transaction with a scripted server; `(parked)` stands among the commands where onRefused was called. */
async function send(t: Test, answers: Answers = {}, given: Given = {}): Promise<Course> {
  const script = await makeScript(t, answers)
  const { message = ['Subject: x\n', '\nBody\n'], patienceMs = 5000, ...rest } = given
  const course: Course = { script, delivery: undefined, failure: undefined, refused: [] }
  const parcel: Transaction = {
    sender: 'anna@corp.test',
    recipients: ['x@known.test', 'y@known.test'],
    size: 17,
    eightBit: false,
    open: () => pieces(...message),
    onRefused: async (refused) => {
      // Parking takes time, and nothing may be said meanwhile.
      await sleep(30)
      course.refused.push(...refused)
      script.lines.push('(parked)')
    },
    ...rest,
  }
  try {
    course.delivery = await sendBySmtp(
      { host: '127.0.0.1', port: script.port, ...patienceOf(patienceMs) },
      parcel,
    )
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    course.failure = error
  }
  return course
}

/** Asserts a temporary failure with exactly this reason, and that the message did not go out. */
function assertDeferred(t: Test, course: Course, why: string, inDoubt = false): void {
  t.equal(course.delivery, undefined)
  t.equal(course.failure?.message, `reinject at 127.0.0.1:${course.script.port}: ${why}`)
  t.equal(course.failure?.status, 75)
  t.equal(course.failure?.inDoubt, inDoubt)
}

/** EHLO without extensions. */
const BARE = ehlo()

goByHandles(true)

t.test('the whole course, in order', wholeCourse)

t.test('the whole course, in order, over node:net', async (t) => {
  goByHandlesIn(t, false)
  await wholeCourse(t)
})

async function wholeCourse(t: Test): Promise<void> {
  const { script, delivery, refused } = await send(t)
  t.strictSame(delivery, { accepted: ['x@known.test', 'y@known.test'], queueId: '4bQ8Yk2hJnz1' })
  t.strictSame(refused, [])
  await script.closed
  t.strictSame(script.lines, [
    HELLO,
    `${OK_MAIL} SIZE=17`,
    'RCPT TO:<x@known.test>',
    'RCPT TO:<y@known.test>',
    'DATA',
    '.',
    'QUIT',
  ])
  t.equal(script.data.toString(), 'Subject: x\r\n\r\nBody\r\n.\r\n')
  t.notMatch(script.raw.toString(), /[^\r]\n/, 'every line ends with CRLF')
}

t.test('a server that gives no id, or another word for it', async (t) => {
  for (const [reply, queueId] of [
    ['250 2.0.0 Ok', ''],
    ['250-2.0.0 Ok:\r\n250 queued as 7F3A2B', '7F3A2B'],
    ['250 2.0.0 from MTA(smtp:[127.0.0.1]:25): 250 2.0.0 Ok: queued as 4cLong0Queue9Id', '4cLong0Queue9Id'],
  ] as const) {
    const { delivery } = await send(t, { '.': reply })
    t.equal(delivery?.queueId, queueId, reply)
  }
})

t.test('the greeting', async (t) => {
  const cases: [Answers, string, string[]][] = [
    [{ CONNECT: '421 4.3.2 shutting down' }, 'the connection was answered 421 4.3.2 shutting down', []],
    [{ CONNECT: '450-4.3.2 busy\r\n450 later' }, 'the connection was answered 450 4.3.2 busy later', []],
    [{ CONNECT: '554 5.7.1 not you' }, 'the connection was answered 554 5.7.1 not you', []],
    [{ CONNECT: HANG_UP }, 'the connection was closed', []],
    [{ EHLO: '502 5.5.1 what?' }, 'EHLO was answered 502 5.5.1 what?', [HELLO]],
    [{ EHLO: '421 4.7.0 too busy' }, 'EHLO was answered 421 4.7.0 too busy', [HELLO]],
    [{ EHLO: HANG_UP }, 'the connection was closed', [HELLO]],
  ]
  for (const [answers, why, said] of cases) {
    const course = await send(t, answers)
    assertDeferred(t, course, why)
    t.strictSame(course.script.commands, said, why)
  }
})

t.test('nobody listens', async (t) => {
  const server = createServer()
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as { port: number }
  await new Promise((done) => server.close(done))
  const open = (): never => t.fail('the message is not opened') as never
  const parcel = { sender: '', recipients: ['x@known.test'], size: 1, eightBit: false, open }
  await t.rejects(
    sendBySmtp({ host: '127.0.0.1', port, ...patienceOf(1000) }, { ...parcel, onRefused: async () => {} }),
    {
      message: `reinject at 127.0.0.1:${port}: connection refused (ECONNREFUSED)`,
      status: 75,
      inDoubt: false,
    },
  )
})

t.test('XFORWARD', async (t) => {
  const origin = { client: CLIENT, queueId: '4bFIRSThalf1' }
  const offer = (words: string): Answers => ({ EHLO: ehlo('PIPELINING', `XFORWARD ${words}`) })
  const said = async (t: Test, words: string, client = {}): Promise<string[]> => {
    const { script } = await send(t, offer(words), {
      origin: { ...origin, client: { ...CLIENT, ...client } },
    })
    return script.commands.filter((line) => line.startsWith('XFORWARD'))
  }

  t.test('all that is offered, before MAIL', async (t) => {
    const { script } = await send(t, offer('NAME ADDR PROTO HELO SOURCE PORT IDENT'), { origin })
    t.strictSame(script.commands.slice(0, 3), [
      HELLO,
      'XFORWARD NAME=pc.corp.test ADDR=192.0.2.9 PROTO=ESMTP HELO=pc SOURCE=REMOTE PORT=40000 IDENT=4bFIRSThalf1',
      OK_MAIL,
    ])
  })

  t.test('only what is offered and known', async (t) => {
    t.strictSame(await said(t, 'ADDR IDENT LOGIN'), ['XFORWARD ADDR=192.0.2.9 IDENT=4bFIRSThalf1'])
    t.strictSame(await said(t, 'name'), ['XFORWARD NAME=pc.corp.test'])
    t.strictSame(await said(t, 'LOGIN __proto__ constructor'), [])
    t.strictSame(await said(t, ''), [])
  })

  t.test('nothing where it is not offered, and nothing for mail of our own', async (t) => {
    const plain = await send(t, {}, { origin })
    t.notMatch(plain.script.raw.toString(), 'XFORWARD')
    const own = await send(t, offer('NAME ADDR'))
    t.notMatch(own.script.raw.toString(), 'XFORWARD')
  })

  t.test('xtext, IPv6 and what is not known', async (t) => {
    const client = { name: 'unknown', address: '', helo: 'a b+c=d\r\nRSET', port: '', proto: '' }
    t.strictSame(await said(t, 'NAME ADDR PORT PROTO HELO', client), [
      'XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] PROTO=[UNAVAILABLE] ' +
        'HELO=a+20b+2Bc+3Dd+0D+0ARSET',
    ])
    const unknown = { name: 'unknown', address: 'unknown', port: 'unknown', proto: 'unknown' }
    t.strictSame(
      await said(t, 'NAME ADDR PORT PROTO', unknown),
      ['XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] PROTO=[UNAVAILABLE]'],
      'as pipe(8) calls it',
    )
    t.strictSame(await said(t, 'ADDR HELO', { address: '2001:db8::9', helo: 'caf\u{e9}' }), [
      'XFORWARD ADDR=IPV6:2001:db8::9 HELO=caf+C3+A9',
    ])
  })

  t.test('a long value is cut, never within a +HH, and lines stay within 512 bytes', async (t) => {
    const lines = await said(t, 'NAME ADDR HELO IDENT', {
      name: 'n'.repeat(300),
      helo: `a${'\u{e9}'.repeat(200)}`,
    })
    t.strictSame(lines, [
      `XFORWARD NAME=${'n'.repeat(255)} ADDR=192.0.2.9`,
      `XFORWARD HELO=a${'+C3+A9'.repeat(42)} IDENT=4bFIRSThalf1`,
    ])
    for (const line of lines) t.ok(Buffer.byteLength(line) + 2 <= 512)
  })

  t.test('a refusal defers', async (t) => {
    for (const reply of ['550 5.7.1 not from you', '421 4.3.0 no']) {
      const course = await send(t, { ...offer('NAME'), XFORWARD: reply }, { origin })
      assertDeferred(t, course, `XFORWARD was answered ${reply}`)
      t.notMatch(course.script.raw.toString(), 'DATA')
    }
  })

  t.test('goes with the envelope in one go where PIPELINING is offered', async (t) => {
    // The server answers nothing before it has heard the last RCPT.
    const course = await send(
      t,
      {
        ...offer('NAME ADDR'),
        XFORWARD: async (_, { lines }) => {
          for (let i = 0; i < 200 && !lines.some((line) => line.includes('y@known')); i++) await sleep(10)
          return lines.some((line) => line.includes('y@known')) ? '250 2.0.0 Ok' : '451 4.3.0 you wait'
        },
      },
      { origin },
    )
    t.strictSame(course.delivery?.accepted, ['x@known.test', 'y@known.test'])
  })
})

t.test('PIPELINING: the envelope in one go where it is offered, else one by one', async (t) => {
  // The server that offers it answers nothing before it has heard the last RCPT.
  const together = await send(t, {
    MAIL: async (_, { lines }) => {
      for (let i = 0; i < 200 && lines.length < 4; i++) await sleep(10)
      return lines.length < 4 ? '451 4.3.0 you wait' : '250 2.1.0 Ok'
    },
  })
  t.strictSame(together.delivery?.accepted, ['x@known.test', 'y@known.test'])

  // The one that does not offer it is late with each answer; whatever came too early would be seen by then.
  const early: string[] = []
  const late =
    (reply: string) =>
    async (line: string, { lines }: Script) => {
      await sleep(20)
      if (lines.at(-1) !== line) early.push(`${lines.at(-1)} before the answer to ${line}`)
      return reply
    }
  const single = await send(t, {
    EHLO: BARE,
    MAIL: late('250 2.1.0 Ok'),
    RCPT: late('250 2.1.5 Ok'),
    DATA: late('354 go'),
  })
  t.strictSame(early, [])
  t.strictSame(single.script.commands, [
    HELLO,
    OK_MAIL,
    'RCPT TO:<x@known.test>',
    'RCPT TO:<y@known.test>',
    'DATA',
    '.',
  ])
})

t.test('answers that come while the commands are still being written are not lost', async (t) => {
  // Some 5 MB in one go, more than two socket buffers swallow: the first answers are there before the last command has left.
  const recipients = Array.from({ length: 20_000 }, (_, n) => `${'x'.repeat(230)}${n}@known.test`)
  const refuse = recipients.at(-2) ?? ''
  const course = await send(
    t,
    { RCPT: (line) => (line.includes(refuse) ? '550 5.1.1 unknown' : '250 2.1.5 Ok') },
    { recipients },
  )
  t.equal(course.failure, undefined)
  t.strictSame(course.refused, [{ recipient: refuse, reply: '550 5.1.1 unknown' }])
  t.equal(course.delivery?.accepted.length, recipients.length - 1)
  t.equal(course.delivery?.accepted.at(-1), recipients.at(-1))
})

t.test('parameters of MAIL only as offered and needed', async (t) => {
  const utf8 = 'j\u{f6}rg@known.test'
  const cases: [string[], Given, string][] = [
    [[], {}, OK_MAIL],
    [[], { eightBit: true }, OK_MAIL],
    [['SIZE'], {}, `${OK_MAIL} SIZE=17`],
    [['SIZE 10240000'], { size: 5 }, `${OK_MAIL} SIZE=5`],
    [['8BITMIME'], {}, OK_MAIL],
    [['8bitmime'], { eightBit: true }, `${OK_MAIL} BODY=8BITMIME`],
    [['SMTPUTF8', '8BITMIME'], {}, OK_MAIL],
    [['SMTPUTF8'], { eightBit: true }, OK_MAIL],
    [['SMTPUTF8', '8BITMIME'], { recipients: [utf8] }, `${OK_MAIL} BODY=8BITMIME SMTPUTF8`],
    [['SMTPUTF8'], { recipients: ['x@known.test', utf8] }, `${OK_MAIL} SMTPUTF8`],
    [['SMTPUTF8'], { sender: utf8 }, `MAIL FROM:<${utf8}> SMTPUTF8`],
    [['SIZE', '8BITMIME', 'SMTPUTF8'], { sender: '' }, 'MAIL FROM:<> SIZE=17'],
  ]
  for (const [extensions, given, line] of cases) {
    const { script, delivery } = await send(t, { EHLO: ehlo(...extensions) }, given)
    t.equal(script.commands[1], line)
    t.strictSame(delivery?.accepted, given.recipients ?? ['x@known.test', 'y@known.test'])
  }
})

t.test('without SMTPUTF8 those are refused whom no command can name, and the others go', async (t) => {
  const [utf8, idn] = ['j\u{f6}rg@known.test', 'x@b\u{fc}cher.test']
  const reply = '553 5.6.7 the server does not offer SMTPUTF8'
  const some = [utf8, 'x@known.test', idn, 'y@known.test']
  const refusedOf = (...recipients: string[]): { recipient: string; reply: string }[] =>
    recipients.map((recipient) => ({ recipient, reply }))
  const bare = ehlo('8BITMIME', 'SIZE')

  const mixed = await send(t, { EHLO: bare }, { recipients: some })
  t.strictSame(mixed.script.commands.slice(0, 4), [
    HELLO,
    `${OK_MAIL} SIZE=17`,
    'RCPT TO:<x@known.test>',
    'RCPT TO:<y@known.test>',
  ])
  t.strictSame(mixed.delivery?.accepted, ['x@known.test', 'y@known.test'])
  t.strictSame(mixed.refused, refusedOf(utf8, idn))

  const refusing = { EHLO: bare, RCPT: (line: string) => (line.includes('x@') ? '550 5.1.1 no' : '250 ok') }
  const both = await send(t, refusing, { recipients: some })
  t.strictSame(both.delivery?.accepted, ['y@known.test'])
  t.strictSame(both.refused, [...refusedOf(utf8, idn), { recipient: 'x@known.test', reply: '550 5.1.1 no' }])

  for (const given of [{ recipients: [utf8, idn] }, { sender: utf8, recipients: some }, { sender: idn }]) {
    const none = await send(t, { EHLO: bare }, given)
    t.strictSame(none.delivery, { accepted: [], queueId: '' })
    t.strictSame(none.refused, refusedOf(...(given.recipients ?? ['x@known.test', 'y@known.test'])))
    t.strictSame(none.script.commands.slice(0, 2), [HELLO, '(parked)'], 'nothing is said of it')
  }

  const later = await send(t, { EHLO: bare, RCPT: '450 4.2.0 later' }, { recipients: some })
  assertDeferred(t, later, 'RCPT was answered 450 4.2.0 later')
  t.strictSame(later.refused, [], 'nobody is refused of what comes again whole')
  const not = await send(t, { EHLO: bare, MAIL: '554 5.7.1 no' }, { recipients: some })
  t.strictSame(
    not.refused.map(({ recipient }) => recipient),
    some,
    'all of a message that is refused',
  )
})

t.test('an address that could end its command never reaches the socket', async (t) => {
  for (const bad of [
    'x@known.test>\r\nRCPT TO:<evil@evil.test',
    'x@known.test\r\nDATA',
    'x@known.test\nDATA',
    'x@known.test> SIZE=1',
    'a>b@known.test',
    '<x@known.test',
    'x y@known.test',
    'x@known.test\0',
    'x\u{fffd}@known.test',
    '"x\r\n"@known.test',
    '',
    'nobody',
  ]) {
    for (const given of [{ recipients: ['x@known.test', bad] }, { sender: bad }]) {
      if ('sender' in given && bad === '') continue
      const course = await send(t, {}, given)
      assertDeferred(t, course, 'an address cannot be written into an SMTP command as it is')
      t.equal(course.script.sockets.length, 0, `nothing is even connected for ${JSON.stringify(bad)}`)
      t.strictSame(course.refused, [])
    }
  }
})

t.test('an address goes out byte for byte', async (t) => {
  const recipients = ['X.Y+z@Known.TEST', '"a b"@known.test', 'a%b@known.test', "o'x@[192.0.2.1]"]
  const { script } = await send(t, {}, { recipients })
  t.strictSame(
    script.commands.filter((line) => line.startsWith('RCPT')),
    recipients.map((to) => `RCPT TO:<${to}>`),
  )
})

/** Answers to RCPT by recipient; the others are taken. */
function rcpt(replies: Record<string, string>): Answers {
  return { RCPT: (line) => replies[/<(.*)>/.exec(line)?.[1] ?? ''] ?? '250 2.1.5 Ok' }
}

for (const [name, hello] of [
  ['with PIPELINING', ehlo('PIPELINING')],
  ['without PIPELINING', BARE],
] as const) {
  t.test(`recipients, ${name}`, async (t) => {
    t.test('one is deferred: RSET, and nothing is sent to anybody', async (t) => {
      for (const reply of [
        '450 4.2.0 greylisted',
        '452 4.5.3 too many',
        '421 4.3.2 going down',
        '354 what?',
      ]) {
        const course = await send(t, { EHLO: hello, ...rcpt({ 'x@known.test': reply }) })
        assertDeferred(t, course, `RCPT was answered ${reply}`)
        t.strictSame(course.script.commands.slice(-2), ['RCPT TO:<y@known.test>', 'RSET'])
        t.notMatch(course.script.raw.toString(), 'DATA')
        t.strictSame(course.refused, [])
      }
    })

    t.test('a deferral outweighs a refusal: the retry parks it', async (t) => {
      const replies = { 'x@known.test': '550 5.1.1 unknown', 'y@known.test': '450 4.2.0 later' }
      const course = await send(t, { EHLO: hello, ...rcpt(replies) })
      assertDeferred(t, course, 'RCPT was answered 450 4.2.0 later')
      t.strictSame(course.refused, [])
      t.equal(course.script.commands.at(-1), 'RSET')
    })

    t.test('421 and the connection is gone', async (t) => {
      let asked = 0
      const answers: Answers = { EHLO: hello, RCPT: () => (asked++ === 0 ? '421 4.3.2 going down' : HANG_UP) }
      const course = await send(t, answers)
      t.equal(course.failure?.status, 75)
      t.equal(course.failure?.inDoubt, false)
      t.notMatch(course.script.raw.toString(), 'DATA')
    })

    t.test('one is refused: it is parked before DATA, the other gets the mail', async (t) => {
      const course = await send(t, {
        EHLO: hello,
        ...rcpt({ 'x@known.test': '550-5.1.1 no such\r\n550 user' }),
      })
      t.strictSame(course.refused, [{ recipient: 'x@known.test', reply: '550 5.1.1 no such user' }])
      t.strictSame(course.delivery, { accepted: ['y@known.test'], queueId: '4bQ8Yk2hJnz1' })
      t.strictSame(course.script.commands.slice(-3), ['(parked)', 'DATA', '.'])
    })

    t.test('all are refused: all are parked and there is no DATA', async (t) => {
      const replies = { 'x@known.test': '550 5.1.1 unknown', 'y@known.test': '554 5.7.1 no' }
      const course = await send(t, { EHLO: hello, ...rcpt(replies) })
      t.strictSame(course.refused, [
        { recipient: 'x@known.test', reply: '550 5.1.1 unknown' },
        { recipient: 'y@known.test', reply: '554 5.7.1 no' },
      ])
      t.strictSame(course.delivery, { accepted: [], queueId: '' })
      t.equal(course.script.commands.at(-1), '(parked)')
    })

    t.test('MAIL 5xx: all are parked', async (t) => {
      const reply = '552 5.3.4 message too big'
      const course = await send(t, { EHLO: hello, MAIL: reply, RCPT: '503 5.5.1 need MAIL' })
      t.strictSame(course.refused, [
        { recipient: 'x@known.test', reply },
        { recipient: 'y@known.test', reply },
      ])
      t.strictSame(course.delivery, { accepted: [], queueId: '' })
      t.notMatch(course.script.raw.toString(), 'DATA')
    })

    t.test('MAIL 4xx: later', async (t) => {
      const course = await send(t, { EHLO: hello, MAIL: '452 4.3.1 disk', RCPT: '503 5.5.1 need MAIL' })
      assertDeferred(t, course, 'MAIL was answered 452 4.3.1 disk')
      t.strictSame(course.refused, [], 'a 503 that follows from it refuses nobody')
      t.notMatch(course.script.raw.toString(), 'DATA')
    })
  })
}

t.test('MAIL and DATA: only 55x speaks of the message, every other 5xx of how we speak', async (t) => {
  for (const verb of ['MAIL', 'DATA'] as const) {
    for (const code of [500, 501, 502, 503, 504, 521, 530, 535, 538, 549]) {
      const reply = `${code} 5.5.1 our own fault`
      const course = await send(t, { [verb]: reply })
      assertDeferred(t, course, `${verb} was answered ${reply}`)
      t.strictSame(course.refused, [], `${reply} parks nobody`)
      t.equal(course.script.data.length, 0)
    }
    for (const code of [550, 551, 552, 553, 554, 559]) {
      const reply = `${code} 5.7.1 not this message`
      const course = await send(t, { [verb]: reply })
      t.equal(course.failure, undefined, reply)
      t.strictSame(
        course.refused,
        ['x@known.test', 'y@known.test'].map((recipient) => ({ recipient, reply })),
      )
      t.strictSame(course.delivery, { accepted: [], queueId: '' })
    }
  }
})

t.test('a refusal that cannot be parked stops the mail', async (t) => {
  const onRefused = async (): Promise<void> => {
    throw new Failure('hold', 'the disk is full', { status: 75 })
  }
  const course = await send(t, rcpt({ 'x@known.test': '550 5.1.1 unknown' }), { onRefused })
  t.equal(course.failure?.message, 'hold: the disk is full')
  t.notMatch(course.script.raw.toString(), 'DATA')
})

t.test('DATA and the end of the message', async (t) => {
  t.test('DATA 5xx: those who were accepted are parked', async (t) => {
    const reply = '554 5.5.1 no valid recipients'
    const course = await send(t, { ...rcpt({ 'x@known.test': '550 5.1.1 unknown' }), DATA: reply })
    t.strictSame(course.refused, [
      { recipient: 'x@known.test', reply: '550 5.1.1 unknown' },
      { recipient: 'y@known.test', reply },
    ])
    t.strictSame(course.delivery, { accepted: [], queueId: '' })
    t.equal(course.script.data.length, 0, 'not a byte of it is sent')
  })

  t.test('DATA with anything but 354: later', async (t) => {
    for (const reply of ['451 4.3.0 later', '250 2.0.0 Ok', '421 4.3.2 bye', '355 hm']) {
      const course = await send(t, { DATA: reply })
      assertDeferred(t, course, `DATA was answered ${reply}`)
      t.equal(course.script.data.length, 0)
      t.strictSame(course.refused, [])
    }
  })

  t.test('final 4xx: later, and it is certain that it did not go out', async (t) => {
    for (const reply of ['451 4.3.0 queue file write error', '452 4.3.1 disk', '421 4.3.0 bye']) {
      const course = await send(t, { '.': reply })
      assertDeferred(t, course, `the message was answered ${reply}`)
      t.strictSame(course.refused, [])
    }
  })

  t.test('final 5xx: those who were accepted are parked', async (t) => {
    for (const reply of ['552 5.3.4 too big', '554 5.4.0 too many hops', '550 5.5.2 bare newline']) {
      const course = await send(t, { '.': reply, ...rcpt({ 'y@known.test': '550 5.1.1 unknown' }) })
      t.strictSame(course.refused, [
        { recipient: 'y@known.test', reply: '550 5.1.1 unknown' },
        { recipient: 'x@known.test', reply },
      ])
      t.strictSame(course.delivery, { accepted: [], queueId: '' })
    }
  })
})

t.test('a connection that is lost', async (t) => {
  t.test('at any point before the dot there is no doubt', async (t) => {
    for (const point of ['MAIL', 'RCPT', 'DATA'] as const) {
      const course = await send(t, { [point]: HANG_UP })
      assertDeferred(t, course, 'the connection was closed')
      t.strictSame(course.refused, [])
    }
  })

  t.test('in the middle of the message', async (t) => {
    // Larger than what two socket buffers swallow, so that the loss is seen while writing.
    const message = Array.from({ length: 400 }, () => Buffer.alloc(65_536, 'line of text\n'))
    const course = await send(t, { BODY: HANG_UP }, { message })
    t.equal(course.failure?.status, 75)
    t.equal(course.failure?.inDoubt, false)
    t.match(course.failure?.message, /the connection was closed|EPIPE|ECONNRESET/)
    t.notOk(course.script.lines.includes('.'))
  })

  t.test('in the middle of the message, with a word that is none: that is what is told', async (t) => {
    const message = Array.from({ length: 400 }, () => Buffer.alloc(65_536, 'line of text\n'))
    const course = await send(t, { BODY: 'stop it' }, { message })
    assertDeferred(t, course, 'not an SMTP reply: "stop it"')
    t.notOk(course.script.lines.includes('.'))
  })

  t.test('after the dot it may have gone out', async (t) => {
    const course = await send(t, { '.': HANG_UP })
    assertDeferred(t, course, 'the connection was closed', true)
    t.strictSame(course.refused, [])
  })
})

t.test('a silent server is given up', async (t) => {
  const doubtful: string[] = []
  for (const point of ['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', '.'] as const) {
    const course = await send(t, { [point]: '' }, { patienceMs: 100 })
    const what = point === '.' ? 'no answer to the end of the message' : 'no answer'
    assertDeferred(t, course, `${what} for 0.1 s`, point === '.')
    if (course.failure?.inDoubt) doubtful.push(point)
  }
  t.strictSame(doubtful, ['.'])
})

t.test('a server that does not read is given up too', async (t) => {
  const message = Array.from({ length: 400 }, () => Buffer.alloc(65_536, 'line of text\n'))
  const script = await makeScript(t, { BODY: '' })
  const open = (): AsyncIterable<Buffer> => {
    for (const socket of script.sockets) socket.pause()
    return pieces(...message)
  }
  const parcel = { sender: '', recipients: ['x@known.test'], size: 1, eightBit: false, open }
  await t.rejects(
    sendBySmtp(
      { host: '127.0.0.1', port: script.port, ...patienceOf(300) },
      { ...parcel, onRefused: async () => {} },
    ),
    { message: `reinject at 127.0.0.1:${script.port}: no answer for 0.3 s`, status: 75, inDoubt: false },
  )
})

t.test('what is no SMTP reply', async (t) => {
  const cases: [Answers, string, boolean][] = [
    [{ CONNECT: 'SSH-2.0-OpenSSH_9.2' }, 'not an SMTP reply: "SSH-2.0-OpenSSH_9.2"', false],
    [{ CONNECT: '\x16\x03\x01' }, 'not an SMTP reply: "\\u0016\\u0003\\u0001"', false],
    [{ EHLO: 'HTTP/1.1 400 Bad Request' }, 'not an SMTP reply: "HTTP/1.1 400 Bad Request"', false],
    [{ MAIL: '2500 Ok' }, 'not an SMTP reply: "2500 Ok"', false],
    [{ DATA: '150 soon' }, 'not an SMTP reply: "150 soon"', false],
    [{ '.': '650 Ok' }, 'not an SMTP reply: "650 Ok"', true],
    [{ CONNECT: `220-${'x'.repeat(70_000)}` }, 'an SMTP reply of more than 64 kB', false],
    [
      { EHLO: `${'250-x\r\n250-yyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(6000)}250-z` },
      'an SMTP reply of more than 64 kB',
      false,
    ],
    [{ '.': `250-${'x'.repeat(60_000)}\r\n`.repeat(3) }, 'an SMTP reply of more than 64 kB', true],
  ]
  for (const [answers, why, inDoubt] of cases) {
    const course = await send(t, answers)
    assertDeferred(t, course, why, inDoubt)
  }
})

t.test('the bytes on the wire', async (t) => {
  const cases: [string, (string | Buffer)[], string][] = [
    ['leading dots', ['.\n', '..\n.x\na.b\n'], '..\r\n...\r\n..x\r\na.b\r\n.\r\n'],
    ['a dot at the seam of two pieces', ['a\n', '.', '\n', '.', 'b'], 'a\r\n..\r\n..b\r\n.\r\n'],
    ['a dot in the middle of a line cut in two', ['a', '.\n'], 'a.\r\n.\r\n'],
    ['a lone CR stays', ['a\rb\n\r\n\r.\r\n'], 'a\rb\r\n\r\r\n\r.\r\r\n.\r\n'],
    ['a smuggled end stays inside', ['a\r\n.\r\nMAIL FROM:<>\n'], 'a\r\r\n..\r\r\nMAIL FROM:<>\r\n.\r\n'],
    ['NUL', ['a\0b\n\0\n'], 'a\0b\r\n\0\r\n.\r\n'],
    ['no final newline', ['a\nb'], 'a\r\nb\r\n.\r\n'],
    ['a lone dot without a newline', ['a\n.'], 'a\r\n..\r\n.\r\n'],
    ['From lines', ['From x\n\nFrom y\n>From z\n'], 'From x\r\n\r\nFrom y\r\n>From z\r\n.\r\n'],
    ['a long line is not folded', [`${'x'.repeat(5000)}\n`], `${'x'.repeat(5000)}\r\n.\r\n`],
    ['empty', [], '.\r\n'],
    ['newlines alone', ['\n\n'], '\r\n\r\n.\r\n'],
  ]
  for (const [name, message, wire] of cases) {
    const { script, delivery } = await send(t, {}, { message })
    t.equal(script.data.toString('latin1'), wire, name)
    t.equal(delivery?.accepted.length, 2, name)
    t.strictSame(script.commands.slice(-2), ['DATA', '.'], 'one message, and nothing after it')
  }
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 0x0a))
  const { script } = await send(t, {}, { message: [bytes], eightBit: true })
  t.ok(script.data.equals(Buffer.concat([bytes, Buffer.from('\r\n.\r\n')])), 'every byte value')
})

t.test('a message of many megabytes arrives whole', async (t) => {
  const line = `${'.'.repeat(70)}\n`
  const message = Array.from({ length: 20 }, () => Buffer.from(line.repeat(5000)))
  const { script, delivery } = await send(t, {}, { message, patienceMs: 60_000 })
  t.equal(delivery?.accepted.length, 2)
  t.equal(script.data.length, 20 * 5000 * (line.length + 2) + 3)
})
