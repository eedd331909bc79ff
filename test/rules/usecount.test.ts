/** Tests of usage.ts: what counts once, what old uses are summed up to, and the words in each language. */
import t from 'tap'
import { describeUsage, horizonsAt, periodOf, type Usage, UseCount } from '../../lib/rules/usecount.js'

process.env.TZ = 'UTC'

t.test('a message counts once for each rule and day', (t) => {
  const count = new UseCount()
  const seen: [rule: number, day: string, host: string, id: string][] = [
    [1, '2026-11-20', 'mx', 'A'],
    [1, '2026-11-20', 'mx', 'A'],
    [1, '2026-11-20', 'mx2', 'A'],
    [1, '2026-11-21', 'mx', 'A'],
    [2, '2026-11-20', 'mx', 'A'],
    [1, '2026-11-20', 'mx', 'B'],
  ]
  for (const use of seen) count.add(...use)
  t.strictSame(
    count.uses().map(({ rule, day, messages }) => `${rule} ${day} ${messages}`),
    ['1 2026-11-20 3', '1 2026-11-21 1', '2 2026-11-20 1'],
  )
  t.end()
})

t.test('days, months, years', (t) => {
  const table: [now: string, day: string, month: string][] = [
    ['2026-11-24', '2026-08-01', '2024-01'],
    ['2026-02-01', '2025-11-01', '2024-01'],
    ['2027-01-31', '2026-10-01', '2025-01'],
  ]
  for (const [now, day, month] of table) t.strictSame(horizonsAt(Date.parse(now)), { day, month }, now)
  const horizons = horizonsAt(Date.parse('2026-11-24'))
  const periods: [string, string][] = [
    ['2026-11-24', '2026-11-24'],
    ['2026-08-01', '2026-08-01'],
    ['2026-07-31', '2026-07'],
    ['2024-01-01', '2024-01'],
    ['2023-12-31', '2023'],
  ]
  for (const [day, period] of periods) t.equal(periodOf(day, horizons), period)
  t.end()
})

const NOW = Date.UTC(2026, 10, 24, 12) // A Tuesday.

t.test('in words', (t) => {
  const table: [messages: number, since: string, last: string, english: string, french: string][] = [
    [
      214,
      '2024-03',
      '2026-11-17',
      '214 messages since March 2024, last on 2026-11-17',
      '214 messages depuis mars 2024, le dernier le 2026-11-17',
    ],
    [
      214,
      '2023',
      '2026-11-20',
      '214 messages since 2023, last on Friday',
      '214 messages depuis 2023, le dernier vendredi',
    ],
    [
      2,
      '2026-11-18',
      '2026-11-24',
      '2 messages since 2026-11-18, last today',
      '2 messages depuis le 2026-11-18, le dernier aujourd’hui',
    ],
    [
      9,
      '2026-08-30',
      '2026-11-18',
      '9 messages since August 2026, last on Wednesday',
      '9 messages depuis août 2026, le dernier mercredi',
    ],
    [
      30,
      '2024-03',
      '2025-04',
      '30 messages since March 2024, last in April 2025',
      '30 messages depuis mars 2024, le dernier en avril 2025',
    ],
    [
      30,
      '2022',
      '2023',
      '30 messages since 2022, last in 2023',
      '30 messages depuis 2022, le dernier en 2023',
    ],
    [1, '2026-11-24', '2026-11-24', '1 message, today', '1 message, aujourd’hui'],
    [1, '2026-11-23', '2026-11-23', '1 message, on Monday', '1 message, lundi'],
    [3, '2026-11-03', '2026-11-03', '3 messages, on 2026-11-03', '3 messages, le 2026-11-03'],
    [3, '2025-03', '2025-03', '3 messages, in March 2025', '3 messages, en mars 2025'],
    [1, '2026-11-25', '2026-11-25', '1 message, on 2026-11-25', '1 message, le 2026-11-25'],
  ]
  for (const [messages, since, last, english, french] of table) {
    const usage: Usage = { messages, since, last }
    t.equal(describeUsage(usage, 'en', NOW), english)
    t.equal(describeUsage(usage, 'fr', NOW), french)
  }
  const recent = { messages: 2, since: '2026-11-18', last: '2026-11-24' }
  t.equal(describeUsage(recent), '2 messages since 2026-11-18, last on 2026-11-24', 'without a now')
  t.equal(describeUsage(null), 'no message counted')
  t.equal(describeUsage(null, 'fr'), 'aucun message compté')
  t.end()
})
