/** Bulk work: nobody by accident, nobody unasked, and what fails stops nobody else. */
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  assertDone,
  assertFailed,
  assertRefused,
  type Lab,
  makeLab,
  NODE,
  type Outcome,
  outcomeOf,
  PIPE_ENV,
  startWith,
  TOEH,
} from '../support/lab.js'
import { makeScript } from '../support/script.js'
import { makeSink, type Sink } from '../support/sink.js'

const EVE = 'eve@unknown.test'
const MAL = 'mal@other.test'

/** Four messages that wait: of anna to Eve and Mal, and to Mal; of bob to Eve; of nobody to Eve. */
async function makeWaiting(t: Test): Promise<{ sink: Sink; lab: Lab; ids: string[] }> {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const ids = [
    await lab.park([EVE, MAL], { queueId: 'BULK001' }),
    await lab.park([MAL], { queueId: 'BULK002' }),
    await lab.park([EVE], { queueId: 'BULK003', sender: 'bob@corp.test' }),
    await lab.park([EVE], { queueId: 'BULK004', sender: '' }),
  ]
  for (const [index, id] of ids.entries())
    lab.change('UPDATE hold SET held_at = held_at - ? WHERE id = ?', (ids.length - index) * 86_400_000, id)
  return { sink, lab, ids }
}

/** toeh with a terminal of its own, where `typed` is typed. */
async function onTerminal(lab: Lab, typed: string, args: readonly string[]): Promise<Outcome> {
  const env = { ...PIPE_ENV, TOEH_CONFIG: lab.config, TERM: 'xterm' }
  const line = [NODE, TOEH, ...args].join(' ')
  const child = startWith(env, ['script', '--quiet', '--return', '/dev/null', '--command', line])
  const outcome = outcomeOf(child)
  child.stdin?.on('error', () => {})
  // script(1) ends its terminal's input where its own ends, so that stays open until the answer is there.
  child.stdout?.on('data', (bytes) => {
    if (String(bytes).includes('(y/N)')) child.stdin?.end(typed)
  })
  return outcome
}

t.test('never everybody by accident', async (t) => {
  const { sink, lab, ids } = await makeWaiting(t)
  const before = lab.databaseDigest()
  const table: [args: string[], status: number, line: RegExp][] = [
    [[], 2, /usage: name hold ids, or select by --sender, --domain and so on, or say --all/],
    [['--yes', '--dry-run'], 2, /usage: name hold ids/],
    [['--all', '--domain', 'other.test'], 2, /usage: --all means everything that waits/],
    [['--domain'], 2, /--domain needs a value/],
    [['--domain', 'other', '--yes'], 2, /--domain "other": single-label domain/],
    [
      ['--sender', '@corp.test'],
      2,
      /: nobody is there to be asked about 4 recipients of 3 messages; --dry-run/,
    ],
    [['--all'], 2, /nobody is there to be asked about 5 recipients of 4 messages; .*--yes does it/],
    [[`${ids[1]}`, '--domain', 'unknown.test'], 66, /nobody who waits in it is selected/],
  ]
  for (const [args, status, line] of table) assertRefused(t, await lab.toeh('release', ...args), status, line)
  for (const [args, status, line] of [table[0], table[5]].filter((row) => row !== undefined))
    assertRefused(t, await lab.toeh('reject', ...args), status, line)
  t.equal(lab.databaseDigest(), before)
  t.strictSame(sink.mails, [])
})

t.test('--dry-run shows whom it means, as list does, and changes nothing', async (t) => {
  const { sink, lab, ids } = await makeWaiting(t)
  lab.change(`UPDATE recipient SET state = 'releasing' WHERE hold = ? AND address = ?`, `${ids[0]}`, EVE)
  const before = lab.snapshot()
  const filter = ['--domain', 'UNKNOWN.test', '--before', '1d']
  const outcome = await lab.toeh('release', '--dry-run', '--allow', 'domain', ...filter)
  assertDone(t, outcome, 'would release')
  const lines = outcome.stdout.split('\n')
  t.match(
    lines[0],
    new RegExp(`^would release ${ids[0]} to ${EVE} \\(releasing; from anna@corp\\.test, held `),
  )
  t.match(lines[1], new RegExp(`^would release ${ids[2]} to ${EVE} \\(unknown; from bob@corp\\.test, held `))
  t.match(lines[2], new RegExp(`^would release ${ids[3]} to ${EVE} \\(unknown; from <>, held `))
  t.equal(lines[3], 'would add the rule: allow unknown.test')
  t.match(lines.at(-2), /^3 recipients of 3 messages, none released$/)
  const rejected = await lab.toeh('reject', '--dry-run', ...filter)
  assertDone(t, rejected, `would reject ${ids[0]} to ${EVE}`)
  const json = JSON.parse((await lab.toeh('reject', '--dry-run', '--json', ...filter)).stdout)
  t.equal(json.dryRun, true)
  t.strictSame(
    json.messages.map(({ id, recipients }: { id: string; recipients: { address: string }[] }) => [
      id,
      ...recipients.map(({ address }) => address),
    ]),
    [ids[0], ids[2], ids[3]].map((id) => [id, EVE]),
  )
  const listed = JSON.parse((await lab.toeh('list', '--json', ...filter)).stdout)
  t.strictSame(
    listed.map(({ id, recipients }: { id: string; recipients: object[] }) => [id, recipients.length]),
    [ids[0], ids[2], ids[3]].map((id) => [id, 1]),
    'list shows the same',
  )
  assertDone(t, await lab.toeh('list', '--domain', 'nowhere.test'), 'nothing that waits is selected\n')
  assertDone(
    t,
    await lab.toeh('release', '--dry-run', '--domain', 'nowhere.test'),
    '0 recipients of 0 messages, none released\n',
  )
  t.strictSame(lab.snapshot(), before)
  t.strictSame(sink.mails, [])
})

t.test('--yes does it, for whom it means and nobody else', async (t) => {
  const { sink, lab, ids } = await makeWaiting(t)
  const released = await lab.toeh('release', '--yes', '--sender', '@corp.test', '--domain', 'unknown.test')
  assertDone(
    t,
    released,
    new RegExp(`^${ids[0]} released to ${EVE} as .*\n${ids[2]} released to ${EVE} as .*\n$`),
  )
  const mails = sink.mails.map(({ sender, recipients }) => [sender, ...recipients])
  t.strictSame(mails, [
    ['anna@corp.test', EVE],
    ['bob@corp.test', EVE],
  ])
  const one = await lab.toeh('reject', '--yes', '--quiet', '--sender', 'anna@corp.test', '--before', '4d')
  assertDone(t, one, `${ids[0]} rejected for ${MAL}\n`)
  assertDone(
    t,
    await lab.toeh('reject', '--yes', '--domain', 'nowhere.test'),
    'nothing that waits is selected\n',
  )
  const all = await lab.toeh('reject', '--yes', '--quiet', '--all')
  assertDone(t, all, `${ids[1]} rejected for ${MAL}\n${ids[3]} rejected for ${EVE}\n`)
  t.strictSame(lab.held(), [])
  t.equal(sink.mails.length, 2)
})

t.test('on a terminal it shows whom it means and asks', async (t) => {
  const { sink, lab, ids } = await makeWaiting(t)
  const filter = ['--domain', 'unknown.test', '--since', '2d']
  for (const typed of ['yes please\n', '\u{4}']) {
    const { code, stdout } = await onTerminal(lab, typed, ['release', ...filter])
    t.equal(code, 1, JSON.stringify(typed))
    t.match(stdout, `would release ${ids[3]} to ${EVE} (unknown; from <>, held `)
    t.match(stdout, /release 1 recipient of 1 message\? \(y\/N\)/)
    t.match(stdout, 'toeh: release: nothing was changed')
  }
  t.strictSame(sink.mails, [])
  const yes = await onTerminal(lab, 'y\n', ['release', ...filter])
  t.equal(yes.code, 0)
  t.match(yes.stdout, `${ids[3]} released to ${EVE} as SINK00000001`)
  t.notMatch(yes.stdout, 'releasing', 'one is no long work')
  const unasked = await onTerminal(lab, '', ['reject', '--quiet', `${ids[2]}`])
  t.equal(unasked.code, 0, 'what is named by its id is not asked about')
  t.match(unasked.stdout, `${ids[2]} rejected for ${EVE}`)
})

t.test('an answer that nobody typed, or to a question that nobody saw, is none', async (t) => {
  const { sink, lab } = await makeWaiting(t)
  const before = lab.databaseDigest()
  const ways: [what: string, command: (toeh: string) => string][] = [
    ['yes | toeh, on a terminal', (toeh) => `yes | ${toeh}`],
    ['a file of yeses', (toeh) => `echo y > ${lab.dir}/yes; ${toeh} < ${lab.dir}/yes`],
    ['the question goes to a file', (toeh) => `${toeh} 2> ${lab.dir}/asked`],
    ['nothing is a terminal', (toeh) => `yes | ${toeh} 2> ${lab.dir}/asked`],
  ]
  for (const verb of ['reject', 'release'])
    for (const [what, command] of ways) {
      const env = { ...PIPE_ENV, TOEH_CONFIG: lab.config, TERM: 'xterm' }
      const line = `sh -c '${command(`${NODE} ${TOEH} ${verb} --all`)}'`
      // script(1) types what it is given; where the terminal is asked, that is a yes.
      const child = startWith(env, ['script', '--quiet', '--return', '/dev/null', '--command', line])
      child.stdin?.on('error', () => {})
      child.stdin?.write('y\n')
      // Where it asks all the same it is not to wait for good.
      const enough = setTimeout(() => child.stdin?.end(), 5000)
      const { code, stdout } = await outcomeOf(child)
      clearTimeout(enough)
      child.stdin?.end()
      t.equal(code, 2, `${verb}: ${what}: ${stdout}`)
      t.notMatch(stdout, /rejected for|released to/, what)
    }
  t.equal(lab.databaseDigest(), before)
  t.strictSame(sink.mails, [])
})

t.test('one that fails does not stop the others; a bar while it works', async (t) => {
  const { sink, lab, ids } = await makeWaiting(t)
  const [altered = '', missing = ''] = ids
  ids.push(await lab.park([EVE], { queueId: 'BULK005' }))
  appendFileSync(join(lab.state, `hold/${altered}/message.eml`), 'more')
  rmSync(join(lab.state, `hold/${missing}/message.eml`))
  const { code, stdout } = await onTerminal(lab, '', ['release', '--all', '--yes'])
  t.equal(code, 1)
  t.match(stdout, /releasing \S+ 5 of 5 {2}/)
  t.match(stdout, `${altered} NOT released to ${EVE}: release`)
  t.match(stdout, `${altered} NOT released to ${MAL}: release`)
  t.match(stdout, `${missing} NOT released to ${MAL}: release`)
  for (const id of ids.slice(2)) t.match(stdout, `${id} released to ${EVE} as SINK`)
  t.equal(sink.mails.length, 3)
  lab.change('DROP TABLE audit')
  lab.change('CREATE TABLE audit (id)')
  assertFailed(t, await lab.toeh('reject', '--all', '--yes', '--quiet'), /NOT rejected.*\n.*NOT rejected.*\n/)
})

t.test('each message is claimed at its own time', async (t) => {
  const late = async (): Promise<string> => {
    await new Promise((done) => setTimeout(done, 600))
    return '250 2.0.0 Ok: queued as SLOW'
  }
  const { port } = await makeScript(t, { '.': late })
  const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${port}"`)
  const ids = [await lab.park([EVE], { queueId: 'SLOW001' }), await lab.park([EVE], { queueId: 'SLOW002' })]
  assertDone(t, await lab.toeh('release', ...ids), 'released')
  const [first, second] = ids.map(
    (id) =>
      lab.query<{ at: number }>('SELECT changed_at AS at FROM recipient WHERE hold = ?', id)[0]?.at ?? 0,
  )
  t.ok((second ?? 0) - (first ?? 0) >= 600, `${second} is later than ${first}`)
})
