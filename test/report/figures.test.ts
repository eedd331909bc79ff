/** Figures: what is counted, once, on its day; and what is not. */
import t from 'tap'
import {
  FigureCount,
  type RuleFact,
  type SettledFact,
  SPANS,
  sumUp,
  type WaitingFact,
} from '../../lib/report/figures.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const at = (day: number, hour = 12): number => new Date(2026, 10, day, hour).getTime()
const iso = (day: number, hour = 12): string => new Date(at(day, hour)).toISOString()

const NONE = sumUp([], 0)

interface Asked {
  to: string
  verdict?: string
  reason?: string
  did?: string
}

function decision(when: string, queueId: string, sender: string, ...recipients: Asked[]) {
  return {
    at: when,
    queueId,
    sender,
    recipients: recipients.map((one) => ({ verdict: 'pass', reason: 'allowed', did: 'passed', ...one })),
  }
}

const held = (to: string, did = 'held'): Asked => ({ to, verdict: 'hold', reason: 'unknown', did })

t.test('recipients by day, by what was done', (t) => {
  const count = new FigureCount(at(1), at(5))
  count.add(decision(iso(2), 'A', 'anna@corp.test', { to: 'c@client.test' }, held('x@a.test')))
  // More than fifty recipients: a second run of the same message.
  count.add(decision(iso(2), 'A', 'anna@corp.test', { to: 'd@client.test' }))
  count.add(decision(iso(2, 13), 'B', 'ben@corp.test', held('x@a.test', 'nothing: held')))
  count.add(
    decision(iso(4), 'C', 'ben@corp.test', held('y@b.test', 'passed'), { to: 'g@c.test', did: 'refused' }),
  )
  const figures = count.figures([], NONE, [])
  const none = { messages: 0, passed: 0, held: 0, refused: 0, observed: 0, allows: 0, blocks: 0 }
  t.strictSame(figures.days, [
    { ...none, day: '2026-11-02', messages: 2, passed: 2, held: 1 },
    { ...none, day: '2026-11-03' },
    { ...none, day: '2026-11-04', messages: 1, refused: 1, observed: 1 },
    { ...none, day: '2026-11-05' },
  ])
  const { messages, passed, refused, observed, reasons } = figures
  t.strictSame(
    { messages, passed, held: figures.held, refused, observed, reasons },
    { messages: 3, passed: 2, held: 1, refused: 1, observed: 1, reasons: { allowed: 3, unknown: 2 } },
  )
  t.strictSame(
    figures.senders,
    [
      { sender: 'anna@corp.test', recipients: 3, held: 1 },
      { sender: 'ben@corp.test', recipients: 2, held: 2 },
    ].sort((a, b) => b.held - a.held),
  )
  t.end()
})

t.test('nothing from before, from the future, or without a time', (t) => {
  const count = new FigureCount(at(3), at(5))
  for (const when of [iso(2), iso(6), '', 'soon'])
    count.add(decision(when, 'A', 'a@corp.test', held('x@a.test')))
  const figures = count.figures([], NONE, [])
  t.match(figures, { messages: 0, held: 0, newest: [], senders: [] })
  t.equal(figures.days.length, 1, 'today alone')
  t.end()
})

t.test('however long ago, an axis has an end', (t) => {
  const count = new FigureCount(0, at(5))
  t.equal(count.since, at(5) - 3660 * DAY)
  count.add(decision(new Date(at(5) - 3650 * DAY).toISOString(), 'A', '', { to: 'c@client.test' }))
  t.equal(count.figures([], NONE, []).days.length, 3651)
  t.end()
})

const fact = (state: string, heldAt: number, changedAt: number): SettledFact => ({ state, heldAt, changedAt })

t.test('time to release: of what was released in the time, whenever it was held', (t) => {
  const facts = [
    fact('released', at(1), at(1) + HOUR),
    fact('released', at(3), at(3) + HOUR),
    fact('released', at(3), at(3) + 2 * HOUR),
    fact('released', at(2) - 5 * DAY, at(4)),
    fact('rejected', at(3), at(4)),
    fact('expired', at(3), at(4)),
  ]
  const { settled, release, days } = new FigureCount(at(2), at(5)).figures(facts, NONE, [])
  t.strictSame(settled, { released: 3, rejected: 1, expired: 1 })
  t.strictSame(release, { median: 2 * HOUR, ninetieth: 7 * DAY, spans: [1, 1, 0, 0, 1, 0] })
  t.equal(days[0]?.day, '2026-11-03', 'a day with a release is one with something on it')
  const empty = new FigureCount(at(2), at(5)).figures([], NONE, []).release
  t.strictSame(empty, { median: null, ninetieth: null, spans: [0, 0, 0, 0, 0, 0] })
  t.end()
})

t.test('what waits, by how long', (t) => {
  const now = at(20)
  const waiting = [...SPANS.map((span) => span), SPANS[4] ?? 0]
    .map((span, index) => (index === 5 ? span + 1 : span))
    .reverse()
    .map((age, index): WaitingFact => {
      const recipients = [{ address: `${index}@a.test`, reason: 'unknown' }]
      return { id: `${index}`, sender: '', size: 10, heldAt: now - age, expiresAt: now, recipients }
    })
  const figures = new FigureCount(at(19), now).figures([], sumUp(waiting, now), []).waiting
  t.strictSame(figures.spans, [1, 1, 1, 1, 1, 1])
  t.match(figures, { messages: 6, recipients: 6, bytes: 60, oldest: now - 7 * DAY - 1 })
  t.match(figures.longest[0], { id: '0', first: '0@a.test', recipients: 1 })
  const many = Array.from({ length: 40 }, () => waiting[0] as WaitingFact)
  const most = new FigureCount(at(19), now).figures([], sumUp(many, now), []).waiting
  t.strictSame([most.messages, most.longest.length], [40, 12])
  t.end()
})

t.test('the landscape at the end of each day, also where rules came and went before', (t) => {
  const rule = (from: number, to: number | null, effect: 'allow' | 'block' = 'allow'): RuleFact => {
    return { effect, value: `${from}.test`, addedBy: 'anna', from, to }
  }
  const rules = [
    rule(1, null),
    rule(2, at(1)),
    rule(at(2), null),
    rule(at(3), at(4)),
    rule(at(3, 10), at(3, 11)),
    rule(at(4), at(30)),
    rule(at(4), null, 'block'),
    rule(at(9), null),
  ]
  const count = new FigureCount(at(2, 0), at(5))
  count.add(decision(iso(2), 'A', '', { to: 'c@client.test' }))
  const figures = count.figures([], NONE, rules)
  t.strictSame(
    figures.days.map(({ day, allows, blocks }) => [day, allows, blocks]),
    [
      ['2026-11-02', 2, 0],
      ['2026-11-03', 3, 0],
      ['2026-11-04', 3, 1],
      ['2026-11-05', 3, 1],
    ],
  )
  t.match(figures.rules, { allows: 3, blocks: 1, grown: 2 })
  t.strictSame(
    figures.rules.newest.map(({ addedAt }) => addedAt),
    [at(4), at(4), at(2), 1],
    'live ones alone',
  )
  t.end()
})

t.test('newest destinations, and what has become of the last message to each', (t) => {
  const count = new FigureCount(at(1), at(9))
  const anna = 'anna@corp.test'
  count.add({ ...decision(iso(2), 'A', anna, held('Old@a.test')), hold: 'hold-a' })
  const both = decision(iso(3), 'B', 'ben@corp.test', held('old@a.test'), { to: 'known@a.test' })
  count.add({ ...both, hold: 'hold-b' })
  count.add(decision(iso(4), 'C', anna, held('seen@a.test', 'passed')))
  count.add({ ...decision(iso(5), 'D', anna, held('lost@a.test')), hold: 'hold-d' })
  t.strictSame(
    count.lastHolds(),
    [
      { hold: 'hold-d', address: 'lost@a.test' },
      { hold: 'hold-b', address: 'old@a.test' },
    ],
    'of each the last, as it was written; what only would have been held is in none',
  )
  const { newest } = count.figures([], NONE, [], new Map([['old@a.test', 'rejected']]))
  t.strictSame(
    newest.map(({ address, first, last, recipients, senders, state }) => [
      address,
      first,
      last,
      recipients,
      senders,
      state,
    ]),
    [
      ['lost@a.test', at(5), at(5), 1, 1, 'held'],
      ['seen@a.test', at(4), at(4), 1, 1, 'observed'],
      ['Old@a.test', at(2), at(3), 2, 2, 'rejected'],
    ],
  )
  t.end()
})
