/** Debian's Dovecot beside the gate: it says who logs in on submission, and its Sieve forwards what has come for people. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cannotBeFresh } from '../support/debian.js'
import { cannotRunDovecot, Dovecot } from '../support/dovecot.js'
import { assertDone } from '../support/lab.js'
import { withoutReceived } from '../support/postfix.js'
import { plainLogin } from '../support/saslserver.js'
import { Site } from '../support/site.js'

const skip = cannotBeFresh() || cannotRunDovecot()
const OWN = 'anna@company.example'
const SHOP = 'shop@other.example'
const INTERNET = '127.99.0.9'

function login(user: string, password: string): string {
  return plainLogin(user).replace(/\S+(?=\r\n)/, Buffer.from(`\0${user}\0${password}`).toString('base64'))
}

t.test('who logs in by Dovecot on submission', { skip }, async (t) => {
  const dovecot = await Dovecot.make(t)
  const site = await Site.make(
    t,
    ['smtpd_sasl_type=dovecot', `smtpd_sasl_path=inet:127.0.0.1:${dovecot.auth}`],
    ({ host }) => `${host}:submission inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
`,
  )
  const { debian } = site
  assertDone(t, await debian.toeh('init', '--postfix', '--apply'), 'postfix check finds nothing wrong')
  assertDone(t, await debian.toeh('allow', 'known.example'), /^rule/)
  debian.start(t)
  await dovecot.start(t, debian.etc)

  const text = 'Subject: contract\nMessage-ID: <contract@company.example>\n\n.a dot, and the end\n'
  const letter = { port: 587, from: INTERNET, sender: OWN, text }
  t.match(await site.send({ ...letter, recipients: ['a@known.example'] }), '554 5.7.1')
  t.match(
    await site.send({ ...letter, recipients: ['b@known.example'], first: login('anna', 'wrong') }),
    '535 5.7.8',
  )
  const known = await site.send({
    ...letter,
    recipients: ['c@known.example'],
    first: login('anna', 'secret'),
  })
  // Else the two could overtake each other.
  await site.arrived()
  const mixed = await site.send({
    ...letter,
    recipients: ['d@known.example', 'd@stranger.example'],
    first: login('anna', 'secret'),
  })
  const arrived = await site.arrived()
  t.same(
    arrived.map(({ recipients, bytes }) => [recipients, withoutReceived(bytes)]),
    [
      [['c@known.example'], text.replaceAll('\n', '\r\n')],
      [['d@known.example'], text.replaceAll('\n', '\r\n')],
    ],
    'the bytes that were handed in',
  )
  t.match(
    site
      .decisions()
      .map(({ queueId, saslUser, client, recipients }) => ({ queueId, saslUser, client, recipients })),
    [
      {
        queueId: known,
        saslUser: 'anna',
        recipients: [{ to: 'c@known.example', verdict: 'pass', reason: 'allowed' }],
      },
      {
        queueId: mixed,
        saslUser: 'anna',
        recipients: [
          { to: 'd@known.example', verdict: 'pass', reason: 'allowed' },
          { to: 'd@stranger.example', verdict: 'hold', reason: 'unknown' },
        ],
      },
    ],
  )
  const [{ passedAs } = { passedAs: null }] = site.decisions()
  t.match(
    debian.log(),
    new RegExp(`${known}: to=<c@known\\.example>, relay=toeh, .* \\(toeh: passed 1 as ${passedAs}\\)\\)`),
  )
  t.match(
    debian.log(),
    new RegExp(`${mixed}: to=<d@stranger\\.example>, .*toeh: passed 1 as \\w+, held 1 in \\w{12}`),
  )
  t.same(await site.faults('entrances'), [])
})

for (const way of ['by SMTP', 'by sendmail(1)'] as const) {
  t.test(`what Sieve forwards ${way}`, { skip }, async (t) => {
    const site = await Site.make(t)
    const { debian } = site
    const dovecot = await Dovecot.make(t, {
      scripts: {
        'anna@company.example': 'redirect "anna@known.example";\n',
        'bob@company.example': 'require "copy";\nredirect :copy "bob@stranger.example";\n',
        'carl@company.example': 'redirect "carl@stranger.example";\n',
        'dora@company.example': 'require "vacation";\nvacation "Back on Monday";\n',
      },
      ...(way === 'by SMTP' ? { submission: `${debian.host}:25` } : {}),
    })
    debian.postconf('-e', `local_transport=lmtp:inet:127.0.0.1:${dovecot.lmtp}`)
    debian.env.PATH = `${dovecot.bin}:${debian.env.PATH}`
    const { stdout: named } = await debian.toeh('init', '--postfix')
    const injector = `Dovecot hands mail to ${debian.host}:25 (submission_host)`
    t.equal(named.includes(injector), way === 'by SMTP', 'init names what goes by port 25 so far')
    const command = ['init', '--postfix', '--relay', '127.0.0.0/24', '--apply']
    assertDone(t, await debian.toeh(...command), 'postfix check finds nothing wrong')
    assertDone(t, await debian.toeh('allow', 'known.example'), /^rule/)
    debian.start(t)
    await dovecot.start(t, debian.etc)
    let written = 0
    /** A shop writes to somebody here; what the world has got, once Sieve's part of it is settled. */
    const write = async (to: string, decisions: number): Promise<string[]> => {
      const recipients = [`${to}@company.example`]
      const text = `From: ${SHOP}\nMessage-ID: <${++written}@other.example>\nSubject: order\n\nYour order\n`
      t.match(await site.send({ from: INTERNET, sender: SHOP, recipients, text }), /^\w{11}/)
      await site.until(`${decisions} decisions`, () => site.decisions().length >= decisions)
      return site.reached()
    }

    t.same(await write('anna', 1), [], 'a foreign sender is held, though the destination is known')
    t.same(site.decided(), [`${SHOP} anna@known.example hold foreign-sender`])
    t.same(await site.faults('forwards'), [
      "warning Dovecot's sieve_redirect_envelope_from is sender, not recipient",
    ])
    assertDone(t, await debian.toeh('allow', 'anna@known.example', '--for', 'foreign'), /^rule/)
    t.same(await write('anna', 2), [`${SHOP} anna@known.example`], 'unless it is known for foreign senders')
    t.match((await site.arrived())[0]?.bytes.toString(), 'X-Sieve-Redirected-From: anna@company.example\r\n')

    dovecot.configure('recipient')
    t.same(await site.faults('forwards'), [])
    const before = site.decided()
    t.same(await write('anna', 3), [`${OWN} anna@known.example`, `${SHOP} anna@known.example`])
    t.same(
      site.decided().filter((line) => !before.includes(line)),
      [`${OWN} anna@known.example pass allowed`],
      'in the name of who forwards it is as her own mail',
    )
    const notices = (name: string): number => {
      const folder = join(dovecot.dir, 'home', `${name}@company.example`, 'Maildir/new')
      return existsSync(folder) ? readdirSync(folder).length : 0
    }
    // The notice to who forwards is forwarded as well, with the null sender, to where it is held.
    t.same((await write('bob', 5)).length, 2)
    t.equal(notices('bob'), 2, 'who keeps a copy has what came and the notice')
    t.same((await write('carl', 7)).length, 2)
    t.equal(notices('carl'), 0, 'who keeps none is not told')
    t.same(
      site.decided().filter((line) => /bob|carl/.test(line)),
      [
        ' bob@stranger.example hold unknown',
        ' carl@stranger.example hold unknown',
        'bob@company.example bob@stranger.example hold unknown',
        'carl@company.example carl@stranger.example hold unknown',
      ],
      'and of a notice that is held nobody is told by another',
    )

    const letter = `From: ${SHOP}\nTo: dora@company.example\nMessage-ID: <dora@other.example>\nSubject: order\n\nx\n`
    const recipients = ['dora@company.example']
    t.match(await site.send({ from: INTERNET, sender: SHOP, recipients, text: letter }), /^\w{11}/)
    await site.until('the answer', () => site.decided().includes(` ${SHOP} hold unknown`))
    assertDone(t, await debian.toeh('digest'), /told of/)
    t.equal(notices('dora'), 1, 'who is away has her mail, and no notice of the answer that waits')
    const { stdout } = await debian.toeh('list', '--automatic', '--recipient', SHOP, '--json')
    t.match(JSON.parse(stdout), [{ sender: '', automatic: 'null sender', recipients: [{ address: SHOP }] }])
  })
}
