/** Prepares a machine for the scenarios: installs Debian's postfix where it is missing and this user may. */
import { spawnSync } from 'node:child_process'
import { hasPostfix } from './postfix.js'

function run(command: string, args: readonly string[], input = ''): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(command, args, { env, input, stdio: ['pipe', 'ignore', 'inherit'] }).status === 0
}

if (!hasPostfix()) {
  if (process.getuid?.() !== 0)
    console.error('prepare: no postfix here and not root: the scenarios will be skipped')
  else {
    console.error('prepare: installing postfix')
    // Without a configuration it is not started; the scenarios run an instance of their own.
    run('debconf-set-selections', [], 'postfix postfix/main_mailer_type select No configuration\n')
    const installed =
      run('apt-get', ['update', '-qq']) &&
      run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', 'postfix'])
    if (!installed) console.error('prepare: postfix could not be installed: the scenarios will be skipped')
  }
}
