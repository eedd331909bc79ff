/** Dice: pseudo-random choices that a seed repeats (mulberry32). */

export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A number from 0 up to, not including, 1. */
  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.roll() * (to - from + 1))
  }

  chance(probability: number): boolean {
    return this.roll() < probability
  }

  /** One of them. @throws Error where there is none */
  pick<T>(list: readonly T[]): T {
    const one = list[Math.floor(this.roll() * list.length)]
    if (one === undefined) throw new Error('nothing to pick from')
    return one
  }

  /** Dice of their own for one part: how often another part rolls does not change what this one gets. */
  fork(): Dice {
    return new Dice(Math.floor(this.roll() * 2 ** 32))
  }
}
