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
    '\nnote: contract 2214\nused: no message counted\nlooked at, in order: bob@a.wide.test, a.wide.test, wide.test with subdomains\n',
  )
  assertDone(
    t,
    await lab.toeh('why', 'eve@unknown.test'),
    /^hold: unknown\nlooked at, in order: eve@unknown\.test, unknown\.test\n$/,
  )
  assertDone(t, await lab.toeh('why', 'a b@known.test'), /^hold: malformed \(blank\)\n$/)
  assertDone(t, await lab.toeh('why', 'a@corp.test'), /^pass: internal\n$/)
})

const GROUPS = `[groups]
accounting = ["anna@corp.test", "@shop.test"]
board = ["anna@corp.test", "otto@corp.test"]
`

t.test('without a sender it says for whom else the verdict is another', async (t) => {
  const lab = makeLab(t)
  lab.configure(GROUPS, ['corp.test', 'shop.test'])
  const why = async (...args: string[]): Promise<string> => (await lab.toeh('why', ...args)).stdout
  await lab.toeh('allow', 'bank.test', '--for', 'accounting')
  t.equal(
    await why('x@bank.test'),
    'hold: unknown\nlooked at, in order: x@bank.test, bank.test\n' +
      'and for accounting: pass: allowed, rule 1: allow bank.test for accounting\n',
  )
  await lab.toeh('block', 'bank.test', '--for', 'board')
  await lab.toeh('allow', 'x@bank.test', '--for', '@corp.test')
  await lab.toeh('block', 'x@bank.test', '--for', 'x@corp.test')
  await lab.toeh('block', 'x@bank.test', '--for', 'spy@evil.test')
  t.equal(
    await why('x@bank.test'),
    `hold: unknown
looked at, in order: x@bank.test, bank.test
and for @corp.test: pass: allowed, rule 3: allow x@bank.test for @corp.test
and for anna@corp.test: pass: allowed, rule 3: allow x@bank.test for @corp.test
and for @shop.test: pass: allowed, rule 1: allow bank.test for accounting
and for board: pass: allowed, rule 3: allow x@bank.test for @corp.test
and for spy@evil.test: hold: foreign-sender
and for x@corp.test: hold: blocked, rule 4: block x@bank.test for x@corp.test
`,
    'the members of a group one by one where they are told apart',
  )
  t.match(
    await why('x@bank.test', '--sender', 'anna@corp.test'),
    /^pass: allowed\nrule 3: [^\n]*\nused: no message counted\nlooked at, in order: x@bank\.test, bank\.test\neach for, in order: anna@corp\.test, accounting and board, @corp\.test, everyone\n$/,
  )
  t.notMatch(await why('x@bank.test', '--sender='), 'and for', 'the null sender is one')
  t.notMatch(await why('x@corp.test'), 'looked at')
  const { others, scopes, lookedAt } = JSON.parse(await why('y@bank.test', '--json'))
  t.strictSame([lookedAt, scopes], [['y@bank.test', 'bank.test'], [['']]])
  t.match(others, [
    { for: 'anna@corp.test', pass: false, reason: 'blocked', rule: { id: 2 } },
    { for: '@shop.test', pass: true, reason: 'allowed', rule: { id: 1 } },
    { for: 'board', pass: false, reason: 'blocked', rule: { id: 2 } },
  ])
  lab.configure('')
  t.notMatch(await why('y@bank.test'), 'and for', 'groups that are gone are nobody')
})

t.test('behind -- a hyphen makes no option', async (t) => {
  const lab = makeLab(t)
  assertDone(t, await lab.toeh('why', '--', '-x@known.test'), /^hold: malformed \(leading hyphen\)\n$/)
  assertDone(
    t,
    await lab.toeh('why', '--sender=a@corp.test', '--', '--json'),
    /^hold: malformed \(no domain\)\n$/,
  )
  const refused: [string[], RegExp][] = [
    [['allow', '--', '-x@known.test'], /allow "-x@known\.test": it is no plain address \(leading hyphen\)/],
    [['block', '--', 'x.test', '-y.test'], /block "-y\.test": it is neither an address nor a domain/],
    [['revoke', '--', '--for'], /revoke "--for": it is neither an address nor a domain/],
  ]
  for (const [args, complaint] of refused) assertRefused(t, await lab.toeh(...args), 2, complaint)
  assertRefused(
    t,
    await lab.toeh('why', '--', 'a@b.test', '-c'),
    2,
    /-c is too much: it is toeh why <recipient>/,
  )
  assertDone(t, await lab.toeh('known', '--', '-x'), /^no rule\n$/)
  assertRefused(t, await lab.toeh('import', '--', '-rules.csv'), 66, /import -rules\.csv: /)
})

t.test('a domain: what anyone there gets, and whom rules name', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test', 'one@only.test', 'anyone@only.test', 'x@only.test')
  await lab.toeh('block', 'carl@known.test', '--note', 'left')
  await lab.toeh('allow', 'wide.test', '--subdomains')
  const cases: [asked: string, line: RegExp][] = [
    [
      'known.test',
      /^anyone at known\.test whom no rule names:\npass: allowed\nrule 1: allow known\.test, .*\nused: .*\nlooked at, in order: known\.test\nand rule 5: block carl@known\.test\n$/,
    ],
    ['KNOWN.test', /^anyone at known\.test whom no rule names:\npass: allowed\n/],
    ['@known.test', /^hold: malformed/],
    [
      'only.test',
      /^anyone at only\.test whom no rule names:\nhold: unknown\nlooked at.*\nand rule 3: allow anyone@only\.test\nand rule 2: allow one@only\.test\nand rule 4: allow x@only\.test\n$/,
    ],
    ['a.wide.test', /^anyone at a\.wide\.test whom no rule names:\npass: allowed\nrule 6: /],
    ['corp.test', /^anyone at corp\.test whom no rule names:\npass: internal\n/],
    ['b\u00fccher.test', /^anyone at xn--bcher-kva\.test whom no rule names:\nhold: unknown\n/],
    ['c0rp.test', /hold: unknown\n.*\nlooks like: corp\.test/],
    ['known', /^hold: malformed/],
  ]
  for (const [asked, line] of cases) assertDone(t, await lab.toeh('why', asked), line)
  const json = JSON.parse((await lab.toeh('why', 'known.test', '--json')).stdout)
  t.match(json, { recipient: 'known.test', pass: true, lookedAt: ['known.test'] })
  t.match(json.addresses, [{ id: 5, value: 'carl@known.test', note: 'left' }])
})

t.test('wrong usage; and it looks only', async (t) => {
  const lab = makeLab(t)
  const before = lab.snapshot()
  await lab.toeh('why', 'eve@unknown.test')
  assertRefused(t, await lab.toeh('why'), 2, /usage: .*toeh why --help/)
  assertRefused(t, await lab.toeh('why', ''), 2, /why: which recipient\?/)
  assertRefused(
    t,
    await lab.toeh('why', 'a@b.test', 'c@d.test'),
    2,
    /c@d\.test is too much: it is toeh why <recipient>/,
  )
  assertRefused(t, await lab.toeh('why', 'a@b.test', '--sender'), 2, /--sender needs a value/)
  t.strictSame(lab.snapshot(), before)
})
