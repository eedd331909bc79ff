/** toeh cleanup: expires what has waited too long, tells first, deletes after; twice and two at once do no harm. */
import { mkdirSync, readdirSync, rmdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { assertDone, assertFailed, assertRefused, assertSettled, makeLab } from '../support/lab.js'
import { makeSink } from '../support/sink.js'
import { closedPort } from '../support/talker.js'

const EVE = 'eve@unknown.test'
const AGE = 'UPDATE hold SET expires_at = 1'

t.test('expires what is due, after telling its sender', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const due = await lab.park([EVE, 'mal@unknown.test'], { queueId: 'DUE0001' })
  const waits = await lab.park([EVE], { queueId: 'WAITS01' })
  lab.change(`${AGE} WHERE id = ?`, due)
  assertDone(t, await lab.toeh('cleanup'), `${due} expired for ${EVE}\n${due} expired for mal@unknown.test\n`)
  t.strictSame(lab.held(), [waits])
  t.strictSame(lab.temporaries(), [])
  t.strictSame(
    sink.mails.map(({ sender, recipients }) => [sender, ...recipients]),
    [['', 'anna@corp.test']],
  )
  t.match(sink.mails[0]?.bytes.toString(), /^Subject: Not sent: Invoice\r$/m)
  t.strictSame(lab.query(`SELECT who, what FROM audit ORDER BY id`), [
    { who: 'cleanup', what: 'expired' },
    { who: 'cleanup', what: 'expired' },
  ])
  const rows = (): unknown[] =>
    ['hold', 'recipient', 'audit', 'notice'].map((table) => lab.query(`SELECT * FROM ${table}`))
  const before = rows()
  t.strictSame(
    await lab.toeh('cleanup'),
    { code: 0, signal: null, stdout: '', stderr: '' },
    'silent when done',
  )
  t.strictSame(rows(), before)
  t.equal(sink.mails.length, 1)
})

t.test('when the sender cannot be told nothing is deleted, and the next run does it', async (t) => {
  const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${await closedPort()}"`)
  const id = await lab.park([EVE])
  lab.change(AGE)
  assertFailed(t, await lab.toeh('cleanup'), new RegExp(`^${id} NOT expired, it stays: .*ECONNREFUSED`))
  t.strictSame(lab.states(), [`${EVE} held`])
  t.strictSame(lab.held(), [id])
  t.strictSame(lab.temporaries(), [])
  const refusing = await makeSink(t, () => '550 5.1.1 no such user')
  lab.configure(refusing.setting)
  assertFailed(t, await lab.toeh('cleanup'), new RegExp(`^${id} NOT expired, it stays: .*no such user`))
  t.strictSame(lab.held(), [id])
  const sink = await makeSink(t)
  lab.configure(sink.setting)
  assertDone(t, await lab.toeh('cleanup'), `${id} expired for ${EVE}\n`)
  t.equal(sink.mails.length, 1)
  t.strictSame(lab.held(), [])
})

t.test("a stranger's mail: the approvers are told, once, and never the stranger", async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, `approvers = ["boss@corp.test", "cfo@corp.test"]\n${sink.setting}`)
  for (const sender of ['mallory@evil.test', '']) await lab.park([EVE], { sender })
  lab.change(AGE)
  assertDone(t, await lab.toeh('cleanup'), /expired.*\n.*expired/)
  t.strictSame(
    sink.mails.map(({ recipients }) => recipients),
    [['boss@corp.test', 'cfo@corp.test']],
  )
  const mail = sink.mails[0]?.bytes.toString()
  t.match(mail, /^Subject: Not sent: 2 messages\r$/m)
  t.match(mail, 'Messages were not sent to the recipients below')
  t.match(mail, 'mallory@evil.test')
  t.strictSame(lab.held(), [])
})

t.test('a newsletter: no mail to where bounces are counted, and one to the approvers', async (t) => {
  const sink = await makeSink(t, (to) => (to.startsWith('list-') ? '550 5.7.1 bounces only' : undefined))
  const lab = makeLab(t, `approvers = ["boss@corp.test"]\n${sink.setting}`)
  for (const reader of ['a', 'b', 'c'])
    await lab.park([`${reader}@unknown.test`], { sender: `list-bounces+${reader}=unknown.test@corp.test` })
  await lab.park([EVE], { queueId: 'ANNA0001' })
  await lab.park([EVE], { queueId: 'ANNA0002', sender: 'anna+x@corp.test' })
  lab.change(AGE)
  assertDone(t, await lab.toeh('cleanup'), /(?:expired.*\n.*){5}/)
  t.strictSame(sink.mails.map(({ recipients }) => recipients.join()).sort(), [
    'anna+x@corp.test',
    'anna@corp.test',
    'boss@corp.test',
  ])
  t.match(sink.mails[2]?.bytes.toString(), /^Subject: Not sent: 3 messages\r$/m)
  t.strictSame(lab.held(), [])
})

t.test('where the approvers cannot be told of several, none of them goes', async (t) => {
  const sink = await makeSink(t, () => '450 4.2.0 later')
  const lab = makeLab(t, `approvers = ["boss@corp.test"]\n${sink.setting}`)
  for (const sender of ['mallory@evil.test', '']) await lab.park([EVE], { sender })
  lab.change(AGE)
  assertFailed(t, await lab.toeh('cleanup'), /(?:NOT expired, it stays: .*450 4\.2\.0 later\n?.*){2}/)
  t.equal(lab.held().length, 2)
  t.strictSame(
    lab.query('SELECT 1 FROM hold WHERE closing_at IS NOT NULL'),
    [],
    'and the next run tries again',
  )
})

t.test('two at once: one notice, and both succeed', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.park([EVE])
  lab.change(AGE)
  const outcomes = await Promise.all([lab.toeh('cleanup'), lab.toeh('cleanup'), lab.toeh('cleanup')])
  t.strictSame(
    outcomes.map(({ code, stderr }) => `${code}${stderr}`),
    ['0', '0', '0'],
  )
  t.equal(sink.mails.length, 1)
  t.strictSame(lab.states(), [`${EVE} expired`])
  t.strictSame(lab.held(), [])
})

t.test('what is being released is left alone', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const id = await lab.park([EVE, 'mal@unknown.test'])
  lab.change(`UPDATE recipient SET state = 'releasing' WHERE address = ?`, EVE)
  lab.change(AGE)
  assertDone(t, await lab.toeh('cleanup'), `${id} expired for mal@unknown.test\n`)
  t.strictSame(lab.states(), [`${EVE} releasing`, 'mal@unknown.test expired'])
  t.strictSame(lab.held(), [id], 'its bytes stay')
  const notice = sink.mails[0]?.bytes.toString() ?? ''
  t.match(notice, 'mal@unknown.test')
  t.notMatch(notice, EVE, 'who is being released is not said to have expired')
  t.equal(sink.mails.length, 1)
})

t.test('who was settled before is not told of again', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const settled = ['released', 'rejected', 'expired', 'passed'].map((state) => `${state}@unknown.test`)
  const id = await lab.park([EVE, 'mal@unknown.test', ...settled])
  for (const address of settled)
    lab.change('UPDATE recipient SET state = ? WHERE address = ?', address.split('@')[0] ?? '', address)
  lab.change(`UPDATE recipient SET state = 'refused' WHERE address = ?`, EVE)
  lab.change(AGE)
  assertDone(t, await lab.toeh('cleanup'), `${id} expired for ${EVE}\n${id} expired for mal@unknown.test\n`)
  const notice = sink.mails[0]?.bytes.toString() ?? ''
  for (const address of [EVE, 'mal@unknown.test']) t.match(notice, address)
  for (const address of settled) t.notMatch(notice, address)
})

t.test('sweeps old temporaries and settled leftovers; names orphans and leaves them', async (t) => {
  const lab = makeLab(t)
  const settled = await lab.park([EVE], { queueId: 'SETTLED1' })
  lab.change(`UPDATE recipient SET state = 'released'`)
  const folder = (path: string, hoursOld: number): void => {
    const at = join(lab.state, path)
    mkdirSync(at)
    writeFileSync(join(at, 'message.eml'), 'x')
    utimesSync(at, Date.now() / 1000 - hoursOld * 3600, Date.now() / 1000 - hoursOld * 3600)
  }
  folder('hold/tmp/1-old', 25)
  folder('hold/tmp/2-young', 23)
  folder('hold/0123456789ab', 100)
  const outcome = await lab.toeh('cleanup')
  assertDone(t, outcome, 'removed 1 settled messages that a cut-off run had left\nswept 1 old temporaries\n')
  t.match(outcome.stdout, '0123456789ab: a folder without rows; left as it is')
  t.strictSame(lab.temporaries(), ['2-young'])
  t.strictSame(lab.held(), ['0123456789ab'])
  t.not(settled, '0123456789ab')
  const { stdout } = await lab.toeh('cleanup', '--json')
  t.strictSame(JSON.parse(stdout), {
    expired: [],
    released: [],
    swept: 0,
    removed: 0,
    mended: 0,
    recounted: [],
    orphans: ['0123456789ab'],
    pruned: { days: 0, deeds: 0, messages: 0, rules: 0 },
    trusted: true,
  })
})

t.test('a folder without rows goes once its message was passed on to all of it', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const id = await lab.park([EVE, 'mallory@other.test'])
  lab.change('DELETE FROM recipient')
  lab.change('DELETE FROM hold')
  lab.change('DELETE FROM leaving')
  const again = async (...recipients: string[]): Promise<void> => {
    for (const address of recipients) await lab.allow(address)
    lab.change('DELETE FROM audit')
    assertSettled(t, await lab.filter({ recipients }), 'passed 1')
    lab.change(`DELETE FROM progress WHERE name = 'folders compared'`)
  }
  await again(EVE)
  const left = await lab.toeh('cleanup')
  t.match(left.stdout, `${id}: a folder without rows; left as it is`)
  t.strictSame(lab.held(), [id])
  await again('mallory@other.test')
  assertDone(t, await lab.toeh('cleanup'), 'removed 1 settled messages that a cut-off run had left\n')
  t.strictSame(lab.held(), [])
  t.equal(sink.mails.length, 2)
})

t.test('all folders and rows are compared once a day; what the rows tell is done each time', async (t) => {
  const lab = makeLab(t)
  const ids: string[] = []
  for (const queueId of ['LEFT0001', 'LEFT0002', 'STAYS003'])
    ids.push(await lab.park([EVE], { queueId, input: `Subject: ${queueId}\n\nx\n` }))
  const [left = '', other = '', stays = ''] = ids
  assertDone(t, await lab.toeh('cleanup'), /^$/)
  // The run that settled it was killed before it removed the bytes.
  lab.change(`UPDATE recipient SET state = 'rejected' WHERE hold = ?`, left)
  for (const id of ['0123456789ab', '0123456789cd']) mkdirSync(join(lab.state, 'hold', id))
  const answer = async () => JSON.parse((await lab.toeh('cleanup', '--json')).stdout)
  t.match(await answer(), { removed: 1, orphans: [], recounted: [] }, 'found without a look at all folders')
  t.strictSame(lab.held().sort(), ['0123456789ab', '0123456789cd', other, stays].sort())
  t.match(await answer(), { removed: 0 }, 'and forgotten')
  // What no row tells of: a folder that a power cut has brought back, and a count that was altered.
  lab.change(`UPDATE recipient SET state = 'rejected' WHERE hold = ?`, other)
  lab.change('DELETE FROM leaving')
  lab.change('UPDATE hold SET waiting = 0 WHERE id = ?', stays)
  assertDone(t, await lab.toeh('list'), 'nothing waits\n')
  t.match(await answer(), { removed: 0, orphans: [], recounted: [] })
  lab.change(`UPDATE progress SET value = json_set(value, '$.at', value ->> 'at' - 72000000)
              WHERE name = 'folders compared'`)
  const found = await answer()
  t.match(found, { removed: 1, recounted: [stays, 'load'] })
  t.strictSame(found.orphans.sort(), ['0123456789ab', '0123456789cd'])
  assertDone(t, await lab.toeh('list'), stays)
  rmdirSync(join(lab.state, 'hold/0123456789cd'))
  t.match(await answer(), { removed: 0, orphans: ['0123456789ab'], recounted: [] }, 'as long as it is there')
  lab.change('UPDATE load SET messages = 7')
  lab.change(`DELETE FROM progress WHERE name = 'folders compared'`)
  assertDone(t, await lab.toeh('cleanup'), 'counted anew what waits: 1 counts were wrong (load)\n')
})

t.test('keeps the decision log and the audit for as many days as configured', async (t) => {
  const lab = makeLab(t, 'decision_log_days = 30\naudit_days = 60\n')
  await lab.allow('known.test') // At the first millisecond of 1970.
  const day = (daysAgo: number): string =>
    new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10)
  const decision = { at: `${day(31)}T12:00:00.000Z`, queueId: 'A', recipients: [{ rule: 1, did: 'passed' }] }
  for (const ago of [31, 30, 29]) {
    writeFileSync(join(lab.state, `decisions/${day(ago)}.jsonl`), `${JSON.stringify(decision)}\n`)
  }
  writeFileSync(join(lab.state, 'decisions/notes.txt'), '')
  assertDone(t, await lab.toeh('allow', 'new.test'), 'allow')
  assertDone(
    t,
    await lab.toeh('cleanup'),
    `removed 1 days of the decision log, kept from ${day(30)} on\nremoved 1 rows of the audit older than 60 days\n`,
  )
  t.strictSame(readdirSync(join(lab.state, 'decisions')).sort(), [
    `${day(30)}.jsonl`,
    `${day(29)}.jsonl`,
    'notes.txt',
  ])
  t.strictSame(
    lab.query('SELECT period, messages FROM rule_use WHERE rule = 1'),
    [{ period: day(31), messages: 1 }],
    'what it says of the rules was taken over first',
  )
  assertDone(t, await lab.toeh('audit', 'verify'), 'whole: 1 rows')
  assertDone(t, await lab.toeh('cleanup'), /^$/)
})

t.test('removes what is kept of settled messages and ended rules, a line each', async (t) => {
  const lab = makeLab(t, '[retention]\nsettled_days = 90\naudit_days = 100\n')
  const old = await lab.park(['a@new.test'], { queueId: 'OLD00001' })
  const young = await lab.park(['b@new.test'], { queueId: 'YOUNG001' })
  const waiting = await lab.park(['c@new.test'], { queueId: 'WAITING1' })
  assertDone(t, await lab.toeh('cleanup'), /^$/)
  assertDone(t, await lab.toeh('reject', old, young, '--quiet'), 'rejected')
  await lab.allow('old.test', 'live.test')
  const daysAgo = (days: number): number => Date.now() - days * 86_400_000
  lab.change('UPDATE hold SET held_at = ?, expires_at = ?', daysAgo(200), Date.now() + 86_400_000)
  lab.change('UPDATE recipient SET changed_at = ? WHERE hold = ?', daysAgo(91), old)
  lab.change('UPDATE recipient SET changed_at = ? WHERE hold = ?', daysAgo(89), young)
  lab.change("UPDATE rule SET revoked_by = 'x', revoked_at = ? WHERE value = 'old.test'", daysAgo(101))
  lab.change("DELETE FROM audit WHERE what = 'allow'")
  const { stdout } = await lab.toeh('cleanup')
  t.equal(
    stdout,
    'removed what was kept of 1 messages settled more than 90 days ago\nremoved 1 rules that ended more than 100 days ago\n',
  )
  t.strictSame(
    lab
      .query<{ id: string }>('SELECT id FROM hold')
      .map(({ id }) => id)
      .sort(),
    [young, waiting].sort(),
  )
  t.strictSame(lab.query('SELECT value FROM rule'), [{ value: 'live.test' }])
  assertDone(t, await lab.toeh('cleanup'), /^$/)
})

t.test('wrong usage', async (t) => {
  assertRefused(t, await makeLab(t).toeh('cleanup', '--days', '3'), 2, /there is no option --days/)
})

t.test(
  'what has become known since is released first, also what would expire; nothing else is',
  async (t) => {
    const sink = await makeSink(t)
    const lab = makeLab(t, sink.setting)
    const due = await lab.park(['a@new.test', EVE], { queueId: 'DUE0001' })
    const foreign = await lab.park(['a@new.test'], { sender: 'mallory@evil.test', queueId: 'FOREIGN1' })
    const ended = await lab.park(['b@ended.test'], { queueId: 'ENDED001' })
    await lab.allow('new.test', 'ended.test')
    lab.change("UPDATE rule SET ends_at = 2 WHERE value = 'ended.test'")
    lab.change(`${AGE} WHERE id = ?`, due)
    const { stdout } = await lab.toeh('cleanup', '--json')
    const answer = JSON.parse(stdout)
    t.match(answer.released, [{ id: due, released: [{ recipients: ['a@new.test'] }], failed: [] }])
    t.match(answer.expired, [{ id: due, recipients: [EVE] }])
    t.equal(answer.released.length, 1)
    t.strictSame(
      sink.mails.map(({ sender, recipients }) => [sender, ...recipients]),
      [
        ['anna@corp.test', 'a@new.test'],
        ['', 'anna@corp.test'],
      ],
    )
    t.strictSame(lab.held().sort(), [foreign, ended].sort())
    t.match(lab.query("SELECT who, subject FROM audit WHERE what = 'released'"), [
      { who: 'cleanup', subject: `${due} a@new.test` },
    ])
  },
)

t.test('where it cannot be released now it stays, and the next run does it', async (t) => {
  const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${await closedPort()}"`)
  const id = await lab.park(['a@new.test'])
  await lab.allow('new.test')
  assertFailed(
    t,
    await lab.toeh('cleanup'),
    new RegExp(`^${id} NOT released to a@new\\.test: .*ECONNREFUSED`),
  )
  t.strictSame(lab.states(), ['a@new.test held'])
  const sink = await makeSink(t)
  lab.configure(sink.setting)
  assertDone(t, await lab.toeh('cleanup'), `${id} released to a@new.test as SINK00000001\n`)
})

t.test('a clock that is doubted releases nothing: a rule may have ended', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.toeh('cleanup')
  const id = await lab.park(['a@new.test'])
  await lab.allow('new.test')
  lab.change(
    `UPDATE progress SET value = json_set(value, '$.last.at', json_extract(value, '$.last.at') + 86400000 * 40)
     WHERE name = 'cleanup'`,
  )
  assertDone(t, await lab.toeh('cleanup'), /nothing is expired/)
  t.strictSame(lab.held(), [id])
  t.strictSame(sink.mails, [])
})
