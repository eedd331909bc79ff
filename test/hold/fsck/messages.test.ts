/** What fsck sees of each message: what it looks at twice, what it leaves to a run that lives, and what only people can do. */
import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { longestRun } from '../../../lib/config.js'
import type { Database } from '../../../lib/database/database.js'
import type { HoldFolder } from '../../../lib/hold/folder.js'
import type { FsckOptions } from '../../../lib/hold/fsck/context.js'
import { MessageCheck } from '../../../lib/hold/fsck/messages.js'
import { RELEASE_ABANDONED_MS } from '../../../lib/hold/heldmail.js'
import { MendableHold } from '../../../lib/hold/repair.js'
import { fsckContext } from '../../support/fsck.js'
import { park, unknown } from '../../support/held.js'
import { type Lab, makeLab } from '../../support/lab.js'

const EVE = 'eve@unknown.test'
const MALLORY = 'mal@unknown.test'
const NOW = Date.UTC(2026, 10, 24, 12)

interface Held {
  lab: Lab
  db: Database
  folder: HoldFolder
  hold: MendableHold
  id: string
  /** Looks at all, and tells what it found, and how many messages were read. */
  look: (options?: Partial<FsckOptions>, at?: number) => Promise<{ found: string[]; checked: number }>
  /** How old the folder is, in milliseconds before NOW. */
  age: (milliseconds: number) => void
}

async function makeHeld(t: Test): Promise<Held> {
  const lab = makeLab(t)
  const { db, hold, folder } = lab.stores()
  t.teardown(() => db.close())
  const id = await park(hold, folder, [unknown(EVE), unknown(MALLORY)])
  const mendable = new MendableHold(db, folder)
  const age = (milliseconds: number): void => {
    const seconds = (NOW - milliseconds) / 1000
    utimesSync(folder.path(id), seconds, seconds)
  }
  age(86_400_000)
  const look = async (options = {}, at = NOW): ReturnType<Held['look']> => {
    const context = fsckContext(lab, options, at)
    const check = new MessageCheck(context, mendable)
    await check.run()
    const found = context.findings.list.map(
      ({ fault, why, what, repaired }) => `${fault}${repaired ? '!' : ''}: ${why} → ${what}`,
    )
    return { found, checked: check.checked }
  }
  return { lab, db, folder, hold: mendable, id, look, age }
}

t.test('a message in order is read once', async (t) => {
  const { look } = await makeHeld(t)
  t.strictSame(await look(), { found: [], checked: 1 })
})

t.test('what is in order the second time is not told', async (t) => {
  const { hold, folder, id, look } = await makeHeld(t)
  const path = folder.messagePath(id)
  renameSync(path, `${path}.away`)
  const { lookFor } = hold
  let times = 0
  hold.lookFor = function (this: MendableHold, one: string) {
    if (++times === 2) renameSync(`${path}.away`, path)
    return lookFor.call(this, one)
  }
  t.strictSame(await look(), { found: [], checked: 1 })
  t.equal(times, 2)
})

t.test('a folder without rows may belong to a run that lives', async (t) => {
  const { lab, db, look, age } = await makeHeld(t)
  db.run('DELETE FROM recipient')
  db.run('DELETE FROM hold')
  const { config } = fsckContext(lab)
  const most = longestRun(config) * 1000 + 60_000
  for (const [milliseconds, isOld] of [
    [0, false],
    [most - 1000, false],
    [1000 - most, false],
    [most, true],
    [-most, true],
  ] as const) {
    age(milliseconds)
    const { found } = await look()
    t.strictSame(
      found,
      isOld
        ? ['orphan: a folder without rows → Postfix may retry it; else toeh fsck --repair takes it in']
        : [],
      `${milliseconds} ms`,
    )
  }
})

t.test('a recipient that joins: the envelope comes before the rows', async (t) => {
  const { db, look, age } = await makeHeld(t)
  db.run('DELETE FROM recipient WHERE address = ?', EVE)
  age(1000)
  t.strictSame((await look({ repair: true })).found, [])
  age(86_400_000)
  t.strictSame((await look({ repair: true })).found, [
    `unlisted!: the folder has ${EVE}, the rows have not → taken in again: ${EVE}`,
  ])
  t.strictSame((await look()).found, [])
})

t.test('rows without folder', async (t) => {
  const { lab, folder, id, look } = await makeHeld(t)
  rmSync(folder.path(id), { recursive: true })
  const advice =
    'restore hold/ID from a copy of the hold; if it was settled after a backup that was restored, or is lost for good: toeh fsck --repair --settle-gone'
  const gone = `gone: 2 wait, and the folder with the bytes is gone → ${advice}`
  t.strictSame(await look({ repair: true }), { found: [gone], checked: 0 })
  t.strictSame((await look({ settleGone: true })).found, [gone], 'nothing without --repair')
  t.strictSame(lab.states(), [`${EVE} held`, `${MALLORY} held`])
  t.strictSame((await look({ repair: true, settleGone: true })).found, [
    `gone!: 2 wait, and the folder with the bytes is gone → rejected for ${EVE}, ${MALLORY}: nobody can say what became of them`,
  ])
  t.strictSame((await look()).found, [])
})

t.test('a release that was cut off, once it cannot live any more', async (t) => {
  const { db, id, look } = await makeHeld(t)
  const at = (since: number): unknown =>
    db.run(
      `UPDATE recipient SET state = 'releasing', changed_by = 'otto', changed_at = ? WHERE address = ?`,
      since,
      EVE,
    )
  at(NOW - RELEASE_ABANDONED_MS + 1)
  t.strictSame((await look({ repair: true })).found, [])
  at(NOW - RELEASE_ABANDONED_MS)
  const { found } = await look({ repair: true })
  t.equal(found.length, 1)
  t.match(found[0], `stuck: otto began to release it to ${EVE} at `)
  t.match(
    found[0],
    `look in the mail log whether it went out: if so toeh reject ${id} --again --quiet, else toeh release ${id} --again`,
  )
})

t.test('bytes of somebody who is settled', async (t) => {
  const { db, look } = await makeHeld(t)
  const hour = 3_600_000
  db.run(`UPDATE recipient SET state = 'rejected', changed_at = ?`, NOW - hour + 1)
  t.strictSame((await look()).found, [])
  db.run(`UPDATE recipient SET changed_at = ? WHERE address = ?`, NOW - 9 * hour, EVE)
  t.strictSame((await look()).found, [], 'the last of them counts')
  db.run('UPDATE recipient SET changed_at = ?', NOW - hour)
  t.strictSame((await look({ repair: true })).found, [
    'leftover: everybody in it is settled, its bytes are still there → toeh cleanup',
  ])
})

t.test('a name that is no id', async (t) => {
  const { lab, look } = await makeHeld(t)
  mkdirSync(join(lab.state, 'hold/lost+found'))
  writeFileSync(join(lab.state, 'hold/README'), '')
  const { found, checked } = await look({ repair: true })
  t.strictSame(
    found,
    Array.from({ length: 2 }, () => 'stray: it is no message of the hold → look what it is'),
  )
  t.equal(checked, 1, 'the others are looked at all the same')
})

t.test('bytes and envelope, each by itself', async (t) => {
  const { lab, folder, id, look } = await makeHeld(t)
  writeFileSync(folder.messagePath(id), 'other bytes')
  rmSync(join(folder.path(id), 'envelope.json'))
  const restore = `restore ${folder.messagePath(id)} from a copy of the hold, or toeh reject ${id}`
  const bytes = `bytes: they are not those that were held (SHA-256 differs) → ${restore}`
  const why = 'envelope.json: no such file or directory (ENOENT)'
  t.strictSame(await look(), {
    found: [bytes, `envelope: ${why} → toeh fsck --repair writes it anew from the rows`],
    checked: 2,
  })
  const { found } = await look({ repair: true })
  t.strictSame(found, [
    bytes,
    `envelope!: ${why} → written anew from the rows; the old one is kept beside it`,
  ])
  t.strictSame((await look()).found, [bytes])
  t.strictSame(lab.states(), [`${EVE} held`, `${MALLORY} held`])
})
