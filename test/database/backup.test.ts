/** backup: a consistent copy beside running filters, checked, published whole, refusing what it must not overwrite. */
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { newestBackup, takeBackup, thinOut } from '../../lib/database/backup.js'
import { readBackup } from '../../lib/database/backupmark.js'
import { databasePath, openForReading } from '../../lib/database/database.js'
import { examineDatabase } from '../../lib/database/examine.js'
import bettersqlite from '../../lib/system/bettersqlite.cjs'
import { failureOf, replaceFs, syncOrder, systemError } from '../support/failing.js'
import { hotJournal } from '../support/hotjournal.js'
import { makeLab } from '../support/lab.js'
import { makeSink } from '../support/sink.js'

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

t.test('all that is wrong with a copy is told', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const thefts = ['rule', 'audit'].map((table) => `DELETE FROM ${table};`).join(' ')
  lab.change(`CREATE TRIGGER thief AFTER INSERT ON progress BEGIN ${thefts} END`)
  const failure = await failureOf(() => takeBackup(lab.state, join(lab.dir, 'backup.db'), 2000, QUICK))
  t.match(failure.message, /: the copy is not whole: rows of audit are missing; rows of rule are missing$/)
})

t.test('its bytes are on the disk before its name is', async (t) => {
  const lab = makeLab(t)
  const file = join(lab.dir, 'backup.db')
  const name = (path: string): string =>
    path.replace(lab.dir, 'DIR').replace(/\.backup\.db-\w{6}\/draft$/, 'DRAFT')
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

t.test(
  'what is left beside a backup: where it was put, for its owner alone, and nothing in hand',
  async (t) => {
    const lab = makeLab(t)
    const file = join(lab.dir, 'backup.db')
    const pointer = join(lab.state, 'last-backup')
    const open = (): number => readdirSync('/proc/self/fd').length
    const before = open()
    const { path, at, rows } = await takeBackup(lab.state, file, 1000, QUICK)
    t.equal(open(), before)
    t.strictSame([path, at, rows.hold], [file, 1000, 0])
    t.equal(readFileSync(pointer, 'utf8'), `${file}\n`)
    t.strictSame(
      [file, pointer].map((name) => statSync(name).mode & 0o777),
      [0o600, 0o600],
    )
    t.notOk(readdirSync(lab.state).includes('last-backup.new'))
    t.match(newestBackup(lab.state, undefined), { path: file, at: 1000, rows: { hold: 0 } })
    const locked = lab.openDatabase()
    locked.run('BEGIN EXCLUSIVE')
    await failureOf(() => takeBackup(lab.state, file, 2000, { busySeconds: 0 }))
    locked.run('ROLLBACK')
    locked.close()
    t.equal(open(), before, 'nor where it fails')
  },
)

t.test(
  'thinning out removes the dated backups of ours and nothing else, however like one it looks',
  async (t) => {
    const lab = makeLab(t)
    const folder = join(lab.dir, 'backups')
    mkdirSync(folder)
    const { path } = await takeBackup(lab.state, join(lab.dir, 'backup.db'), 1000, QUICK)
    const dated = ['20260101T000000Z', '20260102T000000Z', '20260103T000000Z'].map(
      (date) => `toeh-${date}.db`,
    )
    // Each of them is a backup by what is in it.
    const others = [
      'before-toeh-20250101T000000Z.db',
      'toeh-20250101T000000Z.db.kept',
      'toeh-20250101T000000Z-db',
      'toeh-20250101T000000Zxdb',
      'toeh-2025010T000000Z.db',
      'toeh-20250101t000000z.db',
      'toeh-2025-01-01.db',
    ]
    for (const name of [...dated, ...others]) copyFileSync(path, join(folder, name))
    // And this is none, under the name of one.
    writeFileSync(join(folder, 'toeh-20240101T000000Z.db'), 'a letter')
    t.strictSame(thinOut(folder, 3), [])
    t.strictSame(
      thinOut(folder, 1),
      [dated[1], dated[0]].map((name) => join(folder, name ?? '')),
    )
    t.strictSame(readdirSync(folder).sort(), [...others, dated[2], 'toeh-20240101T000000Z.db'].sort())
    t.strictSame(thinOut(folder, 0), [join(folder, dated[2] ?? '')])
  },
)

t.test('the newest backup: of a folder, a file, or of where the last one was put', async (t) => {
  const lab = makeLab(t)
  const newest = (named?: string): string | undefined => newestBackup(lab.state, named)?.path
  t.equal(newest(), undefined, 'none was ever taken')
  const folder = join(lab.dir, 'backups')
  mkdirSync(folder)
  const none = await failureOf(() => newest(folder))
  t.equal(none.message, `backup ${folder}: there is no backup of ours`)
  const first = await takeBackup(lab.state, folder, Date.UTC(2026, 0, 1, 2, 3, 4, 567), QUICK)
  t.equal(first.path, join(folder, 'toeh-20260101T020304Z.db'))
  const second = await takeBackup(lab.state, folder, Date.UTC(2026, 0, 2), QUICK)
  t.equal(newest(), second.path)
  t.equal(newest(folder), second.path)
  t.equal(newest(first.path), first.path)
  writeFileSync(join(lab.state, 'last-backup'), `${first.path}\n`)
  t.equal(newest(), second.path, 'one that was not noted')
  const named = await takeBackup(lab.state, join(lab.dir, 'named.db'), 5000, QUICK)
  t.equal(newest(), named.path, 'where it is not dated, that one')
  rmSync(named.path)
  t.equal(newest(), undefined)
  writeFileSync(join(lab.state, 'last-backup'), '/nowhere/at/all/toeh-20260101T000000Z.db\n')
  t.equal(newest(), undefined, 'a disk that is not there')
  writeFileSync(join(lab.state, 'last-backup'), '')
  t.equal(newest(), undefined)
  const wrong = await failureOf(() => newest(lab.config))
  t.equal(wrong.message, `backup ${lab.config}: there is no backup of ours`)
})

t.test('a link to the database, or to a backup, is what it leads to', async (t) => {
  const lab = makeLab(t)
  const link = join(lab.dir, 'link.db')
  symlinkSync(databasePath(lab.state), link)
  const failure = await failureOf(() => takeBackup(lab.state, link, 1, QUICK))
  t.equal(failure.line, `backup ${link}: it is the database itself; name another file, or a folder`)
})

/** Has backups wait in the middle, with what they have locked, until they are let go. */
function slowCopies(t: Test): () => void {
  const Sqlite = bettersqlite.load()
  const real = Sqlite.prototype.backup
  let go: () => void = () => {}
  const gate = new Promise<void>((done) => {
    go = done
  })
  Sqlite.prototype.backup = async function (this: unknown, ...args: [string]) {
    await gate
    return real.apply(this as never, args)
  }
  t.teardown(() => {
    Sqlite.prototype.backup = real
  })
  return go
}

t.test(
  'beside a backup that takes long known mail passes, and unknown mail waits in the queue',
  async (t) => {
    const sink = await makeSink(t)
    const lab = makeLab(t, `busy_seconds = 1\n${sink.setting}`)
    await lab.allow('known.test')
    const go = slowCopies(t)
    const file = join(lab.dir, 'backup.db')
    const copying = takeBackup(lab.state, file, 1000, QUICK)
    let over = false
    const codes: (number | null)[] = []
    const unknown = [0, 1, 2].map(async (one) => {
      for (let round = 0; !over; round++)
        codes.push((await lab.filter({ recipients: [EVE], queueId: `UNKNOWN${one}00${round}` })).code)
    })
    for (let round = 0; round < 8; round++) {
      const outcome = await lab.filter({ recipients: ['c@known.test'], queueId: `KNOWN00${round}` })
      t.strictSame([outcome.code, outcome.signal], [0, null], outcome.stdout)
    }
    over = true
    await Promise.all(unknown)
    t.ok(codes.length > 2 && codes.every((code) => code === 75), `${codes}`)
    t.equal(sink.mails.length, 8)
    go()
    await copying
    t.equal(readBackup(file)?.at, 1000)
    t.match(await lab.filter({ recipients: [EVE] }), { code: 0, stdout: /held 1/ })
  },
)

t.test('what somebody plants where backups go is not taken for a part of them', async (t) => {
  const lab = makeLab(t)
  const folder = join(lab.dir, 'backups')
  mkdirSync(folder)
  const precious = join(lab.dir, 'precious')
  writeFileSync(precious, 'precious')
  // A journal for whatever name is seen there: beside it, and in it where it is a folder that others can enter.
  const Sqlite = bettersqlite.load()
  const real = Sqlite.prototype.backup
  const planted: string[] = []
  Sqlite.prototype.backup = async function (this: unknown, path: string) {
    const outcome = await (real as (path: string) => Promise<never>).call(this, path)
    for (const name of readdirSync(folder)) {
      const draft = join(folder, name)
      const journal = hotJournal(path, precious)
      writeFileSync(`${draft}-journal`, journal)
      planted.push(`${draft}-journal`)
      if (statSync(draft).isDirectory()) t.equal(statSync(draft).mode & 0o777, 0o700)
    }
    return outcome
  }
  t.teardown(() => {
    Sqlite.prototype.backup = real
  })
  const { path } = await takeBackup(lab.state, folder, 1000, QUICK)
  t.equal(planted.length, 1)
  t.equal(readFileSync(precious, 'utf8'), 'precious')
  t.equal(readBackup(path)?.at, 1000)
  for (const name of planted) rmSync(name)
  t.strictSame(readdirSync(folder), [path.slice(folder.length + 1)], 'nothing is left')
})
