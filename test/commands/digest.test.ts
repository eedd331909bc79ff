/** toeh digest: people are told, once, of what no notice has told them yet. */
import { simpleParser } from 'mailparser'
import t from 'tap'
import { assertDone, assertFailed, assertRefused, makeLab } from '../support/lab.js'
import { makeSink } from '../support/sink.js'
import { closedPort } from '../support/talker.js'

const EVE = 'eve@unknown.test'
const APPROVERS = 'approvers = ["boss@corp.test"]\n'

t.test('a notice that failed is sent later, once', async (t) => {
  const down = `${APPROVERS}reinject = "smtp:127.0.0.1:${await closedPort()}"`
  const lab = makeLab(t, down, '')
  const id = await lab.park([EVE])
  assertFailed(t, await lab.toeh('digest'), new RegExp(`^NOT told of ${id}: .*ECONNREFUSED`))
  const sink = await makeSink(t)
  lab.configure(APPROVERS + sink.setting)
  assertDone(t, await lab.toeh('digest'), `told of ${id}\n`)
  t.strictSame(
    sink.mails.map(({ sender, recipients }) => [sender, ...recipients]),
    [
      ['', 'boss@corp.test'],
      ['', 'anna@corp.test'],
    ],
  )
  t.match(sink.mails[0]?.bytes.toString(), new RegExp(`^Subject: To approve: .*[\\s\\S]*Hold: +${id}`, 'm'))
  t.match(sink.mails[1]?.bytes.toString(), /^Subject: Waiting for approval: Invoice\r$/m)
  t.strictSame(await lab.toeh('digest'), { code: 0, signal: null, stdout: '', stderr: '' })
  t.equal(sink.mails.length, 2)
  t.strictSame(lab.states(), [`${EVE} held`])
})

t.test('several messages of one sender make one mail, another sender another', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const ids = [await lab.park([EVE], { queueId: 'ONE0001' }), await lab.park([EVE], { queueId: 'TWO0001' })]
  const otto = await lab.park([EVE], { sender: 'otto@corp.test' })
  await lab.park([EVE], { sender: 'mallory@evil.test' })
  const { stdout } = await lab.toeh('digest', '--json')
  t.equal(JSON.parse(stdout).told.length, 4)
  t.strictSame(sink.mails.map(({ recipients }) => recipients[0]).sort(), ['anna@corp.test', 'otto@corp.test'])
  const [toAnna, toOtto] = sink.mails.sort((a, b) =>
    (a.recipients[0] ?? '').localeCompare(b.recipients[0] ?? ''),
  )
  for (const id of ids) t.match(toAnna?.bytes.toString(), id)
  t.match(toOtto?.bytes.toString(), otto)
})

t.test('the filter has told already; further mail within the interval waits for the digest', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting, '')
  await lab.park([EVE], { queueId: 'FIRST01' })
  t.equal(sink.mails.length, 1)
  const second = await lab.park([EVE], { queueId: 'SECOND1' })
  t.equal(sink.mails.length, 1, 'one notice an interval')
  assertDone(t, await lab.toeh('digest'), `told of ${second}\n`)
  t.equal(sink.mails.length, 2)
  t.strictSame((await lab.toeh('digest')).stdout, '')
})

t.test(
  'of automatic mail the approvers have a line a message in one mail, once, and its senders nothing',
  async (t) => {
    const sink = await makeSink(t)
    const lab = makeLab(t, `${APPROVERS}${sink.setting}`, '[notice]\nenabled = true\n')
    const vacation = 'Subject: Out of office\nAuto-Submitted: auto-replied\n\nAway\n'
    const one = await lab.park([EVE], { queueId: 'AUTO001', sender: '', input: vacation })
    const two = await lab.park([EVE, 'x@new.test'], { queueId: 'AUTO002', input: vacation })
    t.equal(sink.mails.length, 0, 'nobody hears of it at once')
    const person = await lab.park([EVE], { queueId: 'PERSON1' })
    t.equal(sink.mails.length, 2, 'nor does it count as a notice of that sender')
    assertDone(t, await lab.toeh('digest'), `told of ${one}, ${two}\n`)
    t.strictSame(
      sink.mails.slice(2).map(({ sender, recipients }) => [sender, ...recipients]),
      [['', 'boss@corp.test']],
    )
    const { subject, text = '' } = await simpleParser(sink.mails[2]?.bytes ?? '')
    t.equal(subject, 'Automatic mail: 2 messages wait')
    t.match(text, /^ {2}\(a report from a mail system\) → eve@unknown\.test: Out of office \(until .+\)$/m)
    t.match(text, /^ {2}anna@corp\.test → eve@unknown\.test and 1 more: Out of office \(until .+\)$/m)
    t.notMatch(text, person)
    t.strictSame((await lab.toeh('digest')).stdout, '')
    t.equal(sink.mails.length, 3)

    const listed = JSON.parse((await lab.toeh('list', '--automatic', '--json')).stdout)
    t.strictSame(
      listed.map(({ id, automatic }: { id: string; automatic: string }) => [id, automatic]),
      [
        [one, 'null sender'],
        [two, 'Auto-Submitted'],
      ],
    )
    assertDone(t, await lab.toeh('show', two), 'automatic: Auto-Submitted\n')
    assertDone(t, await lab.toeh('reject', two), 'rejected')
    t.equal(sink.mails.length, 3, 'no program is told of a decision either')
  },
)

t.test('what is settled meanwhile is not told of', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.toeh('reject', '--quiet', await lab.park([EVE]))
  t.strictSame(await lab.toeh('digest'), { code: 0, signal: null, stdout: '', stderr: '' })
  t.strictSame(sink.mails, [])
})

t.test('wrong usage', async (t) => {
  assertRefused(t, await makeLab(t).toeh('digest', 'x'), 2, /x is too much: it is toeh digest/)
})
