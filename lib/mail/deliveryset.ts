/** Seen: a set of (host, queue id, recipient) that remembers fingerprints only. Pure. */

/**
 * Sixty-three bits for each member, so that a year of logs fits: with a million members the chance that one is taken
 * for another is below one in ten million, and the loss would be one message in a count.
 */
export class DeliverySet {
  #table = new Uint32Array(2 * 4096)
  #size = 0
  /** The fingerprint at hand. */
  #a = 0
  #b = 0

  get size(): number {
    return this.#size
  }

  /** Adds a member; whether it was not there yet. `round` tells uses of an id that comes back apart. */
  add(host: string, id: string, what: string, round = 0): boolean {
    this.#hash(host, id, what, round)
    const place = this.#place()
    if (this.#table[place + 1] !== 0) return false
    this.#table[place] = this.#a
    this.#table[place + 1] = this.#b
    this.#size++
    if (this.#size * 8 > this.#table.length * 3) this.#grow()
    return true
  }

  /** Whether it is a member. */
  has(host: string, id: string, what: string, round = 0): boolean {
    this.#hash(host, id, what, round)
    return this.#table[this.#place() + 1] !== 0
  }

  #hash(host: string, id: string, what: string, round: number): void {
    let high = 0xdeadbeef ^ round
    let low = 0x41c6ce57 ^ Math.imul(round, 0x9e3779b1)
    for (const text of [host, id, what]) {
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i)
        high = Math.imul(high ^ code, 0x9e3779b1)
        low = Math.imul(low ^ code, 0x5f356495)
      }
      // No text ends where another begins.
      high = Math.imul(high ^ 0x10001, 0x9e3779b1)
      low = Math.imul(low ^ 0x10001, 0x5f356495)
    }
    const a = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35)
    const b = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35)
    this.#a = a >>> 0
    // Zero marks a free place.
    this.#b = (b | 1) >>> 0
  }

  /** Where the fingerprint is, or where it would be put. */
  #place(): number {
    const table = this.#table
    const mask = table.length - 1
    let place = (this.#a * 2) & mask
    while (table[place + 1] !== 0 && (table[place] !== this.#a || table[place + 1] !== this.#b)) {
      place = (place + 2) & mask
    }
    return place
  }

  #grow(): void {
    const old = this.#table
    this.#table = new Uint32Array(old.length * 2)
    for (let i = 0; i < old.length; i += 2) {
      this.#a = old[i] ?? 0
      this.#b = old[i + 1] ?? 0
      if (this.#b === 0) continue
      const place = this.#place()
      this.#table[place] = this.#a
      this.#table[place + 1] = this.#b
    }
  }
}
