/** Approval by mail in a real Postfix: the notice, the answer through the gate or past it, the release, and forgeries. */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { BOSS, bytesOf, DEPUTY, EVE, MODERATE, noticeTo } from '../support/approver.js'
import { doctor, find } from '../support/doctor.js'
import { Conversation, cannotRun, Postfix } from '../support/postfix.js'

const APPROVERS = `approvers = ["${BOSS}", "${DEPUTY}"]\n`
const TO = 'toeh-moderate@corp.test'
/** Who has sent what is held, and is told what became of it. */
const ANNA = 'anna@corp.test'

t.test('approval by mail', { skip: cannotRun(), timeout: 240_000 }, async (t) => {
  // XCLIENT gives a connection the login that SASL would.
  const main = ['smtpd_authorized_xclient_hosts=127.0.0.0/8', `transport_maps=inline:{${TO}=toeh-moderate:}`]
  const postfix = await Postfix.start(t, {
    settings: APPROVERS,
    notice: MODERATE,
    main: [...main, 'toeh-moderate_destination_recipient_limit=1'],
    breakService: (lines) => `${lines}\n${serviceOf(lines)}`,
  })
  const { sink, lab } = postfix

  const answer = async (login: string, port: number, bytes: string): Promise<string> => {
    const conversation = await Conversation.open(port)
    try {
      await conversation.say('EHLO pc.corp.test\r\n')
      if (login !== '') {
        await conversation.say(`XCLIENT LOGIN=${login}\r\n`)
        await conversation.say('EHLO pc.corp.test\r\n')
      }
      return await conversation.send(BOSS, [TO], bytes)
    } finally {
      conversation.close()
    }
  }
  const hold = async (): Promise<{ subject: string; token: string; deputy: string }> => {
    sink.mails.length = 0
    await postfix.submit('anna@corp.test', [EVE], `Subject: Invoice ${Math.random()}\n\nx\n`)
    await postfix.until('three notices', () => sink.mails.length === 3)
    await postfix.settled()
    const { subject, token } = await noticeTo(sink, BOSS)
    const deputy = (await noticeTo(sink, DEPUTY)).subject
    sink.mails.length = 0
    return { subject, token, deputy }
  }
  const arrived = (): string[] => sink.mails.map(({ recipients }) => recipients.join())

  for (const [name, port] of [
    ['past the gate, the login given by Postfix', postfix.ungated],
    ['through the gate, the login read from the decision log', postfix.submission],
  ] as const) {
    const { subject, token } = await hold()
    const forged: [string, string, string][] = [
      ['no login', '', bytesOf({ subject, text: 'release' }).toString()],
      ["somebody else's login", 'anna', bytesOf({ subject, text: 'release' }).toString()],
      ['a wrong From', 'boss', bytesOf({ subject, text: 'release', from: 'eve@evil.test' }).toString()],
    ]
    for (const [, login, bytes] of forged) await answer(login, port, bytes)
    await postfix.settled()
    t.strictSame(arrived(), [], `${name}: forgeries do nothing and are not answered`)
    await answer('boss', port, bytesOf({ subject, text: 'release' }).toString())
    await postfix.until('release, word to the sender and confirmation', () => sink.mails.length === 3)
    await postfix.settled()
    t.strictSame(arrived().sort(), [ANNA, BOSS, EVE].sort(), name)
    t.match(postfix.log(), /relay=toeh-moderate, .*status=sent \(.*toeh moderate: released \w{12}\)/)
    t.notMatch(postfix.log(), token, 'the number is not in the log')
  }
  t.notMatch(postfix.log(), /status=bounced|SOFTBOUNCE/)

  t.test('a signature: ours counts, one that came with the mail is removed at the border', async (t) => {
    postfix.editMaster((text) =>
      text
        .replace(
          `127.0.0.1:${postfix.ungated} inet n - n - - smtpd`,
          (line) => `${line}\n  -o cleanup_service_name=border`,
        )
        .concat(
          'border unix n - n - 0 cleanup\n  -o { header_checks = regexp:{ { /^Authentication-Results:/ IGNORE } } }\n',
        ),
    )
    const { deputy: subject } = await hold()
    const head = 'Authentication-Results: mx.corp.test; dkim=pass header.d=other.test\n'
    const bytes = bytesOf({ subject, text: 'release', from: DEPUTY, head }).toString()
    const before = postfix.log().length
    await answer('', postfix.ungated, bytes)
    await postfix.settled()
    t.strictSame(arrived(), [], 'nothing')
    t.match(postfix.log().slice(before), /toeh moderate: dropped: no login, and no Authentication-Results/)
    await answer('', postfix.reinjection, bytes)
    await postfix.until('release, word to the sender and confirmation', () => sink.mails.length === 3)
    t.strictSame(
      arrived().sort(),
      [ANNA, DEPUTY, EVE].sort(),
      'one below our own Received alone, as a milter writes it',
    )
  })

  t.test('a Received that header_checks take away: where it matters, and that doctor says so', async (t) => {
    const check = async (): Promise<string | undefined> => find(await doctor(postfix), 'answers')?.level
    const heard = async (isHeard: boolean, name: string): Promise<void> => {
      const { subject } = await hold()
      await answer('boss', postfix.submission, bytesOf({ subject, text: 'release' }).toString())
      if (isHeard)
        await postfix.until('release, word to the sender and confirmation', () => sink.mails.length === 3)
      await postfix.settled()
      // Postfix hands over what is ready, in whichever order.
      t.strictSame(arrived().sort(), isHeard ? [ANNA, BOSS, EVE].sort() : [], name)
    }
    postfix.setMain('enable_long_queue_ids=no')
    postfix.setMain('header_checks=regexp:{ { /^Received:/ IGNORE } }')
    await heard(true, 'at the entrance: the way back writes its own')
    t.equal(await check(), 'good')
    postfix.editMaster((text) => text.replace('-o cleanup_service_name=toeh-cleanup', ''))
    await heard(false, 'on the way back, with short queue ids')
    t.match(postfix.log(), /toeh moderate: dropped: no login/)
    t.equal(await check(), 'warning')
    postfix.setMain('enable_long_queue_ids=yes')
    await heard(true, 'with long ones')
    t.equal(await check(), 'good')
    postfix.editMaster((text) =>
      text
        .replace(
          `127.0.0.1:${postfix.reinjection} inet n - n - 20 smtpd`,
          (line) => `${line}\n  -o content_filter=smtp:[127.0.0.1]:${postfix.ungated}`,
        )
        .replace(/^ {2}-o content_filter=\n/m, ''),
    )
    await heard(false, 'behind another filter')
    t.match(postfix.log(), `relay=127.0.0.1[127.0.0.1]:${postfix.ungated}`)
    t.equal(await check(), 'good', 'a signature counts there')
    const text = readFileSync(lab.config, 'utf8')
    writeFileSync(lab.config, text.replace(/^authserv_id = .*$/m, ''))
    t.equal(await check(), 'warning')
  })
  t.match(readFileSync(lab.config, 'utf8'), 'enabled = true')
})

t.test('a notice that bounces behind the gate is known', { skip: cannotRun() }, async (t) => {
  const full = 'full@corp.test'
  const tables = `{ ${TO} = toeh-moderate: }, { ${full} = error:5.2.2 mailbox full }`
  const postfix = await Postfix.start(t, {
    settings: `approvers = ["${full}", "${BOSS}"]\n`,
    notice: MODERATE,
    main: [`transport_maps=inline:{ ${tables} }`, 'toeh-moderate_destination_recipient_limit=1'],
    breakService: (lines) => `${lines}\n${serviceOf(lines)}`,
  })
  const { sink, lab } = postfix
  const bounces = () =>
    lab.query("SELECT who, subject, was, now FROM audit WHERE what = 'bounced' ORDER BY id")
  const hold = async (): Promise<{ id: string; notified_at: number | null }> => {
    sink.mails.length = 0
    await postfix.submit(ANNA, [EVE], `Subject: Invoice ${Math.random()}\n\nx\n`)
    await postfix.settled()
    const [last] = lab.query('SELECT id, notified_at FROM hold ORDER BY held_at DESC LIMIT 1')
    return last as { id: string; notified_at: number | null }
  }
  const arrived = (): string[] => sink.mails.map(({ recipients }) => recipients.join()).sort()

  const first = await hold()
  t.strictSame(arrived().sort(), [ANNA, BOSS].sort())
  t.match(
    postfix.log(),
    new RegExp(`sent \\(.*toeh moderate: the notice of ${first.id} to an approver has b`),
  )
  t.strictSame(bounces(), [{ who: 'postfix', subject: first.id, was: full, now: 'mailbox full' }])
  t.match(first, { notified_at: Number }, 'another approver has his')

  const text = readFileSync(lab.config, 'utf8')
  writeFileSync(lab.config, text.replace(`"${full}", "${BOSS}"`, `"${full}"`).replace(/^logins = .*$/m, ''))
  const second = await hold()
  t.strictSame(arrived(), [ANNA])
  t.equal(bounces().length, 2)
  t.match(second, { notified_at: null }, 'no approver has one')
  postfix.setMain(`transport_maps=inline:{ { ${TO} = toeh-moderate: } }`)
  sink.mails.length = 0
  const { stdout } = await postfix.toeh('digest')
  t.match(stdout, `told of ${second.id}\n`)
  await postfix.settled()
  t.strictSame(arrived(), [full], 'the mailbox has room again, and the sender was told before')
  t.match(sink.mails[0], { sender: TO }, 'where a bounce is known')
  t.match(lab.query('SELECT notified_at FROM hold WHERE notified_at IS NULL'), [])
  t.notMatch(postfix.log(), /SOFTBOUNCE/)
})

/** The service of docs/moderate.md, with this instance's user, folder and program. */
function serviceOf(gate: string): string {
  const [, user = '', directory = ''] = /user=(\S+) directory=(\S+)/.exec(gate) ?? []
  const [, filter = '', node = '', config = ''] =
    /argv=(\S+toeh-filter) --node=(\S+) (--config=\S+)/.exec(gate) ?? []
  const program = `${node} ${filter.replace(/toeh-filter$/, 'toeh.cjs')} moderate ${config}`
  return `toeh-moderate unix - n n - 1 pipe
  -o soft_bounce=yes
  flags=q user=${user} directory=${directory} null_sender=
  argv=${program} --sender=\${sender} --queue-id=\${queue_id} --sasl-user=\${sasl_username}`
}
