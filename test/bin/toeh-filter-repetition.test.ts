/** toeh-filter run again for the same message, as Postfix does after a deferral or a crash: settled stays settled. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { State } from '../../lib/hold/heldmail.js'
import { assertDeferred, assertSettled, MESSAGE, makeLab, outcomeOf } from '../support/lab.js'
import { makeSink, unwire } from '../support/sink.js'
import { closedPort, Talker } from '../support/talker.js'

const KNOWN = 'bob@known.test'
const UNKNOWN = 'eve@unknown.test'
const QUIET = '\n[notice]\nenabled = false\n'

t.test('a recipient that an earlier run or a person has settled', async (t) => {
  const table: State[] = ['held', 'refused', 'releasing', 'released', 'rejected', 'expired', 'passed']
  for (const state of table) {
    await t.test(state, async (t) => {
      const sink = await makeSink(t)
      const lab = makeLab(t, sink.setting)
      const id = await lab.park([UNKNOWN])
      const waits = ['held', 'refused', 'releasing'].includes(state)
      const { db, hold } = lab.stores()
      db.run('UPDATE recipient SET state = ?', state)
      if (!waits) hold.removeSettled(id)
      db.close()
      // Even one that has become known since: whoever settled it has decided.
      await lab.allow('unknown.test')
      const before = lab.databaseDigest()
      const outcome = await lab.filter({ recipients: [UNKNOWN] })
      assertSettled(t, outcome, `toeh: settled before 1 in ${id}\n`)
      t.equal(lab.databaseDigest(), before, 'the database is not written')
      t.strictSame(lab.held(), waits ? [id] : [], 'no folder comes back')
      t.strictSame(lab.temporaries(), [])
      t.equal(sink.mails.length, 0, 'nothing is sent')
      t.match(lab.decisions().at(-1)?.recipients, [{ to: UNKNOWN, did: `nothing: ${state}` }])
    })
  }
})

t.test('further recipients of the same message join its hold', async (t) => {
  const lab = makeLab(t)
  const id = await lab.park(['one@unknown.test'])
  t.equal(await lab.park(['two@unknown.test']), id)
  t.equal(await lab.park(['one@unknown.test', 'two@unknown.test', 'three@unknown.test']), id)
  t.strictSame(lab.held(), [id])
  t.strictSame(lab.states(), ['one@unknown.test held', 'three@unknown.test held', 'two@unknown.test held'])
  const envelope = JSON.parse(readFileSync(join(lab.state, `hold/${id}/envelope.json`), 'utf8'))
  t.strictSame(
    envelope.recipients.map(({ address }: { address: string }) => address),
    ['one@unknown.test', 'three@unknown.test', 'two@unknown.test'],
  )
  t.strictSame(lab.temporaries(), [])
})

t.test('two runs of the same message at once share one hold', async (t) => {
  const lab = makeLab(t)
  const runs = ['one', 'two', 'three', 'four'].map((name) => lab.park([`${name}@unknown.test`]))
  const ids = new Set(await Promise.all(runs))
  t.strictSame(lab.held(), [...ids])
  t.equal(ids.size, 1)
  t.equal(lab.states().length, 4)
  const envelope = JSON.parse(readFileSync(join(lab.state, `hold/${[...ids][0]}/envelope.json`), 'utf8'))
  t.equal(envelope.recipients.length, 4, 'the envelope on disk names them all')
  t.strictSame(lab.temporaries(), [])
})

t.test('another queue id, sender or content is another message', async (t) => {
  const lab = makeLab(t)
  const ids = [
    await lab.park([UNKNOWN]),
    await lab.park([UNKNOWN], { queueId: 'OTHER1' }),
    await lab.park([UNKNOWN], { sender: 'otto@corp.test' }),
    await lab.park([UNKNOWN], { input: `${MESSAGE}more\n` }),
  ]
  t.equal(new Set(ids).size, 4)
  t.strictSame(lab.held().sort(), ids.sort())
})

t.test('a mixed message retried after it was settled sends nothing again', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  assertSettled(t, await lab.filter({ recipients: [KNOWN, UNKNOWN] }), /passed 1 as SINK00000001, held 1 in/)
  assertSettled(t, await lab.filter({ recipients: [KNOWN, UNKNOWN] }), /^toeh: settled before 2 in/)
  t.strictSame(
    sink.mails.map(({ recipients }) => recipients),
    [[KNOWN]],
  )
  t.strictSame(lab.states(), [`${KNOWN} passed`, `${UNKNOWN} held`])
})

t.test('parked, then 10026 was down: the retry sends one copy and parks nothing again', async (t) => {
  const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${await closedPort()}"`)
  await lab.allow('known.test')
  const recipients = [KNOWN, UNKNOWN]
  for (let attempt = 0; attempt < 2; attempt++) {
    assertDeferred(t, await lab.filter({ recipients }), 'ECONNREFUSED')
    t.strictSame(lab.states(), [`${UNKNOWN} held`], 'parked first')
    t.equal(lab.held().length, 1)
  }
  const sink = await makeSink(t)
  lab.configure(sink.setting + QUIET)
  assertSettled(t, await lab.filter({ recipients }), /^toeh: passed 1 as SINK00000001, settled before 1 in/)
  assertSettled(t, await lab.filter({ recipients }), /^toeh: settled before 2 in/)
  t.equal(sink.mails.length, 1)
  t.equal(unwire(sink.mails[0]?.bytes ?? Buffer.of()).toString(), MESSAGE)
  t.strictSame(lab.temporaries(), [])
})

t.test('killed between parking and the answer: the retry sends one copy', async (t) => {
  const talker = await Talker.start(t, { DATA: 'SILENCE' })
  const lab = makeLab(t, talker.setting)
  await lab.allow('known.test')
  const recipients = [KNOWN, UNKNOWN]
  // Node itself: below a shell that is killed it would live on to its deadline.
  const child = lab.startFilter({ recipients, bare: true })
  const ended = outcomeOf(child)
  child.stdin?.end(MESSAGE)
  await talker.until('DATA')
  child.kill('SIGKILL')
  t.equal((await ended).signal, 'SIGKILL')
  t.strictSame(lab.states(), [`${UNKNOWN} held`])
  const sink = await makeSink(t)
  lab.configure(sink.setting + QUIET)
  assertSettled(t, await lab.filter({ recipients }), /^toeh: passed 1 as SINK00000001, settled before 1 in/)
  t.strictSame(
    sink.mails.map((mail) => mail.recipients),
    [[KNOWN]],
  )
  t.equal(lab.held().length, 1)
})

t.test('a refused recipient is not tried again by a retry', async (t) => {
  const sink = await makeSink(t, (to) => (to.startsWith('gone') ? '550 5.1.1 no such user' : undefined))
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  const recipients = [KNOWN, 'gone@known.test']
  assertSettled(t, await lab.filter({ recipients }), /passed 1 .*refused 1 in/)
  assertSettled(t, await lab.filter({ recipients }), /^toeh: settled before 2 in/)
  t.equal(sink.mails.length, 1)
})

t.test('refused by RCPT, then the message is deferred: the retry neither loses nor doubles', async (t) => {
  const sink = await makeSink(t, (to) => {
    if (to.startsWith('gone')) return '550 5.1.1 no such user'
    return to.startsWith('slow') ? '450 4.2.0 later' : undefined
  })
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  const recipients = [KNOWN, 'gone@known.test', 'slow@known.test']
  assertDeferred(t, await lab.filter({ recipients }), '450')
  t.equal(sink.mails.length, 0)
  t.strictSame(lab.states(), [], 'a transaction that failed settles nobody')
  const willing = await makeSink(t)
  lab.configure(willing.setting + QUIET)
  assertSettled(t, await lab.filter({ recipients }), /^toeh: passed 3 as/)
  t.strictSame(
    willing.mails.map((mail) => mail.recipients),
    [recipients],
  )
})
