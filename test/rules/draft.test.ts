/** Tests of ruledraft.ts: what a person may put into the landscape, and what is said of the rest. */
import t from 'tap'
import { EXIT } from '../../lib/exit.js'
import { Failure } from '../../lib/failure.js'
import { type DraftOptions, draftRule, meantBy, parseRuleValue } from '../../lib/rules/draft.js'

function failureOf(act: () => unknown): Failure {
  try {
    act()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

t.test('what names a rule', (t) => {
  const values: [string, 'address' | 'domain', string][] = [
    ['Bob@Known.TEST', 'address', 'bob@known.test'],
    ['bob@bücher.test', 'address', 'bob@xn--bcher-kva.test'],
    ['Known.TEST', 'domain', 'known.test'],
    ['@known.test', 'domain', 'known.test'],
    ['bücher.test', 'domain', 'xn--bcher-kva.test'],
    ['@sub.known.test', 'domain', 'sub.known.test'],
    ['@a_b.known.test', 'domain', 'a_b.known.test'],
    [`${'A'.repeat(99)}@known.test`, 'address', `${'a'.repeat(99)}@known.test`],
    ['Try..This@known.test', 'address', 'try..this@known.test'],
    ['"Try..This"@known.test', 'address', 'try..this@known.test'],
  ]
  for (const [text, kind, value] of values) t.strictSame(parseRuleValue('allow', text), { kind, value }, text)

  const meant: [string, string | undefined][] = [
    ['https://www.known.test/shop?x=1', 'www.known.test'],
    ['http://user:pw@known.test:8080/', 'known.test'],
    ['mailto:bob@known.test?subject=x', 'bob@known.test'],
    ['Bob Known <bob@known.test>', 'bob@known.test'],
    ['"Known, Bob" <bob@known.test>;', 'bob@known.test'],
    ['<bob@known.test>', 'bob@known.test'],
    ['*.known.test', 'known.test --subdomains'],
    ['.known.test', 'known.test --subdomains'],
    ['@*.known.test', 'known.test --subdomains'],
    ['*@known.test', 'known.test'],
    ['known.test/', 'known.test'],
    ['known.test.', 'known.test'],
    ['bob@known.test,', 'bob@known.test'],
    [' bob@known.test ', 'bob@known.test'],
    ["'known.test'", 'known.test'],
    ['https://192.0.2.1/', undefined],
    ['bob', undefined],
    ['a%b@known.test', undefined],
    ['Bob <a%b@known.test>', undefined],
  ]
  for (const [text, found] of meant) t.equal(meantBy(text), found, text)

  const wrong: [string, string][] = [
    ['', 'it is neither an address nor a domain (no domain)'],
    ['@', 'it is neither an address nor a domain (no domain)'],
    ['com', 'it is neither an address nor a domain (single-label domain)'],
    ['bob', 'it is neither an address nor a domain (single-label domain)'],
    ['*.known.test', 'it is neither an address nor a domain (domain is not a host name)'],
    ['192.0.2.1', 'it is neither an address nor a domain (numeric top-level domain)'],
    ['[192.0.2.1]', 'it is neither an address nor a domain (address literal)'],
    ['--force', 'it is neither an address nor a domain (domain is not a host name)'],
    ['xn--a.test', 'it is neither an address nor a domain (internationalised domain does not round-trip)'],
    ['bob@', 'it is no plain address (no domain)'],
    ['bob@com', 'it is no plain address (single-label domain)'],
    ['a@b@known.test', 'it is no plain address (second @)'],
    ['@a@known.test', 'it is no plain address (second @)'],
    ['v%evil.test@known.test', 'it is no plain address (percent or bang routing)'],
    ['"a"@known.test', 'it is no plain address (quoted)'],
    ['-a@known.test', 'it is no plain address (leading hyphen)'],
    ['"a..b c"@known.test', 'it is no plain address (quoted)'],
    ['a..%b@known.test', 'it is no plain address (percent or bang routing)'],
    ['jürgen@known.test', 'it is no plain address (local part is not ASCII)'],
    ['a..b@localhost', 'it is no plain address (local part is not a dot-atom)'],
    ['a@known.test\n', 'it is no plain address (control character)'],
  ]
  for (const [text, why] of wrong) {
    const failure = failureOf(() => parseRuleValue('revoke', text))
    t.equal(failure.message, `revoke ${JSON.stringify(text)}: ${why}`)
    t.equal(failure.status, EXIT.usage, text)
  }
  t.end()
})

const PLAIN: DraftOptions = { effect: 'allow', subdomains: false, force: false, source: 'command', note: 'n' }
const SUFFIX = 'it is a public suffix: anybody can register a name below it'
const ABOVE = 'public suffixes lie below it: --subdomains would let in anybody; leave --subdomains out'
const FREEMAIL =
  'it is a freemail domain: anybody can have an address there; allow single addresses, or add --force'
const SINGLE = 'allow single addresses, or add --force'
const CERTIFIED = `it is a provider of certified mail: anybody can have an address there; ${SINGLE}`
const ALIAS = `its addresses stand for those of others: anybody can be behind one; ${SINGLE}`
const GROUP = `it is a provider of groups and lists: anybody can have one there; ${SINGLE}`
const SITE = `the configuration names it as shared (landscape.shared): it is not one company; ${SINGLE}`
const NO_SUBDOMAINS = 'an address has no subdomains; give its domain, or leave --subdomains out'

// Value, options, and the complaint or undefined for a draft.
const DRAFTS: [string, Partial<DraftOptions>, string | undefined][] = [
  ['known.test', {}, undefined],
  ['known.test', { subdomains: true }, undefined],
  ['bob@known.test', {}, undefined],
  ['bob@known.test', { subdomains: true }, NO_SUBDOMAINS],
  ['bob@known.test', { subdomains: true, effect: 'block' }, NO_SUBDOMAINS],
  ['co.uk', {}, SUFFIX],
  ['@Co.UK', {}, SUFFIX],
  ['github.io', {}, SUFFIX],
  ['github.io', { force: true }, SUFFIX], // force is for freemail alone
  ['xn--55qx5d.cn', {}, SUFFIX],
  ['公司.cn', {}, SUFFIX],
  ['foo.ck', {}, SUFFIX],
  ['someone.github.io', {}, undefined],
  ['bob@github.io', {}, undefined],
  ['amazonaws.com', {}, undefined],
  ['amazonaws.com', { subdomains: true }, ABOVE],
  ['amazonaws.com', { subdomains: true, force: true }, ABOVE],
  ['gmail.com', {}, FREEMAIL],
  ['GMAIL.com', {}, FREEMAIL],
  ['@orange.fr', { subdomains: true }, FREEMAIL],
  ['müll.email', {}, FREEMAIL],
  ['xn--mll-hoa.email', {}, FREEMAIL],
  ['gmail.com', { force: true }, undefined],
  ['bob@gmail.com', {}, undefined],
  ['gmx.ch', {}, FREEMAIL],
  ['posteo.de', {}, FREEMAIL],
  ['tutanota.com', { subdomains: true }, FREEMAIL],
  ['legalmail.it', {}, CERTIFIED],
  ['cert.legalmail.it', {}, CERTIFIED],
  ['privaterelay.appleid.com', {}, ALIAS],
  ['anna.mozmail.com', {}, ALIAS],
  ['googlegroups.com', {}, GROUP],
  ['company.groups.io', {}, GROUP],
  ['portal.test', { shared: new Set(['portal.test']) }, SITE],
  ['x.portal.test', { shared: new Set(['portal.test']) }, SITE],
  ['bob@portal.test', { shared: new Set(['portal.test']) }, undefined],
  ['portal.test', { shared: new Set(['portal.test']), force: true }, undefined],
  // A block may be as wide as it likes.
  ['co.uk', { effect: 'block', subdomains: true }, undefined],
  ['gmail.com', { effect: 'block' }, undefined],
  ['amazonaws.com', { effect: 'block', subdomains: true }, undefined],
]

t.test('drafts', (t) => {
  for (const [text, some, complaint] of DRAFTS) {
    const options = { ...PLAIN, ...some }
    const name = `${text} ${JSON.stringify(some)}`
    if (complaint === undefined) {
      const { force: _, shared: __, ...rest } = options
      t.strictSame(
        draftRule(text, options),
        { ...parseRuleValue('', text), ...rest, scope: '', endsAt: null },
        name,
      )
    } else {
      const failure = failureOf(() => draftRule(text, options))
      t.equal(failure.line, `${options.effect} ${JSON.stringify(text)}: ${complaint}`, name)
      t.equal(failure.status, EXIT.usage, name)
    }
  }
  t.end()
})
