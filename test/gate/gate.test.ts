/** Gate: one run, from the first byte to the verdict, with each thing that may happen in between. */
import fs, { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../lib/config.js'
import { Failure } from '../../lib/failure.js'
import { type GateInput, runGate } from '../../lib/gate/gate.js'
import { Hold } from '../../lib/hold/hold.js'
import { replaceFs, systemError } from '../support/failing.js'
import { CLIENT, pieces } from '../support/held.js'
import { type Lab, MESSAGE, makeLab } from '../support/lab.js'
import { type Answers, ehlo, HANG_UP, makeScript, type Script } from '../support/script.js'

const KNOWN = 'bob@known.test'
const OTHER = 'carl@known.test'
const EVE = 'eve@unknown.test'
const NOW = Date.UTC(2026, 10, 24, 12)
const DAY_MS = 86_400_000

interface Given {
  recipients?: string[]
  sender?: string
  queueId?: string
  recordBytes?: number | undefined
  message?: string | Buffer
  now?: number
  writerAlive?: boolean
  isAwaited?: () => boolean
  answerDue?: () => void
}

interface Course {
  /** Every verdict it has given, in order. */
  verdicts: string[]
  failure: Failure | undefined
}

/** One run of the gate at an installation. */
async function run(lab: Lab, given: Given = {}): Promise<Course> {
  const course: Course = { verdicts: [], failure: undefined }
  const gate: GateInput = {
    config: loadConfig(lab.config),
    envelope: {
      sender: given.sender ?? 'anna@corp.test',
      recipients: given.recipients ?? [KNOWN],
      queueId: given.queueId ?? '4bQ8Yk2hJnz1',
      recordBytes: given.recordBytes,
      client: CLIENT,
    },
    input: pieces(given.message ?? MESSAGE),
    now: given.now ?? NOW,
    writerAlive: async () => given.writerAlive ?? true,
    isAwaited: given.isAwaited ?? (() => true),
    answerDue: given.answerDue ?? (() => {}),
    settled: (verdict) => course.verdicts.push(verdict),
  }
  try {
    await runGate(gate)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    course.failure = error
  }
  return course
}

/** An installation that knows known.test, in front of a server that says what it is told to. */
async function makeGate(
  t: Test,
  answers: Answers = {},
  settings = '',
  notice?: string,
): Promise<{ lab: Lab; script: Script }> {
  const script = await makeScript(t, answers)
  const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${script.port}"\n${settings}`, notice)
  await lab.allow('known.test')
  return { lab, script }
}

/** Asserts that it failed for this, to be tried again, and has settled nothing. */
function assertDeferred(t: Test, { verdicts, failure }: Course, why: string | RegExp): void {
  t.match(failure?.message, why)
  t.equal(failure?.status, 75)
  t.strictSame(verdicts, [])
}

function assertNothingLeft(t: Test, lab: Lab): void {
  t.strictSame([lab.held(), lab.temporaries(), lab.states()], [[], [], []])
  const folder = join(lab.state, 'decisions')
  for (const name of fs.readdirSync(folder)) t.equal(fs.statSync(join(folder, name)).size, 0)
}

/** The descriptors that this process has on the database of an installation. */
function openDatabases(lab: Lab): string[] {
  const target = (fd: string): string[] => {
    try {
      return [fs.readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return []
    }
  }
  return fs
    .readdirSync('/proc/self/fd')
    .flatMap(target)
    .filter((path) => path === join(lab.state, 'toeh.db'))
}

t.test('known mail passes, and leaves nothing but a line of the decision log', async (t) => {
  const { lab, script } = await makeGate(t)
  const { verdicts, failure } = await run(lab, { recipients: [KNOWN, OTHER] })
  t.equal(failure, undefined)
  t.strictSame(verdicts, ['toeh: passed 2 as 4bQ8Yk2hJnz1'])
  t.strictSame([lab.held(), lab.temporaries(), lab.states()], [[], [], []])
  t.equal(script.data.toString(), `${MESSAGE.replaceAll('\n', '\r\n')}.\r\n`)
  t.strictSame(script.commands.slice(1, 4), [
    `MAIL FROM:<anna@corp.test> SIZE=${MESSAGE.length}`,
    `RCPT TO:<${KNOWN}>`,
    `RCPT TO:<${OTHER}>`,
  ])
  const passed = { verdict: 'pass', reason: 'allowed', rule: 1, did: 'passed' }
  t.strictSame(lab.decisions(), [
    {
      at: '2026-11-24T12:00:00.000Z',
      mode: 'enforce',
      queueId: '4bQ8Yk2hJnz1',
      sender: 'anna@corp.test',
      size: MESSAGE.length,
      client: CLIENT.address,
      saslUser: CLIENT.saslUser,
      hold: null,
      passedAs: '4bQ8Yk2hJnz1',
      recipients: [
        { to: KNOWN, ...passed },
        { to: OTHER, ...passed },
      ],
    },
  ])
  t.ok(existsSync(join(lab.state, 'decisions/2026-11-24.jsonl')))
})

t.test('what the server is told of the client and of the bytes', async (t) => {
  const { lab, script } = await makeGate(t, { EHLO: ehlo('PIPELINING', '8BITMIME', 'XFORWARD ADDR IDENT') })
  t.strictSame((await run(lab, { message: 'Subject: caf\u{e9}\n\nx\n' })).verdicts, [
    'toeh: passed 1 as 4bQ8Yk2hJnz1',
  ])
  t.strictSame(script.commands.slice(1, 3), [
    `XFORWARD ADDR=${CLIENT.address} IDENT=4bQ8Yk2hJnz1`,
    'MAIL FROM:<anna@corp.test> BODY=8BITMIME',
  ])
})

t.test('while it waits for the server it has the database no longer in hand', async (t) => {
  const { lab } = await makeGate(t)
  const seen: string[][] = []
  await run(lab, { answerDue: () => seen.push(openDatabases(lab)) })
  t.strictSame(seen, [[]])
})

t.test('a server that gives no id', async (t) => {
  const { lab } = await makeGate(t, { '.': '250 2.0.0 Ok' })
  t.strictSame((await run(lab)).verdicts, ['toeh: passed 1'])
  t.equal(lab.decisions()[0]?.passedAs, null)
})

t.test('unknown mail is held, and nobody is connected to', async (t) => {
  const { lab, script } = await makeGate(t, {}, 'expire_days = 3\n')
  const message = `Subject: ${'s'.repeat(1200)}\nMessage-ID: <${'m'.repeat(1200)}>\n\nx\n`
  const { verdicts, failure } = await run(lab, {
    recipients: [EVE, 'a%b@corp.test', 'x@blocked.test'],
    message,
  })
  t.equal(failure, undefined)
  const [id = ''] = lab.held()
  t.strictSame(verdicts, [`toeh: held 3 in ${id}`])
  t.equal(script.sockets.length, 0)
  const { db, hold, folder } = lab.stores()
  const { client, recipients, ...facts } = hold.find(id)
  db.close()
  t.strictSame(client, CLIENT)
  t.match(facts, {
    queueId: '4bQ8Yk2hJnz1',
    sender: 'anna@corp.test',
    size: message.length,
    heldAt: NOW,
    expiresAt: NOW + 3 * DAY_MS,
    notifiedAt: null,
  })
  t.equal(facts.subject, 's'.repeat(1000))
  t.equal(facts.messageId, `<${'m'.repeat(1000)}`.slice(0, 1000))
  t.strictSame(
    recipients.map(({ address, state, reason, detail }) => [address, state, reason, detail].join('|')),
    [
      'a%b@corp.test|held|malformed|percent or bang routing',
      `${EVE}|held|unknown|`,
      'x@blocked.test|held|unknown|',
    ],
  )
  t.equal(readFileSync(folder.messagePath(id), 'utf8'), message)
  t.strictSame(lab.temporaries(), [])
  const held = { verdict: 'hold', rule: null, did: 'held' }
  t.match(lab.decisions(), [
    {
      hold: id,
      passedAs: null,
      recipients: [
        { to: EVE, reason: 'unknown', ...held },
        { to: 'a%b@corp.test', reason: 'malformed', ...held },
        { to: 'x@blocked.test', reason: 'unknown', ...held },
      ],
    },
  ])
})

t.test('a message without a subject; a block is named by its rule', async (t) => {
  const { lab } = await makeGate(t)
  lab.change(`UPDATE rule SET effect = 'block'`)
  await run(lab, { message: 'X: y\n\nx\n' })
  t.match(lab.query('SELECT subject, message_id FROM hold'), [{ subject: '', message_id: '' }])
  t.strictSame(lab.query('SELECT reason, detail FROM recipient'), [{ reason: 'blocked', detail: 'rule 1' }])
  t.match(lab.decisions()[0]?.recipients, [{ reason: 'blocked', rule: 1 }])
})

t.test(
  'some known, some not: parked before anything is said to the server, and noted as passed after',
  async (t) => {
    const seen: string[][] = []
    const { lab } = await makeGate(t, {
      CONNECT: () => {
        seen.push(lab.states(), lab.held())
        return '220 script.test ESMTP'
      },
    })
    const { verdicts } = await run(lab, { recipients: [KNOWN, EVE] })
    const [id = ''] = lab.held()
    t.strictSame(seen, [[`${EVE} held`], [id]])
    t.strictSame(verdicts, [`toeh: passed 1 as 4bQ8Yk2hJnz1, held 1 in ${id}`])
    t.strictSame(lab.states(), [`${KNOWN} passed`, `${EVE} held`])
    t.strictSame(lab.query(`SELECT queue_id, changed_at FROM recipient WHERE state = 'passed'`), [
      { queue_id: '4bQ8Yk2hJnz1', changed_at: NOW },
    ])
    t.match(lab.decisions()[0], {
      hold: id,
      passedAs: '4bQ8Yk2hJnz1',
      recipients: [{ did: 'passed' }, { did: 'held' }],
    })
  },
)

t.test('a retry touches nobody who is settled, and says so', async (t) => {
  const { lab, script } = await makeGate(t)
  await run(lab, { recipients: [KNOWN, EVE] })
  const [id = ''] = lab.held()
  const lines = script.commands.length
  const { verdicts } = await run(lab, { recipients: [KNOWN, EVE], now: NOW + 5000 })
  t.strictSame(verdicts, [`toeh: settled before 2 in ${id}`])
  t.equal(script.commands.length, lines, 'nothing is sent')
  t.strictSame(lab.states(), [`${KNOWN} passed`, `${EVE} held`])
  t.match(lab.decisions()[1], {
    hold: id,
    passedAs: null,
    recipients: [
      { verdict: 'pass', did: 'nothing: passed' },
      { verdict: 'hold', did: 'nothing: held' },
    ],
  })
  const more = await run(lab, { recipients: [KNOWN, OTHER, EVE, 'mal@unknown.test'] })
  t.strictSame(more.verdicts, [`toeh: passed 1 as 4bQ8Yk2hJnz1, held 1, settled before 2 in ${id}`])
  t.strictSame(lab.states(), [`${KNOWN} passed`, `${OTHER} passed`, `${EVE} held`, 'mal@unknown.test held'])
})

t.test('a retry of nobody but known ones, whose message is held for others, notes them', async (t) => {
  const { lab } = await makeGate(t)
  await run(lab, { recipients: [EVE] })
  const [id = ''] = lab.held()
  const { verdicts } = await run(lab, { recipients: [KNOWN] })
  // So that a later run finds them there, beside those who wait.
  t.strictSame(verdicts, ['toeh: passed 1 as 4bQ8Yk2hJnz1'])
  t.equal(lab.decisions()[1]?.hold, id)
  t.strictSame(lab.held(), [id])
  t.strictSame(
    lab.states().filter((state) => state.startsWith(KNOWN)),
    [`${KNOWN} passed`],
  )
})

t.test('another message under the same queue id has a fate of its own', async (t) => {
  const { lab } = await makeGate(t)
  await run(lab, { recipients: [EVE] })
  const { verdicts } = await run(lab, { recipients: [EVE], message: 'Subject: other\n\ny\n' })
  t.equal(lab.held().length, 2)
  t.match(verdicts, [/^toeh: held 1 in /])
})

t.test('the decision names the hold that a recipient of the run is in, and no other', async (t) => {
  const { lab } = await makeGate(t, {}, 'busy_seconds = 0\n')
  await run(lab, { recipients: [EVE] })
  const [id = ''] = lab.held()
  await run(lab, { recipients: [KNOWN], message: 'Subject: other\n\ny\n' })
  t.equal(lab.decisions()[1]?.hold, null, 'a queue id that has come back')
  const db = lab.openDatabase()
  await run(lab, { recipients: [KNOWN, EVE], answerDue: () => db.run('BEGIN EXCLUSIVE') })
  db.run('ROLLBACK')
  db.close()
  t.match(lab.decisions()[2], { hold: id, recipients: [{ did: 'passed' }, { did: 'nothing: held' }] })
  t.strictSame(lab.states(), [`${EVE} held`], 'it could not be written down')
})

t.test('whoever waits has bytes: a retry puts lost or damaged ones back', async (t) => {
  for (const spoil of [
    (path: string) => rmSync(path),
    (path: string) => writeFileSync(path, 'half'),
    (path: string) => rmSync(join(path, '..'), { recursive: true }),
  ]) {
    const { lab } = await makeGate(t)
    await run(lab, { recipients: [EVE] })
    const [id = ''] = lab.held()
    const path = join(lab.state, `hold/${id}/message.eml`)
    spoil(path)
    const { verdicts } = await run(lab, { recipients: [EVE] })
    t.strictSame(verdicts, [`toeh: settled before 1 in ${id}`])
    t.equal(readFileSync(path, 'utf8'), MESSAGE)
    t.strictSame(lab.temporaries(), [])
  }
  const { lab } = await makeGate(t)
  await run(lab, { recipients: [EVE] })
  const [id = ''] = lab.held()
  lab.change(`UPDATE recipient SET state = 'rejected'`)
  rmSync(join(lab.state, `hold/${id}`), { recursive: true })
  t.strictSame((await run(lab, { recipients: [EVE] })).verdicts, [`toeh: settled before 1 in ${id}`])
  t.strictSame(lab.held(), [], 'who is settled needs none')
})

t.test('bytes that are whole are not written again', async (t) => {
  const { lab } = await makeGate(t)
  await run(lab, { recipients: [EVE] })
  const [id = ''] = lab.held()
  const path = join(lab.state, `hold/${id}/message.eml`)
  const { ino } = fs.statSync(path)
  await run(lab, { recipients: [EVE] })
  t.equal(fs.statSync(path).ino, ino)
})

t.test('refused by the server: parked as that, before the rest goes out', async (t) => {
  const seen: string[][] = []
  const { lab } = await makeGate(t, {
    RCPT: (line) => (line.includes(OTHER) ? '550 5.1.1 no such user' : '250 2.1.5 Ok'),
    DATA: () => {
      seen.push(lab.states())
      return '354 go'
    },
  })
  const { verdicts } = await run(lab, { recipients: [KNOWN, OTHER] })
  const [id = ''] = lab.held()
  t.strictSame(verdicts, [`toeh: passed 1 as 4bQ8Yk2hJnz1, refused 1 in ${id}`])
  t.strictSame(seen, [[`${OTHER} refused`]])
  t.strictSame(lab.states(), [`${KNOWN} passed`, `${OTHER} refused`])
  t.strictSame(lab.query(`SELECT reason, detail FROM recipient WHERE state = 'refused'`), [
    { reason: 'refused', detail: '550 5.1.1 no such user' },
  ])
  t.match(lab.decisions()[0], { hold: id, recipients: [{ did: 'passed' }, { did: 'refused' }] })
})

t.test('some by RCPT, the rest by the end of the message: all are parked once', async (t) => {
  const { lab } = await makeGate(t, {
    RCPT: (line) => (line.includes(OTHER) ? '550 5.1.1 no such user' : '250 2.1.5 Ok'),
    '.': '554 5.7.1 no',
  })
  const { verdicts } = await run(lab, { recipients: [KNOWN, OTHER, EVE] })
  const [id = ''] = lab.held()
  t.strictSame(verdicts, [`toeh: held 1, refused 2 in ${id}`])
  t.strictSame(lab.states(), [`${KNOWN} refused`, `${OTHER} refused`, `${EVE} held`])
  t.match(lab.decisions()[0], {
    passedAs: null,
    recipients: [{ did: 'refused' }, { did: 'refused' }, { did: 'held' }],
  })
})

t.test('who is refused and cannot be parked keeps the message from being sent', async (t) => {
  const { lab, script } = await makeGate(
    t,
    { RCPT: (line) => (line.includes(OTHER) ? '550 5.1.1 no such user' : '250 2.1.5 Ok') },
    '',
    '[notice]\nenabled = false\n[limits]\nhold_messages = 1\n',
  )
  await run(lab, { recipients: [EVE] })
  assertDeferred(t, await run(lab, { recipients: [KNOWN, OTHER], queueId: 'FULL0001' }), /the hold is full/)
  t.notOk(script.lines.includes('DATA'))
  t.strictSame(lab.states(), [`${EVE} held`])
})

t.test('one connection does for all that a run writes', async (t) => {
  const { lab } = await makeGate(t, {
    RCPT: (line) => (line.includes(OTHER) ? '550 5.1.1 no such user' : '250 2.1.5 Ok'),
  })
  const { verdicts } = await run(lab, { recipients: [KNOWN, OTHER, EVE] })
  t.match(verdicts, [/^toeh: passed 1 as 4bQ8Yk2hJnz1, held 1, refused 1 in /])
  t.equal(openDatabases(lab).length, 1)
})

t.test('observe: everybody gets it, but who cannot be written into a command', async (t) => {
  const { lab, script } = await makeGate(t, {}, 'mode = "observe"\n')
  const odd = 'x y@unknown.test'
  const { verdicts } = await run(lab, { recipients: [KNOWN, EVE, odd] })
  const [id = ''] = lab.held()
  t.strictSame(verdicts, [`toeh observes: passed 2 as 4bQ8Yk2hJnz1, held 1 in ${id}`])
  t.strictSame(
    script.commands.filter((line) => line.startsWith('RCPT')),
    [`RCPT TO:<${KNOWN}>`, `RCPT TO:<${EVE}>`],
  )
  t.match(lab.decisions()[0], {
    mode: 'observe',
    recipients: [
      { verdict: 'pass', did: 'passed' },
      { verdict: 'hold', reason: 'unknown', did: 'passed' },
      { verdict: 'hold', reason: 'malformed', did: 'held' },
    ],
  })
  const bounce = await run(lab, { recipients: [EVE], sender: '', queueId: 'BOUNCE01' })
  t.strictSame(bounce.verdicts, ['toeh observes: passed 1 as 4bQ8Yk2hJnz1'])
  const forged = await run(lab, { recipients: [EVE], sender: 'a\u{fffd}@corp.test', queueId: 'FORGED01' })
  t.match(forged.verdicts, [/^toeh observes: held 1 in /])
})

t.test('what is not whole is left to Postfix', async (t) => {
  const { lab, script } = await makeGate(t)
  const both = { recipients: [KNOWN, EVE] }
  assertDeferred(t, await run(lab, { ...both, message: '' }), /./)
  assertDeferred(t, await run(lab, { ...both, writerAlive: false }), /./)
  assertDeferred(t, await run(lab, { ...both, recordBytes: 20_000 }), /it is short/)
  const looped = `Received: from toeh-reinject.invalid (pc [127.0.0.1])\n\tby mx.corp.test (Postfix) with ESMTP id 1\n${MESSAGE}`
  const loop = await run(lab, { ...both, message: looped })
  assertDeferred(
    t,
    loop,
    'reinject: this message has come back from it: the service there has a content_filter',
  )
  t.equal(loop.failure?.hint, 'set -o content_filter= on it in master.cf')
  assertNothingLeft(t, lab)
  t.equal(script.sockets.length, 0)
})

t.test('nobody waits for it any more', async (t) => {
  const why = 'settle: the process that handed the message over has died'
  t.test('when it would be parked', async (t) => {
    const { lab, script } = await makeGate(t)
    const course = await run(lab, { recipients: [EVE, KNOWN], isAwaited: () => false })
    assertDeferred(t, course, why)
    t.equal(course.failure?.hint, 'Postfix will hand it over again')
    assertNothingLeft(t, lab)
    t.equal(script.sockets.length, 0)
  })
  t.test('when the end of it would be sent', async (t) => {
    const { lab, script } = await makeGate(t)
    let due = 0
    const course = await run(lab, { isAwaited: () => false, answerDue: () => due++ })
    assertDeferred(t, course, why)
    t.notOk(script.lines.includes('.'))
    t.ok(script.lines.includes('DATA'))
    t.equal(due, 0)
    assertNothingLeft(t, lab)
  })
})

t.test('the answer is due from the end of the message on, and not before', async (t) => {
  const heard: string[][] = []
  const { lab, script } = await makeGate(t, {
    '.': () => {
      t.equal(heard.length, 1)
      return '250 2.0.0 Ok'
    },
  })
  await run(lab, { answerDue: () => heard.push(script.lines.slice(-1)) })
  t.strictSame(heard, [['DATA']])
})

t.test('what fails before the answer settles nothing', async (t) => {
  for (const [answers, why] of [
    [{ RCPT: '450 4.2.0 later' }, /450 4\.2\.0 later/],
    [{ '.': HANG_UP }, /closed/],
    [{ '.': '451 4.3.0 no' }, /451/],
  ] as const) {
    const { lab } = await makeGate(t, answers)
    assertDeferred(t, await run(lab), why)
    assertNothingLeft(t, lab)
  }
  const { lab } = await makeGate(t, { '.': '' }, 'answer_seconds = 1\n')
  assertDeferred(t, await run(lab), /no answer to the end of the message for 1 s/)
})

t.test(
  'a decision log that cannot be written: told beside the verdict, and nothing is sent again',
  async (t) => {
    const { lab } = await makeGate(t)
    let fail = false
    replaceFs(t, 'writeSync', (real) => (...given: never[]) => {
      if (fail) throw systemError('ENOSPC', 'no space left on device')
      return Reflect.apply(real, fs, given)
    })
    const { verdicts, failure } = await run(lab, {
      answerDue: () => {
        fail = true
      },
    })
    t.equal(failure, undefined)
    t.strictSame(verdicts, [
      'toeh: passed 1 as 4bQ8Yk2hJnz1',
      'toeh: passed 1 as 4bQ8Yk2hJnz1 (decision log: failed)',
    ])
  },
)

t.test('a decision log that cannot be opened lets nothing out', async (t) => {
  const { lab, script } = await makeGate(t)
  rmSync(join(lab.state, 'decisions'), { recursive: true })
  assertDeferred(t, await run(lab), /open decision log/)
  t.equal(script.sockets.length, 0)
})

t.test('a hold that is full takes nobody new, but those who join', async (t) => {
  const { lab } = await makeGate(t, {}, '', '[notice]\nenabled = false\n[limits]\nhold_messages = 1\n')
  await run(lab, { recipients: [EVE] })
  const [id = ''] = lab.held()
  const joins = await run(lab, { recipients: [EVE, 'mal@unknown.test'] })
  t.strictSame(joins.verdicts, [`toeh: held 1, settled before 1 in ${id}`])
  assertDeferred(t, await run(lab, { recipients: [EVE], queueId: 'OTHER001' }), /the hold is full/)
  t.strictSame((await run(lab, { queueId: 'OTHER002' })).verdicts, ['toeh: passed 1 as 4bQ8Yk2hJnz1'])
  t.strictSame(lab.held(), [id])
})

t.test('too little space on the disk: nothing is begun', async (t) => {
  const { lab, script } = await makeGate(
    t,
    {},
    '',
    '[notice]\nenabled = false\n[limits]\nfree_megabytes = 900000000\n',
  )
  assertDeferred(t, await run(lab), /free space/)
  t.equal(script.sockets.length, 0)
  assertNothingLeft(t, lab)
})

t.test('people are told once an interval, and only where somebody is parked', async (t) => {
  const { lab, script } = await makeGate(t, {}, '', '[notice]\ninterval_minutes = 60\n')
  const told = (): string[] =>
    script.commands.filter((line) => line.startsWith('MAIL FROM:<>')).map((line) => line.slice(0, 12))
  await run(lab)
  t.strictSame(told(), [])
  t.strictSame(lab.query('SELECT * FROM notice'), [], 'known mail is no reason')
  await run(lab, { recipients: [EVE], queueId: 'ONE00001' })
  t.equal(told().length, 1)
  await run(lab, { recipients: [EVE], queueId: 'TWO00002', now: NOW + 59 * 60_000 })
  t.equal(told().length, 1)
  await run(lab, { recipients: [EVE], queueId: 'ONE00001', now: NOW + 61 * 60_000 })
  t.equal(told().length, 1, 'a retry that parks nobody tells nobody')
  await run(lab, { recipients: [EVE], queueId: 'THREE003', now: NOW + 60 * 60_000 })
  t.equal(told().length, 2)
  t.strictSame(lab.query('SELECT count(*) AS n FROM hold WHERE notified_at IS NULL'), [{ n: 1 }])
})

t.test('what a program has written is marked, lives shorter, and takes no notice from anybody', async (t) => {
  const { lab, script } = await makeGate(
    t,
    {},
    'expire_days = 2\nautomatic_expire_hours = 5\nrecipient_delimiter = "+"\n',
    '[notice]\ninterval_minutes = 60\n',
  )
  const cases: [sender: string, header: string, automatic: string, hours: number][] = [
    ['', 'Subject: Out of office', 'null sender', 5],
    ['staff+bounces-1-eve=unknown.test@corp.test', 'Subject: News', 'bounce address', 5],
    ['erp@corp.test', 'Auto-Submitted: auto-generated', 'Auto-Submitted', 5],
    ['staff@corp.test', 'List-Id:\n <staff.corp.test>', 'list', 5],
    // Whom our own server has rewritten is a person.
    ['SRS0=ab12=xy=corp.test=anna@corp.test', 'Auto-Submitted: no', '', 48],
  ]
  for (const [index, [sender, header, automatic, hours]] of cases.entries()) {
    await run(lab, { sender, recipients: [EVE], queueId: `AUTO000${index}`, message: `${header}\n\nx\n` })
    const told = automatic === '' ? 1 : 0
    const { db, hold } = lab.stores()
    const [id] = lab.query(`SELECT id FROM hold WHERE queue_id = 'AUTO000${index}'`) as { id: string }[]
    const found = hold.find(id?.id ?? '')
    db.close()
    t.match(found, { automatic, expiresAt: NOW + (hours * DAY_MS) / 24 }, header)
    t.equal(found.notifiedAt === null ? 0 : 1, told, `${header}: told`)
    const envelope = JSON.parse(readFileSync(join(lab.state, 'hold', found.id, 'envelope.json'), 'utf8'))
    t.equal(envelope.automatic, automatic, 'and a rebuilt database knows it')
  }
  t.equal(script.commands.filter((line) => line.startsWith('MAIL FROM:<>')).length, 1)
  t.strictSame(lab.query('SELECT sender FROM notice'), [{ sender: 'anna@corp.test' }])
})

t.test('automatic mail lives no longer than other mail', async (t) => {
  const { lab } = await makeGate(t, {}, 'expire_days = 1\nautomatic_expire_hours = 72\n')
  await run(lab, { sender: '', recipients: [EVE] })
  t.strictSame(lab.query('SELECT expires_at - held_at AS life FROM hold'), [{ life: DAY_MS }])
})

t.test('people are told where as many are refused as are held', async (t) => {
  const { lab, script } = await makeGate(
    t,
    { RCPT: (line) => (line.includes(KNOWN) ? '550 5.1.1 no' : '250 2.1.5 Ok') },
    '',
    '[notice]\ninterval_minutes = 0\n',
  )
  t.match((await run(lab, { recipients: [KNOWN, EVE] })).verdicts, [/held 1, refused 1/])
  t.equal(script.commands.filter((line) => line.startsWith('MAIL FROM:<>')).length, 1)
})

t.test('people are told of who was refused too, and a notice that fails changes nothing', async (t) => {
  const { lab, script } = await makeGate(
    t,
    { RCPT: (line) => (line.includes(KNOWN) ? '550 5.1.1 no' : '250 2.1.5 Ok') },
    '',
    '[notice]\ninterval_minutes = 0\n',
  )
  await run(lab)
  t.equal(script.commands.filter((line) => line.startsWith('MAIL FROM:<>')).length, 1)
  const gone = await makeGate(t, { CONNECT: '421 4.3.2 no' }, '', '[notice]\ninterval_minutes = 0\n')
  const { verdicts, failure } = await run(gone.lab, { recipients: [EVE] })
  t.equal(verdicts.length, 1)
  // The caller ends with 0 from the verdict on, whatever comes after it.
  t.match(failure?.message, /421/)
  t.strictSame(gone.lab.query('SELECT count(*) AS n FROM hold WHERE notified_at IS NULL'), [{ n: 1 }])
})

t.test('a locked database keeps nobody waiting once the mail is settled', async (t) => {
  const { lab } = await makeGate(t, {}, 'busy_seconds = 20\n')
  const db = lab.openDatabase()
  t.teardown(() => db.close())
  const given: number[] = []
  const real = Hold.prototype.waitAtMost
  Hold.prototype.waitAtMost = function (seconds) {
    given.push(seconds)
    real.call(this, seconds)
  }
  t.teardown(() => {
    Hold.prototype.waitAtMost = real
  })
  const began = performance.now()
  const { verdicts, failure } = await run(lab, {
    recipients: [KNOWN, EVE],
    answerDue: () => db.run('BEGIN EXCLUSIVE'),
  })
  db.run('ROLLBACK')
  t.equal(failure, undefined)
  t.match(verdicts, [/^toeh: passed 1 as 4bQ8Yk2hJnz1, held 1 in /])
  const took = performance.now() - began
  t.ok(took > 900 && took < 15_000, `a moment, of the twenty seconds: ${took} ms`)
  t.strictSame(given, [1])
  lab.configure(`reinject = "smtp:127.0.0.1:1"\nbusy_seconds = 0\n[notice]\nenabled = false\n`)
  await run(lab, { recipients: [EVE], queueId: 'SECOND01' })
  t.strictSame(given, [1, 0], 'never longer than before')
  t.equal(lab.decisions().length, 2)
})

t.test('a large message is spooled, and its spool is gone when it has passed', async (t) => {
  const { lab, script } = await makeGate(t)
  const message = `Subject: large\n\n${'a line of text\n'.repeat(20_000)}`
  const seen: number[] = []
  await run(lab, { message, answerDue: () => seen.push(lab.temporaries().length) })
  t.strictSame(seen, [1])
  t.strictSame(lab.temporaries(), [])
  t.equal(script.data.length, message.replaceAll('\n', '\r\n').length + 3)
  mkdirSync(join(lab.state, 'hold/tmp'), { recursive: true })
  const { verdicts } = await run(lab, { message, recipients: [KNOWN, EVE], queueId: 'BIG00001' })
  const [id = ''] = lab.held()
  t.strictSame(verdicts, [`toeh: passed 1 as 4bQ8Yk2hJnz1, held 1 in ${id}`])
  t.equal(readFileSync(join(lab.state, `hold/${id}/message.eml`), 'utf8'), message)
  t.strictSame(lab.temporaries(), [])
})
