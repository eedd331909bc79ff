/** Tests of legs.ts: scanners that hand back, ways out that are named, and list software that looks like a scanner. */
import t from 'tap'
import { Legs, parseWayOut } from '../../lib/logs/legs.js'
import type { Attempt } from '../../lib/logs/maillog.js'

const START = Date.UTC(2026, 10, 4, 5, 6, 7)
const SCANNER = 'scan.corp.test[10.0.0.9]:10025'
const MX = 'mx.b.test[198.51.100.1]:25'
const LOOPBACK = '127.0.0.1[127.0.0.1]:2525'

function attempt(id: string, relay: string, changes: Partial<Attempt> = {}): Attempt {
  const outward = !relay.includes('[127.') && relay !== ''
  return {
    at: START,
    host: 'mx',
    id,
    sender: 'anna@corp.test',
    submitted: true,
    login: '',
    recipient: 'bob@b.test',
    outward,
    delivered: outward,
    relay,
    sent: relay !== '',
    client: '',
    messageId: `<${id}@corp.test>`,
    originalId: '',
    ...changes,
  }
}

/** What left, as `id relay`, and what was left out. */
function legsOf(attempts: readonly Attempt[], ways: string[] = []): { left: string[]; out: string[] } {
  const legs = new Legs(ways.flatMap((way) => parseWayOut(way) ?? []))
  const settled = [...attempts.flatMap((one) => legs.take([one])), ...legs.end()]
  const left = settled.filter(({ outward }) => outward).map(({ id, relay }) => `${id} ${relay}`)
  t.equal(settled.length, attempts.length, 'nothing is lost')
  t.equal(legs.left, left.length)
  return { left, out: legs.leftOut.map(({ relay, recipients }) => `${relay} ${recipients}`) }
}

t.test('mail that goes straight out', async (t) => {
  t.strictSame(legsOf([attempt('A', MX), attempt('B', 'mx.c.test[198.51.100.2]:25')]), {
    left: [`A ${MX}`, 'B mx.c.test[198.51.100.2]:25'],
    out: [],
  })
})

t.test('a scanner on another host, that says which message it was', async (t) => {
  // Its first leg is logged before or after the second.
  const second = attempt('B', MX, { originalId: 'A', client: '10.0.0.9' })
  for (const attempts of [
    [attempt('A', SCANNER), second],
    [second, attempt('A', SCANNER)],
  ])
    t.strictSame(legsOf(attempts), { left: [`B ${MX}`], out: [`${SCANNER} 1`] })
})

t.test(
  'a scanner that says nothing: the same message-id and recipient; what it bounced is left out too',
  async (t) => {
    const back = { client: '10.0.0.9', messageId: '<A@corp.test>' }
    const attempts = [
      attempt('X', SCANNER, { recipient: 'never@bounced.test' }),
      attempt('A', SCANNER),
      attempt('B', MX, { ...back, at: START + 5000 }),
      attempt('Y', SCANNER, { recipient: 'nobody@bounced.test', at: START + 9000 }),
    ]
    t.strictSame(legsOf(attempts), { left: [`B ${MX}`], out: [`${SCANNER} 3`] })
    // By another Postfix, whose log is read as well.
    const elsewhere = [attempt('A', SCANNER), attempt('B', MX, { ...back, host: 'out', at: START + 5000 })]
    t.strictSame(legsOf(elsewhere).left, [`B ${MX}`])
  },
)

t.test('what only looks like a scanner', async (t) => {
  const smart = 'smart.corp.test[10.0.0.8]:25'
  const again = { messageId: '<A@corp.test>', at: START + 5000 }
  const innocent: [string, Attempt[]][] = [
    [
      'list software on the smarthost',
      [attempt('A', smart), attempt('B', smart, { ...again, client: '10.0.0.8' })],
    ],
    ['list software on loopback', [attempt('A', MX), attempt('B', smart, { ...again, client: '127.0.0.1' })]],
    [
      'a list of a partner, that comes back to a colleague',
      [attempt('A', MX), attempt('B', '', { ...again, client: '198.51.100.1', outward: false })],
    ],
    [
      'another recipient',
      [attempt('A', MX), attempt('B', smart, { ...again, client: '198.51.100.1', recipient: 'x@y.test' })],
    ],
    [
      'no message-id',
      [attempt('A', MX, { messageId: '' }), attempt('B', smart, { client: '198.51.100.1', messageId: '' })],
    ],
  ]
  for (const [what, attempts] of innocent) t.strictSame(legsOf(attempts).out, [], what)
})

t.test('loopback', async (t) => {
  t.strictSame(legsOf([attempt('A', LOOPBACK)]), { left: [], out: [`${LOOPBACK} 1`] })
  t.strictSame(legsOf([attempt('A', LOOPBACK)], ['127.0.0.1:2525']), { left: [`A ${LOOPBACK}`], out: [] })
  for (const [way, is] of [
    ['127.0.0.1', true],
    ['[127.0.0.1]:2525', true],
    ['localhost:2525', false],
    ['127.0.0.1:25', false],
  ] as const)
    t.equal(legsOf([attempt('A', LOOPBACK)], [way]).left.length, is ? 1 : 0, way)
})

t.test('a named way out is the only one', async (t) => {
  const smart = 'Smart.corp.test[2001:db8::8]:587'
  const attempts = [
    attempt('A', SCANNER),
    attempt('B', smart),
    attempt('C', LOOPBACK),
    attempt('D', '', { outward: true }),
  ]
  for (const way of ['smart.corp.test', 'SMART.corp.test.:587', '2001:db8::8', '[2001:db8::8]:587'])
    t.strictSame(
      legsOf(attempts, [way]),
      { left: [`B ${smart}`, 'D '], out: [`${LOOPBACK} 1`, `${SCANNER} 1`] },
      `${way}: where nobody answered it is still mail that leaves`,
    )
})

t.test('one message-id for all, and short ids that come back', async (t) => {
  const same = Array.from({ length: 2000 }, (_, i) =>
    attempt(`A${i}`, MX, { messageId: '<x>', recipient: `r${i}@b.test` }),
  )
  t.equal(legsOf(same).left.length, 2000)
  const short = Array.from({ length: 50 }, (_, i) =>
    attempt('3F2A1B7C9D', MX, { host: `mx${i % 3}`, recipient: `r${i}@b.test` }),
  )
  const back = attempt('B', 'mx.c.test[198.51.100.2]:25', {
    originalId: '3F2A1B7C9D',
    host: 'mx9',
    client: '10.0.0.9',
  })
  t.strictSame(legsOf([...short, back]).out, [], 'of another host')
})

t.test('a day of mail, in bounded memory', async (t) => {
  const legs = new Legs()
  let settled = 0
  for (let i = 0; i < 150_000; i++)
    settled += legs.take([attempt(`I${i}`, MX, { at: START + i * 500, recipient: `r${i}@b.test` })]).length
  t.ok(settled > 148_000)
  t.equal(settled + legs.end().length, 150_000)
})
