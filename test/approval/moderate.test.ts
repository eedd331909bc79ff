/** Moderation: which answers count, what they do, and what everybody else's mail does, which is nothing. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { moderate } from '../../lib/approval/moderate.js'
import type { Desk } from '../../lib/cli/context.js'
import { loadConfig } from '../../lib/config.js'
import { Audit } from '../../lib/database/audit.js'
import { Progress } from '../../lib/database/progress.js'
import { EXIT } from '../../lib/exit.js'
import { Failure } from '../../lib/failure.js'
import { Erasure } from '../../lib/hold/erasure.js'
import { Tokens } from '../../lib/hold/token.js'
import type { Client } from '../../lib/mail/envelope.js'
import { Neighbours } from '../../lib/nearmiss/neighbours.js'
import { tell } from '../../lib/notice/notify.js'
import {
  type Answer,
  BOSS,
  DEPUTY,
  EVE,
  MODERATE,
  mailOf,
  makeOffice,
  noticeTo,
  toldLast,
} from '../support/approver.js'
import { failureOf } from '../support/failing.js'
import { CLIENT, park, unknown } from '../support/held.js'
import type { Lab } from '../support/lab.js'
import { HANG_UP, makeScript } from '../support/script.js'
import type { Sink } from '../support/sink.js'

const NOW = Date.UTC(2026, 10, 24, 12)
const DAY_MS = 86_400_000
const SIGNED = 'Authentication-Results: mx.corp.test; dkim=pass header.d=other.test\n'
/** The deputy's answer, as his own provider signs it. */
const AS_DEPUTY = { from: DEPUTY, sender: DEPUTY, sasl: '', head: SIGNED }

interface Bench {
  lab: Lab
  sink: Sink
  desk: Desk
  id: string
  /** The numbers of both approvers, as subjects. */
  boss: string
  deputy: string
  say: (answer: Answer, at?: number) => Promise<string>
  states: () => Promise<string[]>
}

/** One held message that both approvers were asked about; the sink begins empty. */
async function makeBench(
  t: Test,
  tables = MODERATE,
  parked: Parameters<typeof park>[3] = {},
  recipients = [unknown(EVE)],
): Promise<Bench> {
  const { lab, sink } = await makeOffice(t, tables)
  const { db, ...stores } = lab.stores()
  t.teardown(() => db.close())
  const config = loadConfig(lab.config)
  const neighbours = new Neighbours(db, config.internal)
  const rest = {
    audit: new Audit(db),
    tokens: new Tokens(db),
    progress: new Progress(db),
    actor: { who: 'toeh', at: NOW },
  }
  const erasure = new Erasure(db, stores.folder)
  const desk: Desk = { config, neighbours, erasure, ...rest, ...stores }
  const facts = { heldAt: NOW, expiresAt: NOW + 14 * DAY_MS, ...parked }
  const id = await park(desk.hold, desk.folder, recipients, facts)
  await tell(desk, desk.hold, [desk.hold.find(id)], NOW)
  const [boss, deputy] = [(await noticeTo(sink, BOSS)).subject, (await noticeTo(sink, DEPUTY)).subject]
  sink.mails.length = 0
  const say = (answer: Answer, at = NOW + 1000): Promise<string> =>
    moderate({ ...desk, actor: { ...desk.actor, at } }, mailOf(answer))
  const states = async (): Promise<string[]> =>
    desk.hold.find(id).recipients.map(({ address, state }) => `${address} ${state}`)
  return { lab, sink, desk, id, boss, deputy, say, states }
}

t.test('nobody else is heard, and nothing is answered', async (t) => {
  const { sink, boss, deputy, say, states, desk } = await makeBench(t)
  const refused: [string, Answer, RegExp][] = [
    ['a wrong From', { from: 'eve@evil.test' }, /not from an approver/],
    ['the sender of the message', { from: 'anna@corp.test', sasl: 'anna' }, /not from an approver/],
    ["From is the approver's, the login another's", { sasl: 'anna@corp.test' }, /somebody else's login/],
    ['no authentication', { sasl: '' }, /no login, and no Authentication-Results/],
    ['a look-alike', { from: 'b0ss@corp.test' }, /not from an approver/],
    ['a look-alike domain', { from: 'boss@corp.test.evil.test' }, /not from an approver/],
    ['his name, another address', { from: '"boss@corp.test" <eve@evil.test>' }, /not from an approver/],
    ['two From', { head: `From: ${BOSS}\n` }, /not exactly one From/],
    ['two addresses', { from: `${BOSS}, eve@evil.test` }, /not one plain address/],
    ['a null sender', { sender: '' }, /null sender/],
    ['a vacation program', { head: 'Auto-Submitted: auto-replied\n' }, /Auto-Submitted/],
    ['a signature of another domain', { ...AS_DEPUTY, head: SIGNED.replace('d=other', 'd=evil') }, /no DKIM/],
    ['a result below another host', { ...AS_DEPUTY, head: `Received: by evil.test\n${SIGNED}` }, /no Auth/],
    ['a header without end', { head: `X: ${'x'.repeat(70_000)}\n` }, /header is too long/],
  ]
  for (const [name, answer, why] of refused) {
    const subject = answer.from === DEPUTY ? deputy : boss
    t.match(await say({ subject, text: 'release', ...answer }), why, name)
  }
  t.strictSame(sink.mails, [], 'nobody is answered')
  t.strictSame(await states(), [`${EVE} held`])
  t.strictSame(await desk.audit.list({}), [], 'nobody has done anything')
})

t.test('an approver is told why nothing was done', async (t) => {
  const { sink, boss, deputy, say, states, lab } = await makeBench(t)
  const other = await makeBench(t)
  const idle: [string, Answer, RegExp, RegExp][] = [
    ['no token', { subject: 'hello' }, /^unknown$/, /^Not understood\n.*no number that was given to you/],
    ["the other approver's", { subject: deputy }, /^unknown$/, /^Not understood\n/],
    ['one that was never given', { subject: `[toeh ${'0'.repeat(26)}]` }, /^unknown$/, /^Not understood\n/],
    ['of another installation', { subject: other.boss }, /^unknown$/, /^Not understood\n/],
    ['two', { subject: `${boss} ${deputy}` }, /^unknown$/, /^Not understood\n/],
    ['only in the quotation', { subject: boss, text: '> release' }, /^unclear$/, /none of the words below/],
    ['a word more', { subject: boss, text: 'release it' }, /^unclear$/, /none of the words below/],
    ['nothing', { subject: boss, text: '' }, /^unclear$/, /none of the words below/],
    ['two words', { subject: boss, text: 'release\nreject' }, /^unclear$/, /none of the words below/],
    [
      'signed so that nobody can read it',
      { subject: boss, head: 'Content-Type: application/pkcs7-mime; smime-type=signed-data\n' },
      /^sealed$/,
      /^Not readable.*\n.*S\/MIME.*plain text/,
    ],
  ]
  for (const [name, answer, line, told] of idle) {
    const before = sink.mails.length
    t.match(await say({ text: 'release', ...answer }), line, name)
    t.equal(sink.mails.length, before + 1, name)
    t.strictSame(sink.mails.at(-1)?.recipients, [BOSS], name)
    t.match(await toldLast(sink), told, name)
  }
  t.match((await noticeTo(sink, BOSS)).subject, /\[toeh \w{26}\]$/, 'help can be answered itself')
  t.match(await say({ subject: boss, text: 'release' }, NOW + 8 * DAY_MS), /^expired /)
  t.match(await toldLast(sink), /^Too late: Invoice\n/)
  t.strictSame(await states(), [`${EVE} held`])
  t.strictSame(lab.query('SELECT 1 FROM audit'), [])
  t.strictSame(lab.query('SELECT 1 FROM token WHERE used_at IS NOT NULL'), [], 'and no number is used up')
})

t.test('a number counts once', async (t) => {
  const { sink, boss, deputy, say, states, id } = await makeBench(t)
  const given = { subject: boss, text: 'reject' }
  t.equal(await say(given), `rejected ${id}`)
  t.strictSame(await states(), [`${EVE} rejected`])
  t.strictSame(
    sink.mails.map(({ recipients }) => recipients.join()),
    ['anna@corp.test', BOSS],
    'the sender is told, and the approver',
  )
  t.match(await toldLast(sink), /^Not sent: Invoice\nYou said no/)
  const told = (await noticeTo(sink, 'anna@corp.test')).text
  t.match(told, /^Rejected by boss@corp\.test on 24 November 2026 at /m)
  t.match(told, `If you have questions: ${BOSS}, ${DEPUTY}`)
  t.equal(await say({ ...given, text: 'release' }), `spent ${id}`)
  t.match(await toldLast(sink), /^Answered already: Invoice\nNothing was done/)
  t.equal(await say(given), `rejected ${id}`, 'the same mail, as Postfix repeats it: the same answer')
  t.equal(await say({ ...AS_DEPUTY, subject: deputy, text: 'release' }), `settled ${id}`)
  t.match(await toldLast(sink), /^Decided already: Invoice\n/)
  t.strictSame(await states(), [`${EVE} rejected`])
})

t.test('release and know', async (t) => {
  const malformed = { ...unknown('v%evil.test@corp.test'), reason: 'malformed' }
  const { sink, deputy, say, states, id, lab } = await makeBench(t, MODERATE, {}, [
    unknown('Eve@unknown.test'),
    malformed,
  ])
  t.equal(await say({ ...AS_DEPUTY, subject: deputy, text: 'Libérer et autoriser' }), `released ${id}`)
  t.strictSame(await states(), ['Eve@unknown.test released', 'v%evil.test@corp.test released'])
  t.strictSame(
    lab.query('SELECT kind, value, effect, scope, added_by, source FROM rule'),
    [
      {
        kind: 'address',
        value: EVE,
        effect: 'allow',
        scope: '',
        added_by: `${DEPUTY} by mail`,
        source: `release ${id}`,
      },
    ],
    'the one address, for everybody; what is not plain cannot be known',
  )
  t.match(await toldLast(sink), /Eve@unknown\.test\n +sent \(SINK\d+\); known from now on\n/)
})

t.test('a signature that has run out in the hold is told', async (t) => {
  const bytes = Buffer.from('DKIM-Signature: v=1; d=corp.test; x=1000000000; b=AB\nSubject: x\n\nx\n')
  const { sink, boss, say, id } = await makeBench(t, MODERATE, { bytes })
  t.equal(await say({ subject: boss, text: 'release' }), `released ${id}`)
  const told = (await toldLast(sink)).replace(/\s+/g, ' ')
  t.match(
    told,
    /sent \(SINK\d+\); its DKIM signature of corp\.test had run out: the recipient cannot verify it/,
  )
})

/** What pipe(8) knew of whoever handed the held message in. */
function loggedIn(saslUser: string): Client {
  return { ...CLIENT, saslUser }
}

t.test('who has sent it does not approve it', async (t) => {
  const own = await makeBench(t, MODERATE, { sender: 'Boss@corp.test' })
  t.notMatch(own.boss, /toeh \w/, 'he is given no number')
  t.match(own.deputy, /toeh \w/)
  t.match(await own.say({ subject: own.deputy, text: 'release' }), /^unknown$/)
  const login = await makeBench(t, MODERATE, { client: loggedIn('boss') })
  t.notMatch(login.boss, /toeh \w/, 'nor for what he has handed in')
  t.match(login.deputy, /toeh \w/)
  t.match(await login.say({ subject: login.deputy, text: 'release' }), /^unknown$/)
  t.strictSame(await login.states(), [`${EVE} held`])
})

t.test('nor by another of his addresses, another form of his login, or his signature', async (t) => {
  const logins = `logins = { boss = "${BOSS}", "d.e" = "${DEPUTY}" }`
  const tables = MODERATE.replace(/^logins = .*$/m, logins)
  const cases: [sender: string, login: string, who: string, answer: Answer][] = [
    ['info@corp.test', 'boss', BOSS, { sasl: BOSS }],
    ['info@corp.test', BOSS, BOSS, { sasl: 'boss' }],
    ['info@corp.test', 'CORP\\Boss', BOSS, { sasl: 'boss' }],
    ['info@corp.test', 'd.e', DEPUTY, AS_DEPUTY],
    ['boss+info@corp.test', '', BOSS, { sasl: 'boss' }],
    ['', 'boss', BOSS, { sasl: 'boss' }],
  ]
  for (const [sender, login, who, answer] of cases) {
    const name = `${sender} ${login}`
    // Without its own mark the lab reads extensions strictly, and needs none to know this one.
    const { boss, deputy, desk, id, say, states, sink } = await makeBench(t, tables, {
      sender,
      client: loggedIn(login),
    })
    const [own, others] = who === BOSS ? [boss, deputy] : [deputy, boss]
    t.notMatch(own, /toeh \w/, `${name}: he is given no number`)
    t.match(others, /toeh \w/, `${name}: the other one is`)
    // One that was given before the configuration knew better.
    const token = desk.tokens.issue({
      hold: id,
      recipients: [EVE],
      approver: who,
      expiresAt: NOW + DAY_MS,
    })
    t.equal(await say({ ...answer, subject: `[toeh ${token}]`, text: 'release' }), `own ${id}`, name)
    t.match(await toldLast(sink), /^Not yours to approve/, name)
    t.strictSame(await states(), [`${EVE} held`], name)
  }
  const other = await makeBench(t, tables, { sender: 'info@corp.test', client: loggedIn('anna') })
  t.equal(await other.say({ subject: other.boss, text: 'release' }), `released ${other.id}`)
})

t.test('what a rule has against an answer is told, and is no failure', async (t) => {
  const marie = { who: 'marie', at: 1 }
  const draft = { kind: 'address', subdomains: false, scope: '', effect: 'block', endsAt: null } as const
  t.test('release and know of a blocked address', async (t) => {
    const { desk, sink, boss, id, say, states, lab } = await makeBench(t, MODERATE, {}, [
      unknown(EVE),
      unknown('otto@unknown.test'),
    ])
    desk.landscape.add([{ ...draft, value: EVE, source: 'test', note: '' }], marie)
    t.equal(await say({ subject: boss, text: 'release and know' }), `released ${id}`)
    t.strictSame(await states(), [`${EVE} released`, 'otto@unknown.test released'])
    const told = await toldLast(sink)
    t.match(told, /eve@unknown\.test\n +sent \(SINK\d+\); not made known: .*rule 1 of marie blocks it/)
    t.match(told, /otto@unknown\.test\n +sent \(SINK\d+\); known from now on\n/)
    t.strictSame(lab.query("SELECT value FROM rule WHERE effect = 'allow'"), [{ value: 'otto@unknown.test' }])
  })
  t.test('a recipient who is refused for good', async (t) => {
    const { desk, boss, id, say, states, sink, lab } = await makeBench(t)
    const script = await makeScript(t, { RCPT: (line) => (line.includes(EVE) ? '550 5.1.1 no' : '250 ok') })
    const config = {
      ...desk.config,
      reinject: { kind: 'smtp', host: '127.0.0.1', port: script.port } as const,
    }
    const answer = mailOf({ subject: boss, text: 'release and know' })
    t.equal(await moderate({ ...desk, config, actor: { who: 'toeh', at: NOW + 1 } }, answer), `failed ${id}`)
    t.match(script.raw.toString(), `RCPT TO:<${BOSS}>`, 'he is told')
    t.strictSame(await states(), [`${EVE} held`])
    t.strictSame(lab.query('SELECT 1 FROM rule'), [], 'and knows nobody who has got nothing')
    t.equal(await say({ subject: boss, text: 'release' }), `spent ${id}`)
    t.equal(sink.mails.length, 1)
  })
  t.test('bytes that are gone', async (t) => {
    const { desk, boss, id, say, states, sink } = await makeBench(t)
    rmSync(desk.folder.messagePath(id))
    t.equal(await say({ subject: boss, text: 'release' }), `failed ${id}`)
    t.match(await toldLast(sink), /still waits; .*no such file/)
    t.strictSame(await states(), [`${EVE} held`])
  })
  t.test('bytes that cannot be removed after a no', async (t) => {
    const { desk, boss, id, say, states, sink } = await makeBench(t)
    desk.hold.removeSettled = () => {
      throw new Error('read-only file system')
    }
    t.equal(await say({ subject: boss, text: 'reject' }), `rejected ${id}`)
    t.strictSame(await states(), [`${EVE} rejected`])
    t.strictSame(
      sink.mails.map(({ recipients }) => recipients.join()),
      ['anna@corp.test', BOSS],
    )
    t.strictSame(desk.folder.ids(), [id], 'they are left to cleanup')
  })
  t.test('an approver whose own address is refused', async (t) => {
    const { desk, boss, id, states } = await makeBench(t)
    const script = await makeScript(t, { RCPT: (line) => (line.includes(BOSS) ? '550 5.1.1 no' : '250 ok') })
    const config = {
      ...desk.config,
      reinject: { kind: 'smtp', host: '127.0.0.1', port: script.port } as const,
    }
    const answer = mailOf({ subject: boss, text: 'release' })
    const line = await moderate({ ...desk, config, actor: { who: 'toeh', at: NOW + 1 } }, answer)
    t.equal(line, `released ${id} (who has answered could not be told)`)
    t.strictSame(await states(), [`${EVE} released`])
    const unclear = mailOf({ subject: 'hello', text: 'release' })
    t.match(
      await moderate({ ...desk, config, actor: { who: 'toeh', at: NOW + 1 } }, unclear),
      /^unknown \(who has answered could not be told\)$/,
    )
  })
})

t.test('what fails for the moment leaves the number as it was', async (t) => {
  t.test('the message is deferred, or nobody listens', async (t) => {
    for (const [name, answers] of [
      ['deferred', { RCPT: '450 4.2.0 later' }],
      ['no greeting', { CONNECT: HANG_UP }],
      ['deferred at its end', { '.': '451 4.3.0 later' }],
    ] as const) {
      const { desk, boss, id, say, states, lab, sink } = await makeBench(t)
      const script = await makeScript(t, answers)
      const config = {
        ...desk.config,
        reinject: { kind: 'smtp', host: '127.0.0.1', port: script.port } as const,
      }
      const answer = mailOf({ subject: boss, text: 'release and know' })
      const failure = await failureOf(() =>
        moderate({ ...desk, config, actor: { who: 'toeh', at: NOW + 1 } }, answer),
      )
      t.equal(failure.status, 75, name)
      t.strictSame(await states(), [`${EVE} held`], name)
      t.strictSame(lab.query('SELECT 1 FROM rule'), [], `${name}: nobody is known for it`)
      t.strictSame(
        lab.query('SELECT 1 FROM token WHERE used_at IS NOT NULL'),
        [],
        `${name}: and it is not used`,
      )
      t.strictSame(
        lab.query('SELECT was, now FROM audit ORDER BY id'),
        [
          { was: '', now: 'know' },
          { was: 'know', now: '' },
        ],
        name,
      )
      t.equal(await say({ subject: boss, text: 'reject' }), `rejected ${id}`, `${name}: another mail counts`)
      const again = await moderate({ ...desk, actor: { who: 'toeh', at: NOW + 2 } }, answer)
      t.equal(again, `spent ${id}`, `${name}: and the first one, when it comes again, does not`)
      t.equal(sink.mails.length, 3)
    }
  })
  t.test('the same mail again', async (t) => {
    const { desk, boss, id, say, states } = await makeBench(t)
    const script = await makeScript(t, { RCPT: '450 4.2.0 later' })
    const config = {
      ...desk.config,
      reinject: { kind: 'smtp', host: '127.0.0.1', port: script.port } as const,
    }
    const given = { subject: boss, text: 'release' }
    await failureOf(() => moderate({ ...desk, config, actor: { who: 'toeh', at: NOW + 1 } }, mailOf(given)))
    t.equal(await say(given), `released ${id}`)
    t.strictSame(await states(), [`${EVE} released`])
  })
  t.test('somebody else is releasing it', async (t) => {
    const { desk, boss, id, say, states, lab } = await makeBench(t)
    const marie = { who: 'marie', at: NOW }
    for (const text of ['release', 'reject']) {
      t.strictSame(desk.hold.claim(id, [EVE], false, marie), [EVE])
      t.match((await failureOf(() => say({ subject: boss, text }))).message, /let that end/, text)
      t.strictSame(await states(), [`${EVE} releasing`])
      // It does not go out after all.
      desk.hold.unclaim(id, [EVE], '450 later', marie)
      lab.change('UPDATE token SET used_at = NULL, used_by = NULL, answer = NULL')
    }
    t.equal(await say({ subject: boss, text: 'release' }), `released ${id}`)
  })
  t.test('a rule that cannot be written now', async (t) => {
    const { desk, boss, id, states, lab, say } = await makeBench(t)
    const add = desk.landscape.add.bind(desk.landscape)
    desk.landscape.add = () => {
      throw new Failure('database', 'database is locked', { status: EXIT.tempFail })
    }
    const given = { subject: boss, text: 'release and know' }
    t.match((await failureOf(() => say(given))).message, 'locked')
    desk.landscape.add = add
    t.strictSame(await states(), [`${EVE} released`])
    t.equal(lab.query('SELECT 1 FROM token WHERE used_at IS NOT NULL').length, 1, 'something has come of it')
    t.equal(await say({ ...given, text: 'reject' }), `spent ${id}`)
    t.equal(await say(given), `released ${id}`, 'the same mail goes on where it was')
    t.strictSame(lab.query('SELECT value FROM rule'), [{ value: EVE }])
  })
  t.test('the confirmation cannot go out now', async (t) => {
    const { desk, boss, id, states, say, sink } = await makeBench(t)
    const script = await makeScript(t, {
      RCPT: (line) => (line.includes(BOSS) ? '450 4.2.0 later' : '250 ok'),
    })
    const config = {
      ...desk.config,
      reinject: { kind: 'smtp', host: '127.0.0.1', port: script.port } as const,
    }
    const given = { subject: boss, text: 'release' }
    await failureOf(() => moderate({ ...desk, config, actor: { who: 'toeh', at: NOW + 1 } }, mailOf(given)))
    t.strictSame(await states(), [`${EVE} released`])
    t.equal(await say(given), `released ${id}`)
    t.strictSame(
      sink.mails.map(({ recipients }) => recipients.join()),
      [BOSS],
      'he is told, and nothing is sent twice',
    )
  })
})

t.test('two approvers', async (t) => {
  const tables = `${MODERATE}two = ["careful"]\n[groups]\ncareful = ["anna@corp.test"]\n`
  t.test('two yeses', async (t) => {
    const { sink, desk, boss, deputy, say, states, id, lab } = await makeBench(t, tables)
    t.equal(await say({ subject: boss, text: 'release and know' }), `noted ${id}`)
    t.match(await toldLast(sink), /^Your yes counts: Invoice\n[\s\S]*still waits\n/)
    t.strictSame(await states(), [`${EVE} held`])
    await tell(desk, desk.hold, [desk.hold.find(id)], NOW)
    const again = (await noticeTo(sink, BOSS)).subject
    t.match((await noticeTo(sink, BOSS)).text, 'Two approvers have to say yes')
    t.equal(await say({ subject: again, text: 'release' }), `noted ${id}`, 'the same one counts once')
    t.strictSame(await states(), [`${EVE} held`])
    t.equal(await say({ ...AS_DEPUTY, subject: deputy, text: 'release' }), `released ${id}`)
    t.strictSame(await states(), [`${EVE} released`])
    t.strictSame(lab.query('SELECT 1 FROM rule'), [], 'known only where everybody says so')
    t.equal(lab.query("SELECT 1 FROM audit WHERE what = 'answered'").length, 3)
  })
  t.test('one no', async (t) => {
    const { boss, deputy, say, states, id } = await makeBench(t, tables)
    t.equal(await say({ subject: boss, text: 'release' }), `noted ${id}`)
    t.equal(await say({ ...AS_DEPUTY, subject: deputy, text: 'reject' }), `rejected ${id}`)
    t.strictSame(await states(), [`${EVE} rejected`])
  })
  t.test('two addresses of one', async (t) => {
    const { desk, id, boss, deputy, say, states } = await makeBench(t, tables)
    const BOSS_TOO = 'boss+too@corp.test'
    const config = { ...desk.config, delimiters: '+', approvers: [BOSS, BOSS_TOO, DEPUTY] }
    const of = { hold: id, recipients: [EVE], expiresAt: NOW + DAY_MS }
    const token = desk.tokens.issue({ ...of, approver: BOSS_TOO })
    const give = (answer: Answer): Promise<string> =>
      moderate({ ...desk, config, actor: { who: 'toeh', at: NOW + 1 } }, mailOf(answer))
    t.equal(await give({ subject: boss, text: 'release' }), `noted ${id}`)
    const second = { from: BOSS_TOO, sasl: BOSS_TOO, subject: `[toeh ${token}]`, text: 'release' }
    t.equal(await give(second), `noted ${id}`, 'are one')
    t.strictSame(await states(), [`${EVE} held`])
    t.equal(await say({ ...AS_DEPUTY, subject: deputy, text: 'release' }), `released ${id}`)
  })
  t.test('a yes of somebody who is no approver any more', async (t) => {
    const { desk, deputy, boss, id, say, states, lab } = await makeBench(t, tables)
    t.equal(await say({ subject: boss, text: 'release' }), `noted ${id}`)
    const config = { ...desk.config, approvers: [DEPUTY, 'third@corp.test'] }
    const answer = mailOf({ ...AS_DEPUTY, subject: deputy, text: 'release' })
    t.equal(await moderate({ ...desk, config, actor: { who: 'toeh', at: NOW + 1 } }, answer), `noted ${id}`)
    t.strictSame(await states(), [`${EVE} held`])
    t.equal(lab.query('SELECT 1 FROM token WHERE used_at IS NOT NULL').length, 2)
  })
})

t.test('those who joined later are not spoken of', async (t) => {
  const { desk, boss, say, states, id } = await makeBench(t)
  t.equal(await park(desk.hold, desk.folder, [unknown('late@unknown.test')]), id)
  t.equal(await say({ subject: boss, text: 'release' }), `released ${id}`)
  t.strictSame(await states(), [`${EVE} released`, 'late@unknown.test held'])
})

t.test('a login behind the gate is read from the decision log', async (t) => {
  const { lab, boss, say, states, id } = await makeBench(t)
  const head = receivedFrom('toeh-reinject.invalid', NOW)
  const through = { subject: boss, text: 'release', sasl: '', head, queueId: '4bQ8Yk2hJnz2' }
  t.match((await failureOf(() => say(through))).message, 'does not say whose login', 'not written yet')
  const folder = join(lab.state, 'decisions')
  mkdirSync(folder, { recursive: true })
  const line = (passedAs: string, saslUser: string): string =>
    `${JSON.stringify({ at: new Date(NOW).toISOString(), saslUser, passedAs, recipients: [] })}\n`
  const log = (saslUser: string): void =>
    writeFileSync(
      join(folder, '2026-11-24.jsonl'),
      line('4bQ8Yk2hJnz1', 'boss') + line('4bQ8Yk2hJnz2', saslUser),
    )
  log('')
  t.match(await say(through), /no login, and no Auth/)
  log('anna')
  t.match(await say(through), /somebody else's login/)
  t.match(await say({ ...through, head: '' }), /no login, and no Auth/, 'only what the gate has passed on')
  log('boss')
  const earlier = { ...through, head: receivedFrom('toeh-reinject.invalid', NOW - 2 * DAY_MS) }
  t.match(await say(earlier), /no login, and no Auth/, 'of another day it is another message')
  t.equal(await say(through, NOW + 3 * DAY_MS), `released ${id}`, 'also days later')
  t.strictSame(await states(), [`${EVE} released`])
})

t.test('a login behind the gate where header_checks have taken Received away', async (t) => {
  const { lab, boss, say, states, id } = await makeBench(t)
  const folder = join(lab.state, 'decisions')
  mkdirSync(folder, { recursive: true })
  // Given at NOW, to the second.
  const queueId = '4jYhFX0000zKm1'
  const through = { subject: boss, text: 'release', sasl: '', head: '', queueId }
  t.match((await failureOf(() => say(through))).message, 'does not say whose login', 'it may be about to')
  t.match(
    await say(through, NOW + 2 * 60_000),
    /no login, and no Auth/,
    'and then it does not come from there',
  )
  t.match(await say({ ...through, queueId: '3F2A1B7C9D' }), /no login, and no Auth/, 'a short id comes back')
  const line = { at: new Date(NOW).toISOString(), passedAs: queueId, recipients: [] }
  const log = (saslUser: string): void =>
    writeFileSync(
      join(folder, '2026-11-24.jsonl'),
      `${JSON.stringify({ ...line, saslUser, client: '192.0.2.7' })}\n`,
    )
  log('')
  t.match(await say(through), /no login, and no Auth/)
  log('anna')
  t.match(await say(through), /somebody else's login/)
  log('boss')
  t.equal(await say(through), `released ${id}`)
  t.strictSame(await states(), [`${EVE} released`])
})

t.test('a relay of ours vouches for whose sender it has', async (t) => {
  const { lab, desk, boss, say, states, id } = await makeBench(t)
  const folder = join(lab.state, 'decisions')
  mkdirSync(folder, { recursive: true })
  const head = receivedFrom('toeh-reinject.invalid', NOW)
  const through = { subject: boss, text: 'release', sasl: '', head, queueId: '4bQ8Yk2hJnz2' }
  const line = { at: new Date(NOW).toISOString(), passedAs: through.queueId, recipients: [] }
  const log = (client: string, saslUser = ''): void =>
    writeFileSync(join(folder, '2026-11-24.jsonl'), `${JSON.stringify({ ...line, saslUser, client })}\n`)
  const relayed = (changes: Answer = {}, relays = ['10.99.0.2']): Promise<string> => {
    const config = { ...desk.config, moderate: { ...desk.config.moderate, relays } }
    return moderate(
      { ...desk, config, actor: { who: 'toeh', at: NOW + 1000 } },
      mailOf({ ...through, ...changes }),
    )
  }
  log('10.99.0.2')
  t.match(await say(through), /no login, and no Auth.*; it came from 10\.99\.0\.2$/, 'nobody vouches unasked')
  t.match(await relayed({ sender: 'otto@corp.test' }), /no login, and no Auth/, 'another sender')
  t.match(await relayed({ sender: DEPUTY }), /no login, and no Auth/, 'another approver')
  t.match(await relayed({}, ['10.99.0.20', '10.99.0']), /no login, and no Auth/, 'another address')
  log('192.0.2.7')
  t.match(await relayed(), /no login, and no Auth/, 'from elsewhere')
  log('10.99.0.2', 'anna')
  t.match(await relayed(), /somebody else's login/, 'a login counts before it')
  log('10.99.0.2')
  t.match(await relayed({ queueId: '4bQ8Yk2hJnz3', head: '' }), /no login, and no Auth/, 'past the gate')
  t.strictSame(await states(), [`${EVE} held`])
  t.equal(await relayed(), `released ${id}`)
})

/** What our own Postfix writes above a message. */
function receivedFrom(helo: string, at: number): string {
  const date = new Date(at).toUTCString()
  return `Received: from ${helo} (pc [192.0.2.7])\n\tby mx.corp.test (Postfix) with ESMTP id 1; ${date}\n`
}

t.test(
  'a mail that only says it comes from the gate is waited for no longer than the gate takes',
  async (t) => {
    const { sink, boss, deputy, say, states, desk } = await makeBench(t)
    mkdirSync(join(desk.config.state, 'decisions'), { recursive: true })
    const MINUTE_MS = 60_000
    const at = NOW + 6 * MINUTE_MS
    const forged = (when: number, changes: Answer = {}): Promise<string> =>
      say(
        {
          subject: boss,
          text: 'release',
          sasl: '',
          head: receivedFrom('TOEH-reinject.invalid', when),
          ...changes,
        },
        at,
      )
    t.match((await failureOf(() => forged(at))).message, 'does not say whose login')
    t.match((await failureOf(() => forged(at - 4 * MINUTE_MS))).message, 'does not say whose login')
    const dropped: [string, number | string][] = [
      ['six minutes old', NOW],
      ['days old', NOW - 3 * DAY_MS],
      ['of a time to come', at + MINUTE_MS],
      ['of next year', at + 365 * DAY_MS],
      ['without a date', 'Received: from toeh-reinject.invalid (x)\n'],
      ['with one that is none', 'Received: from toeh-reinject.invalid (x); yesterday\n'],
    ]
    for (const [name, when] of dropped) {
      const head = typeof when === 'string' ? when : receivedFrom('toeh-reinject.invalid', when)
      t.match(await forged(0, { head }), /^dropped: no login, and no Auth/, name)
    }
    t.strictSame(sink.mails, [], 'nobody is answered')
    t.strictSame(await states(), [`${EVE} held`])
    const head = `${SIGNED}${receivedFrom('toeh-reinject.invalid', NOW)}`
    t.match(
      await forged(0, { ...AS_DEPUTY, subject: deputy, head }),
      /^released /,
      'a signature counts as ever',
    )
  },
)

t.test('nothing that a stranger writes defers his mail', async (t) => {
  const { sink, say, states } = await makeBench(t)
  const texts = [
    '=?utf-8?B?////?=',
    '=?x-unknown?Q?=FF?=',
    '=?utf-8?Q?',
    '[toeh',
    `[toeh ${'0'.repeat(26)}]`.repeat(500),
    '\0\x01\u{fffd}',
  ]
  for (const subject of texts) {
    const stranger = { subject, text: 'release', from: 'eve@evil.test', sasl: '' }
    t.match(await say(stranger), /^dropped: /, JSON.stringify(subject))
    t.match(await say({ ...stranger, from: BOSS }), /^dropped: /, JSON.stringify(subject))
    t.match(await say({ ...stranger, from: BOSS, head: 'Content-Type: multipart/mixed\n' }), /^dropped: /)
    t.equal(await say({ ...stranger, from: BOSS, sasl: 'boss' }), 'unknown', 'nor what an approver writes')
  }
  t.equal(sink.mails.length, texts.length)
  t.strictSame(await states(), [`${EVE} held`])
})

t.test('many messages of one sender at once are not for answering', async (t) => {
  const { desk, sink } = await makeBench(t)
  for (let n = 0; n < 10; n++) await park(desk.hold, desk.folder, [unknown(EVE)], { queueId: `MANY${n}` })
  const many = desk.hold.waiting()
  t.equal(many.length, 11)
  await tell(desk, desk.hold, many, NOW)
  t.strictSame(
    sink.mails.map(({ recipients }) => recipients.join()),
    [`${BOSS},${DEPUTY}`, 'anna@corp.test'],
  )
  t.match(await noticeTo(sink, BOSS), { subject: 'To approve: 11 messages', token: '' })
})

t.test('whoever is told of an answer is told in the language of the configuration', async (t) => {
  const french = `language = "fr"\n${MODERATE}`
  const yes = await makeBench(t, french)
  t.match((await noticeTo(yes.sink, BOSS)).subject, /^$/, 'the sink begins empty')
  t.match(yes.boss, /^À approuver : message de anna@corp\.test : Invoice \[toeh /)
  t.equal(await yes.say({ subject: yes.boss, text: 'bonjour' }), 'unclear')
  t.match(await toldLast(yes.sink), /^Non compris.*\nRien n’a été fait : la première ligne/)
  t.equal(await yes.say({ subject: yes.boss, text: 'release and know' }), `released ${yes.id}`)
  t.match(
    await toldLast(yes.sink),
    new RegExp(`^Envoyé.*\n[\\s\\S]*${EVE}\n +envoyé \\(SINK\\d+\\); désormais connu\n`),
  )
  const no = await makeBench(t, french)
  t.equal(await no.say({ subject: no.boss, text: 'reject' }), `rejected ${no.id}`)
  t.match(await toldLast(no.sink), /^Refusé.*\nVous avez refusé/)
  const { subject, text } = await noticeTo(no.sink, 'anna@corp.test')
  t.equal(subject, 'Non envoyé : Invoice')
  t.match(text, /examiné et refusé/)
})

/** What Postfix sends back of a notice with this subject. */
function bounceOf(subject: string, action = 'failed'): Buffer {
  return Buffer.from(`From: MAILER-DAEMON@mx.corp.test
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.corp.test

Action: ${action}
Diagnostic-Code: X-Postfix; mailbox\u0007 full

--b
Content-Type: message/rfc822

Subject: ${subject}

--b--
`)
}

t.test('a notice that has come back', async (t) => {
  const { lab, sink, desk, id, boss, deputy, states } = await makeBench(t)
  const say = (bytes: Buffer, { sender = '', at = NOW + 1000, tooLong = false } = {}): Promise<string> => {
    const mail = { ...mailOf({ sender }), saslUser: '', bytes, tooLong }
    return moderate({ ...desk, actor: { ...desk.actor, at } }, mail)
  }
  const told = (): boolean => desk.hold.unnotified().length === 0
  const none: [string, Promise<string>, RegExp][] = [
    ['a delay', say(bounceOf(boss, 'delayed')), /dropped: null sender/],
    ['a number that nobody has', say(bounceOf(`[toeh ${'a'.repeat(26)}]`)), /dropped: null sender/],
    ['no number', say(bounceOf('Invoice')), /dropped: null sender/],
    ['a sender', say(bounceOf(boss), { sender: 'eve@evil.test' }), /dropped: report/],
    ['too long', say(bounceOf(boss), { tooLong: true }), /dropped: null sender/],
  ]
  for (const [name, said, why] of none) t.match(await said, why, name)
  t.strictSame(await desk.audit.list({}), [])
  t.equal(told(), true)

  t.equal(await say(bounceOf(boss)), `the notice of ${id} to an approver has bounced`)
  t.match(await desk.audit.list({}), [
    { who: 'postfix', what: 'bounced', subject: id, was: BOSS, now: 'mailbox\\u{7} full', at: NOW + 1000 },
  ])
  t.equal(told(), true, 'the other approver has his')
  await say(bounceOf(deputy))
  t.equal(told(), false, 'nobody has one')
  t.strictSame(await states(), [`${EVE} held`])
  t.strictSame(sink.mails, [], 'nobody is answered')

  const again = NOW + 2000
  await tell(desk, desk.hold, desk.hold.unnotified(), again)
  t.strictSame(
    sink.mails.map(({ recipients }) => recipients.join()),
    [BOSS, DEPUTY],
    'the sender was told before',
  )
  t.equal(told(), true, 'what came back before says nothing of these')
  lab.change('UPDATE hold SET notified_at = NULL')
  desk.hold.recordNotified([desk.hold.find(id)], NOW)
  t.equal(told(), false, 'a bounce before telling came to its end')
})

t.test('what a sender was told of', async (t) => {
  const { sink, desk, id, boss, deputy, say } = await makeBench(t)
  for (const subject of [boss, deputy])
    await moderate(desk, { ...mailOf({ sender: '' }), bytes: bounceOf(subject) })
  t.equal(desk.hold.find(id).notifiedAt, null)
  t.equal(desk.hold.wasTold(desk.hold.find(id)), true)
  const joined = { ...desk.hold.find(id), notifiedAt: null }
  const later = joined.recipients.map((one) => ({ ...one, changedAt: NOW + 1 }))
  t.equal(desk.hold.wasTold({ ...joined, recipients: later }), false, 'of those who joined since')
  t.strictSame(sink.mails, [])
  await say({ subject: boss, text: 'release' })
  const told = sink.mails.map(({ recipients }) => recipients.join())
  t.strictSame(told, [EVE, 'anna@corp.test', BOSS], 'who was told that it waits is told that it went')
})
