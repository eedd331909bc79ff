/** backup: a consistent copy beside running filters, checked, published whole, refusing what it must not overwrite. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { newestBackup, takeBackup } from '../lib/backup.js'
import { databasePath, examineDatabase, openForReading, readBackup } from '../lib/database.js'
import { failureOf, replaceFs, syncOrder, systemError } from './support/failing.js'
import { makeLab } from './support/lab.js'
import { makeSink } from './support/sink.js'

const EVE = 'eve@unknown.test'
const QUICK = { busySeconds: 5 }

t.test("the copy has what the database has, is a backup, and is nobody else's to read", async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const id = await lab.park([EVE])
  const before = lab.databaseDigest()
  const file = join(lab.dir, 'backup.db')
  const outcome = await lab.toeh('backup', file)
  t.strictSame(outcome, {
    code: 0,
    signal: null,
    stdout: `${file}: 1 rules, 1 messages, checked\n`,
    stderr: '',
  })
  t.equal(lab.databaseDigest(), before)
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.strictSame(examineDatabase(file, QUICK), { condition: 'whole', details: [] })
  const copy = openForReading(file, QUICK)
  t.match(copy.all('SELECT id FROM hold'), [{ id }])
  copy.close()
  t.equal(newestBackup(lab.state, undefined)?.path, file)
  t.notOk(
    readdirSync(lab.dir).some((name) => name.startsWith('.')),
    'no temporary is left',
  )
})

t.test('only a backup of ours is replaced', async (t) => {
  const lab = makeLab(t)
  const file = join(lab.dir, 'backup.db')
  await takeBackup(lab.state, file, 1000, QUICK)
  t.equal(readBackup(file)?.at, 1000)
  await takeBackup(lab.state, file, 2000, QUICK)
  t.equal(readBackup(file)?.at, 2000)
  const other = makeLab(t)
  writeFileSync(join(lab.dir, 'letter.txt'), 'dear')
  const refused = 'it exists and is no backup of ours; name another file, or a folder'
  for (const [target, why] of [
    [join(lab.dir, 'letter.txt'), refused],
    [databasePath(other.state), refused],
    [databasePath(lab.state), 'it is the database itself; name another file, or a folder'],
  ] as const) {
    const before = readFileSync(target)
    const failure = await failureOf(() => takeBackup(lab.state, target, 3000, QUICK))
    t.equal(failure.line, `backup ${target}: ${why}`)
    t.ok(readFileSync(target).equals(before))
  }
  const nowhere = await failureOf(() => takeBackup(lab.state, '/dev/null/x', 1, QUICK))
  t.match(nowhere.message, /^backup \/dev\/null\/x: /)
})

t.test('a damaged database makes no backup, and the last one stays', async (t) => {
  const lab = makeLab(t)
  for (let i = 0; i < 40; i++) await lab.allow(`known-${i}.test`)
  const file = join(lab.dir, 'backup.db')
  await takeBackup(lab.state, file, 1000, QUICK)
  const bytes = readFileSync(databasePath(lab.state))
  bytes.fill(0x5a, 8192)
  writeFileSync(databasePath(lab.state), bytes)
  const failure = await failureOf(() => takeBackup(lab.state, file, 2000, QUICK))
  t.match(failure.message, /malformed|damaged/)
  t.equal(readBackup(file)?.at, 1000)
  t.notOk(
    readdirSync(lab.dir).some((name) => name.startsWith('.')),
    'no temporary is left',
  )
})

t.test('a copy with fewer rows than the database is no backup', async (t) => {
  for (const table of ['rule', 'recipient', 'audit']) {
    const lab = makeLab(t)
    await lab.allow('known.test', 'other.test')
    await lab.park([EVE, 'mal@unknown.test'])
    lab.change('DELETE FROM progress')
    const file = join(lab.dir, 'backup.db')
    await takeBackup(lab.state, file, 1000, QUICK)
    const rows = readBackup(file)?.rows
    t.ok((rows?.[table] ?? 0) > 1, table)
    // The mark that a copy is given takes one of its rows away: as good as a copying that has left one out.
    const last = `(SELECT max(${table === 'recipient' ? 'address' : 'id'}) FROM ${table})`
    const where = `${table === 'recipient' ? 'address' : 'id'} = ${last}`
    lab.change(`CREATE TRIGGER thief AFTER INSERT ON progress BEGIN DELETE FROM ${table} WHERE ${where}; END`)
    const failure = await failureOf(() => takeBackup(lab.state, file, 2000, QUICK))
    t.equal(
      failure.line.replace(/\S+: the copy/, 'FILE: the copy'),
      `backup FILE: the copy is not whole: rows of ${table} are missing; toeh fsck looks at the database itself`,
    )
    t.equal(readBackup(file)?.at, 1000, 'the last one stays')
    t.strictSame(readBackup(file)?.rows, rows)
    t.notOk(
      readdirSync(lab.dir).some((name) => name.startsWith('.')),
      'no temporary is left',
    )
  }
})

t.test('its bytes are on the disk before its name is', async (t) => {
  const lab = makeLab(t)
  const file = join(lab.dir, 'backup.db')
  const name = (path: string): string =>
    path.replace(lab.dir, 'DIR').replace(/\.backup\.db-[0-9a-f]{12}$/, 'DRAFT')
  for (const at of [1000, 2000])
    t.strictSame((await syncOrder(t, name, () => takeBackup(lab.state, file, at, QUICK))).slice(0, 3), [
      'fsync DIR/DRAFT',
      'rename DIR/DRAFT DIR/backup.db',
      'fsync DIR',
    ])
  for (const call of ['fsyncSync', 'renameSync'] as const) {
    const restore = replaceFs(t, call, () => () => {
      throw systemError('EIO', 'i/o error')
    })
    const failure = await failureOf(() => takeBackup(lab.state, file, 3000, QUICK)).finally(restore)
    t.equal(failure.message, `backup ${file}: i/o error (EIO)`)
    t.equal(readBackup(file)?.at, 2000, call)
    t.notOk(readdirSync(lab.dir).some((name) => name.startsWith('.')))
  }
})

t.test('in a folder each has its date, and --keep thins them out', async (t) => {
  const lab = makeLab(t)
  const folder = join(lab.dir, 'backups')
  mkdirSync(folder)
  for (const day of [1, 2, 3]) await takeBackup(lab.state, folder, Date.UTC(2026, 0, day), QUICK)
  writeFileSync(join(folder, 'toeh-20250101T000000Z.db'), 'a file of somebody else')
  writeFileSync(join(folder, 'notes'), '')
  t.match(await lab.toeh('backup', folder, '--keep', '2'), {
    code: 0,
    stdout: /20260102T000000Z\.db: removed\n.*20260101T000000Z\.db: removed\n$/,
  })
  t.match(readdirSync(folder).sort(), [
    'notes',
    'toeh-20250101T000000Z.db',
    'toeh-20260103T000000Z.db',
    /^toeh-\d{8}T\d{6}Z\.db$/,
  ])
  t.match(await lab.toeh('backup', folder, '--keep', '0'), { code: 2 })
})

t.test('beside filters: none of them fails, and every copy is whole', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  let over = false
  const filters = (async () => {
    for (let round = 0; round < 6; round++) {
      const outcomes = await Promise.all(
        [0, 1, 2].map((one) =>
          lab.filter({ recipients: [EVE, 'c@known.test'], queueId: `RUN${round}000${one}` }),
        ),
      )
      t.strictSame(
        outcomes.map(({ code }) => code),
        [0, 0, 0],
      )
    }
    over = true
  })()
  let taken = 0
  for (; !over; taken++) {
    const { path } = await takeBackup(lab.state, join(lab.dir, 'backup.db'), taken + 1, QUICK)
    const copy = openForReading(path, QUICK)
    const [row] = copy.all<{ n: number }>(
      'SELECT count(*) AS n FROM hold WHERE id NOT IN (SELECT hold FROM recipient)',
    )
    t.equal(row?.n, 0, 'no half of a transaction')
    copy.close()
    await new Promise((done) => setTimeout(done, 20))
  }
  await filters
  t.ok(taken > 5, `${taken} copies`)
  t.equal(sink.mails.length, 18)
})
