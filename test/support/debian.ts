/** A Postfix as Debian's installer leaves it, in a folder of its own and on a loopback address of its own. */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { cool } from './cool.js'
import { makeFolder, NODE, type Outcome, outcomeOf, SHELL_ENV, startWith, TOEH } from './lab.js'

const SHIPPED = '/usr/share/postfix'

/** Why there is none here, or false. */
export function cannotBeFresh(): string | false {
  if (process.getuid?.() !== 0) return 'a private Postfix needs root'
  return existsSync(`${SHIPPED}/master.cf.dist`) ? false : "Debian's package postfix is not installed"
}

export class Debian {
  readonly dir: string
  readonly etc: string
  /** A loopback address of its own: its ports 25 and 10026 are nobody else's. */
  readonly host: string
  /** toeh.toml, which is not made. */
  readonly config: string
  readonly state: string
  readonly env: Record<string, string>

  /** @param sink the port everything is delivered to */
  constructor(t: Test, sink = 9) {
    this.dir = makeFolder(t, 'toeh-postfix-')
    chmodSync(this.dir, 0o755)
    this.etc = join(this.dir, 'etc')
    this.host = `127.${randomInt(1, 250)}.${randomInt(1, 250)}.${randomInt(1, 250)}`
    this.config = join(this.dir, 'toeh/toeh.toml')
    this.state = join(this.dir, 'var/toeh')
    this.env = { ...SHELL_ENV, MAIL_CONFIG: this.etc, TOEH_CONFIG: this.config }
    for (const folder of ['etc', 'queue', 'data', 'log']) mkdirSync(join(this.dir, folder))
    execFileSync('chown', ['postfix', join(this.dir, 'data')])
    this.write('master.cf', readFileSync(`${SHIPPED}/master.cf.dist`, 'latin1'))
    this.write('main.cf', readFileSync(`${SHIPPED}/main.cf.debian`, 'latin1'))
    // As postinst does for an Internet site; then what keeps it apart from the host.
    this.postconf(
      '-e',
      'myhostname=mail.company.example',
      'mydestination=company.example, mail.company.example, localhost.company.example, localhost',
      'alias_maps=',
      'alias_database=',
      'mynetworks=127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128',
      'mailbox_size_limit=0',
      'recipient_delimiter=+',
      'inet_protocols=ipv4',
      'inet_interfaces=127.0.0.1',
      `queue_directory=${this.dir}/queue`,
      `data_directory=${this.dir}/data`,
      `maillog_file=${this.dir}/log/mail.log`,
      `maillog_file_prefixes=${this.dir}/log`,
      `default_transport=smtp:[127.0.0.1]:${sink}`,
      'smtp_dns_support_level=disabled',
      'smtp_host_lookup=native',
      'smtpd_peername_lookup=no',
    )
  }

  read(name: 'main.cf' | 'master.cf'): string {
    return readFileSync(join(this.etc, name), 'latin1')
  }

  write(name: 'main.cf' | 'master.cf', text: string): void {
    writeFileSync(join(this.etc, name), text, 'latin1')
    if (name === 'main.cf') cool(this.etc)
  }

  edit(name: 'main.cf' | 'master.cf', from: string | RegExp, to: string): void {
    const text = this.read(name)
    const edited = text.replace(from, () => to)
    if (edited === text) throw new Error(`${name} has nothing of ${from}`)
    this.write(name, edited)
  }

  /** Puts the commented lines of a service to use, as an administrator does. */
  enable(service: 'submission' | 'submissions'): void {
    const lines = new RegExp(`^#(${service} +inet.*\\n(?:#  .*\\n)*)`, 'm')
    const [, block = ''] = lines.exec(this.read('master.cf')) ?? []
    // Prose is indented by five.
    this.edit('master.cf', lines, block.replace(/^#(?= {2}-o)/gm, ''))
  }

  postconf(...args: string[]): string {
    cool(this.etc)
    return execFileSync('/usr/sbin/postconf', ['-c', this.etc, ...args], { encoding: 'utf8' })
  }

  /** toeh as root in a shell of this host. */
  toeh(...args: string[]): Promise<Outcome> {
    cool(this.etc)
    return outcomeOf(startWith(this.env, [NODE, TOEH, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }))
  }

  /** toeh init for a user that every system has, with what keeps it in this folder. */
  init(...args: string[]): Promise<Outcome> {
    return this.toeh('init', '--user', 'nobody', '--state', this.state, ...args)
  }

  /** Holds what nobody knows, which a configuration that init has made does not by itself; and other lines of it. */
  enforce(change = (text: string): string => text): void {
    const text = readFileSync(this.config, 'utf8')
    writeFileSync(this.config, change(text.replace(/^mode = .*$/m, 'mode = "enforce"')))
  }

  /** Starts it, its services on the address of its own. */
  start(t: Test): void {
    this.edit('master.cf', /^smtp +inet/m, `${this.host}:smtp inet`)
    t.teardown(() => spawnSync('/usr/sbin/postfix', ['-c', this.etc, 'abort']))
    cool(this.etc)
    execFileSync('/usr/sbin/postfix', ['-c', this.etc, 'start'], { stdio: 'pipe' })
  }

  log(): string {
    const path = join(this.dir, 'log/mail.log')
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }
}
