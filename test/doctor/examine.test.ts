/** The checkup: what is looked at when, and that every command it can print is tried somewhere. */
import t from 'tap'
import { CHECKS, examine, type Finding, mends, worst } from '../../lib/doctor/examine.js'
import type { Check, Facts, Fault, Level } from '../../lib/doctor/facts.js'
import { parseServices } from '../../lib/postfix/mastercf.js'
import { isBeforeInit } from '../../lib/postfix/settings.js'
import { mendingFiles, TRIED_IN } from '../support/mends.js'

t.test('whatever prints a command has a test that runs it', async (t) => {
  const words = Object.values(TRIED_IN).flat()
  t.strictSame(words.filter((word) => word.endsWith('.ts')).sort(), mendingFiles())
})

const [gate] = parseServices('toeh unix - n n - 10 pipe argv=/usr/lib/toeh/toeh-filter')

function facts(master: string, main: Record<string, string>, answers: [string, string][] = []): Facts {
  return {
    services: parseServices(master),
    main: new Map(Object.entries(main)),
    answers: new Map(answers.map(([table, value]) => [table, [{ key: 'x', value }]])),
    expected: { gate },
    toeh: { path: '/etc/toeh/toeh.toml' },
    configDir: undefined,
  } as unknown as Facts
}

t.test('before toeh init nothing is deferred, and nothing is said to be', async (t) => {
  const empty = facts('smtp inet n - y - - smtpd', { content_filter: '' })
  t.ok(isBeforeInit(empty))
  const [finding] = examine(
    empty,
    CHECKS.filter(({ name }) => name === 'gate-service'),
  )
  t.match(finding, {
    level: 'critical',
    faults: [
      {
        what: 'Postfix has nothing of TOEH yet',
        mend: ['toeh init --postfix --apply --config /etc/toeh/toeh.toml'],
      },
    ],
  })
  t.notMatch(finding?.faults[0]?.why, /deferred/)
  // Of all others those of the host alone are asked.
  const asked: string[] = []
  const all: Check[] = CHECKS.map((check) => ({
    ...check,
    look: () => {
      asked.push(check.name)
      return []
    },
  }))
  examine(empty, all)
  t.strictSame(asked, ['gate-service', 'versions', 'rights', 'disk', 'log-readers', 'clock', 'database'])

  for (const [title, begun] of Object.entries({
    'its service': facts('toeh unix - n n - 10 pipe argv=/x/toeh-filter', {}),
    'a content_filter of main.cf': facts('', { content_filter: 'toeh:dummy' }),
    'one of a service': facts('pickup unix n - n 60 1 pickup -o content_filter=toeh:dummy', {}),
    'a FILTER of a class': facts('', { toeh_gate: 'check_client_access static:{FILTER toeh:dummy}' }),
    'a FILTER of a table': facts('', {}, [['hash:/x', 'FILTER toeh:dummy']]),
  }))
    t.notOk(isBeforeInit(begun), title)
})

function fault(level: Fault['level'], ...mend: string[]): Fault {
  return { level, what: `a ${level} one`, why: 'it matters', mend, affects: 'anyone' }
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
  const given = { ...facts('toeh unix - n n - 10 pipe argv=/x/toeh-filter', {}), now: 7 }
  const both = [fault('warning', 'a'), fault('critical', 'b')]
  t.strictSame(examine(given, [check('sound'), check('broken', ...both), check('dark', fault('unknown'))]), [
    { check: 'sound', level: 'good', good: 'good at 7', faults: [] },
    { check: 'broken', level: 'critical', good: '', faults: both },
    {
      check: 'dark',
      level: 'unknown',
      good: '',
      faults: [{ level: 'unknown', what: 'a unknown one', why: 'it matters', mend: [] }],
    },
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
