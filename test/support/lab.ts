/** The lab: a TOEH installation of its own for each test, its programs run as Postfix and people run them. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { createDatabase, type Database, databasePath, openForWriting } from '../../lib/database/database.js'
import { HoldFolder } from '../../lib/hold/folder.js'
import { HoldUpkeep } from '../../lib/hold/upkeep.js'
import type { Decision } from '../../lib/logs/decisionlog.js'
import { Landscape } from '../../lib/rules/landscape.js'
import { cool } from './cool.js'
import { NODE, PACKAGE } from './reachable.js'
import { faultsOfAnswer, SCHEMA } from './schema.js'

export { NODE, PACKAGE, ROOT } from './reachable.js'

/** What pipe(8) starts, and the argument that comes first. */
export const FILTER = join(PACKAGE, 'dist/bin/toeh-filter')
export const WITH_NODE = `--node=${NODE}`
/** What that starts by Node. */
export const GATE = join(PACKAGE, 'dist/bin/toeh-filter.cjs')
export const TOEH = join(PACKAGE, 'dist/bin/toeh.cjs')

/** The environment of a person's shell, without what the test runner adds to every Node process. */
export const SHELL_ENV = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', LANG: 'C.UTF-8' }

/** The environment pipe(8) gives its child. */
export const PIPE_ENV = { PATH: '/usr/bin:/bin', LANG: 'C' }

const NOBODY = 65534

/** What makes a program run without root's rights; nothing where we have none. */
export const UNPRIVILEGED: readonly string[] =
  process.getuid?.() === 0
    ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--inh-caps=-all']
    : []

/**
 * Arguments of env(1) for exactly this environment. Given to spawn alone it would not be: tap loads itself into
 * every Node it sees started, which takes descriptors, writes files and costs more than the program itself.
 */
export function onlyWith(environment: Record<string, string>): string[] {
  return ['-i', ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)]
}

/** Starts a program with {@link onlyWith} this environment. */
export function startWith(
  environment: Record<string, string>,
  program: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  return spawn('/usr/bin/env', [...onlyWith(environment), ...program], options)
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

/** What pipe(8) tells of a client; one without a HELO name makes the sink's server forget our EHLO. */
export const CLIENT = [
  '--client-address=192.0.2.7',
  '--client-name=pc.corp.test',
  '--client-port=50001',
  '--proto=ESMTP',
  '--helo=pc.corp.test',
  '--sasl-user=',
]

function nameOf(option: string): string {
  return option.split('=')[0] ?? ''
}

export interface FilterCall {
  sender?: string
  queueId?: string
  size?: number
  recipients: readonly string[]
  /** Null leaves standard input open, with nothing in it. */
  input?: string | Buffer | null
  /** More options, before the `--`. */
  options?: readonly string[]
  env?: Record<string, string>
  /** In place of all arguments. */
  args?: readonly string[]
  cwd?: string
  /** Another copy of toeh-filter. */
  program?: string
  /** Without the shell that answers for Node: what strikes is to strike the gate itself. */
  bare?: boolean
  /** Another program of Node. */
  node?: string
  /** What starts it: setpriv, prlimit and their options. */
  through?: readonly string[]
  /** Milliseconds after which it is killed: a run whose deadline does not come is a failure, not a test that hangs. */
  patience?: number
}

export const MESSAGE =
  'Received: from pc (pc [127.0.0.1])\n\tby mx.corp.test\nSubject: Invoice\nMessage-ID: <one@corp.test>\n\nBody\n'

export class Lab {
  readonly dir: string
  readonly config: string
  readonly state: string
  /** A Postfix of the lab's own, which has nothing but its defaults: this machine's may have aliases, or no main.cf. */
  readonly postfix: string

  /** @param settings lines of TOML before the tables */
  constructor(dir: string, settings: string, internal?: readonly string[]) {
    this.dir = dir
    this.state = join(dir, 'state')
    this.config = join(dir, 'toeh.toml')
    this.postfix = join(dir, 'postfix')
    mkdirSync(this.postfix, { recursive: true })
    for (const name of ['main.cf', 'master.cf']) writeFileSync(join(this.postfix, name), '')
    cool(this.postfix)
    this.configure(settings, internal)
    for (const folder of ['', 'hold', 'hold/tmp', 'decisions']) {
      mkdirSync(join(this.state, folder), { recursive: true, mode: 0o700 })
    }
    createDatabase(databasePath(this.state), { busySeconds: 5 }).close()
  }

  configure(settings: string, internal: readonly string[] = ['corp.test']): void {
    const base = `state = ${JSON.stringify(this.state)}\ninternal_domains = ${JSON.stringify(internal)}\n`
    writeFileSync(this.config, base + settings)
    // Whatever the umask: toeh takes none that others can change.
    chmodSync(this.config, 0o644)
  }

  /** toeh-filter, as pipe(8) starts it. */
  startFilter(call: FilterCall): ChildProcess {
    const args = call.args ?? [
      `--config=${this.config}`,
      `--sender=${call.sender ?? 'anna@corp.test'}`,
      `--queue-id=${call.queueId ?? '4bQ8Yk2hJnz1'}`,
      ...(call.size === undefined ? [] : [`--size=${call.size}`]),
      ...CLIENT.filter((option) => !call.options?.some((given) => nameOf(given) === nameOf(option))),
      ...(call.options ?? []),
      '--',
      ...call.recipients,
    ]
    const node = call.node === undefined ? WITH_NODE : `--node=${call.node}`
    const program = call.bare === true ? [NODE, GATE] : [call.program ?? FILTER, node]
    const line = [...(call.through ?? []), ...program, ...args]
    const detached = call.patience !== undefined
    const env = { ...PIPE_ENV, MAIL_CONFIG: this.postfix, ...call.env }
    return startWith(env, line, { cwd: call.cwd ?? this.state, detached })
  }

  async filter(call: FilterCall): Promise<Outcome> {
    const child = this.startFilter(call)
    const outcome = outcomeOf(child)
    child.stdin?.on('error', () => {}) // A filter that fails early does not read.
    if (call.input !== null) child.stdin?.end(call.input ?? MESSAGE)
    const { patience } = call
    // Its whole group: the shell alone would leave Node behind, which has its output in hand.
    const kill = (): boolean => process.kill(-(child.pid ?? 0), 'SIGKILL')
    const enough = patience === undefined ? undefined : setTimeout(kill, patience)
    return outcome.finally(() => clearTimeout(enough))
  }

  startToeh(...args: string[]): ChildProcess {
    return startToeh(this.config, args)
  }

  /** With --json the answer must be what docs/schema.json says. */
  async toeh(...args: string[]): Promise<Outcome> {
    const outcome = await outcomeOf(this.startToeh(...args))
    const [command = ''] = args
    const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
    if (options.includes('--json') && command in SCHEMA.properties && outcome.stdout !== '') {
      const faults = faultsOfAnswer(command, outcome.stdout)
      if (faults.length > 0) throw new Error(`docs/schema.json: ${faults.slice(0, 5).join('; ')}`)
    }
    return outcome
  }

  /** Parks a message by a run of the filter; its hold id. */
  async park(recipients: readonly string[], call: Partial<FilterCall> = {}): Promise<string> {
    const { code, stdout } = await this.filter({ ...call, recipients })
    const id = / in ([0-9a-z]{12})\n$/.exec(stdout)?.[1]
    if (code !== 0 || id === undefined) throw new Error(`the filter did not park: ${code} ${stdout}`)
    return id
  }

  openDatabase(): Database {
    return openForWriting(databasePath(this.state), { busySeconds: 5 })
  }

  /** The stores, for looking at or preparing state directly; close the database afterwards. */
  stores(): { db: Database; hold: HoldUpkeep; landscape: Landscape; folder: HoldFolder } {
    const db = this.openDatabase()
    const folder = new HoldFolder(this.state)
    return { db, hold: new HoldUpkeep(db, folder), landscape: new Landscape(db), folder }
  }

  /** Makes a destination known. */
  async allow(...values: string[]): Promise<void> {
    const { db, landscape } = this.stores()
    const drafts = values.map((value) => ({
      kind: value.includes('@') ? ('address' as const) : ('domain' as const),
      value,
      subdomains: false,
      scope: '',
      effect: 'allow' as const,
      endsAt: null,
      source: 'test',
      note: '',
    }))
    landscape.add(drafts, { who: 'test', at: 1 })
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

  /** One row of the database, or many; closes it again. */
  query<T>(sql: string, ...values: (string | number)[]): T[] {
    const db = this.openDatabase()
    try {
      return db.all<T>(sql, ...values)
    } finally {
      db.close()
    }
  }

  /** Changes rows behind the programs' backs. */
  change(sql: string, ...values: (string | number)[]): void {
    const db = this.openDatabase()
    db.run(sql, ...values)
    db.close()
  }

  /** Hands the whole folder to the user that {@link UNPRIVILEGED} makes. */
  giveAway(): void {
    if (UNPRIVILEGED.length === 0) return
    for (const path of walk(this.dir)) chownSync(path, NOBODY, NOBODY)
    // As toeh init makes it.
    chownSync(this.config, 0, NOBODY)
  }

  /** Every file and folder of the installation: mode, owner, time of change and content. */
  snapshot(): Record<string, string> {
    return Object.fromEntries(walk(this.dir).map((path) => [path, fingerprint(path)]))
  }

  /** SHA-256 of the database file. */
  databaseDigest(): string {
    return createHash('sha256')
      .update(readFileSync(databasePath(this.state)))
      .digest('hex')
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
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Decision)
  }
}

/** toeh, as a person starts it, without a terminal. `through` starts it: sh, setpriv and their arguments. */
export function startToeh(
  config: string,
  args: readonly string[],
  through: readonly string[] = [],
): ChildProcess {
  const { HOME = '/', TZ = 'UTC' } = process.env
  const program = [...through, NODE, TOEH, ...args]
  const env = { ...PIPE_ENV, HOME, TZ, TOEH_CONFIG: config, MAIL_CONFIG: join(dirname(config), 'postfix') }
  return startWith(env, program, {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Every path at and below a folder. */
export function walk(dir: string): string[] {
  return [dir, ...readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name))]
}

function fingerprint(path: string): string {
  const { mode, uid, mtimeMs } = lstatSync(path)
  const isFile = (mode & 0o170000) === 0o100000
  const digest = isFile ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''
  return `${mode.toString(8)} ${uid} ${mtimeMs} ${digest}`
}

/** The filter leaves the mail with Postfix: 75, one line with its enhanced status at byte 0, nothing else. */
export function assertDeferred(t: Test, outcome: Outcome, reason: RegExp | string): void {
  const { code, signal, stdout, stderr } = outcome
  t.strictSame({ code, signal, stderr }, { code: 75, signal: null, stderr: '' }, stdout)
  t.match(stdout, /^4\.3\.0 toeh: [\x20-\x7e]+\n$/, 'one printable line')
  t.match(stdout, reason)
  t.notMatch(stdout, /\bat .*:\d+:\d+/, 'no stack trace')
}

/** The filter has settled the mail: 0, one verdict that fits Postfix's log line and names nobody. */
export function assertSettled(t: Test, outcome: Outcome, verdict: RegExp | string): void {
  const { code, signal, stdout, stderr } = outcome
  t.strictSame({ code, signal, stderr }, { code: 0, signal: null, stderr: '' }, stdout)
  t.match(stdout, /^toeh[\x20-\x3f\x41-\x7e]{1,95}\n$/, 'one line of less than 100 characters, no @ in it')
  t.match(stdout, verdict)
}

/** A command did what it was asked: 0, what it says of it, and nothing on stderr. */
export function assertDone(t: Test, outcome: Outcome, words: RegExp | string): void {
  const { code, signal, stdout, stderr } = outcome
  t.strictSame({ code, signal, stderr }, { code: 0, signal: null, stderr: '' }, stdout)
  t.match(stdout, words)
}

/** A command could not do all it was asked: 1, and it says on stdout what was and what was not done. */
export function assertFailed(t: Test, outcome: Outcome, words: RegExp | string): void {
  const { code, signal, stdout, stderr } = outcome
  t.strictSame({ code, signal, stderr }, { code: 1, signal: null, stderr: '' }, stdout)
  t.match(stdout, words)
}

/** A command refused what it was given: its status, one line that says what and where, and nothing on stdout. */
export function assertRefused(t: Test, outcome: Outcome, status: number, line: RegExp | string): void {
  const { code, signal, stdout, stderr } = outcome
  t.strictSame({ code, signal, stdout }, { code: status, signal: null, stdout: '' }, stderr)
  t.match(stderr, /^toeh: [^\n]+\n$/, 'one line')
  t.match(stderr, line)
  t.notMatch(stderr, /\bat .*:\d+:\d+/, 'no stack trace')
}

/** A folder for one test, removed at its end. */
export function makeFolder(t: Test, prefix = 'toeh-test-'): string {
  const dir = mkdtempSync(join(tmpdir(), prefix))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** An installation for one test, whose Postfix this process asks too. Notices are off unless `settings` has them. */
export function makeLab(t: Test, settings = '', notice = '[notice]\nenabled = false\n'): Lab {
  const lab = new Lab(makeFolder(t), `${settings}\n${notice}`)
  process.env.MAIL_CONFIG = lab.postfix
  return lab
}
