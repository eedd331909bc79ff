/** toeh-filter as pipe(8) starts it: every way a run can end, by its status, its output and what it leaves behind. */
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { databasePath } from '../../lib/database/database.js'
import { readOnly } from '../support/hardened.js'
import {
  assertDeferred,
  assertSettled,
  Lab,
  MESSAGE,
  makeFolder,
  makeLab,
  NODE,
  onlyWith,
  outcomeOf,
  PIPE_ENV,
  UNPRIVILEGED,
  walk,
} from '../support/lab.js'
import { makeSink, unwire } from '../support/sink.js'
import { closedPort, Talker } from '../support/talker.js'

const IS_ROOT = process.getuid?.() === 0
const KNOWN = 'bob@known.test'
const UNKNOWN = 'eve@unknown.test'

/** Nothing of the message is anywhere in the installation. */
function assertNothingLeft(t: Test, lab: Lab): void {
  t.strictSame(lab.held(), [], 'nothing is held')
  t.strictSame(lab.temporaries(), [], 'nothing is left in hold/tmp')
}

t.test('wrong arguments', async (t) => {
  const id = '--queue-id=4bQ8Yk2hJnz1'
  const from = '--sender=anna@corp.test'
  const table: [args: string[], reason: RegExp][] = [
    [[], /no -- before the recipients/],
    [[from, id, KNOWN], /no -- before the recipients/],
    [[from, id, '--'], /no recipient/],
    [[from, id, '--verbose', '--', KNOWN], /unknown option "--verbose"/],
    [[from, id, '-f', 'x', '--', KNOWN], /unknown option "-f"/],
    [[from, id, '--siz=3', '--', KNOWN], /unknown option "--siz=3"/],
    [[from, id, id, '--', KNOWN], /--queue-id is given twice/],
    [[from, '--', KNOWN], /--queue-id is missing/],
    [[from, '--queue-id=', '--', KNOWN], /--queue-id is missing/],
    [[from, '--queue-id=../../etc', '--', KNOWN], /is no queue id/],
    [[id, '--', KNOWN], /--sender is missing/],
    [[from, id, '--size=big', '--', KNOWN], /--size is not a number of bytes/],
    [[from, id, `--\n5.7.1 bounced\u{1b}[2J`, '--', KNOWN], /unknown option/],
  ]
  const lab = makeLab(t)
  for (const [args, reason] of table) {
    const outcome = await lab.filter({ recipients: [], args, env: { TOEH_CONFIG: lab.config } })
    assertDeferred(t, outcome, reason)
    t.match(outcome.stdout, 'master.cf', 'it says where to look')
  }
  assertNothingLeft(t, lab)
})

t.test('the configuration', async (t) => {
  await t.test('missing, or a folder', async (t) => {
    const lab = makeLab(t)
    const run = (path: string) =>
      lab.filter({
        recipients: [],
        args: [`--config=${path}`, '--sender=', '--queue-id=ABCDEF', '--', KNOWN],
      })
    assertDeferred(
      t,
      await run(join(lab.dir, 'none.toml')),
      /none\.toml: no such file or directory \(ENOENT\)/,
    )
    assertDeferred(t, await run(lab.state), /\/state: .*\(EISDIR\)/)
  })
  await t.test('closed to the filter', async (t) => {
    const lab = makeLab(t)
    lab.giveAway()
    chmodSync(lab.config, 0)
    const outcome = await lab.filter({ recipients: [KNOWN], through: UNPRIVILEGED })
    assertDeferred(t, outcome, /toeh\.toml: permission denied \(EACCES\)/)
  })
  const table: [settings: string, reason: RegExp][] = [
    ['reinject = ', /toeh\.toml:3: /],
    ['= [', /toeh\.toml:3: /],
    ['busy_seconds = "5"', /toeh\.toml:3: busy_seconds: it must be a number, not a text/],
    ['busy_seconds = -1', /toeh\.toml:3: busy_seconds: it must be a whole number from 0 to 600/],
    ['approvers = "boss@corp.test"', /toeh\.toml:3: approvers: it must be a list of texts, not a text/],
    ['\ndeadline = 3', /toeh\.toml:4: deadline: there is no such setting/],
    ['mode = "off"', /toeh\.toml:3: mode: it must be one of enforce, observe/],
    ['reinject = "smtp:192.0.2.1:25"', /toeh\.toml:3: reinject: .*loopback/],
    ['[notice]\nto = "x"', /toeh\.toml:4: notice\.to: there is no such setting/],
    ['notice = 3', /toeh\.toml:3: notice: it must be a table, not a number/],
  ]
  for (const [settings, reason] of table) {
    await t.test(settings, async (t) => {
      const lab = makeLab(t, settings, '')
      assertDeferred(t, await lab.filter({ recipients: [KNOWN], patience: 15_000 }), reason)
      assertNothingLeft(t, lab)
    })
  }
})

t.test('the database', async (t) => {
  const table: [name: string, spoil: (path: string) => void, reason: RegExp][] = [
    ['missing', (path) => rmSync(path), /unable to open database file.*toeh init makes it/],
    ['empty', (path) => truncateSync(path), /toeh\.db: it is empty; run toeh init/],
    ['not SQLite', (path) => writeFileSync(path, 'x'.repeat(8192)), /file is not a database/],
    ['a folder', replaceByFolder, /disk I\/O error|unable to open database file/],
    ['corrupt', (path) => overwrite(path, 100), /malformed.*it is damaged/],
    ['corrupt behind its first page', (path) => overwrite(path, 4096), /malformed.*it is damaged/],
    ['cut off', (path) => truncateSync(path, 6000), /malformed|disk I\/O error/],
  ]
  for (const [name, spoil, reason] of table) {
    await t.test(name, async (t) => {
      const sink = await makeSink(t)
      const lab = makeLab(t, sink.setting)
      await lab.allow('known.test')
      spoil(databasePath(lab.state))
      assertDeferred(t, await lab.filter({ recipients: [KNOWN], patience: 15_000 }), reason)
      assertNothingLeft(t, lab)
      t.equal(sink.mails.length, 0, 'nothing is sent')
    })
  }

  await t.test('of a newer schema', async (t) => {
    const lab = makeLab(t)
    lab.change('PRAGMA user_version = 99')
    const outcome = await lab.filter({ recipients: [KNOWN] })
    assertDeferred(t, outcome, /its schema is version 99, this program knows \d+; install the newer TOEH/)
    assertNothingLeft(t, lab)
  })

  await t.test('in a folder closed to the filter', async (t) => {
    const lab = makeLab(t)
    lab.giveAway()
    chmodSync(lab.state, 0o400)
    // The working directory is entered before the rights are given up, as pipe(8) does it.
    const outcome = await lab.filter({ recipients: [KNOWN], through: UNPRIVILEGED })
    assertDeferred(t, outcome, /toeh\.db: unable to open database file/)
    chmodSync(lab.state, 0o700)
    assertNothingLeft(t, lab)
  })

  await t.test('read-only: known mail goes on, unknown mail waits in the queue', async (t) => {
    const sink = await makeSink(t)
    const lab = makeLab(t, sink.setting)
    await lab.allow('known.test')
    lab.giveAway()
    chmodSync(databasePath(lab.state), 0o400)
    assertSettled(t, await lab.filter({ recipients: [KNOWN], through: UNPRIVILEGED }), 'passed 1')
    const outcome = await lab.filter({ recipients: [UNKNOWN], through: UNPRIVILEGED })
    assertDeferred(t, outcome, /attempt to write a readonly database.*check its rights/)
    t.strictSame(
      sink.mails.map(({ recipients }) => recipients),
      [[KNOWN]],
    )
  })

  await t.test('locked against readers for longer than busy_seconds', async (t) => {
    const lab = makeLab(t, 'busy_seconds = 1')
    const db = lab.openDatabase()
    db.run('BEGIN EXCLUSIVE')
    const before = Date.now()
    const outcome = await lab.filter({ recipients: [KNOWN] })
    t.ok(Date.now() - before >= 1000, 'it has waited a second')
    assertDeferred(t, outcome, /database is locked.*another process keeps it locked/)
    assertNothingLeft(t, lab)
    db.run('COMMIT')
    db.close()
  })

  await t.test('locked for a moment only', async (t) => {
    const lab = makeLab(t, 'busy_seconds = 20')
    const db = lab.openDatabase()
    db.run('BEGIN EXCLUSIVE')
    const running = lab.filter({ recipients: [UNKNOWN] })
    setTimeout(() => db.run('COMMIT'), 700)
    assertSettled(t, await running, 'held 1')
    db.close()
  })

  await t.test(
    'locked against writers: known mail goes on, unknown mail is parked by the retry',
    async (t) => {
      const sink = await makeSink(t)
      const lab = makeLab(t, `busy_seconds = 1\n${sink.setting}`)
      await lab.allow('known.test')
      const db = lab.openDatabase()
      db.run('BEGIN IMMEDIATE')
      assertSettled(t, await lab.filter({ recipients: [KNOWN], queueId: 'FIRST1' }), 'passed 1')
      const outcome = await lab.filter({ recipients: [KNOWN, UNKNOWN] })
      assertDeferred(t, outcome, /database is locked/)
      t.equal(sink.mails.length, 1, 'nothing goes out before the unknown recipient is parked')
      db.run('COMMIT')
      db.close()
      t.strictSame(lab.states(), [], 'no row without a commit')
      assertNothingLeft(t, lab)
      assertSettled(t, await lab.filter({ recipients: [KNOWN, UNKNOWN] }), /passed 1 .*held 1/)
      t.equal(lab.held().length, 1)
      t.strictSame(lab.states(), [`${KNOWN} passed`, `${UNKNOWN} held`])
      t.strictSame(
        sink.mails.map(({ recipients }) => recipients),
        [[KNOWN], [KNOWN]],
      )
      t.strictSame(lab.temporaries(), [])
    },
  )
})

t.test('a database that is locked from the 250 on keeps nobody waiting', async (t) => {
  for (const lock of ['IMMEDIATE', 'EXCLUSIVE']) {
    let lockIt = (): void => {}
    const talker = await Talker.start(t, {
      '.': async () => {
        lockIt()
        return '250 2.0.0 Ok: queued as LOCKED'
      },
    })
    const approvers = 'approvers = ["boss@corp.test"]'
    const lab = makeLab(t, `busy_seconds = 60\n${approvers}\n${talker.setting}`)
    lab.configure(`busy_seconds = 60\n${approvers}\n${talker.setting}\n[notice]\nenabled = true\n`)
    await lab.allow('known.test')
    const db = lab.openDatabase()
    lockIt = () => db.run(`BEGIN ${lock}`)
    const child = lab.startFilter({ recipients: [KNOWN, UNKNOWN] })
    // As pipe(8) does at its time limit.
    const limit = setTimeout(() => child.kill('SIGKILL'), 25_000)
    child.stdin?.end(MESSAGE)
    assertSettled(t, await outcomeOf(child), /^toeh: passed 1 as LOCKED, held 1 in [0-9a-z]{12}\n$/)
    clearTimeout(limit)
    db.run('COMMIT')
    db.close()
    t.strictSame(lab.states(), [`${UNKNOWN} held`])
    t.strictSame(
      lab
        .decisions()
        .at(-1)
        ?.recipients.map(({ did }) => did),
      ['passed', 'held'],
    )
  }
})

t.test('whoever waits has bytes before Postfix is told that it may forget the message', async (t) => {
  const binary = Buffer.concat([Buffer.from('Subject: x\n\n'), Buffer.alloc(100_000, 'caf\xe9\n', 'latin1')])
  const spoil: Record<string, (path: string) => void> = {
    'the folder is gone': (path) => rmSync(path, { recursive: true }),
    'the message is gone': (path) => rmSync(join(path, 'message.eml')),
    'half of it': (path) => truncateSync(join(path, 'message.eml'), 50_000),
    'of the same length, and other': (path) =>
      writeFileSync(join(path, 'message.eml'), Buffer.alloc(binary.length)),
    'only the envelope is there': (path) => {
      rmSync(join(path, 'message.eml'))
      writeFileSync(join(path, 'moves.jsonl'), '')
    },
    'neither file': (path) => {
      rmSync(path, { recursive: true })
      mkdirSync(path, { mode: 0o700 })
    },
  }
  for (const [name, break_] of Object.entries(spoil)) {
    await t.test(name, async (t) => {
      const lab = makeLab(t)
      const given = { recipients: [UNKNOWN], input: binary }
      assertSettled(t, await lab.filter(given), 'held 1')
      const [id = ''] = lab.held()
      const path = join(lab.state, 'hold', id)
      break_(path)
      assertSettled(t, await lab.filter(given), `toeh: settled before 1 in ${id}\n`)
      t.ok(readFileSync(join(path, 'message.eml')).equals(binary), 'the bytes are there')
      const { recipients } = JSON.parse(readFileSync(join(path, 'envelope.json'), 'utf8'))
      t.match(recipients, [{ address: UNKNOWN, state: 'held' }])
      t.strictSame(lab.temporaries(), [])
    })
  }
  await t.test('beside a known recipient', async (t) => {
    const sink = await makeSink(t)
    const lab = makeLab(t, sink.setting)
    await lab.allow('known.test')
    const given = { recipients: [KNOWN, UNKNOWN], input: binary }
    assertSettled(t, await lab.filter({ ...given, recipients: [UNKNOWN] }), 'held 1')
    const [id = ''] = lab.held()
    rmSync(join(lab.state, 'hold', id), { recursive: true })
    assertSettled(t, await lab.filter(given), `passed 1 as SINK00000001, settled before 1 in ${id}`)
    t.ok(readFileSync(join(lab.state, 'hold', id, 'message.eml')).equals(binary))
    t.equal(sink.mails.length, 1)
  })
  await t.test('who is settled needs none', async (t) => {
    const lab = makeLab(t)
    const given = { recipients: [UNKNOWN], input: binary }
    assertSettled(t, await lab.filter(given), 'held 1')
    const [id = ''] = lab.held()
    const { hold, db } = lab.stores()
    hold.settle(id, [UNKNOWN], 'rejected', { who: 'marie', at: Date.now() })
    hold.removeSettled(id)
    db.close()
    assertSettled(t, await lab.filter(given), 'settled before 1')
    t.strictSame(lab.held(), [])
  })
  await t.test('a disk on which they cannot be put: deferred', async (t) => {
    const lab = makeLab(t)
    const given = { recipients: [UNKNOWN], input: binary }
    assertSettled(t, await lab.filter(given), 'held 1')
    const [id = ''] = lab.held()
    rmSync(join(lab.state, 'hold', id), { recursive: true })
    writeFileSync(join(lab.state, 'hold', id), '')
    assertDeferred(t, await lab.filter(given), /hold message in/)
    t.strictSame(lab.states(), [`${UNKNOWN} held`])
  })
})

function replaceByFolder(path: string): void {
  rmSync(path)
  mkdirSync(path)
}

/** Writes 0xff over the file from there to its end. */
function overwrite(path: string, from: number): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, Buffer.alloc(statSync(path).size - from, 0xff), 0, undefined, from)
}

t.test('folders that are missing', async (t) => {
  const table: [folder: string, reason: RegExp][] = [
    ['hold/tmp', /spool message in .*\/hold\/tmp: no such file or directory \(ENOENT\)/],
    ['hold', /spool message in .*\/hold\/tmp: no such file or directory \(ENOENT\)/],
    ['decisions', /open decision log .*\.jsonl: no such file or directory \(ENOENT\)/],
    ['', /free space .*\/state: no such file or directory \(ENOENT\)/],
  ]
  for (const [folder, reason] of table) {
    await t.test(folder || 'the state folder', async (t) => {
      const sink = await makeSink(t)
      const lab = makeLab(t, sink.setting)
      await lab.allow('known.test')
      rmSync(join(lab.state, folder), { recursive: true })
      assertDeferred(t, await lab.filter({ recipients: [KNOWN, UNKNOWN], cwd: lab.dir }), reason)
      t.equal(sink.mails.length, 0, 'nothing is sent')
    })
  }
})

t.test('a state folder that is read-only, as ProtectSystem=strict makes it', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const through = readOnly(lab.state)
  const tried = spawnSync(through[0] ?? '', [...through.slice(1), 'true'])
  if (tried.status !== 0) return void t.plan(0, 'nothing can be mounted here')
  await lab.allow('known.test')
  for (const recipients of [[KNOWN], [UNKNOWN], [KNOWN, UNKNOWN]]) {
    const outcome = await lab.filter({ recipients, through })
    assertDeferred(t, outcome, /read-only file system \(EROFS\); ProtectSystem= .*, run toeh doctor/)
  }
  t.equal(sink.mails.length, 0, 'nothing is sent')
  assertNothingLeft(t, lab)
})

t.test('a full disk', async (t) => {
  const mountPoint = makeFolder(t)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', mountPoint]).status === 0
  if (!mounted) return void t.plan(0, 'no file system can be mounted here')
  t.teardown(() => spawnSync('umount', ['-l', mountPoint]))
  const sink = await makeSink(t)
  const ballast = join(mountPoint, 'ballast')
  const statuses: Record<string, number | null> = {}
  for (let free = 0; free <= 64; free += 4) {
    const dir = join(mountPoint, `lab-${free}`)
    mkdirSync(dir)
    const lab = new Lab(dir, `${sink.setting}\nlimits.free_megabytes = 0\n[notice]\nenabled = false\n`)
    await lab.allow('known.test')
    const { bavail, bsize } = statfsSync(mountPoint)
    writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - free * 1024)))
    const sent = sink.mails.length
    const call = { recipients: [KNOWN, UNKNOWN], queueId: `FULL${String(free).padStart(4, '0')}` }
    const outcome = await lab.filter(call)
    statuses[`${free}k`] = outcome.code
    if (outcome.code === 0) assertSettled(t, outcome, /passed 1 .*held 1/)
    else {
      assertDeferred(
        t,
        outcome,
        /no space left on device \(ENOSPC\)|disk is full|disk I\/O error|disk failed/,
      )
      t.equal(sink.mails.length, sent, 'nothing was sent')
    }
    t.strictSame(lab.temporaries(), [], `${free}k free: nothing is left in hold/tmp`)
    rmSync(ballast)
    const retried = await lab.filter(call)
    assertSettled(t, retried, outcome.code === 0 ? 'settled before 2' : /passed 1 .*held 1/)
    t.equal(sink.mails.length, sent + 1, `${free}k free: one copy in the end`)
    t.strictSame(lab.states(), [`${KNOWN} passed`, `${UNKNOWN} held`])
    t.equal(lab.held().length, 1)
    rmSync(dir, { recursive: true })
  }
  t.equal(statuses['0k'], 75, 'with no room at all it defers')
  t.equal(statuses['64k'], 0, 'with room it does not')
  t.comment(statuses)
})

t.test('a decision log that cannot be written once the mail is out does not send it twice', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  const day = new Date().toISOString().slice(0, 10)
  symlinkSync('/dev/full', join(lab.state, `decisions/${day}.jsonl`))
  assertSettled(t, await lab.filter({ recipients: [KNOWN] }), /passed 1 as SINK\d+ \(decision log: failed\)/)
  t.equal(sink.mails.length, 1)
})

t.test('no free descriptors', async (t) => {
  if (spawnSync('prlimit', ['--version']).status !== 0) return void t.plan(0, 'no prlimit here')
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  const bare = join(lab.dir, 'bare.cjs')
  writeFileSync(bare, 'process.exit(0)\n')
  // All round where node can start and where the filter has enough; then up to where nothing is near.
  const LIMITS = [12, ...Array.from({ length: 10 }, (_, index) => 16 + index), 28, 40]
  const seen: string[] = []
  for (const limit of LIMITS) {
    const through = ['prlimit', `--nofile=${limit}:${limit}`]
    const node = spawnSync('env', [...onlyWith(PIPE_ENV), ...through, NODE, bare])
    const sent = sink.mails.length
    const queueId = `FILES${limit}`
    const outcome = await lab.filter({ recipients: [KNOWN, UNKNOWN], queueId, through })
    seen.push(`${limit}: node ${node.status ?? node.signal}, filter ${outcome.code ?? outcome.signal}`)
    t.ok(outcome.code === 0 || outcome.code === 75, `${limit}: nothing else, also where node cannot start`)
    if (node.status !== 0)
      t.equal(sink.mails.length, sent, `${limit}: nothing is sent where node cannot start`)
    else if (outcome.code === 0) assertSettled(t, outcome, /passed 1 .*held 1/)
    else if (outcome.signal === null) assertDeferred(t, outcome, /too many open files|unable to open/i)
    t.strictSame(lab.temporaries(), [], `${limit}: nothing is left in hold/tmp`)
    // As Postfix does: what ended with 0 is not handed over again.
    if (outcome.code !== 0) await lab.filter({ recipients: [KNOWN, UNKNOWN], queueId })
    t.equal(sink.mails.length, sent + 1, `${limit}: one copy in the end`)
  }
  t.comment(seen)
  t.match(seen.at(-1), /filter 0$/, 'forty are enough')
})

t.test('standard input', async (t) => {
  await t.test('empty', async (t) => {
    const lab = makeLab(t)
    assertDeferred(t, await lab.filter({ recipients: [UNKNOWN], input: '' }), /standard input was empty/)
    assertNothingLeft(t, lab)
  })

  await t.test('shorter than Postfix has announced', async (t) => {
    const lab = makeLab(t)
    const outcome = await lab.filter({ recipients: [UNKNOWN], size: 20_000 })
    assertDeferred(t, outcome, /it is short: \d+ of about 20000 bytes/)
    assertNothingLeft(t, lab)
    assertSettled(t, await lab.filter({ recipients: [UNKNOWN], size: MESSAGE.length + 12 }), 'held 1')
  })

  await t.test('never ends', async (t) => {
    const lab = makeLab(t, 'deadline_seconds = 1')
    const child = lab.startFilter({ recipients: [UNKNOWN] })
    child.stdin?.on('error', () => {})
    child.stdin?.write(MESSAGE)
    const enough = setTimeout(() => child.stdin?.end(), 15_000)
    assertDeferred(t, await outcomeOf(child), /deadline: not done within 1 s/)
    clearTimeout(enough)
    const nothing = await lab.filter({ recipients: [UNKNOWN], input: null, patience: 15_000 })
    assertDeferred(t, nothing, /deadline: not done within 1 s/)
    t.strictSame(lab.held(), [])
    t.strictSame(lab.states(), [])
  })
})

t.test('reinjection that fails for now: deferred, nothing is sent, the retry sends one copy', async (t) => {
  const table: [answers: Record<string, string>, reason: RegExp][] = [
    [{ HELLO: '421 4.3.2 too busy' }, /the connection was answered 421 4\.3\.2 too busy/],
    [{ HELLO: '554 5.3.2 go away' }, /the connection was answered 554 5\.3\.2 go away/],
    [{ HELLO: 'SSH-2.0-OpenSSH' }, /not an SMTP reply: "SSH-2\.0-OpenSSH"/],
    [{ HELLO: 'HANG UP' }, /the connection was closed/],
    [{ EHLO: '502 5.5.1 no' }, /EHLO was answered 502 5\.5\.1 no/],
    [{ MAIL: '451 4.3.0 queue file write error' }, /MAIL was answered 451 4\.3\.0 queue file write error/],
    [{ MAIL: '501 5.5.4 syntax' }, /MAIL was answered 501 5\.5\.4 syntax/],
    [{ MAIL: '503 5.5.1 nested MAIL' }, /MAIL was answered 503 5\.5\.1 nested MAIL/],
    [{ RCPT: '450 4.2.0 greylisted' }, /RCPT was answered 450 4\.2\.0 greylisted/],
    [{ RCPT: '421 4.3.2 closing' }, /RCPT was answered 421 4\.3\.2 closing/],
    [{ RCPT: 'HANG UP' }, /the connection was closed/],
    [{ DATA: '451 4.3.5 milter' }, /DATA was answered 451 4\.3\.5 milter/],
    [{ DATA: '501 5.5.4 syntax' }, /DATA was answered 501 5\.5\.4 syntax/],
    [{ DATA: '503 5.5.1 need RCPT' }, /DATA was answered 503 5\.5\.1 need RCPT/],
    [{ DATA: '250 2.0.0 Ok' }, /DATA was answered 250/],
    [{ '.': '452 4.3.1 insufficient storage' }, /the message was answered 452 4\.3\.1 insufficient storage/],
    [{ '.': 'HANG UP' }, /the connection was closed/],
    [{ '.': '250-half' }, /no answer to the end of the message for 1 s/],
    [{ '.': 'SILENCE' }, /no answer to the end of the message for 1 s/],
    [{ HELLO: 'SILENCE' }, /deadline: not done within 1 s/],
    [{ RCPT: 'SILENCE' }, /deadline: not done within 1 s/],
  ]
  for (const [answers, reason] of table) {
    await t.test(JSON.stringify(answers), async (t) => {
      const talker = await Talker.start(t, answers)
      const deadline = `deadline_seconds = ${reason.source.includes('deadline') ? 1 : 20}\n`
      const lab = makeLab(t, `${deadline}answer_seconds = 1\n${talker.setting}`)
      await lab.allow('known.test')
      assertDeferred(t, await lab.filter({ recipients: [KNOWN], patience: 15_000 }), reason)
      t.strictSame(lab.held(), [], 'nothing is held')
      t.strictSame(lab.states(), [])
      if (!Object.hasOwn(answers, '.'))
        t.notOk(talker.heard.includes('.'), 'the message did not go out whole')
      const sink = await makeSink(t)
      lab.configure(`${sink.setting}\n[notice]\nenabled = false\n`)
      assertSettled(t, await lab.filter({ recipients: [KNOWN] }), 'passed 1 as SINK00000001')
      t.strictSame(unwire(sink.mails[0]?.bytes ?? Buffer.of()).toString(), MESSAGE)
    })
  }

  await t.test(
    'a server that is slower than the deadline, once the end is on its way: one copy',
    async (t) => {
      const talker = await Talker.start(t, { '.': () => sleep(2500, '250 2.0.0 Ok: queued as SLOW') })
      const lab = makeLab(t, `deadline_seconds = 1\n${talker.setting}`)
      await lab.allow('known.test')
      assertSettled(t, await lab.filter({ recipients: [KNOWN] }), 'passed 1 as SLOW')
    },
  )

  await t.test('a refusal that comes as late: parked', async (t) => {
    const talker = await Talker.start(t, { '.': () => sleep(2500, '554 5.7.1 no') })
    const lab = makeLab(t, `deadline_seconds = 1\n${talker.setting}`)
    await lab.allow('known.test')
    assertSettled(t, await lab.filter({ recipients: [KNOWN] }), /^toeh: refused 1 in [0-9a-z]{12}\n$/)
    t.strictSame(lab.states(), [`${KNOWN} refused`])
  })

  await t.test('nobody listens', async (t) => {
    const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${await closedPort()}"`)
    await lab.allow('known.test')
    assertDeferred(
      t,
      await lab.filter({ recipients: [KNOWN] }),
      /reinject at 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
    )
    assertNothingLeft(t, lab)
  })

  await t.test('one recipient is deferred: nobody gets it', async (t) => {
    const sink = await makeSink(t, (to) => (to === 'two@known.test' ? '450 4.2.0 greylisted' : undefined))
    const lab = makeLab(t, sink.setting)
    await lab.allow('known.test')
    const recipients = ['one@known.test', 'two@known.test', 'three@known.test']
    assertDeferred(t, await lab.filter({ recipients }), /RCPT was answered 450 .*greylisted/)
    t.equal(sink.mails.length, 0)
    assertNothingLeft(t, lab)
  })
})

t.test('reinjection that is refused for good: parked as refused, never bounced', async (t) => {
  await t.test('one recipient: the rest goes on', async (t) => {
    const sink = await makeSink(t, (to) => (to === 'gone@known.test' ? '550 5.1.1 no such user' : undefined))
    const lab = makeLab(t, sink.setting)
    await lab.allow('known.test')
    const outcome = await lab.filter({ recipients: [KNOWN, 'gone@known.test'] })
    assertSettled(t, outcome, /^toeh: passed 1 as SINK00000001, refused 1 in [0-9a-z]{12}\n$/)
    t.strictSame(
      sink.mails.map(({ recipients }) => recipients),
      [[KNOWN]],
    )
    t.strictSame(lab.states(), [`${KNOWN} passed`, 'gone@known.test refused'])
    const rows = lab.query<{ detail: string }>(`SELECT detail FROM recipient WHERE state = 'refused'`)
    t.match(rows[0]?.detail, /^550 .*no such user/)
    t.match(lab.decisions()[0]?.recipients, [
      { to: KNOWN, verdict: 'pass', reason: 'allowed', did: 'passed' },
      { to: 'gone@known.test', verdict: 'pass', reason: 'allowed', did: 'refused' },
    ])
  })
  const table: Record<string, string>[] = [
    { MAIL: '550 5.7.1 sender rejected' },
    { RCPT: '550 5.1.1 no such user' },
    { DATA: '554 5.5.1 no' },
    { '.': '552 5.3.4 message size exceeds fixed limit' },
    { '.': '554 5.4.6 too many hops' },
  ]
  for (const answers of table) {
    await t.test(JSON.stringify(answers), async (t) => {
      const talker = await Talker.start(t, answers)
      const lab = makeLab(t, talker.setting)
      await lab.allow('known.test')
      const recipients = [KNOWN, 'carl@known.test']
      assertSettled(t, await lab.filter({ recipients }), /^toeh: refused 2 in [0-9a-z]{12}\n$/)
      t.strictSame(lab.states(), [`${KNOWN} refused`, 'carl@known.test refused'])
      const [id = ''] = lab.held()
      t.equal(readFileSync(join(lab.state, `hold/${id}/message.eml`), 'utf8'), MESSAGE, 'the bytes are kept')
      t.strictSame(lab.temporaries(), [])
    })
  }
})

t.test('a message that has come back from reinjection', async (t) => {
  const lab = makeLab(t)
  const input = `Received: from toeh-reinject.invalid (localhost [127.0.0.1])\n\tby mx.corp.test\n${MESSAGE}`
  const outcome = await lab.filter({ recipients: [UNKNOWN], input })
  assertDeferred(t, outcome, /has come back.*content_filter.*set -o content_filter= on it/)
  assertNothingLeft(t, lab)
})

t.test('memory stays flat: 25 MB take little more than nothing', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  const tell = join(lab.dir, 'tell.cjs')
  const told = join(lab.dir, 'told')
  writeFileSync(
    tell,
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(told)}, String(process.resourceUsage().maxRSS)))`,
  )
  /** Kilobytes at the most, of the whole process. */
  const peakOf = async (input: string): Promise<number> => {
    const env = { NODE_OPTIONS: `--require=${tell}` }
    const { code } = await lab.filter({ recipients: [KNOWN], input, env })
    t.equal(code, 0)
    return Number(readFileSync(told, 'utf8'))
  }
  const small = await peakOf(MESSAGE)
  const line = `${'x'.repeat(75)}\n`
  const large = await peakOf(MESSAGE + line.repeat(25 * 2 ** 14))
  t.ok(small > 10_000 && large - small < 25_000, `${small} kB, and ${large} kB`)
  t.equal(sink.mails.length, 2)
})

t.test('output that nobody reads', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  const run = async (recipients: string[], input: string) => {
    const child = lab.startFilter({ recipients })
    child.stdout?.destroy()
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    return outcomeOf(child)
  }
  t.match(await run([KNOWN], MESSAGE), { code: 0, signal: null, stderr: '' })
  t.equal(sink.mails.length, 1, 'sent, and not to be retried')
  t.match(await run([KNOWN], ''), { code: 75, signal: null, stderr: '' })
})

t.test('observe mode', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, `mode = "observe"\n${sink.setting}`)
  await lab.allow('known.test')
  const recipients = [KNOWN, UNKNOWN, 'eve%evil.test@unknown.test', 'us er@known.test']
  const outcome = await lab.filter({ recipients })
  assertSettled(t, outcome, /^toeh observes: passed 3 as SINK00000001, held 1 in [0-9a-z]{12}\n$/)
  t.strictSame(
    sink.mails.map((mail) => mail.recipients),
    [recipients.slice(0, 3)],
  )
  t.strictSame(
    lab.decisions().map(({ mode, recipients }) => ({ mode, recipients })),
    [
      {
        mode: 'observe',
        recipients: [
          { to: KNOWN, verdict: 'pass', reason: 'allowed', rule: 1, did: 'passed' },
          { to: UNKNOWN, verdict: 'hold', reason: 'unknown', rule: null, did: 'passed' },
          {
            to: 'eve%evil.test@unknown.test',
            verdict: 'hold',
            reason: 'malformed',
            rule: null,
            did: 'passed',
          },
          { to: 'us er@known.test', verdict: 'hold', reason: 'malformed', rule: null, did: 'held' },
        ],
      },
    ],
  )
  t.equal(
    lab.states().find((row) => row.startsWith('us er')),
    'us er@known.test held',
  )
})

t.test('every reason to pass or to hold, in the verdict and in the decision log', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  lab.change(`INSERT INTO rule (kind, value, subdomains, effect, added_by, added_at, source, note)
              VALUES ('address', 'carl@known.test', 0, 'block', 'test', 1, 'test', '')`)
  const table: [sender: string, recipient: string, reason: string, passes: boolean][] = [
    ['anna@corp.test', 'Otto@CORP.test', 'internal', true],
    ['anna@corp.test', 'bob@known.test', 'allowed', true],
    ['', 'bob@known.test', 'allowed', true],
    ['anna@corp.test', 'carl@known.test', 'blocked', false],
    ['anna@corp.test', 'eve@unknown.test', 'unknown', false],
    ['', 'eve@unknown.test', 'unknown', false],
    ['anna@corp.test', 'eve%unknown.test@corp.test', 'malformed', false],
    ['mallory@evil.test', 'otto@corp.test', 'internal', true],
    ['mallory@evil.test', 'bob@known.test', 'foreign-sender', false],
    ['mal\u0001lory@evil.test', 'otto@corp.test', 'foreign-sender', false],
  ]
  for (const [index, [sender, recipient, reason, passes]] of table.entries()) {
    const outcome = await lab.filter({ sender, recipients: [recipient], queueId: `REASON${index}` })
    assertSettled(t, outcome, passes ? 'passed 1' : 'held 1')
    const verdict = passes ? 'pass' : 'hold'
    t.match(
      lab.decisions().at(-1)?.recipients,
      [{ to: recipient, verdict, reason }],
      `${recipient}: ${reason}`,
    )
  }
  t.strictSame(
    sink.mails.map((mail) => [mail.sender, ...mail.recipients]),
    [
      ['anna@corp.test', 'Otto@CORP.test'],
      ['anna@corp.test', 'bob@known.test'],
      ['', 'bob@known.test'],
      ['mallory@evil.test', 'otto@corp.test'],
    ],
  )
})

t.test('the verdict of a full run fits the log line and names nobody', async (t) => {
  const sink = await makeSink(t, (to) => (to.startsWith('gone') ? '550 5.1.1 no such user' : undefined))
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  const many = (name: string, domain: string): string[] =>
    Array.from({ length: 50 }, (_, index) => `${name}${index}@${domain}`)
  await lab.park(many('early', 'unknown.test'))
  const recipients = [
    ...many('early', 'unknown.test'),
    ...many('late', 'unknown.test'),
    ...many('gone', 'known.test'),
    ...many('known', 'known.test'),
  ]
  const verdict =
    /^toeh: passed 50 as SINK00000001, held 50, refused 50, settled before 50 in [0-9a-z]{12}\n$/
  assertSettled(t, await lab.filter({ recipients }), verdict)
})

t.test('what it makes is for its own user alone, whatever the umask', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const through = ['sh', '-c', 'umask 0; exec "$@"', 'sh']
  assertSettled(t, await lab.filter({ recipients: [UNKNOWN], through }), 'held 1')
  const [id = ''] = lab.held()
  const day = new Date().toISOString().slice(0, 10)
  const mode = (path: string): string => (statSync(join(lab.state, path)).mode & 0o777).toString(8)
  t.equal(mode(`hold/${id}`), '700')
  t.equal(mode(`hold/${id}/message.eml`), '600')
  t.equal(mode(`hold/${id}/envelope.json`), '600')
  t.equal(mode(`decisions/${day}.jsonl`), '600')
})

t.test('reinjection by sendmail', async (t) => {
  /** A sendmail that notes its arguments, its input and what kind of file that is, prints, and ends as told. */
  const makeSendmail = (lab: Lab, end: string): void => {
    const path = join(lab.dir, 'sendmail')
    writeFileSync(
      path,
      `#!/bin/sh
      printf '%s\\n' "$@" > ${lab.dir}/arguments
      [ -f /proc/self/fd/0 ] && echo regular > ${lab.dir}/kind
      cat > ${lab.dir}/sent
      echo 5.7.1 noise; echo noise >&2
      ${end}\n`,
    )
    chmodSync(path, 0o755)
  }
  const setting = (dir: string): string =>
    `reinject = "sendmail:${dir}/sendmail"\n[notice]\nenabled = false\n`
  const binary = Buffer.from('Subject: x\n\n.\nFrom me\n\xff\x00\rno end', 'latin1')

  await t.test('sent', async (t) => {
    const lab = makeLab(t)
    lab.configure(setting(lab.dir))
    await lab.allow('known.test')
    makeSendmail(lab, 'exit 0')
    const outcome = await lab.filter({ recipients: [KNOWN, 'b@known.test', UNKNOWN], input: binary })
    assertSettled(t, outcome, /^toeh: passed 2, held 1 in [0-9a-z]{12}\n$/)
    const read = (name: string): string => readFileSync(join(lab.dir, name), 'latin1')
    t.strictSame(read('arguments').split('\n').slice(0, -1), [
      '-G',
      '-i',
      '-f',
      'anna@corp.test',
      '--',
      KNOWN,
      'b@known.test',
    ])
    t.equal(read('kind'), 'regular\n', 'its input is a regular file')
    t.equal(read('sent'), binary.toString('latin1'))
  })
  const table: [end: string, reason: RegExp][] = [
    ['exit 75', /sendmail: it ended with status 75/],
    ['exit 1', /sendmail: it ended with status 1/],
    ['exit 67', /sendmail: it ended with status 67/],
    ['kill -9 $$', /sendmail: it was killed by SIGKILL/],
  ]
  for (const [end, reason] of table) {
    await t.test(end, async (t) => {
      const lab = makeLab(t)
      lab.configure(setting(lab.dir))
      await lab.allow('known.test')
      makeSendmail(lab, end)
      assertDeferred(t, await lab.filter({ recipients: [KNOWN], patience: 15_000 }), reason)
      assertNothingLeft(t, lab)
    })
  }
  await t.test('missing', async (t) => {
    const lab = makeLab(t)
    lab.configure(setting(lab.dir))
    await lab.allow('known.test')
    assertDeferred(t, await lab.filter({ recipients: [KNOWN] }), /sendmail: .*ENOENT/)
    assertNothingLeft(t, lab)
  })
  await t.test('slower than the deadline: one copy', async (t) => {
    const lab = makeLab(t)
    lab.configure(`deadline_seconds = 1\n${setting(lab.dir)}`)
    await lab.allow('known.test')
    makeSendmail(lab, 'exec sleep 2')
    assertSettled(t, await lab.filter({ recipients: [KNOWN] }), 'passed 1')
  })
  const hanging: [name: string, end: string][] = [
    ['itself', 'exec sleep 60'],
    ['what it has started', 'sleep 60 & echo $! >> pids; wait'],
    ['what that has started', 'sh -c "sleep 60 & echo \\$! >> pids; wait" & wait'],
    ['at no request to end', "trap '' TERM; sleep 60; sleep 60"],
  ]
  for (const [name, end] of hanging) {
    await t.test(`hanging, ${name}: ended before the run is`, async (t) => {
      const lab = makeLab(t)
      lab.configure(`answer_seconds = 1\n${setting(lab.dir)}`)
      await lab.allow('known.test')
      makeSendmail(lab, `cd ${lab.dir}; echo $$ >> pids; ${end}`)
      const outcome = await lab.filter({ recipients: [KNOWN] })
      assertDeferred(t, outcome, /sendmail: it has not ended for 1 s/)
      const pids = readFileSync(join(lab.dir, 'pids'), 'utf8').trim().split('\n')
      t.strictSame(
        pids.filter(
          (pid) =>
            existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
        ),
        [],
        'none of them lives',
      )
    })
  }
  await t.test('an address it would split is never handed to it', async (t) => {
    const lab = makeLab(t)
    lab.configure(`mode = "observe"\n${setting(lab.dir)}`)
    makeSendmail(lab, 'exit 0')
    const split = 'evil@evil.test,x@known.test'
    const quoted = '"a,b"@known.test'
    assertSettled(
      t,
      await lab.filter({ recipients: [split, quoted, KNOWN] }),
      /passed 1, held 1, refused 1 in/,
    )
    t.strictSame(
      lab.states().filter((row) => !row.endsWith('passed')),
      [`${quoted} refused`, `${split} held`],
    )
    t.match(readFileSync(join(lab.dir, 'arguments'), 'utf8'), new RegExp(`--\n${KNOWN}\n$`))
  })
})

t.test('a notice that cannot be sent never fails the run', async (t) => {
  const port = await closedPort()
  const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${port}"`, 'approvers = ["boss@corp.test"]')
  assertSettled(t, await lab.filter({ recipients: [UNKNOWN] }), 'held 1')
  t.strictSame(lab.states(), [`${UNKNOWN} held`])
  t.strictSame(lab.temporaries(), [])
  t.equal(lab.query<{ n: number }>('SELECT count(*) AS n FROM hold WHERE notified_at IS NULL')[0]?.n, 1)
})

t.test('a warning of Node never comes before the verdict', async (t) => {
  const lab = makeLab(t)
  const preload = join(lab.dir, 'warn.cjs')
  appendFileSync(preload, `process.nextTick(() => process.emitWarning('noise', 'DeprecationWarning'))\n`)
  // And one that is on its way before ours begins.
  appendFileSync(preload, `process.emitWarning('early noise')\n`)
  const outcome = await lab.filter({ recipients: [UNKNOWN], env: { NODE_OPTIONS: `--require=${preload}` } })
  assertSettled(t, outcome, 'held 1')
})

t.test(
  'started by root for its own user, as pipe(8) does',
  { skip: IS_ROOT ? false : 'needs root' },
  async (t) => {
    const lab = makeLab(t)
    lab.giveAway()
    assertSettled(t, await lab.filter({ recipients: [UNKNOWN], through: UNPRIVILEGED }), 'held 1')
    const [id = ''] = lab.held()
    t.equal(statSync(join(lab.state, 'hold', id)).uid, 65534, 'what it parks belongs to that user')
  },
)

t.test(
  'run by hand as root it leaves the state folder alone',
  { skip: IS_ROOT && UNPRIVILEGED.length > 0 ? false : 'needs root' },
  async (t) => {
    const sink = await makeSink(t)
    const lab = makeLab(t, sink.setting)
    await lab.allow('known.test')
    lab.giveAway()
    chmodSync(lab.dir, 0o755)
    const before = lab.snapshot()
    const large = `${MESSAGE}${'x\n'.repeat(100_000)}`
    for (const call of [
      { recipients: [KNOWN] },
      { recipients: [UNKNOWN] },
      { recipients: [KNOWN], input: large },
      { recipients: [KNOWN], bare: true },
      { recipients: [KNOWN], through: ['env', 'SUDO_USER=nobody'] },
    ])
      assertDeferred(
        t,
        await lab.filter(call),
        /^4\.3\.0 toeh: start \S+\/state: root is not the owner of the state folder; pipe\(8\) runs it as its owner/,
      )
    t.strictSame(lab.snapshot(), before, 'no file is made, and none has changed')
    t.equal(sink.mails.length, 0)
    // The first message of the day is its owner's.
    assertSettled(t, await lab.filter({ recipients: [KNOWN], through: UNPRIVILEGED }), 'passed 1')
    assertSettled(t, await lab.filter({ recipients: [UNKNOWN], through: UNPRIVILEGED }), 'held 1')
    assertDeferred(t, await lab.filter({ recipients: [UNKNOWN] }), 'root is not the owner')
    // What its commands make as root is its owner's too.
    const out = join(lab.dir, 'out')
    mkdirSync(out)
    chownSync(out, 65534, 65534)
    for (const args of [
      ['cleanup'],
      ['digest'],
      ['recheck'],
      ['allow', 'other.test'],
      ['backup', out],
      ['fsck', '--repair'],
      ['moderate', '--sender=x@corp.test'],
      ['release', '--all', '--yes'],
    ])
      await lab.toeh(...args)
    const others = walk(lab.state).filter((path) => statSync(path).uid !== 65534)
    t.strictSame(others, [], 'root has made nothing there')
    t.ok(walk(lab.state).some((path) => path.endsWith('last-backup')))
  },
)
