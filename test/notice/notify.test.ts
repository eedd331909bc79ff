/** Notify: who is told of held mail, how often, and what happens when the notice does not go out. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import t, { type Test } from 'tap'
import { type Config, loadConfig } from '../../lib/config.js'
import type { HoldFolder } from '../../lib/hold/folder.js'
import type { Hold } from '../../lib/hold/hold.js'
import {
  bySender,
  notifyHeld,
  sendNotice,
  tell,
  tellableSender,
  tellOfAutomatic,
} from '../../lib/notice/notify.js'
import { failureOf } from '../support/failing.js'
import { CLIENT, park, refused, unknown } from '../support/held.js'
import { assertSettled, type Lab, makeLab } from '../support/lab.js'
import { makeSink, type Sink, unwire } from '../support/sink.js'

const HOUR = 3_600_000

interface Office {
  lab: Lab
  sink: Sink
  hold: Hold
  post: { config: Config; folder: HoldFolder }
}

/** An installation whose notices arrive in a sink. */
async function makeOffice(
  t: Test,
  approvers: string[] = [],
  answer?: (recipient: string) => string | undefined,
): Promise<Office> {
  const sink = await makeSink(t, answer)
  const settings = `${sink.setting}\napprovers = ${JSON.stringify(approvers)}\n`
  const lab = makeLab(t, settings, '[notice]\ninterval_minutes = 60\n')
  const { db, hold, folder } = lab.stores()
  t.teardown(() => db.close())
  return { lab, sink, hold, post: { config: loadConfig(lab.config), folder } }
}

/** The mails that went out: `sender > recipients: subject`. */
function sent(sink: Sink): string[] {
  return sink.mails.map(({ sender, recipients, bytes }) => {
    const subject = /^Subject: (.*)$/m.exec(unwire(bytes).toString())?.[1]
    return `<${sender}> ${recipients.join(' ')}: ${subject}`
  })
}

t.test('the approvers and the sender are told, with the null sender', async (t) => {
  const { lab, sink, hold, post } = await makeOffice(t, ['boss@corp.test', 'deputy@other.test'])
  const id = await park(hold, post.folder, [unknown('x@new.test'), refused('y@known.test')])
  await notifyHeld(post, hold, id, HOUR)
  t.strictSame(sent(sink), [
    '<> boss@corp.test deputy@other.test: To approve: mail from anna@corp.test: Invoice',
    '<> anna@corp.test: Waiting for approval: Invoice',
  ])
  for (const { bytes, xforward } of sink.mails) {
    const text = unwire(bytes).toString()
    t.match(text, /^From: TOEH <toeh@corp\.test>$/m)
    t.match(text, /^Auto-Submitted: auto-generated$/m)
    t.match(text, /^In-Reply-To: <one@corp\.test>$/m)
    t.match(text, `Hold:        ${id}`)
    t.match(text, 'Attachments: none')
    t.match(text, /^Content-Type: text\/html; charset=utf-8$/m)
    t.match(text, 'x@new.test')
    t.match(text, 'y@known.test')
    t.strictSame(xforward, {}, 'it is our own mail')
  }
  t.equal(hold.find(id).notifiedAt, HOUR)
  t.strictSame(hold.unnotified(), [])
  t.strictSame(lab.temporaries(), [], 'the spooled notices are gone')
})

t.test('a run that tells many asks Postfix as often as one that tells one', async (t) => {
  const { lab, hold, post } = await makeOffice(t, ['boss@corp.test'])
  const asked = join(lab.dir, 'asked')
  const stub = join(lab.dir, 'postconf')
  writeFileSync(stub, `#!/bin/sh\necho "$*" >>${asked}\nexec /usr/sbin/postconf "$@"\n`, { mode: 0o755 })
  const { PATH = '' } = process.env
  process.env.PATH = `${lab.dir}:${PATH}`
  t.teardown(() => {
    process.env.PATH = PATH
  })
  const count = (): number => readFileSync(asked, 'utf8').trim().split('\n').length
  const tellNext = async (queueId: string): Promise<void> => {
    const id = await park(hold, post.folder, [unknown('x@new.test')], { queueId })
    await tell(post, hold, [hold.find(id)], HOUR)
  }
  await tellNext('ONCE0001')
  const once = count()
  t.ok(once > 0, 'it is asked at all')
  await tellNext('ONCE0002')
  await tellNext('ONCE0003')
  t.equal(count(), once)
})

t.test('a sender outside, or none, hears nothing', async (t) => {
  for (const sender of [
    'anna@evil.test',
    '',
    'anna@sub.corp.test',
    'anna%evil.test@corp.test',
    'corp.test',
    'list-bounces+x=new.test@corp.test',
    'owner-list@corp.test',
    'prvs=0123456789=anna@corp.test',
  ]) {
    const { sink, hold, post } = await makeOffice(t)
    t.equal(tellableSender(post.config, sender), undefined)
    const id = await park(hold, post.folder, [unknown('x@new.test')], { sender })
    await notifyHeld(post, hold, id, HOUR)
    t.strictSame(sent(sink), [], JSON.stringify(sender))
    t.equal(hold.find(id).notifiedAt, HOUR, 'and there is nobody else to tell')
  }
  const { post } = await makeOffice(t)
  t.equal(tellableSender(post.config, 'Anna@CORP.test'), 'Anna@CORP.test')
  t.equal(tellableSender(post.config, 'root@localhost'), undefined)
  const internal = new Set(['corp.test', 'localhost'])
  t.equal(tellableSender({ ...post.config, internal }, 'root@localhost'), 'root@localhost')
})

t.test('approvers are told of mail from outside all the same', async (t) => {
  const { sink, hold, post } = await makeOffice(t, ['boss@corp.test'])
  const id = await park(hold, post.folder, [unknown('x@new.test')], { sender: 'anna@evil.test' })
  await notifyHeld(post, hold, id, HOUR)
  t.strictSame(sent(sink), ['<> boss@corp.test: To approve: mail from anna@evil.test: Invoice'])
})

t.test('nobody is asked about mail of his own while another can be', async (t) => {
  const cases: [approvers: string[], sender: string, saslUser: string, asked: string][] = [
    [['boss@corp.test', 'deputy@other.test'], 'Boss@corp.test', '', 'deputy@other.test'],
    [['boss@corp.test', 'deputy@other.test'], 'info@corp.test', 'boss@corp.test', 'deputy@other.test'],
    [['boss@corp.test', 'deputy@other.test'], 'info@corp.test', 'CORP\\Boss', 'deputy@other.test'],
    [['boss@corp.test', 'deputy@other.test'], 'deputy@other.test', 'anna', 'boss@corp.test'],
    [
      ['boss@corp.test', 'deputy@other.test'],
      'info@corp.test',
      'A. Smith',
      'boss@corp.test deputy@other.test',
    ],
    [['boss@corp.test', 'deputy@other.test'], '', '', 'boss@corp.test deputy@other.test'],
    [['boss@corp.test'], 'boss@corp.test', '', 'boss@corp.test'],
  ]
  for (const [approvers, sender, saslUser, asked] of cases) {
    const { sink, hold, post } = await makeOffice(t, approvers)
    const id = await park(hold, post.folder, [unknown('x@new.test')], {
      sender,
      client: { ...CLIENT, saslUser },
    })
    await notifyHeld(post, hold, id, HOUR)
    const [first] = sink.mails
    t.equal(first?.recipients.join(' '), asked, `${sender} ${saslUser}`)
    t.match(unwire(first?.bytes ?? Buffer.alloc(0)).toString(), /^Subject: To approve: /m)
  }
})

t.test('an unknown recipient is set beside what it could be taken for', async (t) => {
  const { lab, sink, hold, post } = await makeOffice(t, ['boss@corp.test'])
  await lab.allow('supplier.test')
  const id = await park(hold, post.folder, [unknown('x@suppl1er.test')])
  await notifyHeld(post, hold, id, HOUR)
  t.equal(sink.mails.length, 2)
  for (const { bytes } of sink.mails) {
    const text = unwire(bytes).toString().replace(/=\n/g, '')
    t.match(text, 'looks like: supplier.test (looks the same)')
    t.match(
      text,
      'known: supplier.test (no message counted, allowed by test on 1970-01-01, test); this one: suppl1er.test, never',
    )
  }
})

t.test('a notice is of those who still wait', async (t) => {
  const { sink, hold, post } = await makeOffice(t)
  const id = await park(hold, post.folder, [unknown('x@new.test'), unknown('done@new.test')])
  hold.recordPassed(id, ['friend@known.test'], 'Q1', 2)
  hold.settle(id, ['done@new.test'], 'rejected', { who: 'marie', at: 2 })
  await notifyHeld(post, hold, id, HOUR)
  const text = unwire(sink.mails[0]?.bytes ?? Buffer.alloc(0)).toString()
  t.match(text, 'x@new.test')
  t.notMatch(text, 'done@new.test')
  t.notMatch(text, 'friend@known.test')
})

t.test('the filter tells once an interval for each sender; the rest waits for the digest', async (t) => {
  const { lab, sink, hold } = await makeOffice(t)
  const write = async (queueId: string, sender = 'anna@corp.test'): Promise<void> =>
    assertSettled(t, await lab.filter({ recipients: ['x@new.test'], queueId, sender }), 'held 1')
  await write('ONE1')
  await write('TWO2')
  t.strictSame(sent(sink), ['<> anna@corp.test: Waiting for approval: Invoice'])
  await write('BOB1', 'bob@corp.test')
  t.equal(sink.mails.length, 2, 'another sender has an interval of his own')
  const age = (by: number): void =>
    lab.change(`UPDATE notice SET sent_at = sent_at - ? WHERE sender = 'anna@corp.test'`, by)
  age(HOUR - 60_000)
  await write('THREE3')
  t.equal(sink.mails.length, 2, 'a minute is left of it')
  age(60_000)
  await write('FOUR4')
  t.equal(sink.mails.length, 3)
  t.strictSame(
    hold
      .unnotified()
      .map(({ queueId }) => queueId)
      .sort(),
    ['THREE3', 'TWO2'],
  )
})

t.test('what is one sender to the limit', async (t) => {
  const { lab, sink, hold, post } = await makeOffice(t, ['boss@corp.test'])
  let number = 0
  const write = async (sender: string): Promise<string[]> => {
    const before = sink.mails.length
    const call = { recipients: ['x@new.test'], queueId: `LIMIT${number++}`, sender }
    assertSettled(t, await lab.filter(call), 'held 1')
    return sink.mails.slice(before).flatMap(({ recipients }) => recipients)
  }
  t.strictSame(await write('anna@corp.test'), ['boss@corp.test', 'anna@corp.test'])
  for (const same of ['anna+x@corp.test', 'anna+y@corp.test', 'ANNA@Corp.test', 'Anna+X@corp.test'])
    t.strictSame(await write(same), [], same)
  t.strictSame(await write('anna.smith@corp.test'), ['boss@corp.test', 'anna.smith@corp.test'])
  for (const each of ['x=new.test', 'y=new.test', 'z=other.test', '4711'])
    t.strictSame(await write(`list-bounces+${each}@corp.test`), [], `${each}: no bounce to a list`)
  t.strictSame(await write('x@outside.test'), ['boss@corp.test'])
  t.strictSame(await write(''), [], 'a report')
  for (const foreign of ['y@outside.test', 'z@elsewhere.test', 'a%b@corp.test'])
    t.strictSame(await write(foreign), [], foreign)
  const waiting = hold.unnotified()
  const [automatic, others] = ['automatic', ''].map((kind) =>
    waiting.filter((message) => (message.automatic === '') === (kind === '')),
  )
  t.strictSame([automatic?.length, others?.length], [5, 7])
  sink.mails.length = 0
  for (const messages of bySender(post.config, others ?? [])) await tell(post, hold, messages, HOUR)
  await tellOfAutomatic(post, hold, automatic ?? [], HOUR)
  t.strictSame(sent(sink).sort(), [
    '<> ANNA@Corp.test: Waiting for approval: Invoice',
    '<> Anna+X@corp.test: Waiting for approval: Invoice',
    '<> anna+x@corp.test: Waiting for approval: Invoice',
    '<> anna+y@corp.test: Waiting for approval: Invoice',
    '<> boss@corp.test: Automatic mail: 5 messages wait',
    '<> boss@corp.test: To approve: 3 messages',
    '<> boss@corp.test: To approve: 4 messages',
  ])
  t.strictSame(hold.unnotified(), [])
})

t.test('several messages of one sender make one mail', async (t) => {
  const { sink, hold, post } = await makeOffice(t, ['boss@corp.test'])
  for (const queueId of ['ONE1', 'TWO2']) {
    await park(hold, post.folder, [unknown('x@new.test')], { queueId })
  }
  await tell(post, hold, hold.unnotified(), HOUR)
  t.strictSame(sent(sink), [
    '<> boss@corp.test: To approve: 2 messages',
    '<> anna@corp.test: 2 of your messages wait for approval',
  ])
  t.strictSame(hold.unnotified(), [])
  await tell(post, hold, [], HOUR)
  t.equal(sink.mails.length, 2, 'and none make none')
})

t.test('a notice that does not go out leaves the message to the digest', async (t) => {
  t.test('the server refuses or defers somebody', async (t) => {
    for (const reply of ['550 5.1.1 no such user', '450 4.2.0 later']) {
      const { lab, sink, hold, post } = await makeOffice(t, [], () => reply)
      const id = await park(hold, post.folder, [unknown('x@new.test')])
      const failure = await failureOf(() => notifyHeld(post, hold, id, HOUR))
      t.match(failure.message, reply)
      t.strictSame(sent(sink), [])
      t.strictSame(
        hold.unnotified().map((message) => message.id),
        [id],
      )
      t.equal(hold.find(id).notifiedAt, null)
      t.strictSame(lab.temporaries(), [])
    }
  })

  t.test('the approvers were told and the sender was not', async (t) => {
    const answer = (to: string): string | undefined =>
      to === 'anna@corp.test' ? '450 4.2.0 later' : undefined
    const { sink, hold, post } = await makeOffice(t, ['boss@corp.test'], answer)
    const id = await park(hold, post.folder, [unknown('x@new.test')])
    await failureOf(() => notifyHeld(post, hold, id, HOUR))
    t.equal(sink.mails.length, 1)
    t.equal(hold.unnotified().length, 1, 'so the digest tells both again')
  })

  t.test('nobody listens', async (t) => {
    const { sink, hold, post } = await makeOffice(t)
    const id = await park(hold, post.folder, [unknown('x@new.test')])
    await sink.stop()
    const failure = await failureOf(() => notifyHeld(post, hold, id, HOUR))
    t.match(failure.message, 'ECONNREFUSED')
    t.equal(hold.unnotified().length, 1)
  })
})

t.test('every notice is in the language of the configuration', async (t) => {
  for (const [language, subjects] of [
    [
      'fr',
      [
        'À approuver : message de anna@corp.test : Invoice',
        'En attente d’approbation : Invoice',
        'Non envoyé : Invoice',
      ],
    ],
    [
      'en',
      ['To approve: mail from anna@corp.test: Invoice', 'Waiting for approval: Invoice', 'Not sent: Invoice'],
    ],
  ] as const) {
    const { lab, sink, hold, post } = await makeOffice(t, ['boss@corp.test'])
    lab.configure(`${sink.setting}\napprovers = ["boss@corp.test"]\nlanguage = "${language}"\n`)
    const told = { ...post, config: loadConfig(lab.config) }
    const id = await park(hold, post.folder, [unknown('x@new.test')])
    await notifyHeld(told, hold, id, HOUR)
    for (const kind of ['rejected', 'expired'] as const)
      await sendNotice(told, kind, ['anna@corp.test'], [hold.find(id)])
    const [asked, waits, no] = subjects
    const shown = await Promise.all(sink.mails.map(({ bytes }) => simpleParser(unwire(bytes))))
    t.strictSame(
      shown.map(({ subject }) => subject),
      [asked, waits, no, no],
      language,
    )
    for (const { text } of shown)
      t.equal(/destinataires?/i.test(text ?? ''), language === 'fr', `${language}: ${text}`)
  }
})

t.test('the end of a hold is told too, with nothing to approve any more', async (t) => {
  const { sink, hold, post } = await makeOffice(t, ['boss@corp.test'])
  const id = await park(hold, post.folder, [unknown('x@new.test')])
  await sendNotice(post, 'rejected', ['anna@corp.test'], [hold.find(id)])
  await sendNotice(post, 'expired', ['anna@corp.test'], [hold.find(id)])
  t.strictSame(sent(sink), ['<> anna@corp.test: Not sent: Invoice', '<> anna@corp.test: Not sent: Invoice'])
})
