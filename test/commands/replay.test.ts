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
  assertDone(t, await lab.toeh('replay', path), /^0 lines, 0 broken, 0 messages to 0 recipients\n/)
  assertRefused(t, await lab.toeh('replay'), 2, /replay: which log\?/)
  assertRefused(t, await lab.toeh('replay', path, '--since', '4.11.'), 2, /it is no date/)
  assertRefused(t, await lab.toeh('replay', `${path}.1`), 66, /no such file/)
})
