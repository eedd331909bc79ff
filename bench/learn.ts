/**
 * The benchmark of learning: toeh learn over a million lines of made logs, as lines a second, as a ratio to `wc -l` of
 * the same file, and its peak memory. The best of a few rounds, wc and learn in turn, since other work only slows.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { INTERNAL, makeLogs } from '../examples/make-logs.js'
import { Lab, outcomeOf, PIPE_ENV, ROOT, TOEH } from '../test/support/lab.js'

const LINES = 1_000_000

/** Writes so many lines of logs, in one file. */
async function writeLines(path: string): Promise<void> {
  const file = createWriteStream(path)
  let missing = LINES
  const logs = makeLogs(130_000, 1)
  for (let week = 0; week < 4 && missing > 0; week++) {
    for (const block of logs.week(week)) {
      const lines = block.split('\n').slice(0, -1).slice(0, missing)
      missing -= lines.length
      if (lines.length > 0 && !file.write(`${lines.join('\n')}\n`)) await once(file, 'drain')
    }
  }
  file.end()
  await once(file, 'finish')
  if (missing > 0) throw new Error(`${missing} lines are missing`)
}

interface Round {
  seconds: number
  output: string
}

async function time(program: string, args: readonly string[]): Promise<Round> {
  const started = performance.now()
  const child = spawn(program, args, { env: PIPE_ENV, stdio: ['ignore', 'pipe', 'inherit'] })
  const { code, stdout } = await outcomeOf(child)
  if (code !== 0) throw new Error(`${program} ended with status ${code}`)
  return { seconds: (performance.now() - started) / 1000, output: stdout }
}

/** Peak memory of one run, in MB. */
async function peak(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ['-r', join(ROOT, 'bench/peak.cjs'), ...args], {
    env: PIPE_ENV,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
  return Number(await text(child.stdio[3] as NodeJS.ReadableStream)) / 1024
}

/** Measures and prints. */
export async function measureLearning(rounds: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'toeh-bench-'))
  try {
    const lab = new Lab(dir, '')
    writeFileSync(lab.config, `state = ${JSON.stringify(lab.state)}\ninternal_domains = ["${INTERNAL}"]\n`)
    const log = join(dir, 'mail.log')
    await writeLines(log)
    const learn = [TOEH, 'learn', 'log', log, '--config', lab.config]
    let words = Number.POSITIVE_INFINITY
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < rounds; round++) {
      words = Math.min(words, (await time('wc', ['-l', log])).seconds)
      const { seconds, output } = await time(process.execPath, learn)
      if (!output.includes(`${LINES} lines, 0 broken`)) throw new Error(output.slice(-500))
      best = Math.min(best, seconds)
    }
    console.log(`\ntoeh learn log, ${LINES} lines, best of ${rounds}, whole process\n`)
    console.log(`${'lines a second'.padEnd(36)} ${Math.round(LINES / best / 1000)},000`)
    console.log(`${'ratio to wc -l'.padEnd(36)} ${(best / words).toFixed(0)}`)
    console.log(`${'peak memory'.padEnd(36)} ${(await peak(learn)).toFixed(0)} MB`)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
