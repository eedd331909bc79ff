/**
 * A crowd: twenty filters at once, each with an unknown recipient, through a real Postfix. The first twenty wait for the
 * same lock and get it in the same moment. None is put off.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { databasePath } from '../../lib/database/database.js'
import bettersqlite from '../../lib/system/bettersqlite.cjs'
import { MESSAGE } from '../support/lab.js'
import { Conversation, cannotRun, Postfix } from '../support/postfix.js'

const Sqlite = bettersqlite.load()

const AT_ONCE = 20
const ROUNDS = 2

t.test('twenty at once', { skip: cannotRun(), timeout: 120_000 }, async (t) => {
  const postfix = await Postfix.start(t, {
    // As long as the test may need to get twenty of them to the lock.
    settings: 'busy_seconds = 30\n',
    main: [
      `toeh_destination_concurrency_limit=${AT_ONCE}`,
      `toeh_initial_destination_concurrency=${AT_ONCE}`,
      // Whoever is put off comes back after the test has looked.
      'minimal_backoff_time=300s',
      'maximal_backoff_time=600s',
    ],
    breakService: (lines) => lines.replace(/^(toeh +unix(?: +\S+){4} +)\d+/m, `$1${AT_ONCE}`),
  })
  const connections = await Promise.all(
    Array.from({ length: AT_ONCE }, () => Conversation.open(postfix.submission)),
  )
  t.teardown(() => {
    for (const connection of connections) connection.close()
  })
  const began = Date.now()
  const lock = new Sqlite(databasePath(postfix.lab.state))
  t.teardown(() => lock.close())
  lock.exec('BEGIN IMMEDIATE')
  const ids = await Promise.all(
    connections.map(async (connection, place) => {
      await connection.say('EHLO pc.corp.test\r\n')
      const sent: string[] = []
      for (let round = 0; round < ROUNDS; round++)
        sent.push(await connection.send('anna@corp.test', [`x${place}@stranger.test`], MESSAGE))
      return sent
    }),
  )
  const queueIds = ids.flat()
  // What is to be parked is made ready before the lock is asked for.
  const isReady = (name: string): boolean =>
    existsSync(join(postfix.lab.state, 'hold/tmp', name, 'envelope.json'))
  await postfix.until('twenty at the lock', () => postfix.lab.temporaries().filter(isReady).length >= AT_ONCE)
  lock.exec('ROLLBACK')
  await postfix.until(
    'a verdict for each, or a deferral',
    () =>
      postfix.log().includes('status=deferred') ||
      postfix.log().split(' held 1 in ').length > queueIds.length,
  )
  t.comment(`${Math.round(queueIds.length / ((Date.now() - began) / 1000))} messages a second`)
  const log = postfix.log()
  t.strictSame(log.match(/.*status=(deferred|SOFTBOUNCE|bounced).*/g) ?? [], [], 'no deferral')
  t.strictSame(postfix.lab.held().length, queueIds.length, 'each is held')
  t.strictSame(
    postfix
      .decisions()
      .map(({ queueId }) => queueId)
      .sort(),
    queueIds.sort(),
    'each in one run',
  )
  t.strictSame((await postfix.settled()).length, 0, 'nothing went out')
})
