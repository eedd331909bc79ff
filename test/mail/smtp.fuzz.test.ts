/**
 * Fuzz of smtp.ts: a server that says anything at any point. What comes of it is accepted, refused with a code, or
 * a Failure (75), within the time that is given for each reply; and accepted rests on a 250 to the final dot alone.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { Failure } from '../../lib/failure.js'
import { sendBySmtp } from '../../lib/mail/smtp.js'
import type { Delivery, Refusal } from '../../lib/mail/transaction.js'
import { goByHandles } from '../support/handles.js'
import { CLIENT, pieces } from '../support/held.js'
import { holds } from '../support/property.js'

const PATIENCE_MS = 30
/** The greeting, EHLO, seven of XFORWARD, MAIL, three RCPT, DATA, the dot, RSET: none waits longer than that. */
const MOST_MS = 16 * PATIENCE_MS + 1000

/** One thing the server does when it is spoken to. */
type Move =
  | { do: 'say'; text: string }
  /** The same, a few bytes at a time, faster than any patience. */
  | { do: 'drip'; text: string }
  | { do: 'nothing' }
  | { do: 'close' }
  | { do: 'reset' }

const code = fc.oneof(
  fc.constantFrom('220', '221', '250', '251', '354', '421', '450', '452', '500', '550', '552', '554'),
  fc.integer({ min: 0, max: 999 }).map((number) => String(number).padStart(3, '0')),
)
const words = fc.constantFrom(
  '',
  ' ',
  ' Ok',
  ' 2.0.0 Ok: queued as 4bQ8Yk2hJnz1',
  '-more',
  '-XFORWARD NAME ADDR NAME NAME PORT PROTO HELO IDENT SOURCE',
  '-PIPELINING',
  '-SIZE x',
  ' \x1b]0;title\x07\u{202e}',
  '\0',
)
const ending = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r', '', '\r\n\r\n')
const line = fc.tuple(code, words, ending).map((parts) => parts.join(''))
const POLITE = [
  '220 x ESMTP\r\n',
  '250-x\r\n250 PIPELINING\r\n',
  '250-x\r\n250 XFORWARD NAME HELO\r\n',
  '250 Ok\r\n',
  '354 go on\r\n',
  '250 2.0.0 Ok: queued as 4bQ8Yk2hJnz1\r\n',
  '450 4.2.0 later\r\n',
  '550 5.1.1 no such user\r\n',
]
const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...POLITE) },
  { weight: 3, arbitrary: line },
  // Before it was asked: two or more at once.
  {
    weight: 2,
    arbitrary: fc
      .array(fc.oneof(fc.constantFrom(...POLITE), line), { maxLength: 6 })
      .map((all) => all.join('')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('250-', '250 ', '', '\n'), fc.integer({ min: 1, max: 90_000 }))
      .map(([front, length]) => front + 'x'.repeat(length)),
  },
  { weight: 1, arbitrary: fc.constantFrom('250-never\r\n', '250-x\r\n').map((one) => one.repeat(9000)) },
)
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 16, arbitrary: text.map((text): Move => ({ do: 'say', text })) },
  { weight: 1, arbitrary: text.map((text): Move => ({ do: 'drip', text })) },
  { weight: 1, arbitrary: fc.constant<Move>({ do: 'nothing' }) },
  { weight: 1, arbitrary: fc.constantFrom<Move>({ do: 'close' }, { do: 'reset' }) },
)
/** A conversation that could end well, some of its moves replaced: else few would come as far as DATA. */
const course: fc.Arbitrary<Move[]> = fc
  .tuple(
    fc.boolean(),
    fc.integer({ min: 1, max: 3 }),
    fc.array(fc.tuple(fc.nat(8), move), { maxLength: 2 }),
    fc.constantFrom('250 2.0.0 Ok: queued as 4bQ8Yk2hJnz1\r\n', '250 Ok\r\n', '451 later\r\n', '554 no\r\n'),
  )
  .map(([pipelining, recipients, changes, final]) => {
    const usual = [
      '220 x ESMTP\r\n',
      pipelining ? '250-x\r\n250 PIPELINING\r\n' : '250 x\r\n',
      ...Array.from({ length: recipients + 1 }, () => '250 Ok\r\n'),
      '354 go on\r\n',
      final,
    ].map((text): Move => ({ do: 'say', text }))
    for (const [at, change] of changes) usual[at] = change
    return usual.filter((move) => move !== undefined)
  })

/** A server that makes the moves in turn, one for each command, and knows whether it has seen the final dot. */
class Wild {
  readonly server: Server
  readonly #sockets = new Set<Socket>()
  moves: readonly Move[] = []
  /** What was said in answer to the final dot: all that the client could rest on. */
  afterDot = ''
  dotSeen = false

  constructor() {
    this.server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
  }

  static async start(t: Test): Promise<Wild> {
    const wild = new Wild()
    await new Promise<void>((ready) => wild.server.listen(0, '127.0.0.1', ready))
    t.teardown(() => {
      wild.forget()
      wild.server.close()
    })
    return wild
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  forget(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    const moves = [...this.moves]
    let heard = ''
    let inData = false
    socket.on('error', () => {})
    const act = (): void => {
      const move = moves.shift() ?? { do: 'close' }
      if (move.do === 'close') socket.end()
      else if (move.do === 'reset') socket.resetAndDestroy()
      else if (move.do === 'say' || move.do === 'drip') {
        if (/^354/m.test(move.text)) inData = true
        if (this.dotSeen) this.afterDot += move.text
        if (move.do === 'say') socket.write(move.text, 'latin1')
        else drip(socket, move.text)
      }
    }
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1')
      while (true) {
        const end = inData ? /(?:^|\r\n)\.\r\n/.exec(heard) : /\r\n/.exec(heard)
        if (end === null) return
        heard = heard.slice(end.index + end[0].length)
        if (inData) this.dotSeen = true
        inData = false
        act()
      }
    })
    act()
  }
}

function drip(socket: Socket, text: string): void {
  let at = 0
  const timer = setInterval(() => {
    if (at >= text.length || socket.destroyed) return clearInterval(timer)
    socket.write(text.slice(at, at + 2), 'latin1')
    at += 2
  }, PATIENCE_MS / 4)
}

interface Seen {
  delivery?: Delivery
  failure?: Failure
  refused: Refusal[]
}

async function converse(
  wild: Wild,
  moves: readonly Move[],
  recipients: readonly string[],
  patienceMs = PATIENCE_MS,
): Promise<Seen> {
  wild.moves = moves
  wild.afterDot = ''
  wild.dotSeen = false
  const refused: Refusal[] = []
  try {
    const delivery = await sendBySmtp(
      { host: '127.0.0.1', port: wild.port, replyMs: patienceMs, answerMs: patienceMs },
      {
        sender: 'anna@corp.test',
        recipients,
        size: 20,
        eightBit: false,
        origin: { client: CLIENT, queueId: '4bQ8Yk2hJnz1' },
        open: () => pieces('Subject: x\n\n', '.\nbody\n'),
        onRefused: async (some) => {
          refused.push(...some)
        },
      },
    )
    return { delivery, refused }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { failure: error, refused }
  }
}

function check(wild: Wild, seen: Seen, recipients: readonly string[], ms: number): void {
  const wrong = (why: string): never => {
    throw new Error(
      `${why}: ${JSON.stringify({ ...seen, failure: seen.failure?.message, after: wild.afterDot })}`,
    )
  }
  if (ms > MOST_MS) wrong(`it took ${ms} ms`)
  const { delivery, failure, refused } = seen
  for (const { recipient, reply } of refused) {
    if (!recipients.includes(recipient)) wrong('somebody else was refused')
    if (!/^5[0-9][0-9] /.test(reply) || /[\r\n]/.test(reply)) wrong('refused without a code')
  }
  if (failure !== undefined) {
    if (failure.status !== 75) wrong('no temporary failure')
    if (/[\r\n]/.test(failure.line)) wrong('not one line')
    if (failure.inDoubt && !wild.dotSeen && wild.afterDot !== '') wrong('doubt without a dot')
    return
  }
  if (delivery === undefined) throw new Error('neither nor')
  const settled = [...delivery.accepted, ...refused.map(({ recipient }) => recipient)]
  if (settled.length !== new Set(settled).size) wrong('accepted and refused')
  if (recipients.some((recipient) => !settled.includes(recipient))) wrong('a recipient is gone')
  if (delivery.accepted.length === 0) return
  if (!wild.dotSeen) wrong('accepted without an end of the message')
  if (!/^(?:250-.*\r?\n)*250(?: .*)?\r?\n/.test(wild.afterDot)) wrong('accepted without 250')
}

goByHandles(true)

t.test('a server that says anything at any point', { timeout: 600_000 }, async (t) => {
  const wild = await Wild.start(t)
  const astray: unknown[] = []
  const note = (error: unknown): void => {
    astray.push(error)
  }
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const counts = { accepted: 0, refused: 0, failed: 0, doubtful: 0, longest: 0 }
  const to = fc
    .integer({ min: 1, max: 3 })
    .map((n) => ['x@known.test', 'y@known.test', 'z@known.test'].slice(0, n))
  const whole = fc.asyncProperty(
    fc.oneof({ weight: 5, arbitrary: course }, { weight: 1, arbitrary: fc.array(move, { maxLength: 10 }) }),
    to,
    async (moves, recipients) => {
      const begun = performance.now()
      const seen = await converse(wild, moves, recipients)
      const ms = performance.now() - begun
      wild.forget()
      counts.longest = Math.max(counts.longest, Math.round(ms))
      if (seen.failure !== undefined) counts.failed++
      else if (seen.delivery?.accepted.length === 0) counts.refused++
      else counts.accepted++
      if (seen.failure?.inDoubt) counts.doubtful++
      check(wild, seen, recipients, ms)
    },
  )
  await holds(t, 'conversations', 1200, whole, 12_000)
  t.strictSame(astray, [], 'no rejection that nobody takes')
  t.ok(counts.accepted > 20 && counts.refused > 5 && counts.failed > 100, JSON.stringify(counts))
  t.comment(JSON.stringify(counts))
})

/** What sendBySmtp makes of these moves, and in how many milliseconds. */
async function once(t: Test, ...moves: Move[]): Promise<Seen & { ms: number; dotSeen: boolean }> {
  const wild = await Wild.start(t)
  const begun = performance.now()
  const seen = await converse(wild, moves, ['x@known.test'], 1000)
  return { ...seen, ms: performance.now() - begun, dotSeen: wild.dotSeen }
}
const say = (text: string): Move => ({ do: 'say', text })
const UNTIL_DATA = [say('220 x\r\n'), say('250 x\r\n'), say('250 Ok\r\n'), say('250 Ok\r\n')]

t.test('250 said with 354 is no answer to the dot', async (t) => {
  const { failure, dotSeen } = await once(
    t,
    ...UNTIL_DATA,
    say('354 go\r\n250 2.0.0 Ok: queued as 4bQ8Yk2hJnz1\r\n'),
  )
  t.match(failure?.message, /it answered before it was asked: 250 2\.0\.0 Ok/)
  t.equal(failure?.inDoubt, false, 'the dot was never sent')
  t.equal(dotSeen, false)
})

t.test('all answers at once, before the first command', async (t) => {
  const all = '220 x\r\n250 x\r\n250 Ok\r\n250 Ok\r\n354 go\r\n250 Ok\r\n'
  const { failure, dotSeen } = await once(t, say(all))
  t.match(failure?.message, /it answered before it was asked: 250 x/)
  t.equal(dotSeen, false)
})

t.test('a goodbye behind the last answer changes nothing', async (t) => {
  const { delivery } = await once(
    t,
    ...UNTIL_DATA,
    say('354 go\r\n'),
    say('250 Ok: queued as 4bQ8Yk2hJnz1\r\n421 bye\r\n'),
  )
  t.strictSame(delivery, { accepted: ['x@known.test'], queueId: '4bQ8Yk2hJnz1' })
})

t.test('a 2xx that is not 250 to the dot leaves doubt', async (t) => {
  for (const reply of ['221 bye', '251 elsewhere', '354 go on']) {
    const { failure } = await once(t, ...UNTIL_DATA, say('354 go\r\n'), say(`${reply}\r\n`))
    t.match(failure, { status: 75, inDoubt: true }, reply)
    t.match(failure?.message, `the message was answered ${reply}`)
  }
})

t.test('an answer that drips in without end is given up in the time for one', async (t) => {
  const { failure, ms } = await once(t, say('220 x\r\n'), { do: 'drip', text: '250-x\r\n'.repeat(500) })
  t.match(failure?.message, /no answer for 1 s/)
  t.ok(ms < 4000, `${ms} ms`)
})
