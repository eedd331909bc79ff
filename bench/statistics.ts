/** Statistics of repeated measurements: medians and how far the values lie from them. Pure. */

/** The middle of a list; of an even number of values the mean of the two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  const upper = sorted[Math.floor(half)] ?? Number.NaN
  return Number.isInteger(half) ? ((sorted[half - 1] ?? Number.NaN) + upper) / 2 : upper
}

/** The median deviation from the median: half of the values are no further from it. */
export function spread(values: readonly number[]): number {
  const middle = median(values)
  return median(values.map((value) => Math.abs(value - middle)))
}

/** A median with its spread. */
export interface Figure {
  value: number
  spread: number
}

export function figure(values: readonly number[]): Figure {
  return { value: median(values), spread: spread(values) }
}

/** A figure in units of another's median. */
export function ratio({ value, spread }: Figure, base: Figure): Figure {
  return { value: value / base.value, spread: spread / base.value }
}

/** What `later` costs beyond `earlier`, pair by pair of one round, for each of `count` parts. */
export function difference(later: readonly number[], earlier: readonly number[], count: number): Figure {
  return figure(later.map((value, index) => (value - (earlier[index] ?? Number.NaN)) / count))
}

/**
 * The slope of a line through points on logarithmic axes: 0 where nothing grows, 1 where it grows as `x` does, near 0
 * where it grows as the logarithm. By least squares.
 */
export function growth(points: readonly (readonly [x: number, y: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const)
  const mean = (place: 0 | 1): number => logs.reduce((sum, point) => sum + point[place], 0) / logs.length
  const [x0, y0] = [mean(0), mean(1)]
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0)
  return covariance / logs.reduce((sum, [x]) => sum + (x - x0) ** 2, 0)
}
