/** A private Postfix on loopback: its own folders, ports and log, with TOEH in it as `toeh init` prints it. */
import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { laneFiles } from '../../lib/express/lane.js'
import { LANE_UTF8, laneRestrictions } from '../../lib/express/tables.js'
import type { Decision } from '../../lib/logs/decisionlog.js'
import { cool } from './cool.js'
import { tableTypes } from './debianpackages.js'
import { Lab, NODE, type Outcome, outcomeOf, SHELL_ENV, startWith, TOEH } from './lab.js'
import { Sink, type SunkMail } from './sink.js'

/** Who runs the filter: pipe(8) refuses root and the mail owner; this user is on every Debian. */
export const USER = 'nobody'

/** Whether Postfix is installed. */
export function hasPostfix(): boolean {
  return existsSync('/usr/sbin/postfix') || existsSync('/usr/lib/postfix/sbin/master')
}

/** Why the scenarios cannot run here, or false. */
export function cannotRun(): string | false {
  if (process.getuid?.() !== 0) return 'a private Postfix needs root'
  return hasPostfix() ? false : 'Postfix is not installed and could not be'
}

/** The same for what Postfix asks SQLite. */
export function cannotAskSqlite(): string | false {
  const cannot = cannotRun()
  if (cannot !== false) return cannot
  return tableTypes().includes('sqlite') ? false : 'Postfix has no sqlite tables: apt install postfix-sqlite'
}

const given = new Set<number>()

/** A port nobody listens on, and another one each time. */
export async function freePort(): Promise<number> {
  while (true) {
    // Below those the system gives to whoever connects: such a one could be taken before Postfix has it (ip(7)).
    const port = randomInt(16_000, 32_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((done) => {
      server.once('error', () => done(false))
      server.listen(port, '127.0.0.1', () => done(true))
    })
    await new Promise((done) => server.close(done))
    if (isFree && !given.has(port)) {
      given.add(port)
      return port
    }
  }
}

const SERVICES = `
pickup    unix  n - n 60  1 pickup
  -o content_filter=toeh:dummy
cleanup   unix  n - n -   0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n -   - trivial-rewrite
bounce    unix  - - n -   0 bounce
defer     unix  - - n -   0 bounce
trace     unix  - - n -   0 bounce
verify    unix  - - n -   1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -   - proxymap
smtp      unix  - - n -   - smtp
lmtp      unix  - - n -   - lmtp
showq     unix  n - n -   - showq
error     unix  - - n -   - error
retry     unix  - - n -   - error
anvil     unix  - - n -   1 anvil
scache    unix  - - n -   1 scache
postlog   unix-dgram n - n - 1 postlogd
`

export interface PostfixOptions {
  /** Its internal_domains. */
  internal?: string[]
  /** Lines for TOEH's configuration. */
  settings?: string
  notice?: string
  /** Submission takes the express lane. */
  express?: boolean
  /** Settings of main.cf, as `name=value`, beside or in place of those below. */
  main?: string[]
  /** Changes the lines of the toeh service, to break it. */
  breakService?: (lines: string) => string
}

export class Postfix {
  readonly dir: string
  readonly lab: Lab
  readonly sink: Sink
  /** Where clients submit; its mail goes through the gate. */
  readonly submission: number
  /** 10026's twin. */
  readonly reinjection: number
  /** As submission, without the gate: what Postfix does by itself. */
  readonly ungated: number
  /** The folder of main.cf and master.cf. */
  readonly etc: string

  private constructor(dir: string, lab: Lab, sink: Sink, ports: [number, number, number]) {
    this.dir = dir
    this.lab = lab
    this.sink = sink
    this.submission = ports[0]
    this.reinjection = ports[1]
    this.ungated = ports[2]
    this.etc = join(dir, 'etc')
  }

  /** Starts an instance for one test and stops it at its end. */
  static async start(t: Pick<Test, 'teardown'>, options: PostfixOptions = {}): Promise<Postfix> {
    const dir = mkdtempSync(join(tmpdir(), 'toeh-postfix-'))
    chmodSync(dir, 0o755)
    const sink = await Sink.start()
    const ports: [number, number, number] = [await freePort(), await freePort(), await freePort()]
    const reinject = `reinject = "smtp:127.0.0.1:${ports[1]}"\n`
    const [, delimiter = ''] = /^recipient_delimiter=(.*)$/m.exec(options.main?.join('\n') ?? '') ?? []
    const extensions = `recipient_delimiter = ${JSON.stringify(delimiter)}\n`
    const lab = new Lab(
      dir,
      `${reinject}${extensions}${options.settings ?? ''}\n${options.notice ?? '[notice]\nenabled = false\n'}\n[express]\nenabled = ${options.express ?? false}\n`,
      options.internal,
    )
    const postfix = new Postfix(dir, lab, sink, ports)
    t.teardown(async () => {
      postfix.stop()
      await sink.stop()
      rmSync(dir, { recursive: true, force: true })
    })
    await postfix.#configure(options)
    // It checks the configuration and makes the queue's folders first.
    postfix.command('start')
    return postfix
  }

  async #configure(options: PostfixOptions): Promise<void> {
    const { dir } = this
    for (const folder of ['etc', 'queue', 'data', 'log']) mkdirSync(join(dir, folder))
    execFileSync('chown', ['postfix', join(dir, 'data')])
    execFileSync('chown', ['-R', `${USER}:nogroup`, this.lab.state])
    chownSync(this.lab.config, 0, 65534)
    writeFileSync(
      join(this.etc, 'main.cf'),
      `compatibility_level = 3.6
queue_directory = ${dir}/queue
data_directory = ${dir}/data
maillog_file = ${dir}/log/mail.log
maillog_file_prefixes = ${dir}/log
myhostname = mx.corp.test
mydestination = corp.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
alias_database =
local_transport = smtp:[127.0.0.1]:${this.sink.port}
default_transport = smtp:[127.0.0.1]:${this.sink.port}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtputf8_enable = yes
message_size_limit = 40000000
enable_long_queue_ids = yes
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 3s
toeh_destination_recipient_limit = 50
toeh_time_limit = 60s
`,
    )
    if (options.main !== undefined && options.main.length > 0)
      execFileSync('/usr/sbin/postconf', ['-c', this.etc, '-e', ...options.main])
    writeFileSync(join(this.etc, 'master.cf'), await this.#master(options))
    cool(this.etc)
  }

  /** master.cf: the lines `toeh init` prints, on this instance's ports, and the services Postfix needs. */
  async #master(options: PostfixOptions): Promise<string> {
    const { stdout } = await this.toeh('init', '--user', USER, '--json')
    const { master } = JSON.parse(stdout) as { master: string[] }
    const printed = master.filter((line) => !line.startsWith('#')).join('\n')
    const gate = printed.replace('127.0.0.1:10026', `127.0.0.1:${this.reinjection}`)
    return `127.0.0.1:${this.ungated} inet n - n - - smtpd
127.0.0.1:${this.submission} inet n - n - - smtpd
${await this.#entrance(options)}
  -o message_size_limit=39900000
${options.breakService?.(gate) ?? gate}
${SERVICES}`
  }

  /** What sends submitted mail through the gate. */
  async #entrance({ express }: PostfixOptions): Promise<string> {
    if (express !== true) return '  -o content_filter=toeh:dummy'
    const { code, stderr } = await this.toeh('express', '--write')
    if (code !== 0) throw new Error(stderr)
    return `  -o content_filter=\n  -o ${LANE_UTF8.name}=${LANE_UTF8.value}\n  -o { smtpd_recipient_restrictions = ${laneRestrictions(laneFiles(this.lab.config))} }`
  }

  /** Runs postfix(1) with this instance's configuration. */
  command(...args: string[]): string {
    cool(this.etc)
    const before = args[0] === 'reload' ? this.#servers() : []
    const { status, stdout, stderr } = spawnSync('/usr/sbin/postfix', ['-c', this.etc, ...args], {
      encoding: 'utf8',
    })
    if (status !== 0)
      throw new Error(`postfix ${args.join(' ')}: ${status} ${stdout} ${stderr} ${this.log()}`)
    this.#awaitEnd(before)
    return stdout
  }

  /** The processes of master(8), by their numbers. */
  #servers(): string[] {
    const pid = this.masterPid()
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  }

  /**
   * postfix(1) only sends a signal, and a process that waits for a client may take the next one before it sees that it is to
   * end: on a busy machine that message would be of the old configuration. A process with a client stays, so not for ever.
   */
  #awaitEnd(servers: readonly string[]): void {
    for (const end = Date.now() + 1500; Date.now() < end; ) {
      if (!servers.some((pid) => existsSync(`/proc/${pid}`))) return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }

  stop(): void {
    // Not `stop`, which waits for every process to end by itself.
    spawnSync('/usr/sbin/postfix', ['-c', this.etc, 'abort'])
  }

  /** The process that all others of this instance come from. */
  masterPid(): number {
    return Number(readFileSync(join(this.dir, 'queue/pid/master.pid'), 'utf8'))
  }

  /** Rewrites a line of master.cf and reloads. */
  editMaster(edit: (text: string) => string): void {
    const path = join(this.etc, 'master.cf')
    writeFileSync(path, edit(readFileSync(path, 'utf8')))
    this.command('reload')
  }

  /** Sets a parameter of main.cf and reloads. */
  setMain(setting: string): void {
    execFileSync('/usr/sbin/postconf', ['-c', this.etc, '-e', setting])
    this.command('reload')
  }

  log(): string {
    const path = join(this.dir, 'log/mail.log')
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }

  /** Queue ids that Postfix still keeps. */
  queue(): { queueId: string; recipients: { address: string; delay_reason?: string }[] }[] {
    const text = execFileSync('/usr/sbin/postqueue', ['-c', this.etc, '-j'], { encoding: 'utf8' })
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const { queue_id: queueId, recipients } = JSON.parse(line)
        return { queueId, recipients }
      })
  }

  flush(): void {
    execFileSync('/usr/sbin/postqueue', ['-c', this.etc, '-f'])
  }

  /** Submits a message as a client would. @returns Postfix's queue id */
  async submit(
    sender: string,
    recipients: readonly string[],
    bytes: Buffer | string,
    options: { port?: number; mail?: string } = {},
  ): Promise<string> {
    const conversation = await Conversation.open(options.port ?? this.submission)
    try {
      await conversation.say('EHLO pc.corp.test\r\n')
      return await conversation.send(sender, recipients, bytes, options.mail)
    } finally {
      conversation.close()
    }
  }

  /** Waits until `condition` holds. @throws Error with the log after `seconds` */
  async until(what: string, condition: () => boolean, seconds = 40): Promise<void> {
    for (const end = Date.now() + seconds * 1000; !condition(); ) {
      if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s\n${this.log().slice(-6000)}`)
      await new Promise((done) => setTimeout(done, 50))
    }
  }

  /**
   * Whether Postfix keeps nothing, by its folders: to start postqueue(1) every moment takes much of what is waited for.
   */
  isEmpty(): boolean {
    return isEmptyQueue(join(this.dir, 'queue'))
  }

  /** Waits until Postfix keeps nothing any more, and gives what the sink has. */
  async settled(seconds = 40): Promise<SunkMail[]> {
    await this.until('an empty queue', () => this.isEmpty(), seconds)
    return this.sink.mails
  }

  /** toeh, as root on this installation. */
  async toeh(...args: string[]): Promise<Outcome> {
    return outcomeOf(this.startToeh(...args))
  }

  startToeh(...args: string[]): ChildProcess {
    if (existsSync(join(this.etc, 'main.cf'))) cool(this.etc)
    const env = { ...SHELL_ENV, TOEH_CONFIG: this.lab.config, MAIL_CONFIG: this.etc }
    const stdio = ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe']
    return startWith(env, [NODE, TOEH, ...args], { stdio })
  }

  decisions(): Decision[] {
    return this.lab.decisions()
  }
}

/** In the order in which a message goes through the folders, and twice: what the filter gives back is in the first again. */
export function isEmptyQueue(queue: string): boolean {
  const folders = ['maildrop', 'incoming', 'active', 'deferred', 'hold'].map((name) => join(queue, name))
  return [...folders, ...folders].every((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true }).every((entry) => entry.isDirectory()),
  )
}

/** One SMTP connection, kept open as long as a test wants. */
export class Conversation {
  readonly #socket: Socket
  #text = ''

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** @param from the loopback address that the client has, which tells it from others */
  static async open(port: number, host = '127.0.0.1', from = '127.0.0.1'): Promise<Conversation> {
    const conversation = new Conversation(connect({ port, host, localAddress: from }))
    await conversation.#reply('the connection')
    return conversation
  }

  async #reply(step: string): Promise<string> {
    for (;;) {
      const [reply] = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#text) ?? []
      if (reply !== undefined) {
        this.#text = this.#text.slice(reply.length)
        if (!/^[23]/m.test(reply)) throw new Error(`${step.slice(0, 80)} was answered ${reply}`)
        return reply
      }
      const [bytes] = (await once(this.#socket, 'data')) as [Buffer]
      this.#text += bytes.toString('latin1')
    }
  }

  /** Says something and gives the reply. @throws Error unless it is 2xx or 3xx */
  say(step: string | Buffer): Promise<string> {
    this.#socket.write(step)
    return this.#reply(step.toString())
  }

  /** Says something and waits for nothing: `say('')` then gives one reply after the other. */
  push(text: string): void {
    this.#socket.write(text)
  }

  /** A whole message. @returns Postfix's queue id */
  async send(
    sender: string,
    recipients: readonly string[],
    bytes: Buffer | string,
    mail = '',
  ): Promise<string> {
    const lines = Buffer.from(bytes)
      .toString('latin1')
      .replace(/\n$/, '')
      .replace(/\n/g, '\r\n')
      .replace(/^\./gm, '..')
    await this.say(`MAIL FROM:<${sender}>${mail}\r\n`)
    for (const recipient of recipients) await this.say(`RCPT TO:<${recipient}>\r\n`)
    await this.say('DATA\r\n')
    const reply = await this.say(Buffer.from(`${lines}\r\n.\r\n`, 'latin1'))
    return /queued as (\w+)/.exec(reply)?.[1] ?? ''
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** A message without the Received fields that servers have put on top. */
export function withoutReceived(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/^(Received:[^\r\n]*\r\n([ \t][^\r\n]*\r\n)*)+/, '')
}
