/** Decisions: one line a run, whole, whoever else writes; a log that cannot be opened stops the run. */
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Decision, openDecisionLog, originOf, pruneDecisions } from '../../lib/logs/decisionlog.js'
import { failureOf } from '../support/failing.js'
import { makeFolder, outcomeOf, ROOT } from '../support/lab.js'

const NIGHT = new Date('2026-11-24T23:59:59.900Z')
const DECISION: Decision = {
  at: '2026-11-24T23:59:59.900Z',
  mode: 'enforce',
  queueId: '4bQ8Yk2hJnz1',
  sender: 'anna@corp.test',
  size: 100,
  client: '192.0.2.9',
  saslUser: 'anna',
  hold: null,
  passedAs: '4bQ8Yk2hJnz2',
  recipients: [{ to: 'x\n@known.test', verdict: 'pass', reason: 'allowed', rule: 1, did: 'passed' }],
}

function makeState(t: Test): string {
  const state = makeFolder(t)
  mkdirSync(join(state, 'decisions'))
  return state
}

t.test('a decision is one line in the file of its day, UTC, for the owner alone', async (t) => {
  const state = makeState(t)
  const log = openDecisionLog(state, NIGHT.getTime())
  log.append(DECISION)
  log.append({ ...DECISION, size: 200 })
  log.close()
  openDecisionLog(state, NIGHT.getTime() + 100).close()
  t.strictSame(readdirSync(join(state, 'decisions')).sort(), ['2026-11-24.jsonl', '2026-11-25.jsonl'])
  const path = join(state, 'decisions/2026-11-24.jsonl')
  const text = readFileSync(path, 'utf8')
  t.ok(text.endsWith('\n'))
  const lines = text.trimEnd().split('\n')
  t.strictSame(
    lines.map((line) => JSON.parse(line)),
    [DECISION, { ...DECISION, size: 200 }],
    'a line end in an address does not end the line',
  )
  t.equal(statSync(path).mode & 0o777, 0o600)
})

t.test('what two processes append at once does not mix', async (t) => {
  const state = makeState(t)
  const count = 300
  // Fifty recipients a line: as long as lines get at the recommended recipient limit.
  const write = (queueId: string): Promise<{ code: number | null; stderr: string }> =>
    outcomeOf(
      spawn(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `const { openDecisionLog } = await import(${JSON.stringify(join(ROOT, 'dist/lib/logs/decisionlog.js'))})
           const log = openDecisionLog(${JSON.stringify(state)}, new Date(${NIGHT.getTime()}))
           const one = ${JSON.stringify(DECISION)}
           const recipients = Array.from({ length: 50 }, () => one.recipients[0])
           for (let size = 0; size < ${count}; size++)
             log.append({ ...one, queueId: '${queueId}', size, recipients })`,
        ],
        { cwd: ROOT, env: { PATH: '/usr/bin:/bin' } },
      ),
    )
  for (const { code, stderr } of await Promise.all(['AAAA', 'BBBB'].map(write))) {
    t.strictSame([code, stderr], [0, ''])
  }
  const lines = readFileSync(join(state, 'decisions/2026-11-24.jsonl'), 'utf8').trimEnd().split('\n')
  const decisions = lines.map((line) => JSON.parse(line) as Decision)
  for (const queueId of ['AAAA', 'BBBB']) {
    t.strictSame(
      decisions.filter((decision) => decision.queueId === queueId).map(({ size }) => size),
      Array.from({ length: count }, (_, size) => size),
      'each line once, in order',
    )
  }
})

t.test('a log that cannot be opened is a temporary failure', async (t) => {
  const state = makeFolder(t)
  const path = join(state, 'decisions/2026-11-24.jsonl')
  const failure = await failureOf(() => openDecisionLog(state, NIGHT.getTime()))
  t.equal(failure.message, `open decision log ${path}: no such file or directory (ENOENT)`)
  t.equal(failure.status, 75)

  mkdirSync(path, { recursive: true })
  chmodSync(path, 0o700)
  const taken = await failureOf(() => openDecisionLog(state, NIGHT.getTime()))
  t.equal(taken.message, `open decision log ${path}: illegal operation on a directory (EISDIR)`)
  t.equal(taken.status, 75)
})

t.test('whole days before a day are removed, and nothing else', async (t) => {
  const state = makeState(t)
  const names = ['2025-12-31.jsonl', '2026-01-01.jsonl', '2026-01-02.jsonl', '2025-1-1.jsonl', 'old.jsonl']
  for (const name of names) writeFileSync(join(state, 'decisions', name), '')
  t.equal(pruneDecisions(state, '2026-01-01'), 1)
  t.strictSame(readdirSync(join(state, 'decisions')).sort(), names.slice(1).sort())
})

t.test('the login of a message that was passed on, in the log of its day', async (t) => {
  const state = makeState(t)
  const write = (day: string, saslUser: string, passedAs: string | null): void => {
    const line = `${JSON.stringify({ ...DECISION, saslUser, passedAs })}\n`
    appendFileSync(join(state, 'decisions', `${day}.jsonl`), line)
  }
  write('2026-11-23', 'bob', '4bQ8Yk2hJnz1')
  write('2026-11-24', 'anna', '4bQ8Yk2hJnz1')
  write('2026-11-24', 'carl', null)
  write('2026-11-24', '', '4bQ8Yk2hJnz3')
  appendFileSync(join(state, 'decisions/2026-11-24.jsonl'), '{"passedAs":"4bQ8Yk2hJnz2","sasl')
  const login = (passedAs: string, at: string): Promise<string | undefined> =>
    originOf(state, passedAs, Date.parse(at)).then((origin) => origin?.saslUser)
  t.equal(await login('4bQ8Yk2hJnz1', '2026-11-24T12:00:00Z'), 'anna')
  t.equal(await login('4bQ8Yk2hJnz1', '2026-11-25T00:59:00Z'), 'anna', 'a run that began before midnight')
  t.equal(await login('4bQ8Yk2hJnz1', '2026-11-25T01:01:00Z'), undefined)
  t.equal(await login('4bQ8Yk2hJnz1', '2026-11-23T12:00:00Z'), 'bob', 'short ids come back')
  t.equal(await login('4bQ8Yk2hJnz3', '2026-11-24T12:00:00Z'), '', 'without a login')
  t.equal(await login('4bQ8Yk2hJnz2', '2026-11-24T12:00:00Z'), undefined, 'a line that was cut off')
  t.equal(await login('4bQ8Yk2hJnz1', '+275760-09-13T00:00:00Z'), undefined)
})
