/** Tests of decide.ts: every reason by name, and the order of precedence in full. */
import t from 'tap'
import { decide, lookupKeys, PASSING, type Reason, type Rule, scopesOf } from '../../lib/rules/decide.js'

let lastId = 0
function rule(effect: Rule['effect'], value: string, subdomains = false, scope = ''): Rule {
  const kind = value.includes('@') ? 'address' : 'domain'
  const about = { endsAt: null, addedBy: 'test', addedAt: 1, source: 'test', note: '' }
  return { id: ++lastId, kind, value, subdomains, scope, effect, ...about }
}
const allow = (value: string, subdomains = false): Rule => rule('allow', value, subdomains)
const block = (value: string, subdomains = false): Rule => rule('block', value, subdomains)

const internal = new Set(['corp.test'])
const groups = new Map([
  ['accounting', ['anna@corp.test', '@billing.corp.test']],
  ['board', ['anna@corp.test']],
])
const logins = new Map([['boss', 'otto@corp.test']])
const senders = new Set(['@printer.test', 'news@b.test'])
const company = { internal, senders, groups, logins, delimiters: '+' as string | undefined }

/** One verdict, the rules as the landscape hands them over: by value. */
function verdict(
  rules: readonly Rule[],
  recipient: string,
  sender: string | undefined = 'anna@corp.test',
  login = '',
  delimiters: string | undefined = '+',
) {
  const byValue = new Map<string, Rule[]>()
  for (const one of rules) byValue.set(one.value, [...(byValue.get(one.value) ?? []), one])
  return decide({ sender, login, recipients: [recipient] }, { ...company, delimiters, rules: byValue })[0]
}

const exact = allow('bob@known.test')
const known = allow('known.test')
const blocked = block('evil.test')

// tsc demands a row for each reason: sender, recipient, the rule it rests on.
const REASONS: Record<Reason, [string, string, Rule?][]> = {
  internal: [
    ['anna@corp.test', 'carl@corp.test'],
    ['', 'carl@CORP.test'],
    ['x@stranger.test', 'carl@corp.test'], // before foreign-sender
    ['"an odd one"@stranger.test', 'carl@corp.test'],
  ],
  allowed: [
    ['anna@corp.test', 'bob@known.test', exact],
    ['anna@corp.test', 'BOB@Known.TEST', exact],
    ['anna@corp.test', 'other@known.test', known],
    ['', 'other@known.test', known],
    ['scanner@printer.test', 'other@known.test', known],
    ['news+7@b.test', 'other@known.test', known],
    ['SRS0=a=b=corp.test=anna@corp.test', 'other@known.test', known],
  ],
  blocked: [
    ['anna@corp.test', 'x@evil.test', blocked],
    ['', 'x@evil.test', blocked],
  ],
  unknown: [
    ['anna@corp.test', 'x@stranger.test'],
    ['', 'x@stranger.test'],
    ['anna@corp.test', 'x@sub.corp.test'], // internal is exact as well
    ['anna@corp.test', 'x@sub.known.test'],
    ['anna@corp.test', 'x@notknown.test'],
    ['anna@corp.test', 'x@known.test.evil.example'],
  ],
  'foreign-sender': [
    ['x@stranger.test', 'bob@known.test'],
    ['x@stranger.test', 'x@evil.test'],
    ['x@sub.corp.test', 'bob@known.test'],
    ['bob@known.test', 'bob@known.test'], // known is not own
    ['anna', 'bob@known.test'],
    // No command of SMTP can name these.
    ['anna', 'carl@corp.test'],
    ['an\u0000na@stranger.test', 'carl@corp.test'],
    ['an na@stranger.test', 'carl@corp.test'],
    ['v%evil.test@corp.test', 'bob@known.test'],
    ['SRS0=a=b=other.test=x@corp.test', 'bob@known.test'],
    ['other@b.test', 'bob@known.test'],
    ['"anna"@corp.test', 'bob@known.test'],
    ['anna@corp.test ', 'bob@known.test'],
    ['ann\u{fffd}@corp.test', 'bob@known.test'],
    ['<>', 'bob@known.test'],
    ['MAILER-DAEMON', 'bob@known.test'],
  ],
  malformed: [
    ['anna@corp.test', 'v%evil.test@corp.test'],
    ['anna@corp.test', '"bob"@known.test'],
    ['x@stranger.test', 'bob@@known.test'], // before foreign-sender
    ['', ''],
  ],
}

t.test('every reason has cases; the verdict carries its rule and the recipient as given', (t) => {
  for (const [reason, cases] of Object.entries(REASONS)) {
    t.not(cases.length, 0, reason)
    for (const [sender, recipient, rule] of cases) {
      const actual = verdict([exact, known, blocked], recipient, sender)
      const name = `${reason}: ${sender} to ${recipient}`
      t.equal(actual?.reason, reason, name)
      t.equal(actual?.pass, PASSING.has(reason as Reason), name)
      t.equal(actual?.rule, rule, name)
      t.equal(actual?.recipient, recipient, name)
      t.equal(actual?.fault === undefined, reason !== 'malformed', name)
    }
  }
  t.strictSame([...PASSING].sort(), ['allowed', 'internal'])
  t.end()
})

t.test('every form that passes, and once did not', (t) => {
  const own = new Set(['corp.test', 'localhost', 'web1'])
  const rules = [allow('known.test'), allow('a_b.test'), allow('try..this@docomo.test'), allow('docomo.test')]
  const byValue = new Map(rules.map((one) => [one.value, [one]]))
  const ask = (recipient: string): string | undefined =>
    decide(
      { sender: 'anna@corp.test', login: '', recipients: [recipient] },
      { ...company, internal: own, rules: byValue },
    )[0]?.reason
  const passing: Record<string, [string, 'allowed' | 'internal'][]> = {
    'a local part of more than 64': [
      [`reply+${'a'.repeat(90)}@known.test`, 'allowed'],
      [`${'a'.repeat(243)}@known.test`, 'allowed'],
    ],
    'underscores in a host name': [
      ['x@a_b.test', 'allowed'],
      ['x@A_B.test', 'allowed'],
    ],
    'an internal domain of one label': [
      ['root@localhost', 'internal'],
      ['Root@WEB1', 'internal'],
    ],
    'dots in odd places, by an exact rule': [
      ['try..this@docomo.test', 'allowed'],
      ['"try..this"@docomo.test', 'allowed'],
      ['"Try..This"@Docomo.Test', 'allowed'],
    ],
    'an odd internal address that is nobody else’s': [
      ['carl..maria@corp.test', 'internal'],
      ['"carl..maria"@corp.test', 'internal'],
      ['.carl@localhost', 'internal'],
      ['jürgen@corp.test', 'internal'],
      ['иван@corp.test', 'internal'],
    ],
  }
  for (const [form, cases] of Object.entries(passing))
    for (const [recipient, reason] of cases) t.equal(ask(recipient), reason, `${form}: ${recipient}`)

  const held = [
    // Beside each of these forms: what it does not let in.
    ...[
      `${'a'.repeat(244)}@known.test`,
      'x@a_b.test.',
      'x@a_b_.test%',
      'x@a b.test',
      'root@web2',
      'root@localhost.',
      'root@LOCALHOST%',
    ],
    ...[
      'tr..this@docomo.test',
      '"try..this@docomo.test',
      'try..this@known.test',
      '"try..this"@known.test',
      '".x"@docomo.test',
    ],
    ...[
      '"anna"@corp.test',
      '"anna b"@corp.test',
      '"a\\"b"@corp.test',
      '-anna@corp.test',
      '"-a.."@corp.test',
      '@corp.test',
      '""@corp.test',
    ],
    ...[
      'v%evil.test@corp.test',
      'v%evil.test..@corp.test',
      '"v%evil.test"@corp.test',
      '"v@evil.test"@corp.test',
      'v@evil.test@corp.test',
    ],
    ...[
      'evil.test!v@corp.test',
      '"evil.test!v.."@corp.test',
      '@evil.test:v@corp.test',
      '"@evil.test:v"@corp.test',
      'v@[192.0.2.1]',
    ],
    ...[
      'v%evil.test@localhost',
      'evil.test!ü@corp.test',
      'ü%evil.test@corp.test',
      'v..x@[192.0.2.1]',
      'v..x@evil.test@corp.test',
    ],
    ...[
      'ü\u{200b}@corp.test',
      'a..\0b@corp.test',
      'a..b\n@corp.test',
      'a..b @corp.test',
      'ａ％b@corp.test',
      '\u{3164}@corp.test',
    ],
  ]
  for (const recipient of held) t.equal(ask(recipient), 'malformed', JSON.stringify(recipient))
  t.end()
})

t.test('of an odd address no rule speaks but its own', (t) => {
  const odd = 'try..this@docomo.test'
  const exact = allow(odd)
  const cases: [Rule[], string, Rule?][] = [
    [[exact], 'allowed', exact],
    [[allow('docomo.test', true)], 'malformed'],
    [[exact, block('docomo.test')], 'allowed', exact],
    [[block('docomo.test', true)], 'malformed'],
    [[rule('allow', odd, false, 'otto@corp.test')], 'malformed'],
    [[exact, rule('block', odd, false, 'anna@corp.test')], 'blocked'],
  ]
  for (const [rules, reason, by] of cases)
    for (const recipient of [odd, '"Try..This"@docomo.test']) {
      const actual = verdict(rules, recipient)
      t.equal(actual?.reason, reason, `${rules.map(({ effect, value }) => `${effect} ${value}`).join(', ')}`)
      if (by !== undefined) t.equal(actual?.rule, by)
      t.equal(actual?.recipient, recipient, 'as given')
      t.strictSame(lookupKeys(recipient), [odd])
    }
  t.end()
})

t.test('a malformed verdict tells the fault, whatever rules there are', (t) => {
  const faults = [
    ['v%evil.test@corp.test', 'percent or bang routing'],
    ['"bob"@known.test', 'quoted'],
    ['', 'empty'],
    ['bob@known.test.', 'domain is not a host name'],
    ['bob\u{200b}@known.test', 'control character'],
  ]
  for (const [recipient = '', fault] of faults) {
    // Not even a rule that stands under the very text lets it through.
    const actual = verdict([allow(recipient), known, exact], recipient)
    t.strictSame(actual, { recipient, pass: false, reason: 'malformed', fault })
  }
  t.end()
})

const A = 'bob@a.b.c.test'
const addressAllow = allow(A)
const addressBlock = block(A)
const domainAllow = allow('a.b.c.test')
const domainBlock = block('a.b.c.test')
const domainBelow = allow('a.b.c.test', true)
const nearAllow = allow('b.c.test', true)
const nearBlock = block('b.c.test', true)
const nearAlone = allow('b.c.test')
const nearBlockAlone = block('b.c.test')
const farAllow = allow('c.test', true)
const farBlock = block('c.test', true)

// The rules there are, and the one that must decide.
const PRECEDENCE: [string, Rule[], Rule | undefined][] = [
  ['address over domain', [domainBlock, addressAllow], addressAllow],
  ['address over domain, the other way', [domainAllow, addressBlock], addressBlock],
  ['address over parent', [nearBlock, farBlock, addressAllow], addressAllow],
  ['domain over parent', [nearBlock, domainAllow], domainAllow],
  ['domain over parent, the other way', [nearAllow, domainBlock], domainBlock],
  ['nearest parent over farther', [farBlock, nearAllow], nearAllow],
  ['nearest parent over farther, the other way', [farAllow, nearBlock], nearBlock],
  ['a parent that reaches no subdomains is passed over', [nearAlone, farBlock], farBlock],
  ['and so is a block that reaches none', [nearBlockAlone, farAllow], farAllow],
  ['no parent reaches', [nearAlone, nearBlockAlone], undefined],
  ['a domain rule with subdomains covers the domain too', [domainBelow], domainBelow],
  ['block before allow, same address', [addressAllow, addressBlock], addressBlock],
  ['block before allow, whatever their order', [addressBlock, addressAllow], addressBlock],
  ['block before allow, same domain', [domainAllow, domainBlock], domainBlock],
  ['block before allow, reach does not count on the domain itself', [domainBelow, domainBlock], domainBlock],
  ['block before allow, same parent', [nearAllow, nearBlock], nearBlock],
  ['but only among those that reach', [nearAllow, nearBlockAlone], nearAllow],
  ['everything at once', [farBlock, nearBlock, domainBlock, domainAllow, addressAllow], addressAllow],
  ['nothing', [], undefined],
]

t.test('precedence among rules, and the id of the one that decides', (t) => {
  for (const [name, rules, expected] of PRECEDENCE) {
    const actual = verdict(rules, A)
    t.equal(actual?.rule?.id, expected?.id, name)
    const reason = expected === undefined ? 'unknown' : expected.effect === 'allow' ? 'allowed' : 'blocked'
    t.equal(actual?.reason, reason, name)
  }
  t.end()
})

t.test('an internal domain comes before the sender and before any rule', (t) => {
  const rules = [block('corp.test', true), block('carl@corp.test')]
  t.strictSame(verdict(rules, 'carl@corp.test'), {
    recipient: 'carl@corp.test',
    pass: true,
    reason: 'internal',
  })
  t.equal(verdict(rules, 'carl@corp.test', 'x@evil.test')?.reason, 'internal')
  t.equal(verdict([known, exact], 'bob@known.test', 'x@evil.test')?.rule, undefined)
  t.end()
})

t.test('subdomains reach down on label boundaries only', (t) => {
  const reaching = allow('example.com', true)
  const cases: [string, Reason][] = [
    ['x@example.com', 'allowed'],
    ['x@a.example.com', 'allowed'],
    ['x@c.b.a.example.com', 'allowed'],
    ['x@evilexample.com', 'unknown'],
    ['x@evil-example.com', 'unknown'],
    ['x@example.com.evil.test', 'unknown'],
    ['x@example.co', 'unknown'],
    ['x@com.example', 'unknown'],
    ['x@.example.com', 'malformed'],
  ]
  for (const [recipient, reason] of cases) t.equal(verdict([reaching], recipient)?.reason, reason, recipient)
  // A parent is never looked for at the top: no rule could stand there, and none would be obeyed.
  t.equal(verdict([allow('com', true)], 'x@example.com')?.reason, 'unknown')
  t.end()
})

t.test('an internationalised domain and its A-label are one', (t) => {
  const books = allow('xn--bcher-kva.test')
  for (const recipient of ['x@bücher.test', 'x@xn--bcher-kva.test', 'x@XN--Bcher-KVA.test']) {
    t.equal(verdict([books], recipient)?.rule, books, recipient)
  }
  for (const recipient of ['x@bucher.test', 'x@BÜCHER.test']) {
    t.equal(verdict([books], recipient)?.pass, false, recipient)
  }
  t.end()
})

t.test('one verdict a recipient, in their order, repeated ones included', (t) => {
  const recipients = ['x@stranger.test', 'bob@known.test', '', 'carl@corp.test', 'bob@known.test']
  const facts = { ...company, rules: new Map([['known.test', [known]]]) }
  const verdicts = decide({ sender: 'anna@corp.test', login: '', recipients }, facts)
  t.strictSame(
    verdicts.map(({ recipient, reason }) => [recipient, reason]),
    [
      ['x@stranger.test', 'unknown'],
      ['bob@known.test', 'allowed'],
      ['', 'malformed'],
      ['carl@corp.test', 'internal'],
      ['bob@known.test', 'allowed'],
    ],
  )
  t.strictSame(decide({ sender: '', login: '', recipients: [] }, facts), [])
  t.end()
})

t.test('the keys a rule could stand under', (t) => {
  t.strictSame(lookupKeys('Bob@A.B.c.test'), ['bob@a.b.c.test', 'a.b.c.test', 'b.c.test', 'c.test'])
  t.strictSame(lookupKeys('bob@c.test'), ['bob@c.test', 'c.test'])
  t.strictSame(lookupKeys('"bob"@c.test'), [])
  t.strictSame(lookupKeys(''), [])
  t.end()
})

t.test('mail of senders who are not ours passes by a rule for it alone', (t) => {
  const foreign = (effect: Rule['effect'], value: string, subdomains = false): Rule =>
    rule(effect, value, subdomains, 'foreign')
  const yes = foreign('allow', 'known.test')
  const no = foreign('block', 'known.test')
  const cases: [string, Rule[], string, Rule?][] = [
    ['by it', [yes], 'allowed', yes],
    ['an allow for everyone is not for them', [allow('known.test')], 'foreign-sender'],
    [
      'nor one for that very address',
      [rule('allow', 'known.test', false, 'x@stranger.test')],
      'foreign-sender',
    ],
    ['nor for its domain', [rule('allow', 'known.test', false, '@stranger.test')], 'foreign-sender'],
    ['beside others', [allow('known.test'), yes], 'allowed', yes],
    ['a block of it', [yes, no], 'blocked', no],
    ['a block for everyone counts', [yes, block('known.test')], 'foreign-sender'],
    [
      'one for somebody too: who knows who forwards',
      [yes, rule('block', 'known.test', false, 'otto@corp.test')],
      'foreign-sender',
    ],
    ['of an address', [yes, block('bob@known.test')], 'foreign-sender'],
    ['the address before the domain', [foreign('allow', 'bob@known.test'), block('known.test')], 'allowed'],
    ['a domain above', [foreign('allow', 'test.example', true)], 'foreign-sender'],
  ]
  for (const [name, rules, reason, by] of cases) {
    for (const sender of ['x@stranger.test', 'SRS0=a=b=other.test=x@corp.test', 'a%b@corp.test']) {
      const actual = verdict(rules, 'bob@known.test', sender)
      t.equal(actual?.reason, reason, `${name}: ${sender}`)
      t.equal(actual?.pass, reason === 'allowed')
      if (by !== undefined) t.equal(actual?.rule, by)
    }
  }
  t.equal(verdict([yes], 'bob@known.test', 'anna@corp.test')?.reason, 'unknown', 'and is not for ours')
  t.equal(verdict([yes], 'bob@known.test', '')?.reason, 'unknown')
  t.equal(
    decide(
      { sender: undefined, login: '', recipients: ['bob@known.test'] },
      { ...company, rules: new Map([['known.test', [yes]]]) },
    )[0]?.reason,
    'unknown',
  )
  t.equal(
    verdict([allow('known.test'), no], 'bob@known.test', '')?.reason,
    'blocked',
    'the null sender meets every block',
  )
  t.equal(
    verdict([yes], 'bob@known.test', 'x@stranger.test', 'anna')?.reason,
    'allowed',
    'whoever has logged in',
  )
  const hers = rule('block', 'known.test', false, 'anna@corp.test')
  t.equal(verdict([yes, hers], 'bob@known.test', 'x@stranger.test', 'anna')?.reason, 'foreign-sender')
  t.equal(
    verdict([foreign('allow', 'a..b@known.test')], '"a..b"@known.test', 'x@stranger.test')?.reason,
    'allowed',
  )
  t.equal(verdict([yes], 'a..b@known.test', 'x@stranger.test')?.reason, 'malformed')
  t.end()
})

t.test('the scopes of a mailbox, nearest first', (t) => {
  t.strictSame(scopesOf('anna@corp.test', company), [
    ['anna@corp.test'],
    ['accounting', 'board'],
    ['@corp.test'],
    [''],
  ])
  t.strictSame(scopesOf('x@billing.corp.test', company), [
    ['x@billing.corp.test'],
    ['accounting'],
    ['@billing.corp.test'],
    [''],
  ])
  t.strictSame(scopesOf('bob@corp.test', company), [['bob@corp.test'], ['@corp.test'], ['']])
  t.strictSame(scopesOf(undefined, company), [['']])
  const extended = { ...company, groups: new Map([['team', ['anna+t@corp.test']]]) }
  t.strictSame(scopesOf('anna@corp.test', extended)[1], ['team'], 'a member by his extension is one')
  t.strictSame(scopesOf('anna@corp.test', { ...extended, delimiters: '-' })[1], ['@corp.test'])
  t.end()
})

t.test('among equally specific rules the nearest scope decides, then block before allow', (t) => {
  const at = (effect: Rule['effect'], scope: string): Rule => rule(effect, 'known.test', false, scope)
  const everyone = at('allow', '')
  const domain = at('block', '@corp.test')
  const group = at('allow', 'accounting')
  const anna = at('block', 'anna@corp.test')
  const boardBlock = at('block', 'board')
  const boardAllow = at('allow', 'board')
  const cases: [Rule[], string, Rule | undefined][] = [
    [[everyone, domain, group, anna], 'anna@corp.test', anna],
    [[everyone, domain, group], 'anna@corp.test', group],
    [[everyone, domain], 'anna@corp.test', domain],
    [[everyone, domain], '', domain],
    [[everyone, group], '', everyone],
    [[everyone, group], 'bob@corp.test', everyone],
    [[group], 'bob@corp.test', undefined],
    [[group, anna], '', anna],
    [[group, boardBlock], 'anna@corp.test', boardBlock],
    [[group, boardAllow], 'anna@corp.test', group],
  ]
  for (const [rules, sender, expected] of cases) {
    for (const order of [rules, rules.toReversed()]) {
      const result = verdict(order, 'x@known.test', sender)
      t.equal(result?.rule, expected, `${sender || '<>'}: ${expected?.scope}`)
      t.equal(result?.pass, expected?.effect === 'allow')
    }
  }
  const both = [at('allow', 'anna@corp.test'), at('block', 'anna@corp.test')]
  t.equal(verdict(both, 'x@known.test')?.reason, 'blocked', 'block before allow where all is equal')
  const narrow = [rule('allow', 'x@known.test'), at('block', 'anna@corp.test')]
  t.equal(verdict(narrow, 'x@known.test')?.rule, narrow[0], 'the destination comes before the scope')
  t.end()
})

const VALUE = 'x@known.test'
const at = (effect: Rule['effect'], scope: string, value = 'known.test'): Rule =>
  rule(effect, value, false, scope)
const EVERYONE = at('allow', '')
const FOR_ANNA = at('block', 'anna@corp.test')
const FOR_X = at('block', 'anna+x@corp.test')
const FOR_GROUP = at('block', 'accounting')
const FOR_DOMAIN = at('block', '@corp.test')
const FOR_OTTO = at('block', 'otto@corp.test')
const EXACT = at('allow', '', VALUE)
const INFO = at('allow', 'info@corp.test')
const HERS = at('allow', 'anna@corp.test')

// Rules, sender, login, delimiters, and the rule that decides.
const EVASIONS: [string, Rule[], string | undefined, string, string | undefined, Rule | undefined][] = [
  ['the null sender meets a block for one', [EVERYONE, FOR_ANNA], '', '', '+', FOR_ANNA],
  ['for a group', [EVERYONE, FOR_GROUP], '', '', '+', FOR_GROUP],
  ['for a domain', [EVERYONE, FOR_DOMAIN], '', '', '+', FOR_DOMAIN],
  ['even where the login has none', [EVERYONE, FOR_ANNA], '', 'bob', '+', FOR_ANNA],
  ['of several the first made', [EVERYONE, FOR_GROUP, FOR_ANNA], '', '', '+', FOR_ANNA],
  ['a more specific allow stands', [EXACT, FOR_ANNA], '', '', '+', EXACT],
  ['an allow for some is not for the null sender', [INFO], '', '', '+', undefined],
  ['somebody of whom nothing is said', [EVERYONE, FOR_ANNA], undefined, '', '+', EVERYONE],

  ['an extension', [EVERYONE, FOR_ANNA], 'anna+x@corp.test', '', '+', FOR_ANNA],
  ['in capitals', [EVERYONE, FOR_ANNA], 'ANNA+X@Corp.test', '', '+', FOR_ANNA],
  ['by another delimiter', [EVERYONE, FOR_ANNA], 'anna-x@corp.test', '', '+-', FOR_ANNA],
  ['in a group', [EVERYONE, FOR_GROUP], 'anna+x@corp.test', '', '+', FOR_GROUP],
  ['a sign that is no delimiter', [EVERYONE, FOR_ANNA], 'anna-x@corp.test', '', '+', EVERYONE],
  ['a Postfix without extensions', [EVERYONE, FOR_ANNA], 'anna+x@corp.test', '', '', EVERYONE],
  ['a block for her extension is one for her', [EVERYONE, FOR_X], 'anna@corp.test', '', '+', FOR_X],
  ['but where there are none', [EVERYONE, FOR_X], 'anna@corp.test', '', '', EVERYONE],
  ['an allow for her is one for her extension', [HERS], 'anna+x@corp.test', '', '+', HERS],
  ['and not for another', [HERS], 'anna-x@corp.test', '', '+', undefined],

  [
    'delimiters unknown: any sign for a block',
    [EVERYONE, FOR_ANNA],
    'anna.smith@corp.test',
    '',
    undefined,
    FOR_ANNA,
  ],
  ['and in a group', [EVERYONE, FOR_GROUP], 'anna=x@corp.test', '', undefined, FOR_GROUP],
  ['none for an allow', [HERS], 'anna+x@corp.test', '', undefined, undefined],
  ['a longer name is another', [EVERYONE, FOR_ANNA], 'annabel@corp.test', '', undefined, EVERYONE],

  ['the login', [EVERYONE, FOR_ANNA], 'info@corp.test', 'anna@corp.test', '+', FOR_ANNA],
  ['with an extension', [EVERYONE, FOR_ANNA], 'info@corp.test', 'anna+x@corp.test', '+', FOR_ANNA],
  ['without a domain', [EVERYONE, FOR_ANNA], 'info@corp.test', 'Anna', '+', FOR_ANNA],
  ['with a realm', [EVERYONE, FOR_ANNA], 'info@corp.test', 'anna@CORP', '+', FOR_ANNA],
  ['as the configuration maps it', [EVERYONE, FOR_OTTO], 'info@corp.test', 'boss', '+', FOR_OTTO],
  ['in a group', [EVERYONE, FOR_GROUP], 'info@corp.test', 'anna', '+', FOR_GROUP],
  [
    'an allow for the sender does not stand against it',
    [INFO, FOR_ANNA],
    'info@corp.test',
    'anna',
    '+',
    FOR_ANNA,
  ],
  [
    "a block for both is the sender's to be excepted from",
    [INFO, FOR_DOMAIN],
    'info@corp.test',
    'anna',
    '+',
    INFO,
  ],
  ['a more specific allow for everyone does', [EXACT, FOR_ANNA], 'info@corp.test', 'anna', '+', EXACT],
  ['an allow for the login is none for the sender', [HERS], 'info@corp.test', 'anna', '+', undefined],
  [
    'her own allow is nearer than her group',
    [EVERYONE, FOR_GROUP, HERS],
    'info@corp.test',
    'anna',
    '+',
    EVERYONE,
  ],
  ['another login', [EVERYONE, FOR_ANNA], 'info@corp.test', 'bob', '+', EVERYONE],
  ["a login that could be anybody's", [EVERYONE, FOR_ANNA], 'info@corp.test', 'A. Smith', '+', FOR_ANNA],
]

t.test('a block counts for whoever may be behind a message', (t) => {
  for (const [name, rules, sender, login, delimiters, expected] of EVASIONS) {
    for (const order of [rules, rules.toReversed()]) {
      const byValue = new Map<string, Rule[]>()
      for (const one of order) byValue.set(one.value, [...(byValue.get(one.value) ?? []), one])
      const facts = { ...company, delimiters, rules: byValue }
      const [result] = decide({ sender, login, recipients: [VALUE] }, facts)
      t.equal(result?.rule, expected, name)
      t.equal(result?.pass, expected?.effect === 'allow', name)
    }
  }
  t.end()
})

t.test('recipients are exact', (t) => {
  const rules = [block('bob@known.test'), allow('known.test')]
  t.equal(verdict(rules, 'bob+x@known.test')?.rule, rules[1], 'whose extensions nobody knows')
  t.end()
})
