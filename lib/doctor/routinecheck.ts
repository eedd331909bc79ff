/** The checks on the routine: what cron or a timer is to run and does not, and observing that was never ended. Pure. */

import type { RoutineFact } from '../cli/routine.js'
import { quote } from '../postfix/settings.js'
import { JUMP_MS } from '../system/clock.js'
import { words } from '../text/translate.js'
import { shortAge } from '../text/visible.js'
import type { Check, Facts, Fault } from './facts.js'

const DAY_MS = 86_400_000
/** A digest in working hours is silent from Friday evening to Monday morning, and over a holiday. */
const DIGEST_MS = 4 * DAY_MS
/** One a week is a backup too. */
const BACKUP_MS = 8 * DAY_MS
/** More is no trial. */
const OBSERVE_MS = 30 * DAY_MS

/** Where docs say how it is run. */
const HINT = 'toeh init --cron'

type Run = 'cleanup' | 'digest' | 'backup'

/** What is said where a run is overdue; none where the installation is younger than that. */
function overdue(routine: RoutineFact, run: Run, now: number, most: number, why: string): Fault[] {
  const last = routine[run]
  const age = now - (last ?? routine.since)
  if (age <= most) return []
  const what =
    last === null
      ? words`toeh ${run} has never run, and the database is ${shortAge(age)} old`
      : words`toeh ${run} last ran ${shortAge(age)} ago`
  return [{ level: 'warning', what, why: words`${why} (the lines for cron: ${HINT})`, mend: [] }]
}

function goodRun(run: Run) {
  return ({ routine, now }: Facts): string => {
    const last = routine?.[run] ?? null
    return last === null
      ? words`toeh ${run} has not run yet, and need not have`
      : words`toeh ${run} last ran ${shortAge(now - last)} ago`
  }
}

export const ROUTINE_CHECKS: readonly Check[] = [
  {
    name: 'cleanup',
    good: goodRun('cleanup'),
    look: ({ routine, now }) =>
      routine === undefined
        ? []
        : overdue(
            routine,
            'cleanup',
            now,
            JUMP_MS,
            words`held mail does not expire and nobody is told, and the decision log and the audit are kept for longer than they may be`,
          ),
  },
  {
    name: 'digest',
    good: (facts) =>
      facts.toeh.mode === 'observe'
        ? words`nothing is held while everything passes`
        : goodRun('digest')(facts),
    look: ({ routine, now, toeh }) =>
      routine === undefined || toeh.mode === 'observe'
        ? []
        : overdue(
            routine,
            'digest',
            now,
            DIGEST_MS,
            words`held mail that no notice has told of waits unseen until it expires`,
          ),
  },
  {
    name: 'backup',
    good: goodRun('backup'),
    look: ({ routine, now }) =>
      routine === undefined
        ? []
        : overdue(
            routine,
            'backup',
            now,
            BACKUP_MS,
            words`with the disk go the rules, what waits and who has decided it (docs/backup.md)`,
          ),
  },
  {
    name: 'observing',
    good: ({ toeh }) =>
      toeh.mode === 'observe'
        ? words`everything passes, and has for no longer than 30 days`
        : words`unknown mail is held`,
    look: ({ routine, now, toeh }) => {
      const since = routine?.observing ?? null
      if (toeh.mode !== 'observe' || since === null || now - since <= OBSERVE_MS) return []
      const day = new Date(since).toISOString().slice(0, 10)
      return [
        {
          level: 'warning',
          what: words`everything has passed since ${day}: mode is observe`,
          why: words`nothing is held. What ends it, and shows first what it would hold: ${`toeh mode enforce --config ${quote(toeh.path)}`}`,
          // A person says when mail is held.
          mend: [],
        },
      ]
    },
  },
]
