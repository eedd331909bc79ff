/** The account of a benchmark: its tables in Markdown, for the terminal and for docs/performance.md. Pure. */
import { grouped } from '../lib/text/amounts.js'
import { BARE, NO_FILTER } from './baselines.js'
import type { Growth } from './growth.js'
import type { Processes } from './processes.js'
import { type Figure, growth, ratio } from './statistics.js'
import type { Throughput } from './throughput.js'

export interface Machine {
  date: string
  commit: string
  node: string
  processors: string
  postfix: string
}

export interface Results {
  machine: Machine
  processes?: Processes
  throughput?: Throughput
  growth?: Growth
}

/** From this part of the processors on that others had, a table says so. */
const BUSY = 0.1
/** From this spread on a figure is marked, as a part of the figure. */
const WIDE = 0.1

function isWide({ value, spread }: Figure): boolean {
  return spread > value * WIDE
}

/** A figure with its spread, and a mark where that is too wide to go by. */
export function tell(figure: Figure, digits: number): string {
  if (!Number.isFinite(figure.value)) return ''
  const text = `${figure.value.toFixed(digits)} ± ${figure.spread.toFixed(digits)}`
  return isWide(figure) ? `${text} (noisy)` : text
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)]
}

/** What others did on the machine meanwhile. */
function tellOthers({ others, load }: { others: number; load: [number, number] }): string {
  const part = `${Math.round(others * 100)} %`
  const verdict =
    others > BUSY
      ? `**The machine was too busy to go by this: others had ${part} of it**`
      : `Others had ${part} of the processors`
  return `${verdict}; load average ${load[0].toFixed(1)} to ${load[1].toFixed(1)}.`
}

function processTables({ rounds, rows, further, ...machine }: Processes): string[] {
  const bare = rows.find(({ name }) => name === BARE)
  if (bare === undefined) return []
  const cells = rows.map(({ name, wall, cpu, memory }) => [
    name,
    tell(ratio(wall, bare.wall), 2),
    tell(ratio(cpu, bare.cpu), 2),
    ratio(memory, bare.memory).value.toFixed(2),
  ])
  return [
    '### One run',
    '',
    `${rounds} rounds, one run of each a round, 3 kB where nothing else is said; as ratios to ${BARE}, which took ${tell(bare.wall, 1)} ms, ${tell(bare.cpu, 1)} ms of processor time and ${bare.memory.value.toFixed(0)} MB. ${tellOthers(machine)}`,
    '',
    ...table(['', 'wall time', 'processor time', 'peak memory'], cells),
    '',
    'Each further recipient, in milliseconds of processor time:',
    '',
    ...table(
      ['', 'ms'],
      further.map(({ name, cost }) => [name, `${cost.value.toFixed(3)} ± ${cost.spread.toFixed(3)}`]),
    ),
    '',
    ...(['known', 'unknown'] as const).map((kind) => {
      const at = (name: string): Figure =>
        rows.find((row) => row.name === name)?.wall ?? { value: Number.NaN, spread: 0 }
      const times = ratio(at(`${kind}, 50 recipients`), at(`${kind}, 1 recipient, 10 rules`))
      return `50 ${kind} recipients take ${tell(times, 2)} times as long as one.`
    }),
    '',
  ]
}

function throughputTable({ rounds, ways, missing, deferred, ...machine }: Throughput): string[] {
  const base = ways.find(({ name }) => name === NO_FILTER)?.rate ?? { value: Number.NaN, spread: 0 }
  const rows = ways.map((way) => [
    way.name,
    tell(way.rate, 0),
    ratio(way.rate, base).value.toFixed(2),
    `${way.rates.length} × ${grouped(way.messages)} messages`,
  ])
  const pipe = ways.find(({ name }) => name.startsWith('toeh-filter by pipe(8), known'))?.rate.value
  const against = ways
    .filter(({ name }) => name.startsWith('amavis'))
    .map(({ name, rate }) => `${((pipe ?? Number.NaN) / rate.value).toFixed(2)} times as many as ${name}`)
  return [
    '### Through Postfix',
    '',
    `3 kB messages to one recipient each, sent over 20 connections at once, until the last one was at the sink, or in the hold; in_flow_delay is 0. ${rounds} rounds in turn. ${tellOthers(machine)}`,
    '',
    ...table(
      ['', 'messages a second', `ratio to ${NO_FILTER}`, 'measured'],
      [...rows, ...missing.map(({ name, why }) => [name, why, '', ''])],
    ),
    '',
    ...(pipe !== undefined && against.length > 0
      ? [`toeh-filter by pipe(8) passes ${against.join('; ')}.`]
      : []),
    deferred.length === 0
      ? 'No message was deferred.'
      : `${deferred.length} attempts were deferred, the first: \`${deferred[0]}\``,
    '',
    '![messages a second by each way](performance-postfix.svg)',
    '',
  ]
}

function growthTable({ rounds, sizes, rows, ...machine }: Growth): string[] {
  const shown = (all: boolean): string[][] =>
    rows
      .filter((row) => row.all === all)
      .map(({ name, cpu }) => {
        const points = cpu.map(({ value }, place) => [sizes[place] ?? 1, value] as const)
        const times = (cpu.at(-1)?.value ?? Number.NaN) / (cpu[0]?.value ?? Number.NaN)
        return [
          name,
          ...cpu.map((figure) => grouped(Math.round(figure.value))),
          times.toFixed(2),
          growth(points).toFixed(2),
        ]
      })
  const head = ['', ...sizes.map((size) => `${grouped(size)} held`), 'last to first', 'exponent']
  return [
    '### A hold that grows',
    '',
    `Milliseconds of processor time, medians of ${rounds} runs, with as many messages held, and as many settled. The exponent is that of the size: 0 does not grow, 1 grows as the hold does. ${tellOthers(machine)}`,
    '',
    'One message each, or what is asked of all:',
    '',
    ...table(head, shown(false)),
    '',
    'All that waits, one by one (fewer runs):',
    '',
    ...table(head, shown(true)),
    '',
    '![processor time by the size of the hold](performance-hold.svg)',
    '',
  ]
}

/** @returns every table, in Markdown */
export function tellResults({ machine, processes, throughput, growth: hold }: Results): string {
  const { date, commit, node, processors, postfix } = machine
  return [
    `${date}, commit ${commit}, Node ${node}, ${processors}${postfix === '' ? '' : `, Postfix ${postfix}`}. Medians and median deviations; a figure whose deviation is more than a tenth of it is marked as noisy.`,
    '',
    ...(processes === undefined ? [] : processTables(processes)),
    ...(throughput === undefined ? [] : throughputTable(throughput)),
    ...(hold === undefined ? [] : growthTable(hold)),
  ]
    .join('\n')
    .trimEnd()
}

const BEGIN = '<!-- npm run bench writes from here -->'
const END = '<!-- to here -->'

/** Puts text between the marks of a document. @throws Error where it has none */
export function putBetween(document: string, text: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`there is no place between ${BEGIN} and ${END}`)
  return `${document.slice(0, from + BEGIN.length)}\n\n${text}\n\n${document.slice(to)}`
}
