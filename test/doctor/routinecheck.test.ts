/** The checks on the routine: what is overdue, what is too young to be, and observing without an end. */

import t from 'tap'
import type { RoutineFact } from '../../lib/cli/routine.js'
import type { Facts } from '../../lib/doctor/facts.js'
import { ROUTINE_CHECKS } from '../../lib/doctor/routinecheck.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = Date.UTC(2026, 10, 30, 12)

function look(name: string, routine: Partial<RoutineFact> | undefined, mode = 'enforce'): string[] {
  const check = ROUTINE_CHECKS.find((one) => one.name === name)
  const whole = { since: NOW - 400 * DAY, cleanup: null, digest: null, backup: null, observing: null }
  const facts = {
    now: NOW,
    routine: routine && { ...whole, ...routine },
    toeh: { mode, path: '/etc/toeh/toeh.toml' },
  } as Facts
  const faults = check?.look(facts) ?? []
  if (faults.length === 0) t.not(check?.good(facts), '', 'and it says what is good')
  return faults.map(({ level, what, why }) => `${level}: ${what}; ${why}`)
}

t.test('runs that are overdue', (t) => {
  const cases: [run: 'cleanup' | 'digest' | 'backup', most: number][] = [
    ['cleanup', 25 * HOUR],
    ['digest', 4 * DAY],
    ['backup', 8 * DAY],
  ]
  for (const [run, most] of cases) {
    t.strictSame(look(run, { [run]: NOW - most }), [], `${run} just in time`)
    t.match(look(run, { [run]: NOW - most - 1 }), [
      new RegExp(`^warning: toeh ${run} last ran \\d+[hd] ago; .*toeh init --cron\\)$`),
    ])
    t.strictSame(look(run, { since: NOW - most }), [], `${run} never, and the installation is new`)
    t.match(look(run, { since: NOW - most - 1 }), [
      new RegExp(`^warning: toeh ${run} has never run, and the database is \\d+[hd] old; `),
    ])
    t.strictSame(look(run, undefined), [], 'nothing is known')
  }
  t.strictSame(look('digest', {}, 'observe'), [], 'nothing is held that could be told of')
  t.end()
})

t.test('observing', (t) => {
  t.strictSame(look('observing', { observing: NOW - 30 * DAY }, 'observe'), [])
  t.strictSame(look('observing', { observing: Date.UTC(2026, 9, 30) }, 'observe'), [
    'warning: everything has passed since 2026-10-30: mode is observe; nothing is held. What ends it, and shows first what it would hold: toeh mode enforce --config /etc/toeh/toeh.toml',
  ])
  t.strictSame(look('observing', { observing: Date.UTC(2026, 9, 30) }), [], 'it has ended')
  t.strictSame(look('observing', {}, 'observe'), [], 'no mail yet')
  t.end()
})
