/** The month: learn a company's landscape from three weeks of its logs, replay the fourth with an attacker in it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { INTERNAL, writeLogs } from '../../examples/make-logs.js'
import type { Candidate } from '../../lib/learn/candidates.js'
import type { ReplayReport } from '../../lib/learn/replay.js'
import { LineParser } from '../../lib/logs/maillog.js'
import { assertDone, makeLab } from '../support/lab.js'
import { Conversation, cannotRun, Postfix } from '../support/postfix.js'

t.test('three weeks learned, the fourth replayed', { timeout: 240_000 }, async (t) => {
  const lab = makeLab(t)
  writeFileSync(lab.config, `state = ${JSON.stringify(lab.state)}\ninternal_domains = ["${INTERNAL}"]\n`)
  const folder = join(lab.dir, 'logs')
  const attacks = await writeLogs(folder, 100_000, 1)
  t.equal(attacks.length, 20)
  const week = (number: number): string => join(folder, `mail.log.week${number}`)

  const learned = await lab.toeh('learn', 'log', week(3), week(1), week(2), '--apply')
  assertDone(t, learned, /\n\d+ rules added\n$/)
  t.match(learned.stdout, /\n\d+ lines, 0 broken, \d+ deliveries, 2026-10-05 to 2026-10-25\n/)
  assertDone(t, await lab.toeh('learn', 'log', week(1), week(2), week(3), '--apply'), /\n0 rules added\n$/)

  // The fourth week proposed as well: what the attacker made to be taken for another is marked, and little else.
  const proposed = await lab.toeh('learn', 'log', week(4), '--json')
  const { candidates } = JSON.parse(proposed.stdout) as { candidates: Candidate[] }
  const marked = new Set(
    candidates
      .filter(({ remarks }) => remarks.some(({ kind }) => kind === 'alike'))
      .map(({ value }) => value),
  )
  const forged = attacks.filter(
    ({ how }) => !['a stranger', 'a known name at a freemail domain'].includes(how),
  )
  t.ok(forged.length >= 6, 'there are some')
  for (const { recipient, how } of forged) {
    const domain = recipient.slice(recipient.lastIndexOf('@') + 1)
    t.ok(marked.has(recipient) || marked.has(domain), `${recipient}: ${how}`)
  }
  t.comment(`${marked.size} of ${candidates.length} candidates of week 4 are marked`)
  t.ok(marked.size < forged.length + candidates.length / 5, 'so few that a person looks at them')

  const { code, stdout } = await lab.toeh('replay', week(4), '--json')
  t.equal(code, 0)
  const report = JSON.parse(stdout) as ReplayReport & { broken: number }
  t.equal(report.broken, 0)
  const held = new Map(report.byDestination.map((count) => [count.recipient, count]))
  for (const { recipient, how } of attacks)
    t.match(held.get(recipient), { reason: 'unknown' }, `${recipient}: ${how}`)

  const days = report.days.filter(({ day }) => ![0, 6].includes(new Date(day).getUTCDay()))
  const perDay = days.map(({ day, messages, messagesHeld }) => {
    const hostile = attacks.filter(({ at }) => at.startsWith(day)).length
    return { day, messages, honest: messagesHeld - hostile }
  })
  const honest = report.messagesHeld - attacks.length
  const destinations = report.destinations - new Set(attacks.map(({ recipient }) => recipient)).size
  t.comment(`${report.messages} messages in week 4; held: ${attacks.length} of the attacker's`)
  t.comment(`and ${honest} honest ones to ${destinations} destinations; honest ones on working days:`)
  t.comment(perDay.map(({ day, messages, honest }) => `${day}: ${honest} of ${messages}`).join(', '))
  t.ok(honest / report.messages < 0.01, 'less than one honest message in a hundred waits')
})

t.test('the log of the Postfix that is here', { skip: cannotRun() }, async (t) => {
  const postfix = await Postfix.start(t, { main: ['smtpd_sender_restrictions=reject_non_fqdn_sender'] })
  await postfix.lab.allow('client.test')
  await postfix.submit('anna@corp.test', ['eve@client.test', '"a>, b"@client.test'], 'Subject: one\n\nx\n')
  await postfix.submit('anna@corp.test', ['eve@client.test'], 'Subject: two\n\nx\n')
  // Messages that end in the middle: the connection is lost before and within DATA, and a sender is refused.
  for (const steps of [[], ['DATA\r\n']]) {
    const lost = await Conversation.open(postfix.submission)
    for (const step of ['EHLO pc.corp.test', 'MAIL FROM:<bob@corp.test>', 'RCPT TO:<x@stranger.test>'])
      await lost.say(`${step}\r\n`)
    for (const step of steps) await lost.say(step)
    lost.close()
  }
  await t.rejects(postfix.submit('anna', ['eve@client.test'], 'x\n'), /was answered 504 5\.5\.2 <anna>/)
  await postfix.settled()
  await postfix.until('all lost', () => (postfix.log().match(/lost connection after/g) ?? []).length === 3)

  // The sink stands for the client's server: to learn from, mail must have left this host, for one who is not known.
  const log = postfix
    .log()
    .replaceAll(/relay=127\.0\.0\.1\[127\.0\.0\.1\]:\d+/g, 'relay=mx.client.test[192.0.2.1]:25')
    .replaceAll('@client.test', '@new.test')
  const path = join(postfix.lab.dir, 'mail.log')
  writeFileSync(path, log)
  const { stdout } = await postfix.toeh('learn', 'log', path, '--json')
  const { summary, candidates } = JSON.parse(stdout) as {
    summary: Record<string, number>
    candidates: Candidate[]
  }
  t.match(summary, { broken: 0, deliveries: 2, unjoined: 0, lines: log.trimEnd().split('\n').length })
  t.match(candidates, [{ value: 'eve@new.test', messages: 2, senders: 1 }])
  t.equal(candidates.length, 1, 'and nobody to whom nothing went')

  const parser = new LineParser(Date.now())
  const open = new Set<string>()
  for (const line of log.split('\n')) {
    const event = parser.parse(line)
    if (event?.kind === 'taken') open.add(event.id)
    if (event?.kind === 'removed') open.delete(event.id)
  }
  // 3.10 and newer say that a message was cancelled.
  t.equal(open.size, log.includes(': removed (canceled)') ? 0 : 2, 'messages without an end')
})
