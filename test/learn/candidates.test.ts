/** Tests of candidates.ts: what counts, what is proposed, and what a person is told to look at. */
import t from 'tap'
import { DeliveryTally, type ProposalFacts } from '../../lib/learn/candidates.js'

const DAY_MS = 86_400_000
const START = Date.UTC(2026, 8, 1, 12)
const FACTS: ProposalFacts = {
  standing: () => 'open',
  refusal: (domain) => (domain === 'freemail.test' ? 'it is a freemail domain' : undefined),
  lookalikes: () => [],
  minMessages: 1,
  minDays: 1,
}

type Delivery = Parameters<DeliveryTally['add']>[0]

let serial = 0
/** A delivery; a new message unless `changes` says which. */
function delivery(recipient: string, changes: Partial<Delivery> = {}): Delivery {
  const id = `4bQ8Yk2hJ${String(serial++).padStart(4, '0')}`
  const plain = { at: START, host: 'mx', id, sender: 'anna@corp.test', recipient, delivered: true }
  return { ...plain, ...changes }
}

const COMPANY = {
  internal: new Set(['corp.test']),
  senders: new Set(['@printer.test', 'news@b.test']),
  delimiters: '+',
}

function tallyOf(...deliveries: Delivery[]): DeliveryTally {
  const tally = new DeliveryTally(COMPANY)
  for (const each of deliveries) tally.add(each)
  return tally
}

/** Candidates in a few words: value, messages, days, senders. */
function proposed(tally: DeliveryTally, facts: Partial<ProposalFacts> = {}): string[] {
  return tally
    .propose({ ...FACTS, ...facts })
    .candidates.map(({ value, messages, days, senders }) => `${value} ${messages} ${days} ${senders}`)
}

t.test('what counts', (t) => {
  const counts: [name: string, changes: Partial<Delivery>, counts: boolean][] = [
    ['a delivery', {}, true],
    ['not delivered', { delivered: false }, false],
    ['the null sender', { sender: '' }, false],
    ['a foreign sender', { sender: 'x@other.test' }, false],
    ['a malformed sender', { sender: 'a%b@corp.test' }, false],
    ['a sender in capitals', { sender: 'Anna@CORP.test' }, true],
    ['no beginning', { sender: undefined }, false],
    ['a colleague', { recipient: 'carl@corp.test' }, false],
    ['a colleague in capitals', { recipient: 'carl@CORP.test' }, false],
    ['routing', { recipient: 'v%evil.test@b.test' }, false],
    ['quotes', { recipient: '"bob"@b.test' }, false],
    ['one label', { recipient: 'bob@localhost' }, false],
  ]
  for (const [name, changes, is] of counts) {
    const tally = tallyOf(delivery('bob@b.test', changes))
    t.equal(tally.deliveries, is ? 1 : 0, name)
    t.equal(tally.addresses().length, is ? 1 : 0, name)
  }
  t.equal(tallyOf(delivery('bob@b.test', { sender: undefined })).unjoined, 1)
  t.end()
})

t.test('each message once', (t) => {
  const one = delivery('bob@b.test')
  const again = { ...one, at: START + DAY_MS }
  t.strictSame(proposed(tallyOf(one, one, again)), ['bob@b.test 1 1 1'], 'a long id is one message')
  const short = delivery('bob@b.test', { id: 'ABCDEF' })
  t.strictSame(proposed(tallyOf(short, short)), ['bob@b.test 1 1 1'])
  t.strictSame(
    proposed(tallyOf(short, { ...short, at: START + DAY_MS })),
    ['bob@b.test 2 2 1'],
    'a short one comes back',
  )
  t.strictSame(proposed(tallyOf(one, { ...one, host: 'mx2' })), ['bob@b.test 2 1 1'], 'two hosts')
  t.strictSame(proposed(tallyOf(one, { ...one, recipient: 'BOB@B.test' })), ['bob@b.test 1 1 1'], 'folded')
  const unjoined = tallyOf(one, { ...one, sender: undefined }, { ...one, sender: undefined })
  t.equal(unjoined.unjoined, 0, 'counted before, with its beginning')
  t.equal(unjoined.deliveries, 1)
  t.end()
})

t.test('a domain where several addresses are in use, else the address', (t) => {
  const two = [
    delivery('bob@b.test'),
    delivery('eve@b.test', { at: START + DAY_MS, sender: 'carl@corp.test' }),
  ]
  t.strictSame(proposed(tallyOf(...two)), ['b.test 2 2 2'])
  t.strictSame(proposed(tallyOf(delivery('bob@b.test'), delivery('bob@b.test'))), ['bob@b.test 2 1 1'])
  const both = delivery('bob@b.test')
  t.strictSame(
    proposed(tallyOf(both, { ...both, recipient: 'eve@b.test' })),
    ['b.test 1 1 1'],
    'one message to both is one',
  )
  const tally = tallyOf(delivery('bob@freemail.test'), delivery('eve@freemail.test'))
  t.strictSame(proposed(tally), ['bob@freemail.test 1 1 1', 'eve@freemail.test 1 1 1'])
  t.strictSame(tally.propose(FACTS).refused, [
    { value: 'freemail.test', messages: 2, why: 'it is a freemail domain' },
  ])
  t.strictSame(
    proposed(tallyOf(...two, delivery('x@sub.b.test'))),
    ['b.test 2 2 2', 'x@sub.b.test 1 1 1'],
    'a domain is not the one above it',
  )
  t.end()
})

t.test('a domain that the log itself shows to be shared', (t) => {
  const locals = [
    ...[
      'rossi.studio',
      'bianchi74',
      'geom_verdi',
      'avv.neri',
      'studio-gallo',
      'marcoferri',
      'lucia.b',
      'impresa2000',
    ],
    ...['cde', 'ing-russo', 'paolo_t', 'edilferro', 'anna.conti', 'lab77', 'ferramenta', 'm.riva'],
  ]
  const one = (index: number, changes: Partial<Delivery> = {}): Delivery =>
    delivery(`${locals[index]}@posta.test`, { sender: `user${index % 9}@corp.test`, ...changes })
  const all = locals.map((_, index) => one(index))
  const doubted = tallyOf(...all).propose(FACTS)
  t.equal(doubted.candidates.length, locals.length, 'its addresses singly')
  t.match(doubted.refused, [
    { value: 'posta.test', why: /^16 addresses of no common form, of which 9 people / },
  ])
  const firms: [string, Delivery[]][] = [
    ['few addresses', all.slice(0, 11)],
    ['few people write', locals.map((_, index) => one(index, { sender: `user${index % 5}@corp.test` }))],
    [
      'one form',
      locals.map((_, index) =>
        delivery(`anna.b${'x'.repeat(index)}@posta.test`, { sender: `user${index}@corp.test` }),
      ),
    ],
    [
      'several write to the same',
      [...all, ...locals.slice(0, 6).map((_, index) => one(index, { sender: 'carl@corp.test' }))],
    ],
    [
      'two in one message',
      locals.map((_, index) => one(index, { id: `4bQ8Yk2hJz${String(index >> 1).padStart(3, '0')}` })),
    ],
  ]
  for (const [name, deliveries] of firms)
    t.match(
      tallyOf(...deliveries).propose(FACTS),
      { candidates: [{ value: 'posta.test' }], refused: [] },
      name,
    )
  t.end()
})

t.test('what the landscape says comes first', (t) => {
  const tally = tallyOf(delivery('bob@b.test'), delivery('eve@b.test'), delivery('carl@c.test'))
  const standing: ProposalFacts['standing'] = (address) => (address === 'bob@b.test' ? 'known' : 'open')
  t.strictSame(proposed(tally, { standing }), ['b.test 2 1 1', 'carl@c.test 1 1 1'])
  t.equal(tally.propose({ ...FACTS, standing }).known, 1)
  t.strictSame(proposed(tally, { standing: () => 'known' }), [])
  const blocked = tally.propose({ ...FACTS, standing: () => ({ why: 'rule 3 blocks it' }) })
  t.strictSame(blocked.candidates, [])
  t.strictSame(
    blocked.refused.map(({ value, why }) => `${value}: ${why}`),
    ['bob@b.test: rule 3 blocks it', 'carl@c.test: rule 3 blocks it', 'eve@b.test: rule 3 blocks it'],
  )
  t.end()
})

t.test('too few messages or days', (t) => {
  const tally = tallyOf(
    delivery('bob@b.test'),
    delivery('bob@b.test', { at: START + DAY_MS }),
    delivery('carl@c.test'),
    delivery('carl@c.test'),
  )
  t.strictSame(proposed(tally, { minMessages: 2 }), ['bob@b.test 2 2 1', 'carl@c.test 2 1 1'])
  t.strictSame(proposed(tally, { minDays: 2 }), ['bob@b.test 2 2 1'])
  const none = tally.propose({ ...FACTS, minMessages: 3 })
  t.strictSame([none.candidates, none.below], [[], 2])
  t.end()
})

t.test('what a person should look at', (t) => {
  const tally = tallyOf(
    ...Array.from({ length: 5 }, (_, i) =>
      delivery('a@supplier.test', { at: START + i * DAY_MS, sender: `u${i}@corp.test` }),
    ),
    delivery('a@supp1ier.test', { at: START + 20 * DAY_MS }),
  )
  const asked: unknown[] = []
  const lookalikes: ProposalFacts['lookalikes'] = (domain, messages, senders) => {
    asked.push([domain, messages, senders])
    return domain === 'supp1ier.test' ? ['supplier.test', 'other.test'] : []
  }
  const { candidates } = tally.propose({ ...FACTS, lookalikes })
  t.strictSame(asked, [
    ['supplier.test', 5, 5],
    ['supp1ier.test', 1, 1],
  ])
  t.match(candidates, [
    { value: 'a@supplier.test', kind: 'address', first: '2026-09-01', last: '2026-09-05', remarks: [] },
    {
      value: 'a@supp1ier.test',
      remarks: [
        { kind: 'one sender', text: 'only anna@corp.test writes there' },
        { kind: 'new', text: 'first seen in the last week' },
        { kind: 'alike', text: 'looks like supplier.test, other.test' },
      ],
    },
  ])
  t.equal(candidates[0]?.remarks.length, 0)
  t.end()
})

t.test('messages by day, of an address and of a domain', (t) => {
  const both = delivery('bob@b.test')
  const tally = tallyOf(
    both,
    { ...both, recipient: 'eve@b.test' },
    delivery('eve@b.test'),
    delivery('eve@b.test', { at: START + DAY_MS }),
  )
  t.strictSame(tally.messagesByDay('bob@b.test'), [['2026-09-01', 1]])
  t.strictSame(tally.messagesByDay('eve@b.test'), [
    ['2026-09-01', 2],
    ['2026-09-02', 1],
  ])
  t.strictSame(tally.messagesByDay('b.test'), [
    ['2026-09-01', 2],
    ['2026-09-02', 1],
  ])
  t.strictSame(tally.messagesByDay('c.test'), [])
  t.strictSame(tally.domains(), new Map([['b.test', 3]]))
  t.end()
})
