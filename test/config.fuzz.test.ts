/** Fuzz of config.ts: any text gives a configuration, or one Failure of one line that names the place. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { type Config, parseConfig } from '../lib/config.js'
import { EXIT } from '../lib/exit.js'
import { Failure } from '../lib/failure.js'
import { ROOT } from './support/lab.js'
import { holds } from './support/property.js'

const PATH = '/etc/toeh/toeh.toml'
const SAMPLE = readFileSync(join(ROOT, 'examples/toeh.toml'), 'utf8').replace(
  'internal_domains = []',
  'internal_domains = ["corp.test"]',
)

/** What it gives, or undefined where it refuses as it should. */
function taken(text: string): Config | undefined {
  try {
    return parseConfig(PATH, text)
  } catch (error) {
    if (!(error instanceof Failure))
      throw new Error(`not a Failure: ${error} of ${JSON.stringify(text.slice(0, 200))}`)
    if (error.status !== EXIT.config) throw new Error(`status ${error.status}`)
    const [, line = ''] = /^configuration \/etc\/toeh\/toeh\.toml:([0-9]+): ./.exec(error.line) ?? []
    const lines = text.split(/\r\n|\n/).length
    if (Number(line) < 1 || Number(line) > lines) throw new Error(`no place: ${error.line}`)
    if (/\p{Cc}/u.test(error.line)) throw new Error(`not one line: ${JSON.stringify(error.line)}`)
    if (error.line.length > 1000) throw new Error(`${error.line.length} characters`)
    return undefined
  }
}

const key = fc.oneof(
  fc.constantFrom('mode', 'state', 'internal_domains', 'reinject', 'deadline_seconds', 'approvers', 'notice'),
  fc.constantFrom(
    'notice.from',
    'groups',
    'groups.x',
    'people',
    'people.group',
    '__proto__',
    'constructor',
    '"a\\nb"',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }).map((text) => JSON.stringify(text)),
)
const value = fc.oneof(
  fc.constantFrom(
    '1',
    '-1',
    '1e999',
    'nan',
    'true',
    '[]',
    '{}',
    '[[1]]',
    '1979-05-27T07:32:00Z',
    '07:32:00',
    '0x7fffffffffffffff',
  ),
  fc.constantFrom(
    '"smtp:127.0.0.1:10026"',
    '"sendmail:/x\\u0000"',
    '"/var\\u0000"',
    '"/var\\nlib"',
    '""',
    "'''",
    '"""',
    '"\\uD800"',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => JSON.stringify(text)),
  fc.array(fc.string({ maxLength: 6 }), { maxLength: 3 }).map((list) => JSON.stringify(list)),
)
const table = key.map((name) => `[${name}]\n`)
const assignment = fc.tuple(key, value).map(([name, given]) => `${name} = ${given}\n`)
const noise = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('[', ']', '{', '=', '"', '\\', '\0', '\r', '\u{feff}', '#', '[['),
  fc.integer({ min: 1, max: 30_000 }).map((depth) => `x = ${'['.repeat(depth)}`),
  fc.integer({ min: 1, max: 3000 }).map((depth) => `x = ${'{a='.repeat(depth)}`),
)
const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(fc.oneof(assignment, table, noise), { maxLength: 8 }).map((parts) => parts.join('')),
  },
  // The sample with a piece cut out and another put in.
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.nat(SAMPLE.length), fc.nat(30), fc.oneof(assignment, table, noise, fc.constant('')))
      .map(([at, gone, put]) => SAMPLE.slice(0, at) + put + SAMPLE.slice(at + gone)),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
)

t.test('any text gives a configuration or one Failure with its place', async (t) => {
  let good = 0
  let bad = 0
  const whole = fc.property(text, (text) => {
    const config = taken(text)
    if (config === undefined) bad++
    else good++
    if (config === undefined) return
    const paths = [config.state, config.reinject.kind === 'sendmail' ? config.reinject.path : '/']
    for (const path of paths)
      if (!/^\/\P{Cc}*$/u.test(path)) throw new Error(`no path: ${JSON.stringify(path)}`)
    if (config.internal.size === 0) throw new Error('no domain')
  })
  await holds(t, 'texts', 8000, whole, 8000)
  t.ok(good > 100 && bad > 100, `${good} taken, ${bad} refused`)
})

t.test('what broke it once', (t) => {
  const deep = `x = ${'['.repeat(50_000)}`
  t.equal(taken(deep), undefined, 'very deep')
  t.equal(taken('internal_domains = ["corp.test"]\n"a\\nb" = 1\n'), undefined, 'a line end in a key')
  t.equal(taken('internal_domains = ["corp.test"]\nstate = "/var\\u0000"\n'), undefined, 'NUL in a path')
  t.equal(taken('internal_domains = ["corp.test"]\nreinject = "sendmail:/a\\u0000"\n'), undefined, 'and here')
  t.equal(taken(`"${'x'.repeat(100_000)}" = 1\n`), undefined, 'a very long key')
  t.end()
})
