/** toeh init: makes what the filter needs, for its user alone, and changes nothing that is there. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { earlierLife } from '../../lib/cli/errand.js'
import { loadConfig } from '../../lib/config.js'
import { cannotBeFresh, Debian } from '../support/debian.js'
import {
  assertDone,
  assertRefused,
  FILTER,
  makeFolder,
  NODE,
  type Outcome,
  onlyWith,
  outcomeOf,
  PIPE_ENV,
  SHELL_ENV,
  startToeh,
  TOEH,
  UNPRIVILEGED,
  WITH_NODE,
  walk,
} from '../support/lab.js'
import { cannotAskSqlite } from '../support/postfix.js'
import { faultsOfAnswer } from '../support/schema.js'
import { makeScript } from '../support/script.js'

const IS_ROOT = process.getuid?.() === 0
/** Root makes it for a user that every system has; anybody else for himself. */
const USER = IS_ROOT ? ['--user', 'nobody'] : []

interface Place {
  dir: string
  config: string
  state: string
  init: (...args: string[]) => Promise<Outcome>
}

function makePlace(t: Test, through: readonly string[] = []): Place {
  const dir = makeFolder(t)
  // The user who owns the state has to reach it; makeFolder's is closed to all but its maker.
  chmodSync(dir, 0o755)
  const config = join(dir, 'etc/toeh/toeh.toml')
  const state = join(dir, 'var/lib/toeh')
  const init = (...args: string[]) =>
    outcomeOf(startToeh(config, ['init', ...USER, '--state', state, ...args], through))
  return { dir, config, state, init }
}

function snapshot(dir: string): Record<string, string> {
  return Object.fromEntries(
    walk(dir).map((path) => {
      const { mode, uid, gid, mtimeMs } = lstatSync(path)
      const bytes = statSync(path).isFile() ? readFileSync(path) : ''
      const digest = createHash('sha256').update(bytes).digest('hex')
      return [path, `${mode.toString(8)} ${uid}:${gid} ${mtimeMs} ${digest}`]
    }),
  )
}

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)

t.test('makes everything and prints the lines; twice changes nothing', async (t) => {
  const { dir, config, state, init } = makePlace(t)
  const first = await init('--internal', 'Corp.test', '--internal', 'bücher.test')
  assertDone(t, first, `${config} made, internal domains: corp.test, xn--bcher-kva.test\n`)
  for (const folder of ['', '/hold', '/hold/tmp', '/decisions']) {
    t.match(first.stdout, `${state}${folder} made, for `)
    t.equal(mode(state + folder), '700')
    if (IS_ROOT) t.equal(statSync(state + folder).uid, 65534)
  }
  t.match(first.stdout, `${state}/toeh.db made\n`)
  t.equal(mode(`${state}/toeh.db`), '600')
  t.equal(mode(config), '640')
  t.strictSame([...loadConfig(config).internal], ['corp.test', 'xn--bcher-kva.test'])
  t.equal(loadConfig(config).state, state)
  t.equal(loadConfig(config).mode, 'observe', 'the first day is quiet')
  t.match(first.stdout, `What ends that, and shows it first: toeh mode enforce --config ${config}\n`)
  t.match(first.stdout, /\nAdd to master\.cf:\n\n/)
  t.match(first.stdout, `argv=${FILTER} ${WITH_NODE} --config=${config} --sender=\${sender}`)
  t.match(first.stdout, `flags=q user=${IS_ROOT ? 'nobody' : ''}`)
  t.match(first.stdout, `directory=${state} null_sender=\n`)
  t.match(first.stdout, '-o soft_bounce=yes\n')

  const before = snapshot(dir)
  const second = await init('--internal', 'other.test')
  assertDone(t, second, `${config} is there\n${state} is there\n`)
  t.match(second.stdout, `${state}/toeh.db is there\n`)
  t.strictSame(snapshot(dir), before, 'nothing is changed')
  t.equal(second.stdout.split('Add to master.cf')[1], first.stdout.split('Add to master.cf')[1])
})

t.test('what it has made works for the filter, whatever the umask was', async (t) => {
  const { config, state, init } = makePlace(t, ['sh', '-c', 'umask 077; exec "$@"', 'sh'])
  assertDone(t, await init('--internal', 'corp.test'), 'made')
  t.equal(mode(config), '640')
  t.equal(mode(join(config, '..')), '755')
  writeFileSync(config, readFileSync(config, 'utf8').replace('mode = "observe"', 'mode = "enforce"'))
  const args = [`--config=${config}`, '--sender=', '--queue-id=ABCDEF', '--', 'eve@unknown.test']
  const filter = [...onlyWith(PIPE_ENV), ...UNPRIVILEGED, FILTER, WITH_NODE, ...args]
  const { status, stdout } = spawnSync('env', filter, {
    input: 'Subject: x\n\nx\n',
    cwd: '/',
    encoding: 'utf8',
  })
  t.match(stdout, /^toeh: held 1 in [0-9a-z]{12}\n$/)
  t.equal(status, 0)
  t.ok(existsSync(join(state, 'decisions')))
})

t.test('a lost database is not replaced by an empty one', async (t) => {
  const { state, config, init } = makePlace(t)
  assertDone(t, await init('--internal', 'corp.test'), 'toeh.db made')
  const database = `${state}/toeh.db`
  const lose = (): void => rmSync(database)
  // Nothing was ever in it.
  lose()
  mkdirSync(join(state, 'hold/lost+found'))
  writeFileSync(join(state, 'decisions/2026-11-01.jsonl'), '')
  assertDone(t, await init(), 'toeh.db made')

  const restore = (from: string): string =>
    `; to restore it: toeh fsck --repair${from} --config ${config} (docs/backup.md); to begin without it: toeh init --anew --config ${config}\n`
  const refused = async (signs: string, from = ''): Promise<void> => {
    const line = `toeh: init ${database}: it is gone, and there was one here: ${signs}${restore(from)}`
    const outcome = await init('--internal', 'corp.test')
    assertRefused(t, outcome, 1, line)
    t.notOk(existsSync(database) && statSync(database).size > 0)
  }
  lose()
  mkdirSync(join(state, 'hold/vq00s0wbq8r5'))
  await refused('messages in the hold (1)')
  writeFileSync(join(state, 'decisions/2026-11-01.jsonl'), '{}\n')
  writeFileSync(join(state, 'decisions/2026-11-20.jsonl'), '{}\n')
  await refused('messages in the hold (1), a decision log of 2026-11-01 to 2026-11-20')
  // The configuration is gone as well: it is made, for fsck needs it.
  rmSync(config)
  rmSync(join(state, 'hold'), { recursive: true })
  writeFileSync(database, '')
  if (IS_ROOT) chownSync(database, 65534, 65534)
  await refused('a decision log of 2026-11-01 to 2026-11-20')
  t.ok(existsSync(config))
  assertDone(t, await init('--anew'), `${database} made\n`)

  // And what it says restores it.
  rmSync(join(state, 'decisions'), { recursive: true })
  mkdirSync(join(state, 'decisions'), { mode: 0o700 })
  const backups = makeFolder(t)
  if (IS_ROOT) for (const path of [backups, join(state, 'decisions')]) chownSync(path, 65534, 65534)
  const toeh = (...args: string[]): Promise<Outcome> => outcomeOf(startToeh(config, args))
  assertDone(t, await toeh('allow', 'known.test'), /^rule/)
  assertDone(t, await toeh('backup', backups), 'checked')
  lose()
  const [name = ''] = readdirSync(backups)
  const backup = join(backups, name)
  await refused(`the backup ${backup}`, ` --backup ${backup}`)
  rmSync(join(state, 'last-backup'))
  t.equal(
    earlierLife(state, backups)?.backup,
    backup,
    'where docs/backup.md has them, without a note of the last',
  )
  t.equal(earlierLife(state, undefined), undefined)
  t.equal(earlierLife(state, join(backups, 'none')), undefined)
  t.match(await toeh('fsck', '--repair', '--backup', backup), { code: 0 })
  assertDone(t, await toeh('known'), 'known.test')
  assertDone(t, await init(), `${database} is there`)
})

t.test('approvers and language are part of it', async (t) => {
  const made = async (
    env: Record<string, string>,
    ...args: string[]
  ): Promise<{ outcome: Outcome; place: Place }> => {
    const place = makePlace(t, ['env', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)])
    return { place, outcome: await place.init('--internal', 'corp.test', ...args) }
  }
  const french = await made(
    { LC_ALL: '', LANG: 'fr_FR.UTF-8' },
    '--approver',
    'Boss@corp.test',
    '--approver',
    'b@corp.test',
  )
  assertDone(t, french.outcome, '\nApprobateurs : Boss@corp.test, b@corp.test\n')
  t.match(loadConfig(french.place.config), { language: 'fr', approvers: ['Boss@corp.test', 'b@corp.test'] })
  const english = await made(
    { LC_ALL: 'fr_CH', LANG: 'C' },
    '--language',
    'en',
    '--approver',
    'a@corp.test',
    'A@corp.test',
  )
  t.match(loadConfig(english.place.config), { language: 'en' })
  t.equal(loadConfig(english.place.config).approvers.length, 1, 'each once')
  const none = await made({})
  assertDone(
    t,
    none.outcome,
    `No approvers are named: of held mail its senders are told, and nobody who could say yes. To name them: approvers in ${none.place.config}\n`,
  )
  t.match(loadConfig(none.place.config), { language: 'en', approvers: [] })

  // What is there is left, and not as if it had been changed.
  const { place } = english
  const before = snapshot(place.dir)
  assertDone(t, await place.init('--approver', 'a@corp.test', '--language', 'en'), 'est là')
  const refused = [
    [['--approver', 'new@corp.test'], `init --approver ${place.config}: la configuration existe déjà`],
    [['--language', 'fr'], 'mettez-y language = "fr"'],
  ] as const
  for (const [args, line] of refused) assertRefused(t, await place.init(...args), 2, line)
  t.strictSame(snapshot(place.dir), before)
})

t.test(
  'at a terminal it asks for approvers',
  { skip: spawnSync('script', ['--version']).error ? 'no script(1)' : false },
  async (t) => {
    const typed = (answer: string): { said: string; approvers: string[] } => {
      const { config, state } = makePlace(t)
      const command = [
        NODE,
        TOEH,
        'init',
        ...USER,
        '--state',
        state,
        '--internal',
        'corp.test',
        '--config',
        config,
      ]
      const { stdout } = spawnSync('script', ['-qec', command.join(' '), '/dev/null'], {
        input: answer,
        encoding: 'utf8',
        env: { ...SHELL_ENV },
      })
      return { said: stdout, approvers: loadConfig(config).approvers }
    }
    const two = typed('a b@corp.test\na@corp.test, b@corp.test\n')
    t.match(
      two.said,
      /Who may say yes to held mail[^\n]*or nothing: [\s\S]*init --approver "a": [\s\S]*or nothing: /,
    )
    t.strictSame(two.approvers, ['a@corp.test', 'b@corp.test'])
    const none = typed('\n')
    t.match(none.said, 'No approvers are named')
    t.strictSame(none.approvers, [])
  },
)

t.test('rights that are wrong are told, not changed', async (t) => {
  const { state, init } = makePlace(t)
  await init('--internal', 'corp.test')
  chmodSync(join(state, 'hold'), 0o755)
  assertDone(
    t,
    await init(),
    new RegExp(`${state}/hold is there, but not for \\S+ alone: chmod 700 ${state}/hold\n`),
  )
  t.equal(mode(join(state, 'hold')), '755')
})

t.test('bad input makes nothing', async (t) => {
  const { dir, config, init } = makePlace(t)
  const table: [args: string[], line: RegExp][] = [
    [['--internal', '1'], /init --internal "1": numeric top-level domain/],
    [['--internal', 'a@corp.test'], /init --internal "a@corp\.test": domain is not a host name/],
    [['--internal', ''], /init --internal "": no domain|--internal needs a value/],
    [['--internal'], /--internal needs a value/],
    [['--internal=corp.test', '--approver', 'boss'], /init --approver "boss": /],
    [['--internal=corp.test', '--approver', 'a@corp.test', 'a@b@c'], /init --approver "a@b@c": /],
    [['--internal=corp.test', '--language', 'de'], /Choices: "en", "fr"/],
    [['--intern', 'corp.test'], /there is no option --intern; did you mean --internal\?/],
    [['extra', '--internal=corp.test'], /extra is too much: it is toeh init/],
  ]
  for (const [args, line] of table) {
    assertRefused(t, await init(...args), 2, line)
    t.strictSame(walk(dir), [dir])
  }
  if (!IS_ROOT) return
  const ghost = await outcomeOf(
    startToeh(config, ['init', '--user', 'no-such-user', '--internal', 'corp.test']),
  )
  assertRefused(t, ghost, 2, /init no-such-user: there is no such user; adduser --system/)
  t.strictSame(walk(dir), [dir])
})

t.test('a configuration that is wrong is told with its line', async (t) => {
  const { config, init } = makePlace(t)
  await init('--internal', 'corp.test')
  spawnSync('sed', ['-i', 's/^busy_seconds = .*/busy_seconds = "x"/', config])
  assertRefused(t, await init(), 78, /toeh\.toml:\d+: busy_seconds: it must be a number, not a text/)
})

t.test('--json', async (t) => {
  const { config, state, init } = makePlace(t)
  const { stdout } = await init('--internal', 'corp.test', '--json')
  const answer = JSON.parse(stdout)
  t.match(answer, { config, state })
  t.match(answer.master.join('\n'), '127.0.0.1:10026 inet n')
})

t.test('--cron', async (t) => {
  const { dir, config, init } = makePlace(t)
  assertRefused(t, await init('--cron'), 78, /toeh init makes one/)
  t.strictSame(walk(dir), [dir], 'nothing is made')
  await init('--internal', 'corp.test')
  const before = walk(dir)
  const { code, stdout } = await init('--cron')
  t.equal(code, 0)
  const words = `${USER[1] ?? userInfo().username}  ${NODE} ${TOEH}`
  t.strictSame(
    stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
    [
      `17 * * * *  ${words} cleanup --config=${config}`,
      `5 8-18 * * 1-5  ${words} digest --config=${config}`,
      `31 2 * * *  ${words} backup /var/backups/toeh --keep 14 --config=${config}`,
    ],
  )
  const json = (await init('--cron', '--json')).stdout
  t.strictSame(faultsOfAnswer('init', json), [])
  const { cron } = JSON.parse(json)
  t.equal(`${cron.join('\n')}\n`, stdout)
  t.strictSame(walk(dir), before)
})

t.test('one thing at a time', async (t) => {
  const { dir, init } = makePlace(t)
  const cases: [args: string[], line: string][] = [
    [['--postfix', '--moderate'], 'init: --postfix, --moderate: one of them\n'],
    [['--moderate', '--cron'], 'init: --moderate, --cron: one of them\n'],
    [['--moderate', '--relay', '10.0.0.1'], 'init --relay: it belongs to --postfix\n'],
    [['--cron', '--apply'], 'init --apply: it belongs to --postfix\n'],
    [['--moderate', '--apply', '--undo'], 'init: --apply or --undo: one of them\n'],
    [['--moderate', '--reload'], 'init --reload: it goes with --apply or --undo\n'],
    ...[
      ['--express'],
      ['--anew'],
      ['--internal', 'x.test'],
      ['--approver', 'a@x.test'],
      ['--language', 'fr'],
    ].map((args): [string[], string] => [
      ['--moderate', ...args],
      `init ${args[0]}: it does not go with --moderate\n`,
    ]),
  ]
  for (const [args, line] of cases) assertRefused(t, await init(...args), 2, line)
  t.strictSame(walk(dir), [dir])
})

t.test('--postfix', { skip: cannotBeFresh() }, async (t) => {
  const debian = new Debian(t)
  const fresh = walk(debian.dir)
  const master = debian.read('master.cf')
  const shown = await debian.init('--postfix')
  assertDone(
    t,
    shown,
    `${debian.config} would be made, internal domains: company.example, mail.company.example, `,
  )
  t.match(shown.stdout, `--- ${debian.etc}/main.cf\n+++ ${debian.etc}/main.cf (changed)\n@@ `)
  t.match(
    shown.stdout,
    '\n pickup    unix  n       -       y       60      1       pickup\n+  -o content_filter=toeh:dummy\n',
  )
  t.match(shown.stdout, 'master.cf has no submission service in use')
  t.match(shown.stdout, /\nNothing is changed yet: the same with --apply does it\.\n$/)
  t.same(walk(debian.dir), fresh, 'nothing is made')
  t.equal(debian.read('master.cf'), master)

  const applied = await debian.init('--postfix', '--apply')
  assertDone(t, applied, `${debian.config} made, internal domains: company.example`)
  t.match(applied.stdout, `${debian.state}/toeh.db made\n`)
  t.equal(statSync(join(debian.state, 'toeh.db')).uid, 65534)
  t.match(
    applied.stdout,
    `As they were: ${debian.etc}/main.cf.before-toeh, ${debian.etc}/master.cf.before-toeh.`,
  )
  t.match(
    applied.stdout,
    `\nIt begins by observing: everything passes, and the decision log says what would have been held. What ends that, and shows it first: toeh mode enforce --config ${debian.config}\n`,
  )
  t.match(applied.stdout, /\nNow: postfix reload\n$/)
  t.match(debian.postconf('-M', 'toeh/unix'), `user=nobody:nogroup directory=${debian.state}`)

  // Without --user: it is the owner of the state folder.
  const again = await debian.toeh('init', '--postfix', '--apply', '--json')
  t.match(JSON.parse(again.stdout), {
    config: debian.config,
    state: debian.state,
    postfix: { folder: debian.etc, difference: '', applied: true, backups: [], reloaded: false },
  })

  const off = await debian.toeh('init', '--postfix', '--express')
  assertRefused(
    t,
    off,
    1,
    `init --express ${debian.config}: the express lane is off; set enabled = true under [express], then: toeh express --write --config ${debian.config}\n`,
  )
  const text = readFileSync(debian.config, 'utf8')
  writeFileSync(debian.config, text.replace('[express]\nenabled = false', '[express]\nenabled = true'))
  const unwritten = await debian.toeh('init', '--postfix', '--express')
  assertRefused(t, unwritten, 1, /express\.cf is not as it should be; toeh express --write/)

  const undone = await debian.toeh('init', '--postfix', '--undo')
  assertDone(t, undone, '\n-  -o content_filter=toeh:dummy\n')
  t.match(
    undone.stdout,
    `${debian.etc}/main.cf and ${debian.etc}/master.cf are byte for byte what they were.\n`,
  )
  t.equal(debian.read('master.cf'), master)
})

t.test(
  'a configuration of before Postfix was set up is compared with it',
  { skip: cannotBeFresh() },
  async (t) => {
    const debian = new Debian(t)
    assertDone(
      t,
      await debian.init('--internal', 'localhost.localdomain', '--internal', 'Company.example'),
      'made',
    )
    const text = readFileSync(debian.config, 'utf8')
    const line = `\n${debian.config} lacks domains that Postfix has as its own: mail.company.example, localhost.company.example, localhost. `
    for (const args of [[], ['--postfix'], ['--postfix', '--apply'], ['--postfix', '--apply']])
      assertDone(t, await debian.toeh('init', ...args), line)
    t.equal(readFileSync(debian.config, 'utf8'), text, 'a person adds them')
    const all =
      'internal_domains = ["company.example", "mail.company.example", "localhost.company.example", "localhost"]'
    writeFileSync(debian.config, text.replace(/^internal_domains = .*$/m, all))
    for (const args of [[], ['--postfix']])
      t.notMatch((await debian.toeh('init', ...args)).stdout, 'lacks domains')
  },
)

t.test("what begins an extension is Postfix's", { skip: cannotBeFresh() }, async (t) => {
  const debian = new Debian(t)
  const made = async (value: string): Promise<string | undefined> => {
    debian.postconf('-e', `recipient_delimiter=${value}`)
    rmSync(debian.config, { force: true })
    assertDone(t, await debian.init(), 'made')
    return loadConfig(debian.config).delimiters
  }
  t.equal(await made('+'), '+')
  t.equal(await made('-+&"'), '-+&"', 'whatever it is')
  t.equal(await made(''), '')
  t.equal(await made('x'), undefined, 'what the configuration does not take is left open, the strict way')
})

t.test(
  'an archive outside is told of, before it holds every message',
  { skip: cannotBeFresh() },
  async (t) => {
    const debian = new Debian(t)
    const made = async (copy: string): Promise<string> => {
      debian.postconf('-e', `always_bcc=${copy}`)
      rmSync(debian.config, { force: true })
      const outcome = await debian.init()
      assertDone(t, outcome, 'made')
      return outcome.stdout
    }
    const offer = `toeh allow all@archive.test --note 'archive, always_bcc' --config ${debian.config}\n`
    t.match(await made('all@archive.test'), offer)
    assertDone(t, await debian.init(), offer)
    assertDone(t, await debian.init('--postfix'), offer)
    await debian.toeh('allow', 'all@archive.test')
    for (const args of [[], ['--postfix']]) {
      const outcome = await debian.init(...args)
      t.equal(outcome.code, 0)
      t.notMatch(outcome.stdout, 'toeh allow', 'once it is known nothing is said of it')
    }
    await debian.toeh('revoke', 'all@archive.test')
    const [own = ''] = loadConfig(debian.config).internal
    t.notMatch(await made(`archive@${own}`), /always_bcc/)
    t.notMatch(await made(''), /always_bcc/)
  },
)

t.test(
  '--express refuses what would lead mail past the filter',
  { skip: cannotBeFresh() || cannotAskSqlite() },
  async (t) => {
    const debian = new Debian(t)
    debian.enable('submission')
    const main = debian.read('main.cf')
    const table = join(debian.etc, 'header')
    writeFileSync(table, '/^X-Old:/ IGNORE\n/^X-Journal:/\n BCC journal@archive.example\n')
    debian.postconf('-e', `header_checks=regexp:${table}`, 'smtpd_milters=inet:localhost:8891')
    const leaks =
      `header_checks regexp:${table}, line 2, /^X-Journal:/: BCC journal@archive.example adds a recipient that the gate does not see (submission/inet); ` +
      'smtpd_milters inet:localhost:8891 may add recipients that the gate does not see (submission/inet); ' +
      'take it out, or leave the express lane off (docs/express.md)\n'
    const fresh = walk(debian.dir)
    assertRefused(t, await debian.init('--express'), 1, `init --express: ${leaks}`)
    t.same(walk(debian.dir), fresh, 'nothing is made')

    assertDone(t, await debian.init(), `${debian.config} made`)
    const text = readFileSync(debian.config, 'utf8').replace(
      '[express]\nenabled = false',
      '[express]\nenabled = true',
    )
    writeFileSync(debian.config, text)
    assertDone(t, await debian.toeh('express', '--write'), 'rows of the lane written')
    const before = [debian.read('main.cf'), debian.read('master.cf')]
    const refused = await debian.init('--postfix', '--express', '--apply')
    assertRefused(t, refused, 1, `init --postfix master.cf, submission/inet: ${leaks}`)
    t.same([debian.read('main.cf'), debian.read('master.cf')], before, 'nothing is changed')
    const checked = await debian.toeh('express', '--check')
    t.match(
      checked.stdout,
      /^The express lane is on: .* no service asks it yet\.\nheader_checks .*\nsmtpd_milters .*\n$/,
    )
    t.equal(checked.code, 1)

    writeFileSync(
      debian.config,
      text.replace('trusted_milters = []', 'trusted_milters = ["inet:localhost:8891"]'),
    )
    writeFileSync(table, '/^X-Journal:/ BCC journal@company.example\n')
    const shown = await debian.init('--postfix', '--express')
    assertDone(t, shown, '+toeh_express_restrictions = ')
    debian.write('main.cf', `${main}smtpd_data_restrictions = check_policy_service unix:private/policy\n`)
    const doubtful = await debian.init('--postfix', '--express')
    assertDone(
      t,
      doubtful,
      'smtpd_data_restrictions asks check_policy_service unix:private/policy, whose answers cannot be listed',
    )
  },
)

t.test('--postfix refuses, and nothing is made', { skip: cannotBeFresh() }, async (t) => {
  const debian = new Debian(t)
  const fresh = walk(debian.dir)
  const table: [args: string[], status: number, line: string | RegExp][] = [
    [['--apply'], 2, 'init --apply: it belongs to --postfix'],
    [['--postfix', '--apply', '--undo'], 2, 'init: --apply or --undo: one of them'],
    [
      ['--postfix', '--config-dir', '/nonexistent'],
      1,
      /init --postfix: postconf \/nonexistent: there is no main\.cf: /,
    ],
  ]
  for (const [args, status, line] of table) assertRefused(t, await debian.init(...args), status, line)
  chmodSync(debian.dir, 0o777)
  const program = ['init', '--postfix', '--apply', '--internal', 'company.example']
  const other = await outcomeOf(startToeh(debian.config, program, UNPRIVILEGED))
  assertRefused(t, other, 77, 'init --postfix: only root can change Postfix')
  t.same(walk(debian.dir), fresh)

  // amavis, for instance.
  const other10026 = await makeScript(t, { CONNECT: '220 [127.0.0.1] ESMTP amavisd-new service ready' })
  mkdirSync(join(debian.config, '..'))
  writeFileSync(
    debian.config,
    `state = "${debian.state}"\ninternal_domains = ["company.example"]\nreinject = "smtp:127.0.0.1:${other10026.port}"\n`,
  )
  assertRefused(
    t,
    await debian.init('--postfix', '--apply'),
    1,
    `init --postfix 127.0.0.1:${other10026.port}: something listens there already: 220 [127.0.0.1] ESMTP amavisd-new service ready; set reinject in ${debian.config} to a free port`,
  )
  t.same(readdirSync(debian.etc).sort(), ['main.cf', 'master.cf'])
  t.notOk(existsSync(debian.state))
})
