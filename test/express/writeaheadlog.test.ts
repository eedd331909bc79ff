/** lanelog.ts beside SQLite itself: what it reads of base and log is what we wrote, whichever way a write was cut off. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { workInMemory } from '../../lib/database/database.js'
import {
  baseOf,
  framesBetween,
  isBase,
  newLog,
  PAGE_BYTES,
  readLog,
  type Tail,
} from '../../lib/express/writeaheadlog.js'
import bettersqlite from '../../lib/system/bettersqlite.cjs'
import { makeFolder } from '../support/lab.js'

const Database = bettersqlite.load()

/** Base and log as files, and what makes the next image. */
class Files {
  readonly path: string
  readonly base: Buffer
  image: Buffer
  log: Buffer
  tail: Tail

  constructor(t: Test, rows: number) {
    this.path = join(makeFolder(t), 'x.db')
    this.image = workInMemory({ image: undefined, path: this.path, page: PAGE_BYTES }, (db) => {
      db.run('CREATE TABLE x (key TEXT PRIMARY KEY, value TEXT)')
      for (let row = 0; row < rows; row++)
        db.run('INSERT INTO x VALUES (?, ?)', `k${row}`, 'v'.repeat(row % 90))
    }).image
    this.base = baseOf(this.image)
    const { header, tail } = newLog(Buffer.from('saltsalt'))
    this.log = header
    this.tail = tail
    mkdirSync(`${this.path}-shm`)
    this.change("INSERT INTO x VALUES ('first', '')")
    this.write()
  }

  write(log = this.log): void {
    writeFileSync(this.path, this.base)
    writeFileSync(`${this.path}-wal`, log)
  }

  /** The frames of a change. */
  change(sql: string): Buffer {
    const { image } = workInMemory({ image: this.image, path: this.path, page: PAGE_BYTES }, (db) =>
      db.run(sql),
    )
    const frames = framesBetween(this.image, image, this.tail)
    this.log = Buffer.concat([this.log, frames])
    const read = readLog(this.base, this.log)
    this.image = read.image
    this.tail = read.tail ?? this.tail
    t.ok(this.image.equals(image), 'read back as it was written')
    return frames
  }
}

function rowsOf(db: Sqlite.Database): unknown[] {
  return db.prepare('SELECT key, value FROM x ORDER BY key').all()
}

function rowsIn(image: Buffer): unknown[] {
  const db = new Database(image)
  const rows = rowsOf(db)
  db.close()
  return rows
}

const CHANGES = [
  "INSERT INTO x VALUES ('a', 'one')",
  "UPDATE x SET value = 'two' WHERE key = 'a'",
  "DELETE FROM x WHERE key LIKE 'k1%'",
  "INSERT INTO x SELECT 'n' || key, value || value FROM x",
  "DELETE FROM x WHERE key > 'k'",
  "UPDATE x SET value = hex(zeroblob(3000)) WHERE key < 'k2'",
]

for (const [name, options] of [
  ['that may only read', { readonly: true }],
  ['that may write as far as it knows', {}],
] as const) {
  t.test(`a reader ${name} sees each change at once, through a connection that is open`, (t) => {
    const files = new Files(t, 200)
    const reader = new Database(files.path, options)
    t.strictSame(rowsOf(reader), rowsIn(files.image))
    for (const change of CHANGES) {
      files.change(change)
      files.write()
      t.strictSame(rowsOf(reader), rowsIn(files.image), change)
      t.equal(reader.pragma('integrity_check', { simple: true }), 'ok')
    }
    t.throws(() => reader.exec("INSERT INTO x VALUES ('evil', '')"), /readonly/)
    reader.close()
    const next = new Database(files.path, options)
    t.strictSame(rowsOf(next), rowsIn(files.image), 'and closing has tidied nothing up')
    next.close()
    t.end()
  })
}

t.test('cut off anywhere, a change is not there, and the next one stands in its place', (t) => {
  const files = new Files(t, 60)
  files.change(CHANGES[0] ?? '')
  const [before, whole, end] = [rowsIn(files.image), files.log, files.tail.end]
  const frames = files.change(CHANGES[3] ?? '')
  t.ok(frames.length > 3 * PAGE_BYTES)
  for (const length of [
    1,
    23,
    24,
    25,
    PAGE_BYTES,
    PAGE_BYTES + 24,
    frames.length - PAGE_BYTES,
    frames.length - 1,
  ]) {
    const torn = Buffer.concat([whole, frames.subarray(0, length)])
    files.write(torn)
    const reader = new Database(files.path, { readonly: true })
    t.strictSame(rowsOf(reader), before, `${length} bytes of it`)
    const { image, tail } = readLog(files.base, torn)
    t.strictSame([rowsIn(image), tail?.end], [before, end], 'and so do we')
    if (tail === undefined) throw new Error('there is no tail')
    const { image: after } = workInMemory({ image, path: files.path, page: PAGE_BYTES }, (db) =>
      db.run(CHANGES[1] ?? ''),
    )
    const next = framesBetween(image, after, tail)
    // Written over what is left of the other.
    const mended = Buffer.concat([whole, next, torn.subarray(whole.length + next.length)])
    files.write(mended)
    t.strictSame(rowsOf(reader), rowsIn(after), 'the next')
    t.strictSame(readLog(files.base, mended).tail?.end, end + next.length)
    reader.close()
  }
  t.end()
})

t.test('a bit that is another ends the log there', (t) => {
  const files = new Files(t, 10)
  files.change(CHANGES[0] ?? '')
  const [rows, end] = [rowsIn(files.image), files.log.length]
  files.change(CHANGES[1] ?? '')
  for (let at = end; at < files.log.length; at += 101) {
    const damaged = Buffer.from(files.log)
    damaged[at] = (damaged[at] ?? 0) ^ 4
    files.write(damaged)
    const reader = new Database(files.path, { readonly: true })
    t.strictSame([rowsOf(reader), rowsIn(readLog(files.base, damaged).image)], [rows, rows], `byte ${at}`)
    reader.close()
  }
  t.end()
})

t.test('without a header there is the base alone', (t) => {
  const files = new Files(t, 10)
  const base = rowsIn(readLog(files.base, Buffer.alloc(0)).image)
  for (const [name, log] of [
    ['zeros', Buffer.concat([Buffer.alloc(32), files.log.subarray(32)])],
    ['empty', Buffer.alloc(0)],
    ['short', files.log.subarray(0, 31)],
    [
      'of another page size',
      Buffer.concat([files.log.subarray(0, 8), Buffer.from([0, 0, 16, 0]), files.log.subarray(12)]),
    ],
  ] as const) {
    const { image, tail } = readLog(files.base, log)
    t.strictSame([rowsIn(image), tail], [base, undefined], name)
    files.write(log)
    const reader = new Database(files.path, { readonly: true })
    t.strictSame(rowsOf(reader), base, `${name}: to SQLite too`)
    reader.close()
  }
  t.end()
})

t.test('what is no base', (t) => {
  const { base } = new Files(t, 10)
  t.ok(isBase(base))
  const other = Buffer.from(base)
  other.writeUInt16BE(4096, 16)
  for (const bytes of [Buffer.alloc(0), base.subarray(1), base.subarray(0, -1), Buffer.alloc(2048), other])
    t.notOk(isBase(bytes))
  t.end()
})

t.test('what does not change takes no frame', (t) => {
  const files = new Files(t, 10)
  t.equal(framesBetween(files.image, files.image, files.tail).length, 0)
  t.end()
})
