/** The host's checks on facts no test can make for real: disks that fill up, old programs, clocks. */
import t from 'tap'
import type { Facts, Fault } from '../../lib/doctor/facts.js'
import { HOST_CHECKS, readsLongIds } from '../../lib/doctor/host.js'

function look(name: string, facts: Partial<Facts>): Fault[] {
  const check = HOST_CHECKS.find((one) => one.name === name)
  if (check === undefined) throw new Error(`there is no check ${name}`)
  return check.look(facts as Facts)
}

const MIB = 1024 * 1024

t.test('disk', (t) => {
  const table: [freeMiB: number, freeFiles: number, level: string | undefined][] = [
    [1024, 10_000, undefined],
    [1023, 10_000, 'warning'],
    [1024, 9_999, 'warning'],
    [256, 1_000, 'warning'],
    [255, 10_000, 'critical'],
    [1024, 999, 'critical'],
    [5000, Number.POSITIVE_INFINITY, undefined],
  ]
  for (const [freeMiB, freeFiles, level] of table) {
    const faults = look('disk', {
      disks: [{ path: '/state', freeBytes: freeMiB * MIB, freeFiles }],
      toeh: { leastFree: 100 * MIB } as Facts['toeh'],
    })
    t.equal(faults[0]?.level, level, `${freeMiB} MiB, ${freeFiles} files`)
    if (level !== undefined) t.equal(faults[0]?.what, `/state has ${freeMiB} MiB and ${freeFiles} files left`)
  }
  t.end()
})

t.test('a hold that is nearly full, or full, is told of; without a limit it never is', (t) => {
  const levels = (messages: number, mib: number, most: { messages: number; bytes: number }): unknown =>
    look('hold', {
      database: { newest: 0, load: { messages, bytes: mib * MIB } },
      toeh: { mostHeld: most } as Facts['toeh'],
    }).map(({ level, what }) => [level, what])
  t.same(levels(1_000_000, 1_000_000, { messages: 0, bytes: 0 }), [])
  const both = { messages: 10, bytes: 10 * MIB }
  t.same(levels(7, 7, both), [])
  t.same(levels(8, 7, both), [['warning', '8 messages wait, of at most 10']])
  t.same(levels(9, 9, both), [
    ['warning', '9 messages wait, of at most 10'],
    ['warning', '9.0M wait, of at most 10M'],
  ])
  t.same(levels(10, 0, both), [['critical', '10 messages wait, of at most 10']])
  t.same(levels(0, 11, { messages: 0, bytes: 10 * MIB }), [['critical', '11M wait, of at most 10M']])
  t.same(look('hold', { database: { failure: 'x' }, toeh: { mostHeld: both } as Facts['toeh'] }), [])
  t.end()
})

t.test('a disk has to have what the configuration asks for', (t) => {
  const levels = (freeMiB: number): string[] =>
    look('disk', {
      disks: [{ path: '/state', freeBytes: freeMiB * MIB, freeFiles: 10_000 }],
      toeh: { leastFree: 2000 * MIB } as Facts['toeh'],
    }).map(({ level }) => level)
  t.same([1999, 2000, 3999, 4000].flatMap(levels), ['critical', 'warning', 'warning'])
  t.end()
})

t.test('a link in the state folder is told of, and no command follows it', (t) => {
  const [fault, ...others] = look('rights', {
    main: new Map(),
    user: { name: 'toeh', uid: 100, group: 'toeh', gid: 100 },
    paths: [{ path: '/state/hold', kind: 'folder', mode: 0o120_777, uid: 100, gid: 100 }],
  })
  t.match(fault, { level: 'critical', what: '/state/hold is a link', mend: [] })
  t.same(fault?.mend, [])
  t.same(others, [])
  t.end()
})

t.test('versions', (t) => {
  const whatOf = (postfix: string, node: string): string[] =>
    look('versions', { versions: { postfix, node } }).map(({ what }) => what)
  t.same(whatOf('3.7.10', '20.19.0'), [])
  t.same(whatOf('3.10.1', '22.1.0'), [])
  t.same(whatOf('3.8.5', '22.1.0'), [])
  t.same(whatOf('3.8.4', '22.1.0'), ['postfix is 3.8.4, older than 3.8.5'])
  t.same(whatOf('4.0.0', '100.0.0'), [])
  t.same(whatOf('3.7.9', '20.18.3'), [
    'postfix is 3.7.9, older than 3.7.10',
    'node is 20.18.3, older than 20.19.0',
  ])
  t.same(whatOf('3.6.15', '18.20.4').length, 2)
  t.end()
})

t.test('clock', (t) => {
  const levels = (newest: number, clockKept: boolean | undefined): string[] =>
    look('clock', { now: 1_000_000, database: { newest, load: { messages: 0, bytes: 0 } }, clockKept }).map(
      ({ level }) => level,
    )
  t.same(levels(1_060_000, undefined), [])
  t.same(levels(1_060_001, true), ['critical'])
  t.same(levels(0, false), ['warning'])
  t.same(levels(1_060_001, false), ['critical', 'warning'])
  t.end()
})

t.test('logwatch that does not read long queue ids', (t) => {
  const levels = (logwatch: boolean | undefined, long: string): unknown[] =>
    look('log-readers', { logwatch, main: new Map([['enable_long_queue_ids', long]]) }).map(
      ({ level }) => level,
    )
  t.strictSame(levels(undefined, 'yes'), [])
  t.strictSame(levels(true, 'yes'), [])
  t.strictSame(levels(false, 'no'), [])
  t.strictSame(levels(false, 'yes'), ['warning'])
  const texts: [text: string, reads: boolean][] = [
    ['', false],
    ['$postfix_Enable_Long_Queue_Ids = Yes\n', true],
    ['# $postfix_Enable_Long_Queue_Ids = Yes\n', false],
    ['  $Postfix_enable_long_queue_ids="1"\n', true],
    ['$postfix_Enable_Long_Queue_Ids = Yes\n$postfix_Enable_Long_Queue_Ids = No\n', false],
  ]
  for (const [text, reads] of texts) t.equal(readsLongIds(text), reads, text)
  t.end()
})
