/** Database: what openings refuse and why, what a crash leaves, and that a transaction is all or nothing. */
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  createDatabase,
  type Database,
  databasePath,
  howToRefit,
  openForReading,
  openForWriting,
} from '../../lib/database/database.js'
import { examineDatabase } from '../../lib/database/examine.js'
import { Failure } from '../../lib/failure.js'
import bettersqlite from '../../lib/system/bettersqlite.cjs'
import { failureOf } from '../support/failing.js'
import {
  makeFolder,
  NODE,
  type Outcome,
  outcomeOf,
  PACKAGE,
  PIPE_ENV,
  ROOT,
  startWith,
  UNPRIVILEGED,
} from '../support/lab.js'
import { BACK_TO_5 } from '../support/older.js'

const Sqlite = bettersqlite.load()

const QUICK = { busySeconds: 0.2 }

/** A database of its own; its path. */
function makeDatabase(t: Test): string {
  const path = databasePath(makeFolder(t))
  createDatabase(path, QUICK).close()
  return path
}

function insert(db: Database, sender: string): void {
  db.run('INSERT INTO notice (sender, sent_at) VALUES (?, 1)', sender)
}

function senders(db: Database): string[] {
  return db.all<{ sender: string }>('SELECT sender FROM notice ORDER BY sender').map(({ sender }) => sender)
}

/** Another process that runs these lines of JavaScript; `lib` is the folder of our own compiled files. */
async function otherProcess(source: string): Promise<Outcome> {
  const args = [
    '--input-type=module',
    '-e',
    `const lib = ${JSON.stringify(join(ROOT, 'dist/lib'))}\n${source}`,
  ]
  return outcomeOf(spawn(process.execPath, args, { cwd: ROOT, env: { PATH: '/usr/bin:/bin' } }))
}

const OPENINGS = [
  ['openForReading', openForReading],
  ['openForWriting', openForWriting],
] as const

for (const [name, open] of OPENINGS) {
  t.test(`${name} refuses what is not there or not ours, with the reason`, async (t) => {
    t.test('missing', async (t) => {
      const path = databasePath(makeFolder(t))
      const failure = await failureOf(() => open(path, QUICK))
      t.equal(failure.message, `database ${path}: unable to open database file (SQLITE_CANTOPEN)`)
      t.equal(failure.hint, 'check that it exists and belongs to the toeh user; toeh init makes it')
      t.equal(failure.status, 75)
      t.notOk(existsSync(path), 'and does not make it')
    })

    t.test('its folder is missing', async (t) => {
      const path = databasePath(join(makeFolder(t), 'gone'))
      const failure = await failureOf(() => open(path, QUICK))
      t.match(failure.message, `database ${path}: `)
      t.match(failure.message, 'directory does not exist')
      t.equal(failure.status, 75)
    })

    t.test('empty', async (t) => {
      const path = databasePath(makeFolder(t))
      writeFileSync(path, '')
      const failure = await failureOf(() => open(path, QUICK))
      t.equal(failure.line, `database ${path}: it is empty; run toeh init`)
      t.equal(failure.status, 78)
      t.equal(statSync(path).size, 0, 'and leaves it empty')
    })

    t.test('a newer schema', async (t) => {
      const path = makeDatabase(t)
      const raw = new Sqlite(path)
      raw.pragma('user_version = 99')
      raw.close()
      const failure = await failureOf(() => open(path, QUICK))
      t.equal(failure.message, `database ${path}: its schema is version 99, this program knows 8`)
      t.equal(failure.hint, 'install the newer TOEH that made it')
      t.equal(failure.status, 78)
    })

    t.test('not a database', async (t) => {
      const path = databasePath(makeFolder(t))
      writeFileSync(path, 'Dear diary, '.repeat(1000))
      const failure = await failureOf(() => open(path, QUICK))
      t.equal(failure.message, `database ${path}: file is not a database (SQLITE_NOTADB)`)
      t.equal(failure.hint, 'it is no SQLite file: restore it from a backup')
      t.equal(failure.status, 75)
      t.equal(readFileSync(path, 'utf8').slice(0, 10), 'Dear diary', 'and leaves it alone')
    })

    t.test('cut short', async (t) => {
      const path = makeDatabase(t)
      truncateSync(path, statSync(path).size - 4096)
      const failure = await failureOf(() => open(path, QUICK).all('SELECT * FROM audit'))
      t.match(failure.message, /SQLITE_CORRUPT/)
      t.equal(failure.status, 75)
    })

    t.test('locked for longer than the timeout', async (t) => {
      const path = makeDatabase(t)
      const writer = openForWriting(path, QUICK)
      t.teardown(() => writer.close())
      writer.run('BEGIN EXCLUSIVE')
      const start = performance.now()
      const failure = await failureOf(() => open(path, QUICK).transaction(() => {}))
      t.ok(performance.now() - start > 180, 'after having waited')
      t.equal(failure.message, `database ${path}: database is locked (SQLITE_BUSY)`)
      t.equal(failure.hint, 'another process keeps it locked; it is tried again')
      t.equal(failure.status, 75)
      writer.run('ROLLBACK')
      t.same(senders(open(path, QUICK)), [], 'and opens once the lock is gone')
    })
  })
}

t.test('a damaged page is an error, never an empty answer', async (t) => {
  const path = makeDatabase(t)
  const writer = openForWriting(path, QUICK)
  writer.transaction(() => {
    for (let i = 0; i < 500; i++) insert(writer, `${i}@corp.test`)
  })
  const { rootpage } = writer.get<{ rootpage: number }>(
    "SELECT rootpage FROM sqlite_schema WHERE name = 'notice'",
  ) ?? { rootpage: 0 }
  writer.close()
  const bytes = readFileSync(path)
  bytes.fill(0xff, (rootpage - 1) * 4096, rootpage * 4096)
  writeFileSync(path, bytes)
  const reader = openForReading(path, QUICK)
  t.teardown(() => reader.close())
  const failure = await failureOf(() => reader.get('SELECT 1 FROM notice WHERE sender = ?', '7@corp.test'))
  t.match(failure.message, /^database .*: database disk image is malformed \(SQLITE_CORRUPT\)$/)
  t.equal(failure.hint, 'it is damaged: stop the filter and restore it from a backup')
  t.equal(failure.status, 75)
})

t.test('a file this user may only read is read, and not written', async (t) => {
  const path = makeDatabase(t)
  chmodSync(path, 0o444)
  const script = `
    const { openForReading, openForWriting } = await import(${JSON.stringify(join(ROOT, 'dist/lib/database/database.js'))})
    const [path] = process.argv.slice(1)
    const reader = openForReading(path, { busySeconds: 1 })
    const rows = reader.all('SELECT sender FROM notice')
    reader.close()
    try {
      openForWriting(path, { busySeconds: 1 }).run("INSERT INTO notice VALUES ('a@corp.test', 1)")
    } catch ({ message, hint, status }) {
      console.log(JSON.stringify({ rows, message, hint, status }))
    }`
  // Root may write everything, but by a capability.
  const mere = ['setpriv', '--inh-caps=-all', '--bounding-set=-dac_override,-dac_read_search']
  const through = process.getuid?.() === 0 ? mere : []
  const program = [...through, process.execPath, '--input-type=module', '-e', script, path]
  const { stdout, stderr } = await outcomeOf(startWith(PIPE_ENV, program))
  t.equal(stderr, '')
  t.strictSame(JSON.parse(stdout), {
    rows: [],
    message: `database ${path}: attempt to write a readonly database (SQLITE_READONLY)`,
    hint: 'check its rights and its owner, and those of its folder',
    status: 75,
  })
})

t.test('a reader writes nothing, not even when asked to', async (t) => {
  const path = makeDatabase(t)
  const before = readFileSync(path)
  const reader = openForReading(path, QUICK)
  t.same(senders(reader), [])
  const failure = await failureOf(() => insert(reader, 'a@corp.test'))
  t.match(failure.message, 'attempt to write a readonly database (SQLITE_READONLY)')
  reader.close()
  t.ok(readFileSync(path).equals(before))
  t.notOk(existsSync(`${path}-wal`) || existsSync(`${path}-shm`))
})

t.test('a reader is not kept waiting by a transaction that has not committed', async (t) => {
  const path = makeDatabase(t)
  const writer = openForWriting(path, QUICK)
  t.teardown(() => writer.close())
  writer.transaction(() => {
    insert(writer, 'a@corp.test')
    const reader = openForReading(path, { busySeconds: 0 })
    t.same(senders(reader), [], 'and sees the data as they were')
    reader.close()
  })
  const reader = openForReading(path, { busySeconds: 0 })
  t.same(senders(reader), ['a@corp.test'])
  reader.close()
})

/** Leaves a database whose writer was killed half-way, its changes already in the file and in the journal. */
async function makeHot(t: Test): Promise<string> {
  const path = makeDatabase(t)
  const db = openForWriting(path, QUICK)
  db.transaction(() => {
    for (let i = 0; i < 2000; i++) insert(db, `old-${i}@corp.test`)
  })
  db.close()
  // So small a cache spills where it may: dirty pages reach the file before any commit, and the journal is synced for it.
  const outcome = await otherProcess(`
    const { openForWriting } = await import(lib + '/database/database.js')
    const db = openForWriting(${JSON.stringify(path)}, { busySeconds: 0 })
    db.run('PRAGMA cache_size = 2')
    db.run('PRAGMA cache_spill = ON')
    db.run('BEGIN IMMEDIATE')
    db.run("UPDATE notice SET sent_at = 999")
    db.run("DELETE FROM notice WHERE sender < 'old-15'")
    process.kill(process.pid, 'SIGKILL')
  `)
  t.equal(outcome.signal, 'SIGKILL', outcome.stderr)
  t.ok(statSync(`${path}-journal`).size > 0, 'the journal is left')
  t.throws(
    () => new Sqlite(path, { readonly: true }).prepare('SELECT * FROM notice').all(),
    { code: 'SQLITE_READONLY_ROLLBACK' },
    'and it is hot: a plain reader may not roll it back',
  )
  return path
}

t.test('after a writer that was killed in the middle, everybody sees the data as they were', async (t) => {
  for (const [name, open] of OPENINGS) {
    const path = await makeHot(t)
    const db = open(path, QUICK)
    const counts = db.get('SELECT count(*) AS n, max(sent_at) AS latest FROM notice')
    t.same(counts, { n: 2000, latest: 1 }, name)
    t.same(db.get('PRAGMA integrity_check'), { integrity_check: 'ok' })
    db.close()
    t.equal(statSync(`${path}-journal`, { throwIfNoEntry: false })?.size ?? 0, 0, 'the journal is used up')
  }
})

t.test('several readers find the hot journal at once', async (t) => {
  const path = await makeHot(t)
  const source = `
    const { openForReading } = await import(lib + '/database/database.js')
    const db = openForReading(${JSON.stringify(path)}, { busySeconds: 5 })
    console.log(JSON.stringify(db.get('SELECT count(*) AS n, max(sent_at) AS latest FROM notice')))
  `
  const outcomes = await Promise.all([1, 2, 3, 4].map(() => otherProcess(source)))
  for (const { stdout, stderr } of outcomes) t.equal(stdout + stderr, '{"n":2000,"latest":1}\n')
})

t.test('a writing connection keeps what it has committed', async (t) => {
  const path = makeDatabase(t)
  const db = openForWriting(path, QUICK)
  t.teardown(() => db.close())
  t.same(db.get('PRAGMA journal_mode'), { journal_mode: 'truncate' })
  t.same(db.get('PRAGMA synchronous'), { synchronous: 2 }, 'FULL')
  t.same(db.get('PRAGMA foreign_keys'), { foreign_keys: 1 })
  insert(db, 'a@corp.test')
  t.equal(statSync(`${path}-journal`).size, 0)
})

t.test('a transaction is all or nothing', async (t) => {
  const path = makeDatabase(t)
  const db = openForWriting(path, QUICK)
  t.teardown(() => db.close())
  const twice = (): void => {
    insert(db, 'b@corp.test')
    insert(db, 'a@corp.test')
  }

  t.test('a statement that fails takes the earlier ones with it', async (t) => {
    insert(db, 'a@corp.test')
    const failure = await failureOf(() => db.transaction(twice))
    t.match(failure.message, 'UNIQUE constraint failed: notice.sender (SQLITE_CONSTRAINT_PRIMARYKEY)')
    t.equal(failure.status, 75)
    t.same(senders(db), ['a@corp.test'])
  })

  t.test('a Failure comes out as it was thrown', async (t) => {
    const thrown = new Failure('hold', 'no', { status: 66 })
    const caught = await failureOf(() =>
      db.transaction(() => {
        insert(db, 'c@corp.test')
        throw thrown
      }),
    )
    t.equal(caught, thrown)
    t.same(senders(db), ['a@corp.test'])
  })

  t.test('a nested one joins the outer one', async (t) => {
    await failureOf(() =>
      db.transaction(() => {
        db.transaction(() => insert(db, 'd@corp.test'))
        throw new Failure('outer', 'no')
      }),
    )
    t.same(senders(db), ['a@corp.test'])
    t.equal(
      db.transaction(() => db.transaction(() => 'the value')),
      'the value',
    )
  })

  t.test('it takes the write lock at its start, so that what it reads stays true', async (t) => {
    const other = openForWriting(path, { busySeconds: 0 })
    t.teardown(() => other.close())
    db.transaction(() => {
      t.throws(() => other.transaction(() => 'never'), { message: /database is locked \(SQLITE_BUSY\)$/ })
    })
  })
})

t.test('createDatabase makes it once and leaves what is there', async (t) => {
  const path = databasePath(makeFolder(t))
  const first = createDatabase(path, QUICK)
  insert(first, 'a@corp.test')
  first.close()
  const second = createDatabase(path, QUICK)
  t.same(senders(second), ['a@corp.test'])
  t.same(second.get('PRAGMA user_version'), { user_version: 8 })
  second.run('PRAGMA user_version = 99')
  second.close()
  const failure = await failureOf(() => createDatabase(path, QUICK))
  t.equal(failure.message, `database ${path}: its schema is version 99, this program knows 8`)
})

t.test('several processes may create it at once', async (t) => {
  const path = databasePath(makeFolder(t))
  const source = `
    const { createDatabase } = await import(lib + '/database/database.js')
    createDatabase(${JSON.stringify(path)}, { busySeconds: 5 }).close()
  `
  const outcomes = await Promise.all([1, 2, 3].map(() => otherProcess(source)))
  for (const { code, stderr } of outcomes) t.same([code, stderr], [0, ''])
  t.same(senders(openForReading(path, QUICK)), [])
})

t.test('its files are for the owner alone, whatever the umask', async (t) => {
  const before = process.umask(0o022)
  t.teardown(() => process.umask(before))
  const path = makeDatabase(t)
  const db = openForWriting(path, QUICK)
  t.teardown(() => db.close())
  db.transaction(() => {
    insert(db, 'a@corp.test')
    t.equal(statSync(path).mode & 0o777, 0o600)
    t.equal(statSync(`${path}-journal`).mode & 0o777, 0o600, 'the journal takes them over')
  })
})

t.test('a database that knew the last use of each rule only', (t) => {
  const path = databasePath(makeFolder(t))
  createDatabase(path, QUICK).close()
  // Back to version 3.
  const raw = new Sqlite(path)
  for (const sql of BACK_TO_5) raw.exec(sql)
  raw.exec(`
    DROP TABLE token;
    DROP TABLE rule_use;
    ALTER TABLE rule ADD COLUMN last_used_at INTEGER;
    INSERT INTO rule (kind, value, subdomains, effect, added_by, added_at, source, note, last_used_at)
    VALUES ('domain', 'a.test', 0, 'allow', 'x', 1, 'x', '', ${Date.UTC(2026, 10, 20, 12)}),
           ('domain', 'b.test', 0, 'allow', 'x', 1, 'x', '', NULL);
    INSERT INTO progress VALUES ('uses folded to', '2026-11-20'), ('other', '1');
    PRAGMA user_version = 3;
  `)
  raw.close()
  const db = openForReading(path, QUICK)
  t.strictSame(db.all('SELECT * FROM rule_use'), [{ rule: 1, period: '2026-11-20', messages: 1 }])
  t.strictSame(db.all('SELECT name FROM progress'), [{ name: 'other' }], 'the decision log is read anew')
  t.throws(() => db.all('SELECT last_used_at FROM rule'))
  db.close()
  t.end()
})

t.test('a database that kept no count of what waits', (t) => {
  const path = databasePath(makeFolder(t))
  createDatabase(path, QUICK).close()
  const raw = new Sqlite(path)
  for (const sql of BACK_TO_5) raw.exec(sql)
  const hold = (id: string, size: number): string =>
    `INSERT INTO hold VALUES ('${id}', 'Q', 's@corp.test', 'x', ${size}, 's', 'm', '{}', 5, 9, NULL, NULL)`
  const recipient = (id: string, address: string, state: string): string =>
    `INSERT INTO recipient VALUES ('${id}', '${address}', '${state}', 'unknown', '', '', 'x', 7)`
  raw.exec(
    [
      ...[
        hold('both', 10),
        recipient('both', 'a@x.test', 'held'),
        recipient('both', 'b@x.test', 'releasing'),
      ],
      recipient('both', 'c@x.test', 'released'),
      ...[hold('refused', 100), recipient('refused', 'a@x.test', 'refused')],
      ...[hold('settled', 1000), recipient('settled', 'a@x.test', 'expired')],
      ...[hold('passed', 1000), recipient('passed', 'a@x.test', 'passed')],
      `INSERT INTO progress VALUES ('hold load', '{"messages":9,"bytes":9,"exact":0}'), ('other', '1')`,
    ].join(';'),
  )
  raw.close()
  const db = openForReading(path, QUICK)
  t.strictSame(db.all('SELECT id, waiting FROM hold ORDER BY id'), [
    { id: 'both', waiting: 2 },
    { id: 'passed', waiting: 0 },
    { id: 'refused', waiting: 1 },
    { id: 'settled', waiting: 0 },
  ])
  t.strictSame(db.all('SELECT * FROM load'), [{ messages: 2, recipients: 3, bytes: 110 }])
  t.strictSame(db.all('SELECT * FROM leaving'), [], 'the first comparison of all folders finds what was left')
  t.strictSame(db.all('SELECT name FROM progress'), [{ name: 'other' }])
  db.close()
  const writer = openForWriting(path, QUICK)
  writer.run(`UPDATE recipient SET state = 'rejected' WHERE hold = 'refused'`)
  t.strictSame(writer.all('SELECT * FROM load'), [{ messages: 1, recipients: 2, bytes: 10 }])
  t.strictSame(writer.all('SELECT * FROM leaving'), [{ hold: 'refused' }])
  writer.close()
  t.end()
})

/**
 * Another process: somebody who wants to write, alone, for a second; until that has ended somebody who reads again and again and waits
 * for nothing. What both say.
 */
function besideLongReader(path: string): string {
  const source = `import { spawn, spawnSync } from 'node:child_process'
    const { openForReading, openForWriting } = await import(lib + '/database/database.js')
    const path = ${JSON.stringify(path)}
    const say = (error) => error === undefined ? 'done' : error.cause?.code ?? error.message
    if (process.argv[1] === 'write') {
      try {
        openForWriting(path, { busySeconds: 1 }).transaction(() => {}, 'exclusive')
        console.log('writer', say())
      } catch (error) { console.log('writer', say(error)) }
    } else {
      const args = process.execArgv.concat('write')
      let gone = false
      spawn(process.execPath, args, { stdio: 'inherit' }).on('exit', () => { gone = true })
      let worst
      while (!gone) {
        try { openForReading(path, { busySeconds: 0 }).all('SELECT * FROM notice') } catch (error) { worst = error }
        await new Promise((done) => setTimeout(done, 10))
      }
      console.log('reader', say(worst))
    }`
  const lib = `const lib = ${JSON.stringify(join(ROOT, 'dist/lib'))}\n`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', lib + source], {
    encoding: 'utf8',
    env: PIPE_ENV,
  })
  return stdout.split('\n').sort().join(' ').trim() + stderr
}

t.test('while somebody reads for long, nobody writes and everybody reads', async (t) => {
  const path = makeDatabase(t)
  const writer = openForWriting(path, QUICK)
  for (let i = 0; i < 100; i++) insert(writer, `${i}@corp.test`)
  writer.close()
  const reader = openForReading(path, QUICK)
  t.equal(
    reader.still(() => besideLongReader(path)),
    'reader done writer SQLITE_BUSY',
    'still',
  )
  const copying = reader.copyTo(join(makeFolder(t), 'copy.db'))
  t.equal(besideLongReader(path), 'reader done writer SQLITE_BUSY', 'a copy')
  t.equal((await copying).notice, 100)
  // Its own lock may be what the reader meets then.
  t.match(besideLongReader(path), /writer done$/, 'and afterwards the writer is let in')
  t.throws(
    () =>
      reader.still(() => {
        throw new Error('in its middle')
      }),
    /in its middle/,
  )
  t.match(besideLongReader(path), /writer done$/, 'also where it has failed')
  const both = openForWriting(path, QUICK)
  t.equal(
    both.still(() => besideLongReader(path)),
    'reader done writer SQLITE_BUSY',
    'by one who may write',
  )
  both.run('BEGIN IMMEDIATE')
  t.equal(
    reader.still(() => senders(reader).length),
    100,
    'whoever writes for long keeps nobody from looking',
  )
  await t.rejects(reader.copyTo(join(makeFolder(t), 'copy.db')), /database is locked/, 'but from a copy')
  both.run('COMMIT')
  both.close()
  reader.close()
  // What it guards against: a plain transaction that reads.
  const plain = new Sqlite(path, { readonly: true })
  plain.exec('BEGIN; SELECT * FROM notice')
  t.match(besideLongReader(path), /^reader SQLITE_BUSY writer SQLITE_BUSY/)
  plain.close()
})

t.test('a check of the whole is such a reader', (t) => {
  const path = makeDatabase(t)
  const seen: string[] = []
  const real = Sqlite.prototype.pragma
  Sqlite.prototype.pragma = function (this: unknown, ...args: [string]) {
    if (args[0].startsWith('integrity_check')) seen.push(besideLongReader(path))
    return real.apply(this as never, args)
  } as typeof real
  t.teardown(() => {
    Sqlite.prototype.pragma = real
  })
  t.strictSame(examineDatabase(path, QUICK), { condition: 'whole', details: [] })
  t.strictSame(seen, ['reader done writer SQLITE_BUSY'])
  t.end()
})

t.test('somebody who may not write reads without', (t) => {
  const path = makeDatabase(t)
  chmodSync(path, 0o400)
  const script = `const { openForReading } = await import(lib + '/database/database.js')
    console.log(openForReading(${JSON.stringify(path)}, { busySeconds: 1 }).still(() => 'read'))`
  const lib = `const lib = ${JSON.stringify(join(PACKAGE, 'dist/lib'))}\n`
  if (UNPRIVILEGED.length > 0) {
    chownSync(path, 65534, 65534)
    chmodSync(join(path, '..'), 0o755)
  }
  const [program = '', ...args] = [...UNPRIVILEGED, NODE, '--input-type=module', '-e', lib + script]
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: PIPE_ENV })
  t.strictSame({ stdout, stderr }, { stdout: 'read\n', stderr: '' })
  t.end()
})

t.test('a large transaction keeps readers out at its end alone', (t) => {
  const path = makeDatabase(t)
  const writer = openForWriting(path, QUICK)
  const reader = openForReading(path, { busySeconds: 0 })
  const before = statSync(path).size
  writer.transaction(() => {
    // Several times what the cache takes.
    for (let i = 0; i < 30_000; i++) insert(writer, `${i}${'x'.repeat(900)}@corp.test`)
    t.equal(senders(reader).length, 0, 'everybody reads what was')
    t.equal(statSync(path).size, before, 'nothing of it is in the file')
  })
  t.equal(senders(reader).length, 30_000)
  writer.close()
  reader.close()
  t.end()
})

t.test('after a change of Node it is said what brings one for it, by where this was installed', (t) => {
  for (const [folder, said] of [
    [
      '/usr/local/lib/node_modules/toeh/dist/bin',
      /^after a change of Node: npm install --global \.\/toeh-\S+\.tgz/,
    ],
    ['/usr/lib/toeh/dist/bin', /^install the package toeh again$/],
    ['/srv/toeh/dist/bin', /^under this Node: npm ci && npm run build$/],
  ] as const)
    t.match(howToRefit(folder), said)
  t.end()
})
