/** Senders in a real Postfix: machines of ours, forwards, and what our own server has rewritten; and what replay says of each. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Conversation, cannotAskSqlite, Postfix } from '../support/postfix.js'

// Sender, recipient, and the reason.
const CASES: [sender: string, recipient: string, reason: string][] = [
  ['anna@corp.test', 'x@known.test', 'allowed'],
  ['scanner@printer.test', 'x@known.test', 'allowed'],
  ['news+7@b.test', 'x@known.test', 'allowed'],
  ['old@b.test', 'x@known.test', 'foreign-sender'],
  ['shop@other.test', 'carl@corp.test', 'internal'],
  ['shop@other.test', 'x@known.test', 'foreign-sender'],
  ['shop@other.test', 'x@fwd.test', 'allowed'],
  ['anna@corp.test', 'x@fwd.test', 'unknown'],
  ['SRS0=HHH=TT=other.test=shop@corp.test', 'x@known.test', 'foreign-sender'],
  ['SRS0=HHH=TT=other.test=shop@corp.test', 'x@fwd.test', 'allowed'],
  ['SRS0=HHH=TT=corp.test=anna@corp.test', 'x@known.test', 'allowed'],
  ['SRS0=HHH=TT=corp.test=anna@corp.test', 'x@hers.test', 'blocked'],
  ['SRS0=opaque@corp.test', 'x@known.test', 'foreign-sender'],
  ['', 'x@known.test', 'allowed'],
]
const SETTINGS = 'sender_domains = ["printer.test"]\nsenders = ["News@b.test"]\n'

t.test('whose mail it is', { skip: cannotAskSqlite() }, async (t) => {
  for (const express of [false, true]) {
    const postfix = await Postfix.start(t, {
      settings: SETTINGS,
      main: ['recipient_delimiter=+', 'smtpd_authorized_xclient_hosts=127.0.0.0/8'],
      express,
    })
    // With the lane's file, which the rules have to be put into as well.
    for (const args of [
      ['allow', 'known.test', 'hers.test'],
      ['allow', 'x@fwd.test', '--for', 'foreign'],
      ['block', 'hers.test', '--for', 'anna@corp.test'],
    ])
      t.match(await postfix.toeh(...args), { code: 0 }, args.join(' '))
    for (const [sender, recipient, reason] of CASES) {
      const name = `${express ? 'in the lane' : 'by the gate'}: ${sender} to ${recipient}`
      postfix.sink.mails.length = 0
      const queueId = await postfix.submit(sender, [recipient], 'Subject: x\n\nx\n')
      const arrived = (await postfix.settled()).map((mail) => `${mail.sender} ${mail.recipients.join()}`)
      const passes = reason === 'allowed' || reason === 'internal'
      t.strictSame(arrived, passes ? [`${sender} ${recipient}`] : [], name)
      const decision = postfix.decisions().find((one) => one.queueId === queueId)
      if (decision === undefined) t.ok(express && reason === 'allowed', `${name}: past the filter`)
      else t.match(decision, { recipients: [{ reason }] }, name)
    }

    // What replay says of mail that went out without us, handed in with a login.
    const conversation = await Conversation.open(postfix.ungated)
    await conversation.say('EHLO pc.corp.test\r\n')
    await conversation.say('XCLIENT LOGIN=info\r\n')
    for (const [sender, recipient] of CASES) {
      await conversation.say('EHLO pc.corp.test\r\n')
      await conversation.send(
        sender,
        [recipient.replace('@corp.test', '@colleague.test')],
        'Subject: y\n\ny\n',
      )
    }
    conversation.close()
    await postfix.settled()
    // As if it had gone to other hosts: on loopback nothing counts.
    const log = join(postfix.dir, 'away.log')
    const away = postfix
      .log()
      .replaceAll(/relay=127\.0\.0\.1\[127\.0\.0\.1\]:\d+/g, 'relay=mx.other.test[192.0.2.1]:25')
    writeFileSync(log, away)
    const { stdout } = await postfix.toeh('replay', log, '--json')
    const { byDestination } = JSON.parse(stdout) as { byDestination: { recipient: string; reason: string }[] }
    t.strictSame(
      byDestination.map(({ recipient, reason }) => `${recipient} ${reason}`).sort(),
      [
        'carl@colleague.test foreign-sender',
        'x@fwd.test unknown',
        'x@hers.test blocked',
        'x@known.test foreign-sender',
      ],
      'replay foresees it',
    )
  }
})
