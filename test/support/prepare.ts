/**
 * Prepares a machine for the tests: installs Debian's packages that are missing, where this user may, and makes what
 * other users have to reach.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { missingPackages, PROMTOOL } from './debianpackages.js'

const SKIPPED = 'the tests that need it will be skipped'

function run(
  command: string,
  args: readonly string[],
  options: { input?: string; cwd?: string } = {},
): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const stdio = ['pipe', 'ignore', 'inherit'] as ['pipe', 'ignore', 'inherit']
  return spawnSync(command, args, { input: '', ...options, env, stdio }).status === 0
}

function install(...names: string[]): boolean {
  return run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...names])
}

/** Unpacked and not installed: Debian's package of promtool(1) starts a server, which no machine wants for a test. */
function unpackPromtool(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'toeh-promtool-'))
  const target = resolve(PROMTOOL, '../../..')
  try {
    // apt-get itself downloads as another user where it can.
    if (!run('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', 'prometheus'], { cwd: dir }))
      return false
    const [deb = ''] = readdirSync(dir)
    mkdirSync(target, { recursive: true })
    const unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" ./usr/bin/promtool'
    return run('sh', ['-c', unpack, 'sh', join(dir, deb), target]) && existsSync(PROMTOOL)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function installMissing(): void {
  const packages = missingPackages()
  const promtool = process.env.PROMTOOL !== undefined || existsSync(PROMTOOL)
  const missing = [...packages, ...(promtool ? [] : ['promtool'])]
  if (missing.length === 0) return
  if (process.getuid?.() !== 0) {
    console.error(`prepare: no ${missing.join(', no ')} here and not root: ${SKIPPED}`)
    return
  }
  console.error(`prepare: installing ${missing.join(', ')}`)
  // Without a configuration it is not started; the scenarios run an instance of their own.
  if (packages.includes('postfix')) {
    const input = 'postfix postfix/main_mailer_type select No configuration\n'
    run('debconf-set-selections', [], { input })
  }
  const updated = run('apt-get', ['update', '-qq'])
  const failed = (names: readonly string[]): void => {
    for (const name of names) console.error(`prepare: ${name} could not be installed: ${SKIPPED}`)
  }
  // One by one where a release of Debian has no such package: the others are needed all the same.
  if (!updated) failed(packages)
  else if (packages.length > 0 && !install(...packages)) failed(packages.filter((name) => !install(name)))
  if (!promtool && !(updated && unpackPromtool())) failed(['promtool'])
}

installMissing()
