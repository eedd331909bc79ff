// What npm ci leaves out under this Node: the better-sqlite3 of the others (lib/system/bettersqlite.cts), as an npm ci under one of them
// installs it, of the version and hash in package-lock.json. npm's package node brings that Node, and with it the headers that
// version 12 is compiled against. Kept in node_modules/.cache, which the next npm ci takes away.
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Node 20 for the newer ones, and one of them for Node 20.
 * @returns its program, and the node_modules of a checkout under it
 */
export function otherNode(root) {
  const other = Number(process.versions.napi) >= 10 ? 20 : 22
  const place = join(root, 'node_modules/.cache/toeh', `node-${other}`)
  const found = { program: join(place, 'node'), modules: join(place, 'node_modules') }
  if (existsSync(place)) return found
  const scratch = mkdtempSync(join(tmpdir(), 'toeh-other-'))
  try {
    const home = installNode(scratch, other)
    for (const file of ['package.json', 'package-lock.json']) cpSync(join(root, file), join(scratch, file))
    const env = { ...process.env, PATH: `${home}/bin:${process.env.PATH}`, npm_config_nodedir: home }
    npm(['ci', '--omit=dev'], { cwd: scratch, env })
    // Beside its place first: one that is there is whole.
    rmSync(`${place}.new`, { recursive: true, force: true })
    mkdirSync(`${place}.new`, { recursive: true })
    cpSync(join(home, 'bin/node'), join(`${place}.new`, 'node'))
    cpSync(join(scratch, 'node_modules'), join(`${place}.new`, 'node_modules'), { recursive: true })
    renameSync(`${place}.new`, place)
    return found
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** Where npm has put that Node: bin and include below it. */
function installNode(scratch, version) {
  const prefix = join(scratch, 'node')
  mkdirSync(prefix)
  writeFileSync(join(prefix, 'package.json'), '{ "private": true, "allowScripts": { "node": true } }')
  npm(['install', '--no-save', `node@${version}`], { cwd: prefix })
  const [part] = readdirSync(join(prefix, 'node_modules'), { recursive: true, encoding: 'utf8' }).filter(
    (path) => /(?:^|\/)node-[a-z]+-[a-z0-9]+\/bin\/node$/.test(path),
  )
  if (part === undefined) throw new Error(`npm's node@${version} has no program for this system`)
  return dirname(dirname(join(prefix, 'node_modules', part)))
}

function npm(args, options) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', [...args, ...quiet], { ...options, stdio: ['ignore', 'ignore', 'inherit'] })
}
