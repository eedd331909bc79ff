/**
 * DKIM signatures that have an end (RFC 6376, 3.5, the tag `x=`): a message may be held for longer. It is told, and decides
 * nothing. Pure.
 */

import { words } from '../text/translate.js'
import { localTime, visible } from '../text/visible.js'

export interface SignatureEnd {
  /** Who has signed (`d=`), as it is written there, made visible; empty where it is missing. */
  domain: string
  /** From when on nobody is to take it for valid, milliseconds since 1970. */
  endsAt: number
}

/** More of one message are not looked at. */
const MOST_SIGNATURES = 20
const MOST_CHARACTERS = 253

/** The tags of a tag list (RFC 6376, 3.2); undefined where it is none, as with one tag twice. */
function tagsIn(value: string): Map<string, string> | undefined {
  const tags = new Map<string, string>()
  const specs = value.split(';')
  // A last `;` is allowed.
  if (specs.at(-1)?.trim() === '') specs.pop()
  for (const spec of specs) {
    const [, name, text = ''] = /^\s*([A-Za-z]\w*)\s*=(.*)$/s.exec(spec) ?? []
    if (name === undefined || tags.has(name)) return undefined
    tags.set(name, text.trim())
  }
  return tags
}

/** The signatures of these header fields that have an end, in order. What is no signature, or has no such end, is passed over. */
export function signatureEnds(fields: readonly { name: string; value: string }[]): SignatureEnd[] {
  const ends: SignatureEnd[] = []
  for (const { name, value } of fields) {
    if (ends.length >= MOST_SIGNATURES) break
    if (!/^dkim-signature\s*$/i.test(name)) continue
    const tags = tagsIn(value)
    const end = tags?.get('x')
    // Twelve digits at most, as the tag is defined: they are seconds, and what is longer is no time.
    if (end === undefined || !/^\d{1,12}$/.test(end)) continue
    const domain = visible(tags?.get('d') ?? '')
    ends.push({
      domain: domain.length > MOST_CHARACTERS ? `${domain.slice(0, MOST_CHARACTERS)}…` : domain,
      endsAt: Number(end) * 1000,
    })
  }
  return ends
}

/** Those that have run out at a point in time. */
export function lapsedAt(ends: readonly SignatureEnd[], now: number): SignatureEnd[] {
  return ends.filter(({ endsAt }) => endsAt <= now)
}

export function describeLapsed({ domain, endsAt }: SignatureEnd): string {
  return words`the DKIM signature of ${domain} ran out on ${localTime(endsAt)}: who gets the message cannot verify it any more`
}

/** What of them a person should know who decides now, in lines: those that outlive the hold say nothing. */
export function signatureLines(ends: readonly SignatureEnd[], now: number, expiresAt: number): string[] {
  return ends.flatMap((end) => {
    const { domain, endsAt } = end
    if (endsAt <= now) return [describeLapsed(end)]
    if (endsAt > expiresAt) return []
    return [
      words`the DKIM signature of ${domain} runs out on ${localTime(endsAt)}, before the message expires here`,
    ]
  })
}
