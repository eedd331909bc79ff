/** Tokens: drawn anew each time, kept hashed, used once and in time, and gone when nobody needs them. */
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import t from 'tap'
import { Tokens } from '../../lib/hold/token.js'
import { park, unknown } from '../support/held.js'
import { makeLab } from '../support/lab.js'

const BOSS = { who: 'boss@corp.test by mail', at: 50 }

t.test('a token', async (t) => {
  const lab = makeLab(t)
  const { db, hold, folder } = lab.stores()
  t.teardown(() => db.close())
  const tokens = new Tokens(db)
  const id = await park(hold, folder, [unknown('a@x.test')])
  const of = { hold: id, recipients: ['a@x.test'], approver: 'boss@corp.test', expiresAt: 100 }
  const drawn = new Set<string>()
  for (let n = 0; n < 200; n++) drawn.add(tokens.issue(of))
  t.equal(drawn.size, 200)
  const letters = new Set([...drawn].join(''))
  t.equal(letters.size, 32, 'every letter is drawn')
  const [token = '', late = ''] = drawn
  t.match(token, /^[0-9a-hjkmnp-tv-z]{26}$/)
  t.notMatch(JSON.stringify(db.all('SELECT * FROM token')), token)
  t.strictSame(tokens.find(token), { ...of, usedBy: null, usedAt: null, answer: null })
  t.equal(tokens.find(`${token.slice(0, -1)}x`), undefined)

  t.equal(tokens.use(token, 'release', 'first', BOSS), true)
  t.equal(tokens.use(token, 'release', 'first', BOSS), false, 'not again')
  t.equal(tokens.use(token, 'reject', 'second', BOSS), false)
  t.match(tokens.find(token), { usedBy: 'first', usedAt: 50, answer: 'release' })
  t.equal(tokens.use(late, 'release', 'x', { ...BOSS, at: 100 }), false, 'too late')
  t.strictSame(db.all('SELECT who, what, subject, was, now FROM audit'), [
    { who: BOSS.who, what: 'answered', subject: id, was: '', now: 'release' },
  ])
  t.strictSame(tokens.yeses(id), [
    { approver: 'boss@corp.test', answer: 'release', recipients: ['a@x.test'] },
  ])

  tokens.giveBack(token, 'second', BOSS)
  t.match(tokens.find(token), { usedBy: 'first' }, 'not by another mail')
  tokens.giveBack(token, 'first', BOSS)
  t.strictSame(tokens.find(token), { ...of, usedBy: null, usedAt: null, answer: null })
  tokens.giveBack(token, 'first', BOSS)
  t.strictSame(tokens.yeses(id), [], 'what was given back is no yes')
  t.strictSame(db.all('SELECT what, was, now FROM audit ORDER BY id'), [
    { what: 'answered', was: '', now: 'release' },
    { what: 'answered', was: 'release', now: '' },
  ])
  t.equal(tokens.use(token, 'reject', 'second', BOSS), true, 'any mail may use it then')

  t.equal(tokens.prune(101), 0, 'while the message waits')
  hold.settle(id, ['a@x.test'], 'rejected', BOSS)
  t.equal(tokens.prune(100), 0)
  t.equal(tokens.prune(101), 200)
})

t.test('all 128 bits that were drawn are in it, each in its place', async (t) => {
  const lab = makeLab(t)
  const { db, hold, folder } = lab.stores()
  const real = crypto.randomBytes
  t.teardown(() => {
    crypto.randomBytes = real
    syncBuiltinESMExports()
    db.close()
  })
  const id = await park(hold, folder, [unknown('a@x.test')])
  const of = { hold: id, recipients: ['a@x.test'], approver: 'boss@corp.test', expiresAt: 100 }
  const draw = (bytes: readonly number[]): string => {
    crypto.randomBytes = ((size: number) => Buffer.from(bytes).subarray(0, size)) as typeof real
    syncBuiltinESMExports()
    return new Tokens(db).issue(of)
  }
  // Five bits a letter, most significant first, as Crockford writes them, and two bits of nothing at the end.
  t.equal(draw(Array(32).fill(0)), '0'.repeat(26))
  t.equal(draw(Array(32).fill(0xff)), `${'z'.repeat(25)}w`)
  t.equal(draw(Array(32).fill(1)), '040g2081040g2081040g208104')
})

t.test('yeses, in the order in which they were said', async (t) => {
  const lab = makeLab(t)
  const { db, hold, folder } = lab.stores()
  t.teardown(() => db.close())
  const tokens = new Tokens(db)
  const id = await park(hold, folder, [unknown('a@x.test')])
  const other = await park(hold, folder, [unknown('a@x.test')], { queueId: 'OTHER001' })
  const names = Array.from({ length: 8 }, (_, n) => `${n}@corp.test`)
  for (const [index, approver] of names.entries()) {
    const of = { recipients: ['a@x.test'], approver, expiresAt: 100 }
    const token = tokens.issue({ ...of, hold: id })
    tokens.use(token, index % 3 === 2 ? 'reject' : 'release', approver, { ...BOSS, at: 10 + index })
    tokens.use(tokens.issue({ ...of, hold: other }), 'know', approver, { ...BOSS, at: 1 })
    tokens.issue({ ...of, hold: id })
  }
  t.strictSame(
    tokens.yeses(id).map(({ approver, answer }) => `${approver} ${answer}`),
    [0, 1, 3, 4, 6, 7].map((n) => `${n}@corp.test release`),
  )
})
