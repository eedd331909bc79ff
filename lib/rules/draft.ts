/** Drafting a rule from what a person typed: the one place where it is checked. Pure. */

import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { parseAddress, parseDomain } from '../mail/address.js'
import { faultIn } from '../mail/addressfault.js'
import { type Company, FOREIGN } from '../mail/mailbox.js'
import { isAbovePublicSuffix, isPublicSuffix } from '../mail/publicsuffix.js'
import { spoken, words } from '../text/translate.js'
import type { RuleDraft } from './decide.js'
import { describeShared, sharedKind } from './shareddomains.js'

export interface DraftOptions {
  effect: RuleDraft['effect']
  subdomains: boolean
  /** Lets a whole shared domain in. */
  force: boolean
  /** Domains that the configuration names as shared. */
  shared?: ReadonlySet<string>
  source: string
  note: string
  /** Whose mail it speaks of, from {@link parseScope}; everyone's where it is left out. */
  scope?: string
  /** Milliseconds since 1970; for good where it is left out. */
  endsAt?: number | null
}

function misuse(operation: string, at: string, why: string, hint?: string): Failure {
  return new Failure(operation, why, { at: JSON.stringify(at), status: EXIT.usage, hint })
}

/**
 * What a person perhaps meant by what cannot name a rule, as it would be written: of a link its host, of a name with an address the
 * address, of a pattern its domain; undefined where that is none either.
 */
export function meantBy(text: string): string | undefined {
  const trimmed = text.trim().replace(/[.,;:!?]+$/, '')
  const [, angled] = /<([^<>]+)>[^<>]*$/.exec(trimmed) ?? []
  const [, mailed] = /^mailto:([^?]+)/i.exec(trimmed) ?? []
  const [, linked] = /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/]*@)?([^/?#:]+)/i.exec(trimmed) ?? []
  const [, below] = /^(?:\*|@\*)?\.(.+)$/.exec(trimmed) ?? []
  const [, , quoted] = /^(["'([])(.*)["')\]]$/.exec(trimmed) ?? []
  const [, pathed] = /^([^/@]+)\/.*$/.exec(trimmed) ?? []
  const [, atHost] = /^\*@(.+)$/.exec(trimmed) ?? []
  const candidate = angled ?? mailed ?? linked ?? below ?? quoted ?? pathed ?? atHost ?? trimmed
  if (candidate === text) return undefined
  const name = candidate.trim()
  const parsed = name.includes('@') ? parseAddress(name) : parseDomain(name)
  if (!parsed.plain) return undefined
  return below === undefined ? name : `${name} --subdomains`
}

function hintOf(operation: string, text: string): string | undefined {
  const named = meantBy(text)
  const meant = operation === 'revoke' ? named?.split(' ')[0] : named
  if (meant !== undefined) return words`perhaps ${meant}`
  return /[\s,;]/.test(text.trim()) ? words`one by one, with blanks between them` : undefined
}

/**
 * What names a rule: `local@domain`, `domain` or `@domain`, folded, or a Failure (2) that says what is wrong.
 * @param operation the command, for the complaint
 */
export function parseRuleValue(operation: string, text: string): Pick<RuleDraft, 'kind' | 'value'> {
  if (text.lastIndexOf('@') > 0) {
    const address = parseAddress(text)
    if (address.key === undefined)
      throw misuse(
        operation,
        text,
        words`it is no plain address (${faultIn(spoken(), address.fault)})`,
        hintOf(operation, text),
      )
    return { kind: 'address', value: address.key }
  }
  const domain = parseDomain(text.startsWith('@') ? text.slice(1) : text)
  if (!domain.plain) {
    throw misuse(
      operation,
      text,
      words`it is neither an address nor a domain (${faultIn(spoken(), domain.fault)})`,
      hintOf(operation, text),
    )
  }
  return { kind: 'domain', value: domain.domain }
}

/**
 * Whose mail a rule is to speak of: a sender's address, `@domain`, the name of a group of the configuration, or `foreign`.
 * @throws Failure (2)
 */
export function parseScope(
  operation: string,
  text: string,
  { groups, internal }: Pick<Company, 'groups' | 'internal'>,
): string {
  if (text === FOREIGN) return text
  if (!text.includes('@')) {
    if (groups.has(text)) return text
    const names = [...groups.keys()].join(', ')
    const hint =
      names === ''
        ? words`give an address or @domain; [groups] of the configuration names none`
        : words`groups: ${names}`
    throw misuse(`${operation} --for`, text, words`there is no such group`, hint)
  }
  const whole = text.startsWith('@')
  const address = parseAddress(whole ? `x${text}` : text, internal)
  if (!address.plain && whole)
    throw misuse(
      `${operation} --for`,
      text,
      words`it is neither an address nor a domain (${faultIn(spoken(), address.fault)})`,
    )
  if (!address.plain)
    throw misuse(
      `${operation} --for`,
      text,
      words`it is no plain address (${faultIn(spoken(), address.fault)})`,
    )
  return whole ? `@${address.domain}` : address.key
}

/**
 * Checks a value and makes it a draft: no public suffix, no shared domain without force.
 * @throws Failure (2), with the landscape untouched
 */
export function draftRule(text: string, options: DraftOptions): RuleDraft {
  const { force, shared, scope = '', endsAt = null, ...rest } = options
  const { effect, subdomains } = options
  const named = parseRuleValue(effect, text)
  if (named.kind === 'address' && subdomains) {
    throw misuse(
      effect,
      text,
      words`an address has no subdomains`,
      words`give its domain, or leave --subdomains out`,
    )
  }
  if (named.kind === 'domain' && effect === 'allow') {
    if (isPublicSuffix(named.value)) {
      throw misuse(effect, text, words`it is a public suffix: anybody can register a name below it`)
    }
    if (subdomains && isAbovePublicSuffix(named.value)) {
      throw misuse(
        effect,
        text,
        words`public suffixes lie below it: --subdomains would let in anybody`,
        words`leave --subdomains out`,
      )
    }
    const kind = force ? undefined : sharedKind(named.value, shared)
    if (kind !== undefined)
      throw misuse(effect, text, describeShared(kind), words`allow single addresses, or add --force`)
  }
  return { ...named, ...rest, scope, endsAt }
}
