/**
 * The relay on port 25: `toeh init --postfix --relay` on a Debian's Postfix, and what becomes of every kind of mail that
 * port takes. Clients are told apart by their loopback address.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Finding } from '../../lib/doctor/examine.js'
import type { Decision } from '../../lib/logs/decisionlog.js'
import { cannotBeFresh, Debian } from '../support/debian.js'
import { type Answer, find, paste } from '../support/doctor.js'
import { assertDone, assertRefused } from '../support/lab.js'
import { Mends } from '../support/mends.js'
import { Conversation, isEmptyQueue } from '../support/postfix.js'
import { plainLogin, startSaslServer } from '../support/saslserver.js'
import { Sink } from '../support/sink.js'

const skip = cannotBeFresh()
const HERE = '127.0.0.1'
const EXCHANGE = '127.8.0.2'
const INTERNET = '127.99.0.9'
const OWN = 'anna@company.example'
const COLLEAGUE = 'bob@company.example'

function about(subject: string): string {
  return `Subject: ${subject}\r\n\r\nBody\r\n.\r\n`
}

/** What a text of SMTP says line by line, each answered before the next. */
class Port25 {
  readonly debian: Debian
  readonly sink: Sink

  constructor(debian: Debian, sink: Sink) {
    this.debian = debian
    this.sink = sink
  }

  async open(from: string): Promise<Conversation> {
    const conversation = await Conversation.open(25, this.debian.host, from)
    await conversation.say('EHLO client.example\r\n')
    return conversation
  }

  /** One message. @returns its queue id; or the first refusal, by its status */
  async send(from: string, sender: string, recipients: readonly string[], login?: string): Promise<string> {
    const conversation = await this.open(from)
    try {
      if (login !== undefined) await conversation.say(plainLogin(login))
      return await conversation.send(sender, recipients, `Subject: relay\n\nBody\n`)
    } catch (error) {
      return /was answered (\d{3} \d\.\d\.\d)/.exec(String(error))?.[1] ?? String(error)
    } finally {
      conversation.close()
    }
  }

  async settled(): Promise<void> {
    for (let tries = 0; !isEmptyQueue(join(this.debian.dir, 'queue')); tries++) {
      if (tries > 600) throw new Error(this.debian.log().slice(-6000))
      await new Promise((done) => setTimeout(done, 50))
    }
  }

  /** Every recipient that somebody was sent to, once the queue is empty. */
  async reached(): Promise<string[]> {
    await this.settled()
    // Notices have the null sender, and what else has it is held in these tests.
    return this.sink.mails.filter(({ sender }) => sender !== '').flatMap(({ recipients }) => recipients)
  }

  /** What the gate decided about a recipient: `pass allowed`. */
  decided(): Map<string, string> {
    const folder = join(this.debian.state, 'decisions')
    const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    const decisions = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Decision)
    return new Map(
      decisions.flatMap(({ recipients }) =>
        recipients.map(({ to, verdict, reason }): [string, string] => [to, `${verdict} ${reason}`]),
      ),
    )
  }
}

async function makeDebian(t: Test, ...settings: string[]): Promise<{ debian: Debian; sink: Sink }> {
  const sink = await Sink.start()
  t.teardown(() => sink.stop())
  const debian = new Debian(t, sink.port)
  debian.postconf(
    '-e',
    'mynetworks=127.0.0.0/24 127.8.0.0/29',
    `local_transport=smtp:[127.0.0.1]:${sink.port}`,
    'local_recipient_maps=inline:{ {anna=1}, {bob=1}, {postmaster=1} }',
    'virtual_alias_maps=inline:{ {team@company.example = bob@company.example} }',
    ...settings,
  )
  assertDone(t, await debian.init(), 'internal domains: company.example')
  debian.enforce((text) => text.replace(/^reinject = .*$/m, `reinject = "smtp:${debian.host}:10026"`))
  return { debian, sink }
}

async function start(t: Test, ...settings: string[]): Promise<Port25> {
  const { debian, sink } = await makeDebian(t, ...settings)
  assertDone(
    t,
    await debian.toeh('init', '--postfix', '--relay', '127.0.0.0/24,127.8.0.2', '--apply'),
    /127\.0\.0\.0\/24 127\.8\.0\.2 relay, and all of it that goes outside meets the gate/,
  )
  assertDone(t, await debian.toeh('allow', 'known.example'), /^rule/)
  debian.start(t)
  return new Port25(debian, sink)
}

/** The cases of a relay, whatever else Postfix is told; who reaches whom, and what the gate was asked. */
async function play(t: Test, port: Port25): Promise<void> {
  const sent: [title: string, from: string, sender: string, recipients: string[], answer: RegExp][] = [
    ['known', EXCHANGE, OWN, ['a1@known.example'], /^\w{11}/],
    ['unknown', EXCHANGE, OWN, ['a2@stranger.example'], /^\w{11}/],
    ['mixed', EXCHANGE, OWN, ['a3@known.example', 'a3@stranger.example'], /^\w{11}/],
    ['mixed with a colleague first', EXCHANGE, OWN, [COLLEAGUE, 'a4@stranger.example'], /^\w{11}/],
    ['the null sender', EXCHANGE, '', ['a5@stranger.example'], /^\w{11}/],
    ['a foreign sender', EXCHANGE, 'eve@evil.example', ['a6@known.example'], /^\w{11}/],
    ['a printer', EXCHANGE, 'printer@company.example', ['a7@stranger.example'], /^\w{11}/],
    ['a program of this host', HERE, OWN, ['a8@stranger.example'], /^\w{11}/],
    ['an odd recipient of our own domain', EXCHANGE, OWN, ['a9%stranger.example@company.example'], /^\w{11}/],
    [
      'what another server of ours hands in from outside',
      EXCHANGE,
      'eve@evil.example',
      [COLLEAGUE],
      /^\w{11}/,
    ],
    ['the Internet to us', INTERNET, 'eve@evil.example', ['anna@company.example'], /^\w{11}/],
    ['the Internet to an alias of ours', INTERNET, 'eve@evil.example', ['team@company.example'], /^\w{11}/],
    ['the Internet with our sender', INTERNET, OWN, ['anna@company.example'], /^\w{11}/],
    ['an open relay it is not', INTERNET, 'eve@evil.example', ['b1@known.example'], /^[45]54 [45]\.7\.1/],
    ['nor with our sender', INTERNET, OWN, ['b2@known.example'], /^[45]54 [45]\.7\.1/],
    ['nor by way of us', INTERNET, OWN, ['b3%known.example@company.example'], /^[45]54 [45]\.7\.1/],
    ['a network that was not named', '127.8.0.3', OWN, ['b4@known.example'], /^[45]54 [45]\.7\.1/],
  ]
  for (const [title, from, sender, recipients, answer] of sent)
    t.match(await port.send(from, sender, recipients), answer, title)

  const many = await port.open(EXCHANGE)
  await many.send(OWN, [COLLEAGUE], 'Subject: one\n\nBody\n')
  await many.send(OWN, ['c1@stranger.example'], 'Subject: two\n\nBody\n')
  await many.send(OWN, ['c2@known.example'], 'Subject: three\n\nBody\n')
  // What was said before RSET is forgotten, the filter too.
  await many.say(`MAIL FROM:<${OWN}>\r\n`)
  await many.say(`RCPT TO:<${COLLEAGUE}>\r\n`)
  await many.say('RSET\r\n')
  await many.send(OWN, ['c3@stranger.example'], 'Subject: four\n\nBody\n')
  await many.say(`MAIL FROM:<${OWN}>\r\n`)
  await t.rejects(many.say('RCPT TO:<nobody@company.example>\r\n'), /550 5\.1\.1/)
  await many.say('RCPT TO:<c4@stranger.example>\r\n')
  await many.say('DATA\r\n')
  await many.say(about('after one that is not'))
  await many.say(`MAIL FROM:<${OWN}>\r\n`)
  await many.say('RCPT TO:<c5@stranger.example>\r\n')
  const chunk = 'Subject: chunks\r\n\r\nBody\r\n'
  await many.say(`BDAT ${chunk.length} LAST\r\n${chunk}`)
  many.close()
  const hasty = await port.open(EXCHANGE)
  hasty.push(`MAIL FROM:<${OWN}>\r\nRCPT TO:<${COLLEAGUE}>\r\nRCPT TO:<c6@stranger.example>\r\nDATA\r\n`)
  for (let replies = 0; replies < 4; replies++) await hasty.say('')
  await hasty.say(about('pipelined'))
  hasty.close()

  const reached = await port.reached()
  t.same(
    reached.filter((address) => !/^(?:anna|bob)@company\.example$/.test(address)).sort(),
    ['a1@known.example', 'a3@known.example', 'c2@known.example'],
    'what is known goes on, and nothing else leaves',
  )
  t.same(
    reached.filter((address) => /^(?:anna|bob)@/.test(address)).sort(),
    ['anna@company.example', 'anna@company.example', ...Array(5).fill('bob@company.example')],
    'what comes for us is not held',
  )
  const decided = port.decided()
  t.match(Object.fromEntries(decided), {
    'a1@known.example': 'pass allowed',
    'a2@stranger.example': 'hold unknown',
    'a3@known.example': 'pass allowed',
    'a3@stranger.example': 'hold unknown',
    'a4@stranger.example': 'hold unknown',
    'a5@stranger.example': 'hold unknown',
    'a6@known.example': 'hold foreign-sender',
    'a7@stranger.example': 'hold unknown',
    'a8@stranger.example': 'hold unknown',
    'a9%stranger.example@company.example': 'hold malformed',
    'c1@stranger.example': 'hold unknown',
    'c3@stranger.example': 'hold unknown',
    'c4@stranger.example': 'hold unknown',
    'c5@stranger.example': 'hold unknown',
    'c6@stranger.example': 'hold unknown',
  })
  for (const [to] of decided) t.notMatch(to, /^(?:anna@|team@|b\d)/, 'the Internet is not asked about')
  t.notMatch(port.debian.log(), /warning: restriction/, 'smtpd(8) finds nothing odd in the list')
}

t.test('every kind of mail', { skip }, async (t) => play(t, await start(t)))

t.test('with smtpd_delay_reject=no', { skip }, async (t) => play(t, await start(t, 'smtpd_delay_reject=no')))

t.test('behind postscreen', { skip }, async (t) => {
  const { debian, sink } = await makeDebian(t)
  debian.edit(
    'master.cf',
    /^smtp {6}inet .*$/m,
    `smtp      inet  n       -       y       -       1       postscreen
smtpd     pass  -       -       y       -       -       smtpd
dnsblog   unix  -       -       y       -       0       dnsblog
tlsproxy  unix  -       -       y       -       0       tlsproxy`,
  )
  const command = ['init', '--postfix', '--relay', '127.0.0.0/24,127.8.0.2', '--apply']
  assertDone(t, await debian.toeh(...command), 'smtpd/pass: 127.0.0.0/24 127.8.0.2 relay')
  assertDone(t, await debian.toeh('allow', 'known.example'), /^rule/)
  debian.start(t)
  await play(t, new Port25(debian, sink))
})

t.test('who logs in on port 25', { skip }, async (t) => {
  const port = await start(t, ...(await startSaslServer(t)))
  t.match(await port.send(INTERNET, OWN, ['d1@stranger.example'], 'anna'), /^\w{11}/)
  t.match(await port.send(INTERNET, OWN, ['d2@known.example'], 'anna'), /^\w{11}/)
  t.match(await port.send(INTERNET, OWN, ['d3@known.example']), /^[45]54 [45]\.7\.1/)
  t.same(await port.reached(), ['d2@known.example'])
  const { 'd1@stranger.example': held } = Object.fromEntries(port.decided())
  t.equal(held, 'hold unknown')
})

/** What EHLO offers to a client. */
async function offers(port: Port25, from: string): Promise<string> {
  const conversation = await Conversation.open(25, port.debian.host, from)
  const reply = await conversation.say('EHLO client.example\r\n')
  conversation.close()
  return reply
}

t.test('no success is reported for what is held, and what fits in goes on', { skip }, async (t) => {
  const port = await start(
    t,
    'message_size_limit=300000',
    'smtpd_discard_ehlo_keyword_address_maps=cidr:{ {127.7.0.0/16 chunking} }',
    'smtpd_discard_ehlo_keywords=silent-discard,vrfy',
  )
  t.match(await offers(port, INTERNET), /\bDSN\b/, 'the Internet may ask for receipts as before')
  for (const from of [EXCHANGE, HERE]) {
    t.notMatch(await offers(port, from), /\b(?:DSN|VRFY)\b/)
    const asking = await port.open(from)
    await asking.say(`MAIL FROM:<${OWN}>\r\n`)
    await t.rejects(
      asking.say('RCPT TO:<e1@stranger.example> NOTIFY=SUCCESS\r\n'),
      /was answered 501 5\.7\.1 DSN support is disabled/,
      'and it is not taken unoffered',
    )
    asking.close()
  }
  const body = `Subject: large\n\n${'x'.repeat(98)}\n`
  const large = body + `${'x'.repeat(98)}\n`.repeat(2980)
  const whole = await port.open(EXCHANGE)
  t.match(await whole.send(OWN, ['e2@known.example'], large), /^\w{11}/)
  whole.close()
  t.same(await port.reached(), ['e2@known.example'])
})

t.test('shown, made, made again, changed, undone', { skip }, async (t) => {
  const { debian } = await makeDebian(t)
  const table = join(debian.dir, 'toeh/toeh-clients')
  const before = [debian.read('main.cf'), debian.read('master.cf')]
  const plain = await debian.toeh('init', '--postfix')
  assertDone(
    t,
    plain,
    `smtp/inet relays for 127.0.0.0/24 127.8.0.0/29, and none of that meets the gate. To put it there: toeh init --postfix --relay 127.0.0.0/24,127.8.0.0/29 --config ${debian.config}\n`,
  )
  const command = ['init', '--postfix', '--relay', '127.0.0.0/24', '--relay', '127.8.0.2, 2001:db8::/64']
  const shown = await debian.toeh(...command)
  assertDone(t, shown, `+++ ${table} (changed)\n`)
  t.match(shown.stdout, '\n+127.8.0.2 toeh_gate\n+2001:db8::/64 toeh_gate\n')
  t.match(
    shown.stdout,
    'smtp/inet: 127.8.0.0/29 may relay today and may not any more. To let them: toeh init --postfix --relay 127.0.0.0/24,127.8.0.2,2001:db8::/64,127.8.0.0/29',
  )
  t.match(shown.stdout, /Queue ids become long.*logwatch/)
  t.throws(() => statSync(table), 'nothing is made')
  t.same([debian.read('main.cf'), debian.read('master.cf')], before)

  assertDone(t, await debian.toeh(...command, '--apply'), 'postfix check finds nothing wrong')
  t.equal(statSync(table).mode & 0o7777, 0o644)
  t.match(debian.postconf('-P', 'smtp/inet/smtpd_relay_restrictions'), '= $toeh_relay_restrictions')
  t.match(
    debian.postconf('-h', 'toeh_relay_restrictions'),
    `check_client_access cidr:${table}, defer_unauth_destination\n`,
  )
  const again = await debian.toeh(...command, '--apply', '--json')
  t.match(JSON.parse(again.stdout), { postfix: { difference: '', backups: [] } })
  const without = await debian.toeh('init', '--postfix', '--json')
  t.match(JSON.parse(without.stdout), { postfix: { difference: '' } }, 'without --relay it stays')
  t.notMatch(without.stdout, 'relays for')
  const fewer = await debian.toeh('init', '--postfix', '--relay', '127.0.0.0/24', '--apply')
  assertDone(t, fewer, '\n')
  t.notMatch(readFileSync(table, 'utf8'), '127.8.0.2')

  assertDone(t, await debian.toeh('init', '--postfix', '--undo'), 'byte for byte what they were')
  t.same([debian.read('main.cf'), debian.read('master.cf')], before)
  t.throws(() => statSync(table), 'the table is gone')

  writeFileSync(table, '# of an administrator\n', { mode: 0o644 })
  await debian.toeh(...command, '--apply')
  await debian.toeh('init', '--postfix', '--undo')
  t.equal(readFileSync(table, 'utf8'), '# of an administrator\n', 'what was there is there again')
  await debian.toeh(...command, '--apply')
  writeFileSync(table, `${readFileSync(table, 'utf8')}127.8.0.3 toeh_gate\n`)
  const left = await debian.toeh('init', '--postfix', '--undo')
  assertDone(t, left, `${table} is left: somebody has changed it. Postfix asks it no more.\n`)
  t.match(readFileSync(table, 'utf8'), '127.8.0.3 toeh_gate')
  t.same([debian.read('main.cf'), debian.read('master.cf')], before)
})

t.test('what a relay means for answers by mail, and for the express lane', { skip }, async (t) => {
  const { debian } = await makeDebian(t)
  const text = readFileSync(debian.config, 'utf8')
  const set = (moderate: string): void =>
    writeFileSync(
      debian.config,
      text
        .replace('approvers = []', 'approvers = ["boss@company.example"]')
        .replace(/^\[moderate\]\nenabled = false/m, '[moderate]\nenabled = true')
        .replace('address = ""', 'address = "toeh@company.example"')
        .replace(/^\[express\]\nenabled = false/m, '[express]\nenabled = true')
        .replace('relays = []', moderate),
    )
  const command = ['init', '--postfix', '--relay', '127.0.0.0/24,10.99.0.2']
  const said = /^approvers who answer by mail through 10\.99\.0\.2 have no login there: .*moderate\.relays/m
  const lane = /^The express lane is not on port 25: what relays there goes through the filter/m
  const before = await debian.toeh(...command)
  assertDone(t, before, '\n')
  t.notMatch(before.stdout, said, 'nobody answers by mail')
  t.notMatch(before.stdout, lane, 'there is no lane')
  set('relays = []')
  const shown = await debian.toeh(...command, '--apply')
  assertDone(t, shown, said)
  t.match(shown.stdout, lane)
  assertDone(
    t,
    await debian.toeh('init', '--moderate', '--apply'),
    'toeh init --moderate --undo puts that back.',
  )
  assertDone(t, await debian.toeh('init', '--postfix'), said)
  const answers = async (): Promise<string> => {
    const { stdout } = await debian.toeh('doctor', '--json')
    const { checks } = JSON.parse(stdout) as { checks: Finding[] }
    const found = checks.find(({ check }) => check === 'answers')
    return `${found?.level} ${found?.faults.map(({ what }) => what).join()}${found?.good}`
  }
  t.match(await answers(), /^warning approvers' answers by mail through 10\.99\.0\.2 are dropped$/)
  set('relays = ["10.99.0.2"]')
  t.notMatch((await debian.toeh(...command)).stdout, said)
  t.match(await answers(), /^good approvers who answer by mail are heard/)
})

t.test('beside what an administrator has', { skip }, async (t) => {
  const { debian } = await makeDebian(
    t,
    'smtpd_restriction_classes=mine',
    'mine=reject_unknown_sender_domain',
    'smtpd_relay_restrictions=reject_non_fqdn_recipient, permit_mynetworks, check_sender_access inline:{ {x@y.example = mine} } reject_unauth_destination',
    'smtpd_discard_ehlo_keyword_address_maps=cidr:{ {127.7.0.0/16 chunking} }',
  )
  assertDone(t, await debian.toeh('init', '--postfix', '--relay', '127.0.0.0/24', '--apply'), 'postfix check')
  const table = join(debian.dir, 'toeh/toeh-clients')
  t.equal(debian.postconf('-h', 'smtpd_restriction_classes'), 'mine, toeh_gate\n')
  t.equal(
    debian.postconf('-h', 'toeh_relay_restrictions'),
    `reject_non_fqdn_recipient, check_client_access cidr:${table}, check_sender_access inline:{ {x@y.example = mine} } reject_unauth_destination\n`,
    'in its order',
  )
  t.match(
    debian.postconf('-P', 'smtp/inet/smtpd_discard_ehlo_keyword_address_maps'),
    `cidr:{,{127.7.0.0/16,chunking},},pipemap:{cidr:${table},static:{silent-discard,dsn}}`,
  )
  assertDone(t, await debian.toeh('init', '--postfix', '--undo'), 'byte for byte')
})

t.test('what would still go round is refused, and nothing is made', { skip }, async (t) => {
  const { debian } = await makeDebian(t)
  const before = debian.read('master.cf')
  const cases: [settings: string[], networks: string, status: number, line: RegExp][] = [
    [[], '127.0.0.1/8', 2, /init --relay "127\.0\.0\.1\/8": .*; the network it lies in is 127\.0\.0\.0\/8$/m],
    [[], 'exchange.company.example', 2, /that is no IP address and no network; such as/],
    [[], '0.0.0.0/0', 2, /that is half the Internet, and an open relay/],
    [[], ',', 2, /init --relay: it names nobody/],
    [
      ['smtpd_relay_restrictions=permit_mynetworks, permit_tls_all_clientcerts, reject_unauth_destination'],
      '127.0.0.1',
      1,
      /smtp\/inet: permit_tls_all_clientcerts would still let whoever has a certificate send outside without the gate/,
    ],
    [
      ['smtpd_relay_restrictions=check_client_access cidr:{ {192.0.2.7 OK} }, reject_unauth_destination'],
      '127.0.0.1',
      1,
      /cidr:\{ \{192\.0\.2\.7 OK\} \} would still let 192\.0\.2\.7 send outside/,
    ],
    [
      [
        'smtpd_relay_restrictions=check_recipient_access inline:{ {a@partner.example = OK} }, defer_unauth_destination',
      ],
      '127.0.0.1',
      1,
      /would still let anybody send outside without the gate/,
    ],
    [
      [
        'smtpd_restriction_classes=office',
        'office=permit_mynetworks',
        'smtpd_relay_restrictions=office, reject_unauth_destination',
      ],
      '127.0.0.1',
      1,
      /permit_mynetworks would still let 127\.0\.0\.0\/24 send outside/,
    ],
    [
      [
        'smtpd_relay_restrictions=',
        'smtpd_recipient_restrictions=permit_mynetworks, reject_unauth_destination',
        'smtpd_data_restrictions=check_client_access static:{FILTER scan:x}',
      ],
      '127.0.0.1',
      1,
      /FILTER scan:x would still let/,
    ],
    [
      ['smtpd_proxy_filter=127.0.0.1:8025'],
      '127.0.0.1',
      1,
      /smtpd_proxy_filter=127\.0\.0\.1:8025 takes its mail/,
    ],
  ]
  const main = debian.read('main.cf')
  for (const [settings, networks, status, line] of cases) {
    debian.write('main.cf', main)
    if (settings.length > 0) debian.postconf('-e', ...settings)
    const refused = await debian.toeh('init', '--postfix', '--relay', networks, '--apply')
    assertRefused(t, refused, status, line)
  }
  t.equal(debian.read('master.cf'), before)
})

t.test('what doctor says of port 25, and what mends it', { skip }, async (t) => {
  const { debian, sink } = await makeDebian(t)
  // A second address, for the company alone and with the gate, is right as it is.
  const second = debian.host.replace(/\d+$/, (last) => String((Number(last) % 250) + 1))
  debian.write(
    'master.cf',
    `${debian.read('master.cf')}${second}:smtp inet n - y - - smtpd
  -o content_filter=toeh:dummy
  -o smtpd_client_restrictions=permit_mynetworks,reject
  -o smtpd_discard_ehlo_keywords=silent-discard,dsn
  -o message_size_limit=10000000
`,
  )
  assertDone(t, await debian.toeh('init', '--postfix', '--apply'), 'relays for 127.0.0.0/24 127.8.0.0/29')
  assertDone(t, await debian.toeh('allow', 'known.example'), /^rule/)
  debian.start(t)
  const faults = async (check: string): Promise<Answer['checks'][number]['faults']> => {
    const { stdout } = await debian.toeh('doctor', '--json', '--config-dir', debian.etc)
    return find(JSON.parse(stdout) as Answer, check)?.faults ?? []
  }
  const [fault, another] = await faults('port-25')
  t.equal(another, undefined)
  t.match(fault, { what: `${debian.host}:smtp/inet relays for 127.0.0.0/24 127.8.0.0/29, without the gate` })
  paste(fault?.mend ?? [])
  execFileSync('/usr/sbin/postfix', ['-c', debian.etc, 'reload'], { stdio: 'pipe' })
  for (const check of ['port-25', 'dsn', 'size-limits', 'access-tables'])
    t.same(await faults(check), [], check)

  // What has come down on the way back, since init raised it, is raised again; nobody is given less.
  debian.postconf('-PX', `${debian.host}:10026/inet/message_size_limit`)
  const [narrow] = await faults('size-limits')
  t.match(narrow, { what: `${debian.host}:smtp/inet takes 10240000 bytes, the way back 10240000` })
  paste(narrow?.mend ?? [])
  t.same(await faults('size-limits'), [])
  const mended = new Mends('scenarios/relay.test')
  mended.tried(narrow === undefined ? [] : [narrow])
  mended.assertAllTried(t)

  const port = new Port25(debian, sink)
  // Whoever was served before is served after it: a copier and an ERP of the network, and webmail of this host.
  for (const [from, sender] of [
    [EXCHANGE, 'copier@company.example'],
    ['127.8.0.5', 'erp@company.example'],
    [HERE, OWN],
  ] as const)
    t.match(await port.send(from, sender, ['f0@stranger.example']), /^\w{11}/, `${from} ${sender}`)
  await port.send(EXCHANGE, OWN, ['f1@known.example'])
  await port.send(EXCHANGE, OWN, ['f1@stranger.example'])
  await port.send(INTERNET, 'eve@evil.example', [OWN])
  const beside = await Conversation.open(25, second, EXCHANGE)
  await beside.say('EHLO client.example\r\n')
  await beside.send(OWN, ['f2@known.example'], 'x')
  await beside.send(OWN, ['f2@stranger.example'], 'x')
  beside.close()
  t.same((await port.reached()).sort(), [OWN, 'f1@known.example', 'f2@known.example'])
})
