/** Terms: dates and lengths of time as people write them. */
import t from 'tap'
import { Failure } from '../../lib/failure.js'
import { parseEnd, parseInstant, parseSince } from '../../lib/text/durations.js'

const NOW = new Date(2026, 10, 24, 8, 12).getTime()
const DAY = 86_400_000

t.test('lengths of time', (t) => {
  const lengths: [string, number][] = [
    ['1h', DAY / 24],
    ['30d', 30 * DAY],
    ['2w', 14 * DAY],
    ['1y', 365 * DAY],
  ]
  for (const [text, length] of lengths) {
    t.equal(parseEnd('--until', text, NOW), NOW + length, text)
    t.equal(parseSince('--since', text, NOW), NOW - length, text)
  }
  t.end()
})

t.test('days: an end is the end of that day, a begin its begin, both in the local zone', (t) => {
  t.equal(parseEnd('--until', '2026-12-31', NOW), new Date(2027, 0, 1).getTime() - 1)
  t.equal(
    parseEnd('--until', '2026-11-24', NOW),
    new Date(2026, 10, 25).getTime() - 1,
    'today has not passed',
  )
  t.equal(parseEnd('--until', '2028-02-29', NOW), new Date(2028, 2, 1).getTime() - 1)
  t.equal(parseSince('--since', '2026-01-01', NOW), new Date(2026, 0, 1).getTime())
  t.end()
})

t.test('what is neither', (t) => {
  const neither = 'it is no date as 2026-12-31 and no time as 30d'
  const bad: [string, string][] = [
    ['2026-11-23', 'that day has passed'],
    ...[
      '',
      '30',
      'd',
      '0d',
      '-1d',
      '1m',
      '1.5d',
      '2026-13-01',
      '2026-02-30',
      '31.12.2026',
      '2026-1-1',
      '123456d',
    ].map((text): [string, string] => [text, neither]),
  ]
  for (const [text, why] of bad) {
    t.throws(() => parseEnd('--until', text, NOW), {
      message: `--until ${JSON.stringify(text)}: ${why}`,
      status: 2,
    })
    if (why === neither) t.throws(() => parseSince('--since', text, NOW), Failure, text)
  }
  t.end()
})

t.test('instants, as exports have them', (t) => {
  const instants: [string, number | undefined][] = [
    ['1970-01-01T00:00:00.001Z', 1],
    ['2027-01-01T01:30:00+01:30', Date.UTC(2027, 0, 1)],
    [new Date(8.64e15).toISOString(), 8.64e15],
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
    ['2027-02-29T00:00:00Z', undefined],
    ['2027-13-01T00:00:00Z', undefined],
    ['2027-01-01T25:00:00Z', undefined],
    ['2027-01-01T00:00:00', undefined],
    ['2027-01-01', undefined],
    ['30d', undefined],
    ['', undefined],
  ]
  for (const [text, time] of instants) t.equal(parseInstant(text), time, text)
  t.end()
})
