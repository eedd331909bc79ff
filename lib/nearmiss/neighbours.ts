/** Neighbours: what the landscape has that an unknown recipient could be taken for, with what people did about both. */
import type { Database } from '../database/database.js'
import type { Usage } from '../rules/usecount.js'
import type { Known, KnownDomains, NearMiss, UsedNeighbour } from './nearmiss.js'

interface Waiting {
  address: string
  state: string
  reason: string
}

/** A recipient of a held message; near misses only where it waits and is unknown. */
export type Placed<R> = R & { nearMisses?: UsedNeighbour[] }

/** What people have done with rules for a destination, by value. */
interface Past {
  /** The last allow that was revoked. */
  revoked: Map<string, { revokedBy: string; revokedAt: number }>
  /** Of allows that have ended. */
  uses: Map<string, Usage>
}

interface RuleRow {
  addedBy: string
  addedAt: number
  source: string
  note: string
}

/** Of an address, what begins with its last @: rtrim takes off all characters but that one. */
const FROM_LAST_AT = `substr(address, length(rtrim(address, replace(address, '@', ''))))`

const LIVE = `revoked_at IS NULL AND (ends_at IS NULL OR ends_at > unixepoch() * 1000)`

export class Neighbours {
  readonly #db: Database
  readonly #internal: ReadonlySet<string>
  #landmarks: KnownDomains | undefined
  readonly #found = new Map<string, UsedNeighbour[]>()
  #past: Past | undefined

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

  async #load(): Promise<KnownDomains> {
    // Here and not above: it brings the public suffix list, which most runs do not need.
    const { KnownDomains } = await import('./nearmiss.js')
    const known: Known[] = [...this.#internal].map((value) => ({ value, kind: 'internal' }))
    const sql = `SELECT DISTINCT value, kind FROM rule WHERE effect = 'allow' AND ${LIVE}`
    return new KnownDomains(known.concat(this.#db.all<Known>(sql)))
  }

  #tell(miss: NearMiss, recipient: string): UsedNeighbour {
    const sql = `SELECT added_by AS addedBy, added_at AS addedAt, source, note FROM rule
                 WHERE value = ? AND effect = 'allow' AND ${LIVE} ORDER BY added_at, id`
    const history = miss.kind === 'internal' ? null : (this.#db.get<RuleRow>(sql, miss.value) ?? null)
    const folded = recipient.toLowerCase()
    const value = miss.kind === 'address' ? folded : folded.slice(folded.lastIndexOf('@') + 1)
    const uses = miss.kind === 'internal' ? null : this.#uses(miss.value)
    return { ...miss, history, uses, thisOne: { value, ...this.#tellPast(value) } }
  }

  /** How much the allow rules in force at a value were used. */
  #uses(value: string): Usage | null {
    const sql = `SELECT sum(messages) AS messages, min(period) AS since, max(period) AS last FROM rule_use
                 WHERE rule IN (SELECT id FROM rule WHERE value = ? AND effect = 'allow' AND ${LIVE})`
    const usage = this.#db.get<Usage | { messages: null }>(sql, value)
    return usage === undefined || usage.messages === null ? null : usage
  }

  #tellPast(value: string): Omit<UsedNeighbour['thisOne'], 'value'> {
    this.#past ??= this.#loadPast()
    const { revoked, uses } = this.#past
    const none = { released: 0, lastReleasedAt: null, revokedBy: null, revokedAt: null }
    const released = this.#releases(value)
    return { ...none, ...released, ...revoked.get(value), uses: uses.get(value) ?? null }
  }

  /** By an index, which only holds for these very words. Stored addresses are as they were sent; values are folded. */
  #releases(value: string): { released: number; lastReleasedAt: number } | undefined {
    const key = value.includes('@') ? 'lower(address)' : `lower(${FROM_LAST_AT})`
    const sql = `SELECT count(*) AS released, max(changed_at) AS lastReleasedAt FROM recipient
                 WHERE state = 'released' AND ${key} = ?`
    const asked = value.includes('@') ? value : `@${value}`
    const found = this.#db.get<{ released: number; lastReleasedAt: number }>(sql, asked)
    return found?.released === 0 ? undefined : found
  }

  /** Everything at once: each question by itself would read all rules, and a list asks thousands. */
  #loadPast(): Past {
    const past: Past = { revoked: new Map(), uses: new Map() }
    // Beside max() SQLite gives the other columns of that same row.
    const revoked = this.#db.all<{ value: string; revokedBy: string; revokedAt: number }>(
      `SELECT value, revoked_by AS revokedBy, max(revoked_at) AS revokedAt FROM rule
       WHERE effect = 'allow' AND revoked_at IS NOT NULL GROUP BY value`,
    )
    for (const { value, ...by } of revoked) past.revoked.set(value, by)
    const uses = this.#db.all<Usage & { value: string }>(
      `SELECT value, sum(messages) AS messages, min(period) AS since, max(period) AS last
       FROM rule JOIN rule_use ON rule_use.rule = rule.id WHERE effect = 'allow' AND NOT (${LIVE}) GROUP BY value`,
    )
    for (const { value, ...usage } of uses) past.uses.set(value, usage)
    return past
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
