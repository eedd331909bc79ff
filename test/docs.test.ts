/** The documents name what the code has: commands, settings, dependencies, exit statuses, reasons, states; links lead somewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import { BULK_OPTIONS } from '../lib/cli/bulk.js'
import { DEFAULTS } from '../lib/config.js'
import { CHECKS } from '../lib/doctor/examine.js'
import { EXIT, HEALTH } from '../lib/exit.js'
import { SELECTION_OPTIONS } from '../lib/hold/selection.js'

// Not from test/support: these tests need no installation of their own.
const ROOT = resolve(import.meta.dirname, '../..')

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The quoted words of a type's declaration: a closed set has no value at run time. */
function membersOf(path: string, type: string): string[] {
  const [, body = ''] =
    new RegExp(`export type ${type} =([^\\n]*(?:\\n {2}\\|[^\\n]*)*)`).exec(read(path)) ?? []
  return [...body.matchAll(/'([^']+)'/g)].map(([, word = '']) => word)
}

const COMMANDS = [
  ...read('bin/toeh.ts').matchAll(/^ {2}(\w+): \(\) => import\('\.\.\/lib\/commands\//gm),
].map(([, name = '']) => name)

t.test('every command is in docs/commands.md and in the table of README.md', async (t) => {
  const files = readdirSync(join(ROOT, 'lib/commands')).map((name) => name.replace(/\.ts$/, ''))
  t.same([...COMMANDS].sort(), files.sort(), 'bin/toeh.ts names each file of lib/commands')
  const reference = read('docs/commands.md')
  const readme = read('README.md')
  for (const name of COMMANDS) {
    t.match(reference, new RegExp(`^### ${name}\\n\\n\`toeh ${name}\\b`, 'm'), `docs/commands.md: ${name}`)
    t.match(readme, new RegExp(`^\\| \`toeh ${name}\\b`, 'm'), `README.md: ${name}`)
  }
  t.match(readme, /^\| `toeh-filter` \|/m)
})

t.test('every option of a command is in docs/commands.md, in its section', async (t) => {
  const sections = read('docs/commands.md').split(/^###? /m)
  for (const name of COMMANDS) {
    const source = read(`lib/commands/${name === 'block' ? 'allow' : name}.ts`)
    const section = sections.find((text) => text.startsWith(`${name}\n`)) ?? ''
    const shared: string[] = source.includes('BULK_OPTIONS')
      ? Object.keys(BULK_OPTIONS)
      : source.includes('SELECTION_OPTIONS')
        ? Object.keys(SELECTION_OPTIONS)
        : []
    const own = [...source.matchAll(/\.option\('([a-z-]+)'/g)].map(([, option = '']) => option)
    for (const option of [...shared, ...own]) {
      t.ok(section.includes(`--${option}`), `${name} --${option}`)
    }
  }
})

t.test("every command's JSON is in docs/commands.md, in its section", async (t) => {
  const sections = read('docs/commands.md').split(/^###? /m)
  for (const name of COMMANDS)
    t.match(
      sections.find((text) => text.startsWith(`${name}\n`)),
      /\bJSON\b/,
      name,
    )
})

t.test('every setting is in docs/configuration.md with its default, and in the sample', async (t) => {
  const document = read('docs/configuration.md')
  const sample = read('examples/toeh.toml')
  const settings = Object.entries(DEFAULTS).flatMap(([name, value]): [string, unknown][] =>
    typeof value === 'object' && !Array.isArray(value)
      ? Object.entries(value).map(([key, inner]) => [`${name}.${key}`, inner])
      : [[name, value]],
  )
  t.ok(settings.length > 10)
  for (const [name, value] of settings) {
    const shown = name === 'internal_domains' ? 'none, required' : `\`${JSON.stringify(value)}\``
    t.ok(document.includes(`| \`${name}\` | ${shown} |`), `docs/configuration.md: ${name} with ${shown}`)
    const key = name.split('.').at(-1)
    t.ok(sample.includes(`\n${key} = ${JSON.stringify(value)}\n`), `examples/toeh.toml: ${name}`)
  }
  const rows = [...document.matchAll(/^\| `([a-z_.]+)` \|/gm)].map(([, name]) => name)
  t.same(rows.sort(), settings.map(([name]) => name).sort(), 'and no setting that does not exist')
})

t.test('every dependency has its row in docs/dependencies.md, with its version', async (t) => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
    'dependencies' | 'optionalDependencies' | 'devDependencies',
    Record<string, string>
  >
  const document = read('docs/dependencies.md')
  const all = { ...dependencies, ...optionalDependencies, ...devDependencies }
  for (const [name, wanted] of Object.entries(all)) {
    // better-sqlite3-12 is npm:better-sqlite3@12.11.1.
    const version = wanted.replace(/^npm:.*@/, '')
    t.ok(document.includes(`\n| ${name} ${version} |`), `${name} ${version}`)
  }
  const rows = [...document.matchAll(/^\| (@?[a-z][a-z0-9/@.-]*) \d/gm)].map(([, name]) => name)
  t.same(rows.sort(), Object.keys(all).sort(), 'and none that is not there')
})

t.test('every exit status is in docs/commands.md', async (t) => {
  const document = read('docs/commands.md')
  for (const [name, status] of Object.entries(EXIT)) {
    t.ok(document.includes(`\n| ${status} | \`${name}\` |`), `${status} ${name}`)
  }
})

t.test('every check of doctor and each of its statuses is in docs/doctor.md', async (t) => {
  const document = read('docs/doctor.md')
  for (const [name, status] of Object.entries(HEALTH))
    t.ok(document.includes(`\n| ${status} | \`${name}\` |`), `${status} ${name}`)
  const rows = [...document.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, name]) => name)
  t.same(rows.sort(), CHECKS.map(({ name }) => name).sort())
})

t.test('every reason and every state is told', async (t) => {
  const reasons = membersOf('lib/rules/decide.ts', 'Reason')
  const states = membersOf('lib/hold/heldmail.ts', 'State')
  t.ok(reasons.includes('unknown') && states.includes('held'), 'the sets are found')
  const hold = read('docs/hold.md')
  for (const word of [...reasons, ...states])
    t.ok(hold.includes(`\n| \`${word}\` |`), `docs/hold.md: ${word}`)
  const flow = read('docs/flow.md')
  for (const reason of reasons) t.ok(flow.includes(`\`${reason}\``), `docs/flow.md: ${reason}`)
})

t.test('every field of the decision log is told', async (t) => {
  const document = read('docs/decision-log.md')
  const [, body = ''] = /export interface Decision \{\n(.*?)\n\}/s.exec(read('lib/logs/decisionlog.ts')) ?? []
  const fields = [...body.matchAll(/^( {2}| {4})(\w+):/gm)].map(([, indent, name = '']) =>
    indent === '  ' ? name : `recipients[].${name}`,
  )
  t.ok(fields.includes('queueId') && fields.includes('recipients[].did'), 'the fields are found')
  for (const field of fields) t.ok(document.includes(`\n| \`${field}\` |`), field)
})

/** A heading's anchor, as the forges make it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
}

t.test('relative links lead to files and headings that exist', async (t) => {
  const documents = [ROOT, join(ROOT, 'docs'), join(ROOT, 'docs/fr')].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  )
  t.ok(documents.length > 8)
  for (const document of documents) {
    const text = readFileSync(document, 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? document : resolve(dirname(document), path)
      if (!existsSync(file)) t.fail(`${document}: ${target} does not exist`)
      else if (anchor !== undefined) {
        const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(
          ([, heading = '']) => heading,
        )
        t.ok(headings.map(anchorOf).includes(anchor), `${document}: ${target}`)
      }
    }
  }
})
