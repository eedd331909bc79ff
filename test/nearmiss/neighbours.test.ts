/** Tests of neighbours.ts: what is loaded as known, and what people have done with both. */
import t from 'tap'
import { Neighbours, placeRecipients } from '../../lib/nearmiss/neighbours.js'
import { park, unknown } from '../support/held.js'
import { makeLab } from '../support/lab.js'

const INTERNAL = new Set(['corp.test'])
const MARIE = { who: 'marie', at: 1000 }

t.test('both histories', async (t) => {
  const lab = makeLab(t)
  const { db, hold, landscape, folder } = lab.stores()
  t.teardown(() => db.close())
  const rule = {
    kind: 'domain',
    effect: 'allow',
    subdomains: false,
    scope: '',
    endsAt: null,
    source: 'command',
    note: 'n',
  } as const
  landscape.add([{ ...rule, value: 'supplier.test' }], MARIE)
  landscape.add([{ ...rule, value: 'suppl1er.test' }], MARIE)
  landscape.revoke(['suppl1er.test'], undefined, { who: 'paul', at: 2000 })
  landscape.add([{ ...rule, value: 'suppller.test', effect: 'block' }], MARIE)
  const uses = [
    { rule: 1, day: '2026-11-19', messages: 5 },
    { rule: 1, day: '2026-11-20', messages: 2 },
    { rule: 2, day: '2026-11-18', messages: 3 },
  ]
  landscape.recordUses(uses, Date.UTC(2026, 10, 24))
  const id = await park(hold, folder, [unknown('X@Suppl1er.test')])
  hold.claim(id, ['X@Suppl1er.test'], false, { who: 'zoe', at: 3000 })
  hold.settleReleased(id, ['X@Suppl1er.test'], 'Q1', { who: 'zoe', at: 3000 })

  const [miss, ...others] = await new Neighbours(db, INTERNAL).of('Y@Suppl1er.test')
  t.strictSame(others, [], 'what is revoked or blocked is not known')
  t.strictSame(miss, {
    value: 'supplier.test',
    kind: 'domain',
    likeness: 'looks the same',
    history: { addedBy: 'marie', addedAt: 1000, source: 'command', note: 'n' },
    uses: { messages: 7, since: '2026-11-19', last: '2026-11-20' },
    thisOne: {
      value: 'suppl1er.test',
      released: 1,
      lastReleasedAt: 3000,
      revokedBy: 'paul',
      revokedAt: 2000,
      uses: { messages: 3, since: '2026-11-18', last: '2026-11-18' },
    },
  })
})

t.test('an address stands beside an address, the company beside a domain', async (t) => {
  const lab = makeLab(t)
  await lab.allow('marie.durand@supplier.test')
  const { db } = lab.stores()
  t.teardown(() => db.close())
  const neighbours = new Neighbours(db, INTERNAL)
  const never = { released: 0, lastReleasedAt: null, revokedBy: null, revokedAt: null, uses: null }
  t.match(await neighbours.of('Marie.Durand@private.test'), [
    { kind: 'address', thisOne: { value: 'marie.durand@private.test', ...never } },
  ])
  t.match(await neighbours.of('anna@c0rp.test'), [
    {
      value: 'corp.test',
      kind: 'internal',
      history: null,
      uses: null,
      thisOne: { value: 'c0rp.test', ...never },
    },
  ])
  t.strictSame(await neighbours.of('x@elsewhere.test'), [])
  t.strictSame(await neighbours.of('no address'), [])
})

t.test('only the unknown who wait are looked up', async (t) => {
  const lab = makeLab(t)
  const { db } = lab.stores()
  const neighbours = new Neighbours(db, INTERNAL)
  db.close() // Whoever asks it fails.
  const recipients = [
    { address: 'a@c0rp.test', state: 'held', reason: 'malformed' },
    { address: 'b@c0rp.test', state: 'held', reason: 'blocked' },
    { address: 'c@c0rp.test', state: 'refused', reason: 'refused' },
    { address: 'd@c0rp.test', state: 'released', reason: 'unknown' },
  ]
  t.strictSame(await placeRecipients(neighbours, { id: 'x', recipients }), { id: 'x', recipients })
  const waits = { address: 'e@c0rp.test', state: 'held', reason: 'unknown' }
  await t.rejects(placeRecipients(neighbours, { recipients: [waits] }))
})

t.test('a list reads the past once, however many are on it', async (t) => {
  const lab = makeLab(t)
  const known = Array.from({ length: 20 }, (_, index) => `supplier${index}x.test`)
  await lab.allow(...known)
  const { db } = lab.stores()
  t.teardown(() => db.close())
  const scans: string[] = []
  const slow: string[] = []
  const counting = {
    ...db,
    get: <T>(sql: string, ...values: (string | number | null)[]) => {
      const plan = db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...values)
      slow.push(...plan.map(({ detail }) => detail).filter((step) => step.startsWith('SCAN')))
      return db.get<T>(sql, ...values)
    },
    all: <T>(sql: string, ...values: (string | number | null)[]) => {
      scans.push(sql)
      return db.all<T>(sql, ...values)
    },
  }
  const neighbours = new Neighbours(counting, INTERNAL)
  for (const domain of known) {
    const [miss] = await neighbours.of(`x@${domain.replace('l', '1')}`)
    t.equal(miss?.thisOne.released, 0, domain)
    if (domain === known[0]) t.equal(scans.splice(0).length, 3, 'rules known, revoked, uses')
  }
  t.strictSame(scans, [], 'nothing of it again')
  t.strictSame(slow, [], 'what is asked for each goes by an index')
})
