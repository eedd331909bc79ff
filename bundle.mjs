// Makes toeh-filter of two files, so that a run reads only what it needs: the bundle, beside which cache.mjs puts V8's
// code cache, and the launcher that starts it. better-sqlite3's native part and what only a notice needs stay outside: what
// composes it, and the list of public suffixes for near misses.
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

demandSound()
const bundle = await buildBundle()
await buildLauncher(bundle)
chmodSync(join(OUT, 'toeh.js'), 0o755)
