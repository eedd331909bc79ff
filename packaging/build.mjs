// npm run deb: makes dist/toeh_VERSION_ARCHITECTURE.deb of what npm run build has made, with the modules that run and no
// others. The same tree and SOURCE_DATE_EPOCH (by itself the last commit's time) give the same bytes. Debian's dpkg-dev
// and binutils do the rest. It has better-sqlite3 for every Node: what npm ci leaves out under this one is fetched, and compiled
// where need be, by an npm ci under another (packaging/othernode.mjs).
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, extname, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { otherNode } from './othernode.mjs'

const ROOT = join(import.meta.dirname, '..')
const SOURCE = join(import.meta.dirname, 'debian')
const LOCK = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
const HOME = 'usr/lib/toeh'
const DOC = 'usr/share/doc/toeh'

/** What a module names among its dependencies and needs at its own installation alone. */
const INSTALL_ONLY = {
  'better-sqlite3': ['node-addon-api'],
  'better-sqlite3-12': ['bindings', 'prebuild-install'],
}
/** Of the two better-sqlite3, what is for this system: each has one native part. */
const NATIVES = [
  `node_modules/better-sqlite3/prebuilds/${process.platform}-${process.arch}.node`,
  'node_modules/better-sqlite3-12/build/Release/better_sqlite3.node',
]
/** Parts of modules that no run reads. */
const IDLE_FOLDERS =
  /^(?:\.github|benchmarks?|bin|deps|docs?|examples?|fixtures|iife|man|samples?|tests?|__tests__|types|umd)$/
const IDLE_FILES =
  /^(?:\..*|bin\.js|.*\.umd\.min\.js|.*\.(?:[cm]?ts|map|md|markdown|yml|flow|html|gyp|lock)|(?:licen[cs]e|authors|notice|security)\b.*)$/i

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const { version } = manifest
const architecture = run('dpkg', '--print-architecture')
const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? lastCommit())
const maintainer = `${process.env.DEBFULLNAME ?? 'The TOEH authors'} <${process.env.DEBEMAIL ?? 'toeh@localhost'}>`

/** What a program says; the last argument may be options of execFileSync. */
function run(command, ...given) {
  const options = typeof given.at(-1) === 'object' ? given.pop() : {}
  return execFileSync(command, given, { encoding: 'utf8', ...options }).trim()
}

/** Seconds since 1970; of an unpacked archive, which has no commits, the time of its manifest. */
function lastCommit() {
  try {
    return run('git', '-C', ROOT, 'log', '-1', '--format=%ct')
  } catch {
    return Math.floor(lstatSync(join(ROOT, 'package.json')).mtimeMs / 1000)
  }
}

/** Folders of the modules that run, relative to the checkout: what package-lock.json says each needs, from ours on. */
function runtimeModules() {
  const { packages } = LOCK
  const found = new Set()
  /** The folder that Node would find a module in, asked from one of another. */
  const find = (from, name) => {
    for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
      const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
      if (packages[path] !== undefined) return path
      if (folder === '') throw new Error(`package-lock.json has no ${name} for ${from || 'toeh'}`)
    }
  }
  const visit = (from) => {
    const skipped = INSTALL_ONLY[from.replace(/^.*node_modules\//, '')] ?? []
    const { dependencies, optionalDependencies } = packages[from]
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (skipped.includes(name)) continue
      const path = find(from, name)
      if (found.has(path)) continue
      found.add(path)
      visit(path)
    }
  }
  visit('')
  return [...found].sort()
}

/** Takes away the folders that have nothing left in them. */
function dropEmpty(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) dropEmpty(join(folder, entry.name))
  if (readdirSync(folder).length === 0) rmdirSync(folder)
}

/**
 * A folder like a checkout in which npm ci and npm run build have run, but with the modules of every Node that run, and no others:
 * the bundles have both better-sqlite3 in them.
 */
function makeStage(scratch, modules) {
  const stage = join(scratch, 'stage')
  mkdirSync(stage)
  for (const part of ['bin', 'lib', 'package.json', 'dist'])
    cpSync(join(ROOT, part), join(stage, part), { recursive: true })
  const places = [join(ROOT, 'node_modules'), otherNode(ROOT).modules]
  for (const path of modules) {
    const folder = places
      .map((place) => join(place, path.slice('node_modules/'.length)))
      .find((one) => existsSync(join(one, 'package.json')))
    const found = folder && JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version
    if (found !== LOCK.packages[path].version)
      throw new Error(`${path} is ${found ?? 'not there'}, not as locked: npm ci`)
    cpSync(realpathSync(folder), join(stage, path), {
      recursive: true,
      filter: (file) => basename(file) !== 'node_modules',
    })
  }
  for (const path of NATIVES)
    if (!existsSync(join(stage, path))) throw new Error(`there is no ${path} for ${architecture}`)
  run(process.execPath, join(ROOT, 'bundle.mjs'), { cwd: stage })
  return stage
}

/** Copies a module without what no run reads. */
function copyModule(path, stage, tree) {
  const from = join(stage, path)
  cpSync(from, join(tree, HOME, path), {
    recursive: true,
    filter: (file) => {
      const name = basename(file)
      if (file === from) return true
      const part = relative(stage, file)
      if (/\/better-sqlite3(?:-12)?\/(?:build|prebuilds|src)\b/.test(part))
        return NATIVES.some((native) => native === part || native.startsWith(`${part}/`))
      return lstatSync(file).isDirectory() ? !IDLE_FOLDERS.test(name) : !IDLE_FILES.test(name)
    },
  })
}

/** The licence of the package, then of every module in it, word by word. */
function copyright(modules, stage) {
  const texts = modules.map((path) => {
    const folder = join(stage, path)
    const { name, version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const by = typeof author === 'string' ? author : (author?.name ?? 'its authors')
    const found = readdirSync(folder)
      .filter((file) => /^(?:licen[cs]e|copying|notice)\b/i.test(file))
      .sort()
    // Of a choice the shortest is taken.
    const mit = / OR /.test(license) ? found.filter((file) => /\bMIT\b/.test(file)) : []
    const files = mit.length > 0 ? mit : found
    const text =
      license === 'MPL-2.0'
        ? 'On Debian systems the text is in /usr/share/common-licenses/MPL-2.0.'
        : files.map((file) => readFileSync(join(folder, file), 'utf8').replace(/\r/g, '').trim()).join('\n\n')
    return `${name} ${version}, by ${by}\nLicence: ${license}\n\n${text}`
  })
  const rule = `\n\n${'-'.repeat(72)}\n\n`
  const own = readFileSync(join(ROOT, 'LICENSE'), 'utf8').trim()
  const intro = [
    own,
    `Bundled in /${HOME}/node_modules, some of it in /${HOME}/dist/bin/*.cjs as well: the modules below, each\n` +
      'under its own licence. better-sqlite3 has SQLite in it, which is in the public domain.',
  ]
  return `${[...intro, ...texts].join(rule)}\n`
}

function put(tree, path, bytes, mode = 0o644) {
  const file = join(tree, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, bytes)
  chmodSync(file, mode)
}

function link(tree, path, target) {
  mkdirSync(dirname(join(tree, path)), { recursive: true })
  symlinkSync(target, join(tree, path))
}

const read = (path) => readFileSync(join(ROOT, path))
const zipped = (bytes) => gzipSync(bytes, { level: 9 })

/** The program: what lib/postfix/sample.ts and bin/ take from the package's folder, and the modules. */
function putProgram(tree, modules, stage) {
  const { name, description, license, type, engines } = manifest
  const kept = { name, version, description, license, type, engines }
  put(tree, `${HOME}/package.json`, `${JSON.stringify(kept, null, 2)}\n`)
  for (const part of ['dist/bin', 'dist/lib', 'dist/locales']) {
    cpSync(join(stage, part), join(tree, HOME, part), {
      recursive: true,
      // The cache is made where the package is installed, for the node there.
      filter: (file) =>
        !/\.(?:map|cache)$|\/bin\/(?:launch\.cjs|toeh\.js|toeh-filter\.js|attachments\.js)$/.test(file),
    })
  }
  for (const file of ['cache.mjs', 'master.cf.sample', 'examples/toeh.toml'])
    put(tree, `${HOME}/${file}`, read(file))
  for (const path of modules) copyModule(path, stage, tree)
  dropEmpty(join(tree, HOME, 'node_modules'))
  for (const path of NATIVES)
    run('strip', '--strip-unneeded', '--remove-section=.comment', join(tree, HOME, path))
  // It looks for the program beside itself.
  for (const file of ['toeh-filter', 'toeh-filter.cjs']) link(tree, `${HOME}/${file}`, `dist/bin/${file}`)
  link(tree, 'usr/bin/toeh', '../lib/toeh/dist/bin/toeh.cjs')
}

function putRest(tree, modules, stage) {
  for (const page of ['toeh.8', 'toeh-filter.8', 'toeh.toml.5'])
    put(tree, `usr/share/man/man${page.slice(-1)}/${page}.gz`, zipped(read(`man/${page}`)))
  put(tree, 'usr/share/bash-completion/completions/toeh', read('completion/toeh.bash'))
  put(tree, 'usr/share/zsh/vendor-completions/_toeh', read('completion/_toeh'))
  put(tree, 'usr/share/fish/vendor_completions.d/toeh.fish', read('completion/toeh.fish'))
  for (const file of ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'CONTRIBUTING.md'])
    put(tree, `${DOC}/${file}`, read(file))
  for (const file of readdirSync(join(ROOT, 'docs'), { recursive: true }).filter(
    (name) => extname(name) !== '',
  ))
    put(tree, `${DOC}/docs/${file}`, read(`docs/${file}`))
  put(tree, `${DOC}/examples/grafana-dashboard.json`, read('examples/grafana-dashboard.json'))
  link(tree, `${DOC}/examples/toeh.toml`, '../../../../lib/toeh/examples/toeh.toml')
  link(tree, `${DOC}/master.cf.sample`, '../../../lib/toeh/master.cf.sample')
  put(tree, `${DOC}/copyright`, copyright(modules, stage))
  const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000')
  const entry = `toeh (${version}) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- ${maintainer}  ${date}\n`
  put(tree, `${DOC}/changelog.gz`, zipped(entry))
  put(tree, 'etc/cron.d/toeh', readFileSync(join(SOURCE, 'cron')))
  put(tree, 'usr/share/lintian/overrides/toeh', readFileSync(join(SOURCE, 'lintian-overrides')))
  for (const unit of readdirSync(SOURCE).filter((name) => /\.(?:service|timer)$/.test(name)))
    put(tree, `usr/lib/systemd/system/${unit}`, readFileSync(join(SOURCE, unit)))
}

/** The libraries of C that the native parts need, as Debian names them. */
function librariesOf(tree, scratch) {
  put(scratch, 'debian/control', 'Source: toeh\n\nPackage: toeh\nArchitecture: any\n')
  const found = execFileSync('dpkg-shlibdeps', ['-O', ...NATIVES.map((path) => join(tree, HOME, path))], {
    cwd: scratch,
    encoding: 'utf8',
    // It misses what node itself brings.
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return found.replace(/^shlibs:Depends=/m, '').trim()
}

/** Every file of the tree, relative to it, in order. */
function filesOf(tree) {
  return readdirSync(tree, { recursive: true, encoding: 'utf8' })
    .filter((path) => lstatSync(join(tree, path)).isFile())
    .sort()
}

function putControl(tree, scratch) {
  const files = filesOf(tree)
  const sums = files
    .filter((path) => !path.startsWith('etc/'))
    .map((path) => {
      const digest = createHash('md5')
        .update(readFileSync(join(tree, path)))
        .digest('hex')
      return `${digest}  ${path}\n`
    })
  const kib = files.reduce((sum, path) => sum + Math.ceil(lstatSync(join(tree, path)).size / 1024), 0)
  const values = {
    ...{ VERSION: version, ARCHITECTURE: architecture, MAINTAINER: maintainer, SIZE: kib },
    ...{ DEPENDS: librariesOf(tree, scratch), TRIPLET: run('dpkg-architecture', '-qDEB_HOST_MULTIARCH') },
  }
  for (const name of ['control', 'triggers', 'postinst', 'prerm', 'postrm']) {
    const text = readFileSync(join(SOURCE, name), 'utf8').replace(/@([A-Z]+)@/g, (_, key) =>
      String(values[key]),
    )
    put(tree, `DEBIAN/${name}`, text, /^p/.test(name) ? 0o755 : 0o644)
  }
  put(tree, 'DEBIAN/conffiles', '/etc/cron.d/toeh\n')
  put(tree, 'DEBIAN/md5sums', sums.join(''))
}

/** Rights as everybody expects them, whatever the umask and the modules' archives. */
function setRights(tree) {
  for (const path of ['.', ...readdirSync(tree, { recursive: true, encoding: 'utf8' })]) {
    const file = join(tree, path)
    const entry = lstatSync(file)
    if (entry.isSymbolicLink()) continue
    const runs =
      /(?:^|\/)dist\/bin\/(?:(?:toeh|toeh-filter|attachments)\.cjs|toeh-filter)$|^DEBIAN\/p[a-z]+$/.test(path)
    chmodSync(file, entry.isDirectory() || runs ? 0o755 : 0o644)
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'toeh-deb-'))
try {
  const tree = join(scratch, 'tree')
  mkdirSync(tree)
  const modules = runtimeModules()
  const stage = makeStage(scratch, modules)
  putProgram(tree, modules, stage)
  putRest(tree, modules, stage)
  putControl(tree, scratch)
  setRights(tree)
  const deb = join(process.argv[2] ?? join(ROOT, 'dist'), `toeh_${version}_${architecture}.deb`)
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, deb], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  console.log(deb)
} finally {
  rmSync(scratch, { recursive: true })
}
