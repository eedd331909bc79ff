/** toeh recheck: what has become known since it was held follows, and nothing else. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { assertDone, assertFailed, assertRefused, makeLab } from '../support/lab.js'
import { makeSink } from '../support/sink.js'

t.test('releases what is known now', async (t) => {
  const sink = await makeSink(t, (to) => (to.startsWith('gone') ? '550 5.1.1 no such user' : undefined))
  const lab = makeLab(t, sink.setting)
  await lab.allow('old.test')
  const id = await lab.park(['a@new.test', 'b@unknown.test', 'gone@old.test'], { queueId: 'RECHECK1' })
  const foreign = await lab.park(['a@new.test'], { sender: 'mallory@evil.test' })
  assertDone(t, await lab.toeh('recheck'), 'nothing that waits has become known\n')
  await lab.allow('new.test')
  assertDone(t, await lab.toeh('recheck'), `${id} released to a@new.test as SINK00000001\n`)
  t.strictSame(
    sink.mails.map(({ recipients }) => recipients),
    [['a@new.test']],
    'what was refused is not tried again',
  )
  t.strictSame(lab.held().sort(), [id, foreign].sort())
  assertDone(t, await lab.toeh('recheck'), 'nothing that waits has become known\n')
  t.strictSame(JSON.parse((await lab.toeh('recheck', '--json')).stdout), [])
})

t.test('one that cannot be released does not stop the others', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const altered = await lab.park(['a@new.test'], { queueId: 'RECHECK1' })
  const whole = await lab.park(['a@new.test'], { queueId: 'RECHECK2' })
  appendFileSync(join(lab.state, `hold/${altered}/message.eml`), 'more')
  lab.change('UPDATE hold SET held_at = held_at - 1000 WHERE id = ?', altered)
  await lab.allow('new.test')
  const outcome = await lab.toeh('recheck')
  assertFailed(t, outcome, new RegExp(`^${altered} NOT released to a@new\\.test: .*not those that were held`))
  t.match(outcome.stdout, `${whole} released to a@new.test as SINK00000001\n`)
})

t.test('wrong usage', async (t) => {
  assertRefused(t, await makeLab(t).toeh('recheck', 'x'), 2, /x is too much: it is toeh recheck/)
})
