/** Charts: bars and steps as SVG that fills its place at any width. Pure. */
import { grouped } from '../text/amounts.js'
import { escapeHtml } from '../text/html.js'

export interface ChartColumn {
  /** Below it, where there is room. */
  label: string
  /** Said when somebody points at it. */
  title: string
  /** One for each series, stacked from below. */
  values: readonly number[]
}

/** Pixels. Widths are parts of a hundred, so that letters keep their size on a phone. */
const HEIGHT = 132
const FOOT = 20
const HEAD = 14

/** The end of an axis: the first round number that all values stay under. */
function roundUp(value: number): number {
  if (value <= 2) return 2
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 4, 5, 10].find((factor) => factor * power >= value) ?? 10
  return step * power
}

/** Which columns have their label: a few, evenly, the last one among them. */
function labelled(count: number, most: number): Set<number> {
  const step = Math.max(1, Math.ceil(count / most))
  const shown = new Set<number>()
  for (let index = count - 1; index >= 0; index -= step) shown.add(index)
  return shown
}

function percent(part: number): string {
  return `${Number((part * 100).toFixed(3))}%`
}

/** What stands below a column; the last of many ends where the picture does. */
function foot(label: string, index: number, count: number): string {
  const atEnd = index === count - 1 && count > 7
  const x = percent(atEnd ? 1 : (index + 0.5) / count)
  const anchor = atEnd ? 'end' : 'middle'
  return `<text class="tick" x="${x}" y="${HEIGHT - 5}" text-anchor="${anchor}">${escapeHtml(label)}</text>`
}

/** Lines across, each with its number. */
function grid(top: number): string {
  const plot = HEIGHT - FOOT - HEAD
  return [0, 0.5, 1]
    .map((part) => {
      const y = HEAD + plot * (1 - part)
      const line = `<line class="grid" x1="0" x2="100%" y1="${y}" y2="${y}"/>`
      return `${line}<text class="tick" x="-6" y="${y + 4}" text-anchor="end">${grouped(top * part)}</text>`
    })
    .join('')
}

/**
 * Stacked columns.
 * @param series class names, one for each value of a column
 * @param summary what it shows, for those who do not see it
 * @param labels how many labels there is room for
 */
export function drawColumns(
  columns: readonly ChartColumn[],
  series: readonly string[],
  summary: string,
  labels = 5,
): string {
  const plot = HEIGHT - FOOT - HEAD
  const totals = columns.map(({ values }) => values.reduce((sum, value) => sum + value, 0))
  const top = roundUp(totals.reduce((most, total) => Math.max(most, total), 0))
  const width = 1 / Math.max(1, columns.length)
  const gap = columns.length > 60 ? 0.1 : 0.22
  const shown = labelled(columns.length, labels)
  const drawn = columns.map(({ label, title, values }, index) => {
    let y = HEIGHT - FOOT
    const x = percent((index + gap / 2) * width)
    const bars = values.map((value, place) => {
      // A single one among thousands is still to be seen.
      const height = value === 0 ? 0 : Math.max(1.5, (plot * value) / top)
      if (height === 0) return ''
      y -= height
      return `<rect class="${series[place] ?? ''}" x="${x}" y="${y.toFixed(1)}" width="${percent(width * (1 - gap))}" height="${height.toFixed(1)}"/>`
    })
    const aim = `<rect class="aim" x="${percent(index * width)}" y="0" width="${percent(width)}" height="${HEIGHT}"/>`
    const text = shown.has(index) ? foot(label, index, columns.length) : ''
    return `<g><title>${escapeHtml(title)}</title>${aim}${bars.join('')}</g>${text}`
  })
  return frame(summary, `${grid(top)}${drawn.join('')}`)
}

/** A line over columns, filled below, from the first value to the last; each value keeps until the next. */
export function drawSteps(points: readonly ChartColumn[], series: string, summary: string): string {
  const plot = HEIGHT - FOOT - HEAD
  const values = points.map(({ values: [value = 0] }) => value)
  const top = roundUp(values.reduce((most, value) => Math.max(most, value), 0))
  const width = 1 / Math.max(1, points.length)
  const shown = labelled(points.length, 5)
  const bars = points.map(({ label, title }, index) => {
    const height = (plot * (values[index] ?? 0)) / top
    const x = percent(index * width)
    const y = HEIGHT - FOOT - height
    const text = shown.has(index) ? foot(label, index, points.length) : ''
    const before = HEIGHT - FOOT - (plot * (values[index - 1] ?? values[index] ?? 0)) / top
    const rise =
      before === y
        ? ''
        : `<line class="${series} edge" x1="${x}" x2="${x}" y1="${before.toFixed(1)}" y2="${y.toFixed(1)}"/>`
    const edge = `<line class="${series} edge" x1="${x}" x2="${percent((index + 1) * width)}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/>`
    // A hair wider than its place: no seams between neighbours.
    const area = `<rect class="${series} area" x="${x}" y="${y.toFixed(1)}" width="${percent(width)}" height="${height.toFixed(1)}"/>`
    return `<g><title>${escapeHtml(title)}</title>${area}${rise}${edge}</g>${text}`
  })
  return frame(summary, `${grid(top)}${bars.join('')}`)
}

function frame(summary: string, inner: string): string {
  return `<svg class="chart" role="img" aria-label="${escapeHtml(summary)}" width="100%" height="${HEIGHT}">${inner}</svg>`
}

/** A bar in a row of a table: a part of the most there is. */
export function drawBar(value: number, most: number, series: string): string {
  const part = most === 0 ? 0 : value / most
  return `<svg class="bar" aria-hidden="true" width="100%" height="10"><rect class="${series}" x="0" y="0" width="${percent(part)}" height="10" rx="2"/></svg>`
}
