/** Letters: the messages of a soak, each with a number in its subject by which every copy of it is known. */
import type { Dice } from './dice.js'

/**
 * What becomes of a recipient: `known` goes on, `stranger` and `malformed` wait for a person, `later` waits until
 * somebody allows its domain.
 */
export type Kind = 'known' | 'stranger' | 'malformed' | 'later'

export interface Letter {
  number: number
  sender: string
  recipients: string[]
  /** With LF line ends. */
  body: string
  text: string
}

/** Domains that are allowed and taken back again while the soak runs. */
export const LATER_DOMAINS = ['later0.test', 'later1.test', 'later2.test']

const MAKE: Record<Kind, (who: string, dice: Dice) => string> = {
  known: (who, dice) => `${who}@${dice.pick(['corp.test', 'client.test', 'partner.test'])}`,
  stranger: (who, dice) => `${who}@${dice.pick(['stranger.test', 'unknown.test'])}`,
  malformed: (who, dice) => dice.pick([`${who}%stranger.test@corp.test`, `"${who} x"@client.test`]),
  later: (who, dice) => `${who}@${dice.pick(LATER_DOMAINS)}`,
}

/** Which kind an address is. */
export function kindOf(address: string): Kind {
  if (/[%"]/.test(address)) return 'malformed'
  if (/@(corp|client|partner)\.test$/.test(address)) return 'known'
  return address.includes('@later') ? 'later' : 'stranger'
}

/** One in five each: internal or known only, mixed, unknown only, with a malformed address, with one known later. */
const MIXTURES: readonly (readonly Kind[])[] = [
  ['known'],
  ['known', 'stranger'],
  ['stranger'],
  ['known', 'stranger', 'malformed'],
  ['known', 'later', 'stranger'],
]

const SIZES = [40, 40, 2_000, 2_000, 30_000, 400_000]

export function makeLetter(number: number, dice: Dice): Letter {
  const mixture = dice.pick(MIXTURES)
  const recipients = Array.from({ length: dice.between(1, 10) }, (_, index) =>
    MAKE[mixture[index] ?? dice.pick(mixture)](`r${number}-${index}`, dice),
  )
  const sender = dice.pick(['anna@corp.test', 'ben@corp.test', 'carla@corp.test', ''])
  const line = `${dice.pick(['.', 'x', 'From ', 'é'])}${String(number).padStart(60, '-')}\n`
  const body = `${line.repeat(Math.ceil(dice.pick(SIZES) / line.length))}end of ${number}\n`
  return { number, sender, recipients, body, text: `Subject: soak ${number}\n\n${body}` }
}

/** The number of the letter that these bytes are a copy of, or undefined. */
export function numberOf(bytes: Buffer): number | undefined {
  const [, number] = /^Subject: soak (\d+)\r?$/m.exec(bytes.subarray(0, 8192).toString('latin1')) ?? []
  return number === undefined ? undefined : Number(number)
}
