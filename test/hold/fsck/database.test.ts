/** What fsck does so that the database can be worked with, and what it says where that cannot be. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { loadConfig } from '../../../lib/config.js'
import { databasePath } from '../../../lib/database/database.js'
import { brokenKeys, openExamined } from '../../../lib/hold/fsck/database.js'
import { fsckContext, told } from '../../support/fsck.js'
import { park, unknown } from '../../support/held.js'
import { makeLab } from '../../support/lab.js'

const REBUILD = 'all mail is deferred meanwhile; toeh fsck --repair rebuilds it'

t.test('a whole one is opened, to be written only where something is to be repaired', async (t) => {
  const lab = makeLab(t)
  for (const repair of [false, true]) {
    const context = fsckContext(lab, { repair })
    const db = await openExamined(context)
    t.strictSame(told(context), [])
    const write = (): unknown => db?.run(`INSERT INTO progress (name, value) VALUES ('x', 'y')`)
    if (repair) t.equal(write(), 1)
    else t.throws(write)
    db?.close()
  }
})

t.test('what is lost is told, and left as it is', async (t) => {
  const lab = makeLab(t)
  const path = databasePath(lab.state)
  const table: [lose: () => void, why: RegExp][] = [
    [() => writeFileSync(path, ''), /^it is empty$/],
    [() => writeFileSync(path, 'x'.repeat(9000)), /^it is damaged: .*not a database/],
    [() => rmSync(path), /^it is missing$/],
  ]
  for (const [lose, why] of table) {
    lose()
    const before = lab.snapshot()
    const context = fsckContext(lab)
    t.equal(await openExamined(context), undefined)
    t.match(context.findings.list, [{ fault: 'database', at: path, why, what: REBUILD, repaired: false }])
    t.equal(context.findings.list.length, 1)
    t.strictSame(lab.snapshot(), before)
  }
  const context = fsckContext(lab, { repair: true })
  const db = await openExamined(context)
  t.match(context.findings.list, [
    { fault: 'database', why: 'it is missing', what: /^rebuilt without/, repaired: true },
  ])
  t.strictSame(db?.all('SELECT * FROM hold'), [])
  db?.close()
})

t.test('a writer was killed in the middle of a change', async (t) => {
  const lab = makeLab(t)
  const path = databasePath(lab.state)
  const writer = lab.openDatabase()
  const fill = (sentAt: number): void => {
    for (let at = 0; at < 2000; at++)
      writer.run('INSERT OR REPLACE INTO notice (sender, sent_at) VALUES (?, ?)', `x${at}@corp.test`, sentAt)
  }
  writer.transaction(() => fill(1))
  // No room in memory: pages of the database are written over before the end, and the journal has what they were.
  writer.run('PRAGMA cache_size = 2')
  writer.run('PRAGMA cache_spill = ON')
  writer.run('BEGIN IMMEDIATE')
  fill(999)
  const [database, journal] = [readFileSync(path), readFileSync(`${path}-journal`)]
  writer.run('ROLLBACK')
  writer.close()
  writeFileSync(path, database)
  writeFileSync(`${path}-journal`, journal)
  const damaged = readFileSync(path)
  const context = fsckContext(lab)
  t.equal(await openExamined(context), undefined, 'only a writer can roll it back')
  const why = 'a writer was killed in the middle of a change, and it has to be rolled back'
  const what = 'the next run of any command does it, and this one with --repair'
  t.strictSame(told(context), [`database ${path}: ${why} → ${what}`])
  t.ok(readFileSync(path).equals(damaged))
  const repairing = fsckContext(lab, { repair: true })
  const db = await openExamined(repairing)
  t.strictSame(told(repairing), [`database! ${path}: ${why} → ${what}`])
  t.strictSame(db?.all('SELECT DISTINCT sent_at FROM notice'), [{ sent_at: 1 }], 'as before that change')
  db?.close()
})

t.test('rows that name others which are not there', async (t) => {
  const lab = makeLab(t)
  const config = loadConfig(lab.config)
  const { db, hold, folder } = lab.stores()
  await park(hold, folder, [unknown('eve@unknown.test')])
  t.equal(brokenKeys(config), '')
  db.run('PRAGMA foreign_keys = OFF')
  db.run('DELETE FROM hold')
  db.close()
  t.match(brokenKeys(config), /recipient/)
})
