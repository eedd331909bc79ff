/** A pseudonym: what stands for a person who was forgotten. Drawn, so that nothing leads back from it. */
import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** `erased-k3m9x2`: no address, and shorter than most. */
export function drawPseudonym(): string {
  return `erased-${[...randomBytes(6)].map((byte) => ALPHABET[byte % 32]).join('')}`
}
