/** The checkup: every check of `toeh doctor`, in order, over one set of facts. Pure. */

import { isBeforeInit } from '../postfix/settings.js'
import { ALIAS_CHECKS } from './aliases.js'
import { ANSWER_CHECKS } from './answers.js'
import { ARCHIVE_CHECKS } from './archives.js'
import { DIVERSION_CHECKS } from './diversions.js'
import { ENTRANCE_CHECKS, OFFER_CHECKS } from './entrances.js'
import { LANE_CHECKS } from './express.js'
import type { Check, Facts, Fault, Level } from './facts.js'
import { GATE_CHECKS } from './gate.js'
import { HOST_CHECKS } from './host.js'
import { PEOPLE_CHECKS } from './people.js'
import { ROUTINE_CHECKS } from './routinecheck.js'
import { UNIT_CHECKS } from './unit.js'
import { WAYBACK_CHECKS } from './wayback.js'

/** A new check is added to one of the lists. */
export const CHECKS: readonly Check[] = [
  ...GATE_CHECKS,
  ...UNIT_CHECKS,
  ...ENTRANCE_CHECKS,
  ...WAYBACK_CHECKS,
  ...OFFER_CHECKS,
  ...ALIAS_CHECKS,
  ...DIVERSION_CHECKS,
  ...LANE_CHECKS,
  ...HOST_CHECKS,
  ...PEOPLE_CHECKS,
  ...ANSWER_CHECKS,
  ...ARCHIVE_CHECKS,
  ...ROUTINE_CHECKS,
]

export interface Finding {
  check: string
  level: Level
  /** What a good one means; empty for the others. */
  good: string
  faults: Fault[]
}

/** What matters most comes last. */
const LEVELS: readonly Level[] = ['good', 'unknown', 'warning', 'critical']

export function worst(levels: readonly Level[]): Level {
  return LEVELS[Math.max(0, ...levels.map((level) => LEVELS.indexOf(level)))] ?? 'good'
}

/** Where there is no command nobody is affected. */
function settled(fault: Fault): Fault {
  const { level, what, why, mend } = fault
  return mend.length === 0 ? { level, what, why, mend: [] } : fault
}

/** What can be looked at before toeh init: nothing else is there yet, and no mail is lost for it. */
const BEFORE_INIT = ['gate-service', 'versions', 'rights', 'disk', 'log-readers', 'clock', 'database']

/** One finding a check; before toeh init, of those alone that say something then. */
export function examine(facts: Facts, checks: readonly Check[] = CHECKS): Finding[] {
  const now = isBeforeInit(facts) ? checks.filter(({ name }) => BEFORE_INIT.includes(name)) : checks
  return now.map(({ name, good, look }) => {
    const faults = look(facts).map(settled)
    const level = worst(faults.map((fault) => fault.level))
    return { check: name, level, good: level === 'good' ? good(facts) : '', faults }
  })
}

/** Every command that mends something, once each, in the order of the findings. */
export function mends(findings: readonly Finding[]): string[] {
  return [...new Set(findings.flatMap(({ faults }) => faults.flatMap(({ mend }) => mend)))]
}
