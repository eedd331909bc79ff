/** The landscape: the rules that say who is known. It grows by a person's act alone. */
import { type Actor, appendAudit } from './audit.js'
import type { Database } from './database.js'
import type { Rule, RuleDraft, RulesByValue } from './decide.js'
import { Failure } from './failure.js'

interface RuleRow {
  id: number
  kind: Rule['kind']
  value: string
  subdomains: number
  effect: Rule['effect']
  added_by: string
  added_at: number
  source: string
  note: string
}

const COLUMNS = 'id, kind, value, subdomains, effect, added_by, added_at, source, note'

function toRule(row: RuleRow): Rule {
  const { added_by: addedBy, added_at: addedAt, subdomains, ...same } = row
  return { ...same, subdomains: subdomains === 1, addedBy, addedAt }
}

/** A rule in a few words: `allow example.com with subdomains`. */
export function describeRule(rule: Pick<Rule, 'effect' | 'value' | 'subdomains'>): string {
  return `${rule.effect} ${rule.value}${rule.subdomains ? ' with subdomains' : ''}`
}

export class Landscape {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  #at(value: string): Rule[] {
    const sql = `SELECT ${COLUMNS} FROM rule WHERE value = ? AND scope = '' AND revoked_at IS NULL`
    return this.#db.all<RuleRow>(sql, value).map(toRule)
  }

  /** The live rules at these values; one index look-up each. */
  async facts(values: Iterable<string>): Promise<RulesByValue> {
    const facts = new Map<string, readonly Rule[]>()
    for (const value of new Set(values)) {
      const rules = this.#at(value)
      if (rules.length > 0) facts.set(value, rules)
    }
    return facts
  }

  /**
   * Adds rules, all or none. One that is there already, as wide or wider, is left as it is; a domain rule that is
   * to reach subdomains replaces the one that does not.
   * @returns for each draft the rule that now stands and whether it is new
   * @throws Failure where an allow would stand beside a block of the same value, which would win
   */
  async add(drafts: readonly RuleDraft[], actor: Actor): Promise<{ rule: Rule; added: boolean }[]> {
    return this.#db.transaction(() => drafts.map((draft) => this.#addOne(draft, actor)))
  }

  #addOne(draft: RuleDraft, actor: Actor): { rule: Rule; added: boolean } {
    const standing = this.#at(draft.value)
    const block = standing.find(({ effect }) => effect === 'block')
    if (draft.effect === 'allow' && block !== undefined) {
      throw new Failure('allow', `rule ${block.id} of ${block.addedBy} blocks it`, {
        at: draft.value,
        hint: `toeh revoke ${draft.value} first, if you are sure`,
      })
    }
    const same = standing.find(({ effect }) => effect === draft.effect)
    if (same !== undefined && (same.subdomains || !draft.subdomains)) return { rule: same, added: false }
    if (same !== undefined) this.#end(same, actor)
    this.#db.run(
      `INSERT INTO rule (kind, value, subdomains, effect, added_by, added_at, source, note)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      draft.kind,
      draft.value,
      draft.subdomains ? 1 : 0,
      draft.effect,
      actor.who,
      actor.at,
      draft.source,
      draft.note,
    )
    appendAudit(this.#db, {
      ...actor,
      what: draft.effect,
      subject: draft.value,
      was: same === undefined ? '' : describeRule(same),
      now: describeRule(draft),
    })
    const rule = this.#at(draft.value).find(({ effect }) => effect === draft.effect)
    if (rule === undefined) throw new Failure(draft.effect, 'the new rule is not there', { at: draft.value })
    return { rule, added: true }
  }

  #end(rule: Rule, actor: Actor): void {
    this.#db.run('UPDATE rule SET revoked_by = ?, revoked_at = ? WHERE id = ?', actor.who, actor.at, rule.id)
  }

  /**
   * Ends every live rule at these values; the rows stay, with who ended them and when.
   * @returns the rules that were ended; a value without one gives none
   */
  async revoke(values: readonly string[], actor: Actor): Promise<Rule[]> {
    return this.#db.transaction(() =>
      values.flatMap((value) => {
        const rules = this.#at(value)
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

  /** Live rules whose value contains `pattern`, by value; all without one. */
  async list(pattern = ''): Promise<Rule[]> {
    const sql = `SELECT ${COLUMNS} FROM rule WHERE revoked_at IS NULL AND instr(value, ?) > 0 ORDER BY value, effect`
    return this.#db.all<RuleRow>(sql, pattern).map(toRule)
  }
}
