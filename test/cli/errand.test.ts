/** Errands: what root has the owner of the state folder do, each done here, in this process. */
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { earlierLife, makeFolder as makeOwned, send } from '../../lib/cli/errand.js'
import { databasePath } from '../../lib/database/database.js'
import { examineDatabase } from '../../lib/database/examine.js'
import { EXIT } from '../../lib/exit.js'
import { Lane, laneFolder } from '../../lib/express/lane.js'
import { failureOf } from '../support/failing.js'
import { park, unknown } from '../support/held.js'
import { type Lab, makeFolder, makeLab } from '../support/lab.js'

const NOW = Date.UTC(2026, 10, 24, 12)
const ME = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, name: 'toeh' }
const asked = ({ state }: Lab): { state: string; busySeconds: number; internal: string[] } => ({
  state,
  busySeconds: 0,
  internal: ['corp.test'],
})

t.test('a folder is made for its owner alone, and one that is there is only looked at', (t) => {
  const path = join(makeFolder(t), 'a/b')
  t.strictSame(makeOwned(path, ME), { path, made: true, wrong: [] })
  t.equal(statSync(path).mode & 0o777, 0o700)
  t.ok((statSync(join(path, '..')).mode & 0o700) === 0o700)
  t.strictSame(makeOwned(path, ME), { path, made: false, wrong: [] })
  chmodSync(path, 0o750)
  t.strictSame(makeOwned(path, { ...ME, uid: ME.uid + 1 }), {
    path,
    made: false,
    wrong: [`chmod 700 ${path}`, `chown toeh ${path}`],
  })
  t.equal(statSync(path).mode & 0o777, 0o750)
  t.end()
})

t.test('a state folder is furnished, and no database is made where one was', async (t) => {
  const state = join(makeFolder(t), 'state')
  const input = { state, owner: ME, busySeconds: 0, anew: false }
  mkdirSync(state, { mode: 0o700 })
  const path = databasePath(state)
  const made = await send('furnish', input, undefined)
  t.match(made, { database: { path, made: true }, folders: [{ made: true }, { made: true }, { made: true }] })
  t.strictSame(
    made.folders.map((folder) => folder.path),
    ['hold', 'hold/tmp', 'decisions'].map((name) => join(state, name)),
  )
  t.equal(examineDatabase(path, input).condition, 'whole')
  t.match(await send('furnish', input, undefined), { database: { made: false } })
  // Lost: only the decision log speaks of what was.
  writeFileSync(join(state, 'decisions/2026-11-23.jsonl'), '{}\n')
  writeFileSync(join(state, 'decisions/2026-11-24.jsonl'), '')
  writeFileSync(path, '')
  const earlier = { messages: 0, days: ['2026-11-23'], backup: null }
  const lost = await send('furnish', input, undefined)
  t.strictSame([lost.database.made, lost.earlier], [false, earlier])
  t.equal(statSync(path).size, 0)
  t.strictSame(earlierLife(state, undefined), earlier)
  t.match(await send('furnish', { ...input, anew: true }, undefined), { database: { made: true } })
  rmSync(join(state, 'decisions/2026-11-23.jsonl'))
  t.equal(earlierLife(state, join(state, 'none')), undefined)
  for (const name of ['0123456789ab', 'lost+found']) mkdirSync(join(state, 'hold', name))
  t.strictSame(earlierLife(state, undefined), { messages: 1, days: [], backup: null })
})

t.test('a look at the database and at the lane', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const { db, hold, folder } = lab.stores()
  await park(hold, folder, [unknown('eve@unknown.test')])
  db.close()
  const look = (hasLane: boolean) => send('look', { ...asked(lab), hasLane, now: NOW }, undefined)
  t.match(await look(false), {
    astray: [],
    database: { load: { messages: 1 } },
    rows: undefined,
    trouble: undefined,
  })
  mkdirSync(laneFolder(lab.state), { mode: 0o750 })
  const lane = new Lane({ state: lab.state, internal: new Set(['corp.test']) }, true)
  lane.replace([{ key: '@gone.test', pass: true }])
  const seen = await look(true)
  t.strictSame(seen.rows, [{ key: '@gone.test', pass: true }])
  t.strictSame(seen.astray, ['@gone.test', '@known.test'])
  rmSync(databasePath(lab.state))
  const { trouble, database, astray } = await look(true)
  t.strictSame([database, astray], [undefined, []])
  t.match(trouble?.message, databasePath(lab.state))
})

t.test('who passes, whoever of the company writes', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const { db, landscape } = lab.stores()
  const scoped = { kind: 'domain', value: 'scoped.test', subdomains: false, scope: 'anna@corp.test' } as const
  const rest = { effect: 'allow', endsAt: null, source: 'test', note: '' } as const
  await landscape.add([{ ...scoped, ...rest }], { who: 'test', at: 1 })
  db.close()
  const recipients = ['x@known.test', 'x@scoped.test', 'x@corp.test', 'x@new.test', 'X@KNOWN.test']
  const input = { ...asked(lab), recipients, now: NOW }
  t.strictSame(await send('known', input, undefined), ['x@known.test', 'x@corp.test', 'X@KNOWN.test'])
  rmSync(join(lab.state, 'hold/tmp'), { recursive: true })
  t.equal((await failureOf(() => send('known', input, undefined))).status, EXIT.noPermission)
})

t.test('what was observed since everything passes', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const line = (at: string, mode: string, ...verdicts: [to: string, verdict: string][]): string => {
    const recipients = verdicts.map(([to, verdict]) => ({
      to,
      verdict,
      reason: 'x',
      rule: null,
      did: 'passed',
    }))
    return `${JSON.stringify({ at, mode, sender: 'anna@corp.test', saslUser: '', recipients })}\n`
  }
  const observed = () => send('observed', { config: lab.config }, undefined)
  const nothing = { recipients: 0, destinations: 0, days: 0 }
  t.match(await observed(), {
    since: null,
    messages: 0,
    held: nothing,
    still: { recipients: 0, destinations: [] },
  })
  const log = (day: string, ...lines: string[]): void =>
    writeFileSync(join(lab.state, `decisions/${day}.jsonl`), lines.join(''))
  log('2026-11-20', line('2026-11-20T10:00:00.000Z', 'observe', ['x@old.test', 'hold']))
  log('2026-11-21', line('2026-11-21T10:00:00.000Z', 'enforce', ['x@old.test', 'hold']))
  log(
    '2026-11-22',
    line('2026-11-22T10:00:00.000Z', 'observe', ['x@b.test', 'hold'], ['y@B.test', 'hold']),
    line('2026-11-22T11:00:00.000Z', 'observe', ['x@known.test', 'hold'], ['x@corp.test', 'pass']),
  )
  log('2026-11-23', line('2026-11-23T10:00:00.000Z', 'observe', ['x@b.test', 'hold'], ['x@a.test', 'hold']))
  t.strictSame(await observed(), {
    since: Date.UTC(2026, 10, 22, 10),
    days: 2,
    messages: 3,
    recipients: 6,
    held: { recipients: 5, destinations: 3, days: 2 },
    still: {
      recipients: 4,
      destinations: [
        { destination: 'b.test', recipients: 3, days: 2 },
        { destination: 'a.test', recipients: 1, days: 1 },
      ],
    },
  })
})

t.test('a deed is written down; an errand that there is none of is refused', async (t) => {
  const lab = makeLab(t)
  const deed = { who: 'marie', at: NOW, what: 'mode', subject: lab.config, was: 'observe', now: 'enforce' }
  await send('note', { state: lab.state, busySeconds: 0, deed }, undefined)
  t.match(lab.query('SELECT * FROM audit'), [deed])
  for (const name of ['toString', 'constructor', 'nothing'])
    await t.rejects(send(name as 'note', { state: lab.state, busySeconds: 0, deed }, undefined), {
      message: `there is no errand ${name}`,
    })
})
