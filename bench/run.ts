/**
 * The benchmark: runs of toeh-filter beside bare Node and shell scripts, messages a second through a private Postfix, and
 * a hold that grows; then near misses and learning. Prints tables, writes bench/results/, and, when it was whole, the
 * tables and pictures of docs/performance.md.
 *
 *   node dist/bench/run.js [--quick] [processes] [throughput] [growth] [others]
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../test/support/lab.js'
import { cannotAskSqlite } from '../test/support/postfix.js'
import { putBetween, type Results, tellResults } from './account.js'
import { measureGrowth } from './growth.js'
import { measureLearning } from './learn.js'
import { enterOwnMounts, Mailserver } from './mailserver.js'
import { benchNearMisses } from './nearmiss.js'
import { drawBars, drawLines } from './plot.js'
import { measureProcesses } from './processes.js'
import { measureThroughput } from './throughput.js'

const RESULTS = join(ROOT, 'bench/results')
const DOCS = join(ROOT, 'docs')
const PARTS = ['processes', 'throughput', 'growth', 'others'] as const
type Part = (typeof PARTS)[number]

function describeMachine(): Results['machine'] {
  const git = (...args: string[]): string =>
    spawnSync('git', ['-C', ROOT, ...args], { encoding: 'utf8' }).stdout?.trim() ?? ''
  const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with changes'
  const [first] = cpus()
  return {
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    commit: `${git('rev-parse', '--short', 'HEAD')}${changed}`,
    node: process.versions.node,
    processors: `${cpus().length} × ${first?.model.trim() ?? 'unknown processor'}`,
    postfix:
      cannotAskSqlite() === false
        ? execFileSync('postconf', ['-d', '-h', 'mail_version'], { encoding: 'utf8' }).trim()
        : '',
  }
}

function demand(program: string, args: readonly string[], advice: string): void {
  if (spawnSync(program, args, { stdio: 'ignore' }).status !== 0)
    throw new Error(`${program} is missing: ${advice}`)
}

/** Writes what was measured. @param whole of all parts, in full: docs/performance.md too */
function write(results: Results, whole: boolean): void {
  mkdirSync(RESULTS, { recursive: true })
  const text = tellResults(results)
  console.log(`\n${text}\n`)
  const { throughput, growth } = results
  writeFileSync(join(RESULTS, 'bench.json'), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(join(RESULTS, 'bench.md'), `${text}\n`)
  const folders = whole ? [RESULTS, DOCS] : [RESULTS]
  for (const folder of folders) {
    if (throughput !== undefined) {
      const bars = throughput.ways.map(({ name, rate }) => ({ name, value: rate }))
      writeFileSync(
        join(folder, 'performance-postfix.svg'),
        drawBars('Through Postfix', bars, 'messages a second'),
      )
    }
    if (growth !== undefined) {
      const lines = growth.rows.map(({ name, cpu }) => ({
        name,
        points: cpu.map(({ value }, place) => [growth.sizes[place] ?? 1, value] as const),
      }))
      const picture = drawLines('A hold that grows', lines, 'messages held', 'ms of processor time')
      writeFileSync(join(folder, 'performance-hold.svg'), picture)
    }
  }
  if (!whole) return
  const path = join(DOCS, 'performance.md')
  writeFileSync(path, putBetween(readFileSync(path, 'utf8'), text))
}

async function main(): Promise<void> {
  const args = process.argv.slice(2)
  const quick = args.includes('--quick')
  const asked = args.filter((arg) => arg !== '--quick')
  const wrong = asked.find((arg) => !(PARTS as readonly string[]).includes(arg))
  if (wrong !== undefined) throw new Error(`${wrong}: there is --quick, and the parts ${PARTS.join(', ')}`)
  const has = (part: Part): boolean => asked.length === 0 || asked.includes(part)
  demand('python3', ['--version'], 'apt-get install python3')
  demand('sqlite3', ['--version'], 'apt-get install sqlite3')
  const began = performance.now()
  const say = (text: string): void =>
    console.error(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${text}`)

  const dir = mkdtempSync(join(tmpdir(), 'toeh-bench-'))
  const teardowns: (() => void | Promise<void>)[] = []
  const clear = async (): Promise<void> => {
    for (const work of teardowns.splice(0)) await work()
    rmSync(dir, { recursive: true, force: true })
  }
  // A terminal sends SIGINT to this program and to the one that started it, which hands it on: it may come twice.
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (stopping) return
      stopping = true
      clear().finally(() => process.exit(1))
    })
  const results: Results = { machine: describeMachine() }
  try {
    let server: Mailserver | undefined
    const cannot = cannotAskSqlite()
    if (cannot !== false) say(`without Postfix: ${cannot}`)
    else if (has('processes') || has('throughput')) {
      say('starting the mail server')
      const folder = join(dir, 'server')
      mkdirSync(folder)
      server = await Mailserver.start(folder, dir, (work) => void teardowns.unshift(work))
    }
    if (has('processes')) {
      say('single runs')
      const folder = join(dir, 'processes')
      mkdirSync(folder)
      server?.pause()
      results.processes = await measureProcesses(folder, server, quick)
      rmSync(folder, { recursive: true })
      if (has('throughput')) await server?.resume()
    }
    if (has('throughput') && server !== undefined)
      results.throughput = await measureThroughput(server, quick, say)
    for (const work of teardowns.splice(0)) await work()
    if (has('growth')) {
      const folder = join(dir, 'growth')
      mkdirSync(folder)
      results.growth = await measureGrowth(folder, quick, say)
    }
    const whole = PARTS.every(has) && !quick && results.throughput !== undefined
    write(results, whole)
  } finally {
    await clear()
  }
  if (!has('others')) return
  benchNearMisses()
  await measureLearning(quick ? 1 : 5)
  say('done')
}

await enterOwnMounts()
await main()
