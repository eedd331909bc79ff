/** Judging mail of the past by the landscape of today. */

import type { Config } from '../config.js'
import { companyOf } from '../config.js'
import type { Actor } from '../database/audit.js'
import { Failure } from '../failure.js'
import type { Origin } from '../mail/mailbox.js'
import { decide, lookupKeys, type Rule, type Verdict } from '../rules/decide.js'
import type { Landscape } from '../rules/landscape.js'
import { words } from '../text/translate.js'

/** What the filter would ask, and when. */
export interface PresentLandscape {
  config: Config
  landscape: Landscape
  actor: Actor
}

/** Verdicts on mail of the past by today's landscape, with the rules of an address read once. */
export class PastVerdicts {
  readonly #desk: PresentLandscape
  readonly #rules = new Map<string, ReadonlyMap<string, readonly Rule[]>>()

  constructor(desk: PresentLandscape) {
    this.#desk = desk
  }

  /** What the filter would say, by its own `decide`. */
  async verdict(origin: Origin, recipient: string): Promise<Verdict> {
    let rules = this.#rules.get(recipient)
    if (rules === undefined) {
      rules = this.#desk.landscape.facts(lookupKeys(recipient), this.#desk.actor.at)
      if (this.#rules.size >= CACHED) this.#rules.clear()
      this.#rules.set(recipient, rules)
    }
    const facts = { ...companyOf(this.#desk.config), rules }
    const [verdict] = decide({ ...origin, recipients: [recipient] }, facts)
    if (verdict === undefined) throw new Failure('decide', words`there is no verdict`, { at: recipient })
    return verdict
  }
}

const CACHED = 50_000
