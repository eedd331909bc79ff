// Makes toeh-filter of two files, so that a run reads only what it needs: the bundle with V8's code cache beside it,
// and the launcher that starts it. better-sqlite3's native part and what only a notice needs stay outside: what
// composes it, and the list of public suffixes for near misses.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const OUT = 'dist/bin'
const COMMON = { bundle: true, platform: 'node', target: 'node20.19', format: 'cjs', logLevel: 'warning' }

/** Loads node:crypto at the first hash: known mail needs none, and it costs a twentieth of a run. */
const lazyCrypto = {
  name: 'lazy-crypto',
  setup(builder) {
    builder.onResolve({ filter: /^node:crypto$/ }, () => ({ path: 'crypto', namespace: 'lazy' }))
    builder.onLoad({ filter: /.*/, namespace: 'lazy' }, () => ({
      contents: `
        export const createHash = (name) => require('crypto').createHash(name)
        export const randomBytes = (length) => require('crypto').randomBytes(length)`,
    }))
  },
}

/**
 * better-sqlite3 12 compiled against the headers of Node 24.19 or newer aborts at a collection of garbage, also after a
 * message was sent and before that was said: Postfix would send it again. Such a one is known by what it imports.
 */
function demandSound() {
  const native = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node'
  if (!existsSync(native) || !readFileSync(native).includes('RemoveEnvironmentCleanupHook')) return
  console.error(`${native} would abort under this Node: docs/dependencies.md, "Versions of Node"`)
  process.exit(1)
}

/** Builds the bundle under a name of its content. */
async function buildBundle() {
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: ['bin/toeh-filter.ts'],
    write: false,
    external: ['bindings', 'nodemailer', 'libmime', 'tldts'],
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    plugins: [lazyCrypto],
    minify: true,
    banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
    footer: { js: '})' },
    legalComments: 'none',
  })
  const source = outputFiles[0].text
  const name = `filter-${createHash('sha256').update(source).digest('hex').slice(0, 12)}.cjs`
  for (const old of readdirSync(OUT)) if (/^filter-.*\.cjs(\.cache)?$/.test(old)) rmSync(join(OUT, old))
  writeFileSync(join(OUT, name), source)
  return name
}

/** Builds the launcher of a bundle. */
async function buildLauncher(bundle) {
  await build({
    ...COMMON,
    entryPoints: ['bin/launch.cts'],
    outfile: join(OUT, 'toeh-filter.cjs'),
    banner: { js: '#!/usr/bin/env node' },
    define: { BUNDLE: JSON.stringify(bundle) },
  })
  chmodSync(join(OUT, 'toeh-filter.cjs'), 0o755)
}

/** Lets a known message through the gate and keeps, twice, what V8 has compiled on the way. */
async function makeCache(bundle) {
  const folder = mkdtempSync(join(tmpdir(), 'toeh-build-'))
  const server = createServer((socket) => {
    let inData = false
    socket.write('220 build\r\n')
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      for (const line of bytes.toString('latin1').split('\r\n').slice(0, -1)) {
        if (inData && line !== '.') continue
        inData = line === 'DATA'
        socket.write(
          inData ? '354 go\r\n' : line.startsWith('EHLO') ? EHLO : '250 2.0.0 Ok: queued as BUILD\r\n',
        )
      }
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { createDatabase, databasePath } = await import('./dist/lib/database.js')
    const { Landscape } = await import('./dist/lib/landscape.js')
    for (const part of ['decisions', 'hold', 'hold/tmp']) mkdirSync(join(folder, part))
    const db = createDatabase(databasePath(folder), { busySeconds: 5 })
    await new Landscape(db).add([RULE], { who: 'build', at: 0 })
    db.close()
    const config = join(folder, 'toeh.toml')
    const { port } = server.address()
    const settings = `state = "${folder}"\ninternal_domains = ["corp.test"]\nreinject = "smtp:127.0.0.1:${port}"\n`
    writeFileSync(config, settings)
    const keep = join(folder, 'keep.cjs')
    writeFileSync(keep, KEEP)
    const given = ['--sender=a@corp.test', '--queue-id=4bQ8Yk2hJnz', '--size=9', '--client-address=192.0.2.7']
    const args = [
      '-r',
      keep,
      join(OUT, 'toeh-filter.cjs'),
      `--config=${config}`,
      ...given,
      '--',
      'b@client.test',
    ]
    const child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: '/usr/bin:/bin' },
    })
    child.stdin.end('Subject: build\n\nbuild\n')
    let said = ''
    child.stdout.on('data', (bytes) => {
      said += bytes
    })
    const code = await new Promise((resolve) => child.on('close', resolve))
    if (code !== 0) throw new Error(`the gate did not let the build's message through: ${said}`)
    const cache = join(OUT, `${bundle}.cache`)
    const bytes = readFileSync(cache)
    writeFileSync(cache, Buffer.concat([bytes, bytes]))
    chmodSync(cache, 0o644)
  } finally {
    server.close()
    rmSync(folder, { recursive: true })
  }
}

const EHLO =
  '250-build\r\n250-PIPELINING\r\n250-SIZE\r\n250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n250 8BITMIME\r\n'

const RULE = {
  ...{ kind: 'domain', value: 'client.test', subdomains: false, scope: '', effect: 'allow', endsAt: null },
  ...{ source: 'build', note: '' },
}

/** Loaded before the launcher: keeps the code cache of the script that it makes. */
const KEEP = `
const fs = require('node:fs'), vm = require('node:vm')
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    process.on('exit', () => fs.writeFileSync(options.filename + '.cache', this.createCachedData(), { mode: 0o644 }))
  }
}`

demandSound()
const bundle = await buildBundle()
await buildLauncher(bundle)
await makeCache(bundle)
chmodSync(join(OUT, 'toeh.js'), 0o755)
