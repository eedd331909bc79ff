/** Properties of decide.ts: the same verdicts as a naive reading of the design's order, over every rule there is. */
import fc from 'fast-check'
import t from 'tap'
import { isSendable } from '../../lib/mail/address.js'
import { decide, lookupKeys, type Reason, type Rule, type Verdict } from '../../lib/rules/decide.js'
import {
  LOGGED_IN,
  makeFacts,
  smallLogin,
  smallRecipient,
  smallSender,
  type World,
  world,
} from '../support/landscape.js'
import { readAddress } from '../support/plain.js'
import { assertSame, holds } from '../support/property.js'

interface Expected {
  reason: Reason
  rule?: Rule
}

/** How far a rule stands from a plain address: 0 its own, 1 its domain's, then upwards; undefined out of reach. */
function distance(rule: Rule, key: string, domain: string): number | undefined {
  if (rule.kind === 'address') return rule.value === key ? 0 : undefined
  if (rule.value === domain) return 1
  if (!rule.subdomains || !domain.endsWith(`.${rule.value}`)) return undefined
  return 1 + domain.split('.').length - rule.value.split('.').length
}

/** What stands before the first of these signs, or all of it. */
function withoutExtension(key: string, delimiters: string | undefined): string {
  const [local = '', domain = ''] = key.split('@')
  const cut = [...local].findIndex((sign) => delimiters?.includes(sign))
  return cut > 0 ? `${local.slice(0, cut)}@${domain}` : key
}

/** Everybody whose mail an address could be by its extension, as closely as the world says. */
function owners(key: string, { delimiters }: World): string[] {
  if (delimiters !== undefined) return [withoutExtension(key, delimiters)]
  const [local = '', domain = ''] = key.split('@')
  const cuts = [...local.matchAll(/(?<=.)[^a-z0-9]/g)].map(
    ({ index }) => `${local.slice(0, index)}@${domain}`,
  )
  return [key, ...cuts]
}

/** How near a scope is to a person: his own, any of his groups, his domain, everyone; undefined if none of his. */
function nearness(
  scope: string,
  person: string | undefined,
  { groups, delimiters }: World,
): number | undefined {
  if (person === 'foreign') return scope === 'foreign' ? 0 : undefined
  if (scope === '') return 3
  if (person === undefined) return undefined
  const domain = `@${person.split('@')[1]}`
  const isHim = (whom: string): boolean => withoutExtension(whom, delimiters) === person
  if (scope === domain) return 2
  if (scope.includes('@')) return isHim(scope) ? 0 : undefined
  const [, members = []] = groups.find(([name]) => name === scope) ?? []
  return members.some((member) => member === domain || (!member.startsWith('@') && isHim(member)))
    ? 1
    : undefined
}

/** Whether the first number that differs is the smaller one. */
function before(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((number, index) => number !== other[index])
  return at >= 0 && (one[at] ?? 0) < (other[at] ?? 0)
}

/** The rule that decides over a person's mail, where `anybody` looks as if every block were for him above all. */
function firstRule(
  person: string | undefined,
  anybody: boolean,
  address: { key: string; domain: string },
  world: World,
): Rule | undefined {
  let first: { rule: Rule; place: number[] } | undefined
  for (const rule of world.rules) {
    const far = distance(rule, address.key, address.domain)
    const near = anybody && rule.effect === 'block' ? -1 : nearness(rule.scope, person, world)
    if (far === undefined || near === undefined) continue
    const place = [far, near, rule.effect === 'block' ? 0 : 1, rule.id]
    if (first === undefined || before(place, first.place)) first = { rule, place }
  }
  return first?.rule
}

/** Whom a sender speaks of, read at its equals signs where it is rewritten by a server of ours; undefined if not plain. */
function speaksOf(sender: string, { internal, senders }: World): { key: string; domain: string } | undefined {
  const from = readAddress(sender, internal)
  if (from.verdict === 'not plain') return undefined
  const ours = internal.includes(from.domain) || senders.includes(`@${from.domain}`)
  if (!ours || !/^srs[01][=+-]/.test(from.local)) return from
  const parts = from.local.slice(5).split('=')
  const [, , domain = '', ...local] = from.local.startsWith('srs1') ? parts.slice(3) : parts
  return speaksOf(`${local.join('=')}@${domain}`, { internal, senders } as World)
}

function expectedFor(sender: string, login: string, recipient: string, world: World): Expected {
  const { internal } = world
  const address = readAddress(recipient, internal)
  const odd = address.verdict === 'not plain' ? address.odd : undefined
  const domain = address.verdict === 'not plain' ? odd?.domain : address.domain
  const key = address.verdict === 'not plain' ? odd?.key : address.key
  const inside = domain !== undefined && internal.includes(domain)
  if (key === undefined && !inside) return { reason: 'malformed' }
  if (inside || key === undefined || domain === undefined)
    return { reason: sender === '' || isSendable(sender) ? 'internal' : 'foreign-sender' }
  const from = speaksOf(sender, world)
  const names =
    from === undefined ? [] : [`@${from.domain}`, from.key, withoutExtension(from.key, world.delimiters)]
  const ours = from !== undefined && internal.includes(from.domain)
  const foreign = sender !== '' && !ours && !names.some((name) => world.senders.includes(name))
  // Of what is odd no rule but its own speaks.
  const asked = { key, domain: odd === undefined ? domain : '' }
  const [person, ...more] = from === undefined ? [] : owners(from.key, world)
  const isHis = (scope: string): boolean =>
    foreign ? scope === 'foreign' : nearness(scope, person, world) !== undefined
  const loggedIn = LOGGED_IN[login]?.(internal)
  for (const other of [...more, ...(loggedIn ?? []).flatMap((key) => owners(key, world))]) {
    const rule = firstRule(other, false, asked, world)
    if (rule?.effect !== 'block' || isHis(rule.scope)) continue
    if (foreign) return { reason: odd === undefined ? 'foreign-sender' : 'malformed' }
    return { reason: 'blocked', rule }
  }
  const anybody = foreign || person === undefined || loggedIn === undefined
  const rule = firstRule(foreign ? 'foreign' : person, anybody, asked, world)
  if (rule === undefined || (foreign && rule.scope !== 'foreign'))
    return { reason: odd !== undefined ? 'malformed' : foreign ? 'foreign-sender' : 'unknown' }
  if (rule.effect === 'block') return { reason: 'blocked', rule }
  return sender === '' || isSendable(sender) ? { reason: 'allowed', rule } : { reason: 'foreign-sender' }
}

/** Whether the second reading knows for certain what this is: not where Unicode's tables decide. */
function isCertain(text: string): boolean {
  const reading = readAddress(text)
  if (text.includes('bücher') || text.includes('xn--bcher-kva')) return true
  return reading.verdict === 'not plain' ? reading.odd?.sure !== false : reading.verdict === 'plain'
}

const recipients = fc.array(smallRecipient.filter(isCertain), { minLength: 1, maxLength: 12 })
const sender = smallSender.filter(isCertain)

function told(verdicts: readonly Verdict[]): unknown[] {
  return verdicts.map(({ recipient, pass, reason, rule }) => ({ recipient, pass, reason, rule: rule?.id }))
}

t.test('first match in the order of the design, over all rules', async (t) => {
  const seen: Record<Reason, number> = {
    internal: 0,
    allowed: 0,
    malformed: 0,
    'foreign-sender': 0,
    blocked: 0,
    unknown: 0,
  }
  const agrees = fc.property(world, sender, smallLogin, recipients, (world, sender, login, recipients) => {
    const verdicts = decide({ sender, login, recipients }, makeFacts(world))
    const expected = recipients.map((recipient) => ({
      recipient,
      ...expectedFor(sender, login, recipient, world),
    }))
    assertSame(
      told(verdicts),
      expected.map(({ recipient, reason, rule }) => {
        seen[reason]++
        return { recipient, pass: reason === 'internal' || reason === 'allowed', reason, rule: rule?.id }
      }),
    )
    for (const { reason, fault, rule } of verdicts) {
      assertSame(fault !== undefined, reason === 'malformed')
      assertSame(rule !== undefined, reason === 'allowed' || reason === 'blocked')
    }
  })
  await holds(t, 'agreement', 6000, agrees)
  const all = Object.values(seen).reduce((sum, count) => sum + count, 0)
  for (const [reason, count] of Object.entries(seen)) t.ok(count > all / 100, `${reason}: ${count} of ${all}`)
})

t.test('the rules at the keys of a recipient are all that matter', async (t) => {
  const enough = fc.property(world, sender, smallLogin, recipients, (world, sender, login, recipients) => {
    const all = decide({ sender, login, recipients }, makeFacts(world))
    const asked = decide({ sender, login, recipients }, makeFacts(world, recipients.flatMap(lookupKeys)))
    assertSame(told(asked), told(all))
    for (const [index, recipient] of recipients.entries()) {
      const alone = decide(
        { sender, login, recipients: [recipient] },
        makeFacts(world, lookupKeys(recipient)),
      )
      assertSame(told(alone), told(all.slice(index, index + 1)))
    }
  })
  await holds(t, 'look-ups', 3000, enough)
})

t.test('neither the order of the rules nor that of the recipients matters', async (t) => {
  const shuffled = world.chain((world) =>
    fc.tuple(fc.constant(world), fc.shuffledSubarray(world.rules, { minLength: world.rules.length })),
  )
  const same = fc.property(
    shuffled,
    sender,
    smallLogin,
    recipients,
    ([world, rules], sender, login, recipients) => {
      const backwards = { sender, login, recipients: recipients.toReversed() }
      const other = decide(backwards, makeFacts({ ...world, rules })).toReversed()
      assertSame(told(other), told(decide({ sender, login, recipients }, makeFacts(world))))
    },
  )
  await holds(t, 'orders', 3000, same)
})

t.test('a block never lets anybody in, and an allow never keeps anybody out', async (t) => {
  const monotonous = fc.property(
    world,
    sender,
    smallLogin,
    recipients,
    (world, sender, login, recipients) => {
      const all = decide({ sender, login, recipients }, makeFacts(world))
      const without = (effect: Rule['effect']): Verdict[] => {
        const rules = world.rules.filter((rule) => rule.effect !== effect)
        return decide({ sender, login, recipients }, makeFacts({ ...world, rules }))
      }
      for (const [index, { pass }] of without('block').entries())
        if (!pass) assertSame(all[index]?.pass, false)
      for (const [index, { pass }] of without('allow').entries()) if (pass) assertSame(all[index]?.pass, true)
    },
  )
  await holds(t, 'effects', 3000, monotonous)
})

t.test(
  'nobody gets out by an extension, a login or no sender what he does not get out without',
  async (t) => {
    const seen = { blocked: 0, held: 0 }
    const stricter = fc.property(world, smallLogin, recipients, (world, login, recipients) => {
      const ask = (sender: string | undefined, login: string): Verdict[] =>
        decide({ sender, login, recipients }, makeFacts(world))
      const bare = ask('anna@corp.test', '')
      const atMost = (given: readonly Verdict[], most: readonly Verdict[]): void => {
        for (const [index, { pass }] of given.entries()) if (!most[index]?.pass) assertSame(pass, false)
      }
      atMost(ask('anna@corp.test', login), bare)
      atMost(ask('', login), ask(undefined, ''))
      const extended = ask('anna+x@corp.test', '')
      if (world.delimiters?.includes('+')) assertSame(told(extended), told(bare))
      for (const [index, { rule, reason }] of bare.entries()) {
        const isHers = reason === 'blocked' && rule?.scope !== '' && rule?.scope !== '@corp.test'
        if (!isHers) continue
        seen.blocked++
        // With no delimiter known she may be anybody, with none at all she is another.
        if (world.delimiters !== '') assertSame(extended[index]?.pass, false)
        assertSame(ask('info@corp.test', 'anna@corp.test')[index]?.pass, false)
        assertSame(ask('', 'anna')[index]?.pass, false)
        seen.held++
      }
    })
    await holds(t, 'evasions', 3000, stricter)
    t.ok(seen.blocked > 100 && seen.held === seen.blocked, JSON.stringify(seen))
  },
)
