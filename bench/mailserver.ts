/**
 * The mail server of the benchmark: a private Postfix with one entrance for each way through it, a sink that counts,
 * and amavis where it is installed. All of it on loopback, below one folder, and ended with it.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { databasePath } from '../lib/database/database.js'
import { ROOT } from '../test/support/lab.js'
import { freePort, Postfix, USER } from '../test/support/postfix.js'
import { NO_FILTER } from './baselines.js'
import type { Command } from './rounds.js'

/** Set in the copy of this program that has mounts of its own. */
const INSIDE = 'TOEH_BENCH_MOUNTS'

const SCRIPTS = { simple: 'simple-filter.sh', gate: 'shell-gate.bash' }

/** Filters of one kind that pipe(8) or amavis runs at once. */
const AT_ONCE = 10

/**
 * Starts this program again with mounts of its own, where /etc/postfix can be made to name the private Postfix:
 * postdrop(1) takes mail for no other from anybody but root. Returns in that copy, and where there can be none.
 */
export async function enterOwnMounts(): Promise<void> {
  if (process.env[INSIDE] !== undefined || process.getuid?.() !== 0) return
  if (spawnSync('unshare', ['--mount', 'true']).status !== 0) return
  const args = ['--mount', '--propagation', 'private', process.execPath, ...process.argv.slice(1)]
  const child = spawn('unshare', args, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } })
  // The copy has the same terminal and hears of it too.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const [code] = (await once(child, 'close')) as [number | null]
  process.exit(code ?? 1)
}

/**
 * Where more mail comes than goes, Postfix makes a client wait for up to a second. With that in it, the ways that are not
 * short of processors differed by a quarter from one run to the next, and what was measured was where the waits fell.
 */
const FLOW = 'in_flow_delay=0'

/** A way through the server. */
export interface Way {
  name: string
  port: number
  /** Which share of the messages ends in the hold, and not at the sink. */
  held: number
}

export const WAYS = {
  none: NO_FILTER,
  express: 'express lane, known',
  mix: 'express lane, 95 known to 5 unknown',
  pipe: 'toeh-filter by pipe(8), known',
  unknown: 'toeh-filter by pipe(8), unknown',
  twenty: 'the same, 20 filters at once',
  simple: "a shell script as FILTER_README's",
  gate: 'a gate of bash and sqlite3',
  amavis: 'amavis as Debian installs it, two processes',
  bare: 'amavis, nothing decoded, ten processes',
}

export class Mailserver {
  readonly postfix: Postfix
  readonly ways: Way[] = []
  /** The program that stands in no row, and why. */
  readonly missing: { name: string; why: string }[] = []
  readonly #children: ChildProcess[] = []
  readonly #dir: string
  #arrived = 0

  private constructor(dir: string, postfix: Postfix) {
    this.#dir = dir
    this.postfix = postfix
  }

  /**
   * @param dir an empty folder
   * @param above the one it is in, which others have to enter too
   * @param onTeardown takes what has to be done at the end, the last first
   */
  static async start(
    dir: string,
    above: string,
    onTeardown: (work: () => void | Promise<void>) => void,
  ): Promise<Mailserver> {
    const sinkPort = await freePort()
    const to = `smtp:[127.0.0.1]:${sinkPort}`
    const limits = ['toeh20_destination_concurrency_limit=20', 'toeh20_initial_destination_concurrency=20']
    const postfix = await Postfix.start(
      { teardown: onTeardown as never },
      { express: true, main: [`local_transport=${to}`, `default_transport=${to}`, FLOW, ...limits] },
    )
    const server = new Mailserver(dir, postfix)
    for (const path of [above, dir]) chmodSync(path, 0o755)
    onTeardown(() => server.#stop())
    await server.#startSink(sinkPort)
    await server.#configure()
    return server
  }

  async #startSink(port: number): Promise<void> {
    const sink = spawn('smtp-sink', ['-u', 'postfix', '-c', `127.0.0.1:${port}`, '1000'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    this.#children.push(sink)
    sink.stdout.on('data', (bytes: Buffer) => {
      this.#arrived = Number(/mesg=(\d+)\r[^\r]*$/.exec(bytes.toString())?.[1] ?? this.#arrived)
    })
    await listening(port)
  }

  async #configure(): Promise<void> {
    const { postfix } = this
    const folder = join(this.#dir, 'scripts')
    mkdirSync(folder)
    for (const script of Object.values(SCRIPTS))
      copyFileSync(join(ROOT, 'bench', script), join(folder, script))
    execFileSync('chown', ['-R', `${USER}:nogroup`, folder])
    const allowed = await postfix.toeh('allow', 'client.test')
    if (allowed.code !== 0) throw new Error(allowed.stderr)
    const filters = [await this.#startAmavis('amavis'), await this.#startAmavis('bare')]
    const simple = `${join(folder, SCRIPTS.simple)} ${folder} -f \${sender} -- \${recipient}`
    const gate = `${join(folder, SCRIPTS.gate)} ${databasePath(postfix.lab.state)} ${folder} \${sender} \${recipient}`
    const entrances: [keyof typeof WAYS, string][] = [
      ['pipe', 'toeh:dummy'],
      ['twenty', 'toeh20:dummy'],
    ]
    const services = Object.entries(AMAVIS).map(
      ([key, { processes }]) =>
        `${key} unix - - n - ${processes} smtp\n  -o smtp_send_xforward_command=yes\n  -o smtp_data_done_timeout=1200`,
    )
    if (namesPrivatePostfix(postfix.etc, this.#dir)) {
      for (const [name, argv] of [
        ['simple', simple],
        ['gate', gate],
      ] as const) {
        entrances.push([name, `${name}:dummy`])
        services.push(
          `${name} unix - n n - ${AT_ONCE} pipe\n  flags=Rq user=${USER} null_sender=\n  argv=${argv}`,
        )
      }
    } else {
      const why = 'needs root and unshare(1)'
      this.missing.push({ name: WAYS.simple, why }, { name: WAYS.gate, why })
    }
    for (const { key, place } of filters) {
      if (typeof place === 'number') entrances.push([key, `${key}:[127.0.0.1]:${place}`])
      else this.missing.push({ name: WAYS[key], why: place })
    }
    const ports = new Map<string, number>()
    for (const [name, filter] of entrances) {
      const port = await freePort()
      ports.set(name, port)
      services.push(`127.0.0.1:${port} inet n - n - - smtpd\n  -o content_filter=${filter}`)
    }
    postfix.editMaster((text) => {
      const toeh = /^toeh +unix.*\n(?:[ \t].*\n)*/m.exec(text)?.[0] ?? ''
      const twenty = toeh.replace(/^toeh( +unix(?: +\S+){4}) +\d+/, 'toeh20$1 20')
      // What the scripts hand to sendmail must not come back to a filter.
      const pickup = text.replace(/^(pickup .*)\n {2}-o content_filter=.*$/m, '$1')
      return `${pickup}${twenty}${services.join('\n')}\n`
    })
    const way = (key: keyof typeof WAYS, port: number | undefined, held = 0): void => {
      if (port !== undefined) this.ways.push({ name: WAYS[key], port, held })
    }
    way('none', postfix.ungated)
    way('express', postfix.submission)
    way('mix', postfix.submission, 0.05)
    way('pipe', ports.get('pipe'))
    way('unknown', ports.get('pipe'), 1)
    way('twenty', ports.get('twenty'), 1)
    way('simple', ports.get('simple'))
    way('gate', ports.get('gate'))
    way('amavis', ports.get('amavis'))
    way('bare', ports.get('bare'))
    for (const { port } of this.ways) await listening(port)
  }

  /** @returns its port as the place, or why there is none */
  async #startAmavis(
    key: keyof typeof AMAVIS,
  ): Promise<{ key: keyof typeof AMAVIS; place: number | string }> {
    if (!existsSync('/usr/sbin/amavisd')) return { key, place: 'not installed' }
    const home = join(this.#dir, key)
    mkdirSync(home)
    const own = join(home, 'amavisd.conf')
    const port = await freePort()
    const { settings, before } = AMAVIS[key]
    writeFileSync(own, `${amavisPlaces(home, port, this.postfix.reinjection)}${settings}\n1;\n`)
    // Root's file in root's folder: amavis refuses any other configuration.
    chownSync(home, 0, 0)
    for (const name of ['tmp', 'var', 'var/db', 'var/virusmails']) {
      mkdirSync(join(home, name))
      execFileSync('chown', ['amavis:amavis', join(home, name)])
    }
    const log = join(home, 'said')
    writeFileSync(log, '')
    const files = [...before.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))), own]
    const options = files.map((file) => `-c '${file}'`).join(' ')
    const child = spawn('sh', ['-c', `exec /usr/sbin/amavisd ${options} foreground >> '${log}' 2>&1`], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' },
      stdio: 'ignore',
    })
    this.#children.push(child)
    try {
      await listening(port, 30)
    } catch {
      const said = readFileSync(log, 'utf8').trim().split('\n').at(-1)?.slice(0, 200)
      return { key, place: `did not start: ${said}` }
    }
    return { key, place: port }
  }

  /** The scripts as commands by themselves, reinjection by sendmail included. */
  scripts(input: string): Record<string, Command> {
    if (this.missing.some(({ name }) => name === WAYS.simple)) return {}
    const folder = join(this.#dir, 'scripts')
    const environment = { MAIL_CONFIG: this.postfix.etc }
    const database = databasePath(this.postfix.lab.state)
    const [from, to] = ['anna@corp.test', 'person@client.test']
    return {
      [WAYS.simple]: {
        argv: [join(folder, SCRIPTS.simple), folder, '-f', from, '--', to],
        input,
        environment,
      },
      [WAYS.gate]: { argv: [join(folder, SCRIPTS.gate), database, folder, from, to], input, environment },
    }
  }

  /** Stops Postfix and all it does, for a while. */
  pause(): void {
    this.postfix.stop()
  }

  /** Starts Postfix again, with nothing in its queue. */
  async resume(): Promise<void> {
    for (const name of readdirSync(join(this.postfix.dir, 'queue/maildrop')))
      rmSync(join(this.postfix.dir, 'queue/maildrop', name))
    this.postfix.command('start')
    for (const { port } of this.ways) await listening(port)
  }

  /**
   * Sends so many messages of 3 kB over twenty connections.
   * @returns seconds until the last one was at the sink, or in the hold
   */
  async send(way: Way, messages: number): Promise<number> {
    const parked = countLines(this.postfix.lab.state)
    const count = (): number => (way.held < 1 ? this.#arrived : 0) + (way.held > 0 ? parked() : 0)
    const before = count()
    const held = Math.round(messages * way.held)
    const began = performance.now()
    const sources = [
      ...this.#startSource(way.port, 'x@client.test', messages - held, held === 0 ? 20 : 19),
      ...this.#startSource(way.port, 'x@stranger.test', held, held === messages ? 20 : 1),
    ]
    const sent = Promise.all(sources.map((source) => once(source, 'close')))
    const limit = began + 30_000 + messages * 500
    while (count() - before < messages) {
      if (sources.some(({ exitCode }) => exitCode !== null && exitCode !== 0))
        throw new Error(`${way.name}: smtp-source failed`)
      if (performance.now() > limit)
        throw new Error(
          `${way.name}: ${count() - before} of ${messages} came\n${this.postfix.log().slice(-2000)}`,
        )
      await wait(5)
    }
    const seconds = (performance.now() - began) / 1000
    await sent
    for (const source of sources) this.#children.splice(this.#children.indexOf(source), 1)
    await this.postfix.until('an empty queue', () => this.postfix.isEmpty())
    return seconds
  }

  #startSource(port: number, recipient: string, messages: number, connections: number): ChildProcess[] {
    if (messages === 0) return []
    const options = [
      '-s',
      String(Math.min(connections, messages)),
      '-m',
      String(messages),
      '-l',
      '3000',
      '-N',
    ]
    const to = ['-f', 'anna@corp.test', '-t', recipient, `127.0.0.1:${port}`]
    const source = spawn('smtp-source', [...options, ...to], { stdio: 'inherit' })
    this.#children.push(source)
    return [source]
  }

  /** Lines of the mail log that say a message was put off. */
  deferrals(): string[] {
    return this.postfix
      .log()
      .split('\n')
      .filter((line) => /status=(deferred|SOFTBOUNCE|bounced)/.test(line))
  }

  #stop(): void {
    for (const child of this.#children) child.kill('SIGTERM')
  }
}

/** Makes /etc/postfix, as this program sees it, take this instance for one of its own. @returns whether it could */
function namesPrivatePostfix(etc: string, dir: string): boolean {
  if (process.env[INSIDE] === undefined) return false
  const copy = join(dir, 'etc-postfix')
  cpSync('/etc/postfix', copy, { recursive: true })
  const main = join(copy, 'main.cf')
  appendFileSync(main, `\nalternate_config_directories = ${etc}\n`)
  return spawnSync('mount', ['--bind', copy, '/etc/postfix']).status === 0
}

/** Counts the lines of the decision log, one a run, as they come. */
function countLines(state: string): () => number {
  const folder = join(state, 'decisions')
  const seen = new Map<string, { size: number; lines: number }>()
  return () => {
    for (const name of readdirSync(folder)) {
      const { size, lines } = seen.get(name) ?? { size: 0, lines: 0 }
      const added = readFileSync(join(folder, name)).subarray(size)
      if (added.length === 0) continue
      seen.set(name, {
        size: size + added.length,
        lines: lines + added.toString('latin1').split('\n').length - 1,
      })
    }
    return [...seen.values()].reduce((sum, { lines }) => sum + lines, 0)
  }
}

async function listening(port: number, seconds = 10): Promise<void> {
  for (const end = Date.now() + seconds * 1000; ; await wait(50)) {
    const socket = connect(port, '127.0.0.1')
    const there = await new Promise<boolean>((done) => {
      socket.on('connect', () => done(true)).on('error', () => done(false))
    })
    socket.destroy()
    if (there) return
    if (Date.now() > end) throw new Error(`nothing listens on port ${port}`)
  }
}

/**
 * amavis twice. As Debian installs it: viruses and spam are not looked for, but each message is taken apart, file(1) is
 * asked of its parts, and header and names are checked. And with all of that off and as many processes as filters.
 */
const AMAVIS = {
  amavis: {
    processes: 2,
    before: ['/usr/share/amavis/conf.d', '/etc/amavis/conf.d'].filter((folder) => existsSync(folder)),
    settings: '',
  },
  bare: {
    processes: AT_ONCE,
    before: [] as string[],
    settings: `$max_servers = ${AT_ONCE};
$enable_db = 0;
$enable_zmq = 0;
@bypass_virus_checks_maps = (1);
@bypass_spam_checks_maps = (1);
@bypass_banned_checks_maps = (1);
@bypass_header_checks_maps = (1);
@av_scanners = ();
@av_scanners_backup = ();
@decoders = ();
$enable_dkim_verification = 0;
$enable_dkim_signing = 0;
$final_virus_destiny = D_PASS;
$final_banned_destiny = D_PASS;
$final_spam_destiny = D_PASS;
$final_bad_header_destiny = D_PASS;`,
  },
}

/** Where an amavis has its files and its ports. */
function amavisPlaces(home: string, port: number, reinjection: number): string {
  return `use strict;
$daemon_user = 'amavis';
$daemon_group = 'amavis';
$MYHOME = '${home}/var';
$TEMPBASE = '${home}/tmp';
$ENV{TMPDIR} = $TEMPBASE;
$QUARANTINEDIR = '${home}/var/virusmails';
$db_home = '${home}/var/db';
$pid_file = '${home}/var/amavisd.pid';
$lock_file = '${home}/var/amavisd.lock';
$mydomain = 'corp.test';
$myhostname = 'mx.corp.test';
@local_domains_maps = ( ['.corp.test'] );
@mynetworks = qw( 127.0.0.0/8 );
$DO_SYSLOG = 0;
$do_syslog = 0;
$LOGFILE = '${home}/var/amavis.log';
$log_level = 0;
$unix_socketname = undef;
$inet_socket_bind = '127.0.0.1';
$inet_socket_port = ${port};
$forward_method = 'smtp:[127.0.0.1]:${reinjection}';
$notify_method = $forward_method;
`
}
