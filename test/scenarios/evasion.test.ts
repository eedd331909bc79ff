/** Blocks for somebody, under every name that a real Postfix lets him have; and a way back that cannot name everybody. */
import t from 'tap'
import { Conversation, cannotRun, Postfix } from '../support/postfix.js'

const skip = cannotRun()

t.test(
  'a block for somebody, without a sender, by an extension, by another address of his',
  { skip },
  async (t) => {
    // XCLIENT gives a connection the login that SASL would.
    const main = ['smtpd_authorized_xclient_hosts=127.0.0.0/8', 'recipient_delimiter=+']
    const postfix = await Postfix.start(t, { main })
    await postfix.lab.allow('evil.test', 'bank.test')
    await postfix.toeh('block', 'evil.test', '--for', 'anna@corp.test')
    const send = async (sender: string, login: string, recipient: string): Promise<string> => {
      const conversation = await Conversation.open(postfix.submission)
      try {
        await conversation.say('EHLO pc.corp.test\r\n')
        if (login !== '') {
          await conversation.say(`XCLIENT LOGIN=${login}\r\n`)
          await conversation.say('EHLO pc.corp.test\r\n')
        }
        return await conversation.send(sender, [recipient], 'Subject: x\n\nx\n')
      } finally {
        conversation.close()
      }
    }
    const cases: [sender: string, login: string, recipient: string, reason: string][] = [
      ['anna@corp.test', '', 'x@evil.test', 'blocked'],
      ['anna+list@corp.test', 'anna', 'x@evil.test', 'blocked'],
      ['', 'anna', 'x@evil.test', 'blocked'],
      ['', '', 'x@evil.test', 'blocked'],
      ['info@corp.test', 'anna', 'x@evil.test', 'blocked'],
      ['info@corp.test', 'Anna+x@corp.test', 'x@evil.test', 'blocked'],
      ['info@corp.test', 'otto', 'x@evil.test', 'allowed'],
      ['anna+list@corp.test', 'anna', 'x@bank.test', 'allowed'],
      ['', 'anna', 'x@bank.test', 'allowed'],
    ]
    for (const [sender, login, recipient, reason] of cases) {
      postfix.sink.mails.length = 0
      const queueId = await send(sender, login, recipient)
      const arrived = (await postfix.settled()).flatMap(({ recipients }) => recipients)
      t.strictSame(arrived, reason === 'allowed' ? [recipient] : [], `${sender} ${login} ${recipient}`)
      const decision = postfix.decisions().find((one) => one.queueId === queueId)
      t.match(decision, { saslUser: login, recipients: [{ to: recipient, reason }] })
    }
  },
)

t.test('observe, and a way back without SMTPUTF8', { skip }, async (t) => {
  const postfix = await Postfix.start(t, { settings: 'mode = "observe"\n' })
  postfix.editMaster((text) =>
    text.replace(/-o syslog_name=postfix\/toeh-reinject\n/, (line) => `${line}  -o smtputf8_enable=no\n`),
  )
  const utf8 = 'j\u{fc}rgen@new.test'
  const mail = ' SMTPUTF8'
  const queueId = await postfix.submit('anna@corp.test', ['x@new.test', utf8], 'Subject: x\n\nx\n', { mail })
  const arrived = (await postfix.settled()).flatMap(({ recipients }) => recipients)
  t.strictSame(arrived, ['x@new.test'], 'the one who can be named')
  t.strictSame(postfix.lab.states(), [`${utf8} refused`, 'x@new.test passed'])
  t.match(postfix.lab.query("SELECT detail FROM recipient WHERE state = 'refused'"), [
    { detail: '553 5.6.7 the server does not offer SMTPUTF8' },
  ])
  t.match(
    postfix.log(),
    new RegExp(`${queueId}: to=<x@new\\.test>.*status=sent .*toeh observes: passed 1 as \\w+, refused 1 in`),
  )
  t.notMatch(postfix.log(), /status=deferred/)

  postfix.sink.mails.length = 0
  await postfix.submit(utf8, ['x@new.test'], 'Subject: y\n\ny\n', { mail })
  t.strictSame(await postfix.settled(), [], 'nor is a sender who cannot be named waited for')
  t.equal(postfix.lab.query("SELECT 1 FROM recipient WHERE state = 'refused'").length, 2)
})
