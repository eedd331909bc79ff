/** Tests of observed.ts: what a line of the decision log proposes. */
import fc from 'fast-check'
import t from 'tap'
import { observedIn } from '../../lib/logs/observed.js'

const DECISION = {
  at: '2026-11-04T05:06:07.000Z',
  mode: 'observe',
  queueId: '4bQ8Yk2hJnz1',
  sender: 'anna@corp.test',
  saslUser: 'anna',
  recipients: [
    { to: 'bob@b.test', verdict: 'hold', reason: 'unknown', rule: null, did: 'passed' },
    { to: 'held@b.test', verdict: 'hold', reason: 'unknown', rule: null, did: 'held' },
    { to: 'bad%x@b.test', verdict: 'hold', reason: 'malformed', rule: null, did: 'passed' },
    { to: 'known@b.test', verdict: 'pass', reason: 'allowed', rule: 1, did: 'passed' },
  ],
}

t.test('what passed although nobody knows it', (t) => {
  t.strictSame(observedIn(JSON.stringify(DECISION)), [
    {
      at: Date.UTC(2026, 10, 4, 5, 6, 7),
      host: '',
      id: '4bQ8Yk2hJnz1',
      sender: 'anna@corp.test',
      submitted: true,
      login: 'anna',
      recipient: 'bob@b.test',
      outward: true,
      delivered: true,
      relay: '',
      sent: true,
      client: '',
      messageId: '',
      originalId: '',
    },
  ])
  t.strictSame(observedIn(JSON.stringify({ ...DECISION, recipients: [] })), [])
  t.end()
})

t.test('what is no decision', (t) => {
  const lines = [
    '',
    '{',
    'null',
    '1',
    '[]',
    JSON.stringify({ ...DECISION, at: 'yesterday' }),
    JSON.stringify({ ...DECISION, queueId: 1 }),
    JSON.stringify({ ...DECISION, sender: null }),
    JSON.stringify({ ...DECISION, recipients: 'bob' }),
    JSON.stringify({ ...DECISION, recipients: [null] }),
  ]
  for (const line of lines) t.equal(observedIn(line), undefined, line)
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      observedIn(line)
    }),
  )
  t.end()
})
