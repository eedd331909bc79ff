/** Uses: how many messages each rule decided, counted from the decision log. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openDesk } from '../../lib/cli/context.js'
import { foldUses } from '../../lib/rules/foldusecount.js'
import { type Lab, makeLab } from '../support/lab.js'

type Recipient = [rule: number | null, did?: string]
type Run = [time: string, queueId: string, ...recipients: Recipient[]]

function write(lab: Lab, day: string, ...runs: Run[]): void {
  const lines = runs.map(([time, queueId, ...recipients]) =>
    JSON.stringify({
      at: `${day}T${time}.000Z`,
      queueId,
      recipients: recipients.map(([rule, did = 'passed']) => ({ rule, did })),
    }),
  )
  writeFileSync(
    join(lab.state, 'decisions', `${day}.jsonl`),
    `null\n{"at":"never","recipients":[]}\n${lines.join('\n')}\n{"at":"cut`,
  )
}

/** Folds, and gives each rule with its days. */
async function fold(lab: Lab): Promise<string[]> {
  await foldUses(openDesk({ config: lab.config }, 'write'))
  return lab
    .query<{ rule: number; period: string; messages: number }>('SELECT * FROM rule_use ORDER BY rule, period')
    .map(({ rule, period, messages }) => `${rule} ${period} ${messages}`)
}

/** A day so many days ago; old ones would be summed up. */
function ago(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)
}

t.test('messages by rule and day; a day may be read twice and may be broken', async (t) => {
  const lab = makeLab(t)
  await lab.allow('one.test', 'two.test', 'three.test')
  t.strictSame(await fold(lab), [], 'no log, no use')
  const [old, first, second] = [ago(20), ago(10), ago(8)]
  write(lab, first, ['08:00:00', 'A', [1], [1], [null]], ['09:00:00', 'B', [null]], ['10:00:00', 'C', [1]])
  write(lab, second, ['08:00:00', 'D', [2], [3, 'held']], ['09:00:00', 'D', [2]])
  const folded = [`1 ${first} 2`, `2 ${second} 1`, `3 ${second} 1`]
  t.strictSame(await fold(lab), folded, 'a message once, however many recipients and runs it has')
  t.strictSame(await fold(lab), folded, 'again')
  write(
    lab,
    second,
    ['08:00:00', 'D', [2], [3, 'held']],
    ['10:00:00', 'E', [1], [2, 'nothing: passed']],
    ['11:00:00', 'F', [77]],
  )
  write(lab, old, ['08:00:00', 'G', [3]])
  t.strictSame(
    await fold(lab),
    [`1 ${first} 2`, `1 ${second} 1`, `2 ${second} 1`, `3 ${second} 1`],
    'the last day is read on; what lies long before is done, and what an earlier run had settled is not counted',
  )
})

t.test('days are those of the clock on the wall, and none is lost between two readings', async (t) => {
  const zone = process.env.TZ
  t.teardown(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  for (const [name, days] of [
    ['Etc/GMT-10', [0, 2, 2, 1]],
    ['Etc/GMT+10', [1, 2, 2, 0]],
  ] as const) {
    process.env.TZ = name
    const lab = makeLab(t)
    await lab.allow('one.test')
    // A message at six and one at eighteen of UTC: at +10 the second, at -10 the first belongs to another day.
    const dates = [9, 8, 7, 6].map(ago)
    write(lab, dates[1] ?? '', ['06:00:00', 'A', [1]], ['18:00:00', 'B', [1]])
    await fold(lab)
    write(lab, dates[2] ?? '', ['06:00:00', 'C', [1]], ['18:00:00', 'D', [1]])
    const both = days[0] === 0 ? [1, 2, 1] : [1, 2, 1]
    const from = days[0] === 0 ? 1 : 0
    const expected = both.map((messages, index) => `1 ${dates[from + index]} ${messages}`)
    t.strictSame(await fold(lab), expected, name)
    write(lab, dates[3] ?? '', ['12:00:00', 'E', [null]])
    t.strictSame(await fold(lab), expected, `${name}, a day later`)
  }
})
