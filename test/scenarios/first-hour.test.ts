/**
 * docs/first-hour.md as a new administrator would follow it, on a fresh Debian's Postfix: its commands as they stand,
 * and what they print. In the place of the package the test makes what that brings: a user, a configuration and its
 * folders, with the way back on an address of the test's own. TOEH_CONFIG, MAIL_CONFIG and PATH say where things are.
 * The hold's id is that of this run.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cannotBeFresh, Debian } from '../support/debian.js'
import { assertDone, NODE, onlyWith, TOEH } from '../support/lab.js'
import { Sink } from '../support/sink.js'
import { patternOf, readPage, stepsOf } from '../support/walkthrough.js'

const PAGE = readPage('first-hour.md')
const STEPS = stepsOf(PAGE)

/** What Postfix's log has of the first message, in whichever order, and of the other. */
const PASSED =
  /^(?=[\s\S]*toeh observes: passed 1 as )[\s\S]*to=<carl@customer\.example>, relay=127\.0\.0\.1\[.*status=sent/
const HELD = /toeh: held 1 in/

t.test('the page has what the first hour needs, and no more', async (t) => {
  t.ok(STEPS.length + 1 <= 11, `${STEPS.length} commands and the installation`)
  const words = STEPS.map(({ command }) => command).join('\n')
  // In this order: nothing is held before the mode is another.
  const order =
    /toeh init --postfix --apply[\s\S]+sendmail[\s\S]+toeh learn[\s\S]+toeh replay[\s\S]+toeh mode enforce[\s\S]+sendmail/
  t.match(words, order)
  for (const word of ['toeh list', 'toeh show', 'toeh release']) t.match(words, word)
  t.match('a\nx\ny\nb 3\n', patternOf('a\n…\nb …\n'))
  t.notMatch('a\nx\ny\nb 3\nc\n', patternOf('a\n…\nb …\n'), 'this test would notice')
})

t.test('followed to the letter', { skip: cannotBeFresh() }, async (t) => {
  const sink = await Sink.start()
  t.teardown(() => sink.stop())
  const debian = new Debian(t, sink.port)
  debian.postconf('-e', `local_transport=smtp:[127.0.0.1]:${sink.port}`)
  debian.start(t)
  assertDone(t, await debian.init(), 'internal domains: company.example, mail.company.example')
  const text = readFileSync(debian.config, 'utf8')
  const moved = text.replace(/^reinject = .*$/m, `reinject = "smtp:${debian.host}:10026"`)
  t.not(moved, text)
  writeFileSync(debian.config, moved)
  const bin = join(debian.dir, 'bin')
  mkdirSync(bin)
  symlinkSync(TOEH, join(bin, 'toeh'))
  symlinkSync(NODE, join(bin, 'node'))
  const env = { ...debian.env, PATH: `${bin}:${debian.env.PATH}:/usr/sbin` }

  const [shown = ''] = /(?<=^# toeh show )\S+/m.exec(PAGE) ?? []
  let id = shown
  // The world is on loopback here, which replay takes for a filter of this host.
  const log = join(debian.dir, 'world.log')
  const abroad = (text: string): string =>
    text.replace(/relay=127\.0\.0\.1\[127\.0\.0\.1\]:\d+/g, 'relay=mx.customer.example[192.0.2.9]:25')
  for (const { command, output } of STEPS) {
    writeFileSync(log, abroad(debian.log()))
    const { status, stdout, stderr } = spawnSync(
      'env',
      [...onlyWith(env), 'sh', '-c', command.replaceAll(shown, id).replaceAll('/var/log/mail.log', log)],
      { encoding: 'utf8' },
    )
    t.same([status, stderr], [0, ''], command)
    if (command.startsWith('toeh list')) id = /^[0-9a-z]{12}/.exec(stdout)?.[0] ?? ''
    const said = stdout
      // A machine with too much to do does not get through the attachments in show's four seconds.
      .replace(/^the message could not be read to its end: .* within \d+ s\n/m, '')
      .replaceAll(id, shown)
      .replace(/(?<=toeh mode \w+) --config \S+/g, '')
      .replaceAll(debian.config, '/etc/toeh/toeh.toml')
      .replaceAll(debian.etc, '/etc/postfix')
      .replaceAll(`${debian.host}:10026`, '127.0.0.1:10026')
      .replaceAll(`${debian.host}:smtp/inet`, 'smtp/inet')
    t.match(said, patternOf(output), command)
    if (!command.includes('sendmail')) continue
    const [seen, unseen] = command.includes('carl@') ? [PASSED, HELD] : [HELD, undefined]
    for (let tries = 0; !seen.test(debian.log()) && tries < 200; tries++)
      await new Promise((done) => setTimeout(done, 100))
    t.match(debian.log(), seen)
    if (unseen !== undefined) t.notMatch(debian.log(), unseen, 'the first day is quiet')
  }
  const released = (): boolean =>
    sink.mails.some(({ recipients }) => recipients[0] === 'eve@supplier.example')
  for (let tries = 0; !released() && tries < 200; tries++) await new Promise((done) => setTimeout(done, 100))
  const mail = sink.mails.find(({ recipients }) => recipients[0] === 'eve@supplier.example')
  t.match(mail?.bytes.toString(), /\r\nSubject: Invoice 4711\r\n[\s\S]*\r\n\r\nPlease pay\.\r\n$/)
})
