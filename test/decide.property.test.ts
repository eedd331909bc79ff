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

/** Where a rule stands in the order, as numbers of which the first that differs decides; the smaller comes first. */
function order(rule: Rule, far: number): number[] {
  return [far, rule.effect === 'block' ? 0 : 1]
}

function before(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((number, index) => number !== other[index])
  return at >= 0 && (one[at] ?? 0) < (other[at] ?? 0)
}

function expectedFor(sender: string, recipient: string, { internal, rules }: World): Expected {
  const address = readAddress(recipient)
  if (address.verdict === 'not plain') return { reason: 'malformed' }
  const from = readAddress(sender)
  const own = sender === '' || (from.verdict !== 'not plain' && internal.includes(from.domain))
  if (!own) return { reason: 'foreign-sender' }
  if (internal.includes(address.domain)) return { reason: 'internal' }
  let first: { rule: Rule; place: number[] } | undefined
  for (const rule of rules) {
    const far = distance(rule, address.key, address.domain)
    if (far === undefined) continue
    const place = order(rule, far)
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
    const verdicts = decide({ sender, recipients }, makeFacts(world.internal, world.rules))
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
  const enough = fc.property(world, sender, recipients, ({ internal, rules }, sender, recipients) => {
    const all = decide({ sender, recipients }, makeFacts(internal, rules))
    const asked = decide({ sender, recipients }, makeFacts(internal, rules, recipients.flatMap(lookupKeys)))
    assertSame(told(asked), told(all))
    for (const [index, recipient] of recipients.entries()) {
      const alone = decide(
        { sender, recipients: [recipient] },
        makeFacts(internal, rules, lookupKeys(recipient)),
      )
      assertSame(told(alone), told(all.slice(index, index + 1)))
    }
  })
  await holds(t, 'look-ups', 3000, enough)
})

t.test('neither the order of the rules nor that of the recipients matters', async (t) => {
  const shuffled = world.chain(({ internal, rules }) =>
    fc.shuffledSubarray(rules, { minLength: rules.length }).map((other) => ({ internal, rules, other })),
  )
  const same = fc.property(shuffled, sender, recipients, ({ internal, rules, other }, sender, recipients) => {
    const backwards = decide({ sender, recipients: recipients.toReversed() }, makeFacts(internal, other))
    const verdicts = decide({ sender, recipients }, makeFacts(internal, rules))
    assertSame(told(backwards.toReversed()), told(verdicts))
  })
  await holds(t, 'orders', 3000, same)
})

t.test('a block never lets anybody in, and an allow never keeps anybody out', async (t) => {
  const monotonous = fc.property(world, sender, recipients, ({ internal, rules }, sender, recipients) => {
    const before = decide({ sender, recipients }, makeFacts(internal, rules))
    for (const effect of ['allow', 'block'] as const) {
      const fewer = rules.filter((rule) => rule.effect !== effect)
      const without = decide({ sender, recipients }, makeFacts(internal, fewer))
      for (const [index, { pass }] of without.entries()) {
        if (pass !== (effect === 'block')) assertSame(before[index]?.pass, pass)
      }
    }
  })
  await holds(t, 'effects', 3000, monotonous)
})
