/** Audit: each row is chained to the one before, so that a change made afterwards shows. */
import { createHash } from 'node:crypto'
import t from 'tap'
import {
  Audit,
  type AuditFilter,
  appendAudit,
  auditNaming,
  chainHash,
  type Deed,
  redactAudit,
  verifyAudit,
} from '../../lib/database/audit.js'
import type { Database } from '../../lib/database/database.js'
import { Redaction } from '../../lib/mail/redaction.js'
import { makeLab } from '../support/lab.js'

interface AuditRow extends Deed {
  id: number
  hash: string
  salt: string
  seal: string | null
}

const DEEDS: Deed[] = [
  { who: 'marie', at: 1, what: 'allow', subject: 'known.test', was: '', now: 'allow known.test' },
  { who: 'paul', at: 2, what: 'block', subject: 'evil.test', was: '', now: 'block evil.test' },
  {
    who: 'marie',
    at: 2,
    what: 'released',
    subject: 'abc x@known.test',
    was: 'releasing',
    now: '4bQ8Yk2hJnz1',
  },
  { who: 'cleanup', at: 9, what: 'expired', subject: 'abc y@new.test', was: 'held', now: 'expired' },
]

function rows(db: Database): AuditRow[] {
  return db.all<AuditRow>('SELECT * FROM audit ORDER BY id')
}

/** The same without a promise, inside a transaction. */
function brokenAt(db: Database): number | null {
  return verifyAudit(db).broken
}

/** The id of the first row that does not fit, or null. */
async function firstBreak(db: Database): Promise<number | null> {
  return (await new Audit(db).verify()).broken
}

t.test('rows say who did what, when, from what to what, and are chained', async (t) => {
  const lab = makeLab(t)
  const [one, other] = [lab.openDatabase(), lab.openDatabase()]
  t.teardown(() => [one, other].map((db) => db.close()))
  // Two connections in turn: the chain is the table's, not a process's.
  for (const [i, deed] of DEEDS.entries()) {
    const db = i % 2 === 0 ? one : other
    db.transaction(() => appendAudit(db, deed))
  }
  t.same(
    rows(one).map(({ at, who, what, subject, was, now }) => ({ at, who, what, subject, was, now })),
    DEEDS,
  )
  const hashes = rows(one).map(({ hash }) => hash)
  t.equal(new Set(hashes).size, DEEDS.length)
  for (const hash of hashes) t.match(hash, /^[0-9a-f]{64}$/)
  const salts = rows(one).map(({ salt }) => salt)
  t.equal(new Set(salts).size, DEEDS.length, 'each salt is drawn')
  t.equal(hashes[0], chainHash('', DEEDS[0] as Deed, salts[0]))
  t.equal(hashes[1], chainHash(hashes[0] as string, DEEDS[1] as Deed, salts[1]))
  t.equal(await firstBreak(one), null)
})

t.test('a row that was changed, removed or slipped in breaks the chain', async (t) => {
  const tampering: [string, number][] = [
    ["UPDATE audit SET who = 'anna' WHERE id = 2", 2],
    ['UPDATE audit SET at = at + 1 WHERE id = 1', 1],
    ["UPDATE audit SET was = 'x' WHERE id = 4", 4],
    ["UPDATE audit SET now = '' WHERE id = 3", 3],
    ["UPDATE audit SET salt = '00' WHERE id = 2", 2],
    ["UPDATE audit SET salt = '' WHERE id = 2", 2],
    ["UPDATE audit SET subject = 'erased-000000', salt = '', seal = '' WHERE id = 3", 3],
    ["UPDATE audit SET hash = replace(hash, 'a', 'b') WHERE id = 1", 1],
    ['DELETE FROM audit WHERE id = 2', 3],
    ['DELETE FROM audit WHERE id = 1', 2],
    ['UPDATE audit SET id = id + 10 WHERE id = 2', 3],
    [
      "INSERT INTO audit SELECT 5, at, who, 'revoke', subject, was, now, hash, salt, seal FROM audit WHERE id = 4",
      5,
    ],
  ]
  for (const [sql, broken] of tampering) {
    const db = makeLab(t).openDatabase()
    for (const deed of DEEDS) appendAudit(db, deed)
    t.equal(db.run(sql), 1, sql)
    t.equal(await firstBreak(db), broken, sql)
    db.close()
  }
})

t.test('no two deeds hash the same, wherever their fields end', async (t) => {
  const base: Deed = { who: 'a', at: 1, what: 'b', subject: 'c', was: 'd', now: 'e' }
  const shifted: Deed[] = [
    base,
    { ...base, who: 'ab', what: '' },
    { ...base, subject: 'cd', was: '' },
    { ...base, subject: 'c","d', was: '' },
    { ...base, was: 'de', now: '' },
    { ...base, at: 11 },
  ]
  t.equal(new Set(shifted.map((deed) => chainHash('', deed))).size, shifted.length)
  t.not(chainHash('', base), chainHash('x', base))
})

t.test('old rows go, and the rest still verifies; so does what is appended to an empty table', async (t) => {
  const db = makeLab(t).openDatabase()
  t.teardown(() => db.close())
  const audit = new Audit(db)
  for (const deed of DEEDS) appendAudit(db, deed)
  const { head } = await audit.verify()
  t.equal(await audit.prune(1), 0)
  t.equal(await audit.prune(2), 1)
  t.strictSame(await audit.verify(), { rows: 3, broken: null, erased: 0, head })
  t.equal(db.run('DELETE FROM audit WHERE id = 2'), 1)
  t.equal((await audit.verify()).broken, 3, 'a row that was removed by other means')
  t.equal(await audit.prune(1000), 2)
  t.strictSame(await audit.verify(), { rows: 0, broken: null, erased: 0, head })
  appendAudit(db, DEEDS[0] as Deed)
  t.match(await audit.verify(), { rows: 1, broken: null })
  t.notOk(await audit.has(head))
})

t.test('a clock that went back does not make a younger row older', async (t) => {
  const db = makeLab(t).openDatabase()
  t.teardown(() => db.close())
  for (const at of [10, 2, 11]) appendAudit(db, { ...(DEEDS[0] as Deed), at })
  t.equal(await new Audit(db).prune(5), 0, 'only what stands before the first row that is kept')
  t.equal(await new Audit(db).prune(11), 2)
})

t.test('lists what fits, oldest first', async (t) => {
  const db = makeLab(t).openDatabase()
  t.teardown(() => db.close())
  for (const deed of DEEDS) appendAudit(db, deed)
  const audit = new Audit(db)
  const ids = async (filter: AuditFilter): Promise<number[]> => (await audit.list(filter)).map(({ id }) => id)
  t.strictSame(await ids({}), [1, 2, 3, 4])
  t.strictSame(await ids({ who: 'marie' }), [1, 3])
  t.strictSame(await ids({ subject: 'abc' }), [3, 4])
  t.strictSame(await ids({ subject: 'a%' }), [], 'no pattern, a text')
  t.strictSame(await ids({ since: 2 }), [2, 3, 4])
  t.strictSame(await ids({ since: 2, who: 'marie', subject: 'known' }), [3])
})

t.test('a deed that is rolled back leaves neither row nor gap', async (t) => {
  const db = makeLab(t).openDatabase()
  t.teardown(() => db.close())
  const [first, second, third] = DEEDS as [Deed, Deed, Deed]
  appendAudit(db, first)
  t.throws(() =>
    db.transaction(() => {
      appendAudit(db, second)
      throw new Error('no')
    }),
  )
  appendAudit(db, third)
  t.same(
    rows(db).map(({ what }) => what),
    ['allow', 'released'],
  )
  t.equal(await firstBreak(db), null)
})

const DEED: Deed = {
  at: 1700000000000,
  who: 'anna',
  what: 'allow',
  subject: 'known.test',
  was: '',
  now: 'allow',
}

t.test('the hash is SHA-256 over a JSON array, in hexadecimal', (t) => {
  const text = '["",1700000000000,"anna","allow","known.test","","allow"]'
  t.equal(chainHash('', DEED), createHash('sha256').update(text).digest('hex'))
  t.match(chainHash('', DEED), /^[0-9a-f]{64}$/)
  // Pinned: what is on disk must verify with the next version too.
  t.equal(chainHash('', DEED), '91c86a1b1717e40f681e4a0ebe1db306e1a02f880da5cea0ed7d6eb636a02d29')
  t.end()
})

t.test('with a salt the words stand behind a seal, which is pinned too', (t) => {
  const seal = createHash('sha256').update('["5a","anna","known.test","","allow"]').digest('hex')
  const hash = createHash('sha256').update(`["",1700000000000,"allow","${seal}"]`).digest('hex')
  t.equal(chainHash('', DEED, '5a'), hash)
  t.equal(hash, createHash('sha256').update(`["",1700000000000,"allow","${seal}"]`).digest('hex'))
  t.end()
})

/** Appends a deed as versions before the salt did. */
function appendUnsalted(db: Database, previous: string, deed: Deed): string {
  const { at, who, what, subject, was, now } = deed
  const hash = chainHash(previous, deed)
  const sql = 'INSERT INTO audit (at, who, what, subject, was, now, hash) VALUES (?, ?, ?, ?, ?, ?, ?)'
  db.run(sql, at, who, what, subject, was, now, hash)
  return hash
}

const EVA = new Redaction(new Map([['eva@known.test', 'erased-k3m9x2']]))
const PAUL = new Redaction(new Map([['paul@corp.test', 'erased-zzzzzz']]))

t.test('a person is redacted from a chain of old and new rows, and the chain stays whole', async (t) => {
  const db = makeLab(t).openDatabase()
  t.teardown(() => db.close())
  const deed = (at: number, subject: string, changes: Partial<Deed> = {}): Deed => ({
    ...{ at, who: 'marie', what: 'released', subject, was: 'releasing', now: 'X1' },
    ...changes,
  })
  const first = appendUnsalted(db, '', deed(1, 'abc Eva@known.test'))
  appendUnsalted(db, first, deed(2, 'abc bob@known.test'))
  appendAudit(db, deed(3, 'abd EVA@known.test', { now: 'rejected: ask eva@known.test, not teva@known.test' }))
  appendAudit(
    db,
    deed(4, 'new.test', { what: 'allow', who: 'paul@corp.test', now: 'allow new.test for eva@known.test' }),
  )
  const audit = new Audit(db)
  const { head } = await audit.verify()
  t.strictSame(
    auditNaming(db, EVA).map(({ id }) => id),
    [1, 3, 4],
  )
  const before = rows(db)
  const actor = { who: 'marie', at: 9 }
  t.equal(
    db.transaction(() => redactAudit(db, EVA, actor)),
    3,
  )
  t.match(await audit.verify(), { rows: 7, broken: null, erased: 3 })
  t.ok(await audit.has(head), 'a head that was noted before is still there')
  t.strictSame(
    rows(db)
      .slice(0, 4)
      .map(({ hash }) => hash),
    before.map(({ hash }) => hash),
    'no hash has changed',
  )
  t.strictSame(
    rows(db)
      .slice(0, 4)
      .map(({ subject, now }) => [subject, now]),
    [
      ['abc erased-k3m9x2', 'X1'],
      ['abc bob@known.test', 'X1'],
      ['abd erased-k3m9x2', 'rejected: ask erased-k3m9x2, not teva@known.test'],
      ['new.test', 'allow new.test for erased-k3m9x2'],
    ],
  )
  t.strictSame(
    rows(db)
      .slice(4)
      .map(({ who, what, subject }) => [who, what, subject]),
    [
      ['marie', 'erased', 'row 1'],
      ['marie', 'erased', 'row 3'],
      ['marie', 'erased', 'row 4'],
    ],
  )
  t.strictSame(
    rows(db)
      .slice(0, 4)
      .map(({ salt }) => salt),
    ['', '', '', ''],
    'nobody can try out whom it named',
  )
  t.strictSame(auditNaming(db, EVA), [])
  t.equal(redactAudit(db, EVA, actor), 0, 'done twice it is done once')

  t.equal(
    db.transaction(() => redactAudit(db, PAUL, actor)),
    1,
    'a row in which two people are named',
  )
  t.match(await audit.verify(), { rows: 8, broken: null, erased: 3 })
  t.equal(rows(db)[3]?.who, 'erased-zzzzzz')

  const tampering: [string, number][] = [
    ["UPDATE audit SET subject = 'abc erased-k3m9x3' WHERE id = 1", 1],
    ['UPDATE audit SET at = 5 WHERE id = 1', 1],
    ['UPDATE audit SET at = 5 WHERE id = 3', 3],
    ["UPDATE audit SET who = 'anna' WHERE id = 3", 3],
    ["UPDATE audit SET seal = '' WHERE id = 3", 3],
    ["UPDATE audit SET subject = 'row 2' WHERE id = 5", 5],
    ['UPDATE audit SET now = (SELECT now FROM audit WHERE id = 5) WHERE id = 8', 8],
    ["UPDATE audit SET subject = 'abc x', salt = '', seal = '' WHERE id = 2", 2],
    ['UPDATE audit SET seal = NULL WHERE id = 1', 1],
    ['DELETE FROM audit WHERE id = 8', 4],
  ]
  for (const [sql, broken] of tampering) {
    t.throws(
      () =>
        db.transaction(() => {
          t.equal(db.run(sql), 1, sql)
          throw new Error(String(brokenAt(db)))
        }),
      { message: String(broken) },
      sql,
    )
  }
  t.equal(await audit.prune(2), 1)
  t.match(await audit.verify(), { rows: 7, broken: null, erased: 2 }, 'old rows go as before')
})
