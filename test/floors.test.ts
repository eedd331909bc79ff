/**
 * The floors: imports go down the folders and run in no circle, a package has one owner, and a file whose first comment says "Pure" touches nothing
 * and runs nothing that does.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, resolve } from 'node:path'
import t from 'tap'
import { withoutComments } from './support/tagged.js'

const ROOT = resolve(import.meta.dirname, '../..')

/**
 * The folders of lib from the ground up; a file of lib itself is a row of its own. A file imports from lower rows and from its own
 * folder. Folders of one row do not know each other.
 */
const ROWS = [
  ['exit'],
  ['failure'],
  ['text'],
  ['system'],
  ['mail'],
  ['config'],
  ['database', 'logs'],
  ['rules'],
  ['express', 'nearmiss', 'mime'],
  ['postfix', 'hold'],
  ['gate', 'notice', 'learn'],
  ['approval'],
  ['cli'],
  ['report', 'doctor'],
  ['setup'],
  ['commands'],
]

/** Imports that do not go down, each with its reason. */
const EXCEPTIONS: Record<string, string> = {
  'lib/gate/gate -> lib/notice/notify': 'by import(), once the mail is settled: a bundle of its own',
}

/** Each package's owner, by file or by folder. */
const OWNERS: Record<string, string[]> = {
  '@noble/hashes': ['lib/system/sha256'],
  'better-sqlite3': [
    'lib/system/bettersqlite',
    'lib/database/database',
    'lib/database/backupmark',
    'lib/database/examine',
  ],
  'better-sqlite3-12': ['lib/system/bettersqlite'],
  'cli-progress': ['lib/cli/progressbar'],
  'csv-parse': ['lib/rules/csv'],
  'csv-stringify': ['lib/rules/csv'],
  'email-providers': ['lib/rules/shareddomains'],
  'free-email-domains-list': ['lib/rules/shareddomains'],
  libmime: ['lib/mime/attachmentnames', 'lib/notice/compose'],
  mailparser: ['bin/attachments', 'lib/mime'],
  nodemailer: ['lib/notice/compose'],
  'smol-toml': ['lib/config'],
  'string-width': ['lib/text/columns'],
  tldts: ['lib/mail/publicsuffix'],
  yargs: ['bin/toeh', 'lib/commands'],
}

/** What Node offers to pure files: it computes, and touches nothing. */
const PURE_BUILTINS = ['node:buffer', 'node:crypto', 'node:url', 'node:util']
/** createRequire, for data files that a main entry does not export, or that are seldom asked for. */
const BUILTIN_EXCEPTIONS: Record<string, string[]> = {
  'lib/mail/publicsuffix': ['node:module'],
  'lib/rules/shareddomains': ['node:module'],
}
const PURE_PACKAGES = [
  'csv-parse',
  'csv-stringify',
  'email-providers',
  'free-email-domains-list',
  'string-width',
  'tldts',
]

/** Globals that a pure file does without: the process, the clock, chance, timers, the net. */
const IMPURE: RegExp[] = [
  /\bprocess\s*[.[]/,
  /\bglobalThis\b/,
  /\bDate\.now\b/,
  /\bnew Date\(\s*\)/,
  /(?<!new )\bDate\(/,
  /\bperformance\b/,
  /\bMath\.random\b/,
  /\brandom(?:Bytes|UUID|Int)\b/,
  /\bset(?:Timeout|Interval|Immediate)\b/,
  /\bconsole\b/,
  /\bfetch\(/,
  /\bWebSocket\b/,
]

interface Import {
  from: string
  typeOnly: boolean
}

/** A source, by its path from the root without its ending: `lib/gate`. */
function sourceOf(file: string): string {
  const path = join(ROOT, file)
  return readFileSync(existsSync(`${path}.ts`) ? `${path}.ts` : `${path}.cts`, 'utf8')
}

function codeOf(file: string): string {
  return withoutComments(sourceOf(file))
}

/** Every module the code names, statically, dynamically or by require. */
function importsOf(code: string): Import[] {
  const forms: [RegExp, boolean][] = [
    [/^(?:import|export) type\b[^'"]*\bfrom\s+['"]([^'"]+)['"]/gm, true],
    [/^(?:import|export) (?!type\b)[^'"]*?\bfrom\s+['"]([^'"]+)['"]/gm, false],
    [/^import\s+['"]([^'"]+)['"]/gm, false],
    [/\bimport\(\s*['"]([^'"]+)['"]/g, false],
    [/\brequire(?:\.resolve)?\(\s*['"]([^'"]+)['"]/g, false],
    [/\bcreateRequire\([^)]*\)\(\s*['"]([^'"]+)['"]/g, false],
  ]
  return forms.flatMap(([form, typeOnly]) =>
    [...code.matchAll(form)].map(([, from = '']) => ({ from, typeOnly })),
  )
}

/** The file of a relative import: `../exit.js` in `lib/commands/why` is `lib/exit`. */
function nameOf(importer: string, from: string): string {
  return resolve('/', importer, '..', from)
    .slice(1)
    .replace(/\.c?js$/, '')
}

/** The sources below a folder, as {@link sourceOf} takes them. */
function sourcesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.c?ts$/.test(name))
    .map((name) => `${folder}/${name.replace(/\.c?ts$/, '')}`)
    .sort()
}

const files = [...sourcesIn('lib'), ...sourcesIn('bin')]
const others = [...sourcesIn('bench'), ...sourcesIn('man'), ...sourcesIn('test/support')]

/** The files that a file names, and whether it takes no more than their types. */
function neighboursOf(file: string): { target: string; typeOnly: boolean }[] {
  return importsOf(codeOf(file))
    .filter(({ from }) => from.startsWith('.'))
    .map(({ from, typeOnly }) => ({ target: nameOf(file, from), typeOnly }))
}

/** A way from a file along its imports back to it, or undefined. */
function circleFrom(file: string): string[] | undefined {
  const done = new Set<string>()
  const walk = (at: string, way: string[]): string[] | undefined => {
    for (const { target } of neighboursOf(at)) {
      if (target === file) return [...way, target]
      if (done.has(target)) continue
      done.add(target)
      const found = walk(target, [...way, target])
      if (found !== undefined) return found
    }
    return undefined
  }
  return walk(file, [file])
}

/** Whether a file says of itself that it is pure: in its first comment, by which it begins. */
function isPure(file: string): boolean {
  const [head = ''] = /^\/\*\*[\s\S]*?\*\//.exec(sourceOf(file)) ?? []
  return /\bPure\b/.test(head)
}

const rowOf = new Map(ROWS.flatMap((names, row) => names.map((name) => [name, row] as const)))

/** `gate` of `lib/gate/stdin`, `exit` of `lib/exit`; programs stand above all. */
function folderOf(file: string): string {
  return file.split('/')[1] ?? ''
}

t.test('imports go down', (t) => {
  const folders = new Set(files.filter((file) => file.startsWith('lib/')).map(folderOf))
  t.strictSame([...rowOf.keys()].sort(), [...folders].sort(), 'every folder has its row')
  const used = new Set<string>()
  for (const file of files.filter((name) => name.startsWith('lib/'))) {
    for (const { target } of neighboursOf(file)) {
      const [own, other] = [folderOf(file), folderOf(target)]
      if (own === other && target.startsWith('lib/')) continue
      const edge = `${file} -> ${target}`
      const isDown = target.startsWith('lib/') && (rowOf.get(other) ?? 99) < (rowOf.get(own) ?? -1)
      t.ok(isDown || edge in EXCEPTIONS, `${edge} goes ${isDown ? 'down' : 'up or sideways'}`)
      if (!isDown) used.add(edge)
    }
  }
  t.strictSame([...used].sort(), Object.keys(EXCEPTIONS).sort(), 'no exception is idle')
  t.end()
})

t.test('imports run in no circle', (t) => {
  for (const file of [...files, ...others]) {
    t.equal(circleFrom(file)?.join(' > '), undefined, file)
  }
  t.end()
})

t.test('what decides knows nothing of likeness', (t) => {
  const reached = new Set<string>(['bin/toeh-filter'])
  for (const file of reached) {
    // Without import(): what that brings is loaded after the mail is settled, or on a branch of its own.
    for (const { from, typeOnly } of importsOf(codeOf(file).replace(/\bimport\(/g, 'later('))) {
      if (from.startsWith('.') && !typeOnly) reached.add(nameOf(file, from))
    }
  }
  t.ok(reached.has('lib/gate/gate') && reached.has('lib/rules/decide'))
  for (const name of [
    'lib/nearmiss/nearmiss',
    'lib/nearmiss/neighbours',
    'lib/nearmiss/describe',
    'lib/mail/publicsuffix',
    'lib/notice/notify',
  ]) {
    t.notOk(reached.has(name), name)
  }
  t.end()
})

t.test('one owner a package', (t) => {
  const seen = new Set<string>()
  for (const file of files) {
    for (const { from } of importsOf(codeOf(file))) {
      if (from.startsWith('.') || isBuiltin(from)) continue
      const name = /^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from
      seen.add(name)
      const owners = OWNERS[name] ?? []
      t.ok(
        owners.some((owner) => file === owner || file.startsWith(`${owner}/`)),
        `${file} may import ${name}`,
      )
    }
  }
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const named = Object.keys({ ...dependencies, ...optionalDependencies })
  t.strictSame(Object.keys(OWNERS).sort(), named.sort(), 'every dependency has an owner')
  t.strictSame([...seen].sort(), Object.keys(OWNERS).sort(), 'and is used')
  t.end()
})

t.test('pure files touch nothing', (t) => {
  const pure = files.filter(isPure)
  t.not(pure.length, 0)
  for (const file of pure) {
    const code = codeOf(file)
    for (const { target, typeOnly } of neighboursOf(file)) {
      t.ok(typeOnly || isPure(target), `${file} -> ${target}: it is pure as well`)
    }
    for (const { from } of importsOf(code)) {
      if (from.startsWith('.')) continue
      const name = from.split('/')[0] ?? from
      const allowed = isBuiltin(from)
        ? PURE_BUILTINS.includes(from) || BUILTIN_EXCEPTIONS[file]?.includes(from)
        : PURE_PACKAGES.includes(name)
      t.ok(allowed, `${file} may import ${from}`)
    }
    for (const impure of IMPURE) t.notMatch(code, impure, `${file} does without ${impure.source}`)
  }
  t.end()
})

t.test('a long file says why it is', (t) => {
  for (const file of files) {
    const source = sourceOf(file)
    const [head = ''] = /^\/\*\*[\s\S]*?\*\//.exec(source) ?? []
    t.ok(source.split('\n').length <= 351 || /\blong because\b/.test(head), file)
  }
  t.end()
})

t.test('Node is imported by its prefix, and no import is worked out at run time', (t) => {
  for (const file of files) {
    const code = codeOf(file)
    for (const { from } of importsOf(code)) {
      if (isBuiltin(from)) t.ok(from.startsWith('node:'), `${file}: ${from}`)
    }
    t.notMatch(code, /\bimport\(\s*[^'"\s]/, `${file}: import() of a text`)
    t.notMatch(code, /\brequire\(\s*[^'"\s]/, `${file}: require() of a text`)
  }
  t.end()
})

t.test('the clock is read where a run starts, and nowhere below', (t) => {
  const readers = files.filter((file) => /\bDate\.now\b|\bnew Date\(\s*\)/.test(codeOf(file)))
  t.strictSame(readers, ['lib/cli/context', 'bin/toeh-filter'])
  t.end()
})

t.test('this test would notice', (t) => {
  const code = [
    "import a from 'one'",
    "import type { B } from './two.js'",
    'import {\n  c,\n  type D,\n} from "./three.js"',
    "export * from './four.js'",
    "export type { E } from './five.js'",
    "import './six.js'",
    "const f = await import('./seven.js')",
    "const g = createRequire(import.meta.filename)('eight/nine.js')",
    "const h = require.resolve('ten/package.json')",
    "import i from 'eleven' with { type: 'json' }",
  ].join('\n')
  t.strictSame(
    importsOf(code)
      .map(({ from, typeOnly }) => (typeOnly ? `type ${from}` : from))
      .sort(),
    [
      './four.js',
      './seven.js',
      './six.js',
      './three.js',
      'eight/nine.js',
      'eleven',
      'one',
      'ten/package.json',
      'type ./five.js',
      'type ./two.js',
    ],
  )
  t.equal(nameOf('lib/commands/why', '../desk.js'), 'lib/desk')
  t.equal(nameOf('lib/commands/why', './allow.js'), 'lib/commands/allow')
  t.equal(nameOf('bin/toeh', '../lib/commands/why.js'), 'lib/commands/why')
  const strange = [
    "const a = 'x/*'",
    'const b = `/*`, c = /[/*]/',
    "/* import('./d.js') */ // e",
    "import './f.js'",
  ]
  t.strictSame(importsOf(withoutComments(strange.join('\n'))), [{ from: './f.js', typeOnly: false }])
  t.end()
})

t.test('the gate is armed before anything else of it is loaded', (t) => {
  const [, first] =
    /^import [^'\n]*'([^']+)'/m.exec(readFileSync(join(ROOT, 'bin/toeh-filter.ts'), 'utf8')) ?? []
  t.equal(first, '../lib/gate/exitguard.js')
  t.end()
})
