/** toeh replay: what would have been held, by the landscape of today. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { assertDone, assertRefused, makeLab } from '../support/lab.js'
import { mailLog } from '../support/maillog.js'

const LATER = '2026-11-05T05:06:07'
const DEFERRED = 'relay=none, delay=1, dsn=4.4.1, status=deferred (timed out)'
const INSIDE = 'relay=127.0.0.1[127.0.0.1]:10024, delay=1, dsn=2.0.0, status=sent (250)'
const LOG = [
  mailLog({ id: '4bQ8Yk2hJnz1', to: ['bob@known.test', 'eve@new.test'] }),
  // Deferred, then sent: one message.
  mailLog({
    id: '4bQ8Yk2hJnz2',
    to: ['eve@new.test'],
    at: LATER,
    sender: 'carl@corp.test',
    outcome: DEFERRED,
  }),
  mailLog({ id: '4bQ8Yk2hJnz2', to: ['eve@new.test'], at: LATER, sender: 'carl@corp.test' }),
  mailLog({ id: '4bQ8Yk2hJnz3', to: ['v%evil.test@known.test'], at: LATER }),
  mailLog({ id: '4bQ8Yk2hJnz4', to: ['bad@blocked.test'], at: LATER }),
  mailLog({ id: '4bQ8Yk2hJnz5', to: ['x@filter.test'], outcome: INSIDE }),
  // Mail from outside that an alias sends out again never meets the gate; what was submitted does.
  mailLog({ id: '4bQ8Yk2hJnz6', to: ['x@forwarded.test'], sender: 'news@list.test' }),
  mailLog({ id: '4bQ8Yk2hJnz7', to: ['bob@known.test'], sender: 'forged@list.test', taken: 'pickup uid=0' }),
  mailLog({ id: '4bQ8Yk2hJnz8', to: ['x@bounce.test'], sender: '' }),
  'rubbish\n',
].join('')

t.test('what would have been held', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  await lab.toeh('block', 'blocked.test')
  const path = join(lab.dir, 'mail.log')
  writeFileSync(path, LOG)
  const before = lab.snapshot()
  const outcome = await lab.toeh('replay', path, path)
  assertDone(t, outcome, /^60 lines, 2 broken, 5 messages to 6 recipients\n/)
  t.match(outcome.stdout, '\n  5 recipients (83.3%), 4 destinations\n  5 messages (100.0%)\n')
  t.match(outcome.stdout, '\nby reason: allowed 1, blocked 1, foreign-sender 1, malformed 1, unknown 2\n')
  t.match(outcome.stdout, /\n2026-11-04 +2 +2 +100\.0% +2\n2026-11-05 +3 +3 +100\.0% +2\n/)
  t.match(outcome.stdout, /\nanna@corp\.test +3 +75\.0%\n/)
  t.match(outcome.stdout, /\nforged@list\.test +1 +100\.0%\n/)
  t.match(outcome.stdout, /\neve@new\.test +2 +2 {2}unknown\n/)
  t.match(outcome.stdout, /\nv%evil\.test@known\.test +1 +1 {2}malformed\n/)
  t.notMatch(outcome.stdout, /filter\.test|forwarded|bounce\.test/)
  for (const line of outcome.stdout.split('\n')) t.ok(line.length <= 80, line)
  t.strictSame(lab.snapshot(), before, 'it looks only')
  const { stdout } = await lab.toeh('replay', path, '--json', '--since', '2026-11-05')
  t.match(JSON.parse(stdout), {
    lines: 30,
    broken: 1,
    unjoined: 0,
    messages: 3,
    held: 3,
    reasons: { unknown: 1, malformed: 1, blocked: 1 },
    days: [{ day: '2026-11-05', messages: 3, messagesHeld: 3, recipients: 3, held: 3, firstHeld: 3 }],
  })
})

t.test('no more than twenty rows of a table, unless all are asked for', async (t) => {
  const lab = makeLab(t)
  const path = join(lab.dir, 'mail.log')
  const to = Array.from({ length: 25 }, (_, i) => `someone${i}@${'very-'.repeat(8)}long.test`)
  writeFileSync(path, mailLog({ id: '4bQ8Yk2hJnz1', to, sender: 'anna@corp.test' }))
  const short = await lab.toeh('replay', path)
  assertDone(t, short, /\n {2}and 5 more; --all shows them\n$/)
  t.match(short.stdout, /\n…[a-z0-9@-]+long\.test +1 +1 {2}unknown\n/)
  const all = await lab.toeh('replay', path, '--all')
  t.equal(all.stdout.match(/ {2}unknown$/gm)?.length, 25)
})

t.test('nothing in it, and wrong usage', async (t) => {
  const lab = makeLab(t)
  const path = join(lab.dir, 'mail.log')
  writeFileSync(path, '')
  assertRefused(
    t,
    await lab.toeh('replay', path),
    65,
    /mail\.log: there is nothing in it, which says nothing/,
  )
  assertRefused(t, await lab.toeh('replay'), 2, /replay: which log\?/)
  assertRefused(t, await lab.toeh('replay', path, '--since', '4.11.'), 2, /it is no date/)
  assertRefused(t, await lab.toeh('replay', `${path}.1`), 66, /no such file/)
})

t.test('a log that is not understood is no good news', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const before = lab.snapshot()
  const write = (name: string, content: string): string => {
    const path = join(lab.dir, name)
    writeFileSync(path, content)
    return path
  }
  const exim =
    '2026-11-04 05:06:07 1tAbCd-0001Ab-2x => bob@new.test R=dnslookup T=remote_smtp H=mx.new.test\n'
  const verbose = 'Wed 2026-11-04 05:06:07.123456 CET [s=a;i=1]\n    MESSAGE=x\n    _PID=1\n'
  const loopback = mailLog({ id: '4bQ8Yk2hJnz1', to: ['eve@new.test'], outcome: INSIDE })
  const logs: [name: string, content: string, said: RegExp][] = [
    ['exim', exim.repeat(5), /exim: of 5 lines none is of Postfix, .*; it is a log of Exim/],
    ['verbose', verbose.repeat(4), /12 of its 1[23] lines .*; .* journalctl -o short-iso/],
    [
      'json',
      '{"event":"sent","rcpt":"bob@new.test"}\n'.repeat(9),
      /9 of its 9 lines .*; it is JSON .* jq -r/,
    ],
    ['half', `${LOG}${'odd\n'.repeat(40)}`, /41 of its \d+ lines are in no form .*; a line has a stamp/],
    ['dovecot', 'Nov  4 05:06:07 mx dovecot: imap-login: Login\n'.repeat(9), /of 9 lines none is of Postfix/],
    ['app', 'hello\nworld\n', /of 2 lines none is of Postfix, .*; postconf maillog_file says where/],
    ['inside', loopback, /all went to 127\.0\.0\.1\[127\.0\.0\.1\]:10024; .* --relay 127\.0\.0\.1:10024/],
  ]
  for (const [name, content, said] of logs) {
    const path = write(name, content)
    for (const command of [['replay'], ['learn', 'log'], ['learn', 'log', '--apply']]) {
      const outcome = await lab.toeh(...command, path)
      assertRefused(t, outcome, 65, said)
      t.notMatch(outcome.stdout, /held|recipients/, name)
    }
    const json = await lab.toeh('replay', '--json', path)
    t.equal(json.stdout, '', name)
  }
  const { stdout, stderr } = await lab.toeh('replay', join(lab.dir, 'exim'), join(lab.dir, 'app'))
  t.equal(stdout, '')
  t.match(stderr, /Exim/)
  t.strictSame(lab.snapshot().rule, before.rule, 'nothing was changed')
})

t.test('--relay names the way out; what was left out is said', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const path = join(lab.dir, 'mail.log')
  const way = 'relay=127.0.0.1[127.0.0.1]:2525, delay=1, dsn=2.0.0, status=sent (250)'
  writeFileSync(
    path,
    mailLog({ id: '4bQ8Yk2hJnz1', to: ['bob@known.test', 'eve@new.test'], outcome: way }) +
      mailLog({ id: '4bQ8Yk2hJnz2', to: ['x@scanned.test'], outcome: INSIDE }),
  )
  const outcome = await lab.toeh('replay', path, '--relay', '127.0.0.1:2525')
  assertDone(
    t,
    outcome,
    /^7 lines, 0 broken, 1 messages to 2 recipients\nwould have been held:\n {2}1 recipients/,
  )
  t.match(
    outcome.stdout,
    '\n1 recipients left out, who were taken no further than:\n  1 127.0.0.1[127.0.0.1]:10024\n  (--relay names',
  )
  const { stdout } = await lab.toeh('learn', 'log', path, '--relay', '127.0.0.1:2525', '--json')
  t.match(JSON.parse(stdout), {
    summary: { postfix: 7, leftOut: [{ relay: '127.0.0.1[127.0.0.1]:10024', recipients: 1 }] },
    candidates: [{ value: 'eve@new.test' }],
  })
  assertRefused(
    t,
    await lab.toeh('replay', path, '--relay', 'a b'),
    2,
    /--relay "a b": it is no host; write it as/,
  )
  assertRefused(t, await lab.toeh('replay', path, '--relay', 'smart.corp.test'), 65, /all went to 127/)
})

t.test('two legs of one message are one', async (t) => {
  const lab = makeLab(t)
  const path = join(lab.dir, 'mail.log')
  const scanner = 'relay=scan.corp.test[10.0.0.9]:10025, delay=1, dsn=2.0.0, status=sent (250)'
  const back = 'smtpd client=scan.corp.test[10.0.0.9],orig_queue_id=4bQ8Yk2hJnz1'
  writeFileSync(
    path,
    mailLog({ id: '4bQ8Yk2hJnz1', to: ['eve@new.test'], outcome: scanner }) +
      mailLog({ id: '4bQ8Yk2hJnz2', to: ['eve@new.test'], taken: back }).replace(',orig', ', orig') +
      mailLog({ id: '4bQ8Yk2hJnz3', to: ['never@bounced.test'], outcome: scanner }),
  )
  const { stdout } = await lab.toeh('replay', path, '--json')
  t.match(JSON.parse(stdout), { messages: 1, recipients: 1, held: 1, leftOut: [{ recipients: 2 }] })
  assertDone(
    t,
    await lab.toeh('learn', 'log', path, '--apply'),
    /\n2 recipients left out[\s\S]*\n1 rule added\n$/,
  )
})
