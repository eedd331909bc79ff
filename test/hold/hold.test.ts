/** Hold: the states of parked recipients, each change once, whoever else is at it. docs/hold.md has the table. */
import fs, { existsSync, readFileSync, rmSync } from 'node:fs'
import t from 'tap'
import { openForReading } from '../../lib/database/database.js'
import { Failure } from '../../lib/failure.js'
import type { HoldFolder } from '../../lib/hold/folder.js'
import { RELEASE_ABANDONED_MS } from '../../lib/hold/heldmail.js'
import { HoldUpkeep } from '../../lib/hold/upkeep.js'
import { failureOf, replaceFs, syncOrder, systemError } from '../support/failing.js'
import { CLIENT, park, refused, spoolHeld, unknown } from '../support/held.js'
import { deeds, MARIE, makeStand, PAUL, recipients, X, Y, Z } from '../support/holdstand.js'

t.test('park', async (t) => {
  t.test('the folder and the rows say the same', async (t) => {
    const { folder, hold } = makeStand(t)
    const { message, envelope } = await spoolHeld(folder, [unknown(X), refused(Y)])
    t.equal(hold.park(message.folder(), envelope), true)
    const { recipients: _, ...facts } = envelope
    const found = hold.find(envelope.id)
    t.strictSame({ ...found, recipients: [] }, { ...facts, notifiedAt: null, recipients: [] })
    t.strictSame(found.client, CLIENT)
    t.strictSame(found.recipients, [
      {
        address: X,
        state: 'held',
        reason: 'unknown',
        detail: '',
        queueId: '',
        changedBy: 'toeh-filter',
        changedAt: 1000,
      },
      {
        address: Y,
        state: 'refused',
        reason: 'refused',
        detail: '550 5.1.1 no such user',
        queueId: '',
        changedBy: 'toeh-filter',
        changedAt: 1000,
      },
    ])
    t.strictSame(folder.read(envelope.id), envelope)
    t.strictSame(
      hold.states(envelope.id),
      new Map([
        [X, 'held'],
        [Y, 'refused'],
      ]),
    )
    t.equal(hold.states('000000000000').size, 0)
    t.equal(hold.standing(envelope.id), 'waiting')
    t.equal(hold.standing('000000000000'), 'unknown')
  })

  t.test('the same again changes nothing', async (t) => {
    const { db, folder, hold } = makeStand(t)
    const id = await park(hold, folder, [unknown(X)])
    hold.recordNotified([hold.find(id)], 1500)
    const before = [hold.find(id), folder.read(id)]
    const { message, envelope } = await spoolHeld(folder, [{ ...unknown(X), reason: 'blocked' }], {
      heldAt: 7000,
      expiresAt: 9000,
    })
    t.equal(hold.park(message.folder(), envelope), false)
    t.strictSame([hold.find(id), folder.read(id)], before)
    t.strictSame(deeds(db), [], "and parking is nobody's deed")
  })

  t.test('further recipients of the same message join, and people are to be told again', async (t) => {
    const { folder, hold, other } = makeStand(t)
    const id = await park(hold, folder, [unknown(Y), refused('z@known.test')])
    hold.recordNotified([hold.find(id)], 1500)
    t.equal(await park(other, folder, [unknown(X), unknown(Y)], { heldAt: 1200 }), id)
    t.strictSame(await recipients(hold, id), [
      'x@new.test held toeh-filter 1200',
      'y@new.test held toeh-filter 1000',
      'z@known.test refused toeh-filter 1000 550 5.1.1 no such user',
    ])
    t.strictSame(
      folder.read(id).recipients,
      [unknown(X), unknown(Y), refused('z@known.test')],
      'the folder alone would rebuild the rows',
    )
    t.equal(hold.find(id).notifiedAt, null)
    hold.recordNotified([{ id, recipients: [unknown(Y), refused('z@known.test')] }], 1600)
    t.equal(hold.find(id).notifiedAt, null, 'whoever has joined while others were told of is not lost')
    hold.recordNotified([hold.find(id)], 1700)
    t.equal(hold.find(id).notifiedAt, 1700)
  })

  t.test(
    'envelope.json leaves out who has been settled, and has a release in flight as waiting',
    async (t) => {
      const { folder, hold } = makeStand(t)
      const id = await park(hold, folder, [unknown('done@new.test'), unknown('going@new.test'), refused(Y)])
      hold.settle(id, ['done@new.test'], 'rejected', MARIE)
      hold.claim(id, ['going@new.test', Y], false, MARIE)
      await park(hold, folder, [unknown(X)])
      t.strictSame(folder.read(id).recipients, [unknown('going@new.test'), unknown(X), refused(Y)])
    },
  )

  t.test(
    'what it asks of the disk, and when: all that takes long before the database is locked',
    async (t) => {
      const { folder, hold } = makeStand(t)
      const name = (path: string): string =>
        path
          .replace(folder.root, 'hold')
          .replace(/[0-9]+-[0-9]+/, 'SPOOL')
          .replace(/\.envelope-[0-9a-f]{12}/, '.NEW')
      const asked = async (to: string[], more: Parameters<typeof spoolHeld>[2] = {}): Promise<string[]> => {
        const { message, envelope } = await spoolHeld(folder, to.map(unknown), more)
        let locked = 0
        const spooled = message.folder()
        const order = await syncOrder(t, name, () =>
          hold.park(spooled, envelope, () => {
            locked++
            // Stands for itself among what is written down.
            fs.renameSync(spooled, spooled)
          }),
        )
        t.equal(locked, 1)
        return order.map((line) => line.replaceAll(`hold/${envelope.id}`, 'hold/ID'))
      }
      const prepared = ['message.eml', 'envelope.json'].map((file) => `fsync hold/tmp/SPOOL/${file}`)
      const locked = 'rename hold/tmp/SPOOL hold/tmp/SPOOL'
      const published = [
        ...prepared,
        'fsync hold/tmp/SPOOL',
        locked,
        'rename hold/tmp/SPOOL hold/ID',
        'fsync hold',
      ]
      t.strictSame(await asked([X]), published, 'it is new')
      t.strictSame(await asked([X]), [locked, 'fsync hold'], 'it is there, and nobody joins')
      t.strictSame(
        await asked([Y]),
        [
          locked,
          'fsync hold',
          'fsync hold/ID/.NEW',
          'rename hold/ID/.NEW hold/ID/envelope.json',
          'fsync hold/ID',
        ],
        'somebody joins',
      )
    },
  )

  t.test('those who join wait as long as the first, and longer where they came later', async (t) => {
    const { db, folder, hold } = makeStand(t)
    const expiry = async (id: string): Promise<number> => hold.find(id).expiresAt
    const id = await park(hold, folder, [unknown(X)], { expiresAt: 5000 })
    await park(hold, folder, [unknown(Y)], { expiresAt: 3000 })
    t.equal(await expiry(id), 5000)
    await park(hold, folder, [unknown('z@new.test')], { expiresAt: 9000 })
    t.equal(await expiry(id), 9000)
    t.equal(folder.read(id).expiresAt, 9000)
    db.run('UPDATE hold SET closing_at = 1')
    await park(hold, folder, [unknown('z@new.test')], { expiresAt: 20_000 })
    t.equal(await expiry(id), 9000, 'nobody has joined')
    t.strictSame(db.all('SELECT closing_at FROM hold'), [{ closing_at: 1 }])
  })

  t.test('a folder of somebody else is not taken back for a run that nobody waits for', async (t) => {
    const { db, folder, hold } = makeStand(t)
    const id = await park(hold, folder, [unknown(X)])
    for (const table of ['recipient', 'hold']) db.run(`DELETE FROM ${table}`)
    const { message, envelope } = await spoolHeld(folder, [unknown(X)])
    const failure = await failureOf(() =>
      hold.park(message.folder(), envelope, () => {
        throw new Failure('test', 'nobody waits')
      }),
    )
    t.equal(failure.message, 'test: nobody waits')
    t.ok(folder.has(id))
  })

  t.test('a folder that has gone meanwhile is published again, with all who wait', async (t) => {
    const { folder, hold } = makeStand(t)
    const id = await park(hold, folder, [unknown(X)])
    const { message, envelope } = await spoolHeld(folder, [unknown(Y)], { heldAt: 1200 })
    rmSync(folder.path(id), { recursive: true })
    t.equal(hold.park(message.folder(), envelope), true)
    t.ok(folder.has(id))
    const { heldAt, recipients } = folder.read(id)
    t.strictSame([heldAt, recipients], [1000, [unknown(X), unknown(Y)]])
  })

  t.test('nobody waits for it any more, once the database is ours', async (t) => {
    const { db, folder, hold } = makeStand(t)
    const gone = (): void => {
      throw new Failure('settle', 'gone')
    }
    const first = await spoolHeld(folder, [unknown(X)])
    const refusal = await failureOf(() => hold.park(first.message.folder(), first.envelope, gone))
    t.equal(refusal.message, 'settle: gone')
    t.strictSame(folder.ids(), [], 'its folder is taken back')
    t.strictSame(db.all('SELECT * FROM hold'), [])

    const id = await park(hold, folder, [unknown(X)])
    const joining = await spoolHeld(folder, [unknown(Y)])
    await failureOf(() => hold.park(joining.message.folder(), joining.envelope, gone))
    t.ok(folder.has(id), 'a folder of another run stays')
    folder.remove(id)
    const anew = await spoolHeld(folder, [unknown(Y)])
    await failureOf(() => hold.park(anew.message.folder(), anew.envelope, gone))
    t.notOk(folder.isThere(id), 'and one that is gone is not published')
    t.strictSame([...hold.states(id)], [[X, 'held']], 'nobody has joined')
  })

  t.test('nobody reads between that question and the rows', async (t) => {
    const { db, folder, hold } = makeStand(t)
    const [{ file }] = db.all<{ file: string }>('PRAGMA database_list') as [{ file: string }]
    const late = openForReading(file, { busySeconds: 0 })
    t.teardown(() => late.close())
    const look = (): boolean => late.get('SELECT 1 FROM hold') !== undefined
    t.equal(look(), false)
    const { message, envelope } = await spoolHeld(folder, [unknown(X)])
    let barred: Failure | undefined
    hold.park(message.folder(), envelope, () => {
      barred = t.throws(look) as Failure
    })
    t.match(barred?.message, /database is locked/)
    t.equal(look(), true)
  })

  t.test('when the folder cannot be made or rewritten there are no rows', async (t) => {
    const { folder, hold } = makeStand(t)
    const { message, envelope } = await spoolHeld(folder, [unknown(X)])
    const restore = replaceFs(t, 'fsyncSync', () => () => {
      throw systemError('EIO', 'i/o error')
    })
    const failure = await failureOf(() => hold.park(message.folder(), envelope)).finally(restore)
    t.equal(failure.status, 75)
    t.equal(hold.standing(envelope.id), 'unknown')

    const id = await park(hold, folder, [unknown(X)])
    const joining = await spoolHeld(folder, [unknown(Y)])
    const again = replaceFs(t, 'writeSync', () => () => {
      throw systemError('ENOSPC', 'no space left on device')
    })
    const full = await failureOf(() => hold.park(joining.message.folder(), joining.envelope)).finally(again)
    t.match(full.message, 'no space left on device (ENOSPC)')
    t.strictSame([...hold.states(id).keys()], [X])
    t.strictSame(folder.read(id).recipients, [unknown(X)])
  })

  t.test('rows that cannot be written leave no folder, and the retry parks it', async (t) => {
    const { db, folder, hold, other } = makeStand(t)
    const { message, envelope } = await spoolHeld(folder, [unknown(X)])
    db.run("CREATE TRIGGER full BEFORE INSERT ON recipient BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    const failure = await failureOf(() => hold.park(message.folder(), envelope))
    t.equal(failure.status, 75)
    t.equal(hold.standing(envelope.id), 'unknown')
    t.strictSame(folder.ids(), [])
    db.run('DROP TRIGGER full')
    t.equal(await park(other, folder, [unknown(X)]), envelope.id)
    t.strictSame(hold.states(envelope.id), new Map([[X, 'held']]))
  })

  t.test('a database that stays locked leaves nothing', async (t) => {
    const { db, folder, hold, other } = makeStand(t)
    other.waitAtMost(0)
    const { message, envelope } = await spoolHeld(folder, [unknown(X)])
    for (const lock of ['immediate', 'exclusive'] as const) {
      const failures: Promise<Failure>[] = []
      db.transaction(() => failures.push(failureOf(() => other.park(message.folder(), envelope))), lock)
      const [failure] = await Promise.all(failures)
      t.match(failure?.line, /database is locked/)
      t.equal(failure?.status, 75)
    }
    t.strictSame(folder.ids(), [])
    t.equal(hold.standing(envelope.id), 'unknown')
  })

  t.test('a folder that somebody else waits in by then is not taken back', async (t) => {
    const { db, folder, hold, other } = makeStand(t)
    const { message, envelope } = await spoolHeld(folder, [unknown(X)])
    // As if the lock were lost between the failure and the taking back.
    const failing = Object.assign(Object.create(folder) as HoldFolder, {
      rewrite: () => {
        throw systemError('EIO', 'i/o error')
      },
      remove: () => t.fail('it is taken back'),
    })
    await park(other, folder, [unknown(Y)])
    rmSync(folder.messagePath(envelope.id))
    await failureOf(() => new HoldUpkeep(db, failing).park(message.folder(), envelope))
    t.ok(folder.isThere(envelope.id))
    t.strictSame([...hold.states(envelope.id).keys()], [Y])
  })
})

t.test('restoreMessage: for those who wait, and for nobody else', async (t) => {
  const { folder, hold, other } = makeStand(t)
  const id = await park(hold, folder, [unknown(X), unknown(Y)])
  hold.settle(id, [Y], 'rejected', MARIE)
  rmSync(folder.path(id), { recursive: true })
  const { message } = await spoolHeld(folder, [unknown(X)])
  t.equal(other.restoreMessage(message.folder(), id), true)
  t.ok(folder.has(id))
  t.strictSame(folder.read(id).recipients, [unknown(X)], 'who is settled is not named')
  hold.settle(id, [X], 'rejected', MARIE)
  hold.removeSettled(id)
  const late = await spoolHeld(folder, [unknown(X)])
  t.equal(other.restoreMessage(late.message.folder(), id), false)
  t.notOk(folder.isThere(id), 'what is settled needs no bytes')
})

t.test(
  'what a release is about to do, and what has become of it, is durable in the folder too',
  async (t) => {
    const { folder, hold } = makeStand(t)
    const id = await park(hold, folder, [unknown(X), unknown(Y), unknown('z@new.test')])
    const name = (path: string): string => path.replace(folder.root, 'hold')
    const synced = (work: () => unknown): Promise<string[]> => syncOrder(t, name, work)
    const moves = `fsync hold/${id}/moves.jsonl`
    t.strictSame(await synced(() => hold.claim(id, [X], false, MARIE)), [moves, `fsync hold/${id}`])
    t.strictSame([...folder.moves(id).values()], [{ address: X, state: 'releasing', queueId: '', ...MARIE }])
    t.strictSame(await synced(() => hold.claim(id, [Y, 'z@new.test'], false, MARIE)), [moves])
    t.strictSame(await synced(() => hold.settleReleased(id, [X], 'Q1', MARIE)), [moves])
    t.strictSame(await synced(() => hold.unclaim(id, [Y, 'z@new.test'], 'later', MARIE)), [moves])
    t.strictSame(await synced(() => hold.settle(id, [Y], 'rejected', MARIE)), [moves])
    t.strictSame(
      [...folder.moves(id).values()].map(({ address, state, queueId }) =>
        `${address} ${state} ${queueId}`.trim(),
      ),
      [`${X} released Q1`, `${Y} rejected`, 'z@new.test held'],
    )
    t.strictSame(
      await synced(() => hold.claim(id, [X, Y], false, MARIE)),
      [],
      'nobody is claimed, and none noted',
    )
  },
)

t.test('waitAtMost: a locked database is waited for no longer', async (t) => {
  const { folder, hold, other } = makeStand(t)
  const id = await park(hold, folder, [unknown(X)])
  const { message, envelope } = await spoolHeld(folder, [unknown(Y)])
  hold.waitAtMost(0)
  other.park(message.folder(), envelope, () => {
    const began = performance.now()
    t.throws(() => hold.recordPassed(id, ['late@known.test'], 'Q1', 1), /locked/)
    t.ok(performance.now() - began < 2500, 'half of what it was opened with')
  })
  t.equal(hold.states(id).has('late@known.test'), false)
})

t.test('claim is compare-and-set', async (t) => {
  t.test('of two connections one gets each recipient', async (t) => {
    const { folder, hold, other } = makeStand(t)
    const id = await park(hold, folder, [unknown(X), refused(Y)])
    t.strictSame(hold.claim(id, [X], false, MARIE), [X])
    t.strictSame(other.claim(id, [X, Y, 'never@new.test'], false, PAUL), [Y])
    t.strictSame(hold.claim(id, [X, Y], false, MARIE), [])
    t.strictSame(await recipients(hold, id), [
      'x@new.test releasing marie 2000',
      'y@new.test releasing paul 3000 550 5.1.1 no such user',
    ])
    t.strictSame(hold.claim('000000000000', [X], true, MARIE), [])
  })

  t.test('what was cut off may be claimed again, but not before it is surely dead', async (t) => {
    const { folder, hold, other } = makeStand(t)
    const id = await park(hold, folder, [unknown(X)])
    hold.claim(id, [X], false, MARIE)
    const dead = MARIE.at + RELEASE_ABANDONED_MS
    t.strictSame(other.claim(id, [X], true, { who: 'paul', at: dead - 1 }), [])
    t.strictSame(other.claim(id, [X], false, { who: 'paul', at: dead }), [], 'nor unasked')
    t.strictSame(other.claim(id, [X], true, { who: 'paul', at: dead }), [X])
    t.strictSame(hold.claim(id, [X], true, { who: 'marie', at: dead + 1 }), [], "it is paul's now")
  })

  t.test('what is settled is never claimed', async (t) => {
    const { folder, hold } = makeStand(t)
    const id = await park(hold, folder, [unknown(X), unknown(Y)])
    hold.settle(id, [X], 'rejected', MARIE)
    hold.recordPassed(id, ['z@known.test'], 'Q2', 1500)
    hold.claim(id, [Y], false, MARIE)
    hold.settleReleased(id, [Y], 'Q3', MARIE)
    const late = { who: 'paul', at: MARIE.at + 2 * RELEASE_ABANDONED_MS }
    t.strictSame(hold.claim(id, [X, Y, 'z@known.test'], true, late), [])
  })
})

t.test('unclaim gives back what it was, with the reason', async (t) => {
  const { db, folder, hold } = makeStand(t)
  const id = await park(hold, folder, [unknown(X), refused(Y), unknown('z@new.test')])
  hold.claim(id, [X, Y], false, MARIE)
  hold.unclaim(id, [X, Y, 'z@new.test'], '450 4.2.0 busy', MARIE)
  t.strictSame(await recipients(hold, id), [
    'x@new.test held marie 2000 450 4.2.0 busy',
    'y@new.test refused marie 2000 450 4.2.0 busy',
    'z@new.test held toeh-filter 1000',
  ])
  t.strictSame(hold.claim(id, [X, Y], false, MARIE), [X, Y], 'and it may be claimed again')
  t.strictSame(deeds(db), [])
})

t.test('a claim that somebody else has taken over is not given back', async (t) => {
  const { folder, hold, other } = makeStand(t)
  const id = await park(hold, folder, [unknown(X), unknown(Y)])
  const later = { who: 'paul', at: MARIE.at + RELEASE_ABANDONED_MS }
  hold.claim(id, [X, Y], false, MARIE)
  t.strictSame(other.claim(id, [X], true, later), [X])
  hold.unclaim(id, [X, Y], 'too late', MARIE)
  t.strictSame(await recipients(hold, id), [
    `x@new.test releasing paul ${later.at}`,
    'y@new.test held marie 2000 too late',
  ])
  t.equal(folder.moves(id).get(X)?.state, 'releasing')
  other.unclaim(id, [X], 'later', { ...later, at: later.at + 1 })
  t.match(await recipients(hold, id), [/^x@new\.test releasing paul/, /./], 'nor one of his that is newer')
})

t.test('a doubt is noted and leaves the claim', async (t) => {
  const { folder, hold } = makeStand(t)
  const id = await park(hold, folder, [unknown(X)])
  hold.claim(id, [X], false, MARIE)
  hold.noteDoubt(id, [X], 'it may have been sent')
  t.strictSame(await recipients(hold, id), ['x@new.test releasing marie 2000 it may have been sent'])
  t.equal(hold.standing(id), 'waiting', 'and its bytes stay')
})

t.test('settleReleased: only from releasing, with the queue id, in the audit', async (t) => {
  const { db, folder, hold } = makeStand(t)
  const id = await park(hold, folder, [unknown(X), unknown(Y)])
  hold.claim(id, [X], false, MARIE)
  hold.settleReleased(id, [X, Y], 'Q7', MARIE)
  t.strictSame(await recipients(hold, id), [
    'x@new.test released marie 2000  Q7',
    'y@new.test held toeh-filter 1000',
  ])
  t.strictSame(deeds(db), [`marie|2000|released|${id} ${X}|releasing|Q7`])
})

t.test('settle: held and refused, each once; releasing only when asked to', async (t) => {
  const { db, folder, hold, other } = makeStand(t)
  const id = await park(hold, folder, [unknown(X), refused(Y), unknown('z@new.test')])
  hold.claim(id, ['z@new.test'], false, MARIE)
  t.strictSame(hold.settle(id, [X, Y, 'z@new.test', 'never@new.test'], 'rejected', PAUL), [X, Y])
  t.strictSame(other.settle(id, [X, Y], 'expired', MARIE, true), [], 'once')
  t.strictSame(other.settle(id, ['z@new.test'], 'rejected', PAUL, true), [], 'it may be on its way')
  const later = { who: 'paul', at: MARIE.at + RELEASE_ABANDONED_MS }
  t.strictSame(other.settle(id, ['z@new.test'], 'rejected', later), [], 'not unasked')
  t.strictSame(other.settle(id, ['z@new.test'], 'rejected', later, true), ['z@new.test'])
  t.strictSame(deeds(db), [
    `paul|3000|rejected|${id} ${X}|held|rejected`,
    `paul|3000|rejected|${id} ${Y}|refused|rejected`,
    `paul|${later.at}|rejected|${id} z@new.test|releasing|rejected`,
  ])
  t.equal(hold.standing(id), 'settled')
  hold.settleReleased(id, ['z@new.test'], 'Q9', MARIE)
  t.match(
    (await recipients(hold, id))[2],
    `z@new.test rejected paul ${later.at}`,
    'a late release does not undo it',
  )
})

t.test('all or none of a settlement', async (t) => {
  const { db, folder, hold } = makeStand(t)
  const id = await park(hold, folder, [unknown(X), unknown(Y)])
  db.run(`CREATE TRIGGER full BEFORE INSERT ON audit WHEN NEW.subject LIKE '%${Y}'
          BEGIN SELECT RAISE(ABORT, 'disk full'); END`)
  await failureOf(() => hold.settle(id, [X, Y], 'rejected', MARIE))
  t.strictSame(
    hold.states(id),
    new Map([
      [X, 'held'],
      [Y, 'held'],
    ]),
  )
  t.strictSame(deeds(db), [])
})

t.test('removeSettled keeps the bytes while one waits, and the rows for good', async (t) => {
  const { folder, hold } = makeStand(t)
  const id = await park(hold, folder, [unknown(X), refused(Y), unknown('z@new.test')])
  hold.settle(id, [X], 'rejected', MARIE)
  hold.claim(id, ['z@new.test'], false, MARIE)
  hold.removeSettled(id)
  t.ok(folder.has(id), 'refused and releasing wait too')
  hold.settleReleased(id, ['z@new.test'], 'Q1', MARIE)
  hold.removeSettled(id)
  t.ok(folder.has(id))
  hold.settle(id, [Y], 'expired', MARIE)
  hold.removeSettled(id)
  t.notOk(existsSync(folder.path(id)))
  t.equal(hold.standing(id), 'settled')
  t.equal(hold.find(id).recipients.length, 3)
  hold.removeSettled(id)

  await park(hold, folder, [unknown('late@new.test')])
  t.ok(folder.has(id), 'a later recipient of the same message brings its bytes again')
  t.strictSame(folder.read(id).recipients, [unknown('late@new.test')])
  t.strictSame(JSON.parse(readFileSync(`${folder.path(id)}/envelope.json`, 'utf8')).id, id)
})

t.test('recordPassed keeps a retry from sending again, and never hides one who waits', async (t) => {
  const { db, folder, hold } = makeStand(t)
  const id = await park(hold, folder, [unknown(X)])
  hold.recordPassed(id, ['k@known.test', X], 'Q5', 1700)
  t.strictSame(await recipients(hold, id), [
    'k@known.test passed toeh-filter 1700  Q5',
    'x@new.test held toeh-filter 1000',
  ])
  hold.recordPassed(id, ['k@known.test'], 'Q6', 1800)
  t.match((await recipients(hold, id))[0], 'passed toeh-filter 1700  Q5')
  t.match(hold.find(id).recipients[0], { reason: 'known', detail: '' })
  t.strictSame(deeds(db), [])
  hold.settle(id, [X], 'rejected', MARIE)
  t.equal(hold.standing(id), 'settled', 'one who has passed waits for nobody')
  const failure = await failureOf(() => hold.recordPassed('000000000000', [X], 'Q1', 1))
  t.match(failure.message, 'FOREIGN KEY constraint failed')
})

t.test('unnotified and recordNotified', async (t) => {
  const { folder, hold } = makeStand(t)
  const one = await park(hold, folder, [unknown(X)], { queueId: 'ONE1' })
  const two = await park(hold, folder, [refused(Y)], { queueId: 'TWO2', heldAt: 1100 })
  const going = await park(hold, folder, [unknown(X)], { queueId: 'GOES', heldAt: 1200 })
  hold.claim(going, [X], false, MARIE)
  const ids = async (): Promise<string[]> => hold.unnotified().map(({ id }) => id)
  t.strictSame(await ids(), [one, two], 'of a release in flight there is nothing to tell')
  hold.recordNotified([hold.find(one)], 1500)
  t.strictSame(await ids(), [two])
  t.equal(hold.find(one).notifiedAt, 1500)
  hold.settle(two, [Y], 'rejected', MARIE)
  t.strictSame(await ids(), [])
})

t.test('claimNotice: one an interval for each sender, whoever asks', async (t) => {
  const { hold, other } = makeStand(t)
  t.equal(hold.claimNotice('anna@corp.test', 10_000, 5000), true)
  t.equal(other.claimNotice('anna@corp.test', 10_001, 5000), false)
  t.equal(other.claimNotice('bob@corp.test', 10_001, 5000), true)
  t.equal(other.claimNotice('anna@corp.test', 14_999, 5000), false)
  t.equal(other.claimNotice('anna@corp.test', 15_000, 5000), true)
  t.equal(hold.claimNotice('anna@corp.test', 15_001, 5000), false, 'counted from the last one')
  t.equal(hold.claimNotice('anna@corp.test', 15_001, 0), true, 'an interval of none')
})

t.test(
  'restore: a rejection is taken back while others wait, that one alone, and the folder knows it',
  async (t) => {
    const { db, folder, hold } = makeStand(t)
    const id = await park(hold, folder, [unknown(X), refused(Y), unknown(Z)])
    const again = { who: 'paul', at: MARIE.at + 5 }
    await hold.settle(id, [X, Y], 'rejected', MARIE)
    t.equal(hold.isRestorable(id, X, again), false, 'another rejection')
    t.equal(hold.restore(id, X, again, again), false)
    t.equal(hold.isRestorable(id, Z, MARIE), false, 'it was never rejected')
    t.equal(hold.restore(id, X, MARIE, again), true)
    t.equal(hold.restore(id, X, MARIE, again), false, 'once')
    t.equal(hold.restore(id, Y, MARIE, again), true)
    t.strictSame(
      (await hold.find(id)).recipients.map(({ address, state }) => `${address} ${state}`).sort(),
      [`${X} held`, `${Y} refused`, `${Z} held`].sort(),
      'as it was before',
    )
    t.equal(folder.moves(id).get(X)?.state, 'held')
    t.strictSame(
      folder
        .read(id)
        .recipients.map(({ address }) => address)
        .sort(),
      [X, Y, Z].sort(),
    )
    t.match(await hold.load(), { messages: 1, recipients: 3 })
    t.match(deeds(db).slice(-2), [`paul|${again.at}|restored|${id} ${X}|rejected|held`, /restored/])
    await hold.settle(id, [X, Y, Z], 'rejected', MARIE)
    t.equal(hold.restore(id, X, MARIE, again), false, 'nobody waits: its bytes may go at any moment')
  },
)
