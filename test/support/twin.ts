/** The twin: this version of Node as npm has it, which may be another build than the one that runs (Debian's is). */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './reachable.js'

/** Fetches it where it is missing; kept until the next npm ci. @returns its program */
export function twinNode(): string {
  const place = join(ROOT, 'node_modules/.cache/toeh', `twin-${process.versions.node}`)
  if (!existsSync(place)) {
    const made = `${place}.new`
    rmSync(made, { recursive: true, force: true })
    mkdirSync(made, { recursive: true })
    writeFileSync(join(made, 'package.json'), '{ "private": true, "allowScripts": { "node": true } }')
    const options = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error']
    const stdio: ['ignore', 'ignore', 'inherit'] = ['ignore', 'ignore', 'inherit']
    execFileSync('npm', ['install', ...options, `node@${process.versions.node}`], { cwd: made, stdio })
    renameSync(made, place)
  }
  const [part = ''] = readdirSync(place, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\/node-[a-z]+-[a-z0-9]+\/bin\/node$/.test(path),
  )
  return join(place, part)
}
