/** toeh undo: the last act of the one who runs it, shown and taken back; what cannot be is said. */
import t from 'tap'
import {
  assertDone,
  assertFailed,
  assertRefused,
  type Lab,
  makeLab,
  NODE,
  outcomeOf,
  PIPE_ENV,
  startWith,
  TOEH,
} from '../support/lab.js'
import { makeSink } from '../support/sink.js'

/** The rules in force, each with its effect. */
function live(lab: Lab): string[] {
  const sql = `SELECT effect || ' ' || value || iif(scope = '', '', ' for ' || scope) || iif(note = '', '', ': ' || note) AS rule
               FROM rule WHERE revoked_at IS NULL ORDER BY value, effect`
  return lab.query<{ rule: string }>(sql).map(({ rule }) => rule)
}

t.test('rules: what came ends, what ended stands again, and twice is once more', async (t) => {
  const lab = makeLab(t)
  assertRefused(
    t,
    await lab.toeh('undo', '--yes'),
    66,
    /there is nothing that you have done; toeh audit lists/,
  )
  await lab.allow('others.test')
  assertDone(t, await lab.toeh('allow', 'a.test', 'b.test', '--note', 'contract'), 'rule 2')
  const both = ['allow a.test: contract', 'allow b.test: contract', 'allow others.test']
  const before = lab.databaseDigest()
  assertDone(
    t,
    await lab.toeh('undo', '--dry-run'),
    /^done by .* on .*:\n {2}allow {2}a\.test\n {2}allow {2}b\.test\nwould end rule 2: allow a\.test\nwould end rule 3: allow b\.test\n$/,
  )
  assertRefused(
    t,
    await lab.toeh('undo'),
    2,
    /undo: nobody is there to be asked; --dry-run shows what there is/,
  )
  t.equal(lab.databaseDigest(), before)
  assertDone(
    t,
    await lab.toeh('undo', '--yes'),
    /^rule 2 ended: allow a\.test\nrule 3 ended: allow b\.test\n$/,
  )
  t.strictSame(live(lab), ['allow others.test'], 'what others did stays')
  assertDone(
    t,
    await lab.toeh('undo', '--yes'),
    /^stands again: allow a\.test\nstands again: allow b\.test\n$/,
  )
  t.strictSame(live(lab), both)

  assertDone(t, await lab.toeh('block', 'a.test', '--for', '@corp.test'), 'rule')
  assertDone(t, await lab.toeh('undo', '--yes'), /^rule \d+ ended: block a\.test for @corp\.test\n$/)
  t.strictSame(live(lab), both)

  assertDone(t, await lab.toeh('revoke', 'a.test', 'others.test'), 'ended')
  assertDone(
    t,
    await lab.toeh('undo', '--yes'),
    /^stands again: allow others\.test\nstands again: allow a\.test\n$/,
  )
  t.strictSame(live(lab), both)

  assertDone(t, await lab.toeh('allow', 'b.test', '--subdomains'), 'in place of')
  assertDone(
    t,
    await lab.toeh('undo', '--yes'),
    /ended: allow b\.test with subdomains\nstands again: allow b\.test\n$/,
  )
  t.strictSame(live(lab), both)
  assertDone(t, await lab.toeh('audit', 'verify'), 'whole: ')
})

t.test('what has changed since is left, and said', async (t) => {
  const lab = makeLab(t)
  assertDone(t, await lab.toeh('allow', 'a.test', 'b.test'), 'rule 1')
  lab.change(`UPDATE rule SET revoked_by = 'paul', revoked_at = 5 WHERE id = 1`)
  const outcome = await lab.toeh('undo', '--yes')
  assertFailed(
    t,
    outcome,
    /^rule 2 ended: allow b\.test\ncannot be undone: rule 1 has ended since: allow a\.test\n$/,
  )
  t.strictSame(live(lab), [])

  assertDone(t, await lab.toeh('allow', 'c.test', '--until', '30d'), 'rule 3')
  assertDone(t, await lab.toeh('revoke', 'c.test'), 'rule 3 ended')
  lab.change('UPDATE rule SET ends_at = 1 WHERE id = 3')
  assertRefused(
    t,
    await lab.toeh('undo', '--yes'),
    1,
    /undo: cannot be undone: the time of rule 3 is over: allow c\.test/,
  )

  assertDone(t, await lab.toeh('allow', 'd.test'), 'rule 4')
  assertDone(t, await lab.toeh('revoke', 'd.test'), 'rule 4 ended')
  lab.change(
    `INSERT INTO rule (kind, value, subdomains, scope, effect, added_by, added_at, source, note)
     VALUES ('domain', 'd.test', 0, '', 'block', 'paul', 7, 'command', '')`,
  )
  const before = lab.databaseDigest()
  assertRefused(t, await lab.toeh('undo', '--yes'), 1, /allow d\.test: rule 5 of paul blocks it/)
  t.equal(lab.databaseDigest(), before, 'nobody goes past a block by undoing')
})

t.test('a rejected recipient waits again while others do; a message that is gone cannot', async (t) => {
  const lab = makeLab(t)
  const part = await lab.park(['a@new.test', 'b@new.test', 'c@new.test'], { queueId: 'PART0001' })
  const whole = await lab.park(['a@new.test'], { queueId: 'WHOLE001' })
  assertDone(t, await lab.toeh('reject', '--recipient', 'a@new.test', '--yes'), 'rejected')
  t.strictSame(lab.states(), [
    'a@new.test rejected',
    'a@new.test rejected',
    'b@new.test held',
    'c@new.test held',
  ])
  const outcome = await lab.toeh('undo', '--yes')
  assertFailed(t, outcome, `${part} waits again for a@new.test\nNobody is told of that`)
  t.match(
    outcome.stdout,
    `cannot be undone: ${whole} for a@new.test: the message is gone; its sender can send it again\n`,
  )
  t.strictSame(
    lab.query(
      'SELECT hold, state, changed_by AS by FROM recipient WHERE state = ? AND address = ?',
      'held',
      'a@new.test',
    ).length,
    1,
  )
  t.match(lab.query("SELECT subject, was, now FROM audit WHERE what = 'restored'"), [
    { subject: `${part} a@new.test`, was: 'rejected', now: 'held' },
  ])
  assertDone(t, await lab.toeh('fsck'), /^whole: /)
  assertRefused(
    t,
    await lab.toeh('undo', '--yes'),
    1,
    /waits again for a@new\.test: toeh reject .* rejects it/,
  )
  const sink = await makeSink(t)
  lab.configure(sink.setting)
  assertDone(t, await lab.toeh('release', part), `${part} released to a@new.test`)
  t.strictSame(
    sink.mails.map(({ recipients }) => [...recipients].sort()),
    [['a@new.test', 'b@new.test', 'c@new.test']],
  )
  assertRefused(
    t,
    await lab.toeh('undo', '--yes'),
    1,
    new RegExp(
      `undo: cannot be undone: ${part} went to a@new\\.test: what is sent cannot be called back; toeh undo --dry-run`,
    ),
  )
})

t.test('the mode and what was forgotten', async (t) => {
  const lab = makeLab(t)
  await lab.allow('eva@new.test')
  lab.change(`UPDATE rule SET revoked_by = 'x', revoked_at = 5`)
  assertDone(t, await lab.toeh('forget', 'eva@new.test', '--yes'), 'erased')
  assertRefused(t, await lab.toeh('undo', '--yes'), 1, /cannot be undone: what was erased is gone \(erased-/)
  lab.configure('mode = "enforce"\n')
  assertDone(t, await lab.toeh('mode', 'observe'), 'observe')
  assertRefused(
    t,
    await lab.toeh('undo', '--yes'),
    1,
    /the mode is changed by its own command: toeh mode enforce/,
  )
})

t.test('on a terminal it shows the act and asks', async (t) => {
  const lab = makeLab(t)
  // With the terminal's user on both sides.
  const onTerminal = (typed: string, ...args: string[]): ReturnType<typeof outcomeOf> => {
    const env = { ...PIPE_ENV, TOEH_CONFIG: lab.config, TERM: 'xterm' }
    const line = [NODE, TOEH, ...args].join(' ')
    const child = startWith(env, ['script', '--quiet', '--return', '/dev/null', '--command', line])
    child.stdin?.on('error', () => {})
    child.stdout?.on('data', (bytes) => {
      if (String(bytes).includes('(y/N)')) child.stdin?.end(typed)
    })
    return outcomeOf(child)
  }
  await onTerminal('', 'allow', 'a.test')
  const no = await onTerminal('\n', 'undo')
  t.match(no, { code: 1, stdout: /would end rule 1: allow a\.test\r\nundo that\? \(y\/N\)/ })
  t.match(no.stdout, 'undo: nothing was changed')
  t.strictSame(live(lab), ['allow a.test'])
  const yes = await onTerminal('y\n', 'undo')
  t.match(yes, { code: 0, stdout: /rule 1 ended: allow a\.test/ })
  t.strictSame(live(lab), [])
})

t.test('--json', async (t) => {
  const lab = makeLab(t)
  assertDone(t, await lab.toeh('allow', 'a.test'), 'rule 1')
  const { stdout } = await lab.toeh('undo', '--yes', '--json')
  t.match(JSON.parse(stdout), {
    done: true,
    act: [{ what: 'allow', subject: 'a.test' }],
    end: [{ id: 1 }],
    cannot: [],
  })
})
