/** The express lane in a real Postfix: what goes past the filter, and what never does. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { databasePath } from '../../lib/database/database.js'
import { laneFiles, laneFolder, lanePath, lanePlaces } from '../../lib/express/lane.js'
import bettersqlite from '../../lib/system/bettersqlite.cjs'
import { doctor, find } from '../support/doctor.js'
import { hotJournal } from '../support/hotjournal.js'
import { assertDone, assertFailed, MESSAGE, NODE, outcomeOf, PACKAGE, walk } from '../support/lab.js'
import { Milter } from '../support/milter.js'
import { Conversation, cannotAskSqlite, Postfix } from '../support/postfix.js'

const Sqlite = bettersqlite.load()

const OWN = 'anna@corp.test'
const KNOWN = 'x@known.test'

/** The queue ids of messages that went through the filter. */
const filtered = (postfix: Postfix): Set<string> => new Set(postfix.decisions().map(({ queueId }) => queueId))

t.test('what goes past the filter', { skip: cannotAskSqlite() }, async (t) => {
  const postfix = await Postfix.start(t, { express: true, main: ['recipient_delimiter=+'] })
  const run = async (...args: string[]): Promise<void> => assertDone(t, await postfix.toeh(...args), /^rule/)
  await run('allow', 'known.test', 'sales@one.test', 'strasse.test', 'kiss@one.test')
  await run('allow', 'wide.test', '--subdomains')
  await run('allow', 'mine.test', '--for', OWN)
  await run('allow', 'brief.test', '--until', '30d')
  await run('allow', 'corp.test')
  await run('block', 'bad@known.test')
  const cases: [string, string, 'past' | 'filter'][] = [
    [OWN, 'x@known.test', 'past'],
    [OWN, 'X@KNOWN.Test', 'past'],
    ['Anna+tag@Corp.Test', 'x@known.test', 'past'],
    ['', 'x@known.test', 'past'],
    [OWN, 'sales@one.test', 'past'],
    [OWN, 'x@wide.test', 'past'],
    [OWN, '@relay.test:x@known.test', 'past'],
    [OWN, 'x@a.wide.test', 'filter'],
    [OWN, 'sales+x@one.test', 'filter'],
    [OWN, 'x+y@known.test', 'filter'],
    [OWN, 'other@one.test', 'filter'],
    [OWN, 'bad@known.test', 'filter'],
    [OWN, 'x@mine.test', 'filter'],
    [OWN, 'x@brief.test', 'filter'],
    [OWN, 'x@stranger.test', 'filter'],
    [OWN, 'otto@corp.test', 'filter'],
    [OWN, 'x@sub.known.test', 'filter'],
    [OWN, '"x y"@known.test', 'filter'],
    [OWN, '"x@evil.test"@known.test', 'filter'],
    [OWN, 'x%evil.test@known.test', 'filter'],
    [OWN, 'x%evil.test@corp.test', 'filter'],
    [OWN, '"x@evil.test"@corp.test', 'filter'],
    [OWN, "o'x@known.test", 'filter'],
    [OWN, '\u{212a}iss@one.test', 'filter'],
    [OWN, 'kiß@one.test', 'filter'],
    [OWN, 'kis\u{17f}@one.test', 'filter'],
    ['eva@evil.test', 'x@known.test', 'filter'],
    ['x%corp.test@evil.test', 'x@known.test', 'filter'],
    ['root', 'x@known.test', 'filter'],
    ['x@corp.test.evil.test', 'x@known.test', 'filter'],
    ['a..b@corp.test', 'x@known.test', 'filter'],
    [`${'a'.repeat(65)}@corp.test`, 'x@known.test', 'past'],
    ['SRS0=a=b=other.test=x@corp.test', 'x@known.test', 'filter'],
  ]
  const ids: string[] = []
  for (const [sender, recipient] of cases) ids.push(await postfix.submit(sender, [recipient], MESSAGE))
  await postfix.settled()
  const through = filtered(postfix)
  for (const [index, [sender, recipient, way]] of cases.entries())
    t.equal(through.has(ids[index] ?? '') ? 'filter' : 'past', way, `<${sender}> to <${recipient}>`)
  await t.test('what Unicode would fold to a known domain is refused', async (t) => {
    for (const recipient of ['x@straße.test', 'x@\u{17f}trasse.test', 'x@\u{212a}nown.test'])
      await t.rejects(
        postfix.submit(OWN, [recipient], MESSAGE),
        /RCPT TO:[\s\S]* was answered 501 5\.1\.3 /,
        recipient,
      )
    const [own, known] = ['anna@corp.te\u{17f}t', 'x@known.test']
    await t.rejects(postfix.submit(own, [known], MESSAGE), /MAIL FROM:[\s\S]* was answered 501 5\.1\.7 /)
    const mail = ' SMTPUTF8'
    await t.rejects(
      postfix.submit(OWN, [known], MESSAGE, { mail }),
      /MAIL FROM:[\s\S]* was answered 555 5\.5\.4 /,
    )
  })
  await t.test('one stranger takes the whole message to the filter', async (t) => {
    for (const recipients of [
      ['x@known.test', 'y@stranger.test'],
      ['y@stranger.test', 'x@known.test'],
      ['x@known.test', 'y@stranger.test', 'z@known.test'],
    ]) {
      const before = postfix.sink.mails.length
      const id = await postfix.submit(OWN, recipients, MESSAGE)
      await postfix.settled()
      t.ok(filtered(postfix).has(id), recipients.join(' '))
      const sent = postfix.sink.mails.slice(before).flatMap((mail) => mail.recipients)
      t.strictSame(sent.sort(), recipients.filter((address) => address.endsWith('known.test')).sort())
    }
  })
  await t.test('Postfix asks about the address it has resolved, and delivers to that', async (t) => {
    for (const recipient of [
      'r1%known.test@corp.test',
      'known.test!r1@corp.test',
      '"r2@known.test"@corp.test',
      '"r3"@known.test',
    ]) {
      const id = await postfix.submit(OWN, [recipient], MESSAGE)
      const mail = (await postfix.settled()).at(-1)
      t.match(mail?.recipients, [/^r[123]@known\.test$/], recipient)
      t.notOk(filtered(postfix).has(id), recipient)
    }
  })
})

t.test(
  'a change counts for the very next message of a connection that is open',
  { skip: cannotAskSqlite() },
  async (t) => {
    const postfix = await Postfix.start(t, { express: true })
    const run = async (...args: string[]): Promise<void> =>
      assertDone(t, await postfix.toeh(...args), /^rule/)
    const open = await Promise.all([1, 2, 3].map(() => Conversation.open(postfix.submission)))
    t.teardown(() => {
      for (const one of open) one.close()
    })
    for (const one of open) await one.say('EHLO pc.corp.test\r\n')
    /** One message by each connection: how many went to the filter. */
    const toFilter = async (recipient: string): Promise<number> => {
      const ids = []
      for (const one of open) ids.push(await one.send(OWN, [recipient], MESSAGE))
      await postfix.settled()
      const through = filtered(postfix)
      return ids.filter((id) => through.has(id)).length
    }
    t.equal(await toFilter('x@known.test'), 3, 'unknown')
    await run('allow', 'known.test')
    t.equal(await toFilter('x@known.test'), 0, 'allowed')
    await run('block', 'x@known.test')
    t.equal(await toFilter('x@known.test'), 3, 'blocked')
    t.equal(await toFilter('y@known.test'), 0, 'and nobody else')
    await run('revoke', 'x@known.test')
    t.equal(await toFilter('x@known.test'), 0, 'the block revoked')
    await run('allow', 'deep.mail.test', 'y@deep.mail.test')
    t.equal(await toFilter('x@deep.mail.test'), 0)
    await run('block', 'mail.test', '--subdomains')
    t.equal(await toFilter('x@deep.mail.test'), 3, 'a block above')
    t.equal(await toFilter('y@deep.mail.test'), 3, 'of an address as well')
    await run('revoke', 'mail.test')
    t.equal(await toFilter('x@deep.mail.test'), 0, 'which is revoked')
    await run('block', 'known.test', '--for', '@corp.test')
    t.equal(await toFilter('x@known.test'), 3, 'a block for some')
    await run('revoke', 'known.test')
    t.equal(await toFilter('x@known.test'), 3, 'revoked')
    const held = postfix.decisions().filter(({ recipients }) => recipients[0]?.did === 'held')
    // For deep.mail.test the filter knows better: its own allow is nearer than the block above.
    t.equal(held.length, 12, 'and what goes to x@known.test by the filter is held')
  },
)

/** Submits some messages at once; how many went to the filter, when all are delivered. */
async function toFilter(t: Test, postfix: Postfix, count: number): Promise<number> {
  const before = postfix.sink.mails.length
  const ids = await Promise.all(
    Array.from({ length: count }, () => postfix.submit(OWN, ['x@known.test'], MESSAGE)),
  )
  await postfix.settled()
  t.equal(postfix.sink.mails.length - before, count, 'each was taken and delivered')
  const through = filtered(postfix)
  return ids.filter((id) => through.has(id)).length
}

t.test('no submission fails for a lock', { skip: cannotAskSqlite() }, async (t) => {
  const postfix = await Postfix.start(t, { express: true })
  assertDone(t, await postfix.toeh('allow', 'known.test'), 'rule 1')
  const path = lanePath(postfix.lab.state)
  t.equal(await toFilter(t, postfix, 5), 0)
  const db = new Sqlite(path)
  t.throws(() => db.exec("BEGIN IMMEDIATE; INSERT INTO lane VALUES ('@other.test', 1)"), /readonly/)
  t.equal(await toFilter(t, postfix, 20), 0, "root's own look at it")
  db.close()
  postfix.command('reload')
  t.equal(await toFilter(t, postfix, 10), 0, 'has tidied nothing up')
  const changes = (async () => {
    for (let i = 0; i < 3; i++) assertDone(t, await postfix.toeh('allow', `other${i}.test`), 'rule')
  })()
  t.equal(await toFilter(t, postfix, 40), 0, 'while rules change')
  await changes
  t.notMatch(postfix.log(), /dict_sqlite|fatal|throttling/)
})

t.test('a change of generation', { skip: cannotAskSqlite() }, async (t) => {
  const postfix = await Postfix.start(t, { express: true })
  const { lab } = postfix
  assertDone(t, await postfix.toeh('allow', 'known.test'), 'rule 1')
  const open = await Conversation.open(postfix.submission)
  t.teardown(() => open.close())
  await open.say('EHLO pc.corp.test\r\n')
  const passes = async (one: Conversation): Promise<boolean> => {
    const id = await one.send(OWN, ['x@known.test'], MESSAGE)
    await postfix.settled()
    return !filtered(postfix).has(id)
  }
  const anew = async (): Promise<boolean> => {
    const one = await Conversation.open(postfix.submission)
    await one.say('EHLO pc.corp.test\r\n')
    const passed = await passes(one)
    one.close()
    return passed
  }
  t.ok(await passes(open))
  const file = statSync(lanePath(lab.state)).ino
  const rules = join(postfix.dir, 'rules.csv')
  // More than a log takes.
  writeFileSync(
    rules,
    `${Array.from({ length: 20_000 }, (_, i) => `someone${i}@supplier${i}.${'x'.repeat(50)}.test`).join('\n')}\n`,
  )
  assertDone(t, await postfix.toeh('import', rules), '20000 rules added')
  t.not(statSync(lanePath(lab.state)).ino, file)
  t.notOk(await passes(open), 'who has the old one open goes to the filter')
  postfix.command('reload')
  t.ok(await anew(), 'who comes now does not')
  assertDone(t, await postfix.toeh('block', 'x@known.test'), 'rule')
  t.notOk(await passes(open))
  t.notOk(await anew())
  t.equal(
    postfix.sink.mails.filter(({ recipients }) => recipients.includes('x@known.test')).length,
    3,
    'the last two are held',
  )
  t.notMatch(postfix.log(), /dict_sqlite|fatal|throttling/)
})

t.test('a command that is killed in the middle', { skip: cannotAskSqlite() }, async (t) => {
  const postfix = await Postfix.start(t, { express: true })
  const { lab } = postfix
  assertDone(t, await postfix.toeh('allow', 'known.test'), 'rule 1')
  const started = Date.now()
  assertDone(t, await postfix.toeh('allow', 'other.test'), 'rule 2')
  const whole = Date.now() - started
  const logAt = (): number => statSync(`${lanePath(lab.state)}-wal`).size
  const isBlocked = (): boolean =>
    lab.query("SELECT 1 FROM rule WHERE value = 'x@known.test' AND revoked_at IS NULL").length > 0
  let [kills, changed] = [0, 0]
  // On a fast machine many a command has ended before it can be killed; so there are rounds until enough were.
  for (let round = 0; round < 12 || (round < 100 && (kills < 5 || changed < 5)); round++) {
    const size = logAt()
    const child = postfix.startToeh(isBlocked() ? 'revoke' : 'block', 'x@known.test')
    const ended = outcomeOf(child)
    // Until the lane has changed, which comes first and last, and in between.
    const until = Date.now() + whole * 2
    while (logAt() === size && Date.now() < until) await new Promise((done) => setTimeout(done, 1))
    if (round % 3 > 0) await new Promise((done) => setTimeout(done, (round % 3) * 3))
    child.kill('SIGKILL')
    const { signal } = await ended
    if (signal === 'SIGKILL') kills++
    if (logAt() !== size) changed++
    const blocked = isBlocked()
    const id = await postfix.submit(OWN, ['x@known.test'], MESSAGE)
    await postfix.settled()
    if (blocked) t.ok(filtered(postfix).has(id), 'a blocked recipient does not go past the filter')
    t.equal(
      postfix.sink.mails.length,
      round + 1 - lab.held().length,
      'none is lost, and what is blocked is held',
    )
    t.notMatch(postfix.log(), /dict_sqlite|fatal|throttling/)
  }
  t.ok(kills > 4 && changed > 4, `${kills} killed, the lane had changed in ${changed}`)
  const stops = isBlocked() ? 1 : 0
  assertDone(t, await postfix.toeh('cleanup'), /^/)
  assertDone(t, await postfix.toeh('express', '--check'), `: 2 addresses and domains pass, ${stops} stops;`)
})

/** A process of Postfix's user and group, as one that was taken over. */
function asPostfix(script: string, ...args: string[]): { status: number | null; stderr: string } {
  const through = ['--reuid=postfix', '--regid=postfix', '--init-groups', 'bash', '-c', script, 'bash']
  const { status, stderr } = spawnSync('setpriv', [...through, ...args], { encoding: 'utf8' })
  return { status, stderr }
}

t.test("Postfix's own user can make, change and hinder nothing", { skip: cannotAskSqlite() }, async (t) => {
  const postfix = await Postfix.start(t, { express: true })
  const { lab } = postfix
  assertDone(t, await postfix.toeh('allow', 'known.test', '--note', 'secret contract'), 'rule 1')
  const folder = laneFolder(lab.state)
  const path = lanePath(lab.state)
  const before = fingerprints(folder)
  for (const name of ['lane.db-journal', 'lane.db-mj01', 'x', 'lane.db-shm/x']) {
    t.not(asPostfix('echo x > "$1"', join(folder, name)).status, 0, `make ${name}`)
    t.not(asPostfix('ln -s /etc/passwd "$1"', join(folder, name)).status, 0, `link ${name}`)
  }
  for (const name of ['lane.db', 'lane.db-wal', 'lane.db-shm']) {
    t.not(asPostfix('echo x >> "$1"', join(folder, name)).status, 0, `write ${name}`)
    t.not(asPostfix('rm -rf "$1"', join(folder, name)).status, 0, `remove ${name}`)
    t.not(asPostfix('mv "$1" "$1.old"', join(folder, name)).status, 0, `move ${name}`)
    t.not(asPostfix('chmod 666 "$1"', join(folder, name)).status, 0, `open ${name}`)
  }
  t.not(asPostfix('cat "$1"', databasePath(lab.state)).status, 0)
  t.strictSame(fingerprints(folder), before)
  // What it may read it may lock: nobody waits for it.
  const lock = `const Sqlite = require(process.argv[1] + '/dist/lib/system/bettersqlite.cjs').load()
const db = new Sqlite(process.argv[2])
db.exec('BEGIN')
console.log(db.prepare('SELECT count(*) FROM lane').get())
setTimeout(() => {}, 600000)`
  const locker = spawn('setpriv', [
    ...['--reuid=postfix', '--regid=postfix', '--init-groups'],
    ...['env', '-i', NODE, '-e', lock, PACKAGE, path],
  ])
  t.teardown(() => locker.kill('SIGKILL'))
  await Promise.race([once(locker.stdout, 'data'), once(locker, 'exit')])
  t.equal(locker.exitCode, null, 'it reads, and goes on reading')
  assertDone(t, await postfix.toeh('block', 'x@known.test'), 'rule 2')
  const id = await postfix.submit(OWN, ['x@known.test'], MESSAGE)
  await postfix.settled()
  t.ok(filtered(postfix).has(id))
  t.equal(lab.held().length, 1, 'held')
})

t.test(
  'what Postfix’s user plants in a folder that is open to him',
  { skip: cannotAskSqlite() },
  async (t) => {
    const postfix = await Postfix.start(t, { express: true })
    const { lab } = postfix
    assertDone(t, await postfix.toeh('allow', 'known.test'), 'rule 1')
    const folder = laneFolder(lab.state)
    const precious = join(postfix.dir, 'precious')
    writeFileSync(precious, 'precious', { mode: 0o600 })
    const [message] = await held(postfix)
    const victims = [precious, databasePath(lab.state), message ?? '']
    chmodSync(folder, 0o2770)
    for (const victim of victims) {
      const journal = join(postfix.dir, 'journal')
      writeFileSync(journal, hotJournal(lanePath(lab.state), victim))
      chmodSync(journal, 0o644)
      t.equal(asPostfix('cp "$1" "$2"', journal, `${lanePath(lab.state)}-journal`).status, 0)
      // By root before it gives up its rights, and by the toeh user.
      for (const args of [
        ['doctor', '--config-dir', postfix.etc],
        ['express', '--check'],
        ['express', 'x@known.test'],
        ['cleanup'],
        ['init', '--postfix', '--express', '--config-dir', postfix.etc],
        ['express', '--write'],
        ['allow', 'new.test'],
      ])
        await postfix.toeh(...args)
      t.ok(existsSync(victim), `${victim} is there`)
      chmodSync(folder, 0o2770)
    }
    const { stderr, code } = await postfix.toeh('express', '--write')
    t.equal(code, 1)
    t.match(
      stderr,
      /^toeh: express lane \S+\/lane\.db-journal: it does not belong there; look what it is, and take it away\n$/,
    )
    rmSync(`${lanePath(lab.state)}-journal`)
    assertDone(t, await postfix.toeh('express', '--write'), /rows of the lane written/)
    t.equal(statSync(folder).mode & 0o7777, 0o2750, 'and closes the folder again')
    assertDone(t, await postfix.toeh('express', '--check'), 'on: ')
    // The trap is one: whoever opens it as SQLite does walks into it.
    const trap = join(postfix.dir, 'trap.db')
    new Sqlite(trap).exec('CREATE TABLE x (y)').close()
    writeFileSync(`${trap}-journal`, hotJournal(trap, precious))
    new Sqlite(trap).prepare('SELECT * FROM x').all()
    t.notOk(existsSync(precious))
  },
)

/** A message that waits: its file. */
async function held(postfix: Postfix): Promise<string[]> {
  await postfix.submit(OWN, ['eve@stranger.test'], MESSAGE)
  await postfix.settled()
  return postfix.lab.held().map((id) => join(postfix.lab.state, 'hold', id, 'message.eml'))
}

t.test(
  'links and folders of others in the lane’s place are left alone',
  { skip: cannotAskSqlite() },
  async (t) => {
    const postfix = await Postfix.start(t, { express: true })
    const folder = laneFolder(postfix.lab.state)
    const precious = join(postfix.dir, 'precious')
    const stat = (path: string): unknown[] => {
      const { mode, uid, gid } = lstatSync(path)
      return [(mode & 0o7777).toString(8), uid, gid]
    }
    const refuse = async (why: string, name: string): Promise<void> => {
      const before = [stat(precious), fingerprints(precious)]
      const { code, stderr } = await postfix.toeh('express', '--write')
      t.equal(code, 1, name)
      t.equal(stderr, `toeh: express --write ${folder}: ${why}; look what it is, and take it away\n`)
      t.strictSame([stat(precious), fingerprints(precious)], before, `${name}: it is as it was`)
    }
    renameSync(folder, `${folder}-before`)
    mkdirSync(precious, { mode: 0o755 })
    writeFileSync(join(precious, 'a file'), 'x')
    symlinkSync(precious, folder)
    await refuse('it is no folder', 'a link')
    rmSync(folder)
    writeFileSync(folder, '')
    await refuse('it is no folder', 'a file')
    rmSync(folder)
    renameSync(precious, folder)
    mkdirSync(precious)
    await refuse('it belongs to another user', "root's, with something in it")
    rmSync(join(folder, 'a file'))
    chownSync(folder, 12345, 12345)
    await refuse('it belongs to another user', "a stranger's")
    rmSync(folder, { recursive: true })
    // In a folder of the filter's user, his own links are replaced and not followed.
    renameSync(`${folder}-before`, folder)
    for (const end of ['', '-wal', '-shm', '.new', '-wal.new']) {
      const path = `${lanePath(postfix.lab.state)}${end}`
      rmSync(path, { recursive: true, force: true })
      symlinkSync(end === '-shm' ? precious : join(precious, 'file'), path)
      lchownSync(path, 65534, 65534)
      writeFileSync(join(precious, 'file'), 'precious')
      const before = [stat(precious), fingerprints(precious)]
      assertDone(t, await postfix.toeh('express', '--write'), /rows of the lane written/)
      t.strictSame([stat(precious), fingerprints(precious)], before, `a link in the place of lane.db${end}`)
      t.notOk(lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
    }
    assertDone(t, await postfix.toeh('express', '--check'), 'on: ')
  },
)

/** Every file of a folder with what is in it. */
function fingerprints(folder: string): string[] {
  return walk(folder).map((path) => {
    const stat = lstatSync(path)
    return `${path} ${stat.mode} ${stat.uid} ${stat.isFile() ? readFileSync(path, 'latin1') : ''}`
  })
}

t.test('what comes after the question: it leaks, and is named', { skip: cannotAskSqlite() }, async (t) => {
  const postfix = await Postfix.start(t, { express: true })
  assertDone(t, await postfix.toeh('allow', 'known.test'), 'rule 1')
  const spy = 'spy@evil.test'
  const milter = await Milter.start(t, { recipients: [spy] })
  const main = readFileSync(join(postfix.etc, 'main.cf'), 'utf8')
  const place = `(127.0.0.1:${postfix.submission}/inet)`
  const lines = (text: string): string[] => text.trim().split('\n')
  const table = (name: string, text: string): string => {
    const path = join(postfix.etc, name)
    writeFileSync(path, text)
    return path
  }
  const bcc = table('bcc', `${OWN} ${spy}\n@known.test ${spy}\n`)
  const header = table('header', `# ours\n/^Subject: x/ DUNNO\n/^Subject: Invoice/ BCC ${spy}\n`)
  const redirect = table('redirect', `/^Subject: Invoice/\n  REDIRECT ${spy}\n`)
  const sink = `smtp:[127.0.0.1]:${postfix.sink.port}`
  const added = `BCC ${spy} adds a recipient that the gate does not see`
  const cases: [settings: string[], reached: string[], named: string[]][] = [
    [[], [KNOWN], []],
    [[`always_bcc = ${spy}`], [spy, KNOWN], [`always_bcc: ${added} ${place}`]],
    [
      [`recipient_bcc_maps = texthash:${bcc}`],
      [spy, KNOWN],
      [`recipient_bcc_maps texthash:${bcc}, @known.test: ${added} (and 1 more) ${place}`],
    ],
    [
      [`sender_bcc_maps = inline:{{${OWN} = ${spy}}}`],
      [spy, KNOWN],
      [`sender_bcc_maps inline:{{${OWN} = ${spy}}}, ${OWN}: ${added} ${place}`],
    ],
    [
      [`header_checks = regexp:${header}`],
      [spy, KNOWN],
      [`header_checks regexp:${header}, line 3, /^Subject: Invoice/: ${added} ${place}`],
    ],
    [
      [`header_checks = regexp:${redirect}`],
      [spy],
      [
        `header_checks regexp:${redirect}, line 1, /^Subject: Invoice/: REDIRECT ${spy} goes round the gate ${place}`,
      ],
    ],
    [
      [`smtpd_end_of_data_restrictions = check_client_access static:{BCC ${spy}}`],
      [spy, KNOWN],
      [`smtpd_end_of_data_restrictions static:{BCC ${spy}}: ${added} ${place}`],
    ],
    [
      [`smtpd_milters = ${milter.name}`],
      [spy, KNOWN],
      [`smtpd_milters ${milter.name} may add recipients that the gate does not see ${place}`],
    ],
    [
      [`smtpd_milter_maps = inline:{127.0.0.1=${milter.name}}`],
      [spy, KNOWN],
      [`smtpd_milter_maps ${milter.name} may add recipients that the gate does not see ${place}`],
    ],
    [['always_bcc = archive@corp.test'], ['archive@corp.test', KNOWN], []],
  ]
  for (const [settings, reached, named] of cases) {
    const what = settings.join() || 'sound'
    writeFileSync(join(postfix.etc, 'main.cf'), `${main}${settings.join('\n')}\n`)
    postfix.command('reload')
    const before = postfix.sink.mails.length
    const decisions = postfix.decisions().length
    await postfix.submit(OWN, [KNOWN], MESSAGE)
    await postfix.settled()
    const sent = postfix.sink.mails.slice(before).flatMap(({ recipients }) => recipients)
    t.same(sent.sort(), reached, what)
    t.equal(postfix.decisions().length, decisions, 'nobody was asked')
    const { code, stdout } = await postfix.toeh('express', '--check')
    t.equal(code, named.length === 0 ? 0 : 1, what)
    t.same(
      lines(stdout)
        .slice(1)
        .map((line) => line.replace(/^(.* \(.*?\)): .*$/, '$1')),
      named,
    )
    const found = find(await doctor(postfix), 'express-additions')
    t.same(
      found?.faults.map(({ level, what: told }) => `${level} ${told}`),
      named.map((one) => `critical ${one}`),
    )
  }
  // One recipient's FILTER takes the gate from all: it is asked before the lane is, and for each of them anew.
  writeFileSync(
    join(postfix.etc, 'main.cf'),
    `${main}smtpd_client_restrictions = check_client_access static:{FILTER ${sink}}\n`,
  )
  postfix.command('reload')
  const before = postfix.sink.mails.length
  await postfix.submit(OWN, ['y@stranger.test', KNOWN], MESSAGE)
  await postfix.settled()
  const sent = postfix.sink.mails.slice(before).flatMap(({ recipients }) => recipients)
  t.same(sent.sort(), [KNOWN, 'y@stranger.test'])
  assertFailed(t, await postfix.toeh('express', '--check'), `FILTER ${sink} goes round the gate ${place}`)

  // Somebody vouches for a milter.
  writeFileSync(join(postfix.etc, 'main.cf'), `${main}smtpd_milters = ${milter.name}\n`)
  const config = readFileSync(postfix.lab.config, 'utf8')
  writeFileSync(postfix.lab.config, `trusted_milters = ["${milter.name}"]\n${config}`)
  assertDone(t, await postfix.toeh('express', '--check'), 'on')
})

t.test('who may read what', { skip: cannotAskSqlite() }, async (t) => {
  const postfix = await Postfix.start(t, { express: true })
  assertDone(t, await postfix.toeh('allow', 'known.test', '--note', 'secret contract'), 'rule 1')
  assertDone(t, await postfix.toeh('block', 'x@known.test'), 'rule 2')
  const id = (...args: string[]): number => Number(execFileSync('id', args, { encoding: 'utf8' }))
  const rights = (path: string): unknown[] => {
    const { mode, uid, gid } = statSync(path)
    return [(mode & 0o777).toString(8), uid, gid]
  }
  const { map, senders, recipients } = laneFiles(postfix.lab.config)
  const owner = [id('-u', 'nobody'), id('-g', 'postfix')]
  t.strictSame(
    lanePlaces(postfix.lab.state).map(({ path }) => rights(path)),
    ['750', '640', '640', '750'].map((mode) => [mode, ...owner]),
  )
  for (const path of [map, senders, recipients]) t.strictSame(rights(path), ['644', 0, 0])
  const db = new Sqlite(lanePath(postfix.lab.state), { readonly: true })
  const [{ number }] = db.prepare('SELECT * FROM generation').all() as [{ number: number }]
  t.strictSame(db.prepare('SELECT * FROM lane').all(), [
    { key: '@known.test', pass: number },
    { key: 'x@known.test', pass: 0 },
  ])
  t.strictSame(db.prepare('SELECT name FROM sqlite_schema').pluck().all(), ['generation', 'lane'])
  db.close()
})
