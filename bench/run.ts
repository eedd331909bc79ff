/**
 * The benchmark: what one run of toeh-filter costs beside bare Node, as ratios within one hyperfine run, and
 * whether its peak memory stays flat; then near misses. Needs hyperfine (Debian's package). Only ratios mean anything.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { CLIENT, FILTER, Lab, outcomeOf, PIPE_ENV, ROOT } from '../test/support/lab.js'
import { benchNearMisses } from './nearmiss.js'
import { startFastSink } from './sink.js'

const RESULTS = join(ROOT, 'bench/results')
const RUNS = Number(process.env.RUNS ?? 60)

/** A message of about so many bytes in lines of 70. */
function makeMessage(bytes: number): string {
  const line = `${'x'.repeat(69)}\n`
  return `Subject: bench\nMessage-ID: <bench@corp.test>\n\n${line.repeat(Math.ceil(bytes / line.length))}`
}

interface Measured {
  command: string
  times: number[]
  user: number
  system: number
}

/** The middle of a list. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** How far half of the values lie from the median at most. */
function spread(values: readonly number[]): number {
  const middle = median(values)
  return median(values.map((value) => Math.abs(value - middle)))
}

/** One hyperfine run over named commands, in pipe(8)'s environment. */
async function hyperfine(commands: Record<string, string>, json: string): Promise<Map<string, Measured>> {
  const named = Object.entries(commands).flatMap(([name, command]) => ['--command-name', name, command])
  const args = ['--warmup', '5', '--runs', String(RUNS), '--style', 'none', '--export-json', json, ...named]
  const child = spawn('hyperfine', args, { env: PIPE_ENV, stdio: ['ignore', 'ignore', 'inherit'] })
  const { code } = await outcomeOf(child)
  if (code !== 0) throw new Error(`hyperfine ended with status ${code}`)
  const { results } = JSON.parse(readFileSync(json, 'utf8')) as { results: Measured[] }
  return new Map(results.map((result) => [result.command, result]))
}

/** Peak memory of one run, in MB. */
async function peak(args: readonly string[], input: string): Promise<number> {
  const child = spawn(process.execPath, ['-r', join(ROOT, 'bench/peak.cjs'), ...args], {
    env: PIPE_ENV,
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
  })
  // A pipe, as pipe(8) has it. Bare Node does not read it.
  child.stdin?.on('error', () => {})
  createReadStream(input).pipe(child.stdin as Writable)
  const kilobytes = await text(child.stdio[3] as NodeJS.ReadableStream)
  return Number(kilobytes) / 1024
}

/** An installation with so many rules, one of them for client.test. */
async function makeStage(dir: string, rules: number, settings: string): Promise<Lab> {
  const folder = join(dir, `rules-${rules}`)
  mkdirSync(folder)
  const lab = new Lab(folder, settings)
  await lab.allow('client.test')
  const db = lab.openDatabase()
  db.run(
    `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO rule (kind, value, subdomains, effect, added_by, added_at, source, note)
     SELECT 'address', 'person' || i || '@company' || (i % 50000) || '.example', 0, 'allow', 'bench', 1, 'bench', '' FROM n`,
    rules,
  )
  db.close()
  return lab
}

async function main(): Promise<void> {
  if (spawnSync('hyperfine', ['--version']).status !== 0) {
    throw new Error('hyperfine is missing: apt-get install hyperfine')
  }
  const dir = mkdtempSync(join(tmpdir(), 'toeh-bench-'))
  const sink = await startFastSink()
  try {
    const settings = `reinject = "smtp:127.0.0.1:${sink.port}"\n[notice]\nenabled = false\n`
    const lab = await makeStage(dir, 10, settings)
    const large = await makeStage(dir, 1_000_000, settings)
    const files = Object.fromEntries(
      [3_000, 10_000, 25 * 2 ** 20].map((bytes) => {
        const path = join(dir, `${bytes}.eml`)
        writeFileSync(path, makeMessage(bytes))
        return [bytes, path]
      }),
    )
    const empty = join(dir, 'empty.cjs')
    writeFileSync(empty, '')
    const options = ['--sender=anna@corp.test', '--size=', ...CLIENT]
    const filter = ({ config }: Lab, queueId: string, recipient: string): string => {
      const given = [`--config=${config}`, ...options, `--queue-id=${queueId}`, '--', recipient]
      return [process.execPath, FILTER, ...given, '<', files[3_000]].join(' ')
    }
    mkdirSync(RESULTS, { recursive: true })
    const results = await hyperfine(
      {
        'bare node': `${process.execPath} ${empty} < ${files[3_000]}`,
        'one known recipient, 10 rules': filter(lab, '4bQ8Yk2hJnz1', 'a@client.test'),
        'one known recipient, 1,000,000 rules': filter(large, '4bQ8Yk2hJnz1', 'a@client.test'),
        // A new id each time, or it would be a retry: the shell's process id is one.
        'one unknown recipient, no notice': filter(lab, '4bQ8Yk2h$$$(date +%N)', 'a@stranger.test'),
      },
      join(RESULTS, 'filter.json'),
    )
    const bare = results.get('bare node')?.times ?? []
    console.log(`${RUNS} runs each, median and median deviation of wall time, as a ratio to bare node\n`)
    for (const [name, { times }] of results) {
      const ratio = median(times) / median(bare)
      console.log(`${name.padEnd(36)} ${ratio.toFixed(2)} ± ${(spread(times) / median(bare)).toFixed(2)}`)
    }
    console.log('\npeak memory, as a ratio to bare node\n')
    const nothing = await peak([empty], files[10_000] ?? '')
    for (const bytes of [10_000, 25 * 2 ** 20]) {
      for (const recipient of ['a@client.test', 'a@stranger.test']) {
        const memory = await peak(
          [FILTER, `--config=${lab.config}`, ...options, '--queue-id=4bQ8Yk2hJnz1', '--', recipient],
          files[bytes] ?? '',
        )
        const what = `${recipient === 'a@client.test' ? 'known' : 'unknown'}, ${bytes >= 2 ** 20 ? '25 MB' : '10 kB'}`
        console.log(`${what.padEnd(36)} ${(memory / nothing).toFixed(2)} (${memory.toFixed(0)} MB)`)
      }
    }
  } finally {
    sink.server.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

await main()
benchNearMisses()
