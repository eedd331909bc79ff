/**
 * Injectors: programs of this host that hand mail to Postfix by SMTP, as their own settings say. It is the hosts's own mail,
 * at an entrance that nobody thinks of. Changes nothing.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Injector } from './facts.js'

/** Where mail is handed over when nothing else is said. */
const DEFAULT = { host: '127.0.0.1', port: '25' }

/** What doveconf(1) says is not as it comes; nothing where there is no Dovecot. Asked by name, 2.4 refuses some. */
function dovecotSettings(): string {
  try {
    const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/local/sbin` }
    return execFileSync('doveconf', ['-n'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env })
  } catch {
    return ''
  }
}

function dovecots(): Injector[] {
  const text = dovecotSettings()
  // What stands in a block is indented.
  const setting = (name: string): string => new RegExp(`^${name} = (.*)$`, 'm').exec(text)?.[1] ?? ''
  const found: Injector[] = []
  // What Sieve sends, forwards and vacation; without it sendmail(1) takes them. A protocol may have one of its own.
  for (const [, host = ''] of text.matchAll(/^ *submission_host = (.+)$/gm)) {
    const [, name = '', port = DEFAULT.port] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(host) ?? []
    found.push({ program: 'Dovecot', setting: 'submission_host', host: name, port })
  }
  // A list in quotation marks, or since 2.4 a block.
  const [, block = ''] = /^protocols \{([^}]*)\}/m.exec(text) ?? []
  const protocols = setting('protocols').replaceAll('"', '').split(/\s+/)
  if (protocols.includes('submission') || /^\s*submission = yes$/m.test(block)) {
    const relay = setting('submission_relay_host') || DEFAULT.host
    const port = setting('submission_relay_port') || DEFAULT.port
    found.push({ program: 'Dovecot', setting: 'submission_relay_host', host: relay, port })
  }
  return found
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** One a list of mlmmj's. */
function mlmmjs(root: string): Injector[] {
  const folder = join(root, 'var/spool/mlmmj')
  return list(folder)
    .filter((name) => list(join(folder, name)).includes('control'))
    .map((name) => {
      const control = join(folder, name, 'control')
      return {
        program: 'mlmmj',
        setting: join(control, 'relayhost'),
        host: read(join(control, 'relayhost')) || DEFAULT.host,
        port: read(join(control, 'smtpport')) || DEFAULT.port,
      }
    })
}

function mailmans(root: string): Injector[] {
  const path = join(root, 'etc/mailman3/mailman.cfg')
  const text = read(path)
  if (text === '') return []
  const setting = (name: string): string | undefined =>
    new RegExp(`^${name}\\s*[:=]\\s*(\\S+)`, 'm').exec(text)?.[1]
  return [
    {
      program: 'Mailman',
      setting: path,
      host: setting('smtp_host') ?? DEFAULT.host,
      port: setting('smtp_port') ?? DEFAULT.port,
    },
  ]
}

/** @param root the folder whose etc and var are looked into */
export function findInjectors(root = '/'): Injector[] {
  return [...dovecots(), ...mlmmjs(root), ...mailmans(root)]
}
