/** Properties of smtp.ts: what is decided is what is sent, byte for byte, and nothing else is. */
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { Failure } from '../../lib/failure.js'
import { sendBySmtp } from '../../lib/mail/smtp.js'
import type { Delivery, Refusal } from '../../lib/mail/transaction.js'
import { decide } from '../../lib/rules/decide.js'
import { message, unstuff } from '../support/bytes.js'
import { goByHandles } from '../support/handles.js'
import { CLIENT, pieces } from '../support/held.js'
import { makeFacts, smallRecipient, smallSender, world } from '../support/landscape.js'
import { assertSame, holds } from '../support/property.js'
import { ehlo, makeScript, type Script } from '../support/script.js'
import { strangeAddress } from '../support/strange.js'

type Code = '250' | '450' | '550'

/** How one conversation goes: the answer to each RCPT, and what EHLO offers. */
interface Course {
  codes: readonly Code[]
  pipelining: boolean
}

/** A server for every conversation of a test, one after the other. */
class Peer {
  readonly script: Script
  readonly #next: { course: Course; asked: number }

  private constructor(script: Script, next: { course: Course; asked: number }) {
    this.script = script
    this.#next = next
  }

  static async start(t: Test): Promise<Peer> {
    const next = { course: { codes: [], pipelining: true } as Course, asked: 0 }
    const script = await makeScript(t, {
      EHLO: () => {
        const pipelining = next.course.pipelining ? ['PIPELINING'] : []
        return ehlo('SMTPUTF8', '8BITMIME', 'XFORWARD NAME HELO', ...pipelining)
      },
      RCPT: () => `${next.course.codes[next.asked++] ?? '250'} 2.1.5 Answer`,
    })
    return new Peer(script, next)
  }

  prepare(course: Course): void {
    this.#next.course = course
    this.#next.asked = 0
    this.script.raw = Buffer.alloc(0)
    this.script.lines.length = 0
  }

  /** The lines of the conversation up to DATA, as bytes, without the client's greeting. */
  heard(): string[] {
    const lines = this.script.raw.toString('latin1').split('\r\n')
    const end = lines.indexOf('DATA')
    return (end < 0 ? lines.slice(0, -1) : lines.slice(0, end)).filter(
      (line) => !/^(?:EHLO|XFORWARD) /.test(line),
    )
  }

  /** Waits for QUIT, so that it is not taken for the next conversation's. */
  async over(): Promise<void> {
    while (!this.script.lines.includes('QUIT')) await turn()
  }
}

interface Given {
  sender: string
  recipients: readonly string[]
  message: readonly Buffer[]
  helo: string
}

interface Outcome {
  delivery?: Delivery
  failure?: Failure
  refused: string[]
}

async function send(peer: Peer, given: Given, course: Course): Promise<Outcome> {
  peer.prepare(course)
  const refused: string[] = []
  try {
    const delivery = await sendBySmtp(
      { host: '127.0.0.1', port: peer.script.port, replyMs: 5000, answerMs: 5000 },
      {
        sender: given.sender,
        recipients: given.recipients,
        size: 1,
        eightBit: true,
        origin: { client: { ...CLIENT, helo: given.helo }, queueId: '4bQ8Yk2hJnz1' },
        open: () => pieces(...given.message),
        onRefused: async (some: readonly Refusal[]) => {
          refused.push(...some.map(({ recipient }) => recipient))
        },
      },
    )
    await peer.over()
    return { delivery, refused }
  } catch (error) {
    if (!(error instanceof Failure) || error.status !== 75) throw error
    return { failure: error, refused }
  }
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
const rcpt = (to: string): string => latin1(`RCPT TO:<${to}>`)

const course: fc.Arbitrary<Course> = fc.record({
  codes: fc.oneof(
    fc.constant<Code[]>([]),
    fc.array(fc.constantFrom<Code>('250', '250', '250', '550'), { maxLength: 10 }),
    fc.array(fc.constantFrom<Code>('250', '550', '450'), { maxLength: 10 }),
  ),
  pipelining: fc.boolean(),
})
const helo = fc.oneof(strangeAddress, fc.constantFrom('pc', '\r\nRCPT TO:<x@evil.test>', ''))

/** What a conversation must have been, RCPT by RCPT, and what must have come of it. */
function assertWhole(peer: Peer, given: Given, { codes }: Course, outcome: Outcome): void {
  const { recipients } = given
  const answers = recipients.map((_, index) => codes[index] ?? '250')
  const deferredAt = answers.indexOf('450')
  const [mail, ...rest] = peer.heard()
  assertSame(mail?.startsWith(latin1(`MAIL FROM:<${given.sender}>`)), true, 'MAIL')
  if (deferredAt >= 0) {
    // Every RCPT was on its way already, or is asked for one by one; nothing of the message goes out.
    assertSame(
      rest.filter((line) => line !== 'RSET'),
      recipients.map(rcpt),
      'RCPT',
    )
    assertSame(
      [peer.script.lines.includes('DATA'), outcome.delivery],
      [false, undefined],
      'a deferred message',
    )
    return
  }
  assertSame(
    rest.filter((line) => line !== 'QUIT'),
    recipients.map(rcpt),
    'RCPT',
  )
  const accepted = recipients.filter((_, index) => answers[index] === '250')
  assertSame(outcome.delivery?.accepted, accepted, 'accepted')
  assertSame(
    outcome.refused,
    recipients.filter((_, index) => answers[index] === '550'),
    'refused',
  )
  assertSame(peer.script.lines.includes('DATA'), accepted.length > 0, 'DATA')
  if (accepted.length === 0) return
  const bytes = Buffer.concat(given.message)
  const closed = bytes.length > 0 && bytes.at(-1) !== 0x0a ? Buffer.concat([bytes, Buffer.from('\n')]) : bytes
  assertSame(unstuff(peer.script.data).equals(closed), true, 'the message')
}

goByHandles(true)

t.test('every recipient that passed is on the wire as it was given, and nobody else', async (t) => {
  const peer = await Peer.start(t)
  let sent = 0
  let held = 0
  const sender = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('anna@corp.test', '') }, smallSender)
  const recipients = fc.uniqueArray(smallRecipient, { minLength: 1, maxLength: 10 })
  const whole = fc.asyncProperty(
    world,
    sender,
    recipients,
    message,
    helo,
    course,
    async (world, sender, recipients, message, helo, course) => {
      const verdicts = decide({ sender, login: '', recipients }, makeFacts(world))
      const passing = verdicts.filter(({ pass }) => pass).map(({ recipient }) => recipient)
      held += recipients.length - passing.length
      sent += passing.length
      if (passing.length === 0) return
      for (const recipient of passing)
        assertSame(recipients.includes(recipient), true, 'a recipient of the envelope')
      const given = { sender, recipients: passing, message, helo }
      assertWhole(peer, given, course, await send(peer, given, course))
    },
  )
  const tried = await holds(t, 'conversations', 2500, whole)
  t.ok(
    sent > tried / 5 && held > tried / 5,
    `${sent} recipients sent, ${held} held of ${tried} conversations`,
  )
})

t.test('whatever it is handed: it is sent as it is, or nothing is said at all', async (t) => {
  const peer = await Peer.start(t)
  let sent = 0
  const recipients = fc.uniqueArray(fc.oneof(strangeAddress, smallRecipient), { minLength: 1, maxLength: 3 })
  const sender = fc.oneof(strangeAddress, fc.constantFrom('anna@corp.test', ''))
  const whole = fc.asyncProperty(
    sender,
    recipients,
    message,
    helo,
    course,
    async (from, to, message, helo, course) => {
      const given = { sender: from, recipients: to, message, helo }
      const outcome = await send(peer, given, course)
      if (peer.script.raw.length === 0) return assertSame(outcome.delivery, undefined, 'nothing was said')
      sent++
      assertWhole(peer, given, course, outcome)
    },
  )
  const tried = await holds(t, 'conversations', 2500, whole)
  t.ok(sent > tried / 10, `${sent} of ${tried} conversations`)
})
