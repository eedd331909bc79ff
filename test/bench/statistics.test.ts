/** Tests of the benchmark's statistics. */
import t from 'tap'
import { difference, figure, growth, median, ratio, spread } from '../../bench/statistics.js'

t.test('medians and spreads', async (t) => {
  t.equal(median([9, 1, 5]), 5)
  t.equal(median([4, 1, 2, 9]), 3, 'the mean of the middle two')
  t.equal(spread([1, 2, 3, 4, 100]), 1, 'one that is far off does not count')
  t.ok(Number.isNaN(median([])), 'of nothing')
})

t.test('ratios keep the spread in the same units', async (t) => {
  t.strictSame(ratio({ value: 60, spread: 3 }, { value: 40, spread: 9 }), { value: 1.5, spread: 0.075 })
  t.strictSame(figure([10, 12, 14]), { value: 12, spread: 2 })
})

t.test('a difference is taken round by round', async (t) => {
  t.strictSame(difference([15, 115, 17], [10, 110, 10], 5), { value: 1, spread: 0 })
})

t.test('growth is the exponent', async (t) => {
  const at = (of: (x: number) => number): number =>
    growth([100, 1_000, 10_000, 100_000].map((x) => [x, of(x)] as const))
  t.equal(at((x) => 3 * x).toFixed(3), '1.000')
  t.equal(at(() => 7).toFixed(3), '0.000')
  t.equal(at((x) => x * x).toFixed(3), '2.000')
  t.ok(at((x) => Math.log(x)) < 0.2, 'a logarithm is nearly none')
})
