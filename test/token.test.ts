/** Tokens: drawn anew each time, kept hashed, used once and in time, and gone when nobody needs them. */
import t from 'tap'
import { Tokens } from '../lib/token.js'
import { park, unknown } from './support/held.js'
import { makeLab } from './support/lab.js'

const BOSS = { who: 'boss@corp.test by mail', at: 50 }

t.test('a token', async (t) => {
  const lab = makeLab(t)
  const { db, hold, folder } = lab.stores()
  t.teardown(() => db.close())
  const tokens = new Tokens(db)
  const id = await park(hold, folder, [unknown('a@x.test')])
  const of = { hold: id, recipients: ['a@x.test'], approver: 'boss@corp.test', expiresAt: 100 }
  const drawn = new Set<string>()
  for (let n = 0; n < 200; n++) drawn.add(await tokens.issue(of))
  t.equal(drawn.size, 200)
  const letters = new Set([...drawn].join(''))
  t.equal(letters.size, 32, 'every letter is drawn')
  const [token = '', late = ''] = drawn
  t.match(token, /^[0-9a-hjkmnp-tv-z]{26}$/)
  t.notMatch(JSON.stringify(db.all('SELECT * FROM token')), token)
  t.strictSame(await tokens.find(token), { ...of, usedBy: null, usedAt: null, answer: null })
  t.equal(await tokens.find(`${token.slice(0, -1)}x`), undefined)

  t.equal(await tokens.use(token, 'release', 'first', BOSS), true)
  t.equal(await tokens.use(token, 'release', 'first', BOSS), false, 'not again')
  t.equal(await tokens.use(token, 'reject', 'second', BOSS), false)
  t.match(await tokens.find(token), { usedBy: 'first', usedAt: 50, answer: 'release' })
  t.equal(await tokens.use(late, 'release', 'x', { ...BOSS, at: 100 }), false, 'too late')
  t.strictSame(db.all('SELECT who, what, subject, now FROM audit'), [
    { who: BOSS.who, what: 'answered', subject: id, now: 'release' },
  ])
  t.strictSame(await tokens.yeses(id), [
    { approver: 'boss@corp.test', answer: 'release', recipients: ['a@x.test'] },
  ])

  await tokens.giveBack(token, 'second', BOSS)
  t.match(await tokens.find(token), { usedBy: 'first' }, 'not by another mail')
  await tokens.giveBack(token, 'first', BOSS)
  t.strictSame(await tokens.find(token), { ...of, usedBy: null, usedAt: null, answer: null })
  await tokens.giveBack(token, 'first', BOSS)
  t.strictSame(await tokens.yeses(id), [], 'what was given back is no yes')
  t.strictSame(db.all('SELECT what, was, now FROM audit ORDER BY id'), [
    { what: 'answered', was: '', now: 'release' },
    { what: 'answered', was: 'release', now: '' },
  ])
  t.equal(await tokens.use(token, 'reject', 'second', BOSS), true, 'any mail may use it then')

  t.equal(await tokens.prune(101), 0, 'while the message waits')
  await hold.settle(id, ['a@x.test'], 'rejected', BOSS)
  t.equal(await tokens.prune(100), 0)
  t.equal(await tokens.prune(101), 200)
})
