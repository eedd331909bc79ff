/** The hold id: twelve lower-case Crockford base32 characters (60 bits) that the same message always gets. Pure. */
import { createHash } from 'node:crypto'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * The id of a message: from SHA-256 over queue id, sender and message digest, so that a retry by Postfix
 * finds its own hold and a short queue id that comes back does not (queue ids alone recur).
 */
export function holdIdOf(
  queueId: string,
  sender: string,
  sha256: string,
  digestOf = (text: string): Buffer => createHash('sha256').update(text).digest(),
): string {
  const digest = digestOf(`${queueId}\0${sender}\0${sha256}`)
  // Two halves of 30 bits: 60 do not fit a double exactly.
  return base32(digest.readUInt32BE(0) >>> 2, 6) + base32(digest.readUInt32BE(4) >>> 2, 6)
}

function base32(value: number, length: number): string {
  let text = ''
  for (let rest = value, i = 0; i < length; i++) {
    text = (ALPHABET[rest % 32] ?? '') + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** What a person typed as an id: case does not count, and i, l, o are read as Crockford reads them; or undefined. */
export function readHoldId(text: string): string | undefined {
  const id = text.toLowerCase().replace(/[il]/g, '1').replace(/o/g, '0')
  return /^[0-9a-hjkmnp-tv-z]{12}$/.test(id) ? id : undefined
}

/** The id a person typed. @throws Failure (2) when it is none */
export function demandHoldId(text: string): string {
  const id = readHoldId(text)
  if (id !== undefined) return id
  throw new Failure('hold id', 'it is not twelve letters and digits', {
    at: JSON.stringify(text),
    status: EXIT.usage,
    hint: 'toeh list shows the ids',
  })
}
