/** Blackout: lines of the decision log are written over in their place, while others are appended. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { blackOut } from '../../lib/logs/blackout.js'
import { type Decision, openDecisionLog, readDecisions } from '../../lib/logs/decisionlog.js'
import { Redaction } from '../../lib/mail/redaction.js'
import { makeLab } from '../support/lab.js'

const NOW = Date.UTC(2026, 10, 24, 12)

function decision(changes: Partial<Decision>): Decision {
  return {
    ...{ at: '2026-11-24T12:00:00.000Z', mode: 'enforce' as const, queueId: 'Q1', sender: 'anna@corp.test' },
    ...{ size: 10, client: '192.0.2.7', saslUser: 'anna', hold: null, passedAs: 'P1', recipients: [] },
    ...changes,
  }
}

function to(...addresses: string[]): Decision['recipients'] {
  return addresses.map((address) => ({
    to: address,
    verdict: 'pass',
    reason: 'allowed',
    rule: 1,
    did: 'passed',
  }))
}

async function all(state: string): Promise<Decision[]> {
  const found: Decision[] = []
  for await (const one of readDecisions(state)) found.push(one)
  return found
}

t.test('every other byte stays where it is, and a run that has the file open appends to it', async (t) => {
  const { state } = makeLab(t)
  const log = openDecisionLog(state, NOW)
  t.teardown(() => log.close())
  log.append(decision({ queueId: 'A', recipients: to('Eva@new.test', 'bob@new.test') }))
  log.append(decision({ queueId: 'B', recipients: to('bob@new.test') }))
  log.append(decision({ queueId: 'C', sender: 'a@b.fr', saslUser: 'short', recipients: to('eva@new.test') }))
  const path = join(state, 'decisions/2026-11-24.jsonl')
  const torn = '{"at":"2026-11-24T12:00:00.000Z","to":"eva@new.test"'
  writeFileSync(path, `${torn}\n{"no": "eva@new.test`, { flag: 'a' })
  writeFileSync(join(state, 'decisions/notes.txt'), 'eva@new.test')
  const { ino, size } = statSync(path)
  const before = readFileSync(path, 'utf8').split('\n')
  const both = new Redaction(
    new Map([
      ['eva@new.test', 'erased-k3m9'],
      ['a@b.fr', 'erased-zzz'],
    ]),
  )
  t.strictSame(blackOut(state, both, false), [{ day: '2026-11-24', lines: 3 }])
  t.strictSame(readFileSync(path, 'utf8').split('\n'), before, 'only looked at')
  t.strictSame(blackOut(state, both, true), [{ day: '2026-11-24', lines: 3 }])
  t.match(statSync(path), { ino, size })
  const after = readFileSync(path, 'utf8').split('\n')
  t.strictSame(
    after.map((line) => line.length),
    before.map((line) => line.length),
  )
  t.equal(after[1], before[1], 'a line of others keeps its bytes')
  t.equal(after[3], torn.replace('eva@new.test', 'erased-k3m9').padEnd(torn.length), 'a torn line too')
  t.equal(after[4], before[4], 'what has no end may be being written')
  t.strictSame(
    (await all(state)).map(({ queueId, sender, client, saslUser, recipients }) => [
      ...[queueId, sender, client, saslUser],
      ...recipients.map((one) => one.to),
    ]),
    [
      ['A', 'anna@corp.test', '192.0.2.7', 'anna', 'erased-k3m9', 'bob@new.test'],
      ['B', 'anna@corp.test', '192.0.2.7', 'anna', 'bob@new.test'],
      ['C', 'ed-zzz', '', '', 'erased-k3m9'],
    ],
  )
  t.strictSame(blackOut(state, both, true), [], 'done twice it is done once')
  t.equal(readFileSync(join(state, 'decisions/notes.txt'), 'utf8'), 'eva@new.test')
  writeFileSync(path, '\n', { flag: 'a' })
  log.append(decision({ queueId: 'D' }))
  t.equal((await all(state)).at(-1)?.queueId, 'D')
})

t.test('lines across the pieces that are read', async (t) => {
  const { state } = makeLab(t)
  const line = (name: string): string =>
    `${JSON.stringify(decision({ recipients: to(`${name}@new.test`) }))}\n`
  const lines = Array.from({ length: 9000 }, (_, index) =>
    line(index % 3 === 0 ? 'eva' : `bob\u00e9${index}`),
  )
  const path = join(state, 'decisions/2026-11-24.jsonl')
  writeFileSync(path, lines.join(''))
  t.ok(statSync(path).size > 2 * 1024 * 1024)
  const eva = new Redaction(new Map([['eva@new.test', 'erased-k3m9']]))
  t.strictSame(blackOut(state, eva, true), [{ day: '2026-11-24', lines: 3000 }])
  const left = readFileSync(path, 'utf8')
  t.equal(left.replace(/erased-k3m9"(.*) \n/g, 'eva@new.test"$1\n'), lines.join(''))
})
