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

/** One verdict, the rules as the landscape hands them over: by value. */
function verdict(rules: readonly Rule[], recipient: string, sender = 'anna@corp.test') {
  const byValue = new Map<string, Rule[]>()
  for (const one of rules) byValue.set(one.value, [...(byValue.get(one.value) ?? []), one])
  return decide({ sender, recipients: [recipient] }, { internal, groups, rules: byValue })[0]
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
  const facts = { internal, groups, rules: new Map([['known.test', [known]]]) }
  const verdicts = decide({ sender: 'anna@corp.test', recipients }, facts)
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
  t.strictSame(decide({ sender: '', recipients: [] }, facts), [])
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

t.test('the scopes of a sender, nearest first', (t) => {
  t.strictSame(scopesOf('Anna@Corp.test', groups), [
    ['anna@corp.test'],
    ['accounting', 'board'],
    ['@corp.test'],
    [''],
  ])
  t.strictSame(scopesOf('x@billing.corp.test', groups), [
    ['x@billing.corp.test'],
    ['accounting'],
    ['@billing.corp.test'],
    [''],
  ])
  t.strictSame(scopesOf('bob@corp.test', groups), [['bob@corp.test'], ['@corp.test'], ['']])
  for (const sender of ['', '"anna"@corp.test', 'anna'])
    t.strictSame(scopesOf(sender, groups), [['']], sender)
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
    [[everyone, domain], '', everyone],
    [[everyone, group], 'bob@corp.test', everyone],
    [[group], 'bob@corp.test', undefined],
    [[group, anna], '', undefined],
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
