/** OpenDKIM, in the foreground: as a milter that signs, and as the judge of what it has signed. */
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { startDaemon } from './daemon.js'
import { findProgram } from './debianpackages.js'
import { makeFolder } from './lab.js'
import { freePort } from './postfix.js'

/** Why it cannot be started here, or false. */
export function cannotRunOpenDkim(): string | false {
  return findProgram('opendkim') === undefined ? "Debian's package opendkim is not installed" : false
}

export class OpenDkim {
  readonly #dir: string
  readonly #port: number

  private constructor(dir: string, port: number) {
    this.#dir = dir
    this.#port = port
  }

  /**
   * Starts one that signs what company.example sends.
   * @param ttl SignatureTTL, in seconds: the tag x= then says when the signature runs out
   */
  static async start(t: Test, ttl?: number): Promise<OpenDkim> {
    const dir = makeFolder(t, 'toeh-opendkim-')
    chmodSync(dir, 0o755)
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'der' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    writeFileSync(join(dir, 'key'), privateKey, { mode: 0o600 })
    writeFileSync(
      join(dir, 'public'),
      `mail._domainkey.company.example v=DKIM1; k=rsa; p=${publicKey.toString('base64')}\n`,
    )
    const opendkim = new OpenDkim(dir, await freePort())
    writeFileSync(
      join(dir, 'sign.conf'),
      `Mode s
Socket inet:${opendkim.#port}@127.0.0.1
Domain company.example
Selector mail
KeyFile ${dir}/key
RequireSafeKeys no
Canonicalization relaxed/simple
InternalHosts 0.0.0.0/0
Syslog no
Background no
${ttl === undefined ? '' : `SignatureTTL ${ttl}\n`}`,
    )
    writeFileSync(join(dir, 'verify.conf'), `Mode v\nTestPublicKeys ${dir}/public\nClockDrift 1\nSyslog no\n`)
    await startDaemon(t, ['/usr/sbin/opendkim', '-f', '-x', join(dir, 'sign.conf')], opendkim.#port)
    return opendkim
  }

  /** As smtpd_milters names it. */
  get milter(): string {
    return `inet:127.0.0.1:${this.#port}`
  }

  /** What OpenDKIM says of a message that has arrived (opendkim(8), -t). */
  judge(bytes: Buffer): string {
    const path = join(this.#dir, 'message')
    writeFileSync(path, bytes)
    const args = ['-x', join(this.#dir, 'verify.conf'), '-t', path, '-v', '-v']
    const { stdout, stderr } = spawnSync('/usr/sbin/opendkim', args, { encoding: 'utf8' })
    return `${stdout}${stderr}`.replaceAll(path, 'message')
  }
}
