/**
 * Address lists: what people paste and what address books export as tables, whatever the language of its header. Only
 * addresses and names matter. Pure.
 */
import type { Entry, RuleFileProblem, RuleFileReading } from './rulefile.js'

export interface Mailbox {
  value: string
  note: string
}

/** An address of Exchange's own (X.500, X.400), which no other server knows. */
export function isForeignForm(text: string): boolean {
  return /^(?:ex:|x400:|imceaex-)?\/(?:o|c|ou|cn|dc)=/i.test(text.trim()) || /^c=[^;]*;a=/i.test(text.trim())
}

/** Without the quotes that Outlook and others put around all of it. */
function unquoted(text: string): string {
  const bare = text.trim()
  return /^(["'\u2018\u201c]).*(["'\u2019\u201d])$/s.test(bare)
    ? bare
        .slice(1, -1)
        .replace(/\\(["\\])/g, '$1')
        .trim()
    : bare
}

/**
 * One mailbox as people write it: `anna@a.test`, `Anna <anna@a.test>`, `"Dupont, Anna" <anna@a.test>`, `mailto:…`.
 * Anything else is its own value, for the checks to speak of.
 */
export function parseMailbox(text: string): Mailbox {
  const bare = text.trim()
  const [, name = '', inner] = /^([^<>]*)<\s*(?:mailto:|smtp:)?([^<>\s]+)\s*>[,;]?$/i.exec(bare) ?? []
  if (inner !== undefined) return { value: unquoted(inner), note: unquoted(name) }
  const [, address, comment = ''] = /^([^\s()]+@[^\s()]+)\s+\(([^()]*)\)$/.exec(bare) ?? []
  if (address !== undefined) return { value: address, note: comment.trim() }
  return { value: unquoted(bare).replace(/^(?:mailto|smtp):/i, ''), note: '' }
}

/** `To:`, and what it is in some languages. */
const FIELD = /^\s*(?:to|cc|bcc|from|\u00e0|de|cci|an|von|kopie|a|da|per|para|cco|aan|van)\s*:\s*/i

/** Cuts at commas and semicolons, and at Google's ` ::: `, outside quotes and angle brackets. */
function pieces(text: string): string[] {
  const found: string[] = []
  let quoted = false
  let bracket = false
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') quoted = !quoted
    else if (!quoted && character === '<') bracket = true
    else if (!quoted && character === '>') bracket = false
    else if (
      !quoted &&
      !bracket &&
      (character === ',' || character === ';' || text.startsWith(' ::: ', at))
    ) {
      found.push(text.slice(from, at))
      if (character === ' ') at += 4
      from = at + 1
    }
  }
  return [...found, text.slice(from)].map((piece) => piece.trim()).filter((piece) => piece !== '')
}

/** The mailboxes of a line of several: `Dupont, Anna <anna@a.test>; bob@b.test`. */
export function splitMailboxes(text: string): Mailbox[] {
  const found: Mailbox[] = []
  let name = ''
  for (const piece of pieces(text.replace(FIELD, ''))) {
    // A name with a comma and no quotes comes in two.
    const whole = name === '' ? piece : `${name}, ${piece}`
    const [, inside] = /<([^<>]*)>/.exec(piece) ?? []
    if (piece.includes('@') || isForeignForm(inside ?? piece)) {
      // What stands before a bare address is nobody's name.
      if (inside === undefined && name !== '') found.push({ value: name, note: '' })
      found.push(parseMailbox(inside === undefined ? piece : whole))
      name = ''
    } else name = whole
  }
  if (name !== '') found.push({ value: name, note: '' })
  return found
}

function toEntries(text: string, where: string, name: string, left: RuleFileProblem[]): Entry[] {
  return splitMailboxes(text).flatMap(({ value, note }) => {
    if (!isForeignForm(value)) return [{ where, value, note: note || name }]
    left.push({ where, why: 'an address of Exchange alone, which no other server knows' })
    return []
  })
}

/** Lines of addresses, several in a line, as they are pasted out of a mail. `lines` with their numbers. */
export function readAddressList(lines: readonly { line: number; text: string }[]): RuleFileReading {
  const left: RuleFileProblem[] = []
  const entries = lines.flatMap(({ line, text }) => toEntries(text, `line ${line}`, '', left))
  return { entries, problems: [], comments: [], left }
}

/** Whether all that a cell holds is addresses. */
function isAddresses(cell: string): boolean {
  const found = splitMailboxes(cell)
  return (
    found.length > 0 &&
    found.every(({ value }) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value) || isForeignForm(value))
  )
}

/** Of so many hundredths of its filled cells a column of addresses consists at least. */
const LEAST_SHARE = 60

/** Headers of whole names, and of their parts, in the languages of the programs that write them. */
const WHOLE_NAME =
  /^(?:display ?name|name|full ?name|file as|nom complet|nom (?:\u00e0|a) afficher|nom d.affichage|nom|raison sociale|anzeigename|vollst(?:\u00e4|ae)ndiger name|nome visualizzato|nome completo|nombre (?:para mostrar|completo)|nombre|weergavenaam|naam|company|soci(?:\u00e9|e)t(?:\u00e9|e)|entreprise|firma|organi[sz]ation.*name|azienda|empresa)$/i
const FIRST_NAME = /^(?:first ?name|given ?name|pr(?:\u00e9|e)nom|vorname|nome|nombre|voornaam)$/i
const LAST_NAME =
  /^(?:last ?name|family ?name|surname|nom|nom de famille|nachname|cognome|apellidos?|achternaam)$/i

export interface Row {
  line: number
  fields: readonly string[]
}

/** The columns that hold addresses: that which was named, or those whose cells do. */
function addressColumns(names: readonly string[], rows: readonly Row[], asked: string | undefined): number[] {
  if (asked !== undefined) {
    const wanted = asked.trim().toLowerCase()
    return names.flatMap((name, index) => (name.trim().toLowerCase() === wanted ? [index] : []))
  }
  return names.flatMap((_, index) => {
    const filled = rows.map(({ fields }) => fields[index]?.trim() ?? '').filter((cell) => cell !== '')
    const good = filled.filter(isAddresses).length
    return good > 0 && good * 100 >= LEAST_SHARE * filled.length ? [index] : []
  })
}

/**
 * A table with a header that knows nothing of rules: Outlook's, Google's, Thunderbird's, a spreadsheet of one's own.
 * @param asked the name of the column that holds the addresses; they are found where it is left out
 * @returns undefined where no column holds any
 */
export function readAddressTable(
  names: readonly string[],
  rows: readonly Row[],
  asked: string | undefined,
): RuleFileReading | undefined {
  const columns = addressColumns(names, rows, asked)
  if (columns.length === 0) return undefined
  const at = (form: RegExp): number => names.findIndex((name) => form.test(name.trim()))
  const [whole, first, last] = [at(WHOLE_NAME), at(FIRST_NAME), at(LAST_NAME)]
  const left: RuleFileProblem[] = []
  const entries: Entry[] = []
  for (const { line, fields } of rows) {
    const cell = (index: number): string => (fields[index] ?? '').replace(/\s+/g, ' ').trim()
    const parts = first === last ? cell(first) : `${cell(first)} ${cell(last)}`.trim()
    // `Nom` is a last name beside `Prénom`, and a whole one without.
    const name = first >= 0 && parts !== '' && (whole < 0 || whole === last) ? parts : cell(whole)
    for (const index of columns) entries.push(...toEntries(cell(index), `line ${line}`, name, left))
  }
  return { entries, problems: [], comments: [], left, columns: columns.map((index) => names[index] ?? '') }
}
