/**
 * Prepares a machine for the tests: installs Debian's packages that are missing, where this user may, and makes what
 * other users have to reach.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { missingPackages, PROMTOOL, SERVICES, UNPACKED_PROMTOOL } from './debianpackages.js'
import { ROOT, sweepCopies } from './reachable.js'
import { twinNode } from './twin.js'

function run(
  command: string,
  args: readonly string[],
  options: { input?: string; cwd?: string } = {},
): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const stdio = ['pipe', 'ignore', 'inherit'] as ['pipe', 'ignore', 'inherit']
  return spawnSync(command, args, { input: '', ...options, env, stdio }).status === 0
}

/** What Debian's packages ask before they start a service (policy-rc.d(8)): 101 is no. */
const POLICY = '/usr/sbin/policy-rc.d'

/**
 * Installs them without a server of theirs running afterwards, or after the next start of this machine: some would take
 * ports, and mail, of whoever works here.
 */
function install(...names: string[]): boolean {
  const isOurs = !existsSync(POLICY)
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    return run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...names])
  } finally {
    if (isOurs) rmSync(POLICY)
    const services = names.flatMap((name) => SERVICES[name] ?? [])
    // Those that a release of Debian does not have are an error, and no matter.
    for (const service of services)
      spawnSync('systemctl', ['disable', '--quiet', service], { stdio: 'ignore' })
  }
}

/** Unpacked and not installed: Debian 12's package of promtool(1) starts a server, which no machine wants for a test. */
function unpackPromtool(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'toeh-promtool-'))
  const target = resolve(UNPACKED_PROMTOOL, '../../..')
  try {
    // By itself apt-get downloads as a user who may not write here.
    const download = ['download', '-qq', '-o', 'APT::Sandbox::User=root', 'prometheus']
    if (!run('apt-get', download, { cwd: dir })) return false
    const [deb = ''] = readdirSync(dir)
    mkdirSync(target, { recursive: true })
    const unpack = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" ./usr/bin/promtool'
    return run('sh', ['-c', unpack, 'sh', join(dir, deb), target])
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Whether this release of Debian has such a package. */
function exists(name: string): boolean {
  return spawnSync('apt-cache', ['show', name], { stdio: 'ignore' }).status === 0
}

/** @returns what is still missing, and why */
function installMissing(): { names: string[]; why: string } {
  const needed = missingPackages()
  const missing = [...needed, ...(existsSync(PROMTOOL) ? [] : ['promtool'])]
  if (missing.length === 0) return { names: [], why: '' }
  if (process.getuid?.() !== 0) return { names: missing, why: 'is not here, and this is not root' }
  console.error(`prepare: installing ${missing.join(', ')}`)
  if (needed.includes('postfix')) {
    // Without a configuration it is not started; the scenarios run an instance of their own.
    const input = 'postfix postfix/main_mailer_type select No configuration\n'
    run('debconf-set-selections', [], { input })
  }
  const why = 'could not be installed'
  if (!run('apt-get', ['update', '-qq'])) return { names: missing, why }
  const [packages, unpacked] = exists('promtool') ? [missing, []] : [needed, missing.slice(needed.length)]
  // One by one where a release of Debian lacks one of them: the others are needed all the same.
  const failed =
    packages.length === 0 || install(...packages) ? [] : packages.filter((name) => !install(name))
  return { names: [...failed, ...unpacked.filter(() => !unpackPromtool())], why }
}

const { names, why } = installMissing()
for (const name of names) console.error(`prepare: ${name} ${why}: the tests that need it will be skipped`)
// What else tests fetch, so that they themselves need no network.
twinNode()
const { otherNode } = (await import(join(ROOT, 'packaging/othernode.mjs'))) as {
  otherNode(root: string): unknown
}
otherNode(ROOT)
// The copy that other users run, where this checkout or Node is closed to them, is made by being asked for.
sweepCopies()
