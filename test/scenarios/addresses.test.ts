/** Addresses as they are, in a real Postfix: what it hands over of each, what becomes of it, and in which bytes it goes on. */
import t from 'tap'
import { queuedAt } from '../../lib/logs/maillog.js'
import { cannotRun, Postfix } from '../support/postfix.js'

const LONG = `reply+${'k'.repeat(90)}@reply.known.test`
const DOTTED = '"try..this"@docomo.test'

interface Case {
  recipient: string
  reason: string
  /** As the sink has it; undefined where it waits. */
  arrives?: string
}

const CASES: Case[] = [
  { recipient: LONG, reason: 'allowed', arrives: LONG },
  { recipient: `${'a'.repeat(243)}@known.test`, reason: 'allowed', arrives: `${'a'.repeat(243)}@known.test` },
  { recipient: 'x@a_b.known.test', reason: 'allowed', arrives: 'x@a_b.known.test' },
  { recipient: 'root@localhost', reason: 'internal', arrives: 'root@localhost' },
  { recipient: 'Root@LocalHost', reason: 'internal', arrives: 'Root@LocalHost' },
  // Postfix hands either spelling over in quotes.
  { recipient: DOTTED, reason: 'allowed', arrives: DOTTED },
  { recipient: 'try..this@docomo.test', reason: 'allowed', arrives: DOTTED },
  { recipient: 'another..one@docomo.test', reason: 'malformed' },
  { recipient: 'other..one@known.test', reason: 'malformed' },
  { recipient: 'carl..maria@corp.test', reason: 'internal', arrives: '"carl..maria"@corp.test' },
  { recipient: '.carl@corp.test', reason: 'internal', arrives: '".carl"@corp.test' },
  // Postfix takes its own domain off and looks at what is left.
  { recipient: 'x%known.test@corp.test', reason: 'malformed' },
  { recipient: '"x@evil.test"@corp.test', reason: 'malformed' },
  { recipient: '"x!y..z"@corp.test', reason: 'malformed' },
  { recipient: '"a..%evil.test"@localhost', reason: 'malformed' },
]

t.test('addresses as they are', { skip: cannotRun() }, async (t) => {
  const postfix = await Postfix.start(t, {
    internal: ['corp.test', 'localhost'],
    main: ['mydestination=corp.test, localhost', 'allow_percent_hack=yes', 'swap_bangpath=yes'],
  })
  await postfix.lab.allow('reply.known.test', 'known.test', 'a_b.known.test')
  t.match(await postfix.toeh('allow', 'Try..This@docomo.test'), { code: 0 })

  /** Whom Postfix's log names as recipients of a message: not every server would take these. */
  const recipientsOf = (queueId: string): string[] =>
    [...postfix.log().matchAll(new RegExp(`: ${queueId}: to=<(.*?)>, (?:orig_to=.*, )?relay=`, 'g'))].map(
      ([, to = '']) => to,
    )
  /** What a message to somebody came to: the decision's reason, and who is named behind the gate. */
  const submit = async (recipient: string): Promise<[reason: string | undefined, recipients: string[]]> => {
    const queueId = await postfix.submit('anna@corp.test', [recipient], 'Subject: x\n\nx\n')
    await postfix.settled()
    const decision = postfix.decisions().find((one) => one.queueId === queueId)
    const passedAs = decision?.passedAs ?? ''
    return [decision?.recipients[0]?.reason, passedAs === '' ? [] : recipientsOf(passedAs)]
  }

  for (const { recipient, reason, arrives } of CASES)
    t.strictSame(await submit(recipient), [reason, arrives === undefined ? [] : [arrives]], recipient)

  for (const { recipient, arrives } of CASES.filter(({ arrives }) => arrives !== undefined)) {
    const options = { port: postfix.ungated }
    const queueId = await postfix.submit('anna@corp.test', [recipient], 'Subject: x\n\nx\n', options)
    await postfix.settled()
    t.strictSame(recipientsOf(queueId), [arrives], `without the gate it goes the same way: ${recipient}`)
  }

  const id = await postfix.submit('anna@corp.test', ['carl@corp.test'], 'Subject: x\n\nx\n')
  t.ok(Math.abs((queuedAt(id) ?? 0) - Date.now()) < 60_000, `${id} says when it was given`)
  await postfix.settled()
  postfix.sink.mails.length = 0
  await postfix.submit('root@localhost', ['x@known.test'], 'Subject: disk\n\nx\n')
  const senders = (await postfix.settled()).map(({ sender }) => sender)
  t.strictSame(senders, ['root@localhost'], 'a sender at a domain of one label is ours')

  const { stdout } = await postfix.toeh('list', '--recipient', 'another..one@docomo.test', '--json')
  const [held] = JSON.parse(stdout) as { id: string }[]
  const released = await postfix.toeh('release', held?.id ?? '', '--allow', 'address')
  t.match(released, { code: 0, stdout: /allow another\.\.one@docomo\.test/ }, 'what waits can be made known')
  t.strictSame(await submit('another..one@docomo.test'), ['allowed', ['"another..one"@docomo.test']])
})

t.test('an odd address of our own that nobody has bounces at once', { skip: cannotRun() }, async (t) => {
  const postfix = await Postfix.start(t, { main: ['local_transport=local'] })
  postfix.editMaster((text) => `${text}local unix - n n - - local\n`)
  for (const recipient of ['carl..maria@corp.test', 'j\u{fc}rgen@corp.test']) {
    postfix.sink.mails.length = 0
    const options = recipient.startsWith('j') ? { mail: ' SMTPUTF8' } : {}
    const queueId = await postfix.submit('anna@known.test', [recipient], 'Subject: x\n\nx\n', {
      ...options,
      port: postfix.ungated,
    })
    await postfix.settled()
    t.match(postfix.log(), new RegExp(`${queueId}: to=<[^>]+>, .*status=bounced`), 'without us')
    const gated = await postfix.submit('anna@corp.test', [recipient], 'Subject: x\n\nx\n', options)
    await postfix.settled()
    const decision = postfix.decisions().find((one) => one.queueId === gated)
    t.match(decision, { recipients: [{ reason: 'internal', did: 'passed' }] })
    t.match(postfix.log(), new RegExp(`${decision?.passedAs}: to=<[^>]+>, .*status=bounced`), 'and with us')
  }
  t.strictSame(postfix.lab.held(), [])
})
