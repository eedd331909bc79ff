/** The listing of look-up tables: what stands in them, by postmap(1) or in their text. Changes nothing. */
import { readFileSync } from 'node:fs'
import { parseTable, sourceOf, type TableEntry } from './lookuptable.js'
import { askPostfix } from './postconf.js'

/** Entries by the table's name; undefined for a table that cannot be listed. */
export type Listing = Map<string, TableEntry[] | undefined>

function entryOf(line: string): TableEntry[] {
  const [, key, value] = /^(.*?):?\t(.*)$/.exec(line) ?? []
  // postalias(1) adds three of its own.
  const isOwn = key === undefined || key === '@' || key.startsWith('YP_')
  return isOwn || value === undefined ? [] : [{ key, value }]
}

/** What postmap(1) lists of a table with keys, or undefined. */
export async function listKeys(
  table: string,
  configDir: string | undefined,
): Promise<TableEntry[] | undefined> {
  const text = await askPostfix('postmap', configDir, '-s', table).catch(() => undefined)
  return text?.split('\n').flatMap(entryOf)
}

/** What a table answers, be it by keys or by patterns, or undefined where that cannot be listed. */
async function listAnswers(table: string, configDir: string | undefined): Promise<TableEntry[] | undefined> {
  const source = sourceOf(table)
  switch (source.kind) {
    case 'written':
      return source.entries
    case 'text':
      try {
        return parseTable(source.type, readFileSync(source.path, 'utf8'))
      } catch {
        return undefined
      }
    case 'parts': {
      const parts = await Promise.all(source.tables.map((one) => listAnswers(one, configDir)))
      return parts.includes(undefined) ? undefined : parts.flatMap((part) => part ?? [])
    }
    case 'listed': {
      const entries = await listKeys(table, configDir)
      // They come in the order of the database; of several the first is named.
      return entries?.sort((one, other) => (one.key < other.key ? -1 : 1))
    }
  }
}

/**
 * What all these tables answer, and those that they lead to.
 * @param wanted the tables' names, as far as they can be told from what is listed already
 */
export async function listAll(
  wanted: (listed: Listing) => readonly string[],
  configDir: string | undefined,
): Promise<Listing> {
  const listed: Listing = new Map()
  for (;;) {
    const missing = wanted(listed).filter((table) => !listed.has(table))
    if (missing.length === 0) return listed
    for (const table of missing) listed.set(table, await listAnswers(table, configDir))
  }
}
