/**
 * SHA-256 of what the gate parks. By a library in JavaScript, because Node's own module takes 9 to 13 ms to load, as long as all
 * else that parking takes (bench/NOTES.md); the same bytes either way, which test/digest.test.ts compares.
 */
import { sha256 } from '@noble/hashes/sha2.js'

/** A digest in the making. */
export class Sha256 {
  readonly #hash = sha256.create()

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }

  /** The 32 bytes, once. */
  end(): Buffer {
    return Buffer.from(this.#hash.digest())
  }
}

/** The digest of a text as UTF-8. */
export function sha256Of(text: string): Buffer {
  const digest = new Sha256()
  digest.update(Buffer.from(text))
  return digest.end()
}
