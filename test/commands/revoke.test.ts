/** toeh revoke: rules end, their rows stay. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { assertDone, assertRefused, makeLab } from '../support/lab.js'

t.test('ends every rule of exactly this name', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test', 'bob@known.test')
  await lab.toeh('block', 'known.test')
  assertDone(
    t,
    await lab.toeh('revoke', '@KNOWN.test'),
    /^rule 1 ended: allow known\.test\nrule 3 ended: block known\.test\n$/,
  )
  t.strictSame(lab.query('SELECT value FROM rule WHERE revoked_at IS NULL'), [{ value: 'bob@known.test' }])
  t.strictSame(lab.query(`SELECT what, subject, was, now FROM audit WHERE what = 'revoke' ORDER BY id`), [
    { what: 'revoke', subject: 'known.test', was: 'allow known.test', now: '' },
    { what: 'revoke', subject: 'known.test', was: 'block known.test', now: '' },
  ])
  assertDone(t, await lab.toeh('why', 'eve@known.test'), /^hold: unknown\n/)
})

t.test('bad input changes nothing', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const table: [args: string[], status: number, line: RegExp][] = [
    [[], 2, /usage: .*toeh revoke --help/],
    [
      ['nowhere.test'],
      66,
      /revoke nowhere\.test: there is no rule of exactly this name; toeh known lists them/,
    ],
    [['known.test', 'sub.known.test'], 66, /revoke sub\.known\.test: there is no rule/],
    [['no such'], 2, /revoke "no such": it is neither an address nor a domain/],
  ]
  for (const [args, status, line] of table) {
    const before = lab.databaseDigest()
    assertRefused(t, await lab.toeh('revoke', ...args), status, line)
    t.equal(lab.databaseDigest(), before)
  }
})

t.test('by number, by effect, by source; and shown first', async (t) => {
  const lab = makeLab(t)
  assertDone(t, await lab.toeh('allow', 'known.test', 'other.test'), 'rule 1')
  assertDone(t, await lab.toeh('block', 'known.test'), 'rule 3')
  const live = (): unknown[] =>
    lab.query<{ id: number }>('SELECT id FROM rule WHERE revoked_at IS NULL ORDER BY id').map(({ id }) => id)
  const before = lab.databaseDigest()
  const none: [args: string[], line: RegExp][] = [
    [['4'], /revoke 4: there is no rule of this number; toeh known lists them/],
    [['1', '99'], /revoke 99: there is no rule of this number/],
    [['1', '--only', 'block'], /revoke 1: there is no rule of this number/],
    [['other.test', '--only', 'block'], /revoke other\.test: there is no rule of exactly this name/],
    [['--source', 'nowhere'], /revoke "nowhere": no rule is from this source/],
    [['known.test', '--source', 'nowhere'], /revoke known\.test: there is no rule of exactly this name/],
  ]
  for (const [args, line] of none) assertRefused(t, await lab.toeh('revoke', ...args), 66, line)
  assertRefused(t, await lab.toeh('revoke', '--only', 'maybe', '1'), 2, /usage: /)
  assertDone(
    t,
    await lab.toeh('revoke', 'known.test', '1', '--dry-run'),
    /^would end rule 1: allow known\.test\nwould end rule 3: block known\.test\n$/,
  )
  t.equal(lab.databaseDigest(), before)
  assertDone(
    t,
    await lab.toeh('revoke', 'known.test', '--only', 'block'),
    /^rule 3 ended: block known\.test\n$/,
  )
  t.strictSame(live(), [1, 2], 'what was allowed before stays')
  assertDone(t, await lab.toeh('revoke', '2'), /^rule 2 ended: allow other\.test\n$/)
  t.strictSame(live(), [1])

  writeFileSync(join(lab.dir, 'rules.csv'), 'value,source\na.test,erp\nb.test,erp\nc.test,crm\n')
  assertDone(t, await lab.toeh('import', join(lab.dir, 'rules.csv')), '3 rules added')
  assertDone(t, await lab.toeh('revoke', '--source', 'erp'), /^rule 4 ended: .*\nrule 5 ended: .*\n$/)
  t.strictSame(live(), [1, 6])
  t.match(lab.query(`SELECT was FROM audit WHERE what = 'revoke' ORDER BY id`), [
    { was: 'block known.test' },
    { was: 'allow other.test' },
    { was: 'allow a.test' },
    { was: 'allow b.test' },
  ])
})

t.test('--json', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const { stdout } = await lab.toeh('revoke', 'known.test', '--json')
  t.match(JSON.parse(stdout), [{ id: 1, value: 'known.test', effect: 'allow' }])
})
