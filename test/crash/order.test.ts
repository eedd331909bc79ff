/** The order of what lasts: what no kill can show, read from a trace. Synced before renamed, committed before sent. */
import { rmSync } from 'node:fs'
import t, { type Test } from 'tap'
import { DESK_CASES } from './deskcase.js'
import { GATE_CASES } from './gatecase.js'
import { type Call, isDot } from './trace.js'
import { type Case, cannotStrike, makeModel, modelFolder } from './trial.js'

const folder = modelFolder()
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

async function callsOf(cases: readonly Case[], name: string): Promise<readonly Call[]> {
  const one = cases.find((found) => found.name === name)
  if (one === undefined) throw new Error(`no case ${name}`)
  return (await makeModel(one, folder)).calls
}

/** The calls with these labels, each found behind the one before it; unlink(2) is unlinkat(2) with some versions of Node. */
function assertOrder(t: Test, calls: readonly Call[], labels: readonly string[]): void {
  let from = 0
  const names = calls.map((call) => call.label.replace(/^unlinkat /, 'unlink '))
  for (const label of labels) {
    const at = names.findIndex((name, index) => index >= from && name.startsWith(`${label}#`))
    t.ok(at >= 0, `${label}, behind what stands before it`)
    if (at >= 0) from = at + 1
  }
}

function indexOf(calls: readonly Call[], label: string): number {
  return calls.findIndex((call) => call.label === label)
}

/** What SQLite does for a commit that survives a power cut: journal and its folder, then the file, then the end. */
const COMMIT = [
  'openat state/toeh.db-journal',
  'pwrite64 state/toeh.db-journal',
  'fsync state/toeh.db-journal',
  'fsync state',
  'fsync state/toeh.db-journal',
  'pwrite64 state/toeh.db',
  'fsync state/toeh.db',
  'ftruncate state/toeh.db-journal',
  'fsync state/toeh.db-journal',
]

t.test('parking is durable first', { skip: cannotStrike() }, async (t) => {
  const calls = await callsOf(GATE_CASES, 'toeh-filter mixed')
  assertOrder(t, calls, [
    'write state/hold/tmp/spool/message.eml',
    'fsync state/hold/tmp/spool/message.eml',
    'write state/hold/tmp/spool/envelope.json',
    'fsync state/hold/tmp/spool/envelope.json',
    'fsync state/hold/tmp/spool',
    'rename state/hold/tmp/spool',
    'fsync state/hold',
    ...COMMIT,
    'connect sink',
    'write sink',
    ...COMMIT,
    'write state/decisions/day',
    'write stdout',
    'exit_group exit',
  ])
  const rename = indexOf(calls, 'rename state/hold/tmp/spool#1')
  const renamed = calls.slice(rename + 1)
  const lateWrites = renamed.filter(
    ({ syscall, target }) => syscall === 'write' && /^state\/hold\/id\//.test(target ?? ''),
  )
  t.strictSame(lateWrites, [], 'nothing is written into a folder that is published')
  const connect = indexOf(calls, 'connect sink#1')
  t.ok(
    connect > indexOf(calls, 'fsync state/toeh.db-journal#3'),
    'no connection before the commit is durable',
  )
  t.ok(calls.findIndex(isDot) > connect)
})

t.test(
  'a further recipient: the new envelope is synced before it takes the place of the old',
  {
    skip: cannotStrike(),
  },
  async (t) => {
    const calls = await callsOf(GATE_CASES, 'toeh-filter further recipient')
    assertOrder(t, calls, [
      'write state/hold/id/.envelope',
      'fsync state/hold/id/.envelope',
      'rename state/hold/id/.envelope',
      'fsync state/hold/id',
      'fsync state/toeh.db',
      'ftruncate state/toeh.db-journal',
      'fsync state/toeh.db-journal',
      'connect sink',
    ])
  },
)

t.test(
  'a release claims before it sends, settles after, and removes last',
  { skip: cannotStrike() },
  async (t) => {
    const calls = await callsOf(DESK_CASES, 'toeh release')
    assertOrder(t, calls, [
      ...COMMIT,
      'connect sink',
      'write sink',
      ...COMMIT,
      'rename state/hold/id',
      'unlink state/hold/tmp/gone/message.eml',
    ])
    const claimed = indexOf(calls, 'fsync state/toeh.db-journal#3')
    t.ok(indexOf(calls, 'connect sink#1') > claimed, 'no connection before the claim is durable')
    const gone = calls.findIndex(({ label }) => label.startsWith('rename state/hold/id#'))
    t.ok(gone > indexOf(calls, 'fsync state/toeh.db-journal#6'), 'the bytes stay until the state is durable')
  },
)

t.test('a rejection is durable before the bytes go', { skip: cannotStrike() }, async (t) => {
  const calls = await callsOf(DESK_CASES, 'toeh reject')
  assertOrder(t, calls, [...COMMIT, 'rename state/hold/id', 'unlink state/hold/tmp/gone/message.eml'])
})
