/** Mending: rows follow what folders know, what is taken in again waits, and nobody is settled who has bytes. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Database } from '../../lib/database/database.js'
import type { HoldFolder, Move } from '../../lib/hold/folder.js'
import { isAhead, MendableHold, movesOf } from '../../lib/hold/repair.js'
import { failureOf } from '../support/failing.js'
import { park, refused, unknown } from '../support/held.js'
import { type Lab, makeLab } from '../support/lab.js'

const EVE = 'eve@unknown.test'
const MALLORY = 'mal@unknown.test'
const LATE = 'late@unknown.test'
const ACTOR = { who: 'marie', at: 1_000_000 }
const DAY_MS = 86_400_000

interface Held {
  lab: Lab
  db: Database
  hold: MendableHold
  folder: HoldFolder
  id: string
}

async function makeHeld(t: Test): Promise<Held> {
  const lab = makeLab(t)
  const { db, hold, folder } = lab.stores()
  t.teardown(() => db.close())
  const id = await park(hold, folder, [unknown(EVE), refused(MALLORY)])
  return { lab, db, hold: new MendableHold(db, folder), folder, id }
}

function forget(db: Database): void {
  db.run('DELETE FROM recipient')
  db.run('DELETE FROM hold')
}

function move(address: string, state: string, more: Partial<Move> = {}): Move {
  return { address, state, queueId: 'NEW1', who: 'otto', at: 500, ...more } as Move
}

function rows(db: Database): string[] {
  return db
    .all<Record<string, string>>('SELECT * FROM recipient ORDER BY address')
    .map((row) =>
      [row.address, row.state, row.reason, row.detail, row.queue_id, row.changed_by, row.changed_at].join(
        '|',
      ),
    )
}

function deeds(db: Database): string[] {
  return db
    .all<Record<string, string>>('SELECT * FROM audit ORDER BY id')
    .map(({ who, what, subject, was, now }) => `${who} ${what} ${subject}: ${was}>${now}`)
}

t.test('whether the folder knows more than the row', (t) => {
  const table: [folder: string, row: Parameters<typeof isAhead>[1], ahead: boolean][] = [
    ['held', 'held', false],
    ['releasing', 'held', true],
    ['releasing', 'refused', true],
    ['releasing', 'releasing', false],
    ['releasing', 'released', false],
    ['released', 'releasing', true],
    ['released', 'held', true],
    ['released', 'rejected', false],
    ['rejected', 'refused', true],
    ['expired', 'held', true],
    ['passed', 'held', true],
    ['passed', 'passed', false],
    ['nonsense', 'held', false],
  ]
  for (const [folder, row, ahead] of table)
    t.equal(isAhead({ state: folder }, row), ahead, `${folder} before ${row}`)
  t.end()
})

t.test('what the folder says comes before the decision log', async (t) => {
  const { folder, id } = await makeHeld(t)
  const logged = new Map([
    [EVE, move(EVE, 'passed')],
    [MALLORY, move(MALLORY, 'passed')],
  ])
  folder.recordMoves(id, [move(EVE, 'rejected')])
  const moves = movesOf(folder, id, logged)
  t.strictSame(
    [...moves].map(([address, { state }]) => `${address} ${state}`),
    [`${EVE} rejected`, `${MALLORY} passed`],
  )
  t.equal(movesOf(folder, id, undefined).size, 1)
})

t.test('which messages are looked at', async (t) => {
  const { db, hold, id } = await makeHeld(t)
  t.strictSame(await hold.ids(), [id])
  t.equal((await hold.lookFor(id))?.id, id)
  t.equal(await hold.lookFor('000000000000'), undefined)
  db.run(`UPDATE recipient SET state = 'rejected'`)
  t.strictSame(await hold.ids(), [], 'who is settled needs no folder')
  db.run('PRAGMA foreign_keys = OFF')
  db.run('DELETE FROM hold')
  t.strictSame(await hold.ids(), [id], 'but its row')
})

t.test('taken in again, as parked or as moved since', async (t) => {
  const { db, hold, folder, id } = await makeHeld(t)
  const envelope = folder.read(id)
  forget(db)
  const moves = new Map([MALLORY, LATE].map((address) => [address, move(address, 'passed')]))
  t.strictSame((await hold.adopt(envelope, moves, ACTOR)).sort(), [EVE, LATE, MALLORY])
  t.strictSame(rows(db), [
    `${EVE}|held|unknown|||marie|1000`,
    `${LATE}|passed|unknown||NEW1|otto|500`,
    `${MALLORY}|passed|refused|550 5.1.1 no such user|NEW1|otto|500`,
  ])
  t.match(await hold.find(id), {
    queueId: envelope.queueId,
    sender: envelope.sender,
    sha256: envelope.sha256,
    client: envelope.client,
    heldAt: envelope.heldAt,
    expiresAt: ACTOR.at + DAY_MS,
    notifiedAt: null,
  })
  t.strictSame(deeds(db).sort(), [
    `marie adopted ${id} ${EVE}: >held`,
    `marie adopted ${id} ${LATE}: >passed`,
    `marie adopted ${id} ${MALLORY}: >passed`,
  ])
  hold.recordNotified([await hold.find(id)], 7)
  t.strictSame(await hold.adopt(envelope, new Map(), ACTOR), [], 'rows that are there stay')
  t.equal((await hold.find(id)).notifiedAt, 7)
  t.equal(deeds(db).length, 3)
  db.run('DELETE FROM recipient WHERE address = ?', EVE)
  t.strictSame(await hold.adopt({ ...envelope, expiresAt: 9e12 }, new Map(), ACTOR), [EVE])
  t.match(await hold.find(id), { notifiedAt: null, expiresAt: ACTOR.at + DAY_MS }, 'people are told anew')
})

t.test('without bytes nobody is taken in', async (t) => {
  const { db, hold, folder, id } = await makeHeld(t)
  const envelope = folder.read(id)
  forget(db)
  rmSync(folder.messagePath(id))
  t.equal(
    (await failureOf(() => hold.adopt(envelope, new Map(), ACTOR))).message,
    `adopt ${id}: its bytes are gone`,
  )
  t.strictSame(rows(db), [])
})

t.test('rows follow, and never go back', async (t) => {
  const { db, hold, id } = await makeHeld(t)
  db.run(`UPDATE recipient SET state = 'rejected', changed_by = 'anna' WHERE address = ?`, MALLORY)
  const before = rows(db)
  const moves = new Map(
    [move(EVE, 'releasing', { queueId: '' }), move(MALLORY, 'releasing'), move(LATE, 'released')].map(
      (one) => [one.address, one],
    ),
  )
  t.strictSame(await hold.followMoves(id, moves, ACTOR), [EVE])
  t.strictSame(rows(db), [`${EVE}|releasing|unknown|||otto|500`, before[1]])
  t.strictSame(await hold.followMoves(id, moves, ACTOR), [], 'twice')
  t.strictSame(await hold.followMoves(id, new Map([[EVE, move(EVE, 'released')]]), ACTOR), [EVE])
  t.strictSame(deeds(db), [
    `marie followed ${id} ${EVE}: held>releasing`,
    `marie followed ${id} ${EVE}: releasing>released`,
  ])
})

t.test('the envelope, from the rows', async (t) => {
  const { db, hold, folder, id } = await makeHeld(t)
  const path = join(folder.path(id), 'envelope.json')
  const before = readFileSync(path, 'utf8')
  rmSync(path)
  await hold.restoreEnvelope(id, false)
  t.strictSame(JSON.parse(readFileSync(path, 'utf8')), JSON.parse(before))
  writeFileSync(path, 'half')
  await hold.restoreEnvelope(id, true)
  t.strictSame(folder.read(id), JSON.parse(before))
  const [aside = ''] = readdirSync(folder.path(id)).filter((name) => name.startsWith('.envelope-damaged-'))
  t.equal(readFileSync(join(folder.path(id), aside), 'utf8'), 'half', 'nothing is thrown away')
  db.run('DELETE FROM recipient WHERE address = ?', EVE)
  await hold.restoreEnvelope(id, false)
  t.strictSame(folder.read(id).recipients, [refused(MALLORY)])
})

t.test('who waits for bytes that are gone is rejected, and nobody else', async (t) => {
  const { db, hold, folder, id } = await makeHeld(t)
  db.run(`UPDATE recipient SET state = 'passed' WHERE address = ?`, MALLORY)
  t.strictSame(await hold.settleGone(id, ACTOR), [], 'its bytes are there')
  rmSync(folder.path(id), { recursive: true })
  const before = rows(db)
  t.strictSame(await hold.settleGone(id, ACTOR), [EVE])
  t.strictSame(rows(db), [
    `${EVE}|rejected|unknown|its bytes were gone: settled after a backup that was restored, or removed||marie|1000000`,
    before[1],
  ])
  t.strictSame(deeds(db), [`marie rejected ${id} ${EVE}: held>rejected`])
  t.strictSame(await hold.settleGone(id, ACTOR), [], 'twice')
  t.notOk(existsSync(folder.path(id)))
})
