/** Held mail: what waits and what was settled, in order and by index. */
import t from 'tap'
import type { Database } from '../../lib/database/database.js'
import { isWaiting } from '../../lib/hold/heldmail.js'
import { Tokens } from '../../lib/hold/token.js'
import { HoldUpkeep } from '../../lib/hold/upkeep.js'
import { failureOf } from '../support/failing.js'
import { park, unknown } from '../support/held.js'
import { MARIE, makeStand, X, Y } from '../support/holdstand.js'

t.test('find names what to do where there is none', async (t) => {
  const { hold } = makeStand(t)
  const failure = await failureOf(() => hold.find('000000000000'))
  t.equal(failure.line, 'hold 000000000000: there is no such message; toeh list shows them')
  t.equal(failure.status, 66)
})

t.test('hasHeld: by queue id', async (t) => {
  const { folder, hold } = makeStand(t)
  await park(hold, folder, [unknown(X)], { queueId: 'HELD0001' })
  t.equal(hold.hasHeld('HELD0001'), true)
  t.equal(hold.hasHeld('OTHER001'), false)
})

t.test('waiting: oldest first, with those who wait', async (t) => {
  const { folder, hold } = makeStand(t)
  const late = await park(hold, folder, [unknown(X)], { queueId: 'LATE', heldAt: 1300 })
  const early = await park(hold, folder, [unknown(Y), unknown(X)], { queueId: 'EARLY', heldAt: 1100 })
  const gone = await park(hold, folder, [unknown(X)], { queueId: 'GONE', heldAt: 1200 })
  hold.settle(gone, [X], 'rejected', MARIE)
  hold.settle(early, [X], 'rejected', MARIE)
  t.strictSame(
    hold.waiting().map(({ id, recipients }) => [id, ...recipients.map(({ address }) => address)]),
    [
      [early, Y],
      [late, X],
    ],
  )
})

t.test('isWaiting', async (t) => {
  const states = ['held', 'refused', 'releasing', 'released', 'rejected', 'expired', 'passed'] as const
  t.strictSame(
    states.filter((state) => isWaiting({ state })),
    ['held', 'refused', 'releasing'],
  )
})

t.test('nothing that people and timers ask goes through all that wait or were settled', async (t) => {
  const { db, folder } = makeStand(t)
  const steps: string[] = []
  const explain =
    (kind: 'all' | 'get' | 'run') =>
    (sql: string, ...values: (string | number | null)[]) => {
      const plan = db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...values)
      steps.push(...plan.map(({ detail }) => detail))
      return db[kind](sql, ...values) as never
    }
  const looking: Database = { ...db, all: explain('all'), get: explain('get'), run: explain('run') }
  looking.transaction = (work) => db.transaction(work)
  looking.still = (work) => db.still(work)
  const hold = new HoldUpkeep(looking, folder)
  const asked: Record<string, [() => unknown, string[]]> = {
    load: [() => hold.load(), ['SCAN load']],
    waiting: [
      () => hold.waiting({ since: 1, before: 9, most: 3 }),
      ['SEARCH hold USING INDEX hold_waiting (held_at>? AND held_at<?)'],
    ],
    oldest: [() => hold.oldest(), ['SEARCH hold USING COVERING INDEX hold_waiting (held_at>?)']],
    claimExpired: [() => hold.claimExpired(9, 1), ['SEARCH hold USING INDEX hold_due (expires_at<?)']],
    putOff: [() => hold.putOff(9, []), ['SEARCH hold USING INDEX hold_due (expires_at<?)']],
    unnotified: [() => hold.unnotified(), ['SCAN hold USING INDEX hold_unnotified']],
    removeLeft: [() => hold.removeLeft(), ['SCAN leaving']],
    settledSince: [
      () => hold.settledSince(5),
      ['SEARCH r USING COVERING INDEX recipient_settled (changed_at>?)', 'SEARCH h USING PRIMARY KEY (id=?)'],
    ],
    // These two go through a range of the index, and never to the rows.
    count: [
      () => hold.count({ since: 1 }),
      ['SEARCH hold USING COVERING INDEX hold_waiting (held_at>? AND held_at<?)'],
    ],
    countSince: [
      () => hold.countSince([9]),
      Array(2).fill('SEARCH hold USING COVERING INDEX hold_waiting (held_at>? AND held_at<?)'),
    ],
    'prune tokens': [
      () => new Tokens(looking).prune(9),
      ['SEARCH token USING INDEX token_expires (expires_at<?)', 'SEARCH hold USING PRIMARY KEY (id=?)'],
    ],
  }
  for (const [name, [ask, plan]] of Object.entries(asked)) {
    steps.splice(0)
    await ask()
    // How a subquery is called is SQLite's own affair; that it finds its rows by their key is not.
    const kept = steps.filter((step) =>
      /^(SCAN|SEARCH) (?!CONSTANT ROW|json_each|asked VIRTUAL TABLE)/.test(step),
    )
    const others = kept.filter((step) => !/^SEARCH recipient .*PRIMARY KEY \(hold=\?\)/.test(step))
    t.strictSame(others, plan, name)
  }
})

t.test('countSince: each from its time on, what is older last', async (t) => {
  const { folder, hold } = makeStand(t)
  for (const [index, heldAt] of [100, 200, 200, 299, 300, 5000].entries())
    await park(hold, folder, [unknown(X)], { queueId: `AT${heldAt}${index}`, heldAt })
  t.strictSame(hold.countSince([300, 200]), [2, 3, 1])
  t.strictSame(hold.countSince([]), [6])
  t.equal(hold.count({ since: 200, before: 300 }), 3)
  t.equal(hold.count({}), 6)
})

t.test('waiting: of a time, and so many of them', async (t) => {
  const { folder, hold } = makeStand(t)
  const ids: string[] = []
  for (const heldAt of [100, 200, 300, 400])
    ids.push(await park(hold, folder, [unknown(X), unknown(Y)], { queueId: `AT${heldAt}`, heldAt }))
  const [first, second, third, last] = ids
  const found = async (of?: Parameters<HoldUpkeep['waiting']>[0]): Promise<string[]> =>
    hold.waiting(of).map(({ id }) => id)
  t.strictSame(await found(), ids)
  t.strictSame(await found({ since: 200 }), [second, third, last])
  t.strictSame(await found({ since: 201 }), [third, last])
  t.strictSame(await found({ before: 300 }), [first, second])
  t.strictSame(await found({ before: 301 }), [first, second, third])
  t.strictSame(await found({ since: 200, before: 400, most: 1 }), [second])
  t.strictSame(await found({ most: 0 }), [])
  t.equal(hold.count({ since: 200 }), 3)
  t.equal(hold.count({ before: 200 }), 1)
  t.strictSame(hold.waitingIds(), new Set(ids))
  hold.settle(first ?? '', [X, Y], 'rejected', MARIE)
  t.strictSame(hold.waitingIds(), new Set(ids.slice(1)))
})

t.test('of two that were held in one moment the order is always the same', async (t) => {
  const { folder, hold } = makeStand(t)
  const ids: string[] = []
  for (let n = 0; n < 6; n++) ids.push(await park(hold, folder, [unknown(X)], { queueId: `SAME${n}` }))
  const sorted = [...ids].sort()
  const named = (messages: readonly { id: string }[]): string[] => messages.map(({ id }) => id)
  t.strictSame(named(hold.waiting()), sorted)
  t.strictSame(named(hold.unnotified()), sorted)
  t.strictSame(named(hold.claimExpired(5000, 0)), sorted)
})

t.test('the oldest that waits and the newest that was held', async (t) => {
  const { folder, hold } = makeStand(t)
  t.equal(hold.oldest(), undefined)
  t.equal(hold.newest(), undefined)
  const old = await park(hold, folder, [unknown(X)], { queueId: 'OLD0', heldAt: 100 })
  await park(hold, folder, [unknown(X)], { queueId: 'MID0', heldAt: 200 })
  const young = await park(hold, folder, [unknown(X)], { queueId: 'NEW0', heldAt: 300 })
  t.equal(hold.oldest(), 100)
  t.equal(hold.oldest(200), 200, 'that moment is of it')
  t.equal(hold.oldest(201), 300)
  t.equal(hold.oldest(301), undefined)
  t.equal(hold.newest(), 300)
  for (const id of [old, young]) hold.settle(id, [X], 'rejected', MARIE)
  t.equal(hold.oldest(), 200, 'who is settled does not wait')
  t.equal(hold.newest(), 300, 'but was held')
})

t.test('settledSince: who was released, rejected or has expired, from a moment on', async (t) => {
  const { folder, hold } = makeStand(t)
  const id = await park(
    hold,
    folder,
    ['a', 'b', 'c', 'd', 'e'].map((name) => unknown(`${name}@new.test`)),
  )
  hold.recordPassed(id, ['k@known.test'], 'Q1', 9000)
  hold.settle(id, ['a@new.test'], 'rejected', { who: 'marie', at: 2000 })
  hold.settle(id, ['b@new.test'], 'expired', { who: 'cleanup', at: 3000 })
  hold.claim(id, ['c@new.test', 'd@new.test'], false, { who: 'marie', at: 3500 })
  hold.settleReleased(id, ['c@new.test'], 'Q2', { who: 'marie', at: 4000 })
  const since = async (time: number): Promise<string[]> =>
    hold
      .settledSince(time)
      .map((row) => `${row.state} ${row.heldAt} ${row.changedAt}`)
      .sort()
  t.strictSame(await since(0), ['expired 1000 3000', 'rejected 1000 2000', 'released 1000 4000'])
  t.strictSame(await since(3000), ['expired 1000 3000', 'released 1000 4000'])
  t.strictSame(await since(3001), ['released 1000 4000'])
})

t.test('a load of which there is no row is none', async (t) => {
  const { db, folder, hold } = makeStand(t)
  await park(hold, folder, [unknown(X)])
  t.strictSame(Object.values(hold.load()).slice(0, 2), [1, 1])
  db.run('DELETE FROM load')
  t.strictSame(hold.load(), { messages: 0, recipients: 0, bytes: 0 })
})

t.test('whose last recipient leaves while it is looked for is not among those that wait', async (t) => {
  const { db, folder, hold, other } = makeStand(t)
  const leaves = await park(hold, folder, [unknown(X)], { queueId: 'LEAVES01' })
  const stays = await park(hold, folder, [unknown(X), unknown(Y)], { queueId: 'STAYS002' })
  const slow = new Proxy(db, {
    get: (target, name: keyof Database) => {
      const method = target[name] as (...given: unknown[]) => unknown
      return (...given: unknown[]) => {
        const found = method.apply(target, given)
        if (name === 'all' && String(given[0]).startsWith('SELECT * FROM hold')) {
          void other.settle(leaves, [X], 'rejected', MARIE)
          void other.settle(stays, [Y], 'rejected', MARIE)
        }
        return found
      }
    },
  })
  t.strictSame(
    new HoldUpkeep(slow, folder)
      .waiting({ most: 9 })
      .map(({ id, recipients }) => [id, ...recipients.map(({ address }) => address)]),
    [[stays, X]],
  )
})

t.test('every order is asked for: none is left to how SQLite goes through a table', async (t) => {
  const { db, folder, hold } = makeStand(t)
  db.run('PRAGMA reverse_unordered_selects = ON')
  const addresses = ['a', 'b', 'c', 'd'].map((name) => `${name}@new.test`)
  const ids: string[] = []
  for (const heldAt of [100, 200, 300])
    ids.push(
      await park(hold, folder, addresses.map(unknown), {
        queueId: `AT${heldAt}`,
        heldAt,
        expiresAt: 1000 - heldAt,
      }),
    )
  const named = (messages: readonly { id: string }[]): string[] => messages.map(({ id }) => id)
  t.strictSame(named(hold.waiting()), ids)
  t.strictSame(named(hold.unnotified()), ids)
  for (const { recipients } of [...hold.waiting(), hold.find(ids[0] ?? '')])
    t.strictSame(
      recipients.map(({ address }) => address),
      addresses,
    )
  await park(hold, folder, [unknown('late@new.test')], { queueId: 'AT100', expiresAt: 1 })
  t.strictSame(
    folder.read(ids[0] ?? '').recipients.map(({ address }) => address),
    [...addresses, 'late@new.test'],
  )
  t.strictSame(named(hold.claimExpired(2000, 0)), [...ids].reverse(), 'what has been due for longest')
})
