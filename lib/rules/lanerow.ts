/** A row of the express lane: what may pass without the filter, and why not more. Pure. */
import { parentDomains } from '../mail/address.js'
import type { RulesByValue } from './decide.js'

export interface LaneRow {
  key: string
  pass: boolean
}

/** The key of a value's row. */
export function laneKey(value: string): string {
  return value.includes('@') ? value : `@${value}`
}

/** The domains whose blocks may reach a value, nearest first: of an address its own, and those above. */
export function domainsAbove(value: string): string[] {
  const at = value.lastIndexOf('@')
  const domain = value.slice(at + 1)
  return at < 0 ? parentDomains(domain) : [domain, ...parentDomains(domain)]
}

function isBlocked(value: string, rules: RulesByValue): boolean {
  const domain = value.includes('@') ? value.slice(value.lastIndexOf('@') + 1) : undefined
  const blocks = (key: string, reaching: boolean): boolean =>
    rules.get(key)?.some(({ effect, subdomains }) => effect === 'block' && (subdomains || !reaching)) ?? false
  return blocks(value, false) || domainsAbove(value).some((above) => blocks(above, above !== domain))
}

/**
 * The row of a value, or undefined where it has none. Internal addresses never pass here: an alias may lead out, and
 * Postfix asks before it expands aliases; the filter is asked afterwards.
 * @param rules live ones of every scope, those of the value and of {@link domainsAbove} among them
 */
export function laneRow(
  value: string,
  rules: RulesByValue,
  internal: ReadonlySet<string>,
): LaneRow | undefined {
  const own = rules.get(value) ?? []
  if (own.length === 0) return undefined
  const key = laneKey(value)
  if (isBlocked(value, rules)) return { key, pass: false }
  const passes =
    !internal.has(value.slice(value.lastIndexOf('@') + 1)) &&
    own.some(({ scope, endsAt }) => scope === '' && endsAt === null)
  return passes ? { key, pass: true } : undefined
}
