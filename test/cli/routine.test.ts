/** What the state folder says of the routine: marks of real runs, and days of the decision log. */
import { rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type RoutineFact, readRoutine } from '../../lib/cli/routine.js'
import { type Lab, makeFolder, makeLab } from '../support/lab.js'

function read(lab: Lab): RoutineFact {
  const db = lab.openDatabase()
  try {
    return readRoutine(lab.state, db)
  } finally {
    db.close()
  }
}

t.test('runs leave a mark', async (t) => {
  const before = Date.now() - 1000
  const lab = makeLab(t)
  const fresh = read(lab)
  t.ok(fresh.since > before - 1000 && fresh.since < Date.now() + 1000, 'the database is new')
  t.match(fresh, { cleanup: null, digest: null, backup: null, observing: null })
  for (const run of ['cleanup', 'digest'] as const) {
    t.match(await lab.toeh(run), { code: 0, stderr: '' })
    t.ok((read(lab)[run] ?? 0) > before, run)
  }
  const target = join(makeFolder(t), 'copy.db')
  t.match(await lab.toeh('backup', target), { code: 0, stderr: '' })
  rmSync(target)
  t.ok((read(lab).backup ?? 0) > before, 'also where the copy was carried away')
  utimesSync(join(lab.state, 'last-backup'), 1000, 1000)
  t.equal(read(lab).backup, 1_000_000)
})

t.test('since when everything passes', async (t) => {
  const lab = makeLab(t)
  const line = (mode: string): string =>
    `${JSON.stringify({ at: '', mode, recipients: [], fill: 'x'.repeat(900) })}\n`
  const [observe, enforce] = [line('observe'), line('enforce')]
  const cases: [days: Record<string, string>, since: string | null][] = [
    [{}, null],
    [{ '2026-11-01': observe }, '2026-11-01'],
    [{ '2026-11-01': observe, '2026-11-03': enforce }, null],
    [{ '2026-11-01': enforce, '2026-11-03': observe, '2026-11-09': observe }, '2026-11-03'],
    [{ '2026-11-03': enforce + observe, '2026-11-04': observe }, '2026-11-04'],
    [{ '2026-11-03': observe.repeat(300) + enforce, '2026-11-04': observe.repeat(300) }, '2026-11-04'],
    [{ '2026-11-03': observe, '2026-11-04': '' }, '2026-11-03'],
    [{ '2026-11-03': observe, '2026-11-04': `${observe}{"at":"cut of` }, '2026-11-03'],
  ]
  for (const [days, since] of cases) {
    const files = Object.entries(days).map(
      ([day, text]) => [join(lab.state, `decisions/${day}.jsonl`), text] as const,
    )
    for (const [path, text] of files) writeFileSync(path, text)
    const { observing } = read(lab)
    t.equal(observing, since === null ? null : Date.parse(since), JSON.stringify(Object.keys(days)))
    for (const [path] of files) rmSync(path)
  }
})
