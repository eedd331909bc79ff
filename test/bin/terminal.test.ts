/** toeh on a terminal: no colours, nothing that steers it, and times of the local zone. */
import t from 'tap'
import {
  assertDone,
  makeLab,
  NODE,
  type Outcome,
  outcomeOf,
  PIPE_ENV,
  startToeh,
  startWith,
  TOEH,
} from '../support/lab.js'

/** toeh with a terminal of its own, as script(1) gives it, and colours asked for. */
async function onTerminal(config: string, args: readonly string[]): Promise<Outcome> {
  const env = { ...PIPE_ENV, TOEH_CONFIG: config, TERM: 'xterm-256color', FORCE_COLOR: '3' }
  const line = [NODE, TOEH, ...args].join(' ')
  return outcomeOf(startWith(env, ['script', '--quiet', '--return', '/dev/null', '--command', line]))
}

t.test('nothing steers a terminal, even where colours are asked for', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const id = await lab.park(['eve@knovvn.test'])
  const cases: [string, RegExp][] = [
    ['--help', /Commands:/],
    ['release --help', /Examples:/],
    ['list', /eve@knovvn\.test/],
    [`show ${id}`, /eve@knovvn\.test/],
    ['known', /known\.test/],
    ['why eve@knovvn.test', /hold/],
    ['audit', /known\.test/],
    ['export', /known\.test/],
    ['liste', /toeh: usage/],
  ]
  for (const [args, words] of cases) {
    const { stdout } = await onTerminal(lab.config, args.split(' '))
    t.match(stdout, words, args)
    t.notMatch(stdout, '\u{1b}', `no escape: ${args}`)
  }
})

t.test('times are those of the local zone, in JSON those of the clock', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const id = await lab.park(['eve@unknown.test'])
  const instant = Date.parse('2026-07-01T23:30:00Z')
  lab.change('UPDATE rule SET added_at = ?', instant)
  lab.change('UPDATE audit SET at = ?', instant)
  lab.change('UPDATE hold SET held_at = ?', instant)
  const shown = {
    'America/New_York': '2026-07-01 19:30',
    'Europe/Paris': '2026-07-02 01:30',
    UTC: '2026-07-01 23:30',
  }
  for (const [zone, time] of Object.entries(shown)) {
    const run = (...args: string[]) => outcomeOf(startToeh(lab.config, args, ['env', `TZ=${zone}`]))
    assertDone(t, await run('why', 'a@known.test'), time)
    const [rule] = JSON.parse((await run('known', '--json')).stdout) as { addedAt: number }[]
    t.equal(rule?.addedAt, instant, zone)
  }
  const run = (...args: string[]) => outcomeOf(startToeh(lab.config, args, ['env', 'TZ=Asia/Kolkata']))
  assertDone(t, await run('known'), /known\.test .*, 2026-07-02/)
  assertDone(t, await run('audit'), /^2026-07-02 05:00/)
  assertDone(t, await run('show', id), /^held: +2026-07-02 05:00/m)
  assertDone(t, await run('reject', '--all', '--dry-run'), /held 2026-07-02 05:00\)/)
})
