/** Rules as CSV (RFC 4180), and the bare list of one value a line. Pure. */
import { CsvError, type Options, parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import type { Rule } from './decide.js'
import { COLUMNS, type Column, type Entry, entryOf, type Problem, type Reading } from './rulefile.js'

/** Rules as CSV: a header, then one rule a record, lines ended by LF. */
export function writeCsv(rules: readonly Rule[]): string {
  // Texts that begin with = + - @ stay as they are: an import has to give back what was exported.
  return stringify(rules.map(entryOf), { header: true, columns: [...COLUMNS] })
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

/** Cuts a file into records and comments. csv-parse would lose the comments, and counts a CRLF in quotes twice. */
function cut(text: string, delimiter: string): Piece[] {
  const pieces: Piece[] = []
  let line = 1
  for (let from = 0; from < text.length; ) {
    const lf = text.indexOf('\n', from)
    const lineEnd = lf < 0 ? text.length : lf
    const comment = text[from] === '#'
    const quote = comment ? -1 : text.indexOf('"', from)
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
    .filter((name) => name !== '' && !COLUMNS.includes(name as Column))
    .map((name) => `unknown column ${JSON.stringify(name.slice(0, 40))}`)
  for (const name of COLUMNS)
    if (names.indexOf(name) !== names.lastIndexOf(name)) wrong.push(`two columns ${name}`)
  if (!names.includes('value')) wrong.push('no column is named value')
  return { names, wrong }
}

function toEntry(names: readonly string[], fields: readonly string[], where: string): Entry | string {
  if (fields.some((field, index) => (names[index] ?? '') === '' && field.trim() !== ''))
    return `it has ${fields.length} fields, the header names ${names.filter((name) => name !== '').length}`
  const pairs = names.map((name, index) => [name, fields[index] ?? '']).filter(([name]) => name !== '')
  return { value: '', ...Object.fromEntries(pairs), where }
}

/**
 * Reads CSV with a header, its fields parted by commas, semicolons or tabs, or a list of one value a line. Comments
 * directly above a rule become its note where it has none.
 */
export function readCsv(file: string): Reading {
  // Files of old Macs know only CR.
  const text = file.includes('\n') ? file : file.replaceAll('\r', '\n')
  const first = text.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#')) ?? ''
  const delimiter = [',', ';', '\t'].find((one) => first.trim().includes(one)) ?? ''
  // A list has no quotes, and no fields either: nothing in it is special but `#`.
  const isList = delimiter === '' && !readHeader(first, ',').names.includes('value')
  const pieces = cut(text, isList ? '\n' : delimiter)
  const records = pieces.filter(({ comment, text }) => !comment && text.trim() !== '')
  const reading: Reading = { entries: [], problems: [], comments: [] }
  let names: string[] = ['value']
  if (!isList) {
    const header = readHeader(records.shift()?.text ?? '', delimiter || ',')
    names = header.names
    const line = pieces.find(({ comment, text }) => !comment && text.trim() !== '')?.line ?? 1
    if (header.wrong.length > 0)
      return { ...reading, problems: [{ where: `line ${line}`, why: header.wrong.join(', ') }] }
  }
  const fields = isList ? records.map(({ text }) => [text]) : fieldsOf(records, delimiter || ',')
  const rows = new Map(records.map((record, index) => [record, fields[index] ?? []]))
  let above: Piece[] = []
  const drop = (): void => {
    for (const { line } of above) reading.comments.push(`line ${line}`)
    above = []
  }
  const problem = (where: string, why: string): Problem => ({ where, why })
  for (const piece of pieces) {
    if (piece.comment) {
      above.push(piece)
      continue
    }
    const where = `line ${piece.line}`
    const row = rows.get(piece)
    const entry = Array.isArray(row) ? toEntry(names, row, where) : row
    if (typeof entry === 'string') reading.problems.push(problem(where, entry))
    else if (entry !== undefined && Array.isArray(row) && row.some((field) => field.trim() !== '')) {
      const note = above
        .map(({ text }) => words(text))
        .filter((text) => text !== '')
        .join(' ')
      if (entry.note === undefined || entry.note === '') {
        if (note !== '') entry.note = note
        above = []
      }
      reading.entries.push(entry)
    }
    drop()
  }
  drop()
  return reading
}
