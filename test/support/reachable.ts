/**
 * The built programs, and Node, where every user of this system can run them: in this checkout, or in a copy below the
 * temporary folder where the checkout or Node lies below a folder that is closed to others, as /root is. Tests run
 * programs as users of no rights, and Postfix runs the filter as one; what they start comes from here.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import bettersqlite from '../../lib/system/bettersqlite.cjs'

/** This checkout. */
export const ROOT = resolve(import.meta.dirname, '../../..')

const BUILT = [
  'dist/bin',
  'dist/lib',
  'dist/locales',
  'package.json',
  'master.cf.sample',
  'examples/toeh.toml',
]
/** better-sqlite3's native part, of the version that this Node takes. */
const NATIVE =
  bettersqlite.natives
    .map((part) => join('node_modules', bettersqlite.folder, part))
    .find((path) => existsSync(join(ROOT, path))) ?? ''

/** Whether everybody may read and run what lies there: the last three bits of a mode. */
function isOpen(path: string): boolean {
  const real = realpathSync(path)
  if ((statSync(real).mode & 0o005) !== 0o005) return false
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

const user = process.getuid?.() ?? 0
// Who is not root starts nothing as another user.
const isCheckoutOpen =
  user !== 0 || ['dist/bin/toeh-filter', NATIVE].every((path) => isOpen(join(ROOT, path)))
const isNodeOpen = user !== 0 || isOpen(process.execPath)

function sum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/** Copies of this checkout begin so; what follows is the build that each is of. */
const PREFIX = `toeh-reachable-${user}-${sum(ROOT)}-`

/** Changes with every build, and with another Node. */
function stampOfBuild(): string {
  const files = BUILT.map((path) => join(ROOT, path)).flatMap((path) =>
    statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))
      : [path],
  )
  const stats = [...files, join(ROOT, NATIVE), process.execPath].map((path) => {
    const { mtimeMs, size } = statSync(path)
    return `${path} ${mtimeMs} ${size}`
  })
  return sum(stats.join('\n'))
}

/** Whether a copy is there, and is ours: everybody may write in the temporary folder. */
function isOurs(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return false
  if (stat.isDirectory() && stat.uid === user && (stat.mode & 0o022) === 0) return true
  throw new Error(`${path} is not ours: look whose it is, and take it away`)
}

/** Modules that the programs need when they run, as paths of this checkout. */
function modules(): string[] {
  const args = ['ls', '--omit=dev', '--all', '--parseable']
  const paths = execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
  return paths.map((path) => relative(ROOT, path)).filter((path) => path !== '')
}

function copyTo(target: string): void {
  if (!isCheckoutOpen) {
    for (const part of [...BUILT, ...modules()])
      cpSync(join(ROOT, part), join(target, part), {
        recursive: true,
        dereference: true,
        preserveTimestamps: true,
        // What better-sqlite3 was compiled from is most of all that would be copied.
        filter: (source) => !/\/better-sqlite3(?:-12)?\/(?:deps|src)$/.test(source),
      })
    execFileSync('chmod', ['-R', 'a+rX', target])
  }
  if (!isNodeOpen) {
    const node = join(target, 'node')
    mkdirSync(node, { mode: 0o755 })
    try {
      linkSync(process.execPath, join(node, 'node'))
    } catch {
      copyFileSync(process.execPath, join(node, 'node'))
    }
  }
  chmodSync(target, 0o755)
}

/** Makes the copy where there is none yet. Several test files may come here at once; one of them wins. */
function findCopy(): string {
  const path = join(tmpdir(), `${PREFIX}${stampOfBuild()}`)
  if (isOurs(path)) return path
  const made = mkdtempSync(join(tmpdir(), 'toeh-copying-'))
  try {
    copyTo(made)
    renameSync(made, path)
  } catch (error) {
    rmSync(made, { recursive: true, force: true })
    if (!isOurs(path)) throw error
  }
  return path
}

const copy = isCheckoutOpen && isNodeOpen ? undefined : findCopy()

/** The package: dist, modules, samples. */
export const PACKAGE = copy === undefined || isCheckoutOpen ? ROOT : copy

/** The Node that runs the tests. */
export const NODE = copy === undefined || isNodeOpen ? process.execPath : join(copy, 'node/node')

/** Removes the copies of earlier builds; the one in use stays for the next run. */
export function sweepCopies(): void {
  for (const name of readdirSync(tmpdir())) {
    const path = join(tmpdir(), name)
    if (name.startsWith(PREFIX) && path !== copy && isOurs(path))
      rmSync(path, { recursive: true, force: true })
  }
}
