/** The checks about people: whether approvers are reached, and whose name forwards go out in. Pure. */
import { splitList } from '../postfix/braces.js'
import { words } from '../text/translate.js'
import type { Check, Fault, SieveFact } from './facts.js'

/**
 * What doveconf(1) `-n` says of Sieve, in the form of Dovecot 2.3 or 2.4.
 * @returns undefined where Sieve is not in use
 */
export function sieveIn(text: string): SieveFact | undefined {
  const plugins = [...text.matchAll(/^\s*mail_plugins\s*=(.*)$/gm)].flatMap(([, value = '']) =>
    splitList(value.replaceAll('"', '')),
  )
  const blocks = [...text.matchAll(/^\s*mail_plugins\s*\{([^}]*)\}/gm)].map(([, block = '']) => block)
  const inUse = plugins.includes('sieve') || blocks.some((block) => /^\s*sieve\s*=\s*yes\s*$/m.test(block))
  if (!inUse) return undefined
  const [, value = 'sender'] = /^\s*sieve_redirect_envelope_from\s*=\s*(\S+)\s*$/m.exec(text) ?? []
  return { envelopeFrom: value }
}

export const PEOPLE_CHECKS: readonly Check[] = [
  {
    name: 'approvers',
    good: ({ approvers }) =>
      approvers.length === 0
        ? words`no approvers are named, and nothing is held yet`
        : words`notices reach every approver, as far as Postfix's aliases and lists of recipients say`,
    look: ({ approvers, toeh }) => {
      if (approvers.length === 0 && toeh.mode === 'enforce')
        return [
          {
            level: 'warning',
            what: words`no approvers are named in ${toeh.path}`,
            why: words`nobody who could say yes is told of held mail: name them as approvers`,
            mend: [],
          },
        ]
      const unreached = approvers.filter(({ mailboxes }) => mailboxes?.length === 0)
      const all = unreached.length === approvers.length
      const faults: Fault[] = unreached.map(({ address }) => ({
        level: all ? 'critical' : 'warning',
        what: words`Postfix has nobody here of the name ${address}, who is an approver`,
        why: words`notices to there reach nobody, and held mail expires unread`,
        mend: [],
      }))
      const unasked = approvers.filter(({ mailboxes }) => mailboxes === undefined)
      return [
        ...faults,
        ...unasked.map(
          ({ address }): Fault => ({
            level: 'unknown',
            what: words`whether ${address} is an alias cannot be told: virtual_alias_maps cannot be asked`,
            why: words`the way back maps no aliases, and notices to one would bounce unseen`,
            mend: [],
          }),
        ),
      ]
    },
  },
  {
    name: 'notices',
    good: () => words`somebody reads what people answer to notices, as far as Postfix says`,
    look: ({ notice: { from, mailboxes }, toeh }) => {
      if (mailboxes?.length !== 0) return []
      return [
        {
          level: 'warning',
          what: words`notices come from ${from}, and nobody reads that mailbox`,
          why: words`who answers a notice is not heard: make that address an alias, or name one that is read as notice.from in ${toeh.path}`,
          // Who is to read it a person says.
          mend: [],
        },
      ]
    },
  },
  {
    name: 'forwards',
    good: () => words`Dovecot's Sieve forwards in the name of the one who forwards, or is not here`,
    look: ({ sieve }) => {
      if (sieve === undefined || ['recipient', 'user_email', 'orig_recipient'].includes(sieve.envelopeFrom))
        return []
      return [
        {
          level: 'warning',
          what: words`Dovecot's sieve_redirect_envelope_from is ${sieve.envelopeFrom}, not recipient`,
          why: words`what people forward by Sieve has an outside sender and is held, and they are not told`,
          mend: [],
        },
      ]
    },
  },
]
