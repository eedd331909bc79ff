/** Orphans: which envelope is believed, and to whom the decision log says that a message was passed on. */
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Failure } from '../../lib/failure.js'
import type { HoldEnvelope, HoldFolder } from '../../lib/hold/folder.js'
import { findPassed, readEnvelope } from '../../lib/hold/orphan.js'
import { park, refused, unknown } from '../support/held.js'
import { type Lab, makeLab } from '../support/lab.js'

const EVE = 'eve@unknown.test'
const MALLORY = 'mal@unknown.test'
const HELD_AT = Date.UTC(2026, 10, 24, 12)

async function makeOrphan(t: Test): Promise<{ lab: Lab; folder: HoldFolder; id: string; path: string }> {
  const lab = makeLab(t)
  const { db, hold, folder } = lab.stores()
  const id = await park(hold, folder, [unknown(EVE), refused(MALLORY)], { heldAt: HELD_AT })
  db.run('DELETE FROM recipient')
  db.run('DELETE FROM hold')
  db.close()
  return { lab, folder, id, path: join(folder.path(id), 'envelope.json') }
}

t.test('an envelope is believed whole or not at all', async (t) => {
  const { folder, id, path } = await makeOrphan(t)
  const text = readFileSync(path, 'utf8')
  const good = JSON.parse(text) as HoldEnvelope
  t.match(readEnvelope(folder, id), { id, recipients: [unknown(EVE), refused(MALLORY)] })
  const shape = 'envelope.json: it has not what it should'
  const other = 'envelope.json: it is of another message: the id does not fit'
  const [one] = good.recipients
  const table: [name: string, content: unknown, why: string][] = [
    ['null', null, shape],
    ['a list', [], shape],
    ['a text', 'x', shape],
    ['another sender', { ...good, sender: 'otto@corp.test' }, other],
    ['another queue id', { ...good, queueId: 'OTHER' }, other],
    ['other bytes', { ...good, sha256: '0'.repeat(64) }, other],
    ['no subject', { ...good, subject: undefined }, shape],
    ['a size that is none', { ...good, size: '7' }, shape],
    ['a time that is none', { ...good, heldAt: 1.5 }, shape],
    ['a time beyond numbers', { ...good, expiresAt: 1e300 }, shape],
    ['no client', { ...good, client: null }, shape],
    ['recipients that are no list', { ...good, recipients: { one } }, shape],
    ['a recipient that is none', { ...good, recipients: [null] }, shape],
    ['a recipient without address', { ...good, recipients: [{ ...one, address: undefined }] }, shape],
    ['a state that nobody is parked in', { ...good, recipients: [{ ...one, state: 'released' }] }, shape],
  ]
  for (const [name, content, why] of table) {
    writeFileSync(path, JSON.stringify(content))
    const found = readEnvelope(folder, id)
    t.equal(found instanceof Failure && found.message, why, name)
  }
  writeFileSync(path, text.slice(0, 20))
  t.match(readEnvelope(folder, id), { message: /^envelope\.json: .*JSON/ })
  rmSync(path)
  t.match(readEnvelope(folder, id), { message: 'envelope.json: no such file or directory (ENOENT)' })
})

t.test('to whom it was passed on', async (t) => {
  const { lab, folder, id } = await makeOrphan(t)
  const envelope = folder.read(id)
  const found = async (...envelopes: HoldEnvelope[]): Promise<Record<string, string[]>> => {
    const passed = await findPassed(lab.state, envelopes)
    return Object.fromEntries(
      [...passed].map(([hold, moves]) => [
        hold,
        [...moves.values()].map(({ address, state, queueId, who, at }) =>
          [address, state, queueId, who, new Date(at).toISOString()].join(' '),
        ),
      ]),
    )
  }
  const decide = (at: string, changes: object, ...recipients: [to: string, did: string][]): void => {
    const { queueId, sender, size } = envelope
    const done = recipients.map(([to, did]) => ({ to, did, verdict: 'pass', reason: 'allowed', rule: 1 }))
    const line = {
      at,
      mode: 'enforce',
      queueId,
      sender,
      size,
      passedAs: 'NEW1',
      recipients: done,
      ...changes,
    }
    appendFileSync(join(lab.state, 'decisions', `${at.slice(0, 10)}.jsonl`), `${JSON.stringify(line)}\n`)
  }
  t.strictSame(await found(), {})
  t.strictSame(await found(envelope), {}, 'an empty log')
  // Ones of another message, and of days on which it was not there.
  decide('2026-11-24T12:00:01.000Z', { queueId: 'OTHER' }, [EVE, 'passed'])
  decide('2026-11-24T12:00:02.000Z', { sender: 'otto@corp.test' }, [EVE, 'passed'])
  decide('2026-11-24T12:00:03.000Z', { size: envelope.size + 1 }, [EVE, 'passed'])
  decide('2026-11-22T12:00:00.000Z', {}, [EVE, 'passed'])
  t.strictSame(await found(envelope), {})
  decide('2026-11-24T12:00:04.000Z', { passedAs: null }, [EVE, 'held'], [MALLORY, 'refused'])
  t.strictSame(await found(envelope), { [id]: [] }, 'that it was seen again says nothing of anybody')
  decide('2026-11-23T12:00:00.000Z', {}, [MALLORY, 'passed'])
  decide('2026-11-25T12:00:00.000Z', { passedAs: null }, [EVE, 'passed'], [MALLORY, 'nothing: passed'])
  const passed = [
    `${MALLORY} passed NEW1 toeh-filter 2026-11-23T12:00:00.000Z`,
    `${EVE} passed  toeh-filter 2026-11-25T12:00:00.000Z`,
  ]
  t.strictSame(await found(envelope), { [id]: passed }, 'of the day before too: a clock may be put back')
  const twin = { ...envelope, id: 'another' }
  t.strictSame(await found(envelope, twin), { [id]: passed, another: passed }, 'what cannot be told apart')
  for (const heldAt of [Number.MAX_SAFE_INTEGER, Date.UTC(2027, 0)])
    t.strictSame(await found({ ...envelope, heldAt }), {}, 'a time that lies ahead')
  t.strictSame(await found({ ...envelope, heldAt: -1 }), { [id]: [...passed].reverse() }, 'or long ago')
  rmSync(join(lab.state, 'decisions'), { recursive: true })
  t.strictSame(await found(envelope), {}, 'without a log')
  mkdirSync(join(lab.state, 'decisions'))
})
