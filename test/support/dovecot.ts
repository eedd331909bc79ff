/** Dovecot, in the foreground and in a folder of its own: it lets in who says `secret`, and delivers by LMTP with Sieve. */
import { type ChildProcess, execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { startDaemon } from './daemon.js'
import { findProgram } from './debianpackages.js'
import { makeFolder } from './lab.js'
import { freePort, USER } from './postfix.js'

/** Why it cannot be started here, or false. */
export function cannotRunDovecot(): string | false {
  return findProgram('dovecot') === undefined || findProgram('sievec') === undefined
    ? "Debian's packages dovecot-lmtpd and dovecot-sieve are not installed"
    : false
}

export interface DovecotOptions {
  /** What users' scripts are, by their address. */
  scripts?: Record<string, string>
  /** submission_host: where Sieve hands mail over; else it is sendmail(1) of this host. */
  submission?: string
}

export class Dovecot {
  /** Where smtpd(8) asks about logins. */
  readonly auth: number
  readonly lmtp: number
  readonly dir: string
  /** A folder for the front of PATH, whose doveconf(1) is that of this Dovecot. */
  readonly bin: string
  readonly #conf: string
  readonly #submission: string | undefined
  #process: ChildProcess | undefined

  private constructor(dir: string, auth: number, lmtp: number, submission: string | undefined) {
    this.dir = dir
    this.#submission = submission
    this.auth = auth
    this.lmtp = lmtp
    this.bin = join(dir, 'bin')
    this.#conf = join(dir, 'dovecot.conf')
  }

  /** Its settings and users, not started: its ports go into Postfix's settings first. */
  static async make(t: Test, options: DovecotOptions = {}): Promise<Dovecot> {
    const dir = makeFolder(t, 'toeh-dovecot-')
    chmodSync(dir, 0o755)
    const dovecot = new Dovecot(dir, await freePort(), await freePort(), options.submission)
    for (const folder of ['bin', 'run', 'state', 'home']) mkdirSync(join(dir, folder))
    for (const [user, script] of Object.entries(options.scripts ?? {})) {
      mkdirSync(join(dir, 'home', user))
      writeFileSync(join(dir, 'home', user, '.dovecot.sieve'), script)
    }
    execFileSync('chown', ['-R', `${USER}:nogroup`, join(dir, 'home')])
    dovecot.configure()
    const doveconf = `#!/bin/sh\nexec /usr/bin/doveconf -c ${dovecot.#conf} "$@"\n`
    writeFileSync(join(dovecot.bin, 'doveconf'), doveconf, { mode: 0o755 })
    return dovecot
  }

  /** @param envelopeFrom sieve_redirect_envelope_from, where it is not to be the default */
  configure(envelopeFrom?: string): void {
    writeFileSync(this.#conf, this.#settings(envelopeFrom))
    this.#process?.kill('SIGHUP')
  }

  #settings(envelopeFrom: string | undefined): string {
    const { dir } = this
    const version = execFileSync('/usr/sbin/dovecot', ['--version'], { encoding: 'utf8' })
    const isOld = /^2\.[0-3]\./.test(version)
    const submission = this.#submission
    const redirect = envelopeFrom === undefined ? '' : `sieve_redirect_envelope_from = ${envelopeFrom}`
    return `${isOld ? '' : 'dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n'}
protocols = lmtp
base_dir = ${dir}/run
state_dir = ${dir}/state
instance_name = toeh-test
log_path = ${dir}/log
ssl = no
${submission === undefined ? '' : `submission_host = ${submission}`}
service auth {
  inet_listener ${isOld ? '' : 'sasl '}{
${this.#listener(isOld, this.auth)}
  }
}
service lmtp {
  inet_listener lmtp {
${this.#listener(isOld, this.lmtp)}
  }
}
${isOld ? this.#old(redirect) : this.#new(redirect)}`
  }

  #listener(isOld: boolean, port: number): string {
    return `    ${isOld ? 'address' : 'listen'} = 127.0.0.1\n    port = ${port}`
  }

  /** What Dovecot 2.3 calls it. */
  #old(redirect: string): string {
    return `disable_plaintext_auth = no
mail_location = maildir:~/Maildir
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=${USER} gid=nogroup home=${this.dir}/home/%u allow_all_users=yes
}
protocol lmtp {
  mail_plugins = sieve
}
plugin {
  sieve = file:~/sieve;active=~/.dovecot.sieve
  ${redirect}
}
`
  }

  /** What it has been called since 2.4. */
  #new(redirect: string): string {
    return `auth_allow_cleartext = yes
mail_driver = maildir
mail_path = ~/Maildir
passdb static {
  password = secret
}
userdb static {
  allow_all_users = yes
  fields {
    uid = ${USER}
    gid = nogroup
    home = ${this.dir}/home/%{user}
  }
}
protocol lmtp {
  mail_plugins {
    sieve = yes
  }
}
sieve_script personal {
  path = ~/sieve
  active_path = ~/.dovecot.sieve
}
${redirect}
`
  }

  /** @param etc the folder of Postfix's settings, which sendmail(1) finds in the place of this host's */
  async start(t: Test, etc: string): Promise<void> {
    // A mount of its own: sendmail(1) takes no other folder from who is not root.
    const script = 'mount --bind "$1" /etc/postfix && exec /usr/sbin/dovecot -F -c "$2"'
    this.#process = await startDaemon(
      t,
      ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', etc, this.#conf],
      this.auth,
      this.lmtp,
    )
  }
}
