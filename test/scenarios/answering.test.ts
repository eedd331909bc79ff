/**
 * toeh init --moderate on a Postfix as Debian leaves it: what it shows, what it does to mail for moderate.address in each class of
 * addresses, an approver's answer that releases a message, and both files byte for byte as they were after --undo.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { noticeTo } from '../support/approver.js'
import { cannotBeFresh, Debian } from '../support/debian.js'
import { assertDone, assertRefused, NODE, onlyWith, TOEH } from '../support/lab.js'
import { Conversation } from '../support/postfix.js'
import { faultsOfAnswer } from '../support/schema.js'
import { Sink } from '../support/sink.js'

const BOSS = 'boss@company.example'
const EVE = 'eve@stranger.example'
const LETTER = 'Subject: Invoice 4711\n\nPlease pay.\n'

/** Everything in the configuration's folder, byte for byte. */
function filesOf(debian: Debian): Record<string, string> {
  return Object.fromEntries(
    readdirSync(debian.etc).map((name) => [name, readFileSync(join(debian.etc, name), 'latin1')]),
  )
}

async function until(what: string, debian: Debian, condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 40_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`${what}\n${debian.log().slice(-6000)}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

/** Hands in a mail to moderate.address as somebody who has logged in. */
async function answer(debian: Debian, to: string, subject: string, text: string): Promise<string> {
  const conversation = await Conversation.open(25, debian.host)
  try {
    await conversation.say('EHLO pc.company.example\r\n')
    await conversation.say('XCLIENT LOGIN=boss\r\n')
    await conversation.say('EHLO pc.company.example\r\n')
    const head = `From: <${BOSS}>\nTo: <${to}>\nSubject: Re: ${subject}\nMessage-ID: <answer@company.example>\n`
    return await conversation.send(BOSS, [to], `${head}\n${text}\n`)
  } finally {
    conversation.close()
  }
}

/** Another [moderate] of toeh.toml. */
function moderate(debian: Debian, enabled: boolean, address: string): void {
  const text = readFileSync(debian.config, 'utf8')
  const lines = `enabled = ${enabled}\n$1address = "${address}"`
  writeFileSync(
    debian.config,
    text.replace(/(?<=\[moderate\]\n)enabled = .*\n([\s\S]*?)address = .*$/m, lines),
  )
}

t.test('an approver answers', { skip: cannotBeFresh(), timeout: 240_000 }, async (t) => {
  const sink = await Sink.start()
  t.teardown(() => sink.stop())
  const debian = new Debian(t, sink.port)
  debian.postconf(
    '-e',
    `local_transport=smtp:[127.0.0.1]:${sink.port}`,
    `virtual_transport=smtp:[127.0.0.1]:${sink.port}`,
    'alias_maps=inline:{boss=root, anna=root}',
    'smtpd_authorized_xclient_hosts=127.0.0.0/8',
    // Whose table of transports it is that is there already.
    'transport_maps=inline:{other.example=error:no}',
    'virtual_mailbox_domains=shop.example, open.example',
    'virtual_mailbox_maps=inline:{boss@shop.example=x, @open.example=x}',
    'virtual_alias_domains=brand.example',
    'virtual_alias_maps=inline:{@open.example=boss@company.example, anna@brand.example=anna@company.example}',
  )
  debian.start(t)
  assertDone(t, await debian.init('--approver', BOSS), 'made')
  debian.enforce((text) =>
    text
      .replace(/^reinject = .*$/m, `reinject = "smtp:${debian.host}:10026"`)
      .replace(/^interval_minutes = .*$/m, 'interval_minutes = 0')
      .replace(/^logins = .*$/m, `logins = { boss = "${BOSS}" }`),
  )
  const fresh = filesOf(debian)
  assertDone(t, await debian.toeh('init', '--postfix', '--apply', '--reload'), 'are changed')
  const gated = filesOf(debian)

  const to = 'toeh-moderate@company.example'
  await t.rejects(answer(debian, to, 'x', 'release'), /^RCPT TO[\s\S]* was answered 550 5\.1\.1/, 'before')
  const shown = await debian.toeh('init', '--moderate')
  assertDone(t, shown, 'Nothing is changed yet: the same with --apply does it.\n')
  t.match(shown.stdout, `+transport_maps = inline:{${to}=toeh-moderate:}, inline:{other.example=error:no}\n`)
  t.match(
    shown.stdout,
    `\n+local_recipient_maps = inline:{${to}=toeh}, proxy:unix:passwd.byname $alias_maps\n`,
  )
  t.match(
    shown.stdout,
    `Then, under [moderate] in ${debian.config}: enabled = true, address = "${to}". Until then nobody is asked to answer by mail.\n`,
  )
  t.strictSame(filesOf(debian), gated, 'looking changes nothing')

  const applied = await debian.toeh('init', '--moderate', '--apply', '--reload')
  assertDone(t, applied, 'toeh init --moderate --undo puts that back.\nPostfix has read it.\n')
  t.match(
    debian.postconf('-M', 'toeh-moderate/unix'),
    `argv=${NODE} ${TOEH} moderate --config=${debian.config} --sender=`,
  )
  const twice = await debian.toeh('init', '--moderate', '--apply', '--reload', '--json')
  t.strictSame(faultsOfAnswer('init', twice.stdout), [])
  t.match(JSON.parse(twice.stdout), {
    config: debian.config,
    moderate: {
      folder: debian.etc,
      difference: '',
      applied: true,
      backups: [],
      reloaded: false,
      remarks: [],
    },
  })
  moderate(debian, true, to)
  t.notMatch((await debian.toeh('init', '--moderate')).stdout, 'Then, under [moderate]')

  const sendmail = ['env', ...onlyWith(debian.env), '/usr/sbin/sendmail', '-f', 'anna@company.example', EVE]
  t.equal(spawnSync('/usr/bin/env', sendmail.slice(1), { input: LETTER }).status, 0)
  await until('a notice to the approver', debian, () =>
    sink.mails.some(({ recipients }) => recipients[0] === BOSS),
  )
  const { subject, token, replyTo } = await noticeTo(sink, BOSS)
  t.equal(replyTo, to)
  t.not(token, '')
  t.notOk(
    sink.mails.some(({ recipients }) => recipients[0] === EVE),
    'it waits',
  )
  await answer(debian, to, subject, 'Release, thanks.')
  await until('what was held', debian, () => sink.mails.some(({ recipients }) => recipients[0] === EVE))
  const sent = sink.mails.find(({ recipients }) => recipients[0] === EVE)
  t.match(sent?.bytes.toString(), /\r\nSubject: Invoice 4711\r\n[\s\S]*\r\n\r\nPlease pay\.\r\n$/)
  const done = /relay=toeh-moderate, .*status=sent \(.*toeh moderate: released \w{12}\)/
  await until('the end of toeh moderate', debian, () => done.test(debian.log()))
  t.match(debian.log(), done)

  const undone = await debian.toeh('init', '--moderate', '--undo', '--reload')
  assertDone(t, undone, 'are byte for byte what they were.\n')
  t.match(undone.stdout, `enabled = false, under [moderate] in ${debian.config}.`)
  t.strictSame(filesOf(debian), gated, 'and nothing is left beside them')
  await t.rejects(answer(debian, to, 'x', 'release'), /was answered 550 5\.1\.1/, 'after')
  assertRefused(
    t,
    await debian.toeh('init', '--moderate', '--undo'),
    1,
    /nothing of ours is written down there/,
  )

  // In each class: its list of recipients, a catch-all alias, aliases alone.
  const toml = readFileSync(debian.config, 'utf8')
  writeFileSync(
    debian.config,
    toml.replace(
      /^internal_domains = \[/m,
      '$&"gone.example", "shop.example", "open.example", "brand.example", ',
    ),
  )
  const cases: [address: string, delivered: string, said: string][] = [
    ['Say@shop.example', 'Say@shop.example', '+virtual_mailbox_maps = inline:{say@shop.example=toeh}, '],
    [
      'say@open.example',
      'say@open.example',
      'say@open.example is an alias of boss@company.example, and will not be any more.\n',
    ],
    [
      'say@brand.example',
      'say@company.example',
      '+virtual_alias_maps = inline:{say@brand.example=say@company.example}, ',
    ],
  ]
  for (const [address, delivered, said] of cases) {
    moderate(debian, true, address)
    assertDone(t, await debian.toeh('init', '--moderate'), said)
    assertDone(t, await debian.toeh('init', '--moderate', '--apply', '--reload'), 'Postfix has read it.\n')
    await answer(debian, address, 'x', 'hello')
    const line = new RegExp(
      `to=<${delivered}>, (?:orig_to=<${address}>, )?relay=toeh-moderate, .*status=sent`,
    )
    await until(`${address} to reach toeh moderate`, debian, () => line.test(debian.log()))
    t.match(debian.log(), line)
    const back = await debian.toeh('init', '--moderate', '--undo', '--reload', '--json')
    t.strictSame(faultsOfAnswer('init', back.stdout), [])
    t.match(JSON.parse(back.stdout), { moderate: { undone: true, whole: true, left: [], reloaded: true } })
    t.strictSame(filesOf(debian), gated)
  }
  moderate(debian, true, 'say@gone.example')
  assertRefused(
    t,
    await debian.toeh('init', '--moderate', '--apply'),
    1,
    'init --moderate say@gone.example: Postfix delivers no mail for its domain; set moderate.address to one at a domain that Postfix delivers mail for\n',
  )
  t.strictSame(filesOf(debian), gated)

  // The gate is taken out first: what is left of ours goes afterwards, by its own lines.
  moderate(debian, true, to)
  assertDone(t, await debian.toeh('init', '--moderate', '--apply'), 'are changed')
  assertDone(t, await debian.toeh('init', '--postfix', '--undo'), 'are without our lines')
  t.match(debian.postconf('-M', 'toeh-moderate/unix'), 'moderate')
  assertDone(t, await debian.toeh('init', '--moderate', '--undo'), 'are without our lines')
  const services = (text = ''): string[] =>
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.replace(/\s+/g, ' '))
  t.strictSame(services(filesOf(debian)['master.cf']), services(fresh['master.cf']))
  t.strictSame(services(filesOf(debian)['main.cf']), services(fresh['main.cf']))
})
