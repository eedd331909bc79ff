/** Debian's packages that the tests need, and whether what each is needed for is here. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { hasJournal } from './journal.js'

/** Where the administrator's programs are, which not every shell has in its PATH. */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** Where a program lies that this process or a shell of root's would find, or undefined. A path is where it lies. */
export function findProgram(name: string): string | undefined {
  if (name.startsWith('/')) return isProgram(name) ? name : undefined
  const folders = [...(process.env.PATH ?? '').split(':'), ...SBIN].filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * The types of look-up tables that the installed Postfix knows. Asked with an empty main.cf: postconf(1) ends without
 * one, as under Debian's "No configuration", and the host's own is nobody's business here.
 */
export function tableTypes(): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'toeh-types-'))
  try {
    writeFileSync(join(dir, 'main.cf'), '')
    const { stdout } = spawnSync('/usr/sbin/postconf', ['-c', dir, '-m'], { encoding: 'utf8' })
    return stdout?.split('\n') ?? []
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Where prepare.ts unpacks Prometheus' checker of metrics, on a Debian that has no package of its own for it. */
export const UNPACKED_PROMTOOL = resolve(import.meta.dirname, '../../tools/usr/bin/promtool')

/** The environment's, the system's, or the one that was unpacked. */
export const PROMTOOL = process.env.PROMTOOL ?? findProgram('promtool') ?? UNPACKED_PROMTOOL

/** Programs by the package that brings them. */
const PROGRAMS: Record<string, string[]> = {
  adduser: ['adduser', 'deluser'],
  'amavisd-new': ['amavisd'],
  binutils: ['strip'],
  cron: ['cron'],
  dbus: ['dbus-daemon'],
  'dovecot-core': ['dovecot', 'doveconf'],
  'dovecot-lmtpd': ['/usr/lib/dovecot/lmtp'],
  'dovecot-sieve': ['sievec'],
  'dpkg-dev': ['dpkg-shlibdeps'],
  faketime: ['faketime'],
  fish: ['fish'],
  iproute2: ['ip'],
  lintian: ['lintian'],
  'man-db': ['man'],
  mandoc: ['mandoc'],
  mlmmj: ['mlmmj-receive', 'mlmmj-make-ml'],
  mount: ['mount', 'umount'],
  nftables: ['nft'],
  opendkim: ['opendkim'],
  passwd: ['useradd'],
  pflogsumm: ['pflogsumm'],
  procps: ['pgrep'],
  scdoc: ['scdoc'],
  strace: ['strace'],
  // A test starts a systemd of its own in an overlay; here it is not started.
  systemd: ['systemd-run'],
  zsh: ['zsh'],
}

/** Services that some of these packages switch on. Tests start the programs themselves, and need no service. */
export const SERVICES: Record<string, string[]> = {
  'amavisd-new': ['amavis.service', 'amavis-mc.service', 'amavisd-snmp-subagent.service'],
  cron: ['cron.service'],
  'dovecot-core': ['dovecot.service', 'dovecot.socket'],
  opendkim: ['opendkim.service'],
}

/** The packages that are missing here, to be installed in one go. */
export function missingPackages(): string[] {
  const postfix = existsSync('/usr/sbin/postconf') && existsSync('/usr/lib/postfix/sbin/master')
  return [
    ...(postfix ? [] : ['postfix']),
    ...(postfix && tableTypes().includes('sqlite') ? [] : ['postfix-sqlite']),
    // It makes journals without a running journald, and brings journalctl.
    ...(hasJournal() ? [] : ['systemd-journal-remote']),
    ...Object.entries(PROGRAMS)
      .filter(([, programs]) => programs.some((name) => findProgram(name) === undefined))
      .map(([name]) => name),
  ]
}
