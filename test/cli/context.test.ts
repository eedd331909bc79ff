/** The desk: which configuration, which access to the database, whose state folder, and how an answer is given. */
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  answer,
  type CommonOptions,
  configPath,
  enterState,
  fileOrHyphen,
  openDesk,
  presently,
  say,
  terminalWidth,
  verdictsOf,
} from '../../lib/cli/context.js'
import { EXIT } from '../../lib/exit.js'
import { Lane, lanePath } from '../../lib/express/lane.js'
import { failureOf } from '../support/failing.js'
import { makeFolder, makeLab } from '../support/lab.js'

/** Sets a variable of the environment while a test runs. */
function set(t: Test, name: string, value: string | undefined): void {
  const before = process.env[name]
  const put = (text: string | undefined): void => {
    if (text === undefined) delete process.env[name]
    else process.env[name] = text
  }
  put(value)
  t.teardown(() => put(before))
}

/** What is printed meanwhile. */
function printed(work: () => void): string {
  const { write } = process.stdout
  let text = ''
  process.stdout.write = ((piece: string) => {
    text += piece
    return true
  }) as typeof write
  try {
    work()
  } finally {
    process.stdout.write = write
  }
  return text
}

t.test('where the configuration is', (t) => {
  set(t, 'TOEH_CONFIG', undefined)
  t.equal(configPath({}), '/etc/toeh/toeh.toml')
  set(t, 'TOEH_CONFIG', '/a')
  t.equal(configPath({}), '/a')
  t.equal(configPath({ config: '/b' }), '/b')
  t.end()
})

t.test('a file, or standard input', (t) => {
  t.equal(fileOrHyphen('/dev/stdin'), '-')
  t.equal(fileOrHyphen('/dev/stdin2'), '/dev/stdin2')
  t.end()
})

t.test('an answer', (t) => {
  const give = (options: CommonOptions, lines: string[]): string =>
    printed(() => answer(options, { a: ['\u001b'] }, lines))
  t.equal(give({}, ['a', 'b\u001b[31m']), 'a\nb\\u{1b}[31m\n')
  t.equal(give({}, []), '')
  t.equal(give({ json: false }, ['a']), 'a\n')
  t.equal(give({ json: true }, ['a']), '{\n  "a": [\n    "\\u001b"\n  ]\n}\n')
  t.equal(
    printed(() => say()),
    '\n',
  )
  const { columns } = process.stdout
  t.teardown(() => {
    process.stdout.columns = columns
  })
  for (const [width, wanted] of [
    [132, 132],
    [0, 80],
    [undefined as unknown as number, 80],
  ] as const) {
    process.stdout.columns = width
    t.equal(terminalWidth(), wanted)
  }
  t.end()
})

t.test('the state folder', async (t) => {
  const lab = makeLab(t)
  t.equal(enterState(lab.state), process.getuid?.())
  const gone = join(lab.dir, 'gone')
  const missing = await failureOf(() => enterState(gone))
  t.equal(missing.status, EXIT.config)
  t.equal(
    missing.line,
    `state ${gone}: no such file or directory (ENOENT); run as root or as the owner of that folder; toeh init makes it`,
  )
  rmSync(join(lab.state, 'hold/tmp'), { recursive: true })
  const half = await failureOf(() => enterState(lab.state))
  t.equal(half.status, EXIT.noPermission)
  t.match(half.line, `state ${lab.state}: it is closed to this user, or incomplete; run as root`)
})

t.test('reading leaves everything as it is, and can change nothing', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const before = lab.snapshot()
  const desk = openDesk({ config: lab.config }, 'read')
  const [known, unknown] = await verdictsOf(desk, { sender: 'anna@corp.test', login: '' }, [
    'x@known.test',
    'x@new.test',
  ])
  t.match(
    [known, unknown],
    [
      { pass: true, reason: 'allowed' },
      { pass: false, reason: 'unknown' },
    ],
  )
  await t.rejects(desk.audit.note({ who: 'x', at: 1, what: 'mode', subject: 's', was: '', now: '' }))
  t.strictSame(lab.snapshot(), before)
})

t.test('who acts, and when', async (t) => {
  set(t, 'SUDO_USER', undefined)
  const lab = makeLab(t)
  const desk = openDesk({ config: lab.config }, 'write')
  const begun = { ...desk, actor: { ...desk.actor, at: 7 } }
  const later = presently(begun)
  t.equal(begun.actor.at, 7)
  t.ok(later.actor.at >= desk.actor.at, 'a later claim is dated with its own time')
  t.equal(later.actor.who, desk.actor.who)
  t.equal(later.hold, desk.hold, 'it is the same desk')
})

t.test(
  'deciding is for those whom the configuration names',
  { skip: process.getuid?.() !== 0 },
  async (t) => {
    set(t, 'SUDO_USER', 'daemon')
    const lab = makeLab(t, '', '[notice]\nenabled = false\n[people]\ngroup = "toeh-of-no-one"\n')
    const failure = await failureOf(() => openDesk({ config: lab.config }, 'decide'))
    t.equal(failure.status, EXIT.noPermission)
    t.match(failure.line, 'daemon is not in the group toeh-of-no-one')
    t.equal(
      openDesk({ config: lab.config }, 'write').actor.who.startsWith('daemon'),
      true,
      'others may write',
    )
  },
)

t.test('an express lane that was switched off is emptied by whoever writes', async (t) => {
  const lab = makeLab(t, '', '[notice]\nenabled = false\n[express]\nenabled = true\n')
  mkdirSync(join(lanePath(lab.state), '..'), { recursive: true, mode: 0o750 })
  const lane = new Lane({ state: lab.state, internal: new Set(['corp.test']) }, true)
  lane.replace([{ key: '@known.test', pass: true }])
  const rows = (): unknown[] => new Lane({ state: lab.state, internal: new Set() }).rows() ?? []
  openDesk({ config: lab.config }, 'write')
  t.equal(rows().length, 1, 'while it is on')
  lab.configure('[notice]\nenabled = false\n[express]\nenabled = false\n')
  chmodSync(lab.config, 0o644)
  openDesk({ config: lab.config }, 'read')
  t.equal(rows().length, 1, 'a reader changes nothing')
  openDesk({ config: lab.config }, 'write')
  t.strictSame(rows(), [])
  rmSync(lanePath(lab.state))
  openDesk({ config: lab.config }, 'write')
  t.notOk(existsSync(lanePath(lab.state)), 'none is made')
})

t.test('no configuration, no desk', async (t) => {
  const path = join(makeFolder(t), 'toeh.toml')
  t.equal((await failureOf(() => openDesk({ config: path }, 'read'))).status, EXIT.config)
})
