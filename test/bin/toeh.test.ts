/** toeh: what all its commands share: help, usage, a wrong installation, and a reader that goes away. */
import { readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { databasePath } from '../../lib/database/database.js'
import {
  assertDone,
  assertRefused,
  makeLab,
  outcomeOf,
  ROOT,
  startToeh,
  UNPRIVILEGED,
} from '../support/lab.js'

const COMMANDS = readdirSync(join(ROOT, 'lib/commands')).map((name) => name.replace('.ts', ''))
/** Arguments that a command needs before it looks at anything. */
const NEEDED: Record<string, string[]> = {
  allow: ['x.test'],
  block: ['x.test'],
  revoke: ['x.test'],
  why: ['a@x.test'],
  import: ['/dev/null'],
  learn: ['log', '/dev/null'],
  replay: ['/dev/null'],
  show: ['000000000000'],
  release: ['000000000000'],
  reject: ['000000000000'],
  backup: ['/nonexistent/copy.db'],
  forget: ['eva@known.test'],
}
/** doctor says what is wrong in its own words, with the statuses of monitoring; moderate in pipe(8)'s. */
const AT_THE_DESK = COMMANDS.filter((name) => !['init', 'doctor', 'moderate'].includes(name))

t.test('--help names every command, and each one has an example', async (t) => {
  const lab = makeLab(t)
  const help = await lab.toeh('--help')
  assertDone(t, help, 'Commands:')
  for (const name of COMMANDS) {
    t.match(help.stdout, new RegExp(`^  toeh ${name}\\b`, 'm'))
    const { code, stdout, stderr } = await lab.toeh(name, '--help')
    t.strictSame({ code, stderr }, { code: 0, stderr: '' })
    t.match(stdout, new RegExp(`Examples:\\s+toeh [^]*\\b${name}\\b`), `${name} has an example`)
    for (const line of stdout.split('\n')) t.ok(line.length <= 80, `80 columns: ${line}`)
  }
})

t.test('wrong usage', async (t) => {
  const lab = makeLab(t)
  assertRefused(t, await lab.toeh(), 2, /usage: which command\?; toeh --help names the commands/)
  assertRefused(t, await lab.toeh('liste'), 2, /there is no command liste; did you mean list\? toeh --help/)
  assertRefused(t, await lab.toeh('list', '--config'), 2, /--config needs a value; toeh list --help/)
  assertRefused(t, await lab.toeh('\u{1b}[2J'), 2, /there is no command \\u\{1b\}\[2J/)
})

t.test('a wrong installation, for each command', async (t) => {
  const lab = makeLab(t)
  for (const name of AT_THE_DESK) {
    const missing = await lab.toeh(name, ...(NEEDED[name] ?? []), '--config', '/nowhere/toeh.toml')
    assertRefused(
      t,
      missing,
      78,
      /configuration \/nowhere\/toeh\.toml: no such file or directory \(ENOENT\); toeh init/,
    )
  }
  lab.configure('busy_seconds = true')
  assertRefused(
    t,
    await lab.toeh('list'),
    78,
    /toeh\.toml:3: busy_seconds: it must be a number, not true or false/,
  )
  lab.configure('')
  const stranger = await outcomeOf(startToeh(lab.config, ['list'], UNPRIVILEGED))
  if (UNPRIVILEGED.length > 0) assertRefused(t, stranger, 77, /permission denied \(EACCES\)/)
  lab.change('PRAGMA user_version = 99')
  assertRefused(t, await lab.toeh('list'), 78, /its schema is version 99/)
  writeFileSync(databasePath(lab.state), 'x'.repeat(5000))
  assertRefused(
    t,
    await lab.toeh('release', '000000000000'),
    75,
    /file is not a database.*restore it from a backup/,
  )
})

t.test('a part of the installation that is not there is named', async (t) => {
  const lab = makeLab(t)
  const decisions = join(lab.state, 'decisions')
  renameSync(decisions, `${decisions}-away`)
  writeFileSync(decisions, '')
  const { code, stderr } = await lab.toeh('cleanup')
  t.equal(code, 1)
  t.match(stderr, new RegExp(`^toeh: .*${decisions}: not a directory \\(ENOTDIR\\)\\n$`))
})

t.test('a locked database', async (t) => {
  const lab = makeLab(t, 'busy_seconds = 1')
  const db = lab.openDatabase()
  db.run('BEGIN IMMEDIATE')
  assertRefused(t, await lab.toeh('allow', 'x.test'), 75, /database is locked/)
  assertDone(t, await lab.toeh('known'), 'no rule\n')
  db.run('COMMIT')
  db.close()
})

t.test('a reader that has seen enough', async (t) => {
  const lab = makeLab(t)
  await lab.allow(...Array.from({ length: 3000 }, (_, index) => `supplier${index}.test`))
  for (const args of [['known'], ['known', '--json']]) {
    const child = lab.startToeh(...args)
    const ended = outcomeOf(child)
    child.stdout?.once('data', () => child.stdout?.destroy())
    t.match(await ended, { code: 0, signal: null, stderr: '' }, args.join(' '))
  }
})
