/**
 * Address books: vCard 2.1, 3.0 and 4.0 (RFC 2426, RFC 6350), each address of each card an entry. Only BEGIN, END, EMAIL,
 * FN and N are read: what phones write into the rest is no reason to refuse a card. Pure.
 */
import { isForeignForm, parseMailbox } from './addresslist.js'
import type { RuleFileProblem, RuleFileReading } from './rulefile.js'

interface Property {
  name: string
  /** In small letters: `type=ex`, `quoted-printable`. */
  parameters: string[]
  value: string
}

/** Blanks and breaks as one blank: an FN may have lines, a note in a list should not. */
function inOneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function has(parameters: readonly string[], ...words: string[]): boolean {
  return parameters.some((one) =>
    words.some((word) =>
      one
        .replace(/^[\w-]+=/, '')
        .split(',')
        .includes(word),
    ),
  )
}

/** Bytes as text; in the charset that is named where there is such a one. */
function decoded(bytes: Buffer, parameters: readonly string[]): string {
  const charset = parameters.find((one) => one.startsWith('charset='))?.slice(8) ?? 'utf-8'
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}

function fromQuotedPrintable(text: string): Buffer {
  const whole = text.replace(/=\r?\n/g, '')
  return Buffer.from(
    whole
      .replace(/[^\0-\xff]/g, '?')
      .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
}

/** The lines of a card with folded ones made whole: by a blank in front, or in 2.1 by `=` at the end of quoted-printable. */
function unfolded(lines: readonly string[]): string[] {
  const whole: string[] = []
  let soft = false
  for (const line of lines) {
    const before = whole.length - 1
    if (soft) whole[before] = `${whole[before]?.slice(0, -1)}${line.replace(/^[ \t]/, '')}`
    else if (/^[ \t]/.test(line) && before >= 0) whole[before] += line.slice(1)
    else whole.push(line)
    const last = whole.at(-1) ?? ''
    soft = last.endsWith('=') && /^[^:]*quoted-printable/i.test(last)
  }
  return whole
}

function propertyOf(line: string): Property | undefined {
  const [, name, parameters = '', raw = ''] =
    /^(?:[\w-]+\.)?(EMAIL|FN|N)((?:;(?:[^:"]|"[^"]*")*)?):(.*)$/is.exec(line) ?? []
  if (name === undefined) return undefined
  const list = parameters.toLowerCase().replaceAll('"', '').split(';').slice(1)
  let value = raw
  if (has(list, 'quoted-printable')) value = decoded(fromQuotedPrintable(raw), list)
  else if (has(list, 'base64', 'b')) value = decoded(Buffer.from(raw, 'base64'), list)
  return { name: name.toUpperCase(), parameters: list, value }
}

function unescaped(text: string): string {
  return text.replace(/\\([\\,;:nN])/g, (_, one: string) => (one === 'n' || one === 'N' ? ' ' : one))
}

/** `Dupont;Anna;;;` as `Anna Dupont`. */
function nameOf(properties: readonly Property[]): string {
  const full = properties.find(({ name, value }) => name === 'FN' && value.trim() !== '')
  if (full !== undefined) return inOneLine(unescaped(full.value))
  const parts = properties.find(({ name }) => name === 'N')?.value.split(/(?<!\\);/) ?? []
  return inOneLine(unescaped(`${parts[1] ?? ''} ${parts[0] ?? ''}`))
}

function placeOf(number: number, line: number, name: string): string {
  return name === '' ? `card ${number} at line ${line}` : `card ${number} (${name.slice(0, 60)})`
}

function readCard(
  reading: RuleFileReading,
  left: RuleFileProblem[],
  properties: readonly Property[],
  where: string,
): void {
  const name = nameOf(properties)
  for (const { name: property, parameters, value } of properties) {
    if (property !== 'EMAIL') continue
    const text = inOneLine(unescaped(value))
    if (text === '') continue
    if (has(parameters, 'ex', 'x400', 'x.400') || isForeignForm(text)) {
      left.push({ where, why: 'an address of Exchange alone, which no other server knows' })
      continue
    }
    const mailbox = parseMailbox(text)
    reading.entries.push({ where, value: mailbox.value, note: name || mailbox.note })
  }
}

/** Reads an address book, card by card: a broken one hides no fault of the others. */
export function readAddressBook(text: string): RuleFileReading {
  const left: RuleFileProblem[] = []
  const reading: RuleFileReading = { entries: [], problems: [], comments: [], left }
  let card: string[] | undefined
  let begun = 0
  let number = 0
  const propertiesOf = (lines: readonly string[]): Property[] =>
    unfolded(lines.filter((line) => line.trim() !== '')).flatMap((line) => propertyOf(line) ?? [])
  const unended = (): void => {
    if (card === undefined) return
    reading.problems.push({
      where: placeOf(number, begun, nameOf(propertiesOf(card))),
      why: 'END:VCARD is missing',
    })
  }
  for (const [index, raw] of text.split(/\r\n|\n|\r/).entries()) {
    // Files that were joined have the mark of each in the middle.
    const line = raw.replace(/^\ufeff+/, '')
    if (/^BEGIN:VCARD\s*$/i.test(line)) {
      unended()
      card = []
      begun = index + 1
      number++
    } else if (card === undefined) {
      if (line.trim() !== '') reading.problems.push({ where: `line ${index + 1}`, why: 'it is in no card' })
    } else if (/^END:VCARD\s*$/i.test(line)) {
      const properties = propertiesOf(card)
      readCard(reading, left, properties, placeOf(number, begun, nameOf(properties)))
      card = undefined
    } else card.push(line)
  }
  unended()
  if (number === 0 && reading.problems.length === 0)
    reading.problems.push({ where: 'file', why: 'there is no card in it' })
  return reading
}
