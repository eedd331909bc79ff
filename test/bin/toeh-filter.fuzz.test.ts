/** Fuzz of toeh-filter: whole programs, random messages in random pieces; bytes in equal bytes out. */
import fc from 'fast-check'
import t from 'tap'
import { message, unstuff } from '../support/bytes.js'
import { type Lab, makeLab, outcomeOf } from '../support/lab.js'
import { cannotRun, type Postfix, Postfix as PrivatePostfix, withoutReceived } from '../support/postfix.js'
import { assertSame, FUZZ_RUNS, holds } from '../support/property.js'
import { makeScript, type Script } from '../support/script.js'

const HEAD = Buffer.from('Subject: x\n\n')
const PIECE = 64 * 1024

/** What the pipe of one read may end in the middle of. */
const atEdge = fc
  .tuple(fc.integer({ min: -3, max: 3 }), fc.constantFrom('\n.\n', '\n..\n', '\r\n.\r\n', '.\n', '\n'))
  .map(([shift, text]) => [
    HEAD,
    Buffer.alloc(PIECE - HEAD.length + shift, 'y'),
    Buffer.from(text),
    Buffer.from('z'),
  ])
const large = fc.constantFrom<Buffer[]>(
  [Buffer.alloc(300_000, 'x')],
  [Buffer.from(`X-Long: ${'h'.repeat(200_000)}\n\nbody\n`)],
  [Buffer.from(`${'X-A: b\n'.repeat(20_000)}\n`)],
  [Buffer.alloc(200_000, '.\n')],
  [Buffer.alloc(200_000, '\r')],
  [Buffer.alloc(200_000, 0)],
  [Buffer.alloc(200_000, 0xff)],
)
const any = fc.oneof(
  { weight: 6, arbitrary: message },
  { weight: 2, arbitrary: message.map((pieces) => [HEAD, ...pieces]) },
  { weight: 2, arbitrary: atEdge },
  { weight: 1, arbitrary: large },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('Subject: only a head', 'Subject: x\n', '\n', '.', '.\n', '\0')
      .map((text) => [Buffer.from(text)]),
  },
)

let run = 0

/** One run of the filter, its input written piece by piece. */
async function pass(lab: Lab, pieces: readonly Buffer[], recipient: string): Promise<number | null> {
  const child = lab.startFilter({
    recipients: [recipient],
    queueId: `4bQ8Yk2h${String(++run).padStart(6, 'z')}`,
  })
  const ended = outcomeOf(child)
  child.stdin?.on('error', () => {})
  for (const piece of pieces) await new Promise((done) => child.stdin?.write(piece, done))
  child.stdin?.end()
  return (await ended).code
}

/** Asserts that the script got exactly these bytes; a last line that was open is closed. */
function same(script: Script, bytes: Buffer): void {
  const closed = bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, Buffer.from('\n')])
  const got = unstuff(script.data)
  if (!got.equals(closed))
    assertSame(got.toString('latin1').slice(0, 300), closed.toString('latin1').slice(0, 300))
}

t.test('bytes in, bytes out', { timeout: 60_000 + 20_000 * FUZZ_RUNS }, async (t) => {
  const script = await makeScript(t)
  const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${script.port}"`)
  const whole = fc.asyncProperty(any, async (pieces) => {
    const bytes = Buffer.concat(pieces)
    script.data = Buffer.alloc(0)
    script.raw = Buffer.alloc(0)
    const code = await pass(lab, pieces, 'bob@corp.test')
    // An empty message is one whose writer has died: it stays with Postfix.
    assertSame(code, bytes.length === 0 ? 75 : 0, 'status')
    if (bytes.length === 0) assertSame(script.data.length, 0, 'nothing sent')
    else same(script, bytes)
  })
  await holds(t, 'messages', 60, whole, 15_000)
  t.ok(run > 10, `${run} runs`)
})

t.test('cut at every place', async (t) => {
  const script = await makeScript(t)
  const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${script.port}"`)
  const bytes = Buffer.from('A: b\n\n.\n..\r\n.\r\n\n.x\0\xff\n.', 'latin1')
  for (let at = 0; at <= bytes.length; at += FUZZ_RUNS > 1 ? 1 : 3) {
    t.equal(await pass(lab, [bytes.subarray(0, at), bytes.subarray(at)], 'bob@corp.test'), 0)
    same(script, bytes)
  }
})

t.test(
  'through a real Postfix: the gate changes nothing that Postfix does not',
  { skip: cannotRun(), timeout: 120_000 },
  async (t) => {
    const postfix: Postfix = await PrivatePostfix.start(t)
    const bodies = [
      '.\n..\n.x\n',
      'a\rb\r\rc\n',
      `${'x'.repeat(998)}\n${'y'.repeat(999)}\n${'z'.repeat(70_000)}\n`,
      '\xe9\xff\x80 8-bit\n',
      'nul \0 nul\n',
      '\n\n\n',
      'From x\n>From y\n',
      `${'.\n'.repeat(40_000)}`,
    ]
    for (const body of bodies) {
      const bytes = Buffer.from(
        `Subject: x\nMessage-ID: <a@corp.test>\nDate: Tue, 24 Nov 2026 10:00:00 +0000\nFrom: a@corp.test\nTo: b@corp.test\n\n${body}`,
        'latin1',
      )
      const seen: string[] = []
      for (const port of [postfix.ungated, postfix.submission]) {
        postfix.sink.mails.length = 0
        await postfix.submit('anna@corp.test', ['b@corp.test'], bytes, { port, mail: ' BODY=8BITMIME' })
        const mails = await postfix.settled()
        t.equal(mails.length, 1)
        seen.push(withoutReceived(mails[0]?.bytes ?? Buffer.alloc(0)))
      }
      t.ok(seen[0] === seen[1] && (seen[0]?.length ?? 0) > body.length, JSON.stringify(body.slice(0, 30)))
    }
  },
)
