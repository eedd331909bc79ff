/** Charts: heights are in proportion, a scale has a round end, and labels leave one another room. */
import t from 'tap'
import { drawBar, drawColumns, drawSteps } from '../../lib/report/chart.js'
import { grouped } from '../../lib/text/amounts.js'

const columns = (...values: number[][]) =>
  values.map((stack, index) => ({ label: `l${index}`, title: `t${index}`, values: stack }))

/** Height and class of each rectangle that shows something. */
function rectangles(svg: string): [string, number][] {
  return [...svg.matchAll(/<rect class="([a-z ]+)"[^>]* height="([0-9.]+)"/g)]
    .filter(([, name]) => name !== 'aim')
    .map(([, name = '', height]) => [name, Number(height)])
}

function ticks(svg: string): string[] {
  return [...svg.matchAll(/text-anchor="end">([0-9,.]+)</g)].map(([, text = '']) => text)
}

t.test('columns are as high as their values, stacked', (t) => {
  const svg = drawColumns(columns([50, 25], [0, 100], [0, 0]), ['held', 'refused'], 'a & b')
  t.strictSame(rectangles(svg), [
    ['held', 49],
    ['refused', 24.5],
    ['refused', 98],
  ])
  t.strictSame(ticks(svg), ['0', '50', '100'])
  t.match(svg, 'aria-label="a &amp; b"')
  t.match(svg, '<title>t1</title>')
  t.end()
})

t.test('one among thousands is still seen, and nothing is not', (t) => {
  const svg = drawColumns(columns([1], [5000], [0]), ['held'], '')
  t.strictSame(
    rectangles(svg).map(([, height]) => height),
    [1.5, 98],
  )
  t.end()
})

t.test('a scale ends at a round number that no value passes', (t) => {
  const ends: [number, string][] = [
    [0, '2'],
    [1, '2'],
    [3, '4'],
    [5, '5'],
    [6, '10'],
    [101, '200'],
    [1234, '2,000'],
    [4001, '5,000'],
  ]
  for (const [value, end] of ends)
    t.equal(ticks(drawColumns(columns([value]), ['held'], '')).at(-1), end, `${value}`)
  t.end()
})

t.test('few labels, the last among them, and none beyond the picture', (t) => {
  const svg = drawColumns(columns(...Array.from({ length: 90 }, (_, index) => [index])), ['held'], '')
  const labels = [...svg.matchAll(/text-anchor="(\w+)">(l[0-9]+)</g)].map(([, anchor, label]) => [
    label,
    anchor,
  ])
  t.ok(labels.length <= 5 && labels.length > 3)
  t.strictSame(labels.at(-1), ['l89', 'end'])
  t.strictSame(drawColumns([], ['held'], '').match(/<rect/g), null, 'no columns, no bars')
  t.end()
})

t.test('steps keep each value until the next', (t) => {
  const svg = drawSteps(columns([10], [20], [20]), 'good', '')
  t.strictSame(rectangles(svg), [
    ['good area', 49],
    ['good area', 98],
    ['good area', 98],
  ])
  t.equal(svg.match(/x1="33\.333%" x2="33\.333%"/g)?.length, 1, 'it rises once')
  t.equal(svg.match(/x1="66\.667%" x2="66\.667%"/g), null)
  t.end()
})

t.test('bars and numbers', (t) => {
  t.match(drawBar(1, 4, 'held'), 'width="25%"')
  t.match(drawBar(0, 0, 'held'), 'width="0%"')
  t.equal(grouped(1234567), '1,234,567')
  t.end()
})
