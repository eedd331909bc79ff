/** The lab: a TOEH installation of its own for each test, its programs run as Postfix and people run them. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Test } from 'tap'
import { createDatabase, type Database, databasePath, openForWriting } from '../../lib/database.js'
import type { Decision } from '../../lib/decisions.js'
import { Hold } from '../../lib/hold.js'
import { HoldFolder } from '../../lib/holdfolder.js'
import { Landscape } from '../../lib/landscape.js'

export const ROOT = resolve(import.meta.dirname, '../../..')
export const FILTER = join(ROOT, 'dist/bin/toeh-filter.cjs')
export const TOEH = join(ROOT, 'dist/bin/toeh.js')

/** The environment of a person's shell, without what the test runner adds to every Node process. */
export const SHELL_ENV = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', LANG: 'C.UTF-8' }

/** The environment pipe(8) gives its child. */
export const PIPE_ENV = { PATH: '/usr/bin:/bin', LANG: 'C' }

/**
 * Starts Node with exactly this environment: env(1) stands between, because the test runner adds its own loader to
 * the environment of every Node process that a test starts.
 */
export function startNode(
  args: readonly string[],
  env: Record<string, string>,
  options: SpawnOptions = {},
): ChildProcess {
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return spawn('/usr/bin/env', ['-i', ...pairs, process.execPath, ...args], options)
}

export interface Outcome {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** The end of a process, with what it printed. */
export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (bytes) => {
    stdout += bytes
  })
  child.stderr?.on('data', (bytes) => {
    stderr += bytes
  })
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (code, signal) => done({ code, signal, stdout, stderr }))
  })
}

export interface FilterCall {
  sender?: string
  queueId?: string
  size?: number
  recipients: readonly string[]
  input?: string | Buffer
  /** More options, before the `--`. */
  options?: readonly string[]
  env?: Record<string, string>
}

export const MESSAGE =
  'Received: from pc (pc [127.0.0.1])\n\tby mx.corp.test\nSubject: Invoice\nMessage-ID: <one@corp.test>\n\nBody\n'

export class Lab {
  readonly dir: string
  readonly config: string
  readonly state: string

  /** @param settings lines of TOML before the tables */
  constructor(dir: string, settings: string) {
    this.dir = dir
    this.state = join(dir, 'state')
    this.config = join(dir, 'toeh.toml')
    this.configure(settings)
    for (const folder of ['', 'hold', 'hold/tmp', 'decisions']) {
      mkdirSync(join(this.state, folder), { recursive: true, mode: 0o700 })
    }
    const umask = process.umask(0o077)
    createDatabase(databasePath(this.state), { busySeconds: 5 }).close()
    process.umask(umask)
  }

  configure(settings: string): void {
    const base = `state = ${JSON.stringify(this.state)}\ninternal_domains = ["corp.test"]\n`
    writeFileSync(this.config, base + settings)
  }

  /** toeh-filter, as pipe(8) starts it. */
  startFilter(call: FilterCall): ChildProcess {
    const args = [
      `--config=${this.config}`,
      `--sender=${call.sender ?? 'anna@corp.test'}`,
      `--queue-id=${call.queueId ?? '4bQ8Yk2hJnz1'}`,
      ...(call.size === undefined ? [] : [`--size=${call.size}`]),
      ...(call.options ?? []),
      '--',
      ...call.recipients,
    ]
    return startNode([FILTER, ...args], { ...PIPE_ENV, ...call.env }, { cwd: this.state })
  }

  async filter(call: FilterCall): Promise<Outcome> {
    const child = this.startFilter(call)
    const outcome = outcomeOf(child)
    child.stdin?.on('error', () => {}) // A filter that fails early does not read.
    child.stdin?.end(call.input ?? MESSAGE)
    return outcome
  }

  startToeh(...args: string[]): ChildProcess {
    const env = { ...SHELL_ENV, TOEH_CONFIG: this.config }
    return startNode([TOEH, ...args], env, { stdio: ['ignore', 'pipe', 'pipe'] })
  }

  async toeh(...args: string[]): Promise<Outcome> {
    return outcomeOf(this.startToeh(...args))
  }

  openDatabase(): Database {
    return openForWriting(databasePath(this.state), { busySeconds: 5 })
  }

  /** The stores, for looking at or preparing state directly; close the database afterwards. */
  stores(): { db: Database; hold: Hold; landscape: Landscape; folder: HoldFolder } {
    const db = this.openDatabase()
    const folder = new HoldFolder(this.state)
    return { db, hold: new Hold(db, folder), landscape: new Landscape(db), folder }
  }

  /** Makes a destination known. */
  async allow(...values: string[]): Promise<void> {
    const { db, landscape } = this.stores()
    const drafts = values.map((value) => ({
      kind: value.includes('@') ? ('address' as const) : ('domain' as const),
      value,
      subdomains: false,
      effect: 'allow' as const,
      source: 'test',
      note: '',
    }))
    await landscape.add(drafts, { who: 'test', at: 1 })
    db.close()
  }

  /** The rows of recipients, as `address state`. */
  states(): string[] {
    const db = this.openDatabase()
    const rows = db.all<{ address: string; state: string }>(
      'SELECT address, state FROM recipient ORDER BY address',
    )
    db.close()
    return rows.map(({ address, state }) => `${address} ${state}`)
  }

  /** The ids of published hold folders. */
  held(): string[] {
    return readdirSync(join(this.state, 'hold')).filter((name) => name !== 'tmp')
  }

  /** What runs have left in hold/tmp. */
  temporaries(): string[] {
    return readdirSync(join(this.state, 'hold/tmp'))
  }

  /** Every line of the decision log. */
  decisions(): Decision[] {
    const folder = join(this.state, 'decisions')
    return readdirSync(folder)
      .sort()
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'))
      .map((line) => JSON.parse(line) as Decision)
  }
}

/** A folder for one test, removed at its end. */
export function makeFolder(t: Test, prefix = 'toeh-test-'): string {
  const dir = mkdtempSync(join(tmpdir(), prefix))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** An installation for one test. Notices are off unless `settings` has them. */
export function makeLab(t: Test, settings = '', notice = '[notice]\nenabled = false\n'): Lab {
  return new Lab(makeFolder(t), `${settings}\n${notice}`)
}
