/** The automatic message: one that a program has written, or that it sends on for a list. Pure; it never decides who is let out. */

import type { Field } from './header.js'
import { isReturnPath } from './mailbox.js'

/** What shows it, as it is stored with a held message; empty where nothing does. */
export type Sign =
  | ''
  | 'null sender'
  | 'bounce address'
  | 'Auto-Submitted'
  | 'Precedence'
  | 'reply'
  | 'list'
  | 'report'

function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter((field) => field.name.trim().toLowerCase() === name).map(({ value }) => value.trim())
}

function hasOne(fields: readonly Field[], names: readonly string[]): boolean {
  return names.some((name) => valuesOf(fields, name).length > 0)
}

/** What shows that no person has written a mail, by its header and null sender (RFC 3834; the rest is what programs really send). */
export function automatic(fields: readonly Field[], envelopeSender: string): Sign {
  if (envelopeSender === '') return 'null sender'
  if (valuesOf(fields, 'auto-submitted').some((value) => !/^no\s*(?:[;(]|$)/i.test(value)))
    return 'Auto-Submitted'
  if (valuesOf(fields, 'precedence').some((value) => /^(?:bulk|junk|list|auto_reply)/i.test(value)))
    return 'Precedence'
  if (hasOne(fields, ['x-autoreply', 'x-autorespond'])) return 'reply'
  // RFC 2919, and of RFC 2369 what no person's program writes.
  if (hasOne(fields, ['list-id', 'list-post', 'list-unsubscribe'])) return 'list'
  if (valuesOf(fields, 'content-type').some((value) => /^multipart\/report\b/i.test(value))) return 'report'
  return ''
}

/** BATV, which a milter of ours may give to every sender. */
const SIGNED = /^prvs=/

/**
 * The same of a mail on its way out, where the sender may say it as well: VERP, or another address that takes bounces.
 * @param key of the sender, folded, of one that SRS has rewritten the original; undefined where it is not plain
 */
export function automaticOutgoing(fields: readonly Field[], sender: string, key: string | undefined): Sign {
  const sign = automatic(fields, sender)
  if (sign !== '' || key === undefined || SIGNED.test(key)) return sign
  return isReturnPath(key) ? 'bounce address' : ''
}
