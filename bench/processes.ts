/** What one run of toeh-filter costs beside bare Node and two shell scripts, with few rules and many, few recipients and many. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLIENT, FILTER, Lab, WITH_NODE } from '../test/support/lab.js'
import { BARE } from './baselines.js'
import type { Mailserver } from './mailserver.js'
import { type Command, Others, type Runs, runRounds } from './rounds.js'
import { startFastSink } from './sink.js'
import { difference, type Figure, figure } from './statistics.js'

const SENDER = 'anna@corp.test'
const MANY_RULES = 1_000_000

/** A message of about so many bytes in lines of 70. */
export function makeMessage(bytes: number): string {
  const line = `${'x'.repeat(69)}\n`
  return `Subject: bench\nMessage-ID: <bench@corp.test>\n\n${line.repeat(Math.ceil(bytes / line.length))}`
}

/** Adds rules until there are so many. */
export function addRules(lab: Lab, rules: number): void {
  lab.change(
    `WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO rule (kind, value, subdomains, effect, added_by, added_at, source, note)
     SELECT 'address', 'person' || i || '@company' || (i % 50000) || '.example', 0, 'allow', 'bench', 1, 'bench', '' FROM n`,
    rules,
  )
}

/** An installation with so many rules, one of them for client.test. */
async function makeStage(dir: string, rules: number, settings: string): Promise<Lab> {
  const folder = join(dir, `rules-${rules}`)
  mkdirSync(folder)
  const lab = new Lab(folder, settings)
  await lab.allow('client.test')
  addRules(lab, rules)
  return lab
}

/** A run of the filter; %N makes a queue id of its own, or it would be a retry. */
export function filterCommand(lab: Lab, input: string, recipients: readonly string[]): Command {
  const given = [`--config=${lab.config}`, `--sender=${SENDER}`, '--size=', ...CLIENT, '--queue-id=4bQ%N']
  return { argv: [FILTER, WITH_NODE, ...given, '--', ...recipients], input }
}

/** Known people of client.test, or strangers. */
function people(count: number, domain: string): string[] {
  return Array.from({ length: count }, (_, index) => `person${index}@${domain}`)
}

export interface Row {
  name: string
  wall: Figure
  cpu: Figure
  memory: Figure
}

export interface Processes {
  rounds: number
  rows: Row[]
  /** Milliseconds of processor time for each recipient after the first. */
  further: { name: string; cost: Figure }[]
  others: number
  load: [number, number]
}

/** @param server its scripts are measured with their sendmail, while Postfix itself is stopped; undefined: without them */
export async function measureProcesses(
  dir: string,
  server: Mailserver | undefined,
  quick: boolean,
): Promise<Processes> {
  const sink = await startFastSink()
  try {
    const settings = `reinject = "smtp:127.0.0.1:${sink.port}"\n[notice]\nenabled = false\n`
    const few = await makeStage(dir, 10, settings)
    const many = await makeStage(dir, MANY_RULES, settings)
    const [small, middle, large] = [3_000, 10_000, 25 * 2 ** 20].map((bytes) => {
      const path = join(dir, `${bytes}.eml`)
      writeFileSync(path, makeMessage(bytes))
      return path
    }) as [string, string, string]
    const empty = join(dir, 'empty.cjs')
    writeFileSync(empty, '')
    const filter = (count: number, domain: string, lab = few, input = small): Command =>
      filterCommand(lab, input, people(count, domain))
    const commands: Record<string, Command> = {
      [BARE]: { argv: [process.execPath, empty], input: small },
      'known, 1 recipient, 10 rules': filter(1, 'client.test'),
      'known, 1 recipient, 1,000,000 rules': filter(1, 'client.test', many),
      'known, 10 recipients': filter(10, 'client.test'),
      'known, 50 recipients': filter(50, 'client.test'),
      'unknown, 1 recipient, 10 rules': filter(1, 'stranger.test'),
      'unknown, 1 recipient, 1,000,000 rules': filter(1, 'stranger.test', many),
      'unknown, 10 recipients': filter(10, 'stranger.test'),
      'unknown, 50 recipients': filter(50, 'stranger.test'),
      ...server?.scripts(small),
    }
    const others = new Others()
    const rounds = quick ? 12 : 120
    const runs = await runRounds(commands, { rounds, batches: quick ? 2 : 10 }, others)
    const big = {
      'known, 10 kB': filter(1, 'client.test', few, middle),
      'known, 25 MB': filter(1, 'client.test', few, large),
      'unknown, 25 MB': filter(1, 'stranger.test', few, large),
    }
    const bigRuns = await runRounds(big, { rounds: 3, warmup: 0 }, others)
    const further = (['known', 'unknown'] as const).flatMap((kind) =>
      [10, 50].map((count) => {
        const cpu = (name: string): number[] => runs[name]?.cpu ?? []
        const cost = difference(
          cpu(`${kind}, ${count} recipients`),
          cpu(`${kind}, 1 recipient, 10 rules`),
          count - 1,
        )
        return { name: `${kind}, ${count} recipients`, cost }
      }),
    )
    const rows = Object.entries<Runs>({ ...runs, ...bigRuns }).map(([name, { wall, cpu, memory }]) => {
      return { name, wall: figure(wall), cpu: figure(cpu), memory: figure(memory) }
    })
    return { rounds, rows, further, others: others.busy, load: others.load }
  } finally {
    sink.server.close()
  }
}
