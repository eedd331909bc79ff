/**
 * The floors: imports go down only, a package has one owner, pure files touch nothing. Every file of lib and bin
 * stands in the list below; a new one has to be put where it belongs.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, resolve } from 'node:path'
import t from 'tap'

const ROOT = resolve(import.meta.dirname, '../..')

/** From the ground up. A file imports from lower rows, never from its own or a higher one. */
const FLOORS: [string, string[]][] = [
  ['pure', ['logwrap']],
  [
    'pure',
    [
      'address',
      'braces',
      'display',
      'exit',
      'head',
      'lanelog',
      'maillog',
      'network',
      'publicsuffix',
      'reply',
      'seen',
      'skeleton',
      'srs',
      'timekeeping',
      'utc',
      'wire',
    ],
  ],
  ['pure', ['mailbox']],
  [
    'pure',
    ['authentication', 'decide', 'failure', 'html', 'lookuptable', 'mastercf', 'nearmiss', 'observed'],
  ],
  ['pure', ['express', 'wording']],
  ['pure', ['speech']],
  ['pure', ['amount', 'dkim', 'facts', 'logformat', 'shared']],
  ['pure', ['ways']],
  ['pure', ['diversion']],
  ['pure', ['restrictions']],
  ['pure', ['relay']],
  [
    'pure',
    [
      'answercheck',
      'archivecheck',
      'candidates',
      'chart',
      'diversioncheck',
      'envelope',
      'figures',
      'gatecheck',
      'holdid',
      'hostcheck',
      'lanecheck',
      'legs',
      'lookalikes',
      'metrics',
      'peoplecheck',
      'routinecheck',
      'ruledraft',
      'unit',
      'wayscheck',
    ],
  ],
  [
    'pure',
    [
      'checkup',
      'complaint',
      'consent',
      'frenchchecks',
      'frenchfigures',
      'frenchlearning',
      'page',
      'parcel',
      'rehearsal',
      'sync',
      'term',
      'usage',
      'wiring',
    ],
  ],
  ['pure', ['answer', 'french', 'reception', 'rulefile', 'selection', 'sidebyside']],
  ['pure', ['addresslist']],
  ['pure', ['addressbook', 'csvfile', 'ldif', 'letter']],
  ['foundations', ['bettersqlite', 'digest', 'handover', 'inside', 'loop', 'nodeversion']],
  ['foundations', ['channel', 'database', 'holdfolder', 'owner']],
  ['foundations', ['audit']],
  ['effects', ['config', 'lane', 'person']],
  ['effects', ['caller']],
  ['effects', ['unpack']],
  [
    'effects',
    [
      'attachments',
      'backup',
      'bootclock',
      'decisions',
      'ending',
      'hold',
      'injectors',
      'landscape',
      'logfile',
      'message',
      'modeline',
      'neighbours',
      'notice',
      'postconf',
      'publish',
      'replytext',
      'sendmail',
      'smtp',
      'stdin',
      'token',
    ],
  ],
  [
    'acts',
    ['describe', 'enclosures', 'listing', 'mending', 'orphan', 'progress', 'reinject', 'room', 'sample'],
  ],
  ['acts', ['aliases']],
  ['acts', ['copies', 'residents']],
  ['acts', ['answerway', 'desk', 'notify', 'routine', 'shortage']],
  ['acts', ['errand']],
  ['acts', ['archives']],
  [
    'acts',
    ['alteration', 'canary', 'fsck', 'gate', 'harvest', 'installation', 'release', 'uses', 'verdicts'],
  ],
  ['acts', ['bulk', 'moderation']],
  ['acts', ['becameknown']],
  [
    'commands',
    [
      'allow',
      'audit',
      'backup',
      'block',
      'cleanup',
      'digest',
      'doctor',
      'export',
      'express',
      'fsck',
      'import',
      'init',
      'known',
      'learn',
      'list',
      'metrics',
      'mode',
      'moderate',
      'recheck',
      'reject',
      'release',
      'replay',
      'report',
      'revoke',
      'show',
      'why',
    ].map((name) => `commands/${name}`),
  ],
  ['bin', ['bin/launch', 'bin/toeh', 'bin/toeh-filter']],
]

/** Imports that do not go down, each with its reason. */
const EXCEPTIONS: Record<string, string> = {
  'commands/block -> commands/allow': 'the same command with another effect',
}

/** The same for `import type`, which leaves nothing at run time. */
const TYPE_EXCEPTIONS: Record<string, string> = {}

/** Each package's owner, by file or by floor. */
const OWNERS: Record<string, string[]> = {
  '@noble/hashes': ['digest'],
  'better-sqlite3': ['bettersqlite', 'database'],
  'better-sqlite3-12': ['bettersqlite'],
  'cli-progress': ['progress'],
  'csv-parse': ['csvfile'],
  'csv-stringify': ['csvfile'],
  'email-providers': ['shared'],
  'free-email-domains-list': ['shared'],
  libmime: ['enclosures', 'notice'],
  mailparser: ['attachments', 'replytext'],
  nodemailer: ['notice'],
  'smol-toml': ['config'],
  'string-width': ['commands/list'],
  tldts: ['publicsuffix'],
  yargs: ['bin/toeh', 'commands'],
}

/** What Node offers to pure files: it computes, and touches nothing. */
const PURE_BUILTINS = ['node:buffer', 'node:crypto', 'node:url', 'node:util']
/** createRequire, for data files that a main entry does not export, or that are seldom asked for. */
const BUILTIN_EXCEPTIONS: Record<string, string[]> = {
  publicsuffix: ['node:module'],
  shared: ['node:module'],
}
const PURE_PACKAGES = ['csv-parse', 'csv-stringify', 'email-providers', 'free-email-domains-list', 'tldts']

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

/** The source without comments, so that words about code are not taken for code. */
function codeOf(file: string): string {
  const path = join(ROOT, file.startsWith('bin/') ? file : `lib/${file}`)
  const text = readFileSync(existsSync(`${path}.ts`) ? `${path}.ts` : `${path}.cts`, 'utf8')
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
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

/** A relative import as the list names files: `./exit.js` from `commands/why` is `commands/exit`. */
function nameOf(importer: string, from: string): string {
  const base = importer.startsWith('bin/') ? '/' : '/lib/'
  const path = resolve(base, importer, '..', from).replace(/\.c?js$/, '')
  return path.startsWith('/bin/') ? path.slice(1) : path.slice('/lib/'.length)
}

const levels = new Map<string, number>()
const floors = new Map<string, string>()
for (const [level, [floor, files]] of FLOORS.entries()) {
  for (const file of files) {
    levels.set(file, level)
    floors.set(file, floor)
  }
}
const levelOf = (file: string): number => levels.get(file) ?? Number.NaN

const files = [
  ...readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' }),
  ...readdirSync(join(ROOT, 'bin'), { recursive: true, encoding: 'utf8' }).map((name) => `bin/${name}`),
]
  .filter((name) => /\.c?ts$/.test(name))
  .map((name) => name.replace(/\.c?ts$/, ''))
  .sort()

t.test('every file has its place, and every place its file', (t) => {
  t.strictSame([...levels.keys()].sort(), files)
  t.equal(FLOORS.flatMap(([, names]) => names).length, levels.size, 'none is listed twice')
  t.end()
})

t.test('imports go down', (t) => {
  const used = new Set<string>()
  for (const file of files) {
    for (const { from, typeOnly } of importsOf(codeOf(file))) {
      if (!from.startsWith('.')) continue
      const target = nameOf(file, from)
      const edge = `${file} -> ${target}`
      t.ok(levels.has(target), `${edge}: there is such a file`)
      if (levelOf(target) < levelOf(file)) continue
      const excepted = edge in EXCEPTIONS || (typeOnly && edge in TYPE_EXCEPTIONS)
      t.ok(excepted, `${edge} goes ${levelOf(target) === levelOf(file) ? 'sideways' : 'up'}`)
      used.add(edge)
    }
  }
  t.strictSame(
    [...used].sort(),
    Object.keys({ ...EXCEPTIONS, ...TYPE_EXCEPTIONS }).sort(),
    'no exception is idle',
  )
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
  t.ok(reached.has('gate') && reached.has('decide'))
  for (const name of ['nearmiss', 'neighbours', 'sidebyside', 'publicsuffix', 'notify']) {
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
      t.ok(owners.includes(file) || owners.includes(floors.get(file) ?? ''), `${file} may import ${name}`)
    }
  }
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const named = Object.keys({ ...dependencies, ...optionalDependencies })
  t.strictSame(Object.keys(OWNERS).sort(), named.sort(), 'every dependency has an owner')
  t.strictSame([...seen].sort(), Object.keys(OWNERS).sort(), 'and is used')
  t.end()
})

t.test('pure files touch nothing', (t) => {
  const pure = files.filter((file) => floors.get(file) === 'pure')
  t.not(pure.length, 0)
  for (const file of pure) {
    const code = codeOf(file)
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
  t.strictSame(readers, ['bin/toeh-filter', 'desk'])
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
  t.equal(nameOf('commands/why', '../desk.js'), 'desk')
  t.equal(nameOf('commands/why', './allow.js'), 'commands/allow')
  t.equal(nameOf('bin/toeh', '../lib/commands/why.js'), 'commands/why')
  t.equal(nameOf('gate', './hold.js'), 'hold')
  t.end()
})

t.test('the gate is armed before anything else of it is loaded', (t) => {
  const [, first] =
    /^import [^'\n]*'([^']+)'/m.exec(readFileSync(join(ROOT, 'bin/toeh-filter.ts'), 'utf8')) ?? []
  t.equal(first, '../lib/ending.js')
  t.end()
})
