/** Plots of the benchmark as SVG files that stand alone: bars, and lines on logarithmic axes. Pure. */
import { grouped } from '../lib/text/amounts.js'
import { escapeHtml } from '../lib/text/html.js'
import type { Figure } from './statistics.js'

const WIDTH = 720
const COLORS = [
  '#2f6fb7',
  '#c4640a',
  '#2a7f4f',
  '#a8203f',
  '#7a5bb0',
  '#0f8a94',
  '#8a6d1f',
  '#5b6470',
  '#d0589b',
  '#444ce0',
  '#6b8e23',
  '#b5a10c',
  '#7d3c1f',
]

const STYLE = `text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #1a1e24 } .dim { fill: #5b6470 }
.title { font-size: 14px; font-weight: 600 } .line { stroke: #dde1e6; stroke-width: 1 }
.spread { stroke: #1a1e24; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) { text { fill: #e6e9ed } .dim { fill: #9aa4b0 } .line { stroke: #323840 }
.spread { stroke: #e6e9ed } }`

function frame(height: number, title: string, inner: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeHtml(title)}">
<style>${STYLE}</style>
<text class="title" x="0" y="16">${escapeHtml(title)}</text>
${inner}
</svg>
`
}

/** A short number: three digits that count. */
function short(value: number): string {
  if (value >= 100) return grouped(Math.round(value))
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)))
}

/** Bars that lie, each with its value and a mark for its spread. */
export function drawBars(
  title: string,
  bars: readonly { name: string; value: Figure }[],
  unit: string,
): string {
  const left = 250
  const room = WIDTH - left - 80
  const most = bars.reduce((top, { value }) => Math.max(top, value.value + value.spread), 0) || 1
  const x = (value: number): string => (left + (room * value) / most).toFixed(1)
  const drawn = bars.map(({ name, value: { value, spread } }, index) => {
    const y = 34 + index * 26
    const mark = `<line class="spread" x1="${x(Math.max(0, value - spread))}" x2="${x(value + spread)}" y1="${y + 9}" y2="${y + 9}"/>`
    const end = Number(x(value + spread)) + 6
    return `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${escapeHtml(name)}</text>
<rect fill="${COLORS[0]}" x="${left}" y="${y}" width="${((room * value) / most).toFixed(1)}" height="18" rx="2"/>${mark}
<text x="${end.toFixed(1)}" y="${y + 13}">${short(value)}</text>`
  })
  const foot = 34 + bars.length * 26 + 16
  return frame(
    foot + 8,
    title,
    `${drawn.join('\n')}\n<text class="dim" x="${left}" y="${foot}">${escapeHtml(unit)}</text>`,
  )
}

export interface Line {
  name: string
  points: readonly (readonly [x: number, y: number])[]
}

/** The powers of ten from the one at or below the least to the one at or above the most. */
function decades(values: readonly number[]): number[] {
  const from = Math.floor(Math.log10(Math.min(...values)))
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))))
  return Array.from({ length: to - from + 1 }, (_, step) => 10 ** (from + step))
}

/** Lines through points on logarithmic axes, so that what grows as x does rises as steeply as the grid's diagonal. */
export function drawLines(title: string, lines: readonly Line[], xLabel: string, yLabel: string): string {
  const [left, right, top, bottom] = [60, WIDTH - 190, 44, 380]
  const points = lines.flatMap((line) => line.points)
  const [xs, ys] = [decades(points.map(([x]) => x)), decades(points.map(([, y]) => y))]
  const place = (value: number, marks: readonly number[], from: number, to: number): number => {
    const [low, high] = [Math.log10(marks[0] ?? 1), Math.log10(marks.at(-1) ?? 10)]
    return from + ((Math.log10(value) - low) / (high - low)) * (to - from)
  }
  const x = (value: number): string => place(value, xs, left, right).toFixed(1)
  const y = (value: number): string => place(value, ys, bottom, top).toFixed(1)
  const grid = [
    ...xs.map(
      (value) => `<line class="line" x1="${x(value)}" x2="${x(value)}" y1="${top}" y2="${bottom}"/>
<text class="dim" x="${x(value)}" y="${bottom + 18}" text-anchor="middle">${short(value)}</text>`,
    ),
    ...ys.map(
      (value) => `<line class="line" x1="${left}" x2="${right}" y1="${y(value)}" y2="${y(value)}"/>
<text class="dim" x="${left - 8}" y="${Number(y(value)) + 4}" text-anchor="end">${short(value)}</text>`,
    ),
  ]
  // Names beside the ends of their lines, none on another.
  const ends = lines
    .map((line, index) => ({ line, index, at: Number(y(line.points.at(-1)?.[1] ?? 1)) }))
    .toSorted((a, b) => a.at - b.at)
  let below = top - 16
  const drawn = ends.map(({ line, index, at }) => {
    const color = COLORS[index % COLORS.length]
    below = Math.max(at + 4, below + 15)
    const path = line.points.map(([px, py]) => `${x(px)},${y(py)}`).join(' ')
    const dots = line.points
      .map(([px, py]) => `<circle fill="${color}" cx="${x(px)}" cy="${y(py)}" r="3"/>`)
      .join('')
    return `<polyline fill="none" stroke="${color}" stroke-width="2" points="${path}"/>${dots}
<text x="${right + 12}" y="${below.toFixed(1)}" style="fill:${color}">${escapeHtml(line.name)}</text>`
  })
  const labels = `<text class="dim" x="${right}" y="${bottom + 36}" text-anchor="end">${escapeHtml(xLabel)}</text>
<text class="dim" x="0" y="${top - 10}">${escapeHtml(yLabel)}</text>`
  return frame(Math.max(bottom + 44, below + 8), title, [...grid, ...drawn, labels].join('\n'))
}
