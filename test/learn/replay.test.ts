/** Tests of rehearsal.ts: counts by day, sender and destination. */
import t from 'tap'
import { Rehearsal } from '../../lib/learn/replay.js'
import type { Attempt } from '../../lib/logs/maillog.js'
import type { Verdict } from '../../lib/rules/decide.js'

const DAY_MS = 86_400_000
const START = Date.UTC(2026, 8, 1, 12)

function attempt(recipient: string, changes: Partial<Attempt> = {}): Attempt {
  const plain = { at: START, host: 'mx', id: '4bQ8Yk2hJnz1', sender: 'anna@corp.test' }
  const way = { relay: 'mx.b.test[198.51.100.1]:25', sent: true, client: '', messageId: '', originalId: '' }
  return {
    ...plain,
    submitted: true,
    login: '',
    recipient,
    outward: true,
    delivered: true,
    ...way,
    ...changes,
  }
}

function verdict(recipient: string, reason: Verdict['reason']): Verdict {
  return { recipient, reason, pass: reason === 'allowed' || reason === 'internal' }
}

t.test('counts', (t) => {
  const rehearsal = new Rehearsal()
  const mail: [Attempt, Verdict['reason']][] = [
    [attempt('a@known.test'), 'allowed'],
    [attempt('b@new.test'), 'unknown'],
    [attempt('b@new.test', { id: '4bQ8Yk2hJnz2', at: START + DAY_MS, sender: 'carl@corp.test' }), 'unknown'],
    [attempt('c@evil.test', { id: '4bQ8Yk2hJnz2', at: START + DAY_MS, sender: 'carl@corp.test' }), 'blocked'],
  ]
  for (const [each, reason] of mail) {
    t.ok(rehearsal.isNew(each))
    t.notOk(rehearsal.isNew(each), 'tried again')
    rehearsal.add(each, verdict(each.recipient, reason))
  }
  t.strictSame(rehearsal.report(), {
    messages: 2,
    messagesHeld: 2,
    recipients: 4,
    held: 3,
    destinations: 2,
    reasons: { allowed: 1, unknown: 2, blocked: 1 },
    days: [
      { day: '2026-09-01', messages: 1, messagesHeld: 1, recipients: 2, held: 1, firstHeld: 1 },
      { day: '2026-09-02', messages: 1, messagesHeld: 1, recipients: 2, held: 2, firstHeld: 1 },
    ],
    senders: [
      { sender: 'carl@corp.test', recipients: 2, held: 2 },
      { sender: 'anna@corp.test', recipients: 2, held: 1 },
    ],
    byDestination: [
      {
        recipient: 'b@new.test',
        reason: 'unknown',
        held: 2,
        senders: 2,
        first: '2026-09-01',
        last: '2026-09-02',
      },
      {
        recipient: 'c@evil.test',
        reason: 'blocked',
        held: 1,
        senders: 1,
        first: '2026-09-02',
        last: '2026-09-02',
      },
    ],
  })
  t.end()
})

t.test('nothing', (t) => {
  t.match(new Rehearsal().report(), { messages: 0, held: 0, days: [], senders: [], byDestination: [] })
  t.end()
})
