/** A selection: which of those who wait a person means, by sender, destination and time. Pure. */

import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { parseAddress, parseDomain } from '../mail/address.js'
import { parseSince } from '../text/durations.js'

/** The options of the commands that take a selection, as yargs takes them. */
export const SELECTION_OPTIONS = {
  sender: {
    type: 'string',
    array: true,
    requiresArg: true,
    nargs: 1,
    describe: 'mail of this sender or @domain; --sender= is the null sender',
  },
  domain: {
    type: 'string',
    array: true,
    requiresArg: true,
    nargs: 1,
    describe: 'recipients at exactly this domain',
  },
  recipient: {
    type: 'string',
    array: true,
    requiresArg: true,
    nargs: 1,
    describe: 'this recipient only',
  },
  before: {
    type: 'string',
    requiresArg: true,
    describe: 'held before this day (2026-11-04), or longer ago than this (10d)',
  },
  since: {
    type: 'string',
    requiresArg: true,
    describe: 'held since this day (2026-11-04), or no longer ago than this (12h)',
  },
} as const

export interface SelectionOptions {
  sender?: string[] | undefined
  domain?: string[] | undefined
  recipient?: string[] | undefined
  before?: string | undefined
  since?: string | undefined
}

interface Waiting {
  sender: string
  /** Milliseconds since 1970. */
  heldAt: number
  recipients: readonly { address: string }[]
}

/** Tells whether a text from an envelope is one that was asked for. */
type Match = (text: string) => boolean

/** All that are named must fit; of what is named more than once, one. */
export interface Selection {
  senders: Match[]
  domains: Match[]
  recipients: Match[]
  before: number | undefined
  since: number | undefined
}

/**
 * Compared as rules are: ASCII case folded, an internationalised domain as its A-label. What no rule could know is
 * compared byte for byte, so that nothing is meant which only looks like it.
 */
export function matchAddress(asked: string): Match {
  const wanted = parseAddress(asked)
  return (text) => {
    if (text === asked) return true
    return wanted.key !== undefined && parseAddress(text).key === wanted.key
  }
}

/** Plain addresses at exactly this domain. A malformed one may lead elsewhere than its end says. */
function matchDomain(option: string, asked: string): Match {
  const wanted = parseDomain(asked)
  if (!wanted.plain)
    throw new Failure(option, wanted.fault, { at: JSON.stringify(asked), status: EXIT.usage })
  return (text) => {
    const found = parseAddress(text)
    return found.plain && found.domain === wanted.domain
  }
}

function matchSender(asked: string): Match {
  if (asked.startsWith('@')) return matchDomain('--sender', asked.slice(1))
  if (asked !== '' && !asked.includes('@'))
    throw new Failure('--sender', 'it is no address, no @domain and not empty', {
      at: JSON.stringify(asked),
      status: EXIT.usage,
    })
  return matchAddress(asked)
}

/** Whether anything is named that leaves somebody out. */
export function isSelective({ sender, domain, recipient, before, since }: SelectionOptions): boolean {
  return [sender, domain, recipient, before, since].some((option) => option !== undefined)
}

/** @throws Failure (2) for what is no domain, no sender or no time */
export function parseSelection(options: SelectionOptions, now: number): Selection {
  const { sender = [], domain = [], recipient = [], before, since } = options
  return {
    senders: sender.map(matchSender),
    domains: domain.map((asked) => matchDomain('--domain', asked)),
    recipients: recipient.map(matchAddress),
    before: before === undefined ? undefined : parseSince('--before', before, now),
    since: since === undefined ? undefined : parseSince('--since', since, now),
  }
}

function fits(matches: readonly Match[], text: string): boolean {
  return matches.length === 0 || matches.some((match) => match(text))
}

/** The recipients of one message that are meant; none where its sender or its time does not fit. */
export function chosenOf<T extends Waiting>(message: T, selection: Selection): T['recipients'][number][] {
  const { senders, domains, recipients, before, since } = selection
  if (before !== undefined && message.heldAt >= before) return []
  if (since !== undefined && message.heldAt < since) return []
  if (!fits(senders, message.sender)) return []
  return message.recipients.filter(({ address }) => fits(domains, address) && fits(recipients, address))
}
