/** toeh doctor as root runs it, on a real Postfix whose host is broken in one way after another; and its canary. */
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Facts } from '../../lib/doctor/facts.js'
import { HOST_CHECKS, LOGWATCH, readsLongIds } from '../../lib/doctor/host.js'
import { laneFiles, lanePath } from '../../lib/express/lane.js'
import { cannotBeFresh, Debian } from '../support/debian.js'
import {
  type Answer,
  assertNamed,
  type Case,
  doctor,
  faulty,
  find,
  type Place,
  paste,
  rewrite,
  startSound,
} from '../support/doctor.js'
import { assertDone, MESSAGE, makeFolder, SHELL_ENV } from '../support/lab.js'
import { Mends } from '../support/mends.js'
import { cannotAskSqlite, cannotRun } from '../support/postfix.js'

/** How long doctor waits for a program or a server. */
const PATIENCE_MS = 20_000
const DAY_MS = 86_400_000
const skip = cannotRun()
const MENDED = new Mends('scenarios/doctor.test')
const isRoot = process.getuid?.() === 0

/** A day of the decision log that is older than any trial. */
const OLD_DAY = (state: string): string =>
  join(state, `decisions/${new Date(Date.now() - 40 * DAY_MS).toISOString().slice(0, 10)}.jsonl`)

const HOST_CASES: Case[] = [
  {
    title: 'a program that is not there',
    check: 'filter',
    level: 'critical',
    what: /no such file or directory \(ENOENT\)/,
    breaking: ({ master }) => master(/argv=\S+/, 'argv=/nonexistent/node'),
  },
  {
    title: 'a configuration of its own that is not there',
    check: 'filter',
    level: 'critical',
    what: /it ends with 75: 4\.3\.0 toeh: configuration \/nonexistent/,
    breaking: ({ master }) => master(/--config=\S+/, '--config=/nonexistent/toeh.toml'),
  },
  {
    title: 'a hold that others can read',
    check: 'rights',
    level: 'critical',
    what: /\/hold has mode 755/,
    breaking: ({ state }) => chmodSync(join(state, 'hold'), 0o755),
  },
  {
    title: 'a database that is not the filter’s',
    check: 'rights',
    level: 'critical',
    what: /\/toeh\.db has mode 600 and belongs to uid 0/,
    breaking: ({ state }) => chownSync(join(state, 'toeh.db'), 0, 0),
    also: ['database', 'filter'],
  },
  {
    title: 'a configuration the filter cannot read',
    check: 'rights',
    level: 'critical',
    what: /toeh\.toml has mode 600/,
    breaking: ({ postfix }) => {
      chmodSync(postfix.lab.config, 0o600)
      chownSync(postfix.lab.config, 0, 0)
    },
    also: ['filter'],
  },
  {
    title: 'a damaged database',
    check: 'database',
    level: 'critical',
    what: /file is not a database/,
    breaking: ({ state }) => {
      const path = join(state, 'toeh.db')
      writeFileSync(`${path}.good`, readFileSync(path))
      writeFileSync(path, 'x'.repeat(8192))
    },
    also: ['filter'],
    restore: ({ state }) => writeFileSync(join(state, 'toeh.db'), readFileSync(join(state, 'toeh.db.good'))),
  },
  {
    title: 'a clock that was set back',
    check: 'clock',
    level: 'critical',
    what: /knows of a time \d+ minutes from now/,
    breaking: ({ postfix }) =>
      postfix.lab.change(
        "INSERT INTO audit (at, who, what, subject, was, now, hash) VALUES (4000000000000, 'x', 'x', 'x', 'x', 'x', 'x')",
      ),
    restore: ({ postfix }) => postfix.lab.change('DELETE FROM audit'),
  },
  {
    title: 'a hold that is full',
    check: 'hold',
    level: 'critical',
    what: /^1 message waits, of at most 1$/,
    breaking: ({ postfix: { lab } }) => {
      lab.change(
        `INSERT INTO hold (id, queue_id, sender, sha256, size, subject, message_id, client, held_at, expires_at)
         VALUES ('000000000000', 'X', '', '', 1, '', '', '{}', 1, 4000000000000)`,
      )
      lab.change(
        `INSERT INTO recipient (hold, address, state, reason, detail, queue_id, changed_by, changed_at)
         VALUES ('000000000000', 'x@y.test', 'held', 'unknown', '', '', 'x', 1)`,
      )
      rewrite(lab.config, /^/, () => 'limits.hold_messages = 1\n')
    },
    restore: ({ postfix: { lab } }) => {
      lab.change('DELETE FROM recipient')
      lab.change('DELETE FROM hold')
      rewrite(lab.config, 'limits.hold_messages = 1\n', () => '')
    },
  },
  ...(['cleanup', 'digest'] as const).map(
    (run): Case => ({
      title: `${run} that has not run for a week`,
      check: run,
      level: 'warning',
      what: new RegExp(`^toeh ${run} last ran 7d ago$`),
      breaking: ({ postfix }) => {
        const at = Date.now() - 7 * DAY_MS
        const mark = run === 'digest' ? String(at) : JSON.stringify({ last: at, doubted: null, kept: [] })
        postfix.lab.change('INSERT OR REPLACE INTO progress (name, value) VALUES (?, ?)', run, mark)
      },
      restore: ({ postfix }) => postfix.lab.change('DELETE FROM progress WHERE name = ?', run),
    }),
  ),
  {
    title: 'a backup of two weeks ago',
    check: 'backup',
    level: 'warning',
    what: /^toeh backup last ran 14d ago$/,
    breaking: ({ state }) => {
      const path = join(state, 'last-backup')
      writeFileSync(path, '/var/backups/toeh\n')
      const at = Date.now() / 1000 - 14 * 86_400 - 60
      utimesSync(path, at, at)
    },
    restore: ({ state }) => rmSync(join(state, 'last-backup')),
  },
  {
    title: 'observing without an end',
    check: 'observing',
    level: 'warning',
    what: /^everything has passed since 20\d\d-\d\d-\d\d: mode is observe$/,
    breaking: ({ postfix, state }) => {
      rewrite(postfix.lab.config, /^/, () => 'mode = "observe"\n')
      writeFileSync(OLD_DAY(state), '{"mode":"observe","recipients":[]}\n')
    },
    restore: ({ postfix, state }) => {
      rewrite(postfix.lab.config, 'mode = "observe"\n', () => '')
      rmSync(OLD_DAY(state))
    },
  },
  {
    title: 'nobody who could say yes',
    check: 'approvers',
    level: 'warning',
    what: /^no approvers are named in /,
    breaking: ({ postfix }) => rewrite(postfix.lab.config, /^approvers = .*$/m, () => 'approvers = []'),
    restore: ({ postfix }) =>
      rewrite(postfix.lab.config, /^approvers = .*$/m, () => 'approvers = ["boss@corp.test"]'),
  },
  {
    title: 'notices from an address that Postfix has nobody for',
    check: 'notices',
    level: 'warning',
    what: /^notices come from toeh@corp\.test, and nobody reads that mailbox$/,
    breaking: ({ postconf }) => postconf('-e', 'local_recipient_maps=inline:{boss@corp.test=x}'),
    restore: ({ postconf }) => postconf('-e', 'local_recipient_maps='),
  },
  {
    title: 'notices from the mailbox of the filter itself',
    check: 'notices',
    level: 'warning',
    what: /^notices come from nobody@corp\.test, and nobody reads that mailbox$/,
    breaking: ({ postfix }) =>
      rewrite(postfix.lab.config, '[notice]\n', (line) => `${line}from = "nobody@corp.test"\n`),
    restore: ({ postfix }) => rewrite(postfix.lab.config, 'from = "nobody@corp.test"\n', () => ''),
  },
  {
    title: 'a folder that is gone',
    check: 'rights',
    level: 'critical',
    what: /\/hold\/tmp does not exist$/,
    breaking: ({ state }) => rmSync(join(state, 'hold/tmp'), { recursive: true }),
    also: ['database'],
  },
  {
    title: 'a way back that Postfix has not read again',
    check: 'listening',
    level: 'warning',
    what: /^the way back does not offer XFORWARD$/,
    breaking: ({ postfix, postconf, back }) => {
      postconf('-P', `${back}/smtpd_authorized_xforward_hosts=`)
      postfix.command('reload')
      postconf('-P', `${back}/smtpd_authorized_xforward_hosts=127.0.0.0/8`)
    },
  },
  {
    title: 'Postfix is stopped',
    check: 'listening',
    level: 'critical',
    what: /connection refused \(ECONNREFUSED\)/,
    breaking: ({ postfix }) => postfix.stop(),
  },
]

t.test('the host: each fault is named, and the commands that are said mend it', { skip }, async (t) => {
  const place = await startSound(t)
  const sound = await doctor(place.postfix)
  t.same(faulty(sound), [], 'sound')
  t.equal(sound.code, 1, 'the firewall is a warning')
  for (const one of HOST_CASES) {
    await t.test(`${one.check}: ${one.title}`, async (t) => {
      one.breaking(place)
      const began = Date.now()
      const sick = await doctor(place.postfix)
      t.ok(Date.now() - began < PATIENCE_MS, 'and it does not wait for what will not come')
      assertNamed(t, sick, one)
      t.equal(sick.code, one.level === 'critical' ? 2 : 1)
      const commands = sick.mend.filter((command) => !/^(nft|timedatectl) /.test(command))
      t.not(commands.length === 0 && one.restore === undefined, true, 'mended by commands or by hand')
      paste(commands)
      one.restore?.(place)
      t.same(faulty(await doctor(place.postfix)), [], commands.join('\n'))
      if (one.restore === undefined) MENDED.tried(sick.checks.flatMap(({ faults }) => faults))
    })
  }
})

t.test('the canary goes round, and tells where it got stuck', { skip }, async (t) => {
  const place = await startSound(t)
  const { postfix } = place
  const flown = await doctor(postfix, '--canary')
  t.equal(find(flown, 'canary')?.level, 'good')
  const [decision] = postfix.decisions()
  t.match(flown.canary, {
    sender: /^toeh-canary-[0-9a-f]{12}@corp\.test$/,
    recipient: 'postmaster@corp.test',
    queueId: decision?.queueId,
    passedAs: decision?.passedAs,
    end: /^status=sent \(250 2\.0\.0 Ok: queued as SINK/,
  })
  t.same(
    postfix.sink.mails.map(({ recipients }) => recipients),
    [['postmaster@corp.test']],
  )

  const held = await doctor(postfix, '--canary-to', 'eve@stranger.test')
  t.match(find(held, 'canary'), {
    level: 'warning',
    faults: [{ what: /^eve@stranger\.test is not known: the canary is held in [0-9a-z]{12}$/ }],
  })
  t.equal(postfix.lab.held().length, 1)
  const stuck = find(held, 'canary')?.faults ?? []
  paste(stuck.flatMap(({ mend }) => mend))
  t.equal(postfix.lab.held().length, 0, 'what is said takes it away')
  MENDED.tried(stuck)

  place.postconf('-PX', 'pickup/unix/content_filter')
  postfix.command('reload')
  const past = await doctor(postfix, '--canary')
  t.match(find(past, 'canary'), {
    level: 'critical',
    faults: [{ what: /^the canary has gone past the gate: \w+: to=<postmaster@corp\.test>/ }],
  })
})

t.test('without a configuration, and without Postfix, it says so and ends with 2', { skip }, async (t) => {
  const place = await startSound(t)
  const { postfix } = place
  const nowhere = await postfix.toeh('doctor', '--config-dir', '/nonexistent')
  t.equal(nowhere.code, 2)
  t.match(nowhere.stdout, /^TOEH CRITICAL: 1 critical, 0 warnings, 0 unknown, 0 good\n/)
  t.match(nowhere.stdout, /\ncritical {2}postfix: postconf \/nonexistent: /)
  postfix.lab.configure('mode = "guess"\n')
  const wrong = await postfix.toeh('doctor', '--config-dir', postfix.etc)
  t.equal(wrong.code, 2)
  t.match(wrong.stdout, /\ncritical {2}configuration: .*mode: it must be one of enforce, observe\n/)
})

/** A file system over /etc that this process alone sees takes what is written there. */
t.test('logwatch is told where Debian has it', { skip: isRoot ? false : 'it needs root' }, async (t) => {
  const facts = { logwatch: false, main: new Map([['enable_long_queue_ids', 'yes']]) } as unknown as Facts
  const [fault] = HOST_CHECKS.find(({ name }) => name === 'log-readers')?.look(facts) ?? []
  const dir = makeFolder(t)
  for (const folder of ['upper', 'work']) mkdirSync(join(dir, folder))
  const script = [
    'set -e',
    'mount -t tmpfs tmpfs "$DIR"',
    'mkdir "$DIR/upper" "$DIR/work"',
    'mount -t overlay overlay -o "lowerdir=/etc,upperdir=$DIR/upper,workdir=$DIR/work" /etc',
    ...(fault?.mend ?? []),
    `cat ${LOGWATCH}`,
  ].join('\n')
  const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script], {
    env: { ...SHELL_ENV, DIR: dir },
    encoding: 'utf8',
  })
  t.equal(readsLongIds(stdout), true, stderr)
  MENDED.tried(fault === undefined ? [] : [fault])
})

t.test('of the host and the canary', { skip }, async (t) => MENDED.assertAllTried(t))

interface LaneCase extends Case {
  /** What holds of the mended place beside doctor's silence. */
  after?: (t: Test, place: Place) => Promise<void>
}

const lane = ({ postfix }: Place): string => lanePath(postfix.lab.state)

const LANE_CASES: LaneCase[] = [
  {
    title: 'a table that somebody has changed',
    check: 'express-files',
    level: 'critical',
    what: /express-senders is not as it should be$/,
    breaking: ({ postfix }) => writeFileSync(laneFiles(postfix.lab.config).senders, '/./ OK\n'),
  },
  {
    title: 'rows that others can read',
    check: 'express-files',
    level: 'critical',
    what: /is not for the toeh user and Postfix's group alone$/,
    breaking: (place) => chmodSync(lane(place), 0o644),
  },
  {
    title: 'a lane that is off and asked',
    check: 'express-services',
    level: 'warning',
    what: /asks the express lane, which is off$/,
    breaking: ({ postfix }) => rewrite(postfix.lab.config, /^enabled = true$/m, () => 'enabled = false'),
    after: async (t, { postfix }) => {
      const id = await postfix.submit('anna@corp.test', ['x@known.test'], MESSAGE)
      await postfix.settled()
      t.ok(
        postfix.decisions().some(({ queueId }) => queueId === id),
        'it goes to the filter',
      )
    },
  },
  {
    title: 'a permission before the lane',
    check: 'express-services',
    level: 'critical',
    what: /smtpd_recipient_restrictions does not begin with the lane$/,
    breaking: ({ master }) =>
      master(
        /(?<=smtpd_recipient_restrictions ?= ?)(?=check_recipient_access regexp)/,
        'permit_mynetworks, ',
      ),
    also: ['entrances'],
  },
  {
    title: 'a chroot',
    check: 'express-services',
    level: 'critical',
    what: /chrooted, it cannot see a cut-off write$/,
    breaking: ({ postconf, submission }) => postconf('-F', `${submission}/chroot=y`),
  },
  {
    title: 'folded letters',
    check: 'express-services',
    level: 'critical',
    what: /with smtputf8_enable Postfix takes a sharp s for ss/,
    breaking: ({ postconf, submission }) => postconf('-P', `${submission}/smtputf8_enable=yes`),
  },
  {
    title: 'nothing that says who may send',
    check: 'express-services',
    level: 'critical',
    what: /anybody could relay to known recipients$/,
    breaking: ({ postconf, submission }) =>
      postconf('-P', `${submission}/smtpd_relay_restrictions=permit_mynetworks`),
    // A printer has no login.
    after: async (t, { postfix }) => {
      await t.resolves(
        postfix.submit('printer@corp.test', ['x@known.test'], MESSAGE),
        'mynetworks are let in',
      )
      await postfix.settled()
    },
  },
  {
    title: 'rows that are not those of the landscape',
    check: 'express-rows',
    level: 'critical',
    what: /^1 rows of the lane differ from the landscape \(@known\.test\)$/,
    breaking: ({ postfix }) => postfix.lab.change("UPDATE rule SET revoked_at = 1, revoked_by = 'x'"),
  },
]

t.test('the express lane: the same', { skip: cannotAskSqlite() }, async (t) => {
  const place = await startSound(t, { express: true })
  const { postfix } = place
  const mended = new Mends('scenarios/doctor.test: express')
  assertDone(t, await postfix.toeh('allow', 'known.test'), /^rule/)
  const files = ['main.cf', 'master.cf'].map((name) => join(postfix.etc, name)).concat(postfix.lab.config)
  const sound = files.map((path): [string, string] => [path, readFileSync(path, 'utf8')])
  t.same(faulty(await doctor(postfix)), [], 'sound')
  for (const one of LANE_CASES) {
    await t.test(`${one.check}: ${one.title}`, async (t) => {
      one.breaking(place)
      const sick = await doctor(postfix)
      assertNamed(t, sick, one)
      paste(sick.mend)
      t.same(faulty(await doctor(postfix)), [], sick.mend.join('\n'))
      await one.after?.(t, place)
      mended.tried(sick.checks.flatMap(({ faults }) => faults))
      for (const [path, text] of sound) writeFileSync(path, text)
      postfix.command('reload')
    })
  }
  mended.assertAllTried(t)
})

t.test(
  'a fresh Debian: before toeh init, and an approver who would not be heard',
  { skip: cannotBeFresh() },
  async (t) => {
    const debian = new Debian(t)
    debian.enable('submission')
    assertDone(t, await debian.init(), 'internal domains: company.example')
    const mended = new Mends('scenarios/doctor.test: Debian')
    const ask = async (): Promise<Answer> => {
      const { stdout } = await debian.toeh('doctor', '--json', '--config-dir', debian.etc)
      return JSON.parse(stdout) as Answer
    }
    const before = await ask()
    t.strictSame(
      before.checks.map(({ check }) => check),
      ['gate-service', 'versions', 'rights', 'disk', 'log-readers', 'clock', 'database'],
      'of what toeh init makes nothing is missed',
    )
    const none = find(before, 'gate-service')?.faults ?? []
    t.match(none, [{ level: 'critical', what: 'Postfix has nothing of TOEH yet' }])
    t.notMatch(JSON.stringify(before), /deferred/, 'and no mail is said to be deferred')
    paste(before.mend.filter((command) => !/ reload$/.test(command)))
    const after = await ask()
    for (const name of ['gate-service', 'way-back', 'entrances', 'pickup', 'filter', 'rights', 'database'])
      t.equal(find(after, name)?.level, 'good', name)
    mended.tried(none)

    writeFileSync(
      debian.config,
      readFileSync(debian.config, 'utf8')
        .replace('approvers = []', 'approvers = ["boss@company.example"]')
        .replace(/^\[moderate\]\nenabled = false/m, '[moderate]\nenabled = true')
        .replace('address = ""', 'address = "toeh@company.example"'),
    )
    debian.start(t)
    const deaf = find(await ask(), 'answers')?.faults ?? []
    t.match(deaf, [{ what: 'Postfix has nobody of the name of moderate.address, toeh@company.example' }])
    paste(deaf.flatMap(({ mend }) => mend))
    t.same(find(await ask(), 'answers')?.faults, [])
    mended.tried(deaf)

    debian.postconf('-e', 'enable_long_queue_ids=no', 'mine = regexp:{{/^Received:/ IGNORE}}')
    debian.postconf('-P', 'toeh-cleanup/unix/header_checks=$mine')
    const lost = find(await ask(), 'answers')?.faults ?? []
    t.match(lost, [{ level: 'warning', what: /takes Received away on 127\.0\.0\.1:10026\/inet$/ }])
    paste(lost.flatMap(({ mend }) => mend))
    t.same(find(await ask(), 'answers')?.faults, [])
    mended.tried(lost)
    mended.assertAllTried(t)
  },
)

t.test('of a filter without a user nothing is said that no shell could run', async (t) => {
  const facts = {
    toeh: { reinject: { host: '127.0.0.1', port: 10026 } },
    user: { name: '', uid: undefined, group: '', gid: undefined },
    strangerEnters: true,
  } as unknown as Facts
  const [fault] = HOST_CHECKS.find(({ name }) => name === 'reach')?.look(facts) ?? []
  t.match(fault, { level: 'warning', mend: [] })
})
