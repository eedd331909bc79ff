/**
 * Look-up tables, as main.cf and master.cf name them (`type:name`), and what stands in those that are text or that stand
 * in their name (DATABASE_README, regexp_table(5), pcre_table(5), cidr_table(5)). Pure.
 */
import { splitList, withoutBraces } from './braces.js'

export interface TableEntry {
  /** A key, or a pattern as it stands there; empty where any key has this value. */
  key: string
  value: string
  /** Where it begins in the table's text, counted from 1. */
  line?: number
}

/** How a table's entries are come by. */
export type Source =
  /** They stand in the name. */
  | { kind: 'written'; entries: TableEntry[] }
  /** They are in this text file, which {@link parseTable} reads. */
  | { kind: 'text'; path: string; type: PatternType }
  /** They are those of other tables. */
  | { kind: 'parts'; tables: string[] }
  /** postmap(1) lists them, or nobody can. */
  | { kind: 'listed' }

const PATTERN_TYPES = ['regexp', 'pcre', 'cidr'] as const
type PatternType = (typeof PATTERN_TYPES)[number]

/** Logical lines: one that begins with a blank goes on with the one before; comments and empty lines are none. */
function logicalLines(text: string): { line: number; text: string }[] {
  const lines: { line: number; text: string }[] = []
  for (const [index, physical] of text.split('\n').entries()) {
    if (/^\s*(?:#|$)/.test(physical)) continue
    const last = lines.at(-1)
    if (/^\s/.test(physical) && last !== undefined) last.text += physical
    else lines.push({ line: index + 1, text: physical })
  }
  return lines
}

/** Where a pattern ends, its delimiters and flags included, and those of a second behind `!`; undefined where it does not. */
function endOfPattern(text: string): number | undefined {
  let at = /^[!\s]*/.exec(text)?.[0].length ?? 0
  const delimiter = text[at] ?? ' '
  if (/[\sA-Za-z0-9]/.test(delimiter)) return undefined
  for (at++; text[at] !== delimiter; at++) {
    if (at >= text.length) return undefined
    if (text[at] === '\\') at++
  }
  at += 1 + (/^[A-Za-z]*/.exec(text.slice(at + 1))?.[0].length ?? 0)
  if (text[at] !== '!') return at
  const second = endOfPattern(text.slice(at))
  return second === undefined ? undefined : at + second
}

/** The entries of a table's text. What Postfix would pass over with a warning is none; `if` only narrows others. */
export function parseTable(type: PatternType, text: string): TableEntry[] {
  return logicalLines(text).flatMap((logical): TableEntry[] => {
    const rule = logical.text.trim()
    if (/^(?:if|endif)(?:\s|$)/i.test(rule)) return []
    const end = type === 'cidr' ? /^[!\s]*\S+/.exec(rule)?.[0].length : endOfPattern(rule)
    if (end === undefined) return []
    const value = rule.slice(end).trim()
    return value === '' ? [] : [{ key: rule.slice(0, end), value, line: logical.line }]
  })
}

/** Where to look for what a table answers. */
export function sourceOf(table: string): Source {
  const at = table.indexOf(':')
  const type = table.slice(0, Math.max(at, 0))
  const name = table.slice(at + 1)
  const parts = (): string[] => splitList(withoutBraces(name)).map(withoutBraces)
  const written = (entries: TableEntry[]): Source => ({ kind: 'written', entries })
  switch (type) {
    case 'static':
      return written([{ key: '', value: withoutBraces(name) }])
    case 'randmap':
      return written(parts().map((value) => ({ key: '', value })))
    case 'inline':
      return written(
        parts().map((pair) => {
          const [, key = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? []
          return { key: key.trim(), value: value.trim() }
        }),
      )
    case 'fail':
      return written([])
    case 'proxy':
    case 'debug':
      return { kind: 'parts', tables: [name] }
    case 'unionmap':
    case 'pipemap':
      return { kind: 'parts', tables: parts() }
  }
  const pattern = PATTERN_TYPES.find((one) => one === type)
  if (pattern === undefined) return { kind: 'listed' }
  if (name.startsWith('{')) return written(parseTable(pattern, parts().join('\n')))
  // Postfix looks for another one in the folder it is in, which is not ours.
  return name.startsWith('/') ? { kind: 'text', path: name, type: pattern } : { kind: 'listed' }
}
