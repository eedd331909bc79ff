/** Uses: when each rule last decided, folded from the decision log. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openDesk } from '../lib/desk.js'
import { foldUses } from '../lib/uses.js'
import { makeLab } from './support/lab.js'

t.test('the newest decision of each rule counts; a day may be read twice and may be broken', async (t) => {
  const lab = makeLab(t)
  await lab.allow('one.test', 'two.test', 'three.test')
  const write = (day: string, ...rules: [string, number | null][]): void => {
    const lines = rules.map(([time, rule]) =>
      JSON.stringify({ at: `${day}T${time}Z`, recipients: [{ rule }] }),
    )
    writeFileSync(join(lab.state, 'decisions', `${day}.jsonl`), `${lines.join('\n')}\n{"at":"cut`)
  }
  const used = async (): Promise<unknown[]> => {
    const desk = openDesk({ config: lab.config }, 'write')
    await foldUses(desk)
    const rules = await desk.landscape.list(Date.now())
    return rules.map(({ id, lastUsedAt }) => [
      id,
      lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
    ])
  }
  t.strictSame(
    await used(),
    [
      [1, null],
      [3, null],
      [2, null],
    ],
    'no log, no use',
  )
  write('2026-03-01', ['08:00:00.000', 1], ['09:00:00.000', null], ['07:00:00.000', 1])
  write('2026-03-02', ['08:00:00.000', 2])
  const first = [
    [1, '2026-03-01T08:00:00.000Z'],
    [3, null],
    [2, '2026-03-02T08:00:00.000Z'],
  ]
  t.strictSame(await used(), first)
  t.strictSame(await used(), first, 'again')
  write('2026-03-02', ['08:00:00.000', 2], ['10:00:00.000', 1])
  write('2026-02-01', ['08:00:00.000', 3])
  t.strictSame(
    await used(),
    [
      [1, '2026-03-02T10:00:00.000Z'],
      [3, null],
      [2, '2026-03-02T08:00:00.000Z'],
    ],
    'the last day is read on; what lies before is done',
  )
})
