/** The verdicts counted: a counter that only grows, whatever cleanup folds and removes. */
import { appendFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Progress } from '../../lib/database/progress.js'
import { type Decision, pruneDecisions } from '../../lib/logs/decisionlog.js'
import { type Counted, countVerdicts, foldVerdicts } from '../../lib/report/verdictcount.js'
import { type Lab, makeLab } from '../support/lab.js'

const DAY = 86_400_000
const NOON = Date.UTC(2026, 10, 20, 12)

function write(lab: Lab, at: number, ...done: [reason: string, did: string][]): void {
  const folder = join(lab.state, 'decisions')
  mkdirSync(folder, { recursive: true })
  const when = new Date(at).toISOString()
  const recipients = done.map(([reason, did]) => ({
    to: 'x@a.test',
    verdict: 'hold',
    reason,
    rule: null,
    did,
  }))
  const line = { at: when, mode: 'enforce', queueId: 'A', sender: '', size: 1, client: '', saslUser: '' }
  const decision = { ...line, hold: null, passedAs: null, recipients } as Decision
  appendFileSync(join(folder, `${when.slice(0, 10)}.jsonl`), `${JSON.stringify(decision)}\n`)
}

function deskAt(t: Test, lab: Lab): (at: number) => Counted {
  const { db } = lab.stores()
  t.teardown(() => db.close())
  return (at) => ({ config: { state: lab.state }, progress: new Progress(db), actor: { who: 'test', at } })
}

t.test('folding and removing change nothing of what is counted', async (t) => {
  const lab = makeLab(t)
  const at = deskAt(t, lab)
  t.strictSame(await countVerdicts(at(NOON)), { countedSince: Date.UTC(2026, 10, 20), verdicts: {} })
  for (let age = 9; age >= 0; age--) write(lab, NOON - age * DAY, ['unknown', 'held'], ['allowed', 'passed'])
  const all = { countedSince: Date.UTC(2026, 10, 11), verdicts: { 'unknown held': 10, 'allowed passed': 10 } }
  t.strictSame(await countVerdicts(at(NOON)), all)
  await foldVerdicts(at(NOON))
  t.strictSame(await countVerdicts(at(NOON)), all, 'folded')
  await foldVerdicts(at(NOON))
  t.strictSame(await countVerdicts(at(NOON)), all, 'twice')
  t.equal(pruneDecisions(lab.state, '2026-11-19'), 8)
  t.strictSame(readdirSync(join(lab.state, 'decisions')), ['2026-11-19.jsonl', '2026-11-20.jsonl'])
  t.strictSame(await countVerdicts(at(NOON)), all, 'and their days removed')
})

t.test('a run that began before midnight is counted, whenever cleanup has run', async (t) => {
  const lab = makeLab(t)
  const at = deskAt(t, lab)
  const midnight = Date.UTC(2026, 10, 21)
  write(lab, NOON - DAY, ['unknown', 'held'])
  write(lab, NOON, ['unknown', 'held'])
  await foldVerdicts(at(midnight + 1000))
  write(lab, midnight - 1000, ['unknown', 'held'])
  t.strictSame((await countVerdicts(at(midnight + 2000))).verdicts, { 'unknown held': 3 })
  await foldVerdicts(at(midnight + DAY + 1000))
  write(lab, midnight + DAY - 1, ['blocked', 'held'])
  t.strictSame((await countVerdicts(at(midnight + DAY + 2000))).verdicts, {
    'unknown held': 3,
    'blocked held': 1,
  })
})

t.test('cleanup folds before it removes, and not by a clock it does not believe', async (t) => {
  const lab = makeLab(t, 'decision_log_days = 2\n')
  const now = Date.now()
  for (let age = 6; age >= 0; age--) write(lab, now - age * DAY, ['unknown', 'held'])
  const count = async (): Promise<string | undefined> =>
    /reason="unknown",did="held"\} ([0-9]+)/.exec((await lab.toeh('metrics')).stdout)?.[1]
  t.equal(await count(), '7')
  const folded = (): unknown[] => lab.query(`SELECT value FROM progress WHERE name = 'verdicts counted to'`)
  const record = JSON.stringify({ last: now - 40 * DAY, doubted: null, kept: [] })
  lab.change(`INSERT INTO progress (name, value) VALUES ('cleanup', ?)`, record)
  t.match((await lab.toeh('cleanup')).stdout, /the clock is 40d after/)
  t.strictSame(folded(), [])
  // An hour ago, by both clocks.
  for (const clock of ['at', 'uptime'])
    lab.change(
      `UPDATE progress SET value = json_replace(value, '$.doubted.${clock}', (value ->> '$.doubted.${clock}') - 3600000)
       WHERE name = 'cleanup'`,
    )
  t.match((await lab.toeh('cleanup')).stdout, /removed 4 days of the decision log/)
  t.equal(folded().length, 1)
  t.equal(readdirSync(join(lab.state, 'decisions')).length, 3)
  t.equal(await count(), '7')
})
