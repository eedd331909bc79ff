/** The check-up: each check once and well named, one finding a check, and the commands that mend what is found. */
import t from 'tap'
import { CHECKS, examine, type Finding, mends, worst } from '../lib/checkup.js'
import type { Check, Facts, Fault, Level } from '../lib/facts.js'

function fault(level: Fault['level'], ...mend: string[]): Fault {
  return { level, what: `a ${level} one`, why: 'it matters', mend }
}

function check(name: string, ...faults: Fault[]): Check {
  return { name, good: ({ now }) => `good at ${now}`, look: () => faults }
}

t.test('every check has a name of its own, which can be written in a shell and in a table', (t) => {
  const names = CHECKS.map(({ name }) => name)
  t.equal(new Set(names).size, names.length)
  for (const name of names) t.match(name, /^[a-z0-9]+(?:-[a-z0-9]+)*$/)
  // What keeps the gate from running at all is said before what leads round it.
  t.equal(names[0], 'gate-service')
  t.end()
})

t.test('the worst of several', (t) => {
  const table: [levels: Level[], level: Level][] = [
    [[], 'good'],
    [['good'], 'good'],
    [['unknown', 'good'], 'unknown'],
    [['warning', 'unknown'], 'warning'],
    [['warning', 'critical', 'unknown'], 'critical'],
  ]
  for (const [levels, level] of table) t.equal(worst(levels), level, levels.join())
  t.end()
})

t.test('one finding a check, in order', (t) => {
  const facts = { now: 7 } as Facts
  const both = [fault('warning', 'a'), fault('critical', 'b')]
  t.strictSame(examine(facts, [check('sound'), check('broken', ...both), check('dark', fault('unknown'))]), [
    { check: 'sound', level: 'good', good: 'good at 7', faults: [] },
    { check: 'broken', level: 'critical', good: '', faults: both },
    { check: 'dark', level: 'unknown', good: '', faults: [fault('unknown')] },
  ])
  t.end()
})

t.test('what mends it, once each, in the order of the findings', (t) => {
  const finding = (...faults: Fault[]): Finding => ({ check: 'x', level: 'critical', good: '', faults })
  t.strictSame(mends([]), [])
  t.strictSame(
    mends([
      finding(fault('warning', 'b', 'a'), fault('unknown')),
      finding(),
      finding(fault('critical', 'a', 'c', 'b')),
    ]),
    ['b', 'a', 'c'],
  )
  t.end()
})
