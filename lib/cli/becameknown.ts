/** Became known: who of those that wait would pass now. */

import { companyOf } from '../config.js'
import type { HeldMessage } from '../hold/heldmail.js'
import { decide, lookupKeys } from '../rules/decide.js'
import type { Choice } from './bulk.js'
import type { Desk } from './context.js'

/** Messages whose rules are looked up at once. */
const PIECE = 1000

/** Who of these messages is held and would pass now, in their order; messages without such are left out. */
export function* knownAmong(
  { config, landscape, actor }: Pick<Desk, 'config' | 'landscape' | 'actor'>,
  messages: readonly HeldMessage[],
): Generator<Choice> {
  const company = companyOf(config)
  for (let from = 0; from < messages.length; from += PIECE) {
    const piece = messages.slice(from, from + PIECE)
    const rules = landscape.facts(
      piece.flatMap(({ recipients }) => recipients.flatMap(({ address }) => lookupKeys(address))),
      actor.at,
    )
    for (const message of piece) {
      const held = message.recipients.filter(({ state }) => state === 'held').map(({ address }) => address)
      const origin = { sender: message.sender, login: message.client.saslUser }
      const verdicts = decide({ ...origin, recipients: held }, { ...company, rules })
      const chosen = verdicts.filter(({ pass }) => pass).map(({ recipient }) => recipient)
      if (chosen.length > 0) yield { message, chosen }
    }
  }
}

/** Who of those that wait would pass now by rules at these values. */
export async function knownBy(desk: Desk, values: Iterable<string>): Promise<Choice[]> {
  const named = new Set(values)
  const isMeant = ({ address }: { address: string }): boolean =>
    lookupKeys(address).some((key) => named.has(key))
  const waiting = desk.hold
    .waiting()
    .map((message) => ({ ...message, recipients: message.recipients.filter(isMeant) }))
    .filter(({ recipients }) => recipients.length > 0)
  const choices: Choice[] = []
  choices.push(...knownAmong(desk, waiting))
  return choices
}
