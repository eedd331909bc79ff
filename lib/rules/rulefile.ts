/** Rule files: what is carried out of a landscape and into one, entry by entry, and the JSON form. Pure. */

import { describeError, Failure } from '../failure.js'
import type { Groups } from '../mail/mailbox.js'
import { parseEnd, parseInstant } from '../text/durations.js'
import type { Rule, RuleDraft } from './decide.js'
import { draftRule, parseScope } from './draft.js'

/** The columns of a CSV file and the keys of a JSON one, in the order in which they are written. */
export const COLUMNS = [
  'effect',
  'value',
  'subdomains',
  'for',
  'until',
  'note',
  'source',
  'added_by',
  'added_at',
] as const
export type Column = (typeof COLUMNS)[number]

/** One rule as a file tells it, unchecked; what the file leaves out is missing or empty. */
export interface Entry extends Partial<Record<Column, string>> {
  /** Where it stands, for complaints: `line 3`, `entry 3`, `card 3 (Anna Dupont)`. */
  where: string
  value: string
}

/** What is wrong with one place of a file. */
export interface RuleFileProblem {
  where: string
  why: string
}

export interface RuleFileReading {
  entries: Entry[]
  problems: RuleFileProblem[]
  /** Where comments stand that belong to no rule. */
  comments: string[]
  /** What was left out and is no fault. */
  left?: RuleFileProblem[]
  /** The columns that addresses were taken from, where the file does not say so itself. */
  columns?: string[]
}

/** A live rule as a file tells it; {@link draftEntries} makes the same rule of it again. */
export function entryOf(rule: Rule): Record<Column, string> {
  return {
    effect: rule.effect,
    value: rule.value,
    // No true and false: spreadsheets translate those.
    subdomains: rule.subdomains ? 'yes' : 'no',
    for: rule.scope,
    until: rule.endsAt === null ? '' : new Date(rule.endsAt).toISOString(),
    note: rule.note,
    source: rule.source,
    added_by: rule.addedBy,
    added_at: new Date(rule.addedAt).toISOString(),
  }
}

/** Rules as JSON: an array with one rule a line, so that diff(1) shows rules. */
export function writeJson(rules: readonly Rule[]): string {
  const lines = rules.map((rule) => {
    const { until, ...rest } = entryOf(rule)
    return JSON.stringify({ ...rest, subdomains: rule.subdomains, until: until === '' ? null : until }, [
      ...COLUMNS,
    ])
  })
  return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`
}

export function isColumn(name: string): name is Column {
  return COLUMNS.some((column) => column === name)
}

/** What is wrong with a value under a key of JSON, or undefined. */
function wrongJson(key: string, value: unknown): string | undefined {
  if (!isColumn(key)) return `unknown key ${JSON.stringify(key)}`
  if (key === 'subdomains') return typeof value === 'boolean' ? undefined : 'subdomains is no true or false'
  return value === null || typeof value === 'string' ? undefined : `${key} is no text`
}

/** Reads what {@link writeJson} wrote, or the like of it by hand. Entries are counted from 1. */
export function readJson(text: string): RuleFileReading {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch (error) {
    return {
      entries: [],
      problems: [{ where: 'file', why: `it is no JSON: ${describeError(error)}` }],
      comments: [],
    }
  }
  const reading: RuleFileReading = { entries: [], problems: [], comments: [] }
  if (!Array.isArray(list))
    return { ...reading, problems: [{ where: 'file', why: 'it is no array of rules' }] }
  for (const [index, item] of list.entries()) {
    const where = `entry ${index + 1}`
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      reading.problems.push({ where, why: 'it is no object' })
      continue
    }
    const pairs = Object.entries(item)
    const wrong = pairs.map(([key, value]) => wrongJson(key, value)).filter((why) => why !== undefined)
    if (typeof item.value !== 'string') wrong.push('it has no value')
    if (wrong.length > 0) {
      reading.problems.push({ where, why: [...new Set(wrong)].join(', ') })
      continue
    }
    const texts = pairs
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, typeof value === 'boolean' ? (value ? 'yes' : 'no') : value])
    reading.entries.push({ ...(Object.fromEntries(texts) as { value: string }), where })
  }
  return reading
}

/** Who carries entries in, when, and what counts for those that do not say. */
export interface Carrier {
  who: string
  /** Milliseconds since 1970. */
  at: number
  groups: Groups
  internal: ReadonlySet<string>
  /** Lets whole shared domains in. */
  force: boolean
  /** Domains that the configuration names as shared. */
  shared?: ReadonlySet<string>
  source: string
  scope: string
  endsAt: number | null
  note: string
}

/** An entry that passed every check. `history` is there where the file has one. */
export interface Carried {
  where: string
  draft: RuleDraft & { history?: { who: string; at: number } }
}

const YES_OR_NO: ReadonlyMap<string, boolean> = new Map([
  ['', false],
  ['no', false],
  ['non', false],
  ['nein', false],
  ['faux', false],
  ['falsch', false],
  ['false', false],
  ['0', false],
  ['yes', true],
  ['oui', true],
  ['ja', true],
  ['vrai', true],
  ['wahr', true],
  ['true', true],
  ['1', true],
])

/** `31/12/2026`, `31.12.2026` and `31-12-2026`, the day first as in most of Europe, as `2026-12-31`. */
function isoDay(text: string): string {
  const [, day = '', , month = '', year] = /^([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})$/.exec(text) ?? []
  return year === undefined ? text : `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
}

/** No address is longer, and a complaint repeats the value. */
const MAX_VALUE = 320

function wrong(column: Column, text: string, why: string): Failure {
  return new Failure(column, why, { at: JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text) })
}

/** @throws Failure with the first thing that is wrong */
function draftEntry(entry: Entry, carrier: Carrier): Carried['draft'] {
  const tidy = (column: Column): string => (entry[column] ?? '').trim()
  // Free texts come back to the last blank; an empty one is none.
  const kept = (column: Column, otherwise: string): string => entry[column] || otherwise
  const value = tidy('value')
  if (value === '') throw new Failure('value', 'it is empty')
  if (value.length > MAX_VALUE) throw wrong('value', value, 'it is too long')
  const effect = tidy('effect').toLowerCase() || 'allow'
  if (effect !== 'allow' && effect !== 'block') throw wrong('effect', effect, 'it is neither allow nor block')
  const subdomains = YES_OR_NO.get(tidy('subdomains').toLowerCase())
  if (subdomains === undefined) throw wrong('subdomains', tidy('subdomains'), 'it is neither yes nor no')
  const scope = tidy('for') === '' ? carrier.scope : parseScope(effect, tidy('for'), carrier)
  const until = isoDay(tidy('until'))
  const endsAt = until === '' ? carrier.endsAt : (parseInstant(until) ?? parseEnd('until', until, carrier.at))
  const addedAt = tidy('added_at')
  const at = addedAt === '' ? carrier.at : parseInstant(addedAt)
  if (at === undefined) throw wrong('added_at', addedAt, 'it is no instant as 2026-12-31T08:00:00Z')
  const { force, shared = new Set() } = carrier
  const note = kept('note', carrier.note)
  const source = kept('source', carrier.source)
  const draft = draftRule(value, { effect, subdomains, force, shared, source, note, scope, endsAt })
  if (kept('added_by', addedAt) === '') return draft
  return { ...draft, history: { who: kept('added_by', carrier.who), at } }
}

/**
 * Checks entries as `toeh allow` and `toeh block` check what a person types, and makes them drafts.
 * @returns the drafts, everything that is wrong, and how many rules had ended before now and are no rules any more
 */
export function draftEntries(
  entries: readonly Entry[],
  carrier: Carrier,
): { carried: Carried[]; problems: RuleFileProblem[]; ended: number } {
  const carried: Carried[] = []
  const problems: RuleFileProblem[] = []
  let ended = 0
  for (const entry of entries) {
    try {
      const draft = draftEntry(entry, carrier)
      // Only an export names an end by its instant: it is older than that end.
      if (draft.endsAt !== null && draft.endsAt <= carrier.at) ended++
      else carried.push({ where: entry.where, draft })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      problems.push({ where: entry.where, why: error.line })
    }
  }
  return { carried, problems, ended }
}
