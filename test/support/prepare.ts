/** Prepares a machine for the tests: installs Debian's packages that are missing, where this user may. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { hasJournal } from './journal.js'
import { hasPostfix } from './postfix.js'

function run(command: string, args: readonly string[], input = ''): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(command, args, { env, input, stdio: ['pipe', 'ignore', 'inherit'] }).status === 0
}

function isThere(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined
}

const missing = [
  ...(hasPostfix() ? [] : ['postfix']),
  // It makes journals without a running journald, and brings journalctl.
  ...(hasJournal() ? [] : ['systemd-journal-remote']),
  ...(existsSync('/usr/sbin/nft') ? [] : ['nftables']),
  ...(existsSync('/usr/sbin/pflogsumm') ? [] : ['pflogsumm']),
  ...['strace', 'faketime', 'scdoc', 'mandoc', 'fish', 'zsh'].filter((name) => !isThere(name)),
  ...(isThere('man') ? [] : ['man-db']),
  // They start a systemd of their own in an overlay; here it is not started.
  ...(isThere('systemd-run') ? [] : ['systemd']),
  ...(isThere('dbus-daemon') ? [] : ['dbus']),
  ...(hasPostfix() && spawnSync('postconf', ['-m'], { encoding: 'utf8' }).stdout.includes('sqlite')
    ? []
    : ['postfix-sqlite']),
]
const skipped = 'the tests that need it will be skipped'

if (missing.length > 0 && process.getuid?.() !== 0)
  console.error(`prepare: no ${missing.join(', no ')} here and not root: ${skipped}`)
else if (missing.length > 0) {
  console.error(`prepare: installing ${missing.join(', ')}`)
  // Without a configuration it is not started; the scenarios run an instance of their own.
  run('debconf-set-selections', [], 'postfix postfix/main_mailer_type select No configuration\n')
  const updated = run('apt-get', ['update', '-qq'])
  for (const name of missing) {
    const installed = updated && run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', name])
    if (!installed) console.error(`prepare: ${name} could not be installed: ${skipped}`)
  }
}
