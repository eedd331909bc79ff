/** The upkeep: what cleanup and fsck do to the hold of themselves, and the counting that keeps up with it. */
import t from 'tap'
import type { Row } from '../../lib/database/database.js'
import type { HoldUpkeep } from '../../lib/hold/upkeep.js'
import { replaceFs, syncOrder, systemError } from '../support/failing.js'
import { park, refused, unknown } from '../support/held.js'
import { MARIE, makeStand, X, Y } from '../support/holdstand.js'

t.test('claimExpired: of two cleanups one gets each message', async (t) => {
  const { folder, hold, other } = makeStand(t)
  const ids = async (from: HoldUpkeep, now: number, staleBefore: number): Promise<string[]> =>
    (await from.claimExpired(now, staleBefore)).map(({ id }) => id)
  const one = await park(hold, folder, [unknown(X)], { queueId: 'ONE1', expiresAt: 5000 })
  const two = await park(hold, folder, [refused(Y)], { queueId: 'TWO2', heldAt: 1001, expiresAt: 5001 })
  const going = await park(hold, folder, [unknown(X)], { queueId: 'GOES', expiresAt: 5000 })
  hold.claim(going, [X], false, MARIE)
  const done = await park(hold, folder, [unknown(X)], { queueId: 'DONE', expiresAt: 5000 })
  hold.settle(done, [X], 'rejected', MARIE)

  t.strictSame(await ids(hold, 4999, 0), [])
  t.strictSame(
    await ids(hold, 5000, 0),
    [one],
    'at that instant; neither a release in flight nor a settled one',
  )
  t.strictSame(await ids(other, 6000, 5000), [two], 'the first is in hand')
  t.strictSame(await ids(other, 6000, 5000), [])
  t.strictSame(await ids(other, 6000, 5001), [one], 'a claim older than that was left by a cleanup that died')
  hold.unclaimExpired(two)
  t.strictSame(await ids(hold, 6100, 5000), [two], 'one that was given back')
  t.equal(hold.find(one).recipients[0]?.state, 'held', 'the claim itself settles nothing')
})

t.test('a recipient that joins takes a message out of the hands of cleanup', async (t) => {
  const { folder, hold } = makeStand(t)
  const id = await park(hold, folder, [unknown(X)])
  hold.claimExpired(5000, 0)
  await park(hold, folder, [unknown(Y)])
  t.strictSame(
    hold.claimExpired(5000, 0).map((message) => [message.id, message.recipients.length]),
    [[id, 2]],
  )
})

t.test('what waits is counted with every change, whatever makes it', async (t) => {
  const { db, folder, hold, other } = makeStand(t)
  const counted = `SELECT count(DISTINCT hold.id) AS messages, count(*) AS recipients,
    (SELECT sum(size) FROM hold WHERE id IN (SELECT hold FROM recipient WHERE state IN ('held', 'refused', 'releasing'))) AS bytes
    FROM recipient JOIN hold ON hold.id = hold WHERE state IN ('held', 'refused', 'releasing')`
  const check = async (messages: number, recipients: number, why: string): Promise<void> => {
    const load = other.load()
    t.match(load, { messages, recipients }, why)
    t.same(load, { ...db.get(counted), ...(messages === 0 ? { bytes: 0 } : {}) }, why)
    t.strictSame(other.recount(false), [], why)
  }
  await check(0, 0, 'nothing')
  const one = await park(hold, folder, [unknown(X), refused(Y)], { queueId: 'ONE1' })
  const two = await park(hold, folder, [unknown(X)], { queueId: 'TWO2', bytes: 'Subject: longer\n\nx\n' })
  await check(2, 3, 'parked')
  await park(hold, folder, [unknown(X), unknown('z@new.test')], { queueId: 'ONE1' })
  await check(2, 4, 'joined')
  hold.recordPassed(one, ['known@corp.test'], 'Q', 1)
  hold.claim(one, [X, Y], false, MARIE)
  await check(2, 4, 'who passed does not wait, who is being released does')
  hold.settleReleased(one, [X], 'Q', MARIE)
  hold.unclaim(one, [Y], 'failed', MARIE)
  await check(2, 3, 'released')
  hold.settle(two, [X], 'rejected', MARIE)
  await check(1, 2, 'nobody waits in it any more')
  hold.settle(one, [Y, 'z@new.test'], 'expired', MARIE)
  await check(0, 0, 'nor in the other')
  await park(hold, folder, [unknown(Y)], { queueId: 'TWO2', bytes: 'Subject: longer\n\nx\n' })
  await check(1, 1, 'one that had been settled is joined')
  db.run('PRAGMA foreign_keys = OFF')
  const [row] = db.all<Row>('SELECT * FROM hold WHERE id = ?', two)
  db.run('DELETE FROM hold WHERE id = ?', two)
  await check(0, 0, 'its row is lost')
  const values = Object.values({ ...row, waiting: 0 })
  db.run(`INSERT INTO hold VALUES (${values.map(() => '?').join()})`, ...values)
  await check(1, 1, 'and is put back')
  db.run('DELETE FROM recipient WHERE hold = ?', two)
  await check(0, 0, 'the recipient is gone')
})

t.test('recount finds what is counted wrongly, and puts it right when it is told to', async (t) => {
  const { db, folder, hold } = makeStand(t)
  const one = await park(hold, folder, [unknown(X), unknown(Y)], { queueId: 'ONE1' })
  const two = await park(hold, folder, [unknown(X)], { queueId: 'TWO2' })
  hold.settle(two, [X], 'rejected', MARIE)
  const load = hold.load()
  for (const [sql, wrong] of [
    [`UPDATE hold SET waiting = 1 WHERE id = '${one}'`, [one, 'load']],
    [`UPDATE hold SET waiting = 0 WHERE id = '${one}'`, [one, 'load']],
    [`UPDATE hold SET waiting = 1 WHERE id = '${two}'`, [two, 'load']],
    [`UPDATE hold SET waiting = -1 WHERE id = '${two}'`, [two, 'load']],
    ['UPDATE load SET messages = messages + 1', ['load']],
    ['UPDATE load SET bytes = bytes - 1', ['load']],
    ['DELETE FROM load', ['load']],
  ] as const) {
    db.run(sql)
    t.strictSame(hold.recount(false), wrong, sql)
    t.strictSame(hold.recount(true), wrong, 'the first was a look only')
    t.strictSame(hold.recount(true), [])
    t.strictSame(hold.load(), load)
    t.strictSame(
      hold.waiting().map(({ id }) => id),
      [one],
    )
  }
})

t.test('removeLeft: a message is forgotten once its folder is gone, and not before', async (t) => {
  const { db, folder, hold } = makeStand(t)
  const leaving = (): unknown[] => db.all('SELECT hold FROM leaving ORDER BY hold')
  const one = await park(hold, folder, [unknown(X)], { queueId: 'ONE1' })
  const two = await park(hold, folder, [unknown(X)], { queueId: 'TWO2' })
  t.equal(hold.removeLeft(), 0)
  for (const id of [one, two]) hold.settle(id, [X], 'rejected', MARIE)
  t.strictSame(
    leaving(),
    [one, two].sort().map((id) => ({ hold: id })),
  )
  // It was removed as it should be.
  hold.removeSettled(two)
  const restore = replaceFs(t, 'renameSync', () => () => {
    throw systemError('EIO', 'i/o error')
  })
  t.throws(() => hold.removeLeft(), /EIO/)
  restore()
  t.equal(leaving().length, 2, 'kept for the next')
  // Folders whose removal a power cut may undo are not forgotten before it is durable, whoever has removed them.
  const cut = replaceFs(t, 'fsyncSync', () => () => {
    throw systemError('EIO', 'i/o error')
  })
  t.throws(() => hold.removeLeft(), /EIO/)
  cut()
  t.equal(leaving().length, 2, 'not forgotten')
  t.strictSame(folder.ids(), [])
  const name = (path: string): string => path.replace(folder.root, 'hold')
  t.strictSame(await syncOrder(t, name, () => hold.removeLeft()), ['fsync hold'])
  t.strictSame(leaving(), [])
  for (const id of [one, two]) {
    await park(hold, folder, [unknown('late@new.test')], { queueId: id === one ? 'ONE1' : 'TWO2' })
    hold.settle(id, ['late@new.test'], 'rejected', MARIE)
  }
  hold.removeSettled(two)
  t.equal(hold.removeLeft(), 1)
  t.strictSame(folder.ids(), [])
  t.strictSame(leaving(), [])
  await park(hold, folder, [unknown(X), unknown(Y)], { queueId: 'ONE1' })
  hold.settle(one, [Y], 'rejected', MARIE)
  await park(hold, folder, [unknown('z@new.test')], { queueId: 'ONE1' })
  t.equal(hold.removeLeft(), 0, 'somebody waits in it again')
  t.ok(folder.has(one))
})

t.test(
  'putOff: what was due at the last cleanup and it did not know waits its time from then on',
  async (t) => {
    const { db, folder, hold } = makeStand(t)
    const times = async (id: string): Promise<number> => hold.find(id).expiresAt
    const make = (queueId: string, heldAt: number, expiresAt: number): Promise<string> =>
      park(hold, folder, [unknown(X)], { queueId, heldAt, expiresAt })
    const misdated = await make('MISDATED', 100, 600)
    const due = await make('DUE00000', 0, 1000)
    const known = await make('KNOWN000', 100, 600)
    const later = await make('LATER000', 900, 1001)
    const odd = await make('ODD00000', 700, 600)
    const instant = await make('INSTANT0', 600, 600)
    const closing = await make('CLOSING0', 100, 600)
    db.run('UPDATE hold SET closing_at = 5 WHERE id = ?', closing)
    const going = await make('GOING000', 100, 600)
    hold.claim(going, [X], false, MARIE)
    const done = await make('DONE0000', 100, 600)
    hold.settle(done, [X], 'rejected', MARIE)
    t.strictSame(hold.putOff(1000, [known]).sort(), [misdated, due, instant].sort())
    t.strictSame(await Promise.all([misdated, due, instant].map(times)), [1500, 2000, 1000])
    t.strictSame(
      await Promise.all([known, later, odd, closing, going, done].map(times)),
      [600, 1001, 600, 600, 600, 600],
    )
  },
)
