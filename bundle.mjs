// Bundles toeh-filter into one CommonJS file: what a run does not need is not read. better-sqlite3's native part
// and what only a notice needs stay outside: what composes it, and the list of public suffixes for near misses.
import { chmodSync } from 'node:fs'
import { build } from 'esbuild'

await build({
  entryPoints: ['bin/toeh-filter.ts'],
  outfile: 'dist/bin/toeh-filter.cjs',
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  external: ['bindings', 'nodemailer', 'libmime', 'tldts'],
  define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
  logLevel: 'warning',
  legalComments: 'none',
})
chmodSync('dist/bin/toeh-filter.cjs', 0o755)
chmodSync('dist/bin/toeh.js', 0o755)
