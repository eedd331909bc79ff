/** The people of a soak: they list what waits, release, reject, allow, recheck and clean up, several at a time. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Outcome } from '../support/lab.js'
import type { Postfix } from '../support/postfix.js'
import type { Dice } from './dice.js'
import { kindOf, LATER_DOMAINS } from './letter.js'

interface Listed {
  id: string
  recipients: { address: string; state: string }[]
}

export interface Act {
  args: string[]
  outcome: Outcome
}

export class People {
  readonly acts: Act[] = []
  readonly #postfix: Postfix
  #hasRejected = false

  constructor(postfix: Postfix) {
    this.#postfix = postfix
  }

  /** One person at work until told to stop. */
  async work(dice: Dice, stop: () => boolean): Promise<void> {
    while (!stop()) {
      await this.#actOnce(dice)
      await wait(dice.between(50, 400))
    }
  }

  async #actOnce(dice: Dice): Promise<void> {
    const roll = dice.roll()
    if (roll < 0.1) await this.run('cleanup')
    else if (roll < 0.2) await this.run('allow', dice.pick(LATER_DOMAINS))
    else if (roll < 0.25) await this.run('revoke', dice.pick(LATER_DOMAINS))
    else if (roll < 0.4) await this.run('recheck')
    else await this.#answerSome(dice)
  }

  async #answerSome(dice: Dice): Promise<void> {
    const { code, stdout } = await this.run('list', '--json')
    if (code !== 0) return
    const messages = JSON.parse(stdout) as Listed[]
    if (messages.length === 0) return
    for (let turn = 0; turn < 3; turn++) {
      const { id, recipients } = dice.pick(messages)
      // Until there is a first no: a short soak could else go by without one.
      const reject = !this.#hasRejected || dice.chance(0.3)
      // Postfix itself would make something else of a malformed address: nobody lets those go.
      const open = recipients.filter(({ address }) => reject || kindOf(address) !== 'malformed')
      const chosen = open.filter(() => dice.chance(0.7)).map(({ address }) => address)
      if (chosen.length === 0) continue
      const named = chosen.flatMap((address) => ['--recipient', address])
      const answer = reject ? ['reject', id, '--quiet'] : ['release', id]
      const { code: done } = await this.run(...answer, ...named)
      if (reject && done === 0) this.#hasRejected = true
    }
  }

  /** Runs toeh and keeps what it said. */
  async run(...args: string[]): Promise<Outcome> {
    const outcome = await this.#postfix.toeh(...args)
    this.acts.push({ args, outcome })
    return outcome
  }

  /** What the commands said was done, as `id address`, for `released` or `rejected`. */
  said(done: 'released' | 'rejected'): Set<string> {
    const word = done === 'released' ? 'released to' : 'rejected for'
    const line = new RegExp(`^(\\w{12}) ${word} (.+?)(?: as \\w+)?$`, 'gm')
    return new Set(
      this.acts.flatMap(({ outcome }) =>
        [...outcome.stdout.matchAll(line)].map(([, id, address]) => `${id} ${address}`),
      ),
    )
  }
}
