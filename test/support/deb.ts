/** The Debian package for tests: built, and what its installation makes beside its files. */
import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { makeFolder, outcomeOf, ROOT } from './lab.js'
import type { Machine } from './machine.js'
import { cannotRun } from './postfix.js'

/** Why it cannot be built and installed here, or false. */
export function cannotPackage(): string | false {
  if (cannotRun() !== false) return cannotRun()
  for (const tool of ['dpkg-deb', 'dpkg-shlibdeps', 'strip', 'adduser', 'lintian'])
    if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) return `there is no ${tool} here`
  return spawnSync('dpkg', ['-s', 'toeh']).status === 0 ? 'the package is installed here' : false
}

/** Builds the package, quickly compressed. @returns its path */
export async function build(t: Test): Promise<string> {
  const dir = makeFolder(t)
  const env = { ...process.env, DPKG_DEB_COMPRESSOR_TYPE: 'gzip', DPKG_DEB_COMPRESSOR_LEVEL: '1' }
  const program = [join(ROOT, 'packaging/build.mjs'), dir]
  const { code, stderr } = await outcomeOf(spawn(process.execPath, program, { env }))
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  const [file = ''] = readdirSync(dir)
  t.match(file, /^toeh_\d+\.\d+\.\d+_[a-z0-9]+\.deb$/)
  return join(dir, file)
}

/** The code caches that its installation makes. */
export const cache = (machine: Machine): Promise<string> =>
  machine.sh('cd /usr/lib/toeh/dist/bin && stat -c "%A %U %n %s" *.cache || true')
export const CACHE = /^(-rw-r--r-- root (command|filter|mime)-[0-9a-f]{12}\.cjs\.cache \d{6,7}\n){3}$/
