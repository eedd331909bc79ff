/** toeh forget: shows what there is of a person, and erases it; nothing that waits or is in force goes unasked. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { databasePath } from '../../lib/database/database.js'
import { assertDone, assertRefused, makeLab } from '../support/lab.js'
import { makeSink } from '../support/sink.js'

const EVA = 'Eva@new.test'
const WEEK_AGO = Date.now() - 8 * 86_400_000

/** Everything below the state folder that may hold a name. */
function everything(lab: ReturnType<typeof makeLab>): string {
  const day = new Date().toISOString().slice(0, 10)
  return [databasePath(lab.state), join(lab.state, `decisions/${day}.jsonl`)]
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n')
}

t.test('from a message that was held to a whole audit that names nobody', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  assertDone(t, await lab.toeh('cleanup'), /^$/)
  const id = await lab.park([EVA, 'bob@new.test'])
  assertDone(t, await lab.toeh('allow', 'eva@new.test', '--note', 'asked for it'), 'rule 1')
  assertDone(t, await lab.toeh('release', id), 'released')
  const { head } = JSON.parse((await lab.toeh('audit', 'verify', '--json')).stdout)

  const before = lab.databaseDigest()
  const refused = await lab.toeh('forget', 'EVA@new.test', '--yes')
  assertRefused(
    t,
    refused,
    1,
    new RegExp(`forget: nothing was changed: ${id} was held on .*Postfix may still`),
  )
  t.match(refused.stderr, /; and 1 more \(--dry-run shows all\)\n$/)
  assertDone(
    t,
    await lab.toeh('forget', 'EVA@new.test', '--dry-run'),
    'rule 1 is in force: toeh revoke 1 ends it',
  )
  t.equal(lab.databaseDigest(), before)
  t.match(everything(lab), /Eva@new\.test/)

  lab.change('UPDATE hold SET held_at = ?', WEEK_AGO)
  assertDone(t, await lab.toeh('revoke', '1'), 'rule 1 ended')
  const shown = await lab.toeh('forget', 'eva@new.test', '--dry-run')
  for (const line of [
    `hold: ${id} of `,
    'rules: 1, ended',
    'audit: row 1 of ',
    'decision log: ',
    'Backups that were made',
  ])
    assertDone(t, shown, line)
  t.match(everything(lab), /Eva@new\.test/)
  assertRefused(
    t,
    await lab.toeh('forget', 'eva@new.test'),
    2,
    /forget: nobody is there to be asked; --dry-run shows/,
  )

  const { stdout } = await lab.toeh('forget', 'eva@new.test', '--yes', '--json')
  const { done, pseudonyms } = JSON.parse(stdout)
  t.equal(done, true)
  const [pseudonym = ''] = pseudonyms
  t.match(pseudonym, /^erased-[0-9a-z]{6}$/)
  t.notMatch(everything(lab), /eva@new\.test/i, 'nowhere, not even in free places')
  t.match(everything(lab), /bob@new\.test/, 'others stay')
  t.match(lab.states(), ['bob@new.test released', `${pseudonym} released`])
  assertDone(
    t,
    await lab.toeh('audit', 'verify', '--head', head),
    /^whole: .*\nhead .*\nrows with a pseudonym in place of a person who was forgotten: 3\nthe row with that head is there\n$/,
  )
  assertDone(t, await lab.toeh('audit', '--deed', 'released'), `${id} ${pseudonym}: releasing`)
  assertDone(t, await lab.toeh('audit', pseudonym), 'forget')
  assertDone(t, await lab.toeh('forget', 'eva@new.test', '--yes'), /^nothing names them\n/)
  assertDone(t, await lab.toeh('fsck'), /^whole: /)
  assertDone(t, await lab.toeh('cleanup'), /^$/)
})

t.test('what waits is in the way, and so is a folder without rows', async (t) => {
  const lab = makeLab(t)
  const waiting = await lab.park([EVA], { queueId: 'WAIT1' })
  const lost = await lab.park(['x@new.test'], { sender: 'eva@corp.test', queueId: 'LOST1' })
  lab.change('UPDATE hold SET held_at = ?', WEEK_AGO)
  for (const table of ['recipient WHERE hold', 'hold WHERE id']) lab.change(`DELETE FROM ${table} = ?`, lost)
  const table: [address: string, line: RegExp][] = [
    ['eva@new.test', new RegExp(`nothing was changed: ${waiting} waits: release or reject it first`)],
    ['eva@corp.test', new RegExp(`nothing was changed: ${lost} is a folder without rows: toeh fsck`)],
  ]
  for (const [address, line] of table) {
    const before = everything(lab)
    assertRefused(t, await lab.toeh('forget', address, '--yes'), 1, line)
    t.equal(everything(lab), before)
  }
  const { stdout } = await lab.toeh('forget', 'eva@new.test', '--dry-run', '--json')
  t.match(JSON.parse(stdout), {
    done: false,
    pseudonyms: [],
    found: { messages: [{ id: waiting, waiting: 1 }] },
  })
})

t.test('cut off between the database and the decision log, it goes on where it was', async (t) => {
  const lab = makeLab(t)
  assertDone(t, await lab.toeh('cleanup'), /^$/)
  const id = await lab.park([EVA])
  assertDone(t, await lab.toeh('reject', id, '--quiet'), 'rejected')
  lab.change('UPDATE hold SET held_at = ?', WEEK_AGO)
  // As after a kill: the rows are done, and the lines are not.
  const day = new Date().toISOString().slice(0, 10)
  const path = join(lab.state, `decisions/${day}.jsonl`)
  const lines = readFileSync(path)
  assertDone(t, await lab.toeh('forget', 'eva@new.test', '--yes'), 'erased; in its place: erased-')
  writeFileSync(path, lines)
  lab.change(`INSERT OR REPLACE INTO progress VALUES ('file to be written anew', '1')`)
  const again = await lab.toeh('forget', 'eva@new.test', '--yes')
  assertDone(t, again, `decision log: ${day}, lines: 1\nerased; in its place: erased-`)
  t.notMatch(again.stdout, /hold: /)
  t.notMatch(everything(lab), /eva@new\.test/i)
  lab.change(`INSERT OR REPLACE INTO progress VALUES ('file to be written anew', '1')`)
  assertDone(t, await lab.toeh('cleanup'), /^wrote the file of the database anew\n$/)
  assertDone(t, await lab.toeh('audit', 'verify'), 'whole: ')
})

t.test('says what it does not reach: the configuration, and backups with their days', async (t) => {
  const lab = makeLab(t, 'approvers = ["eva@corp.test"]\n')
  const folder = join(lab.dir, 'backups')
  mkdirSync(folder)
  assertDone(t, await lab.toeh('backup', folder), 'checked')
  const { stdout } = await lab.toeh('forget', 'eva@corp.test', '--dry-run')
  t.match(stdout, `${lab.config}:3 names them: change it by hand`)
  t.match(stdout, new RegExp(`for as long as they are kept: 1 in ${folder}, \\d{4}-\\d\\d-\\d\\d to \\d{4}`))
  rmSync(folder, { recursive: true })
  assertDone(t, await lab.toeh('forget', 'eva@corp.test', '--dry-run'), 'Backups that were made before')
})

t.test('bad input changes nothing', async (t) => {
  const lab = makeLab(t)
  const table: [args: string[], status: number, line: RegExp][] = [
    [[], 2, /usage: .*toeh forget --help/],
    [['new.test', '--yes'], 2, /forget new\.test: it is a domain: name the addresses of one person/],
    [['a b@new.test', '--yes'], 2, /forget "a b@new\.test": it is no plain address/],
  ]
  const before = lab.databaseDigest()
  for (const [args, status, line] of table) assertRefused(t, await lab.toeh('forget', ...args), status, line)
  t.equal(lab.databaseDigest(), before)
})
