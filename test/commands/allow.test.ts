/** toeh allow: what becomes known, and what is refused because it would let in strangers. */
import t from 'tap'
import { assertDone, assertRefused, makeLab } from '../support/lab.js'

interface RuleRow {
  kind: string
  value: string
  subdomains: number
  effect: string
  note: string
  source: string
}

t.test('makes an address or a domain known, folded', async (t) => {
  const lab = makeLab(t)
  const table: [args: string[], row: RuleRow][] = [
    [['Bob@Known.TEST'], rule('address', 'bob@known.test')],
    [['Known.test'], rule('domain', 'known.test')],
    [['@other.test'], rule('domain', 'other.test')],
    [['wide.test', '--subdomains'], { ...rule('domain', 'wide.test'), subdomains: 1 }],
    [
      ['bücher.test', '--note', 'contract 2214'],
      { ...rule('domain', 'xn--bcher-kva.test'), note: 'contract 2214' },
    ],
    [['gmail.com', '--force'], rule('domain', 'gmail.com')],
    [['someone@gmail.com'], rule('address', 'someone@gmail.com')],
  ]
  for (const [args, row] of table) {
    const outcome = await lab.toeh('allow', ...args)
    assertDone(t, outcome, `: allow ${row.value}${row.subdomains === 1 ? ' with subdomains' : ''}\n`)
    t.match(outcome.stdout, /^rule \d+: /)
    const rows = lab.query<RuleRow>(
      'SELECT kind, value, subdomains, effect, note, source FROM rule ORDER BY id DESC LIMIT 1',
    )
    t.strictSame(rows, [row])
  }
  const audit = lab.query<{ what: string; subject: string; now: string }>(
    'SELECT what, subject, now FROM audit ORDER BY id LIMIT 1',
  )
  t.strictSame(audit, [{ what: 'allow', subject: 'bob@known.test', now: 'allow bob@known.test' }])
})

function rule(kind: string, value: string): RuleRow {
  return { kind, value, subdomains: 0, effect: 'allow', note: '', source: 'command' }
}

t.test('said twice it adds nothing; wider replaces narrower', async (t) => {
  const lab = makeLab(t)
  assertDone(t, await lab.toeh('allow', 'known.test'), 'rule 1: allow known.test\n')
  assertDone(t, await lab.toeh('allow', 'KNOWN.test'), 'rule 1 says so already: allow known.test\n')
  assertDone(
    t,
    await lab.toeh('allow', 'known.test', '--subdomains'),
    'rule 2: allow known.test with subdomains, in place of rule 1: allow known.test\n',
  )
  assertDone(
    t,
    await lab.toeh('allow', 'known.test'),
    'rule 2 says so already: allow known.test with subdomains\n',
  )
  t.strictSame(lab.query('SELECT id FROM rule WHERE revoked_at IS NULL'), [{ id: 2 }])
})

t.test('refuses what is no address or domain, and what would let in anybody', async (t) => {
  const lab = makeLab(t)
  const table: [args: string[], line: RegExp][] = [
    [[], /usage: .*toeh allow --help/],
    [['known.test', '--subdomain'], /there is no option --subdomain; did you mean --subdomains\?/],
    [['known.test', '--note'], /--note needs a value/],
    [[''], /allow "": it is neither an address nor a domain \(no domain\)/],
    [['known'], /allow "known": .*\(single-label domain\)/],
    [['192.0.2.1'], /allow "192\.0\.2\.1": .*\(numeric top-level domain\)/],
    [['[192.0.2.1]'], /allow "\[192\.0\.2\.1\]": .*\(address literal\)/],
    [['*.known.test'], /allow "\*\.known\.test": .*\(domain is not a host name\)/],
    [['known.test.'], /allow "known\.test\.": .*\(domain is not a host name\)/],
    [['a b@known.test'], /allow "a b@known\.test": it is no plain address \(blank\)/],
    [['a%b@known.test'], /\(percent or bang routing\)/],
    [['a@b@known.test'], /\(second @\)/],
    [['"a"@known.test'], /\(quoted\)/],
    [['a\u{202e}b@known.test'], /allow "a\\u\{202e\}b@known\.test": .*\(control character\)/],
    [['known\u{200b}.test'], /allow "known\\u\{200b\}\.test": /],
    [['co.uk'], /allow "co\.uk": it is a public suffix/],
    [['github.io'], /allow "github\.io": it is a public suffix/],
    [['com', '--subdomains'], /single-label domain/],
    [['amazonaws.com', '--subdomains'], /public suffixes lie below it/],
    [['gmail.com'], /allow "gmail\.com": it is a freemail domain.*allow single addresses, or add --force/],
    [['posteo.de'], /allow "posteo\.de": it is a freemail domain/],
    [['known.test', 'legalmail.it'], /allow "legalmail\.it": it is a provider of certified mail/],
    [['co.uk', '--force'], /it is a public suffix/],
    [['bob@known.test', '--subdomains'], /an address has no subdomains/],
    [['known.test', 'co.uk'], /allow "co\.uk": it is a public suffix/],
  ]
  for (const [args, line] of table) {
    const before = lab.databaseDigest()
    assertRefused(t, await lab.toeh('allow', ...args), 2, line)
    t.equal(lab.databaseDigest(), before, `${args.join(' ')}: nothing is changed`)
  }
})

t.test('does not stand beside a block, which would win', async (t) => {
  const lab = makeLab(t)
  await lab.toeh('block', 'evil.test')
  const before = lab.databaseDigest()
  const outcome = await lab.toeh('allow', 'fine.test', 'evil.test')
  assertRefused(t, outcome, 1, /allow evil\.test: rule 1 of \S+ blocks it; toeh revoke evil\.test first/)
  t.equal(lab.databaseDigest(), before, 'neither of the two is added')
})

t.test('says who waited for it', async (t) => {
  const lab = makeLab(t)
  await lab.park(['a@new.test', 'b@new.test', 'c@other.test'], { queueId: 'WAIT0001' })
  await lab.park(['a@new.test'], { queueId: 'WAIT0002' })
  await lab.park(['a@new.test'], { queueId: 'WAIT0003', sender: 'mallory@evil.test' })
  const follows = 'waited for that: toeh recheck releases what has become known'
  assertDone(
    t,
    await lab.toeh('allow', 'new.test'),
    new RegExp(`^rule 1: allow new\\.test\\n3 recipients of 2 messages ${follows}\\n$`),
  )
  assertDone(
    t,
    await lab.toeh('allow', 'c@other.test'),
    new RegExp(`^rule 2: .*\\n1 recipient of 1 message ${follows}\\n$`),
  )
  assertDone(t, await lab.toeh('allow', 'nobody.test'), /^rule 3: allow nobody\.test\n$/)
  assertDone(t, await lab.toeh('block', 'late.test'), /^rule 4: block late\.test\n$/)
})

t.test('--json', async (t) => {
  const lab = makeLab(t)
  const { stdout } = await lab.toeh('allow', 'known.test', '--json')
  t.match(JSON.parse(stdout), [
    { added: true, rule: { id: 1, kind: 'domain', value: 'known.test', effect: 'allow' } },
  ])
})

t.test('two at once make one rule', async (t) => {
  const lab = makeLab(t)
  const outcomes = await Promise.all([lab.toeh('allow', 'known.test'), lab.toeh('allow', 'known.test')])
  t.strictSame(
    outcomes.map(({ code }) => code),
    [0, 0],
  )
  t.equal(lab.query('SELECT id FROM rule').length, 1)
})
