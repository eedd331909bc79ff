/** Properties of decide.ts: the same verdicts as a naive reading of the design's order, over every rule there is. */
import fc from 'fast-check'
import t from 'tap'
import { decide, lookupKeys, type Reason, type Rule, type Verdict } from '../lib/decide.js'
import { makeFacts, smallRecipient, smallSender, type World, world } from './support/landscape.js'
import { readAddress } from './support/plain.js'
import { assertSame, holds } from './support/property.js'

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

/** How near a scope is to a sender: his own, any of his groups, his domain, everyone; undefined if none of his. */
function nearness(scope: string, sender: string, groups: World['groups']): number | undefined {
  if (scope === '') return 3
  const from = readAddress(sender)
  if (from.verdict === 'not plain') return undefined
  if (scope === from.key) return 0
  if (scope === `@${from.domain}`) return 2
  const [, members = []] = groups.find(([name]) => name === scope) ?? []
  return members.some((member) => member === from.key || member === `@${from.domain}`) ? 1 : undefined
}

/** Whether the first number that differs is the smaller one. */
function before(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((number, index) => number !== other[index])
  return at >= 0 && (one[at] ?? 0) < (other[at] ?? 0)
}

function expectedFor(sender: string, recipient: string, { internal, groups, rules }: World): Expected {
  const address = readAddress(recipient)
  if (address.verdict === 'not plain') return { reason: 'malformed' }
  const from = readAddress(sender)
  const own = sender === '' || (from.verdict !== 'not plain' && internal.includes(from.domain))
  if (!own) return { reason: 'foreign-sender' }
  if (internal.includes(address.domain)) return { reason: 'internal' }
  let first: { rule: Rule; place: number[] } | undefined
  for (const rule of rules) {
    const far = distance(rule, address.key, address.domain)
    const near = nearness(rule.scope, sender, groups)
    if (far === undefined || near === undefined) continue
    const place = [far, near, rule.effect === 'block' ? 0 : 1, rule.id]
    if (first === undefined || before(place, first.place)) first = { rule, place }
  }
  if (first === undefined) return { reason: 'unknown' }
  return { reason: first.rule.effect === 'allow' ? 'allowed' : 'blocked', rule: first.rule }
}

/** Whether the second reading knows for certain what this is: not where Unicode's tables decide. */
function isCertain(text: string): boolean {
  return readAddress(text).verdict !== 'perhaps' || text.includes('bücher') || text.includes('xn--bcher-kva')
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
  const agrees = fc.property(world, sender, recipients, (world, sender, recipients) => {
    const verdicts = decide({ sender, recipients }, makeFacts(world))
    const expected = recipients.map((recipient) => ({ recipient, ...expectedFor(sender, recipient, world) }))
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
  const enough = fc.property(world, sender, recipients, (world, sender, recipients) => {
    const all = decide({ sender, recipients }, makeFacts(world))
    const asked = decide({ sender, recipients }, makeFacts(world, recipients.flatMap(lookupKeys)))
    assertSame(told(asked), told(all))
    for (const [index, recipient] of recipients.entries()) {
      const alone = decide({ sender, recipients: [recipient] }, makeFacts(world, lookupKeys(recipient)))
      assertSame(told(alone), told(all.slice(index, index + 1)))
    }
  })
  await holds(t, 'look-ups', 3000, enough)
})

t.test('neither the order of the rules nor that of the recipients matters', async (t) => {
  const shuffled = world.chain((world) =>
    fc.tuple(fc.constant(world), fc.shuffledSubarray(world.rules, { minLength: world.rules.length })),
  )
  const same = fc.property(shuffled, sender, recipients, ([world, rules], sender, recipients) => {
    const backwards = { sender, recipients: recipients.toReversed() }
    const other = decide(backwards, makeFacts({ ...world, rules })).toReversed()
    assertSame(told(other), told(decide({ sender, recipients }, makeFacts(world))))
  })
  await holds(t, 'orders', 3000, same)
})

t.test('a block never lets anybody in, and an allow never keeps anybody out', async (t) => {
  const monotonous = fc.property(world, sender, recipients, (world, sender, recipients) => {
    const all = decide({ sender, recipients }, makeFacts(world))
    const without = (effect: Rule['effect']): Verdict[] => {
      const rules = world.rules.filter((rule) => rule.effect !== effect)
      return decide({ sender, recipients }, makeFacts({ ...world, rules }))
    }
    for (const [index, { pass }] of without('block').entries()) if (!pass) assertSame(all[index]?.pass, false)
    for (const [index, { pass }] of without('allow').entries()) if (pass) assertSame(all[index]?.pass, true)
  })
  await holds(t, 'effects', 3000, monotonous)
})
