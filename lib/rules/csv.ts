/** Rules as CSV (RFC 4180), and the bare list of one value a line. Pure. */
import { CsvError, type Options, parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { parseMailbox, type Row, readAddressList, readAddressTable } from './addresslist.js'
import type { Rule } from './decide.js'
import {
  COLUMNS,
  type Entry,
  entryOf,
  isColumn,
  type RuleFileProblem,
  type RuleFileReading,
} from './rulefile.js'

/** Rules as CSV: a header, then one rule a record, lines ended by LF. */
export function writeCsv(rules: readonly Rule[]): string {
  // Texts that begin with = + - @ stay as they are: an import has to give back what was exported.
  return stringify(rules.map(entryOf), { header: true, columns: [...COLUMNS] })
}

/** Records for a spreadsheet, which is not to take a text of theirs for a formula. */
export function writeSpreadsheet(
  columns: readonly string[],
  records: readonly Record<string, string | number>[],
): string {
  return stringify([...records], { header: true, columns: [...columns], escape_formulas: true })
}

/** Proposals as CSV, to be edited and imported: what is not wanted is deleted, or its effect set to block. */
export function writeProposals(
  proposals: readonly { value: string; note: string; source: string }[],
): string {
  const records = proposals.map((proposal) => ({ effect: 'allow', subdomains: 'no', ...proposal }))
  return stringify(records, { header: true, columns: ['effect', 'value', 'subdomains', 'note', 'source'] })
}

/** One record of the file, or one comment: its text without the line's end, and the line it begins on. */
interface Piece {
  line: number
  text: string
  comment: boolean
  /** Its closing quote is missing: all that follows is in it. */
  open: boolean
}

/** Where a record ends that begins at `from`, quotes minded: the index of its LF or of the end; -1 if a quote is open. */
function recordEnd(text: string, from: number, delimiter: string): number {
  for (let at = from, fieldStart = true; at < text.length; at++) {
    const character = text[at]
    if (character === '\n') return at
    if (character === '"' && fieldStart) {
      for (at = text.indexOf('"', at + 1); at >= 0 && text[at + 1] === '"'; ) at = text.indexOf('"', at + 2)
      if (at < 0) return -1
    }
    fieldStart = character === delimiter
  }
  return text.length
}

/**
 * Cuts a file into records and comments; a list, which has no delimiter, into its lines. csv-parse would lose the
 * comments, and counts a CRLF in quotes twice.
 */
function cut(text: string, delimiter: string): Piece[] {
  const pieces: Piece[] = []
  let line = 1
  let nextQuote = -1
  for (let from = 0; from < text.length; ) {
    const lf = text.indexOf('\n', from)
    const lineEnd = lf < 0 ? text.length : lf
    const comment = text[from] === '#'
    // Looked for once, not from every line to the end of the file.
    if (nextQuote < from) nextQuote = text.indexOf('"', from)
    if (nextQuote < 0) nextQuote = text.length
    const quote = comment || delimiter === '' ? -1 : nextQuote
    const end = quote < 0 || quote > lineEnd ? lineEnd : recordEnd(text, from, delimiter)
    const record = text.slice(from, end < 0 ? text.length : end)
    pieces.push({ line, text: record.replace(/\r$/, ''), comment, open: end < 0 })
    if (end < 0) break
    for (let at = record.indexOf('\n'); at >= 0; at = record.indexOf('\n', at + 1)) line++
    line++
    from = end + 1
  }
  return pieces
}

const PARSE: Options = { relax_column_count: true, record_delimiter: '\n' }

/** The fields of every record, or what is wrong with it. All at once; singly only where that fails. */
function fieldsOf(records: readonly Piece[], delimiter: string): (string[] | string)[] {
  const options = { ...PARSE, delimiter }
  try {
    const rows = parse(records.map(({ text }) => text).join('\n'), options)
    if (rows.length === records.length) return rows
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
  }
  return records.map(({ text, open }) => {
    if (open) return 'a quote is opened and never closed; nothing after it could be read'
    try {
      return parse(text, options)[0] ?? []
    } catch (error) {
      if (error instanceof CsvError)
        return 'a quote stands where none may: quote the whole field, and double quotes in it'
      throw error
    }
  })
}

/** What a comment says, without its mark. */
function words(comment: string): string {
  return comment.replace(/^#+/, '').trim()
}

/** The names of the header, or what is wrong with them. */
function readHeader(line: string, delimiter: string): { names: string[]; wrong: string[] } {
  const names = line.split(delimiter).map((name) =>
    name
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .trim()
      .toLowerCase(),
  )
  const wrong = names
    .filter((name) => name !== '' && !isColumn(name))
    .map((name) => `unknown column ${JSON.stringify(name.slice(0, 40))}`)
  for (const name of COLUMNS)
    if (names.indexOf(name) !== names.lastIndexOf(name)) wrong.push(`two columns ${name}`)
  if (!names.includes('value')) wrong.push('the first line names the columns, and none is named value')
  return { names, wrong }
}

function toEntry(names: readonly string[], fields: readonly string[], { line }: Piece): Entry {
  const entry: Entry = { value: '', where: `line ${line}` }
  for (const [index, name] of names.entries()) if (isColumn(name)) entry[name] = fields[index] ?? ''
  // As mail programs copy it: `Anna <anna@a.test>`.
  if (!/[<:]/.test(entry.value)) return entry
  const { value, note } = parseMailbox(entry.value)
  return { ...entry, value, ...(note !== '' && !entry.note ? { note } : {}) }
}

/** Entries of the rows, in the order of the file, with the comments directly above them as their notes. */
function collect(pieces: readonly Piece[], rows: ReadonlyMap<Piece, Entry | string>): RuleFileReading {
  const reading: RuleFileReading = { entries: [], problems: [], comments: [] }
  let above: Piece[] = []
  const drop = (): void => {
    reading.comments.push(...above.map(({ line }) => `line ${line}`))
    above = []
  }
  for (const piece of pieces) {
    const row = rows.get(piece)
    if (piece.comment) above.push(piece)
    else if (row === undefined) drop()
    else if (typeof row === 'string') {
      drop()
      reading.problems.push({ where: `line ${piece.line}`, why: row })
    } else {
      const note = above.map(({ text }) => words(text)).filter((text) => text !== '')
      if (row.note === undefined || row.note === '') {
        if (note.length > 0) row.note = note.join(' ')
        above = []
      }
      drop()
      reading.entries.push(row)
    }
  }
  drop()
  return reading
}

/** Names that only a file of rules has: what stands below them would be lost in a table of addresses. */
const OF_RULES: ReadonlySet<string> = new Set(COLUMNS.filter((name) => name !== 'note' && name !== 'source'))

/** A table of addresses; undefined where it is none. */
function readTable(
  pieces: readonly Piece[],
  delimiter: string,
  names: readonly string[],
  column: string | undefined,
): RuleFileReading | undefined {
  if (column === undefined && names.some((name) => OF_RULES.has(name))) return undefined
  const records = pieces.filter(({ comment, text }) => !comment && text.trim() !== '')
  const [headerPiece, ...body] = records
  const [header] = headerPiece === undefined ? [] : fieldsOf([headerPiece], delimiter)
  if (!Array.isArray(header)) return undefined
  const problems: RuleFileProblem[] = []
  const rows = fieldsOf(body, delimiter).flatMap((fields, index): Row[] => {
    const line = body[index]?.line ?? 0
    if (typeof fields !== 'string') return [{ line, fields }]
    problems.push({ where: `line ${line}`, why: fields })
    return []
  })
  const found = readAddressTable(header, rows, column)
  if (found !== undefined) return { ...found, problems }
  if (column === undefined) return undefined
  const all = header.filter((name) => name.trim() !== '').slice(0, 20)
  const why = `no column is named ${JSON.stringify(column)}; there are ${all.map((name) => JSON.stringify(name)).join(', ')}`
  return { entries: [], problems: [{ where: `line ${headerPiece?.line ?? 1}`, why }], comments: [] }
}

/**
 * Reads CSV with a header, its fields parted by commas, semicolons or tabs, or a list of one value a line. Comments
 * directly above a rule become its note where it has none. What has no column of rules is a table of addresses, or a line
 * of them that was pasted.
 * @param column the name of the column with the addresses or domains, in a table that is no rule file
 */
export function readCsv(file: string, column?: string): RuleFileReading {
  // Files of old Macs know only CR.
  const lines = (file.includes('\n') ? file : file.replaceAll('\r', '\n')).replace(/^\ufeff+/, '')
  const [saidSo, separator = ''] = /^sep=([,;\t|])\r?\n/i.exec(lines) ?? []
  // Its line stays, empty, so that the others keep their numbers.
  const text = saidSo === undefined ? lines : lines.slice(saidSo.length - 1)
  const [first = ''] = /^(?!#)[^\n]*\S[^\n]*$/m.exec(text) ?? []
  const count = (one: string): number => first.trim().split(one).length
  const found = [',', ';', '\t'].toSorted((a, b) => count(b) - count(a)).find((one) => count(one) > 1)
  const delimiter = separator || (found ?? '')
  const header = readHeader(first, delimiter || ',')
  const isRules = header.names.includes('value') && column === undefined
  // A list has no delimiter and no quotes: nothing in it is special but `#`.
  const isList = delimiter === '' && !isRules && column === undefined
  const pieces = cut(text, isList ? '' : delimiter || ',')
  if (
    !isRules &&
    column === undefined &&
    /[^\s@]@[^\s@]/.test(first) &&
    (delimiter !== '' || first.includes(': '))
  ) {
    const texts = cut(text, '').filter((piece) => !piece.comment && piece.text.trim() !== '')
    return readAddressList(texts)
  }
  if (!isRules && !isList) {
    const table = readTable(pieces, delimiter || ',', header.names, column)
    if (table !== undefined) return table
  }
  const records = pieces.filter(({ comment, text }) => !comment && text.trim() !== '')
  if (isList) {
    const entries = records.map((piece): [Piece, Entry] => [piece, toEntry(['value'], [piece.text], piece)])
    return collect(pieces, new Map(entries))
  }
  const where = `line ${records.shift()?.line ?? 1}`
  if (header.wrong.length > 0)
    return { entries: [], problems: [{ where, why: header.wrong.join(', ') }], comments: [] }
  const rows = new Map<Piece, Entry | string>()
  for (const [index, fields] of fieldsOf(records, delimiter || ',').entries()) {
    const piece = records[index]
    // Spreadsheets write rows of delimiters alone.
    if (piece === undefined || (Array.isArray(fields) && fields.every((field) => field.trim() === '')))
      continue
    const { names } = header
    const surplus =
      Array.isArray(fields) && fields.some((field, at) => !names[at] && field.trim() !== '')
        ? `it has ${fields.length} fields, the header names ${names.filter((name) => name !== '').length}`
        : undefined
    rows.set(piece, surplus ?? (Array.isArray(fields) ? toEntry(names, fields, piece) : fields))
  }
  return collect(pieces, rows)
}
