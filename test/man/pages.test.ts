/** The manual pages name each command, option, setting and exit status that is there, and none that is not. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DEFAULTS } from '../../lib/config.js'
import { EXIT, HEALTH } from '../../lib/exit.js'
import { parseArguments } from '../../lib/mail/envelope.js'
import { readCommands } from '../../man/definitions.js'
import { fillIn, format, PAGES, type Page } from '../../man/pages.js'
import { commonOptions, optionsOf } from '../support/help.js'
import { ROOT } from '../support/lab.js'

/** A page as it is kept, without the escapes of roff that stand for nothing. */
function page(name: Page): string {
  return readFileSync(join(ROOT, 'man', name), 'utf8')
    .replaceAll('\\&', '')
    .replaceAll('\\-', '-')
}

/** What stands below a heading, up to the next. */
function section(text: string, heading: string): string {
  const [, body = ''] =
    new RegExp(`^\\.S[HS] ${heading}\\n(.*?)(?=^\\.S[HS] |$(?![^]))`, 'ms').exec(text) ?? []
  return body
}

/** The bold words that begin an entry, without their hyphens. */
function entries(text: string): string[] {
  return [...text.matchAll(/^\\fB(?:--)?([a-z_.[\]-]+)=?\\fR/gm)].map(([, name = '']) => name)
}

const COMMANDS = readdirSync(join(ROOT, 'lib/commands')).map((name) => name.replace('.ts', ''))

function tool(command: string): string | false {
  return spawnSync(command, ['-h']).error === undefined ? false : `there is no ${command} here`
}

t.test('toeh(8) has the commands and options that toeh itself knows', async (t) => {
  const text = page('toeh.8')
  const all = new Set(commonOptions())
  t.ok(all.has('json'), 'the options of every command are found')
  t.same(entries(section(text, 'OPTIONS')).sort(), [...all], 'and told')
  const named = [...text.matchAll(/^\.SS (.+)$/gm)].map(([, name = '']) => name)
  t.same(named.sort(), [...COMMANDS].sort())
  for (const name of COMMANDS) {
    const told = section(text, name)
    const options = await optionsOf(name)
    t.same(entries(told).sort(), options, `options of ${name}`)
    for (const option of options) all.add(option)
    t.match(told, new RegExp(`^(?:.* && )?toeh ${name}\\b`, 'm'), `an example of ${name}`)
    t.match(told, new RegExp(`^\\\\fBtoeh ${name}\\\\fR`, 'm'), `the synopsis of ${name}`)
  }
  for (const [, option = ''] of text.matchAll(/--([a-z][a-z-]*)/g))
    t.ok(all.has(option), `--${option} exists wherever it is named`)
  for (const [, name = ''] of text.matchAll(/^(?:\\fB)?toeh ([a-z]+)/gm))
    t.ok(COMMANDS.includes(name), `toeh ${name} exists`)
})

t.test('toeh-filter(8) has the options that it takes', async (t) => {
  const text = page('toeh-filter.8')
  const [, list = ''] = /const OPTIONS = \[(.*?)\]/s.exec(
    readFileSync(join(ROOT, 'lib/mail/envelope.ts'), 'utf8'),
  ) ?? ['', '']
  const byTheShell = /case \$1 in --([a-z]+)=\*\)/.exec(
    readFileSync(join(ROOT, 'bin/toeh-filter.sh'), 'utf8'),
  )?.[1]
  t.type(byTheShell, 'string', 'the one of the shell is found')
  const taken = [byTheShell ?? '', ...[...list.matchAll(/'([a-z-]+)'/g)].map(([, name = '']) => name)]
  t.ok(taken.includes('sender'), 'the options are found')
  const told = [...section(text, 'OPTIONS').matchAll(/\\fB--([a-z-]+)=\\fR/g)].map(([, name = '']) => name)
  t.same(told.sort(), taken.sort())
  for (const [, option = ''] of text.matchAll(/--([a-z][a-z-]*)/g)) {
    if (option === byTheShell) continue
    try {
      parseArguments([`--${option}=1`, '--', 'a@x.test'])
    } catch (error) {
      t.notMatch(String(error), /unknown option/, `--${option} exists wherever it is named`)
    }
  }
})

t.test('toeh.toml(5) has every setting with its default, and no other', async (t) => {
  const text = section(page('toeh.toml.5'), 'OPTIONS')
  const settings = Object.entries(DEFAULTS).flatMap(([name, value]): [string, unknown][] => {
    if (typeof value !== 'object' || Array.isArray(value)) return [[name, value]]
    const keys = Object.entries(value)
    return keys.length === 0
      ? [[`[${name}]`, value]]
      : keys.map(([key, inner]): [string, unknown] => [`${name}.${key}`, inner])
  })
  t.same(entries(text).sort(), settings.map(([name]) => name).sort())
  for (const [name, value] of settings) {
    if (name === 'internal_domains' || name === '[groups]') continue
    t.ok(
      text.includes(`\\fB${name}\\fR\n.RS 4\nDefault: \\fB${JSON.stringify(value)}\\fR.`),
      `${name}'s default`,
    )
  }
})

t.test('every exit status is told', async (t) => {
  const text = section(page('toeh.8'), 'EXIT STATUS')
  const statuses = [...text.matchAll(/^\\fB(\d+)\\fR$/gm)].map(([, status]) => Number(status))
  t.same(statuses, [...Object.values(EXIT), ...Object.values(HEALTH)])
  const filter = section(page('toeh-filter.8'), 'EXIT STATUS')
  t.same(filter.match(/(?<=^\\fB)\d+/gm), [String(EXIT.ok), String(EXIT.tempFail)])
})

t.test('every page has the headings of a manual page, in their order', async (t) => {
  const order = [
    ...['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'COMMANDS', 'FILES', 'ENVIRONMENT', 'EXIT STATUS'],
    ...['EXAMPLES', 'SEE ALSO'],
  ]
  for (const name of PAGES) {
    const found = [...page(name).matchAll(/^\.SH (.+)$/gm)].map(([, heading = '']) => heading)
    const left: Record<Page, string[]> = {
      'toeh.8': [],
      'toeh-filter.8': ['COMMANDS'],
      'toeh.toml.5': ['COMMANDS', 'EXIT STATUS'],
    }
    t.same(
      found,
      order.filter((heading) => !left[name].includes(heading)),
      name,
    )
  }
})

t.test('the pages are those that npm run man makes', { skip: tool('scdoc') }, async (t) => {
  const commands = await readCommands()
  for (const name of PAGES)
    t.equal(format(fillIn(name, commands)), readFileSync(join(ROOT, 'man', name), 'utf8'), name)
})

t.test('man and mandoc have nothing to say against them', async (t) => {
  for (const name of PAGES) {
    const path = join(ROOT, 'man', name)
    await t.test(`mandoc: ${name}`, { skip: tool('mandoc') }, async (t) => {
      const { status, stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', path], {
        encoding: 'utf8',
      })
      t.strictSame({ status, stdout }, { status: 0, stdout: '' })
    })
    await t.test(`man: ${name}`, { skip: tool('man') }, async (t) => {
      const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80' }
      const { status, stdout, stderr } = spawnSync('man', ['--warnings', '-l', path], {
        encoding: 'utf8',
        env,
      })
      t.strictSame({ status, stderr }, { status: 0, stderr: '' })
      t.match(stdout, /^SEE ALSO$/m, 'shown to its end')
    })
  }
})
