/** Every command answers --json with what docs/schema.json says; failures stay one line beside it. */
import { readdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { makeLab, type Outcome, ROOT } from '../support/lab.js'
import { mailLog } from '../support/maillog.js'
import { faultsOf, faultsOfAnswer, SCHEMA, type Schema } from '../support/schema.js'
import { makeSink } from '../support/sink.js'

// But moderate, which answers pipe(8) with one line, --json or not.
const COMMANDS = readdirSync(join(ROOT, 'lib/commands'))
  .map((name) => name.replace('.ts', ''))
  .filter((name) => name !== 'moderate')

t.test('every command is in the schema, and nothing else', async (t) => {
  t.same(Object.keys(SCHEMA.properties).sort(), COMMANDS.sort())
  const used = new Set(JSON.stringify(SCHEMA).match(/#\/\$defs\/\w+/g))
  t.same(
    [...used].sort(),
    Object.keys(SCHEMA.$defs)
      .map((name) => `#/$defs/${name}`)
      .sort(),
  )
})

t.test('what each command prints, each of them called once', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, `${sink.setting}\nlanguage = "fr"`)
  const log = join(lab.dir, 'mail.log')
  writeFileSync(log, mailLog({ id: '4bQ8Yk2hJnz1', to: ['eve@knovvn.test', 'bob@firm.test'] }))
  const backup = join(lab.dir, 'copy.db')
  const rules = join(lab.dir, 'rules.csv')
  const first = await lab.park(['eve@knovvn.test'], { queueId: 'SCHEMA1' })
  const second = await lab.park(['mal@other.test'], { queueId: 'SCHEMA2' })
  lab.change('UPDATE hold SET expires_at = 1000 WHERE id = ?', second)
  const calls: string[][] = [
    ['allow', 'known.test', '--until', '30d', '--for', '@corp.test'],
    ['block', 'bad.test'],
    ['why', 'eve@knovvn.test'],
    ['list'],
    ['learn', 'log', log],
    ['replay', log],
    ['export', rules],
    ['import', rules],
    ['release', '--domain', 'knovvn.test', '--allow', 'address', '--dry-run'],
    ['show', first],
    ['cleanup'],
    ['reject', '--all', '--yes'],
    ['known'],
    ['recheck'],
    ['digest'],
    ['report'],
    ['metrics'],
    ['audit', 'verify'],
    ['forget', 'nobody@new.test', '--yes'],
    ['mode', 'observe'],
    ['mode', 'enforce', '--yes'],
    ['mode'],
    ['revoke', 'bad.test'],
    ['undo', '--yes'],
    ['backup', backup],
    ['fsck'],
    ['express', 'a@known.test'],
    ['doctor', '--config-dir', join(lab.dir, 'nowhere')],
    ['init', '--user', userInfo().username],
  ]
  t.same([...new Set(calls.map(([name]) => name))].sort(), COMMANDS.sort(), 'every command is called')
  for (const [name = '', ...args] of calls) {
    const { stdout, stderr } = await lab
      .toeh(name, ...args, '--json')
      .catch((error: unknown): Outcome => ({ code: null, signal: null, stdout: '', stderr: String(error) }))
    t.equal(stderr, '', `${name} ${args.join(' ')}`)
    if (stdout === '') t.fail(`${name} answers nothing`)
    else t.strictSame(faultsOfAnswer(name, stdout), [], name)
  }
})

t.test('a failure with --json is one line on standard error, and no JSON', async (t) => {
  const lab = makeLab(t)
  for (const args of [['show', '000000000000'], ['list', '--domain', 'x'], ['liste']]) {
    const { code, stdout, stderr } = await lab.toeh(...args, '--json')
    t.not(code, 0)
    t.equal(stdout, '')
    t.match(stderr, /^toeh: [^\n]+\n$/)
  }
})

t.test('the check is strict', async (t) => {
  const schema: Schema = {
    type: 'object',
    properties: { a: { type: ['integer', 'null'] }, b: { type: 'array', items: { enum: ['x', true] } } },
    required: ['a'],
    additionalProperties: false,
  }
  t.strictSame(faultsOf({ a: null, b: ['x', true] }, schema), [])
  t.strictSame(faultsOf({ a: 1.5 }, schema), ['.a: it is number, not integer,null'])
  t.strictSame(faultsOf({ b: ['y'] }, schema), ['.a: it is missing', '.b[0]: "y" is none of ["x",true]'])
  t.strictSame(faultsOf({ a: 1, c: 1 }, schema), ['.c: nobody has said that it may be there'])
  t.strictSame(faultsOf([], schema), [': it is array, not object'])
  t.match(faultsOf({}, { pattern: 'x' } as Schema)[0], 'the schema says pattern, which nobody checks')
  t.match(faultsOf({}, { $ref: '#/$defs/none' })[0], 'there is no')
  t.strictSame(faultsOf('x', { anyOf: [{ type: 'integer' }, { type: 'string' }] }), [])
  t.equal(faultsOf(null, { anyOf: [{ type: 'integer' }, { type: 'string' }] }).length, 1)
})
