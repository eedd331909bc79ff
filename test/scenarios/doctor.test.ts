/** toeh doctor as root runs it, on a real Postfix whose host is broken in one way after another; and its canary. */
import { chmodSync, chownSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  assertNamed,
  type Case,
  doctor,
  faulty,
  find,
  paste,
  rewrite,
  startSound,
} from '../support/doctor.js'
import { cannotRun } from '../support/postfix.js'

/** How long doctor waits for a program or a server. */
const PATIENCE_MS = 20_000
const DAY_MS = 86_400_000
const skip = cannotRun()

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
