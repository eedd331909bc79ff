/** toeh revoke: rules end, their rows stay. */
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

t.test('--json', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const { stdout } = await lab.toeh('revoke', 'known.test', '--json')
  t.match(JSON.parse(stdout), [{ id: 1, value: 'known.test', effect: 'allow' }])
})
