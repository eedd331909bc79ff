/** Notices in a real Postfix: to people who are virtual aliases, and about copies that nobody is to know of. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import t from 'tap'
import { doctor, find } from '../support/doctor.js'
import { cannotRun, Postfix } from '../support/postfix.js'
import { unwire } from '../support/sink.js'

const skip = cannotRun()

t.test('an approver and a sender who are virtual aliases are told', { skip }, async (t) => {
  const postfix = await Postfix.start(t, {
    internal: ['corp.test', 'brand.test'],
    settings: 'approvers = ["boss@brand.test", "gone@brand.test"]\n',
    notice: '[notice]\nenabled = true\n',
    main: ['virtual_alias_domains=brand.test'],
  })
  const table = join(postfix.etc, 'virtual')
  writeFileSync(table, 'boss@brand.test marie@corp.test\nanna@brand.test anna@corp.test\n')
  chmodSync(table, 0o644)
  postfix.setMain(`virtual_alias_maps=texthash:${table}`)
  await postfix.submit('anna@brand.test', ['x@new.test'], 'Subject: Invoice\n\nx\n')
  const told = (await postfix.settled()).map(({ recipients }) => recipients.join())
  t.strictSame(told.sort(), ['anna@corp.test', 'marie@corp.test'])
  t.notMatch(postfix.log(), /status=bounced/)
  t.match(postfix.lab.query('SELECT notified_at FROM hold'), [{ notified_at: Number }])
})

t.test('where nobody can be told the hold does not count as told', { skip }, async (t) => {
  const postfix = await Postfix.start(t, {
    internal: ['corp.test', 'brand.test'],
    settings: 'approvers = ["gone@brand.test"]\n',
    notice: '[notice]\nenabled = true\n',
    main: ['virtual_alias_domains=brand.test', 'virtual_alias_maps=inline:{ x@brand.test=x@corp.test }'],
  })
  await postfix.submit('anna@corp.test', ['x@new.test'], 'Subject: Invoice\n\nx\n')
  await postfix.settled()
  t.match(postfix.lab.query('SELECT notified_at FROM hold'), [{ notified_at: null }])
  const { code, stdout } = await postfix.toeh('digest')
  t.equal(code, 1)
  t.match(stdout, /^NOT told of .*: notice gone@brand\.test: Postfix has nobody of that name here\n/)
  t.match(find(await doctor(postfix), 'approvers'), {
    level: 'critical',
    faults: [{ what: 'Postfix has nobody here of the name gone@brand.test, who is an approver' }],
  })
})

t.test('a sender whose alias leads outside: nothing of the held mail goes there', { skip }, async (t) => {
  const postfix = await Postfix.start(t, {
    internal: ['corp.test', 'brand.test'],
    settings: 'approvers = ["boss@corp.test"]\n',
    notice: '[notice]\nenabled = true\n',
    main: [
      'virtual_alias_domains=brand.test',
      'virtual_alias_maps=inline:{ anna@brand.test=anna@private.test }',
    ],
  })
  await postfix.submit('anna@brand.test', ['x@new.test'], 'Subject: Invoice\n\nx\n')
  const told = async (): Promise<string[]> => {
    const mails = (await postfix.settled()).map(({ recipients }) => recipients.join())
    postfix.sink.mails.length = 0
    return mails
  }
  t.strictSame(await told(), ['boss@corp.test'])
  t.match(postfix.lab.query('SELECT notified_at FROM hold'), [{ notified_at: Number }], 'once is enough')
  postfix.lab.change('UPDATE hold SET expires_at = 1')
  const { code, stdout } = await postfix.toeh('cleanup')
  t.equal(code, 0, stdout)
  t.strictSame(await told(), ['boss@corp.test'], 'and the approver hears of its end')
  t.strictSame(postfix.lab.states(), ['x@new.test expired'])
})

t.test('a copy that Postfix adds is not named to the sender', { skip }, async (t) => {
  const postfix = await Postfix.start(t, {
    settings: 'approvers = ["boss@corp.test"]\n',
    notice: '[notice]\nenabled = true\ninterval_minutes = 0\n',
    main: ['always_bcc=archive@vault.test'],
  })
  await postfix.lab.allow('known.test')
  const texts = async (recipient: string): Promise<Map<string, string>> => {
    postfix.sink.mails.length = 0
    await postfix.submit('anna@corp.test', [recipient], 'Subject: Invoice\n\nx\n')
    const mails = (await postfix.settled()).filter(({ sender }) => sender === '')
    return new Map(mails.map(({ recipients, bytes }) => [recipients.join(), unwire(bytes).toString()]))
  }
  const unknown = await texts('x@new.test')
  t.match(unknown.get('boss@corp.test'), /archive@vault\.test/, 'who decides sees it')
  t.match(unknown.get('anna@corp.test'), /x@new\.test/)
  t.notMatch(unknown.get('anna@corp.test'), /archive/)
  t.match(find(await doctor(postfix), 'archives'), {
    level: 'warning',
    faults: [{ what: 'always_bcc copies mail to archive@vault.test, which is outside and not known' }],
  })
  const known = await texts('x@known.test')
  t.match(known.get('boss@corp.test'), /archive@vault\.test/)
  t.equal(known.has('anna@corp.test'), false, 'of that alone she hears nothing')
})

t.test('an archive outside that is known is no reason to hold', { skip }, async (t) => {
  const postfix = await Postfix.start(t, {
    main: ['sender_bcc_maps=inline:{ anna@corp.test=archive@vault.test }'],
  })
  await postfix.lab.allow('known.test')
  const archives = async (): Promise<string | undefined> => find(await doctor(postfix), 'archives')?.level
  t.equal(await archives(), 'warning')
  await postfix.lab.allow('archive@vault.test')
  t.equal(await archives(), 'good')
  await postfix.submit('anna@corp.test', ['x@known.test'], 'Subject: Invoice\n\nx\n')
  const sent = (await postfix.settled()).flatMap(({ recipients }) => recipients)
  t.strictSame(sent.sort(), ['archive@vault.test', 'x@known.test'])
  t.strictSame(postfix.lab.states(), [])
})

t.test('who has no mailbox is known before the notice bounces unseen', { skip }, async (t) => {
  const postfix = await Postfix.start(t, {
    settings: 'approvers = ["boss@corp.test", "gone@corp.test"]\n',
    notice: '[notice]\nenabled = true\ninterval_minutes = 0\n',
  })
  // A list as proxymap(8) would read it, which the filter's user cannot ask.
  const list = (names: string): void =>
    postfix.setMain(`local_recipient_maps=proxy:inline:{ ${names} }, unix:passwd.byname`)
  const told = async (): Promise<string[]> => {
    postfix.sink.mails.length = 0
    await postfix.submit('anna@corp.test', ['x@new.test'], 'Subject: Invoice\n\nx\n')
    return (await postfix.settled()).flatMap(({ recipients }) => recipients).sort()
  }
  list('boss=x, anna=x')
  t.strictSame(await told(), ['anna@corp.test', 'boss@corp.test'])
  t.match(find(await doctor(postfix), 'approvers'), {
    level: 'warning',
    faults: [{ what: 'Postfix has nobody here of the name gone@corp.test, who is an approver' }],
  })
  list('anna=x')
  t.strictSame(await told(), [])
  t.match(
    postfix.lab.query('SELECT notified_at FROM hold ORDER BY held_at DESC LIMIT 1'),
    [{ notified_at: null }],
    'it stays with the digest',
  )
  t.equal((await postfix.toeh('digest')).code, 1)
  t.notMatch(postfix.log(), /status=bounced/)
})

t.test(
  'an approver who is gone keeps none of the others from a notice that can be answered',
  { skip },
  async (t) => {
    const postfix = await Postfix.start(t, {
      settings: 'approvers = ["gone@corp.test", "boss@corp.test"]\n',
      notice: '[notice]\nenabled = true\n[moderate]\nenabled = true\naddress = "toeh@corp.test"\n',
      main: ['local_recipient_maps=inline:{ boss=x, anna=x }'],
    })
    await postfix.submit('anna@corp.test', ['x@new.test'], 'Subject: Invoice\n\nx\n')
    const told = (await postfix.settled()).flatMap(({ recipients }) => recipients)
    t.strictSame(told.sort(), ['anna@corp.test', 'boss@corp.test'])
    t.match(postfix.lab.query('SELECT notified_at FROM hold'), [{ notified_at: Number }])
  },
)

t.test(
  'what no list can tell: such a notice bounces, and the postmaster hears of it with 2bounce',
  { skip },
  async (t) => {
    const postfix = await Postfix.start(t, {
      settings: 'approvers = ["full@corp.test"]\n',
      notice: '[notice]\nenabled = true\n',
      main: [
        'notify_classes=2bounce',
        'transport_maps=inline:{ { full@corp.test = error:5.2.2 mailbox full } }',
      ],
    })
    await postfix.submit('x@elsewhere.test', ['x@new.test'], 'Subject: Invoice\n\nx\n')
    const told = (await postfix.settled()).map(({ recipients }) => recipients.join())
    t.equal(told.length, 1)
    t.match(told[0], /^postmaster@/)
    t.match(postfix.log(), /to=<full@corp\.test>.*status=bounced \(mailbox full\)/)
    t.match(postfix.lab.query('SELECT notified_at FROM hold'), [{ notified_at: Number }])
  },
)

for (const minutes of [60, 0]) {
  t.test(
    `a mail of three slices has one notice each, with an interval of ${minutes}`,
    { skip },
    async (t) => {
      const postfix = await Postfix.start(t, {
        settings: 'approvers = ["boss@corp.test"]\n',
        notice: `[notice]\nenabled = true\ninterval_minutes = ${minutes}\n`,
      })
      const recipients = Array.from({ length: 120 }, (_, place) => `x${place}@new${place % 7}.test`).sort()
      const queueId = await postfix.submit('anna@corp.test', recipients, 'Subject: Greetings\n\nx\n')
      const told = (await postfix.settled()).sort((a, b) =>
        a.recipients.join() < b.recipients.join() ? -1 : 1,
      )
      t.same(
        postfix
          .decisions()
          .map((line) => [line.queueId, line.recipients.length])
          .sort(),
        [
          [queueId, 20],
          [queueId, 50],
          [queueId, 50],
        ],
        'Postfix has handed it over in three runs',
      )
      t.same(
        told.map((mail) => mail.recipients.join()),
        ['anna@corp.test', 'boss@corp.test'],
      )
      for (const { bytes } of told) {
        const { text = '' } = await simpleParser(unwire(bytes))
        const named = [...new Set(text.match(/^ {4}x[0-9]+@new[0-9]\.test$/gm))]
          .map((line) => line.trim())
          .sort()
        t.same(named, recipients, 'all of it in each')
      }
      t.equal(postfix.lab.held().length, 1, 'and one decision')
      t.match(postfix.lab.query('SELECT notified_at, waiting FROM hold'), [
        { notified_at: Number, waiting: 120 },
      ])
      t.equal((await postfix.toeh('digest')).stdout, '', 'nothing is left to be told')
      t.match(await postfix.toeh('release', ...postfix.lab.held()), { code: 0 })
      await postfix.settled()
      t.equal(postfix.sink.mails.flatMap((mail) => mail.recipients).filter((to) => /^x/.test(to)).length, 120)
    },
  )
}
