/** How a lost database is rebuilt: from the newest backup and the folders, with what was there kept beside it. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { takeBackup } from '../../../lib/database/backup.js'
import { readBackup } from '../../../lib/database/backupmark.js'
import { databasePath } from '../../../lib/database/database.js'
import { examineDatabase } from '../../../lib/database/examine.js'
import { describeCondition, rebuild } from '../../../lib/hold/fsck/rebuild.js'
import { failureOf, replaceFs, systemError } from '../../support/failing.js'
import { fsckContext } from '../../support/fsck.js'
import { park, unknown } from '../../support/held.js'
import { type Lab, makeLab } from '../../support/lab.js'

const EVE = 'eve@unknown.test'
const AT = Date.UTC(2026, 10, 24, 12, 0, 0, 7)
const ASIDE = 'toeh.db.damaged-2026-11-24T120000007Z'
const QUICK = { busySeconds: 0 }

/** One message that waits, and one rule. */
async function makeHeld(t: Test): Promise<{ lab: Lab; path: string; id: string }> {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const { db, hold, folder } = lab.stores()
  const id = await park(hold, folder, [unknown(EVE)])
  db.close()
  return { lab, path: databasePath(lab.state), id }
}

function files(lab: Lab): string[] {
  return (
    readdirSync(lab.state)
      .filter((name) => name.startsWith('toeh.db'))
      // SQLite leaves the journal there, empty.
      .filter((name) => name !== 'toeh.db-journal' || statSync(join(lab.state, name)).size > 0)
      .sort()
  )
}

t.test('what is wrong with one, in words', (t) => {
  t.equal(describeCondition({ condition: 'damaged', details: ['a', 'b'] }), 'it is damaged: a; b')
  t.equal(describeCondition({ condition: 'missing', details: [] }), 'it is missing')
  t.equal(describeCondition({ condition: 'empty', details: [] }), 'it is empty')
  t.equal(describeCondition({ condition: 'interrupted', details: [] }), 'interrupted')
  t.end()
})

t.test('without a backup, from the folders', async (t) => {
  const { lab, path, id } = await makeHeld(t)
  writeFileSync(path, 'lost')
  writeFileSync(`${path}-journal`, 'its journal')
  t.equal(
    await rebuild(fsckContext(lab, {}, AT), path),
    `rebuilt without a backup: no rule is known, 1 recipients from the folders; the old one is kept as ${ASIDE}; run toeh fsck again in a while`,
  )
  t.strictSame(files(lab), ['toeh.db', ASIDE, `${ASIDE}-journal`])
  t.equal(readFileSync(join(lab.state, ASIDE), 'utf8'), 'lost')
  t.equal(readFileSync(join(lab.state, `${ASIDE}-journal`), 'utf8'), 'its journal')
  t.strictSame(examineDatabase(path, QUICK), { condition: 'whole', details: [] })
  t.strictSame(lab.states(), [`${EVE} held`])
  t.strictSame(lab.query('SELECT who, what, subject FROM audit'), [
    { who: 'marie', what: 'adopted', subject: `${id} ${EVE}` },
  ])
})

t.test('from a backup, and from what was held since', async (t) => {
  const { lab, path } = await makeHeld(t)
  const backup = join(lab.dir, 'backup.db')
  await takeBackup(lab.state, backup, AT - 1000, { busySeconds: 5 })
  const { db, hold, folder } = lab.stores()
  await park(hold, folder, [unknown('late@unknown.test')], { queueId: 'LATE0001' })
  db.close()
  rmSync(path)
  const done = await rebuild(fsckContext(lab, { backup }, AT), path)
  t.match(
    done,
    new RegExp(`^rebuilt from the backup ${backup} of .*, 1 recipients from the folders; run toeh`),
  )
  t.strictSame(files(lab), ['toeh.db'], 'there was nothing to be kept')
  t.strictSame(lab.states(), [`${EVE} held`, 'late@unknown.test held'])
  t.strictSame(lab.query('SELECT value FROM rule'), [{ value: 'known.test' }])
  t.equal(readBackup(path), undefined, 'it is no backup any more')
  t.equal(readBackup(backup)?.at, AT - 1000, 'which that still is')
})

t.test('what fails changes nothing', async (t) => {
  const { lab, path } = await makeHeld(t)
  const backup = join(lab.dir, 'backup.db')
  await takeBackup(lab.state, backup, AT, { busySeconds: 5 })
  const whole = readFileSync(backup)
  writeFileSync(path, 'lost')
  const unchanged = (t: Test): void => {
    t.strictSame(files(lab), ['toeh.db'])
    t.equal(readFileSync(path, 'utf8'), 'lost')
  }
  await t.test('a backup that is damaged', async (t) => {
    writeFileSync(backup, Buffer.concat([whole.subarray(0, 8192), Buffer.alloc(whole.length - 8192, 0x5a)]))
    const failure = await failureOf(() => rebuild(fsckContext(lab, { backup }, AT), path))
    t.match(failure.line, /backup/)
    unchanged(t)
    writeFileSync(backup, whole)
  })
  await t.test('somebody else has put one there meanwhile', async (t) => {
    const restore = replaceFs(t, 'closeSync', (real) => (fd: number) => {
      // Whenever the draft of the new one is made.
      rmSync(path)
      writeFileSync(`${path}.new`, '')
      writeFileSync(path, 'theirs')
      rmSync(`${path}.new`)
      real(fd)
      restore()
    })
    const failure = await failureOf(() => rebuild(fsckContext(lab, { backup }, AT), path))
    t.equal(failure.message, `rebuild ${path}: somebody else has put another database there`)
    t.equal(readFileSync(path, 'utf8'), 'theirs')
    t.strictSame(files(lab), ['toeh.db'], 'and no draft is left')
    writeFileSync(path, 'lost')
  })
  await t.test('a disk that is full', async (t) => {
    replaceFs(t, 'fsyncSync', () => () => {
      throw systemError('ENOSPC', 'no space left on device')
    })
    const failure = await failureOf(() => rebuild(fsckContext(lab, { backup }, AT), path))
    t.match(failure.message, 'no space left on device (ENOSPC)')
    t.match(failure.message, basename(path))
    unchanged(t)
  })
  t.ok(existsSync(backup))
})
