// Makes each program of two files, so that a run reads only what it needs: the bundle, beside which cache.mjs puts V8's
// code cache, and the launcher that starts it. better-sqlite3's native part stays outside.
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { build } from 'esbuild'

const require = createRequire(import.meta.url)

const OUT = 'dist/bin'
const COMMON = { bundle: true, platform: 'node', target: 'node20.19', format: 'cjs', logLevel: 'warning' }

/**
 * Modules of which a run most often uses nothing, and what is used of them: functions by their names, or the whole of
 * what they export by default.
 */
const SELDOM = {
  // Known mail needs no hash, and these cost a run of it what they make of themselves.
  '@noble/hashes/sha2.js': { functions: ['sha256'] },
  'node:crypto': { functions: ['createHash', 'randomBytes'] },
  // Where lib/system/channel.ts has Node's own handles.
  'node:net': { functions: ['connect', 'Socket'] },
  'node:child_process': { functions: ['execFile', 'execFileSync', 'spawn', 'spawnSync'] },
  'node:readline': { functions: ['createInterface'] },
  libmime: {},
  'nodemailer/lib/mail-composer/index.js': {},
  tldts: { functions: ['getPublicSuffix'] },
  // For help texts and tables.
  cliui: {},
  'string-width': {},
  // mailparser's, for texts, which nobody asks it for here.
  'html-to-text': { functions: ['htmlToText'] },
}

/** Loads some of these at their first use. */
const lazy = (names) => ({
  name: 'lazy',
  setup(builder) {
    builder.onResolve({ filter: /./ }, ({ path, pluginData, kind }) =>
      names.includes(path) && pluginData !== lazy && kind === 'import-statement'
        ? { path, namespace: 'lazy', pluginData: lazy }
        : undefined,
    )
    builder.onLoad({ filter: /./, namespace: 'lazy' }, ({ path }) => {
      const standIn = (value) => `new Proxy(function () {}, {
        get: (_, name) => (${value})[name],
        apply: (_, self, given) => (${value}).apply(self, given),
        construct: (_, given) => new (${value})(...given),
      })`
      const load = `const load = () => require(${JSON.stringify(path)})\n`
      const { functions } = SELDOM[path]
      const contents =
        functions === undefined
          ? `${load}export default ${standIn('load().default ?? load()')}`
          : load + functions.map((name) => `export const ${name} = ${standIn(`load().${name}`)}`).join('\n')
      return { contents, resolveDir: process.cwd() }
    })
    // Parts of better-sqlite3 that few runs call, or none; the one for copies makes a promise-giving function of one of Node's.
    // By where they lie: in the Debian package there are two better-sqlite3, and a method of one does nothing with the other.
    builder.onResolve(
      { filter: /^\.\/methods\/(?:backup|serialize|function|aggregate|table)$/ },
      ({ path, namespace, resolveDir }) =>
        namespace === 'file'
          ? { path: join(resolveDir, path), namespace: 'seldom', pluginData: { path, resolveDir } }
          : undefined,
    )
    builder.onLoad({ filter: /./, namespace: 'seldom' }, ({ pluginData: { path, resolveDir } }) => ({
      contents: `module.exports = function (...given) { return require(${JSON.stringify(path)}).apply(this, given) }`,
      resolveDir,
    }))
  },
})

/** One line for whoever builds under a Node that does not do, or with what npm has installed for another. */
function demandNode() {
  const { folder, natives } = require('./dist/lib/system/bettersqlite.cjs')
  const { node } = process.versions
  const refusal = require('./dist/lib/system/nodeversion.cjs')(node)
  // What is packed has no native part in it: that is npm's matter where it installs the package.
  const wanted = process.argv.includes('--pack') ? [''] : natives
  if (refusal === undefined && wanted.some((part) => existsSync(join('node_modules', folder, part)))) return
  const missing = `better-sqlite3 for Node ${node} is not in node_modules: run npm ci under this Node`
  console.error(`build: ${refusal ?? missing}`)
  process.exit(1)
}

/** What is not bundled: `bindings`, which looks for a native part, and the better-sqlite3 that npm leaves out under this Node. */
const OUTSIDE = [
  'bindings',
  ...['better-sqlite3', 'better-sqlite3-12'].filter((name) => !existsSync(join('node_modules', name))),
]

/** Of a bundle that a launcher starts: one function expression. */
const asFunction = (head = '') => ({
  banner: { js: `(function (exports, require, module, __filename, __dirname, TRIED) {${head}` },
  footer: { js: '})' },
})

/** The filter: who tells people of a hold is a bundle of its own, most runs do not need it. */
const FILTER = {
  entryPoints: ['bin/toeh-filter.ts'],
  external: OUTSIDE,
  define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
  minify: true,
  ...asFunction(),
}

/** The notice of a new hold: what composes a mail and the list of public suffixes stay outside of this too. */
const NOTICE = {
  entryPoints: ['lib/notice/notify.ts'],
  external: [...OUTSIDE, 'nodemailer', 'libmime', 'tldts'],
  define: FILTER.define,
  plugins: [lazy(['node:crypto', 'node:net'])],
  minify: true,
}

/** Has the filter load its notice by the name of the bundle. */
const apart = (bundle) => ({
  name: 'apart',
  setup(builder) {
    builder.onResolve({ filter: /^\.\.\/notice\/notify\.js$/ }, () => ({
      path: `./${bundle}`,
      external: true,
    }))
  },
})

/**
 * The command, with what every run of it needs. A module of lib that asks for its own place is told lib's; yargs, the
 * only one to ask for a URL, one from which it finds the texts of its languages in dist/locales.
 */
const COMMAND = {
  entryPoints: ['bin/toeh.ts'],
  external: [
    ...[...OUTSIDE, 'nodemailer', 'libmime', 'tldts'],
    ...[
      'mailparser',
      'csv-parse',
      'csv-stringify',
      'email-providers',
      'free-email-domains-list',
      'cli-progress',
    ],
  ],
  plugins: [lazy(Object.keys(SELDOM))],
  define: {
    'import.meta.dirname': 'LIB',
    'import.meta.filename': 'LIB_FILE',
    'import.meta.url': 'YARGS',
    VERSION: JSON.stringify(JSON.parse(readFileSync('package.json', 'utf8')).version),
  },
  // Identifiers stay as they are: classes of errors are known by their names.
  minifySyntax: true,
  minifyWhitespace: true,
  ...asFunction(`
const LIB = require('path').join(__dirname, '../lib'), LIB_FILE = LIB + '/bundle.cjs'
const YARGS = require('url').pathToFileURL(LIB + '/yargs/shim.mjs').href`),
}

/** What looks for attachments: mailparser is in some hundred files. */
const ATTACHMENTS = {
  entryPoints: ['bin/attachments.ts'],
  plugins: [lazy(['html-to-text'])],
  minify: true,
  ...asFunction(),
}

/** Builds a bundle, in ASCII, under a name of its content; gives what the launcher is told of it. */
async function buildBundle(name, options) {
  const { outputFiles } = await build({
    ...COMMON,
    ...options,
    write: false,
    // A script has no import(): what stays outside is required when it is asked for.
    supported: { 'dynamic-import': false },
    legalComments: 'none',
  })
  const source = outputFiles[0].text
  // esbuild cannot escape what stands in a tagged template.
  const exotic = source.match(/.{0,40}[^\0-\x7f].{0,40}/)
  if (exotic !== null) throw new Error(`not ASCII, as the launcher reads it: ${exotic[0]}`)
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 12)
  const old = new RegExp(`^${name}-[0-9a-f]{12}\\.cjs(\\..*cache)?$`)
  for (const file of readdirSync(OUT)) if (old.test(file)) rmSync(join(OUT, file))
  writeFileSync(join(OUT, `${name}-${hash}.cjs`), source)
  // V8 compiles it to some one and a half times its bytes.
  return { bundle: `${name}-${hash}.cjs`, room: 4 * source.length }
}

/** Builds the launcher of a program (bin/launch.cts). */
async function buildLauncher(name, start) {
  const outfile = join(OUT, `${name}.cjs`)
  await build({
    ...COMMON,
    entryPoints: ['bin/launch.cts'],
    outfile,
    // A Node that is too old has to come as far as saying so.
    target: 'node12',
    alias: { 'node:fs': 'fs', 'node:vm': 'vm' },
    external: ['../lib/system/nodeversion.cjs'],
    banner: { js: '#!/usr/bin/env node' },
    define: { START: JSON.stringify(start) },
  })
  chmodSync(outfile, 0o755)
}

demandNode()
const notice = await buildBundle('notice', NOTICE)
const filter = await buildBundle('filter', {
  ...FILTER,
  plugins: [lazy(['@noble/hashes/sha2.js', 'node:crypto', 'node:net']), apart(notice.bundle)],
})
await buildLauncher('toeh-filter', {
  ...filter,
  says: '4.3.0 toeh',
  descriptor: 1,
  status: 75,
  armed: true,
})
copyFileSync('bin/toeh-filter.sh', join(OUT, 'toeh-filter'))
chmodSync(join(OUT, 'toeh-filter'), 0o755)
const other = { descriptor: 2, status: 1, armed: false }
const command = await buildBundle('command', COMMAND)
await buildLauncher('toeh', { ...command, says: 'toeh', ...other })
const attachments = await buildBundle('mime', ATTACHMENTS)
await buildLauncher('attachments', { ...attachments, says: 'attachments', ...other })
mkdirSync('dist/locales', { recursive: true })
for (const language of ['en', 'fr'])
  copyFileSync(`node_modules/yargs/locales/${language}.json`, `dist/locales/${language}.json`)
