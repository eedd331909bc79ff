/** Tests of decide.ts: every reason by name, and the order of precedence in full. */
import t from 'tap'
import { decide, isOwnSender, lookupKeys, PASSING, type Reason, type Rule, scopesOf } from '../lib/decide.js'

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
const company = { internal, groups, logins, delimiters: '+' as string | undefined }

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
  ],
  allowed: [
    ['anna@corp.test', 'bob@known.test', exact],
    ['anna@corp.test', 'BOB@Known.TEST', exact],
    ['anna@corp.test', 'other@known.test', known],
    ['', 'other@known.test', known],
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
    ['x@stranger.test', 'carl@corp.test'],
    ['x@stranger.test', 'x@evil.test'],
    ['x@sub.corp.test', 'carl@corp.test'],
    ['bob@known.test', 'carl@corp.test'], // known is not own
    ['anna', 'carl@corp.test'],
    ['v%evil.test@corp.test', 'carl@corp.test'],
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

t.test('an internal domain comes before any rule, a foreign sender before both', (t) => {
  const rules = [block('corp.test', true), block('carl@corp.test')]
  t.strictSame(verdict(rules, 'carl@corp.test'), {
    recipient: 'carl@corp.test',
    pass: true,
    reason: 'internal',
  })
  t.equal(verdict(rules, 'carl@corp.test', 'x@evil.test')?.reason, 'foreign-sender')
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

t.test('whose sender it is', (t) => {
  const own = ['', 'anna@corp.test', 'ANNA@CORP.TEST']
  const foreign = [
    'anna@corp.test.',
    'anna@sub.corp.test',
    'anna@evilcorp.test',
    '<>',
    '"a"@corp.test',
    'a%b@corp.test',
  ]
  for (const sender of own) t.equal(isOwnSender(sender, internal), true, sender)
  for (const sender of foreign) t.equal(isOwnSender(sender, internal), false, sender)
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
