/**
 * SHA-256 of what the gate parks. node:crypto takes as long to load as all else that parking takes, so where Node's inside
 * was tried the digest is made by the handle that node:crypto makes its own by.
 */
import { createHash } from 'node:crypto'
import { IS_TRIED, inside } from './inside.js'

/** What is used here of node's src/crypto/crypto_hash.cc, and of a Hash of node:crypto. */
interface Handle {
  update(bytes: Buffer): unknown
  digest(): Buffer
}

interface Crypto {
  /** The algorithm, the length of one that has no own, and the number it has in a table of others looked up before. */
  Hash: new (
    algorithm: string,
    length: undefined,
    id: number,
    others: object,
  ) => Handle
}

/** A digest in the making. */
export class Sha256 {
  readonly #handle: Handle

  constructor() {
    const crypto = IS_TRIED ? inside<Crypto>('crypto') : undefined
    this.#handle = crypto === undefined ? createHash('sha256') : new crypto.Hash('sha256', undefined, -1, {})
  }

  update(bytes: Buffer): void {
    this.#handle.update(bytes)
  }

  /** The 32 bytes, once. */
  end(): Buffer {
    return this.#handle.digest()
  }
}

/** The digest of a text as UTF-8. */
export function sha256Of(text: string): Buffer {
  const digest = new Sha256()
  digest.update(Buffer.from(text))
  return digest.end()
}
