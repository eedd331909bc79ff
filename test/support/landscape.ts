/** Landscape: random rules, senders and recipients of a world so small that they meet. */
import fc from 'fast-check'
import type { DecisionFacts, Rule } from '../../lib/rules/decide.js'
import { strangeAddress } from './strange.js'

/** A whole rule: here is what none of the random worlds cares about. */
export function makeRule({
  id,
  value,
  subdomains,
  scope,
  effect,
}: Pick<Rule, 'id' | 'value' | 'subdomains' | 'scope' | 'effect'>): Rule {
  // One by one: to spread what fast-check makes was a fifth of these tests.
  return {
    id,
    kind: value.includes('@') ? 'address' : 'domain',
    value,
    subdomains,
    scope,
    effect,
    endsAt: null,
    addedBy: 'test',
    addedAt: 1,
    source: 'test',
    note: '',
  }
}

/** Facts as the gate has them; of these values alone where they are given. */
export function makeFacts(
  { internal, senders, groups, rules, delimiters }: World,
  values?: Iterable<string>,
): DecisionFacts {
  const wanted = values === undefined ? undefined : new Set(values)
  const byValue = new Map<string, Rule[]>()
  for (const rule of rules) {
    if (wanted === undefined || wanted.has(rule.value)) {
      byValue.set(rule.value, [...(byValue.get(rule.value) ?? []), rule])
    }
  }
  const company = {
    internal: new Set(internal),
    senders: new Set(senders),
    groups: new Map(groups),
    delimiters,
    logins: LOGINS,
  }
  return { ...company, rules: byValue }
}

const LOCALS = ['x', 'y', 'x.y', 'x+y', 'x..y']
const label = fc.constantFrom('a', 'b', 'aa', 'a_b', 'xn--bcher-kva')
const suffix = fc.constantFrom('test', 'a.test')

/** Two labels or more: no rule can be drafted on fewer. */
export const smallDomain: fc.Arbitrary<string> = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 2 }), suffix)
  .map(([labels, last]) => [...labels, last].join('.'))

const smallAddress = fc
  .tuple(fc.constantFrom(...LOCALS), smallDomain)
  .map(([local, domain]) => `${local}@${domain}`)

/** As a person writes it: in any case, or with the name in its own letters. */
const written = fc
  .tuple(smallAddress, fc.constantFrom('as is', 'upper', 'title', 'unicode'))
  .map(([text, way]) => {
    if (way === 'upper') return text.toUpperCase()
    if (way === 'title') return text.replace(/^./, (first) => first.toUpperCase())
    return way === 'unicode' ? text.replaceAll('xn--bcher-kva', 'bücher') : text
  })

/** An address of this world, something close to one, or something strange. */
export const smallRecipient: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: written },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          '"x..y"',
          '.x',
          `x${'y'.repeat(70)}`,
          'x%b.test',
          '"x"',
          'x y',
          'b.test!x',
          'x@y',
          '-x',
          '',
          'ü',
          'x\0',
        ),
        smallDomain,
      )
      .map(([local, domain]) => `${local}@${domain}`),
  },
  { weight: 1, arbitrary: strangeAddress },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'x@localhost',
      'x..y@LOCALHOST',
      '"x..y"@localhost',
      'x%a.test@localhost',
      'x@b',
    ),
  },
)

/** Senders as forwards have them: of ours, of strangers, of another's server, and of nobody who could be read. */
export const REWRITTEN = [
  'SRS0=ab=cd=corp.test=anna@corp.test',
  'SRS0=ab=cd=b.test=x@corp.test',
  'srs0=ab=cd=b.test=news@printer.test',
  'SRS1=ab=fw.test==ef=gh=corp.test=otto+x@corp.test',
  'SRS1=ab=fw.test==ef=gh=b.test=x@corp.test',
  'SRS0=ab=cd=corp.test=anna@b.test',
  'SRS0=opaque@corp.test',
]

/** The null sender, one of this world, internal or not, or something strange. */
export const smallSender: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  { weight: 6, arbitrary: fc.constantFrom('anna@corp.test', 'Otto@CORP.test', 'eva@shop.test') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('anna+x@corp.test', 'otto-y+z@corp.test', 'info@corp.test', 'root@localhost'),
  },
  { weight: 2, arbitrary: smallRecipient },
  {
    weight: 2,
    arbitrary: fc.constantFrom('scanner@printer.test', 'news@b.test', 'News+1@b.test', 'old@b.test'),
  },
  { weight: 2, arbitrary: fc.constantFrom(...REWRITTEN) },
)

/** Of the configuration: whose login does not say whose it is. */
export const LOGINS: ReadonlyMap<string, string> = new Map([['boss', 'otto@corp.test']])

/** Logins in every form, and whose mailboxes they may be, without extensions taken off; undefined for anybody's. */
export const LOGGED_IN: Record<string, (internal: readonly string[]) => string[] | undefined> = {
  '': () => [],
  'anna@corp.test': () => ['anna@corp.test'],
  'ANNA+z@Corp.test': () => ['anna+z@corp.test'],
  anna: (internal) => internal.map((domain) => `anna@${domain}`),
  'CORP\\anna': (internal) => internal.map((domain) => `anna@${domain}`),
  'otto@REALM': (internal) => internal.map((domain) => `otto@${domain}`),
  boss: () => ['otto@corp.test'],
  'J\u{fc}rgen M': () => undefined,
}

/** Mostly none, as most mail of these worlds has only a sender. */
export const smallLogin: fc.Arbitrary<string> = fc.oneof(
  fc.constant(''),
  fc.constantFrom(...Object.keys(LOGGED_IN)),
)

export interface World {
  internal: string[]
  /** Own senders besides: `@domain` and addresses. */
  senders: string[]
  delimiters: string | undefined
  /** Name and members, in the order of the configuration. */
  groups: [string, string[]][]
  rules: Rule[]
}

const SCOPES = [
  'anna@corp.test',
  'anna+x@corp.test',
  'otto@corp.test',
  '@corp.test',
  '@shop.test',
  '@a.test',
  'accounting',
  'board',
  'foreign',
  'foreign',
]
const GROUPS: World['groups'] = [
  ['accounting', ['anna@corp.test', '@shop.test']],
  ['board', ['otto+b@corp.test', 'anna@corp.test']],
]

/** Rules, groups and internal domains; of each value, scope and effect one rule at most, as the database has it. */
export const world: fc.Arbitrary<World> = fc
  .record({
    internal: fc.subarray(['shop.test', 'a.test', 'b.a.test', 'a.aa.test', 'localhost']),
    senders: fc.subarray(['@printer.test', 'eva@shop.test', 'news@b.test']),
    delimiters: fc.constantFrom(undefined, '', '+', '+', '+-'),
    groups: fc.shuffledSubarray(GROUPS),
    rules: fc.uniqueArray(
      fc.record({
        value: fc.oneof(smallDomain, smallDomain, smallAddress),
        subdomains: fc.boolean(),
        scope: fc.oneof(
          { weight: 3, arbitrary: fc.constant('') },
          { weight: 4, arbitrary: fc.constantFrom(...SCOPES) },
        ),
        effect: fc.constantFrom('allow' as const, 'allow' as const, 'block' as const),
      }),
      { maxLength: 60, size: 'max', selector: ({ value, scope, effect }) => `${effect} ${value} ${scope}` },
    ),
  })
  .map(({ internal, senders, delimiters, groups, rules }) => ({
    internal: ['corp.test', ...internal],
    senders,
    delimiters,
    groups,
    rules: rules.map((rule, index) =>
      makeRule({ ...rule, id: index + 1, subdomains: rule.subdomains && !rule.value.includes('@') }),
    ),
  }))
