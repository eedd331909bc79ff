/** toeh why: the verdict the filter gives, told beforehand, with the row it rests on. */
import t from 'tap'
import { assertDone, assertRefused, makeLab } from '../support/lab.js'
import { makeSink } from '../support/sink.js'

const ADDRESSES = [
  'otto@corp.test',
  'Otto@CORP.TEST',
  'eve%evil.test@corp.test',
  'bob@known.test',
  'BOB@known.test',
  'carl@known.test',
  'x@sub.known.test',
  'x@wide.test',
  'x@a.b.wide.test',
  'x@notwide.test',
  'x@blocked.wide.test',
  'x@under.blocked.wide.test',
  'x@xn--bcher-kva.test',
  'x@bücher.test',
  'eve@unknown.test',
  'someone@gmail.com',
  'us er@known.test',
  '"bob"@known.test',
  'bob@known.test@evil.test',
  'bob@[192.0.2.1]',
  'bob@known',
  'bob',
  'bob@known.test.',
  'bob\u{200b}@known.test',
]

t.test('says what the filter does, for every kind of address and sender', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test', 'xn--bcher-kva.test')
  await lab.toeh('allow', 'wide.test', '--subdomains')
  await lab.toeh('block', 'carl@known.test')
  await lab.toeh('block', 'blocked.wide.test')
  for (const [index, sender] of ['anna@corp.test', '', 'mallory@evil.test'].entries()) {
    await lab.filter({ sender, recipients: ADDRESSES, queueId: `WHY00${index}` })
    const decided = lab.decisions().at(-1)?.recipients ?? []
    t.equal(decided.length, ADDRESSES.length)
    for (const { to, verdict, reason, rule } of sender === '' ? decided.slice(3, 9) : decided) {
      const { stdout, code } = await lab.toeh('why', '--json', `--sender=${sender}`, to)
      const { pass, reason: why, rule: row } = JSON.parse(stdout)
      t.strictSame(
        { code, verdict: pass ? 'pass' : 'hold', reason: why, rule: row?.id ?? null },
        { code: 0, verdict, reason, rule },
        `${to} from <${sender}>`,
      )
    }
  }
})

t.test('names the row, who added it, and the keys in the order they were looked at', async (t) => {
  const lab = makeLab(t)
  await lab.toeh('allow', 'wide.test', '--subdomains', '--note', 'contract 2214')
  const outcome = await lab.toeh('why', 'Bob@a.wide.test')
  assertDone(
    t,
    outcome,
    /^pass: allowed\nrule 1: allow wide\.test with subdomains, by \S+ on \d{4}-\d\d-\d\d \d\d:\d\d\n/,
  )
  t.match(
    outcome.stdout,
    '\nnote: contract 2214\nnot used so far\nlooked at, in order: bob@a.wide.test, a.wide.test, wide.test\n',
  )
  assertDone(
    t,
    await lab.toeh('why', 'eve@unknown.test'),
    /^hold: unknown\nlooked at, in order: eve@unknown\.test, unknown\.test\n$/,
  )
  assertDone(t, await lab.toeh('why', 'a b@known.test'), /^hold: malformed \(blank\)\n$/)
  assertDone(t, await lab.toeh('why', 'a@corp.test'), /^pass: internal\n$/)
})

t.test('wrong usage; and it looks only', async (t) => {
  const lab = makeLab(t)
  const before = lab.snapshot()
  await lab.toeh('why', 'eve@unknown.test')
  assertRefused(t, await lab.toeh('why'), 2, /usage: .*toeh why --help/)
  assertRefused(t, await lab.toeh('why', ''), 2, /why: which recipient\?/)
  assertRefused(t, await lab.toeh('why', 'a@b.test', 'c@d.test'), 2, /Unknown argument: c@d\.test/)
  assertRefused(t, await lab.toeh('why', 'a@b.test', '--sender'), 2, /Not enough arguments following: sender/)
  t.strictSame(lab.snapshot(), before)
})
