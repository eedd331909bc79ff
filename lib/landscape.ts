/** The landscape: the rules that say who is known. It grows by a person's act alone. */
import { type Actor, appendAudit } from './audit.js'
import type { Database } from './database.js'
import type { Rule, RuleDraft, RulesByValue } from './decide.js'
import { localTime } from './display.js'
import { Failure } from './failure.js'

type RuleRow = Omit<Rule, 'subdomains' | 'addedBy' | 'addedAt' | 'endsAt' | 'lastUsedAt'> & {
  subdomains: number
  added_by: string
  added_at: number
  ends_at: number | null
  last_used_at: number | null
}

const COLUMNS =
  'id, kind, value, subdomains, scope, effect, ends_at, added_by, added_at, source, note, last_used_at'

function toRule(row: RuleRow): Rule {
  const { added_by: addedBy, added_at: addedAt, ends_at: endsAt, last_used_at: lastUsedAt, ...same } = row
  return { ...same, subdomains: row.subdomains === 1, addedBy, addedAt, endsAt, lastUsedAt }
}

/** A rule in a few words: `allow example.com with subdomains for accounting until 2026-12-31`. */
export function describeRule(rule: RuleWords): string {
  const { effect, value, subdomains, scope, endsAt } = rule
  const until = endsAt === null ? '' : ` until ${localTime(endsAt).slice(0, 10)}`
  return `${effect} ${value}${subdomains ? ' with subdomains' : ''}${scope === '' ? '' : ` for ${scope}`}${until}`
}

type RuleWords = Pick<Rule, 'effect' | 'value' | 'subdomains' | 'scope' | 'endsAt'>

/** Whether `one` says all that `other` says: as wide, and as long. */
function covers(one: RuleWords, other: RuleWords): boolean {
  const asLong = one.endsAt === null || (other.endsAt !== null && one.endsAt >= other.endsAt)
  return asLong && (one.subdomains || !other.subdomains)
}

export interface Added {
  rule: Rule
  added: boolean
  /** What the new rule stands in place of. */
  replaced?: Rule
}

export class Landscape {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** The live rules of every scope at a value. */
  #at(value: string, now: number): Rule[] {
    const sql = `SELECT ${COLUMNS} FROM rule WHERE value = ? AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?)`
    return this.#db.all<RuleRow>(sql, value, now).map(toRule)
  }

  /** The rules at these values that are live now; one index look-up each. */
  async facts(values: Iterable<string>, now: number): Promise<RulesByValue> {
    const facts = new Map<string, readonly Rule[]>()
    for (const value of new Set(values)) {
      const rules = this.#at(value, now)
      if (rules.length > 0) facts.set(value, rules)
    }
    return facts
  }

  /**
   * Adds rules, all or none. One that is there already, as wide and as long or more, is left as it is; else the new
   * one stands in place of the one with the same value, scope and effect.
   * @returns for each draft the rule that now stands, whether it is new, and what it replaces
   * @throws Failure where an allow would stand beside a block of the same value and scope, which would win
   */
  async add(drafts: readonly RuleDraft[], actor: Actor): Promise<Added[]> {
    return this.#db.transaction(() => drafts.map((draft) => this.#addOne(draft, actor)))
  }

  #addOne(draft: RuleDraft, actor: Actor): Added {
    const { kind, value, subdomains, scope, effect, endsAt, source, note } = draft
    const standing = this.#at(value, actor.at).filter((rule) => rule.scope === scope)
    const block = standing.find((rule) => rule.effect === 'block')
    if (effect === 'allow' && block !== undefined) {
      throw new Failure('allow', `rule ${block.id} of ${block.addedBy} blocks it`, {
        at: value,
        hint: `toeh revoke ${value} first, if you are sure`,
      })
    }
    const same = standing.find((rule) => rule.effect === effect)
    if (same !== undefined && covers(same, draft)) return { rule: same, added: false }
    if (same !== undefined) this.#end(same, actor)
    // A rule whose time has come is history too, and makes place.
    this.#db.run(
      `UPDATE rule SET revoked_by = 'its end', revoked_at = ends_at
       WHERE value = ? AND scope = ? AND effect = ? AND revoked_at IS NULL AND ends_at <= ?`,
      ...[value, scope, effect, actor.at],
    )
    this.#db.run(
      `INSERT INTO rule (kind, value, subdomains, scope, effect, ends_at, added_by, added_at, source, note)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[kind, value, subdomains ? 1 : 0, scope, effect, endsAt, actor.who, actor.at, source, note],
    )
    const was = same === undefined ? '' : describeRule(same)
    appendAudit(this.#db, { ...actor, what: effect, subject: value, was, now: describeRule(draft) })
    const rule = this.#at(value, actor.at).find((one) => one.scope === scope && one.effect === effect)
    if (rule === undefined) throw new Failure(effect, 'the new rule is not there', { at: value })
    return same === undefined ? { rule, added: true } : { rule, added: true, replaced: same }
  }

  #end(rule: Rule, actor: Actor): void {
    this.#db.run('UPDATE rule SET revoked_by = ?, revoked_at = ? WHERE id = ?', actor.who, actor.at, rule.id)
  }

  /**
   * Ends every live rule at these values, or those of one scope; the rows stay, with who ended them and when.
   * @returns the rules that were ended; a value without one gives none
   */
  async revoke(values: readonly string[], scope: string | undefined, actor: Actor): Promise<Rule[]> {
    return this.#db.transaction(() =>
      values.flatMap((value) => {
        const rules = this.#at(value, actor.at).filter((rule) => scope === undefined || rule.scope === scope)
        for (const rule of rules) {
          this.#end(rule, actor)
          appendAudit(this.#db, {
            ...actor,
            what: 'revoke',
            subject: value,
            was: describeRule(rule),
            now: '',
          })
        }
        return rules
      }),
    )
  }

  /** The rules that are live now and whose value contains `pattern`, by value; all without one. */
  async list(now: number, pattern = ''): Promise<Rule[]> {
    const sql = `SELECT ${COLUMNS} FROM rule WHERE revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?)
                 AND instr(value, ?) > 0 ORDER BY value, scope, effect`
    return this.#db.all<RuleRow>(sql, now, pattern).map(toRule)
  }

  /** Notes when rules last decided; an older time than the one that is there changes nothing. */
  async recordUses(uses: ReadonlyMap<number, number>): Promise<void> {
    const sql = 'UPDATE rule SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)'
    this.#db.transaction(() => {
      for (const [id, at] of uses) this.#db.run(sql, at, id, at)
    })
  }

  /** How far a repeated reading has come, or undefined. */
  async progress(name: string): Promise<string | undefined> {
    return this.#db.get<{ value: string }>('SELECT value FROM progress WHERE name = ?', name)?.value
  }

  async setProgress(name: string, value: string): Promise<void> {
    const sql =
      'INSERT INTO progress (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'
    this.#db.run(sql, name, value)
  }
}
