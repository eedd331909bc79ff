/** Neighbours: what the landscape has that an unknown recipient could be taken for, with what people did about both. */
import type { Database } from './database.js'
import type { Known, Landmarks, NearMiss } from './nearmiss.js'
import type { Usage, UsedNeighbour } from './usage.js'

interface Waiting {
  address: string
  state: string
  reason: string
}

/** A recipient of a held message; near misses only where it waits and is unknown. */
export type Placed<R> = R & { nearMisses?: UsedNeighbour[] }

interface RuleRow {
  addedBy: string
  addedAt: number
  source: string
  note: string
}

const LIVE = `revoked_at IS NULL AND (ends_at IS NULL OR ends_at > unixepoch() * 1000)`

export class Neighbours {
  readonly #db: Database
  readonly #internal: ReadonlySet<string>
  #landmarks: Landmarks | undefined
  readonly #found = new Map<string, UsedNeighbour[]>()

  /** @param internal the company's own domains, which are known as well */
  constructor(db: Database, internal: ReadonlySet<string>) {
    this.#db = db
    this.#internal = internal
  }

  /**
   * What a recipient could be taken for. The landscape is loaded at the first call and kept, and so is each answer:
   * for one run of a command.
   */
  async of(recipient: string): Promise<UsedNeighbour[]> {
    const before = this.#found.get(recipient)
    if (before !== undefined) return before
    this.#landmarks ??= await this.#load()
    const found = this.#landmarks.near(recipient).map((miss) => this.#tell(miss, recipient))
    this.#found.set(recipient, found)
    return found
  }

  async #load(): Promise<Landmarks> {
    // Here and not above: it brings the public suffix list, which most runs do not need.
    const { Landmarks } = await import('./nearmiss.js')
    const known: Known[] = [...this.#internal].map((value) => ({ value, kind: 'internal' }))
    const sql = `SELECT DISTINCT value, kind FROM rule WHERE effect = 'allow' AND ${LIVE}`
    return new Landmarks(known.concat(this.#db.all<Known>(sql)))
  }

  #tell(miss: NearMiss, recipient: string): UsedNeighbour {
    const sql = `SELECT added_by AS addedBy, added_at AS addedAt, source, note FROM rule
                 WHERE value = ? AND effect = 'allow' AND ${LIVE} ORDER BY added_at, id`
    const history = miss.kind === 'internal' ? null : (this.#db.get<RuleRow>(sql, miss.value) ?? null)
    const folded = recipient.toLowerCase()
    const value = miss.kind === 'address' ? folded : folded.slice(folded.lastIndexOf('@') + 1)
    const uses = miss.kind === 'internal' ? null : this.#uses(miss.value, LIVE)
    return {
      ...miss,
      history,
      uses,
      thisOne: { value, ...this.#past(value), uses: this.#uses(value, `NOT (${LIVE})`) },
    }
  }

  /** How much the allow rules at a value were used, those in force or those that have ended. */
  #uses(value: string, which: string): Usage | null {
    const sql = `SELECT sum(messages) AS messages, min(period) AS since, max(period) AS last FROM rule_use
                 WHERE rule IN (SELECT id FROM rule WHERE value = ? AND effect = 'allow' AND ${which})`
    const usage = this.#db.get<Usage | { messages: null }>(sql, value)
    return usage === undefined || usage.messages === null ? null : usage
  }

  // Stored addresses are as they were sent; values are folded.
  /** What people have done with an address, or with any at a domain: releases, and a rule that was revoked. */
  #past(value: string): Omit<UsedNeighbour['thisOne'], 'value' | 'uses'> {
    const end = value.includes('@') ? value : `@${value}`
    const released = this.#db.get<{ released: number; lastReleasedAt: number | null }>(
      `SELECT count(*) AS released, max(changed_at) AS lastReleasedAt FROM recipient
       WHERE state = 'released' AND lower(iif(instr(?, '@') = 1, substr(address, -?), address)) = ?`,
      end,
      end.length,
      end,
    )
    const revoked = this.#db.get<{ revokedBy: string; revokedAt: number }>(
      `SELECT revoked_by AS revokedBy, revoked_at AS revokedAt FROM rule
       WHERE value = ? AND effect = 'allow' AND revoked_at IS NOT NULL ORDER BY revoked_at DESC`,
      value,
    )
    return { released: 0, lastReleasedAt: null, revokedBy: null, revokedAt: null, ...released, ...revoked }
  }
}

/** The same message, each unknown recipient that waits with its near misses. Loads nothing where there is none. */
export async function placeRecipients<R extends Waiting, M extends { recipients: readonly R[] }>(
  neighbours: Neighbours,
  message: M & { recipients: readonly R[] },
): Promise<Omit<M, 'recipients'> & { recipients: Placed<R>[] }> {
  const recipients: Placed<R>[] = []
  for (const recipient of message.recipients) {
    const { address, state, reason } = recipient
    const unknown = reason === 'unknown' && (state === 'held' || state === 'releasing')
    recipients.push(unknown ? { ...recipient, nearMisses: await neighbours.of(address) } : recipient)
  }
  return { ...message, recipients }
}
