/** Tests of the benchmark's account and pictures: what is said of noise, of gaps, and where it is written. */
import t from 'tap'
import { putBetween, tell, tellResults } from '../../bench/account.js'
import { drawBars, drawLines } from '../../bench/plot.js'
import type { Figure } from '../../bench/statistics.js'

const of = (value: number, spread = 0): Figure => ({ value, spread })
const MACHINE = { date: '2026-11-24 12:00', commit: 'abc', node: '20', processors: '2', postfix: '3.7' }
const QUIET = { others: 0.02, load: [0.1, 0.3] as [number, number] }

t.test('a wide spread is marked', async (t) => {
  t.equal(tell(of(1.5, 0.15), 2), '1.50 ± 0.15')
  t.equal(tell(of(1.5, 0.16), 2), '1.50 ± 0.16 (noisy)')
  t.equal(tell(of(Number.NaN), 2), '')
})

t.test('tables', async (t) => {
  const row = (name: string, value: number) => ({ name, wall: of(value), cpu: of(value), memory: of(40) })
  const processes = {
    rounds: 5,
    rows: [
      row('bare node', 40),
      row('known, 1 recipient, 10 rules', 60),
      row('known, 50 recipients', 63),
      row('unknown, 1 recipient, 10 rules', 70),
      row('unknown, 50 recipients', 84),
    ],
    further: [{ name: 'known, 50 recipients', cost: of(0.06, 0.01) }],
    ...QUIET,
  }
  const throughput = {
    rounds: 3,
    ways: [
      { name: 'no filter', rates: [], rate: of(300, 3), messages: 900 },
      { name: 'toeh-filter by pipe(8), known', rates: [1, 2], rate: of(30, 1), messages: 90 },
      { name: 'amavis as installed', rates: [1, 2, 3], rate: of(15, 4), messages: 60 },
      { name: 'amavis, bare', rates: [], rate: of(60, 1), messages: 60 },
    ],
    missing: [{ name: 'a gate', why: 'needs root' }],
    deferred: [],
    others: 0.4,
    load: [2, 3] as [number, number],
  }
  const hold = {
    rounds: 3,
    sizes: [100, 1000],
    rows: [
      { name: 'toeh show', all: false, cpu: [of(100), of(100)], wall: [] },
      { name: 'toeh list', all: true, cpu: [of(10), of(100)], wall: [] },
    ],
    ...QUIET,
  }
  const text = tellResults({ machine: MACHINE, processes, throughput, growth: hold })
  for (const line of [
    '2026-11-24 12:00, commit abc, Node 20, 2, Postfix 3.7.',
    '| known, 50 recipients | 1.57 ± 0.00 | 1.57 ± 0.00 | 1.00 |',
    '50 known recipients take 1.05 ± 0.00 times as long as one.',
    '50 unknown recipients take 1.20 ± 0.00 times as long as one.',
    '| known, 50 recipients | 0.060 ± 0.010 |',
    '| toeh-filter by pipe(8), known | 30 ± 1 | 0.10 | 2 × 90 messages |',
    '| amavis as installed | 15 ± 4 (noisy) | 0.05 | 3 × 60 messages |',
    '| a gate | needs root |  |  |',
    'passes 2.00 times as many as amavis as installed; 0.50 times as many as amavis, bare.',
    '**The machine was too busy to go by this: others had 40 % of it**',
    '| toeh show | 100 | 100 | 1.00 | 0.00 |',
    '| toeh list | 10 | 100 | 10.00 | 1.00 |',
  ])
    t.ok(text.includes(line), line)
  t.equal(text.match(/too busy/g)?.length, 1, 'only the part that was disturbed')
  t.notMatch(tellResults({ machine: MACHINE }), /###/, 'what was not measured is not told of')
})

t.test('the document keeps what is not between the marks', async (t) => {
  const document = 'a\n<!-- npm run bench writes from here -->\nold\n<!-- to here -->\nb\n'
  const once = putBetween(document, 'new')
  t.equal(once, 'a\n<!-- npm run bench writes from here -->\n\nnew\n\n<!-- to here -->\nb\n')
  t.equal(putBetween(once, 'new'), once)
  t.throws(() => putBetween('a\n', 'new'), /no place/)
})

t.test('pictures', async (t) => {
  const bars = drawBars(
    'Two',
    [
      { name: 'a & b', value: of(100, 10) },
      { name: 'c', value: of(50) },
    ],
    'a second',
  )
  const widths = [...bars.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width))
  t.equal(((widths[0] ?? 0) / (widths[1] ?? 1)).toFixed(2), '2.00')
  t.match(bars, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
  t.match(bars, 'a &amp; b')
  const points = [100, 1000, 10_000]
  const lines = drawLines(
    'Growth',
    [
      { name: 'as x', points: points.map((x) => [x, x] as const) },
      { name: 'not at all', points: points.map((x) => [x, 100] as const) },
    ],
    'x',
    'y',
  )
  const paths = [...lines.matchAll(/points="([^"]+)"/g)].map(([, path]) =>
    (path ?? '').split(' ').map((point) => point.split(',').map(Number) as [number, number]),
  )
  const rising = paths.find(([first, second]) => first?.[1] !== second?.[1]) ?? []
  t.equal(rising[0]?.[1], 380, 'the least stands on the axis')
  t.equal(rising[2]?.[1], 44, 'the most at the top')
  t.equal(rising[1]?.[1], 212, 'what grows as x does is straight')
  t.notMatch(lines, /NaN|undefined/)
})
