/** Tests of display.ts: what could deceive is shown as its code point. */
import t from 'tap'
import { localTime, shortAge, shortSize, visible } from '../../lib/text/visible.js'

process.env.TZ = 'Europe/Paris'

t.test('what is hidden becomes visible', (t) => {
  const hidden = [
    0x00,
    0x07,
    0x08,
    0x09,
    0x0a,
    0x0d,
    0x1b,
    0x7f,
    0x85,
    0x9b, // controls, C1 CSI among them
    0xad,
    0x61c,
    0x200b,
    0x200c,
    0x200d,
    0x200e,
    0x200f,
    0x2060,
    0xfeff, // zero width and marks
    0x202a,
    0x202b,
    0x202c,
    0x202d,
    0x202e,
    0x2066,
    0x2067,
    0x2068,
    0x2069, // reading direction
    0x2028,
    0x2029,
    0x34f,
    0x115f,
    0x1160,
    0x17b4,
    0x180b,
    0x180e,
    0x3164,
    0xffa0, // separators, no ink
    0xfe00,
    0xfe0f,
    0xe0100,
    0xe01ef,
    0xe0001,
    0xe0041,
    0xe000,
    0xf0000,
    0xd800,
    0xdfff, // selectors, tags, private
  ]
  for (const code of hidden) {
    const shown = `\\u{${code.toString(16)}}`
    t.equal(visible(`a${String.fromCodePoint(code)}b`), `a${shown}b`, shown)
  }
  t.equal(visible('\u{202e}\u{202e}gpj.exe'), '\\u{202e}\\u{202e}gpj.exe')
  t.equal(visible('\x1b[31mred\x1b]0;title\x07'), '\\u{1b}[31mred\\u{1b}]0;title\\u{7}')
  t.end()
})

t.test('what is honest stays', (t) => {
  for (const text of [
    '',
    'anna@corp.test',
    'Grüße, ½ €',
    'e\u{301}',
    '請求書',
    'שלום',
    '😀',
    'a\\b',
    '\u{a0}',
  ]) {
    t.equal(visible(text), text, text)
  }
  t.end()
})

t.test('sizes', (t) => {
  const sizes: [number, string][] = [
    [0, '0'],
    [1, '1'],
    [999, '999'],
    [1000, '1.0k'],
    [1024, '1.0k'],
    [1536, '1.5k'],
    [10188, '9.9k'],
    [10189, '10k'],
    [25 * 1024, '25k'],
    [999 * 1024, '999k'],
    [1000 * 1024, '1.0M'],
    [25 * 1024 ** 2, '25M'],
    [3 * 1024 ** 3, '3.0G'],
    [5000 * 1024 ** 3, '5000G'],
  ]
  for (const [bytes, text] of sizes) t.equal(shortSize(bytes), text, `${bytes}`)
  t.end()
})

t.test('ages', (t) => {
  const ages: [number, string][] = [
    [-5000, '0s'],
    [0, '0s'],
    [999, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3_599_999, '59m'],
    [3_600_000, '1h'],
    [86_399_999, '23h'],
    [86_400_000, '1d'],
    [12 * 86_400_000, '12d'],
  ]
  for (const [milliseconds, text] of ages) t.equal(shortAge(milliseconds), text, `${milliseconds}`)
  t.end()
})

t.test('a point in time, in the local zone', (t) => {
  t.equal(localTime(Date.UTC(2026, 0, 2, 3, 4, 59)), '2026-01-02 04:04')
  t.equal(localTime(Date.UTC(2026, 6, 2, 23, 30)), '2026-07-03 01:30')
  t.end()
})
