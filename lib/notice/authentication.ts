/**
 * Authentication: whether a mail is an approver's own, from what our own servers say of it. Pure.
 *
 * A login (SASL) that submitted it, or a DKIM signature that our own milter has verified (RFC 8601). Of
 * Authentication-Results only the topmost field of our own name counts, and only above every Received of a host that
 * is not ours. One that came with the mail is told from a milter's by nothing but its place: RFC 8601, section 5, has
 * the border remove those, and docs/moderate.md says how.
 */
import { foldAscii, parseAddress } from '../mail/address.js'
import type { Field } from '../mail/header.js'

export interface Rules {
  /** Plain addresses. */
  approvers: readonly string[]
  /** SASL login → address; a login that is the address needs none. */
  logins: ReadonlyMap<string, string>
  /** The name our milter writes; empty: DKIM does not count. */
  authservId: string
  /** The names our own servers write behind `by` in Received, folded. */
  receivedBy: readonly string[]
}

function named(fields: readonly Field[], name: string): string[] {
  return fields.filter((field) => foldAscii(field.name.trim()) === name).map(({ value }) => value)
}

/** The one address of a From field: bare, or in brackets behind a name; undefined for anything else. */
export function addressOf(from: string): string | undefined {
  const text = from.trim()
  const [, bare, bracketed] =
    /^(?:([^\s<>,;:"()[\]\\]+)|(?:"(?:[^"\\]|\\.)*"|[^"<>,;:@[\]\\]*)\s*<([^\s<>]+)>)$/.exec(text) ?? []
  return bare ?? bracketed
}

/**
 * The approver a mail says it is from: exactly one From, with exactly one address, which is an approver's.
 * @returns his address as the configuration has it, or why there is none
 */
export function claimedApprover(
  fields: readonly Field[],
  approvers: readonly string[],
): { approver: string } | { refused: string } {
  const [from, ...others] = named(fields, 'from')
  if (from === undefined || others.length > 0) return { refused: 'not exactly one From' }
  const key = keyOf(addressOf(from) ?? '')
  if (key === undefined) return { refused: 'From is not one plain address' }
  const approver = approvers.find((address) => keyOf(address) === key)
  return approver === undefined ? { refused: 'not from an approver' } : { approver }
}

/**
 * A plain address folded for comparing, or undefined.
 * @param single domains of one label that count
 */
export function keyOf(address: string, single?: ReadonlySet<string>): string | undefined {
  const parsed = parseAddress(address, single)
  return parsed.plain ? parsed.key : undefined
}

/**
 * Whether the mail is this approver's: submitted with his login, or, where no login is known, signed by his domain.
 * @param login of whoever submitted it here, or empty
 * @returns why not, or undefined
 */
export function doubtsOf(
  approver: string,
  fields: readonly Field[],
  login: string,
  rules: Omit<Rules, 'approvers'>,
): string | undefined {
  const key = keyOf(approver)
  if (login !== '') {
    const address = rules.logins.get(login) ?? login
    return keyOf(address) === key ? undefined : "submitted with somebody else's login"
  }
  if (rules.authservId === '') return 'not submitted with a login'
  const results = ownResults(fields, rules)
  if (results === undefined) return "no login, and no Authentication-Results of our own host's"
  const domain = key?.slice(key.lastIndexOf('@') + 1)
  return signers(results).some((signer) => signer === domain)
    ? undefined
    : 'no login, and no DKIM signature of his domain was verified'
}

/** The segments of the topmost Authentication-Results of our own name, above every Received of another host. */
function ownResults(
  fields: readonly Field[],
  { authservId, receivedBy }: Omit<Rules, 'approvers'>,
): string[] | undefined {
  const ours = [foldAscii(authservId), ...receivedBy]
  for (const { name, value } of fields) {
    const folded = foldAscii(name.trim())
    if (folded === 'received') {
      const by = /(?:^|\s)by\s+(\S+)/i.exec(plainText(value) ?? '')?.[1]
      if (by === undefined || !ours.includes(foldAscii(by))) return undefined
    }
    if (folded !== 'authentication-results') continue
    const [id = '', ...segments] = plainText(value)?.split(';') ?? []
    const [server = ''] = id.trim().split(/\s+/)
    if (foldAscii(server) === foldAscii(authservId)) return segments
  }
  return undefined
}

/** The domains (header.d, folded) whose signatures have passed. */
function signers(segments: readonly string[]): string[] {
  return segments.flatMap((segment) => {
    if (!/^\s*dkim\s*(?:\/\s*\d+\s*)?=\s*pass(?:\s|$)/i.test(segment)) return []
    const domains = [...segment.matchAll(/(?:^|\s)header\s*\.\s*d\s*=\s*(\S+)/gi)].map(
      ([, domain = '']) => domain,
    )
    // Two of them in one result are no result.
    return domains.length === 1 ? domains.map(foldAscii) : []
  })
}

/**
 * A structured field without its comments; what stands in quotes keeps no character that could act as syntax.
 * @returns undefined where a comment or a quoted string has no end
 */
function plainText(value: string): string | undefined {
  let text = ''
  let depth = 0
  let quoted = false
  for (let at = 0; at < value.length; at++) {
    const character = value[at] ?? ''
    if (character === '\\' && (quoted || depth > 0)) {
      at++
      if (quoted) text += '\u{fffd}'
    } else if (quoted) {
      if (character === '"') quoted = false
      else text += /[\s;=()"/]/.test(character) ? '\u{fffd}' : character
    } else if (character === '(') depth++
    else if (character === ')') {
      if (depth === 0) return undefined
      depth--
      text += ' '
    } else if (depth > 0) continue
    else if (character === '"') quoted = true
    else text += character
  }
  return depth > 0 || quoted ? undefined : text
}
