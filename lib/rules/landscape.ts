/**
 * The landscape: the rules that say who is known. It grows by a person's act alone. It is long because it alone writes the table
 * of rules, and every change goes through one lock.
 */

import { type Actor, appendAudit } from '../database/audit.js'
import type { Database } from '../database/database.js'
import { Progress } from '../database/progress.js'
import { Failure } from '../failure.js'
import { localDay } from '../text/visible.js'
import type { Rule, RuleDraft, RulesByValue } from './decide.js'
import { domainsAbove, type LaneRow, laneRow } from './lanerow.js'
import { type Horizons, horizonsAt, periodOf, type RuleUse, type Usage } from './usecount.js'

type RuleRow = Omit<Rule, 'subdomains' | 'addedBy' | 'addedAt' | 'endsAt'> & {
  subdomains: number
  added_by: string
  added_at: number
  ends_at: number | null
}

const COLUMNS = 'id, kind, value, subdomains, scope, effect, ends_at, added_by, added_at, source, note'

function toRule(row: RuleRow): Rule {
  const { id, kind, value, scope, effect, source, note } = row
  const since = { addedBy: row.added_by, addedAt: row.added_at }
  return {
    id,
    kind,
    value,
    subdomains: row.subdomains === 1,
    scope,
    effect,
    endsAt: row.ends_at,
    source,
    note,
    ...since,
  }
}

function rulesByValue(rows: readonly RuleRow[]): Map<string, Rule[]> {
  const byValue = new Map<string, Rule[]>()
  for (const rule of rows.map(toRule)) {
    const rules = byValue.get(rule.value)
    if (rules === undefined) byValue.set(rule.value, [rule])
    else rules.push(rule)
  }
  return byValue
}

/** Values looked at in one go, where there may be many. */
const CHUNK = 5000

/** How far old uses have been summed up. */
const FOLDED = 'uses summed up before'

/** A rule in a few words: `allow example.com with subdomains for accounting until 2026-12-31`. */
export function describeRule(rule: RuleWords): string {
  const { effect, value, subdomains, scope, endsAt } = rule
  const until = endsAt === null ? '' : ` until ${localDay(endsAt)}`
  return `${effect} ${value}${subdomains ? ' with subdomains' : ''}${scope === '' ? '' : ` for ${scope}`}${until}`
}

type RuleWords = Pick<Rule, 'effect' | 'value' | 'subdomains' | 'scope' | 'endsAt'>

/** Whether `one` says all that `other` says: as wide, and as long. */
function covers(one: RuleWords, other: RuleWords): boolean {
  const asLong = one.endsAt === null || (other.endsAt !== null && one.endsAt >= other.endsAt)
  return asLong && (one.subdomains || !other.subdomains)
}

/** What a new rule meets among those of its value and scope: a block in its way, or one that it repeats or replaces. */
function meet<T extends RuleWords>(
  standing: readonly T[],
  draft: RuleWords,
): { block: T | undefined; same: T | undefined; covered: boolean } {
  const block = draft.effect === 'allow' ? standing.find(({ effect }) => effect === 'block') : undefined
  const same = standing.find(({ effect }) => effect === draft.effect)
  return { block, same, covered: same !== undefined && covers(same, draft) }
}

/** A draft to add; one that is carried over from elsewhere brings who added it there, and when. */
export type Addition = RuleDraft & { history?: Actor }

/** What adding a draft would do, and the rule or the earlier draft (by its index) that it meets. */
export interface Foreseen {
  fate: 'new' | 'same' | 'replaces' | 'blocked'
  meets?: Rule | number
}

export interface Added {
  rule: Rule
  added: boolean
  /** What the new rule stands in place of. */
  replaced?: Rule
}

/** What the express lane reads, kept with every change of a rule. */
export interface KeptLane {
  readonly internal: ReadonlySet<string>
  shut(values: Iterable<string>): void
  put(rows: ReadonlyMap<string, LaneRow | undefined>): void
  replace(rows: readonly LaneRow[]): number
}

export class Landscape {
  readonly #db: Database
  readonly #lane: KeptLane | undefined

  /** @param lane where the express lane is switched on; whoever only reads needs none */
  constructor(db: Database, lane?: KeptLane) {
    this.#db = db
    this.#lane = lane
  }

  /**
   * Changes rules of these values, and the express lane with them. The lane is shut for them, and for what is below
   * blocks among them, before the rules change and put right afterwards, both under the database's lock, so that
   * whatever breaks between, it passes too little (the filter takes the rest) and never too much. `toeh express --write`
   * and `toeh cleanup` mend that.
   */
  #change<T>(values: Iterable<string>, now: number, work: () => T): T {
    const lane = this.#lane
    if (lane === undefined) return this.#db.transaction(work)
    const all = new Set(values)
    try {
      return this.#db.transaction(() => {
        lane.shut(all)
        const blocked = this.#blocked(all, now)
        const result = work()
        const below = this.#below(new Set([...blocked, ...this.#blocked(all, now)]))
        if (below.length > 0) lane.shut(below)
        for (const value of below) all.add(value)
        return result
      })
    } finally {
      this.#db.transaction(() => lane.put(this.#laneRowsOf([...all], now, lane.internal)))
    }
  }

  /** Which of these are domains with a block. */
  #blocked(values: Iterable<string>, now: number): string[] {
    return this.#among(values, now)
      .filter(({ kind, effect }) => kind === 'domain' && effect === 'block')
      .map(({ value }) => value)
  }

  /** The values of rules that are below these domains: their addresses, and what is in the domains beneath. */
  #below(domains: ReadonlySet<string>): string[] {
    const below: string[] = []
    if (domains.size === 0) return below
    const sql = `SELECT DISTINCT value FROM rule WHERE revoked_at IS NULL AND value > ? ORDER BY value LIMIT ${CHUNK}`
    let last: string | undefined = ''
    while (last !== undefined) {
      const values: string[] = this.#db.all<{ value: string }>(sql, last).map(({ value }) => value)
      below.push(...values.filter((value) => domainsAbove(value).some((domain) => domains.has(domain))))
      last = values.at(-1)
    }
    return below
  }

  #laneRowsOf(
    values: readonly string[],
    now: number,
    internal: ReadonlySet<string>,
  ): Map<string, LaneRow | undefined> {
    const rows = new Map<string, LaneRow | undefined>()
    for (let from = 0; from < values.length; from += CHUNK) {
      const some = values.slice(from, from + CHUNK)
      const rules = rulesByValue(
        this.#among(
          some.flatMap((value) => [value, ...domainsAbove(value)]),
          now,
        ),
      )
      for (const value of some) rows.set(value, laneRow(value, rules, internal))
    }
    return rows
  }

  /** Every row the express lane should have now. */
  laneRows(now: number, internal: ReadonlySet<string>): LaneRow[] {
    const sql = `SELECT ${COLUMNS} FROM rule WHERE revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?)`
    const byValue = rulesByValue(this.#db.all<RuleRow>(sql, now))
    return [...byValue.keys()].flatMap((value) => laneRow(value, byValue, internal) ?? [])
  }

  /** Puts the whole express lane right. @returns how many of its rows were wrong */
  mendLane(now: number): number {
    const lane = this.#lane
    if (lane === undefined) return 0
    return this.#db.transaction(() => lane.replace(this.laneRows(now, lane.internal)))
  }

  /** The live rules of every scope at a value. */
  #at(value: string, now: number): Rule[] {
    const sql = `SELECT ${COLUMNS} FROM rule WHERE value = ? AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?)`
    return this.#db.all<RuleRow>(sql, value, now).map(toRule)
  }

  /** The rules at these values that are live now, all of one moment; one index look-up each. */
  facts(values: Iterable<string>, now: number): RulesByValue {
    return rulesByValue(this.#among(values, now))
  }

  /** One query for all: outside a transaction each would lock the file anew. */
  #among(values: Iterable<string>, now: number): RuleRow[] {
    const sql = `SELECT ${COLUMNS} FROM rule WHERE value IN (SELECT value FROM json_each(?))
                 AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?)`
    return this.#db.all<RuleRow>(sql, JSON.stringify([...new Set(values)]), now)
  }

  /**
   * Adds rules, all or none. One that is there already, as wide and as long or more, is left as it is; else the new
   * one stands in place of the one with the same value, scope and effect.
   * @returns for each draft the rule that now stands, whether it is new, and what it replaces
   * @throws Failure where an allow would stand beside a block of the same value and scope, which would win
   */
  add(drafts: readonly Addition[], actor: Actor): Added[] {
    const values = drafts.map(({ value }) => value)
    return this.#change(values, actor.at, () => drafts.map((draft) => this.#addOne(draft, actor)))
  }

  /**
   * Ends rules and adds others, in one transaction.
   * @returns what {@link add} gives, and those of the rules that were live until now
   */
  exchange(
    rules: readonly Rule[],
    drafts: readonly Addition[],
    actor: Actor,
  ): { ended: Rule[]; added: Added[] } {
    const values = [...rules, ...drafts].map(({ value }) => value)
    return this.#change(values, actor.at, () => ({
      ended: this.#endThese(rules, actor),
      added: drafts.map((draft) => this.#addOne(draft, actor)),
    }))
  }

  /**
   * What {@link add} would do with each of these, one after the other, without doing it.
   * @param without ids of rules that are to end before
   */
  foresee(drafts: readonly RuleDraft[], now: number, without: ReadonlySet<number> = new Set()): Foreseen[] {
    type Standing = RuleWords & { is: Rule | number }
    const places = new Map<string, Standing[]>()
    const standingAt = ({ value, scope }: RuleDraft): Standing[] => {
      const place = `${value} ${scope}`
      const standing = places.get(place) ?? []
      places.set(place, standing)
      return standing
    }
    for (const rule of this.#among(
      drafts.map(({ value }) => value),
      now,
    ).map(toRule))
      if (!without.has(rule.id)) standingAt(rule).push({ ...rule, is: rule })
    return drafts.map((draft, index) => {
      const standing = standingAt(draft)
      const { block, same, covered } = meet(standing, draft)
      if (block !== undefined) return { fate: 'blocked', meets: block.is }
      if (same === undefined) {
        standing.push({ ...draft, is: index })
        return { fate: 'new' }
      }
      const meets = same.is
      if (covered) return { fate: 'same', meets }
      standing.splice(standing.indexOf(same), 1, { ...draft, is: index })
      return { fate: 'replaces', meets }
    })
  }

  #addOne(draft: Addition, actor: Actor): Added {
    const { kind, value, subdomains, scope, effect, endsAt, source, note, history } = draft
    const standing = this.#at(value, actor.at).filter((rule) => rule.scope === scope)
    const { block, same, covered } = meet(standing, draft)
    if (block !== undefined) {
      throw new Failure('allow', `rule ${block.id} of ${block.addedBy} blocks it`, {
        at: value,
        hint: `toeh revoke ${value} first, if you are sure`,
      })
    }
    if (same !== undefined && covered) return { rule: same, added: false }
    if (same !== undefined) this.#end(same, actor)
    // A rule whose time has come is history too, and makes place.
    this.#db.run(
      `UPDATE rule SET revoked_by = 'its end', revoked_at = ends_at
       WHERE value = ? AND scope = ? AND effect = ? AND revoked_at IS NULL AND ends_at <= ?`,
      ...[value, scope, effect, actor.at],
    )
    const { who, at } = history ?? actor
    const row = this.#db.get<RuleRow>(
      `INSERT INTO rule (kind, value, subdomains, scope, effect, ends_at, added_by, added_at, source, note)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING ${COLUMNS}`,
      ...[kind, value, subdomains ? 1 : 0, scope, effect, endsAt, who, at, source, note],
    )
    if (row === undefined) throw new Failure(effect, 'the new rule is not there', { at: value })
    const was = same === undefined ? '' : describeRule(same)
    // The audit says who did it here; what the rule brought along is told as such.
    const past = history === undefined ? '' : `, as ${who} added it at ${new Date(at).toISOString()}`
    appendAudit(this.#db, {
      ...actor,
      what: effect,
      subject: value,
      was,
      now: `${describeRule(draft)}${past}`,
    })
    const rule = toRule(row)
    // What the old one was used for is known of the new one.
    if (same !== undefined) this.#db.run('UPDATE rule_use SET rule = ? WHERE rule = ?', rule.id, same.id)
    return same === undefined ? { rule, added: true } : { rule, added: true, replaced: same }
  }

  #end(rule: Rule, actor: Actor): void {
    this.#db.run('UPDATE rule SET revoked_by = ?, revoked_at = ? WHERE id = ?', actor.who, actor.at, rule.id)
  }

  /**
   * Ends every live rule at these values, or those of one scope; the rows stay, with who ended them and when.
   * @returns the rules that were ended; a value without one gives none
   */
  revoke(values: readonly string[], scope: string | undefined, actor: Actor): Rule[] {
    const fits = (rule: Rule): boolean => scope === undefined || rule.scope === scope
    return this.#change(values, actor.at, () => this.#endAt(values, fits, actor))
  }

  /** Ends these rules alone, and not others at their values. @returns those that were still live */
  endRules(rules: readonly Pick<Rule, 'id' | 'value'>[], actor: Actor): Rule[] {
    const values = rules.map(({ value }) => value)
    return this.#change(values, actor.at, () => this.#endThese(rules, actor))
  }

  #endThese(rules: readonly Pick<Rule, 'id' | 'value'>[], actor: Actor): Rule[] {
    const ids = new Set(rules.map(({ id }) => id))
    const values = [...new Set(rules.map(({ value }) => value))]
    return this.#endAt(values, ({ id }) => ids.has(id), actor)
  }

  #endAt(values: readonly string[], fits: (rule: Rule) => boolean, actor: Actor): Rule[] {
    const ended = values.flatMap((value) => this.#at(value, actor.at).filter(fits))
    for (const rule of ended) {
      this.#end(rule, actor)
      appendAudit(this.#db, {
        ...actor,
        what: 'revoke',
        subject: rule.value,
        was: describeRule(rule),
        now: '',
      })
    }
    return ended
  }

  /** What a person did to rules at one moment: those that came, and whether they are live now; and those that ended. */
  changesOf(who: string, at: number): { added: { rule: Rule; live: boolean }[]; ended: Rule[] } {
    const live = 'revoked_at IS NULL AS live'
    const added = this.#db.all<RuleRow & { live: number }>(
      `SELECT ${COLUMNS}, ${live} FROM rule WHERE added_by = ? AND added_at = ? ORDER BY id`,
      who,
      at,
    )
    const ended = this.#db.all<RuleRow>(
      `SELECT ${COLUMNS} FROM rule WHERE revoked_by = ? AND revoked_at = ? ORDER BY id`,
      who,
      at,
    )
    const came = new Set(added.map(({ id }) => id))
    return {
      added: added.map((row) => ({ rule: toRule(row), live: row.live === 1 })),
      ended: ended.filter(({ id }) => !came.has(id)).map(toRule),
    }
  }

  /** The rules that are live now and have one of these numbers. */
  numbered(ids: readonly number[], now: number): Rule[] {
    const sql = `SELECT ${COLUMNS} FROM rule WHERE id IN (SELECT value FROM json_each(?))
                 AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?) ORDER BY id`
    return this.#db.all<RuleRow>(sql, JSON.stringify(ids), now).map(toRule)
  }

  /** The rules that are live now and came from this source, by value. */
  from(source: string, now: number): Rule[] {
    const sql = `SELECT ${COLUMNS} FROM rule WHERE source = ? AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?)
                 ORDER BY value, scope, effect`
    return this.#db.still(() => this.#db.all<RuleRow>(sql, source, now)).map(toRule)
  }

  /** The rules that are live now and whose value contains `pattern`, by value; all without one. */
  list(now: number, pattern = ''): Rule[] {
    const sql = `SELECT ${COLUMNS} FROM rule WHERE revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?)
                 AND instr(value, ?) > 0 ORDER BY value, scope, effect`
    return this.#db.still(() => this.#db.all<RuleRow>(sql, now, pattern)).map(toRule)
  }

  /**
   * Notes uses. Of two numbers for one rule and day the larger stays, so that a day may be read again, from the
   * decision log or from the mail log. Old days go into months and years first; what comes in for such a time
   * is summed likewise and compared with the number that is there. Rules that are not there are passed over.
   */
  recordUses(uses: Iterable<RuleUse>, now: number): void {
    const horizons = horizonsAt(now)
    const sums = new Map<string, { rule: number; period: string; messages: number }>()
    for (const { rule, day, messages } of uses) {
      const period = periodOf(day, horizons)
      const sum = sums.get(`${rule} ${period}`)
      if (sum === undefined) sums.set(`${rule} ${period}`, { rule, period, messages })
      else sum.messages += messages
    }
    const larger = `ON CONFLICT (rule, period) DO UPDATE SET messages = excluded.messages
                    WHERE excluded.messages > messages`
    const sql = `INSERT INTO rule_use (rule, period, messages) SELECT id, ?, ? FROM rule WHERE id = ? ${larger}`
    this.#db.transaction(() => {
      this.#foldUses(horizons, larger)
      for (const { rule, period, messages } of sums.values()) this.#db.run(sql, period, messages, rule)
    })
  }

  /** Sums up what has become old since the last time: days to months, months to years. */
  #foldUses({ day, month }: Horizons, larger: string): void {
    const folded = `${day} ${month}`
    const progress = new Progress(this.#db)
    if (progress.get(FOLDED) === folded) return
    for (const [length, before] of [
      [10, day],
      [7, month],
    ] as const) {
      // Day to month drops three characters, month to year too.
      this.#db.run(
        `INSERT INTO rule_use (rule, period, messages)
         SELECT rule, substr(period, 1, ? - 3) AS span, sum(messages) FROM rule_use
         WHERE length(period) = ? AND period < ? GROUP BY rule, span ${larger}`,
        ...[length, length, before],
      )
      this.#db.run('DELETE FROM rule_use WHERE length(period) = ? AND period < ?', length, before)
    }
    progress.set(FOLDED, folded)
  }

  /** How much rules were used; one that was not has no entry. */
  usesOf(rules: readonly Pick<Rule, 'id'>[]): Map<number, Usage> {
    const rows = this.#db.all<Usage & { rule: number }>(
      `SELECT rule, sum(messages) AS messages, min(period) AS since, max(period) AS last FROM rule_use
       WHERE rule IN (SELECT value FROM json_each(?)) GROUP BY rule`,
      JSON.stringify(rules.map(({ id }) => id)),
    )
    return new Map(rows.map(({ rule, ...usage }) => [rule, usage]))
  }

  /** Every rule that ever was: when it began to count, and when it ended or will end, or null. */
  lives(): { effect: Rule['effect']; value: string; addedBy: string; from: number; to: number | null }[] {
    const sql = `SELECT effect, value, added_by AS addedBy, added_at AS "from",
                 min(coalesce(revoked_at, ends_at), coalesce(ends_at, revoked_at)) AS "to" FROM rule`
    return this.#db.still(() => this.#db.all(sql))
  }

  /** How many rules are live now. */
  count(now: number): { allow: number; block: number } {
    const sql = `SELECT coalesce(sum(effect = 'allow'), 0) AS allow, coalesce(sum(effect = 'block'), 0) AS block FROM rule
                 WHERE revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?)`
    return this.#db.get<{ allow: number; block: number }>(sql, now) ?? { allow: 0, block: 0 }
  }
}
