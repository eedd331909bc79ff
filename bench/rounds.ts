/** Rounds of commands, measured by rounds.py, and how busy the machine was with other things. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ROOT } from '../test/support/lab.js'
import { median } from './statistics.js'

export interface Command {
  argv: string[]
  /** The file that comes in on standard input, by a pipe. */
  input: string
  /** Run before each run, unmeasured. */
  prepare?: string[]
  /** What %I stands for, one a run, warm-up included. */
  items?: string[]
  environment?: Record<string, string>
}

/** One value a run, in the order of the rounds. */
export interface Runs {
  /** Milliseconds. */
  wall: number[]
  /** Milliseconds of processor time, user and system. */
  cpu: number[]
  /** Megabytes at the peak. */
  memory: number[]
}

/** How busy others kept the processors, as a part of them all, each time it was looked at. */
export class Others {
  readonly seen: number[] = []
  readonly #loads: number[] = []

  /** Looks for half a second, in which this benchmark does nothing. */
  async look(): Promise<void> {
    const before = processorTicks()
    await wait(500)
    const after = processorTicks()
    this.seen.push((after.busy - before.busy) / (after.all - before.all))
    this.#loads.push(loadavg()[0] ?? Number.NaN)
  }

  get busy(): number {
    return median(this.seen)
  }

  /** The least and the highest load average of a minute. */
  get load(): [number, number] {
    return [Math.min(...this.#loads), Math.max(...this.#loads)]
  }
}

function processorTicks(): { busy: number; all: number } {
  const [, ...ticks] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/).map(Number)
  // The guests' two are in user and nice already (proc(5)).
  const all = ticks.slice(0, 8).reduce((sum, value) => sum + value, 0)
  return { all, busy: all - (ticks[3] ?? 0) - (ticks[4] ?? 0) }
}

/**
 * Runs named commands in turn.
 * @param others looked at between the batches
 * @throws Error if one ends with another status than 0
 */
export async function runRounds(
  commands: Readonly<Record<string, Command>>,
  { rounds, warmup = 2, batches = 1 }: { rounds: number; warmup?: number; batches?: number },
  others: Others,
): Promise<Record<string, Runs>> {
  const all = Object.values(commands)
  const results: Runs[] = all.map(() => ({ wall: [], cpu: [], memory: [] }))
  const size = Math.ceil(rounds / batches)
  for (let done = 0; done < rounds; done += size) {
    await others.look()
    const used = done === 0 ? 0 : done + warmup
    const list = all.map((command) =>
      command.items === undefined ? command : { ...command, items: command.items.slice(used) },
    )
    const warm = done === 0 ? warmup : 0
    const measured = await runBatch({ rounds: Math.min(size, rounds - done), warmup: warm, commands: list })
    for (const [place, runs] of results.entries()) {
      for (const [wall, cpu, memory] of measured[place] ?? []) {
        runs.wall.push(wall * 1000)
        runs.cpu.push(cpu * 1000)
        runs.memory.push(memory / 1024)
      }
    }
  }
  return Object.fromEntries(Object.keys(commands).map((name, place) => [name, results[place] as Runs]))
}

async function runBatch(given: unknown): Promise<[number, number, number][][]> {
  const child = spawn('python3', [join(ROOT, 'bench/rounds.py')], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(JSON.stringify(given))
  let output = ''
  let said = ''
  child.stdout.on('data', (bytes) => {
    output += bytes
  })
  child.stderr.on('data', (bytes) => {
    said += bytes
  })
  const code = await new Promise((done, fail) => child.on('error', fail).on('close', done))
  if (code !== 0) throw new Error(said.trim())
  return JSON.parse(output)
}
