/** toeh mode: shows it, changes that one line and nothing else, says first what enforcing would hold, and asks. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../lib/config.js'
import {
  assertDone,
  assertRefused,
  assertSettled,
  type Lab,
  makeLab,
  NODE,
  outcomeOf,
  ROOT,
  SHELL_ENV,
  startToeh,
  startWith,
  TOEH,
  UNPRIVILEGED,
} from '../support/lab.js'
import { makeSink } from '../support/sink.js'

const IS_ROOT = process.getuid?.() === 0

interface Answer {
  mode: string
  changed: boolean
  observed?: {
    since: number | null
    days: number
    messages: number
    recipients: number
    held: { recipients: number; destinations: number; days: number }
    still: { recipients: number; destinations: { destination: string; recipients: number; days: number }[] }
  }
}

/** The audit's rows of it: `observe enforce`. */
function deeds(lab: Lab): string[] {
  return lab
    .query<{ was: string; now: string; subject: string }>(
      "SELECT * FROM audit WHERE what = 'mode' ORDER BY id",
    )
    .map(({ was, now, subject }) => `${was} ${now}${subject === lab.config ? '' : ` of ${subject}`}`)
}

const rest = (lab: Lab): string[] => readdirSync(dirname(lab.config)).sort()

t.test('shows it, and changes one line; twice changes nothing', async (t) => {
  const lab = makeLab(t, '# ours\n  mode = \'observe\'  # until Monday\nexpire_days = 3 # "x"\n')
  const before = readFileSync(lab.config, 'utf8')
  if (IS_ROOT) chownSync(lab.config, 0, 65534)
  chmodSync(lab.config, 0o640)
  const stat = statSync(lab.config)
  const places = rest(lab)
  assertDone(t, await lab.toeh('mode'), `observe: everything passes, and the decision log says`)
  t.match((await lab.toeh('mode')).stdout, `it would hold: toeh mode enforce --config ${lab.config}\n`)
  t.equal(readFileSync(lab.config, 'utf8'), before)
  const done = await lab.toeh('mode', 'enforce', '--yes')
  assertDone(
    t,
    done,
    `The decision log has no message that was observed: what enforcing would hold is not known.\n${lab.config} has mode = "enforce": `,
  )
  t.equal(readFileSync(lab.config, 'utf8'), before.replace("'observe'", "'enforce'"))
  const after = statSync(lab.config)
  t.same([after.uid, after.gid, after.mode], [stat.uid, stat.gid, stat.mode])
  t.same(rest(lab), places, 'nothing is left beside it')
  assertDone(t, await lab.toeh('mode', 'enforce'), /^It is so already: nothing was changed\.\nenforce: /)
  t.same(deeds(lab), ['observe enforce'])
  assertDone(
    t,
    await lab.toeh('mode', 'observe'),
    'everything passes. No restart is needed. What is held stays held.',
  )
  t.equal(readFileSync(lab.config, 'utf8'), before)
  t.same(deeds(lab), ['observe enforce', 'enforce observe'])
  assertDone(t, await lab.toeh('audit', 'verify'), /whole/)
  assertRefused(t, await lab.toeh('mode', 'off'), 2, /Choices: "observe", "enforce"/)
})

t.test('enforcing says first what it would hold', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, `${sink.setting}\nmode = "enforce"\n`)
  await lab.park(['old@before.test'], { queueId: 'MODE0' })
  assertDone(t, await lab.toeh('mode', 'observe'), 'everything passes')
  for (const [queueId, recipients] of [
    ['MODE1', ['a@one.test', 'b@one.test', 'c@corp.test']],
    ['MODE2', ['a@ONE.test']],
    ['MODE3', ['x@two.test']],
    ['MODE4', ['x@three.test', 'y@corp.test']],
  ] as const)
    assertSettled(t, await lab.filter({ queueId, recipients }), /toeh observes: passed/)
  await lab.allow('two.test')
  const refused = await lab.toeh('mode', 'enforce')
  assertRefused(
    t,
    refused,
    2,
    'mode: nobody is there to be asked; --yes does it, and says what would have been held',
  )
  t.equal(loadConfig(lab.config).mode, 'observe')
  const { stdout } = await lab.toeh('mode', 'enforce', '--yes', '--json')
  const { observed, ...told } = JSON.parse(stdout) as Answer
  t.match(told, { mode: 'enforce', was: 'observe', changed: true })
  t.match(observed, {
    days: 1,
    messages: 4,
    recipients: 7,
    held: { recipients: 5, destinations: 3, days: 1 },
    still: {
      recipients: 4,
      destinations: [
        { destination: 'one.test', recipients: 3, days: 1 },
        { destination: 'three.test', recipients: 1, days: 1 },
      ],
    },
  })
  assertSettled(t, await lab.filter({ queueId: 'MODE5', recipients: ['z@four.test'] }), /toeh: held 1 in/)
  await lab.toeh('mode', 'observe')
  const { observed: none } = JSON.parse(
    (await lab.toeh('mode', 'enforce', '--yes', '--json')).stdout,
  ) as Answer
  t.equal(none?.since, null, 'what was held in earnest since is not counted, nor what was observed before it')
})

t.test('in lines, and in French', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, `${sink.setting}\nmode = "observe"\n`)
  const recipients = Array.from({ length: 12 }, (_, index) => `a@d${10 + index}.test`)
  assertSettled(t, await lab.filter({ recipients }), /toeh observes: passed 12/)
  const { stdout } = await lab.toeh('mode', 'enforce', '--yes')
  t.match(
    stdout,
    /^Observed since [-\d]+ [\d:]+: messages 1, recipients 12, days 1\.\nWould have been held: recipients 12, destinations 12, days 1\.\nWith the rules of today: recipients 12, destinations 12\.\n\nrecipients, days, destination:\n {6}1 {5}1 {2}d10\.test\n(?: {6}1 {5}1 {2}d\d+\.test\n){9}and 2 more; --json has all\ntoeh learn observed proposes rules for them\.\n\n/,
  )
  const french = await outcomeOf(
    startWith(
      { ...SHELL_ENV, LANG: 'fr_FR.UTF-8', TOEH_CONFIG: lab.config },
      [NODE, TOEH, 'mode', 'observe'],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    ),
  )
  assertDone(t, french, 'dès le prochain message, tout passe')
})

t.test(
  'at a terminal it asks',
  { skip: spawnSync('script', ['--version']).error ? 'no script(1)' : false },
  async (t) => {
    const lab = makeLab(t, 'mode = "observe"\n')
    const typed = (answer: string): string =>
      spawnSync('script', ['-qec', `${NODE} ${TOEH} mode enforce --config ${lab.config}`, '/dev/null'], {
        input: answer,
        encoding: 'utf8',
        env: { ...SHELL_ENV },
      }).stdout
    t.match(
      typed('n\n'),
      /hold from now on what nobody knows\? \(y\/N\)[\s\S]*toeh: mode: nothing was changed/,
    )
    t.equal(loadConfig(lab.config).mode, 'observe')
    t.match(typed('y\n'), /what enforcing would hold is not known[\s\S]*has mode = "enforce"/)
    t.equal(loadConfig(lab.config).mode, 'enforce')
    t.same(deeds(lab), ['observe enforce'])
  },
)

t.test(
  'refused, with nothing changed and nothing written down',
  { skip: IS_ROOT ? false : 'needs root' },
  async (t) => {
    const lab = makeLab(t, 'mode = "observe"\n')
    lab.giveAway()
    chmodSync(lab.dir, 0o755)
    const before = readFileSync(lab.config)
    const line = new RegExp(
      `^toeh: mode ${lab.config}: it cannot be changed here: permission denied \\(EACCES\\); run it as root; or set mode = "enforce" where the file is made\\n$`,
    )
    const stranger = await outcomeOf(startToeh(lab.config, ['mode', 'enforce', '--yes'], UNPRIVILEGED))
    assertRefused(t, stranger, 77, line)
    assertDone(t, await outcomeOf(startToeh(lab.config, ['mode'], UNPRIVILEGED)), 'observe: ')
    t.same(readFileSync(lab.config), before)
    // Behind sudo: who may not decide may not open the gate either.
    lab.configure('mode = "enforce"\n[people]\ngroup = "toeh-approvers-of-no-one"\n')
    const member = await outcomeOf(startToeh(lab.config, ['mode', 'observe'], ['env', 'SUDO_USER=daemon']))
    assertRefused(t, member, 77, /daemon is not in the group toeh-approvers-of-no-one/)
    // A database that cannot be written: no change without its line in the audit.
    lab.configure('mode = "observe"\nbusy_seconds = 0\n')
    const db = lab.openDatabase()
    db.run('BEGIN IMMEDIATE')
    assertRefused(t, await lab.toeh('mode', 'enforce', '--yes'), 75, /database is locked/)
    db.run('COMMIT')
    db.close()
    t.equal(loadConfig(lab.config).mode, 'observe')
    t.same(rest(lab), ['postfix', 'state', 'toeh.toml'])
    t.same(deeds(lab), [])
    renameSync(lab.state, `${lab.state}-gone`)
    assertRefused(
      t,
      await lab.toeh('mode', 'enforce', '--yes'),
      78,
      /no such file or directory \(ENOENT\); toeh init makes it/,
    )
    t.equal(loadConfig(lab.config).mode, 'observe')
  },
)

t.test(
  'the owner of the state folder is asked, and root changes the file',
  { skip: IS_ROOT ? false : 'needs root' },
  async (t) => {
    const lab = makeLab(t, 'mode = "observe"\n')
    lab.giveAway()
    chmodSync(lab.dir, 0o755)
    // As etckeeper and the like may have it: a link to the file.
    const kept = join(lab.dir, 'kept')
    mkdirSync(kept)
    renameSync(lab.config, join(kept, 'ours.toml'))
    symlinkSync('kept/ours.toml', lab.config)
    assertDone(t, await lab.toeh('mode', 'enforce', '--yes'), 'mode = "enforce"')
    t.ok(lstatSync(lab.config).isSymbolicLink())
    const { uid, gid } = statSync(lab.config)
    t.same([uid, gid], [0, 65534])
    t.equal(loadConfig(lab.config).mode, 'enforce')
    t.same(readdirSync(kept), ['ours.toml'])
    t.equal(
      execFileSync('find', [lab.state, '!', '-user', 'nobody'], { encoding: 'utf8' }),
      '',
      'root made nothing of its own',
    )
    t.same(deeds(lab), ['observe enforce'])
  },
)

t.test('a file without mode goes on as before: it enforces', async (t) => {
  const lab = makeLab(t)
  t.equal(loadConfig(lab.config).mode, 'enforce')
  assertDone(t, await lab.toeh('mode'), 'enforce: what nobody knows is held')
  t.match(readFileSync(join(ROOT, 'examples/toeh.toml'), 'utf8'), '\nmode = "enforce"\n')
  assertDone(t, await lab.toeh('mode', 'observe'), 'everything passes')
  t.match(readFileSync(lab.config, 'utf8'), /^mode = "observe"\nstate = /)
  writeFileSync(lab.config, readFileSync(lab.config, 'utf8').replace('corp.test', 'a b'))
  assertRefused(t, await lab.toeh('mode', 'enforce', '--yes'), 78, /internal_domains/)
})
