/** Consent: what an approver's mail may say, and whether one yes is enough. Pure. */

import type { Answer, Yes } from '../hold/token.js'
import { foldAscii, parseAddress } from '../mail/address.js'
import {
  type Company,
  loginMailboxes,
  mailboxesOf,
  mailboxOf,
  type Origin,
  senderOf,
  sendersBehind,
} from '../mail/mailbox.js'
import { scopesOf } from '../rules/decide.js'
import type { Language } from '../text/translate.js'

/** What notices ask for. Both languages count whatever the notice was written in. */
export const ANSWERS: Record<Language, Record<Answer, string>> = {
  en: { release: 'release', know: 'release and know', reject: 'reject' },
  fr: { release: 'libérer', know: 'libérer et autoriser', reject: 'rejeter' },
}

/**
 * Whether a message needs two approvers: one of those who may be behind it, or one of its recipients, is in one of these
 * groups. So does what may be anybody's, and a recipient that is not plain. What begins an extension is for a recipient's own
 * server to say, so with him everything may.
 */
export function needsTwo(
  two: readonly string[],
  company: Company,
  origin: Origin,
  recipients: readonly string[],
): boolean {
  if (two.length === 0) return false
  const { own, others, anybody } = sendersBehind(origin, company)
  const addresses = recipients.map((recipient) => parseAddress(recipient, company.internal))
  if (anybody || !addresses.every(({ plain }) => plain)) return true
  const mailboxes = addresses.flatMap((address) => (address.plain ? mailboxesOf(address.key, undefined) : []))
  return [own, ...others, ...mailboxes].some((mailbox) =>
    scopesOf(mailbox, company)
      .flat()
      .some((scope) => two.includes(scope)),
  )
}

/**
 * Whether a message is an approver's own: its sender, or the login it was handed in with, may be his. One that could be
 * anybody's is his too, unless the configuration says which logins he has.
 * @param approver folded
 */
export function isOwn(approver: string, { sender, login }: Origin, company: Company): boolean {
  const { delimiters, logins } = company
  const mailbox = mailboxOf(approver, delimiters)
  const hasLogin = (): boolean =>
    [...logins.values()].some((address) => mailboxOf(foldAscii(address), delimiters) === mailbox)
  if (loginMailboxes(login, company) === undefined && !hasLogin()) return true
  return isNamed(approver, { sender, login }, company)
}

/**
 * Whether an approver is who a message names as its sender, or by its login: he is not asked about it where somebody else can be.
 * @param approver folded
 */
export function isNamed(approver: string, { sender, login }: Origin, company: Company): boolean {
  const { delimiters } = company
  const mailbox = mailboxOf(approver, delimiters)
  const behind = loginMailboxes(login, company)
  const address = senderOf(sender ?? '', company)
  const ofSender = address.plain ? mailboxesOf(address.key, delimiters) : []
  return [...ofSender, ...(behind ?? [])].includes(mailbox)
}

/**
 * The recipients that have as many yeses as they need, each of another approver.
 * @returns also whether they are to be known: every one of those yeses has to say so
 */
export function agreed(
  yeses: readonly Yes[],
  recipients: readonly string[],
  need: number,
): { ready: string[]; know: boolean } {
  const ready = recipients.filter(
    (address) =>
      new Set(yeses.filter((yes) => yes.recipients.includes(address)).map(({ approver }) => approver)).size >=
      need,
  )
  return { ready, know: yeses.every(({ answer }) => answer === 'know') }
}

/** How a subject carries it. */
export function markOf(token: string): string {
  return `[toeh ${token}]`
}

/** The token in a subject, or undefined where there is none, or more than one. */
export function tokenIn(subject: string): string | undefined {
  const [token, ...others] = new Set(
    [...subject.matchAll(/\[toeh\s+([0-9a-hjkmnp-tv-z]{26})\]/gi)].map(([, text = '']) => text.toLowerCase()),
  )
  return others.length > 0 ? undefined : token
}
