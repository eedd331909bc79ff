/** Erasure: what names a person goes, what names others stays; and what is old goes by itself. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Actor } from '../../lib/database/audit.js'
import { databasePath } from '../../lib/database/database.js'
import { Erasure, RETRY_MS } from '../../lib/hold/erasure.js'
import { HoldFolder } from '../../lib/hold/folder.js'
import { Redaction } from '../../lib/mail/redaction.js'
import { makeLab } from '../support/lab.js'

const DAY_MS = 86_400_000
const NOW = 400 * DAY_MS
const ACTOR: Actor = { who: 'marie', at: NOW }
const EVA = new Redaction(new Map([['eva@new.test', 'erased-k3m9']]))

/** Messages in the rows alone, settled so many days ago. */
function fill(lab: ReturnType<typeof makeLab>): void {
  const holds: [id: string, sender: string, daysAgo: number, recipients: string[]][] = [
    ['000000000001', 'anna@corp.test', 100, ['Eva@new.test', 'eva@new.test', 'bob@new.test']],
    ['000000000002', 'anna@corp.test', 100, ['bob@new.test']],
    ['000000000003', 'eva@new.test', 30, ['bob@new.test']],
  ]
  const client = { address: '192.0.2.7', name: 'pc', port: '1', proto: 'ESMTP', helo: 'pc', saslUser: 'anna' }
  for (const [id, sender, ago, recipients] of holds) {
    const at = NOW - ago * DAY_MS
    lab.change(
      `INSERT INTO hold (id, queue_id, sender, sha256, size, subject, message_id, client, held_at, expires_at)
       VALUES (?, 'Q', ?, 'x', 1, 'Secret', '<m@x>', ?, ?, ?)`,
      ...[id, sender, JSON.stringify(client), at, at],
    )
    for (const address of recipients)
      lab.change(
        `INSERT INTO recipient VALUES (?, ?, 'released', 'unknown', 'said <eva@new.test>', 'Q2', 'marie', ?)`,
        ...[id, address, at],
      )
  }
  lab.change(`INSERT INTO notice VALUES ('eva@new.test', ?), ('anna@corp.test', ?)`, NOW, NOW - 31 * DAY_MS)
  lab.change(
    `INSERT INTO token VALUES ('h', '000000000001', '["Eva@new.test","bob@new.test"]', 'boss@corp.test', 1, 'release', 'x', 1)`,
  )
}

t.test('a person is taken out of every table, and nobody else', async (t) => {
  const lab = makeLab(t)
  fill(lab)
  await lab.allow('eva@new.test', 'bob@new.test')
  lab.change(`UPDATE rule SET revoked_by = 'marie', revoked_at = 5 WHERE id = 1`)
  lab.change(`UPDATE rule SET note = 'as eva@new.test asked' WHERE id = 2`)
  const { db, folder } = lab.stores()
  t.teardown(() => db.close())
  const erasure = new Erasure(db, folder)
  const naming = await erasure.naming(EVA, NOW)
  t.match(naming, {
    messages: [
      { id: '000000000001', asSender: false, waiting: 0 },
      { id: '000000000002', asSender: false },
      { id: '000000000003', asSender: true },
    ],
    rules: [
      { id: 1, inForce: false },
      { id: 2, inForce: false },
    ],
    ...{ tokens: 1, notices: 1, audit: [{ id: 1, what: 'allow' }] },
  })
  t.strictSame(await erasure.forget(EVA, ['erased-k3m9'], ACTOR, () => {}), naming)
  t.strictSame(
    db.all("SELECT id, sender, subject, message_id AS m, client ->> 'address' AS c FROM hold ORDER BY id"),
    [
      { id: '000000000001', sender: 'anna@corp.test', subject: '', m: '', c: '192.0.2.7' },
      { id: '000000000002', sender: 'anna@corp.test', subject: '', m: '', c: '192.0.2.7' },
      { id: '000000000003', sender: 'erased-k3m9', subject: '', m: '', c: '' },
    ],
  )
  t.strictSame(db.all('SELECT hold, address, detail, state FROM recipient ORDER BY hold, address'), [
    { hold: '000000000001', address: 'bob@new.test', detail: 'said <erased-k3m9>', state: 'released' },
    { hold: '000000000001', address: 'erased-k3m9', detail: 'said <erased-k3m9>', state: 'released' },
    { hold: '000000000002', address: 'bob@new.test', detail: 'said <erased-k3m9>', state: 'released' },
    { hold: '000000000003', address: 'bob@new.test', detail: 'said <erased-k3m9>', state: 'released' },
  ])
  t.strictSame(db.all('SELECT id, value, note FROM rule'), [
    { id: 1, value: 'erased-k3m9', note: '' },
    { id: 2, value: 'bob@new.test', note: 'as erased-k3m9 asked' },
  ])
  t.strictSame(db.all('SELECT recipients FROM token'), [{ recipients: '["erased-k3m9","bob@new.test"]' }])
  t.strictSame(db.all('SELECT sender FROM notice'), [{ sender: 'anna@corp.test' }])
  t.match(db.all("SELECT who, subject, now FROM audit WHERE what = 'forget'"), [
    { who: 'marie', subject: 'erased-k3m9', now: 'messages 3, rules 2, audit rows 1' },
  ])
  t.strictSame(await erasure.naming(EVA, NOW), { messages: [], rules: [], tokens: 0, notices: 0, audit: [] })
  t.ok(await erasure.compact())
  t.notMatch(
    readFileSync(databasePath(lab.state), 'latin1'),
    /eva@new\.test/i,
    'in no free place of the file',
  )
  t.notOk(await erasure.compact(), 'it is due once')
})

t.test('what is in the way is found under the lock, and nothing is changed', async (t) => {
  const lab = makeLab(t)
  fill(lab)
  const { db, folder } = lab.stores()
  t.teardown(() => db.close())
  const before = lab.databaseDigest()
  await t.rejects(
    new Erasure(db, folder).forget(EVA, ['erased-k3m9'], ACTOR, ({ messages }) => {
      t.equal(messages.length, 3)
      throw new Error('no')
    }),
    { message: 'no' },
  )
  t.equal(lab.databaseDigest(), before)
})

t.test('old settled messages go, in pieces; what waits, is young or has its folder stays', async (t) => {
  const lab = makeLab(t)
  fill(lab)
  const { db } = lab.stores()
  t.teardown(() => db.close())
  const there = new Set(['000000000002'])
  class Folders extends HoldFolder {
    override isThere(id: string): boolean {
      return there.has(id)
    }
  }
  const erasure = new Erasure(db, new Folders(lab.state))
  const ids = (): string[] => db.all<{ id: string }>('SELECT id FROM hold ORDER BY id').map(({ id }) => id)
  t.equal(await erasure.pruneSettled(NOW - 200 * DAY_MS, NOW), 0)
  t.equal(await erasure.pruneSettled(NOW - 50 * DAY_MS, NOW), 1)
  t.strictSame(ids(), ['000000000002', '000000000003'])
  t.strictSame(db.all('SELECT 1 FROM token'), [], 'with the answers to its notices')
  there.clear()
  lab.change(`UPDATE recipient SET changed_at = ? WHERE hold = '000000000003'`, NOW - RETRY_MS + 1)
  t.equal(await erasure.pruneSettled(NOW, NOW), 1)
  t.strictSame(ids(), ['000000000003'], 'Postfix may still hand it over again')
  lab.change(`UPDATE recipient SET state = 'held', changed_at = 0 WHERE hold = '000000000003'`)
  t.equal(await erasure.pruneSettled(NOW, NOW), 0, 'it waits')
  lab.change(`UPDATE recipient SET state = 'released' WHERE hold = '000000000003'`)
  t.equal(await erasure.pruneSettled(NOW, NOW), 0, 'its folder is still to go')
  lab.change('DELETE FROM leaving')
  t.equal(await erasure.pruneSettled(NOW, NOW), 1)
  t.strictSame(db.all('SELECT 1 FROM recipient'), [])
  t.strictSame(db.all('SELECT * FROM load'), [{ messages: 0, recipients: 0, bytes: 0 }])
})

t.test('more than one piece', async (t) => {
  const lab = makeLab(t)
  lab.change(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
     INSERT INTO hold (id, queue_id, sender, sha256, size, subject, message_id, client, held_at, expires_at)
     SELECT printf('%012d', i), 'Q', '', '', 1, '', '', '{}', 1, 1 FROM n`,
  )
  const { db, folder } = lab.stores()
  t.teardown(() => db.close())
  t.equal(await new Erasure(db, folder).pruneSettled(NOW, NOW), 2500)
})

t.test('rules that ended long ago go with their uses, and old times of notices', async (t) => {
  const lab = makeLab(t)
  fill(lab)
  await lab.allow('a.test', 'b.test', 'c.test', 'd.test')
  lab.change(`UPDATE rule SET revoked_by = 'x', revoked_at = 5 WHERE id = 1`)
  lab.change('UPDATE rule SET ends_at = 5 WHERE id = 2')
  lab.change(`UPDATE rule SET revoked_by = 'x', revoked_at = 50 WHERE id = 3`)
  lab.change(`INSERT INTO rule_use VALUES (1, '2026-11-20', 3), (4, '2026-11-20', 3)`)
  const { db, folder } = lab.stores()
  t.teardown(() => db.close())
  const erasure = new Erasure(db, folder)
  t.equal(await erasure.pruneRules(10), 2)
  t.strictSame(db.all('SELECT id FROM rule'), [{ id: 3 }, { id: 4 }])
  t.strictSame(db.all('SELECT rule FROM rule_use'), [{ rule: 4 }])
  t.equal(await erasure.pruneNotices(NOW - 30 * DAY_MS), 1)
  t.strictSame(db.all('SELECT sender FROM notice'), [{ sender: 'eva@new.test' }])
})
