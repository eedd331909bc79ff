/** fsck: each thing that can be wrong is found, what is safe is repaired, nothing is deleted. docs/backup.md has the table. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../../lib/config.js'
import { databasePath } from '../../../lib/database/database.js'
import type { FsckReport } from '../../../lib/hold/fsck/context.js'
import { fsck } from '../../../lib/hold/fsck/fsck.js'
import { park, unknown } from '../../support/held.js'
import {
  assertSettled,
  type FilterCall,
  type Lab,
  MESSAGE,
  makeLab,
  outcomeOf,
  PIPE_ENV,
  ROOT,
  startWith,
  walk,
} from '../../support/lab.js'
import { makeSink } from '../../support/sink.js'

const EVE = 'eve@unknown.test'
const MALLORY = 'mal@unknown.test'

/** fsck's findings as `fault repaired?`, after holding its status against what it says. */
async function check(t: Test, lab: Lab, ...args: string[]): Promise<string[]> {
  return (await report(t, lab, ...args)).findings.map(
    ({ fault, repaired }) => `${fault}${repaired ? ' repaired' : ''}`,
  )
}

/** In this process: the program itself stands in its own tests below. */
async function report(t: Test, lab: Lab, ...args: string[]): Promise<FsckReport> {
  const backup = args.includes('--backup') ? args[args.indexOf('--backup') + 1] : undefined
  const options = { repair: args.includes('--repair'), settleGone: args.includes('--settle-gone'), backup }
  const found = await fsck(loadConfig(lab.config), { who: 'marie', at: Date.now() }, options)
  t.equal(
    found.whole,
    found.findings.every(({ repaired }) => repaired),
  )
  return found
}

async function reportOfProgram(t: Test, lab: Lab, ...args: string[]): Promise<FsckReport> {
  const { code, stdout, stderr } = await lab.toeh('fsck', '--json', ...args)
  t.equal(stderr, '')
  const found = JSON.parse(stdout) as FsckReport
  t.equal(code, found.whole ? 0 : 1, 'the status says whether anything is left')
  t.equal(
    found.whole,
    found.findings.every(({ repaired }) => repaired),
  )
  return found
}

/** Every file below the state folder with its bytes: what repair must not lose. */
function contents(lab: Lab): string[] {
  return walk(join(lab.state, 'hold'))
    .filter((path) => path.endsWith('.eml'))
    .map((path) => readFileSync(path, 'utf8'))
    .sort()
}

/** Makes a folder as old as no run of the filter can be. */
function age(lab: Lab, path: string, seconds = 3600): void {
  const at = Date.now() / 1000 - seconds
  utimesSync(join(lab.state, path), at, at)
}

/** Removes the rows of a message, as if its run had been killed before they were committed. */
function forget(lab: Lab, id: string): void {
  lab.change('DELETE FROM recipient WHERE hold = ?', id)
  lab.change('DELETE FROM hold WHERE id = ?', id)
}

/** Has the message that `park` makes passed on, as a retry does once somebody has allowed its recipients. */
async function passOn(
  t: Test,
  lab: Lab,
  recipients: string[],
  changes: Partial<FilterCall> = {},
): Promise<void> {
  const sink = await makeSink(t)
  lab.configure(`${sink.setting}\n[notice]\nenabled = false\n`)
  for (const address of recipients) await lab.allow(address)
  assertSettled(t, await lab.filter({ queueId: '4bQ8Yk2hJnz1', recipients, ...changes }), 'passed')
}

/**
 * One fault at a time: found without a change to anything, then repaired or told, and found no more once it is
 * repaired.
 */
async function testFault(
  t: Test,
  name: string,
  make: (lab: Lab, id: string) => unknown,
  expected: { found: string[]; repaired: string[]; after: string[] },
  then: (t: Test, lab: Lab, id: string) => unknown = () => {},
): Promise<void> {
  await t.test(name, async (t) => {
    const lab = makeLab(t)
    await lab.allow('known.test')
    const { db, hold, folder } = lab.stores()
    const id = await park(hold, folder, [unknown(EVE), unknown(MALLORY)], { expiresAt: Date.now() })
    db.close()
    await make(lab, id)
    const before = lab.snapshot()
    const bytes = contents(lab)
    t.strictSame(await check(t, lab), expected.found)
    t.strictSame(lab.snapshot(), before, 'without --repair nothing is written')
    t.strictSame(await check(t, lab, '--repair'), expected.repaired)
    t.strictSame(contents(lab), bytes, 'no message is lost by a repair')
    t.strictSame(await check(t, lab), expected.after)
    await then(t, lab, id)
  })
}

const none: string[] = []
const fixed = (fault: string): { found: string[]; repaired: string[]; after: string[] } => ({
  found: [fault],
  repaired: [`${fault} repaired`],
  after: none,
})
const told = (fault: string): { found: string[]; repaired: string[]; after: string[] } => ({
  found: [fault],
  repaired: [fault],
  after: [fault],
})
const bothHeld = (t: Test, lab: Lab): void => {
  t.strictSame(lab.states(), [`${EVE} held`, `${MALLORY} held`])
}

t.test('whole', async (t) => {
  const lab = makeLab(t)
  t.strictSame(await report(t, lab), { findings: [], checked: 0, whole: true })
  const id = await lab.park([EVE, MALLORY])
  await lab.toeh('reject', '--quiet', id, '--recipient', EVE)
  t.strictSame(await report(t, lab), { findings: [], checked: 1, whole: true })
  await lab.toeh('reject', '--quiet', id)
  const before = lab.snapshot()
  t.strictSame(
    await report(t, lab),
    { findings: [], checked: 0, whole: true },
    'what is settled needs no folder',
  )
  t.strictSame(lab.snapshot(), before)
})

t.test('each fault', async (t) => {
  await testFault(
    t,
    'counts: a message that is counted as settled is found again',
    (lab, id) => lab.change('UPDATE hold SET waiting = 0 WHERE id = ?', id),
    fixed('counts'),
    (t, lab) => {
      bothHeld(t, lab)
      t.match(lab.query('SELECT messages, recipients FROM load'), [{ messages: 1, recipients: 2 }])
      t.match(lab.query('SELECT waiting FROM hold'), [{ waiting: 2 }])
    },
  )
  await testFault(
    t,
    'orphan: a folder without rows is taken in again',
    (lab, id) => {
      forget(lab, id)
      age(lab, `hold/${id}`)
    },
    fixed('orphan'),
    (t, lab) => {
      bothHeld(t, lab)
      t.strictSame(lab.query('SELECT what, was, now FROM audit WHERE id > 1'), [
        { what: 'adopted', was: '', now: 'held' },
        { what: 'adopted', was: '', now: 'held' },
      ])
    },
  )
  await testFault(
    t,
    'orphan: a folder whose message was passed on since is not taken in',
    async (lab, id) => {
      forget(lab, id)
      await passOn(t, lab, [EVE, MALLORY])
      age(lab, `hold/${id}`)
    },
    told('leftover'),
    (t, lab) => t.strictSame(lab.states(), [], 'nobody can release it a second time'),
  )
  await testFault(
    t,
    'orphan: who was passed on since is settled, and who was not waits',
    async (lab, id) => {
      forget(lab, id)
      await passOn(t, lab, [MALLORY])
      age(lab, `hold/${id}`)
    },
    fixed('orphan'),
    (t, lab) => t.strictSame(lab.states(), [`${EVE} held`, `${MALLORY} passed`]),
  )
  await testFault(
    t,
    'orphan: what was passed on of another message says nothing',
    async (lab, id) => {
      forget(lab, id)
      await passOn(t, lab, [EVE, MALLORY], { input: `${MESSAGE}more\n` })
      await passOn(t, lab, [EVE, MALLORY], { sender: 'otto@corp.test' })
      await passOn(t, lab, [EVE, MALLORY], { queueId: 'OTHER0001' })
      age(lab, `hold/${id}`)
    },
    fixed('orphan'),
    bothHeld,
  )
  await testFault(
    t,
    'orphan: of no time there is',
    (lab, id) => {
      forget(lab, id)
      const path = join(lab.state, 'hold', id, 'envelope.json')
      const envelope = JSON.parse(readFileSync(path, 'utf8'))
      writeFileSync(path, JSON.stringify({ ...envelope, heldAt: Number.MAX_SAFE_INTEGER }))
      age(lab, `hold/${id}`)
    },
    fixed('orphan'),
    bothHeld,
  )
  await testFault(
    t,
    'orphan: where the decision log is gone',
    (lab, id) => {
      forget(lab, id)
      rmSync(join(lab.state, 'decisions'), { recursive: true })
      age(lab, `hold/${id}`)
    },
    fixed('orphan'),
    bothHeld,
  )
  await testFault(
    t,
    'unlisted: who was passed on since is settled',
    async (lab, id) => {
      lab.change('DELETE FROM recipient WHERE address = ?', EVE)
      await passOn(t, lab, [EVE])
      lab.change('DELETE FROM recipient WHERE address = ?', EVE)
      age(lab, `hold/${id}`)
    },
    fixed('unlisted'),
    (t, lab) => t.strictSame(lab.states(), [`${EVE} passed`, `${MALLORY} held`]),
  )
  await testFault(
    t,
    'orphan: a young one may belong to a run that lives',
    (lab, id) => forget(lab, id),
    { found: none, repaired: none, after: none },
    (t, lab) => t.strictSame(lab.states(), []),
  )
  await testFault(
    t,
    'orphan: without envelope it can only be told',
    (lab, id) => {
      forget(lab, id)
      writeFileSync(join(lab.state, 'hold', id, 'envelope.json'), '{')
      age(lab, `hold/${id}`)
    },
    told('orphan'),
  )
  await testFault(
    t,
    'orphan: an envelope whose id does not fit is not believed',
    (lab, id) => {
      forget(lab, id)
      const path = join(lab.state, 'hold', id, 'envelope.json')
      writeFileSync(path, readFileSync(path, 'utf8').replace('anna@corp.test', 'otto@corp.test'))
      age(lab, `hold/${id}`)
    },
    told('orphan'),
    (t, lab) => t.strictSame(lab.states(), []),
  )
  await testFault(
    t,
    'unlisted: a recipient the folder has and the rows have not',
    (lab, id) => {
      lab.change('DELETE FROM recipient WHERE address = ?', EVE)
      age(lab, `hold/${id}`)
    },
    fixed('unlisted'),
    bothHeld,
  )
  await testFault(
    t,
    'gone: rows without folder are never settled unasked',
    (lab, id) => rmSync(join(lab.state, 'hold', id), { recursive: true }),
    told('gone'),
    async (t, lab) => {
      bothHeld(t, lab)
      t.strictSame(await check(t, lab, '--repair', '--settle-gone'), ['gone repaired'])
      t.strictSame(lab.states(), [`${EVE} rejected`, `${MALLORY} rejected`])
      const details = lab.query<{ detail: string }>('SELECT DISTINCT detail FROM recipient')
      t.strictSame(details, [
        { detail: 'its bytes were gone: settled after a backup that was restored, or removed' },
      ])
      t.equal(lab.query(`SELECT * FROM audit WHERE what = 'rejected'`).length, 2)
      t.strictSame(await check(t, lab), none)
    },
  )
  await testFault(
    t,
    'bytes: altered',
    (lab, id) => {
      const path = join(lab.state, 'hold', id, 'message.eml')
      const bytes = readFileSync(path)
      bytes[bytes.length - 2] = 0x21
      writeFileSync(path, bytes)
    },
    told('bytes'),
    bothHeld,
  )
  await testFault(
    t,
    'bytes: missing',
    (lab, id) => rmSync(join(lab.state, 'hold', id, 'message.eml')),
    told('bytes'),
    bothHeld,
  )
  const envelope = (lab: Lab, id: string): string => join(lab.state, 'hold', id, 'envelope.json')
  const hasEnvelope = (t: Test, lab: Lab, id: string): void => {
    const { recipients } = JSON.parse(readFileSync(envelope(lab, id), 'utf8')) as {
      recipients: { address: string }[]
    }
    t.strictSame(
      recipients.map(({ address }) => address),
      [EVE, MALLORY],
    )
  }
  for (const [name, spoil] of [
    ['gone', (path: string) => rmSync(path)],
    ['unreadable', (path: string) => writeFileSync(path, '{ "id"')],
    ['of another shape', (path: string) => writeFileSync(path, '{}')],
    ['of another sender', (path: string) => edit(path, 'anna@corp.test', 'otto@corp.test')],
    ['of another size', (path: string) => edit(path, '"size": ', '"size": 1')],
    ['without a recipient', (path: string) => edit(path, EVE, MALLORY)],
  ] as [string, (path: string) => void][]) {
    await testFault(
      t,
      `envelope: ${name}`,
      (lab, id) => spoil(envelope(lab, id)),
      fixed('envelope'),
      (t, lab, id) => {
        hasEnvelope(t, lab, id)
        const kept = readdirSync(join(lab.state, 'hold', id)).filter((file) =>
          file.startsWith('.envelope-damaged-'),
        )
        t.equal(kept.length, name === 'gone' || name === 'without a recipient' ? 0 : 1, 'the old one is kept')
      },
    )
  }
  await testFault(
    t,
    'rows: a sender altered in the database',
    (lab) => lab.change(`UPDATE hold SET sender = 'mallory@evil.test'`),
    told('rows'),
  )
  await testFault(
    t,
    'stuck: a release that was cut off is not decided here',
    (lab) => lab.change(`UPDATE recipient SET state = 'releasing', changed_at = 1 WHERE address = ?`, EVE),
    told('stuck'),
    (t, lab) => t.strictSame(lab.states(), [`${EVE} releasing`, `${MALLORY} held`]),
  )
  await testFault(
    t,
    'stuck: one that may live is none',
    (lab) => lab.change(`UPDATE recipient SET state = 'releasing', changed_at = ?`, Date.now()),
    { found: none, repaired: none, after: none },
  )
  await testFault(
    t,
    "leftover: settled bytes are cleanup's to remove",
    (lab) => lab.change(`UPDATE recipient SET state = 'rejected', changed_at = 1`),
    told('leftover'),
    async (t, lab) => {
      await lab.toeh('cleanup')
      t.strictSame(await check(t, lab), none)
    },
  )
  await testFault(
    t,
    "temporary: what a killed run has left is cleanup's to sweep",
    (lab) => {
      for (const [name, seconds] of [
        ['1-old', 90_000],
        ['2-young', 80_000],
      ] as const) {
        mkdirSync(join(lab.state, 'hold/tmp', name), { mode: 0o700 })
        age(lab, `hold/tmp/${name}`, seconds)
      }
    },
    told('temporary'),
    (t, lab) => t.strictSame(lab.temporaries(), ['1-old', '2-young']),
  )
  await testFault(
    t,
    'stray: what is no message of the hold',
    (lab) => mkdirSync(join(lab.state, 'hold/lost+found'), { mode: 0o700 }),
    told('stray'),
  )
  await testFault(
    t,
    'rights',
    (lab, id) => {
      chmodSync(join(lab.state, 'hold'), 0o755)
      chmodSync(join(lab.state, 'hold', id, 'message.eml'), 0o644)
      chmodSync(join(lab.state, 'hold', id, 'envelope.json'), 0o400)
      chmodSync(databasePath(lab.state), 0o660)
    },
    {
      found: ['rights', 'rights', 'rights', 'rights'],
      repaired: ['rights repaired', 'rights repaired', 'rights repaired', 'rights repaired'],
      after: none,
    },
    (t, lab, id) => {
      t.equal(statSync(join(lab.state, 'hold')).mode & 0o777, 0o700)
      t.equal(statSync(join(lab.state, 'hold', id, 'message.eml')).mode & 0o777, 0o600)
      t.equal(statSync(databasePath(lab.state)).mode & 0o777, 0o600)
    },
  )
  await testFault(
    t,
    'a recipient whose message has lost its row',
    (lab, id) => {
      const db = lab.openDatabase()
      db.run('PRAGMA foreign_keys = OFF')
      db.run('DELETE FROM hold')
      db.close()
      age(lab, `hold/${id}`)
    },
    { found: ['orphan', 'database'], repaired: ['orphan repaired', 'database repaired'], after: none },
    bothHeld,
  )
})

function edit(path: string, from: string, to: string): void {
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to))
}

t.test('a joined message whose folder was rewritten keeps who was settled', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const id = await lab.park([EVE, MALLORY])
  t.match(await lab.toeh('release', id, '--recipient', EVE), { code: 0 })
  await lab.filter({ recipients: ['late@unknown.test'] })
  rmSync(databasePath(lab.state))
  t.strictSame(await check(t, lab, '--repair'), ['database repaired'])
  t.strictSame(lab.states(), [`${EVE} released`, 'late@unknown.test held', `${MALLORY} held`])
  t.match(await lab.toeh('release', id), { code: 0 })
  t.strictSame(
    sink.mails.map(({ recipients }) => recipients),
    [[EVE], ['late@unknown.test', MALLORY]],
    'nobody gets it twice',
  )
})

t.test('a database that is lost', async (t) => {
  /** Spoils the pages behind the first, as a failing disk does. */
  const scramble = (path: string): void => {
    const bytes = readFileSync(path)
    bytes.fill(0x5a, 4096)
    writeFileSync(path, bytes)
  }
  const ways: [string, (path: string) => void, number][] = [
    ['missing', (path) => rmSync(path), 0],
    ['empty', (path) => writeFileSync(path, ''), 1],
    ['no SQLite file', (path) => writeFileSync(path, 'x'.repeat(9000), { mode: 0o600 }), 1],
    ['damaged', scramble, 1],
  ]
  for (const [name, lose, kept] of ways) {
    await t.test(name, async (t) => {
      const lab = makeLab(t)
      await lab.allow('known.test')
      const id = await lab.park([EVE, MALLORY])
      const path = databasePath(lab.state)
      lose(path)
      const lost = existsSync(path) ? readFileSync(path) : undefined
      // The journal of the lost one, as a killed writer leaves it: it must not be played into the new one.
      rmSync(`${path}-journal`, { force: true })
      writeFileSync(`${path}-journal`, 'a journal', { mode: 0o600 })
      const before = lab.snapshot()
      const [found] = (await report(t, lab)).findings
      t.match(found, { fault: 'database', repaired: false })
      t.strictSame(lab.snapshot(), before, 'without --repair nothing is written')
      const repaired = (await report(t, lab, '--repair')).findings.at(-1)
      t.match(repaired?.what, /^rebuilt without a backup: no rule is known, 2 recipients from the folders/)
      bothHeld(t, lab)
      t.strictSame(lab.query('SELECT * FROM rule'), [])
      t.strictSame(lab.held(), [id])
      const aside = readdirSync(lab.state).filter((file) => /^toeh\.db\.damaged-[0-9TZ-]+$/.test(file))
      t.equal(aside.length, kept)
      for (const file of aside) t.strictSame(readFileSync(join(lab.state, file)), lost, 'kept as it was')
      const journals = readdirSync(lab.state).filter((file) => /^toeh\.db\.damaged-.*-journal$/.test(file))
      // Beside a file that is a database or looks like one SQLite itself decides what the journal is worth.
      if (kept === 0) t.equal(readFileSync(join(lab.state, journals[0] ?? ''), 'utf8'), 'a journal')
      t.equal(
        statSync(`${path}-journal`, { throwIfNoEntry: false })?.size ?? 0,
        0,
        'none is left in its place',
      )
      t.notOk(
        readdirSync(lab.state).some((file) => file.includes('rebuild')),
        'and no draft is left',
      )
      t.strictSame(await check(t, lab), none)
      const again = await lab.filter({ recipients: [EVE, MALLORY] })
      t.match(again, { code: 0, stdout: /settled before 2/ }, 'a retry of the same message finds it')
    })
  }
})

t.test('from the newest backup: rules come back, and what is newer than it', async (t) => {
  const lab = makeLab(t)
  const folder = join(lab.dir, 'backups')
  mkdirSync(folder)
  await lab.park([EVE], { queueId: 'OLD00001' })
  t.match(await lab.toeh('backup', folder), { code: 0 })
  await lab.allow('known.test')
  // Two in one second would be one file.
  await new Promise((done) => setTimeout(done, 1100))
  t.match(await lab.toeh('backup', folder), { code: 0 })
  await lab.park([MALLORY], { queueId: 'NEW00001' })
  writeFileSync(join(folder, 'toeh-29990101T000000Z.db'), 'no backup at all')
  rmSync(databasePath(lab.state))
  const [repaired] = (await report(t, lab, '--repair')).findings
  t.match(repaired?.what, /^rebuilt from the backup .*\/toeh-2.*Z\.db of .*, 1 recipients from the folders/)
  bothHeld(t, lab)
  t.match(lab.query('SELECT value FROM rule'), [{ value: 'known.test' }])
  t.strictSame(lab.query('PRAGMA application_id'), [{ application_id: 0 }], 'it is no backup any more')
  t.strictSame(await check(t, lab), none)
})

t.test('a backup that is none is refused, and nothing is changed', async (t) => {
  const lab = makeLab(t)
  rmSync(databasePath(lab.state))
  const before = lab.snapshot()
  for (const file of [lab.config, join(lab.dir, 'nothing'), lab.dir]) {
    const { code, stderr } = await lab.toeh('fsck', '--repair', '--backup', file)
    t.strictSame([code, stderr], [1, `toeh: backup ${file}: there is no backup of ours\n`])
  }
  t.strictSame(lab.snapshot(), before)
  t.match(await lab.toeh('fsck', '--settle-gone'), { code: 2, stderr: /go with --repair/ })
})

t.test('a writer that was killed: told without --repair, rolled back with it', async (t) => {
  const lab = makeLab(t)
  await lab.park([EVE, MALLORY])
  const db = lab.openDatabase()
  db.transaction(() => {
    for (let i = 0; i < 2000; i++)
      db.run('INSERT INTO notice (sender, sent_at) VALUES (?, 1)', `old-${i}@corp.test`)
  })
  db.close()
  const code = `
    const { openForWriting } = await import(${JSON.stringify(join(ROOT, 'dist/lib/database/database.js'))})
    const db = openForWriting(${JSON.stringify(databasePath(lab.state))}, { busySeconds: 0 })
    db.run('PRAGMA cache_size = 2')
    db.run('PRAGMA cache_spill = ON')
    db.run('BEGIN IMMEDIATE')
    db.run("UPDATE notice SET sent_at = 999")
    process.kill(process.pid, 'SIGKILL')`
  const killed = startWith(PIPE_ENV, [process.execPath, '--input-type=module', '-e', code])
  t.equal((await outcomeOf(killed)).signal, 'SIGKILL')
  t.ok(statSync(`${databasePath(lab.state)}-journal`).size > 0)
  const before = lab.snapshot()
  t.strictSame(await check(t, lab), ['database'])
  t.strictSame(lab.snapshot(), before)
  t.strictSame(await check(t, lab, '--repair'), ['database repaired'])
  t.strictSame(lab.query('SELECT DISTINCT sent_at FROM notice'), [{ sent_at: 1 }])
  t.strictSame(await check(t, lab), none)
})

t.test('beside filters, releases and cleanups that run it finds nothing', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  let over = false
  const work = async (): Promise<void> => {
    for (let round = 0; round < 2; round++) {
      const ids = await Promise.all(
        [0, 1].map((one) => lab.park([EVE, MALLORY], { queueId: `RUN${round}000${one}` })),
      )
      await Promise.all([
        lab.toeh('release', ids[0] ?? '', '--recipient', EVE),
        lab.toeh('reject', '--quiet', ids[1] ?? ''),
        lab.toeh('cleanup'),
      ])
    }
    over = true
  }
  const working = work()
  let rounds = 0
  for (; !over; rounds++)
    t.strictSame((await reportOfProgram(t, lab, ...(rounds % 2 === 0 ? [] : ['--repair']))).findings, none)
  await working
  t.ok(rounds >= 2, `${rounds} rounds`)
  t.equal(sink.mails.length, 2)
  t.strictSame(lab.states().filter((state) => state.endsWith('held')).length, 2)
})

t.test('restored by hand: a database older than the hold follows it', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const both = await lab.park([EVE, MALLORY], { queueId: 'BOTH0001' })
  const whole = await lab.park([EVE], { queueId: 'WHOLE001' })
  const backup = join(lab.dir, 'backup.db')
  t.match(await lab.toeh('backup', backup), { code: 0 })
  const later = await lab.park([EVE], { queueId: 'LATER001' })
  t.match(await lab.toeh('release', both, '--recipient', EVE), { code: 0 })
  t.match(await lab.toeh('release', whole), { code: 0 })
  t.equal(sink.mails.length, 2)
  renameSync(databasePath(lab.state), `${databasePath(lab.state)}.old`)
  const { findings, whole: isWhole } = await reportOfProgram(t, lab, '--repair', '--backup', backup)
  t.strictSame(
    findings.map(({ fault, at, repaired }) => [fault, at, repaired]),
    [
      ['database', databasePath(lab.state), true],
      ['gone', whole, false],
    ],
  )
  t.equal(isWhole, false)
  const rows = lab.query(
    'SELECT hold, address, state FROM recipient ORDER BY hold = ? DESC, hold = ? DESC',
    both,
    whole,
  )
  t.strictSame(rows, [
    { hold: both, address: EVE, state: 'released' },
    { hold: both, address: MALLORY, state: 'held' },
    { hold: whole, address: EVE, state: 'held' },
    { hold: later, address: EVE, state: 'held' },
  ])
  const released = await lab.toeh('release', both, whole, later)
  t.equal(released.code, 1)
  t.match(released.stdout, new RegExp(`${whole} NOT released to ${EVE}: .*ENOENT`))
  t.strictSame(
    sink.mails.slice(2).map(({ recipients }) => recipients),
    [[MALLORY], [EVE]],
    'what had been released is not sent again',
  )
  t.strictSame(await check(t, lab, '--repair', '--settle-gone'), ['gone repaired'])
  t.strictSame(await check(t, lab), none)
})

t.test('a backup put in place by hand is mended by fsck alone', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const id = await lab.park([EVE, MALLORY])
  const backup = join(lab.dir, 'backup.db')
  await lab.toeh('backup', backup)
  await lab.toeh('release', id, '--recipient', EVE)
  await lab.filter({ recipients: ['late@unknown.test'] })
  writeFileSync(databasePath(lab.state), readFileSync(backup))
  age(lab, `hold/${id}`)
  t.strictSame(await check(t, lab), ['unlisted', 'moved'])
  t.strictSame(await check(t, lab, '--repair'), ['unlisted repaired', 'moved repaired'])
  t.strictSame(lab.states(), [`${EVE} released`, 'late@unknown.test held', `${MALLORY} held`])
  t.strictSame(await check(t, lab), none)
})

t.test('into an older hold: what it has not is gone, and comes back with it', async (t) => {
  const lab = makeLab(t)
  const id = await lab.park([EVE])
  renameSync(join(lab.state, 'hold', id), join(lab.dir, id))
  t.strictSame(await check(t, lab, '--repair'), ['gone'])
  renameSync(join(lab.dir, id), join(lab.state, 'hold', id))
  t.strictSame(await check(t, lab), none)
  t.strictSame(lab.states(), [`${EVE} held`])
})

t.test('in words', async (t) => {
  const lab = makeLab(t)
  const id = await lab.park([EVE])
  t.strictSame(await lab.toeh('fsck'), {
    code: 0,
    signal: null,
    stdout: 'whole: 1 messages that wait were read\n',
    stderr: '',
  })
  writeFileSync(join(lab.state, 'hold', id, 'message.eml'), 'x')
  const { code, stdout } = await lab.toeh('fsck')
  t.equal(code, 1)
  t.match(
    stdout,
    `${id}: bytes: they are not those that were held (SHA-256 differs); to do: restore ${lab.state}`,
  )
})
