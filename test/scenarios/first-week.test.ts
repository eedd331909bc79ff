/**
 * docs/first-week.md as an administrator would follow it on a fresh Debian's Postfix: its commands as they stand, and what they
 * print; between them boss answers by mail, as somebody who has logged in. What the package brings, a user, a configuration and
 * its folders, is made as in the first hour; test/scenarios/deb.test.ts has the package itself.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { noticeTo } from '../support/approver.js'
import { cannotBeFresh, Debian } from '../support/debian.js'
import { assertDone, NODE, onlyWith, TOEH } from '../support/lab.js'
import { Conversation } from '../support/postfix.js'
import { Sink } from '../support/sink.js'
import { patternOf, readPage, stepsOf } from '../support/walkthrough.js'

const STEPS = stepsOf(readPage('first-week.md'))
const ANNA = 'anna@company.example'
const BOSS = 'boss@company.example'
const EVE = 'eve@supplier.example'

t.test('the page has the week in its order', async (t) => {
  const commands = STEPS.map(({ command }) => command).join('\n')
  t.match(
    commands,
    /init --postfix --apply[\s\S]+init --moderate --apply[\s\S]+doctor[\s\S]+sendmail[\s\S]+learn[\s\S]+replay[\s\S]+mode enforce[\s\S]+sendmail[\s\S]+audit/,
  )
})

t.test('followed to the letter', { skip: cannotBeFresh(), timeout: 240_000 }, async (t) => {
  const sink = await Sink.start()
  t.teardown(() => sink.stop())
  const debian = new Debian(t, sink.port)
  debian.postconf(
    '-e',
    `local_transport=smtp:[127.0.0.1]:${sink.port}`,
    'alias_maps=inline:{boss=root, anna=root}',
    'smtpd_authorized_xclient_hosts=127.0.0.0/8',
  )
  debian.start(t)
  assertDone(t, await debian.init('--language', 'en'), 'internal domains: company.example')
  writeFileSync(
    debian.config,
    readFileSync(debian.config, 'utf8').replace(/^reinject = .*$/m, `reinject = "smtp:${debian.host}:10026"`),
  )
  const bin = join(debian.dir, 'bin')
  mkdirSync(bin)
  symlinkSync(TOEH, join(bin, 'toeh'))
  symlinkSync(NODE, join(bin, 'node'))
  const env = { ...debian.env, PATH: `${bin}:${debian.env.PATH}:/usr/sbin` }
  const log = join(debian.dir, 'world.log')
  const until = async (what: string, condition: () => boolean): Promise<void> => {
    for (const end = Date.now() + 60_000; !condition(); ) {
      if (Date.now() > end) throw new Error(`${what}: not within a minute\n${debian.log().slice(-6000)}`)
      await new Promise((done) => setTimeout(done, 50))
    }
  }
  const got = (address: string, pattern: RegExp): boolean =>
    sink.mails.some(
      ({ recipients, bytes }) => recipients[0] === address && pattern.test(bytes.toString('latin1')),
    )

  for (const { command, output } of STEPS) {
    // The world is on loopback here, which replay takes for a filter of this host.
    writeFileSync(
      log,
      debian
        .log()
        .replace(/relay=127\.0\.0\.1\[127\.0\.0\.1\]:\d+/g, 'relay=mx.customer.example[192.0.2.9]:25'),
    )
    const line = command.replaceAll('/var/log/mail.log', log).replaceAll('/etc/toeh/toeh.toml', debian.config)
    const { status, stdout, stderr } = spawnSync('env', [...onlyWith(env), 'sh', '-c', line], {
      encoding: 'utf8',
    })
    t.same([status, stderr], [0, ''], command)
    t.match(stdout.replace(/(?<=toeh mode \w+) --config \S+/g, ''), patternOf(output), command)
    if (command.includes('carl@')) {
      await until('a quiet day', () => got('carl@customer.example', /\r\nSubject: Offer\r\n/))
      t.notOk(got(ANNA, /./), 'nobody is told of anything')
    }
    if (!command.includes(EVE)) continue
    await until('a notice to the approver', () => got(BOSS, /./))
    await until('a notice to the employee', () => got(ANNA, /Invoice 4711/))
    t.notOk(got(EVE, /./), 'it waits')
    const { subject, replyTo } = await noticeTo(sink, BOSS)
    t.match(subject, /^To approve/)
    t.equal(replyTo, 'toeh-moderate@company.example')
    const told = sink.mails.filter(({ recipients }) => recipients[0] === ANNA).length
    const conversation = await Conversation.open(25, debian.host)
    await conversation.say('EHLO pc.company.example\r\n')
    await conversation.say('XCLIENT LOGIN=boss\r\n')
    await conversation.say('EHLO pc.company.example\r\n')
    const head = `From: <${BOSS}>\nTo: <${replyTo}>\nSubject: Re: ${subject}\nMessage-ID: <answer@company.example>\n`
    await conversation.send(BOSS, [replyTo], `${head}\nrelease\n`)
    conversation.close()
    await until('what was held', () =>
      got(EVE, /\r\nSubject: Invoice 4711\r\n[\s\S]*\r\n\r\nPlease pay\.\r\n$/),
    )
    await until(
      'word to the employee',
      () => sink.mails.filter(({ recipients }) => recipients[0] === ANNA).length > told,
    )
    const word = await noticeTo(sink, ANNA)
    t.match(word.text, BOSS, 'by whom it was released')
    await until('the end of toeh moderate', () => /toeh moderate: released/.test(debian.log()))
  }
})
