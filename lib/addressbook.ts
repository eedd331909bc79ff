/** Address books: vCard 3.0 and 4.0 (RFC 2426, RFC 6350), each address of each card an entry. Pure. */
import ICAL from 'ical.js'
import { describeError } from './failure.js'
import type { Reading } from './rulefile.js'

type Property = [name: string, parameters: unknown, type: string, ...values: unknown[]]

/** Blanks and breaks as one blank: an FN may have lines, a note in a list should not. */
function inOneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function textsOf(properties: readonly Property[], name: string): string[] {
  return properties
    .filter((property) => property[0] === name)
    .map((property) => inOneLine(String(property[3] ?? '')))
    .filter((text) => text !== '')
}

/** The first value of a property in the card's own lines, for the name of a card that cannot be parsed. */
function rawValue(card: string, name: string): string {
  return inOneLine(new RegExp(`^(?:[\\w-]+\\.)?${name}(?:;[^:\\n]*)?:(.*)$`, 'im').exec(card)?.[1] ?? '')
}

function placeOf(number: number, line: number, card: string): string {
  const name = rawValue(card, 'FN')
  return name === '' ? `card ${number} at line ${line}` : `card ${number} (${name.slice(0, 60)})`
}

/** Reads one card, from its BEGIN to its END. */
function readCard(reading: Reading, card: string, where: string): void {
  const version = rawValue(card, 'VERSION')
  if (version !== '3.0' && version !== '4.0') {
    const what = version === '' ? 'it has no version' : `it is vCard ${version.slice(0, 20)}`
    reading.problems.push({ where, why: `${what}; export it as vCard 3.0 or 4.0` })
    return
  }
  try {
    const properties = (ICAL.parse(card) as [string, Property[]])[1]
    const [note = ''] = textsOf(properties, 'fn')
    for (const value of textsOf(properties, 'email')) {
      reading.entries.push({ where, value: value.replace(/^mailto:/i, ''), note })
    }
  } catch (error) {
    // ical.js throws more than its ParserError where a card is odd enough.
    reading.problems.push({
      where,
      why: `it cannot be read: ${inOneLine(describeError(error)).slice(0, 200)}`,
    })
  }
}

/** Reads an address book, card by card: a broken one hides no fault of the others. */
export function readAddressBook(text: string): Reading {
  const reading: Reading = { entries: [], problems: [], comments: [] }
  let card: string[] | undefined
  let begun = 0
  let number = 0
  const unended = (): void => {
    if (card === undefined) return
    const where = placeOf(number, begun, card.join('\n'))
    reading.problems.push({ where, why: 'END:VCARD is missing' })
  }
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (/^BEGIN:VCARD\s*$/i.test(line)) {
      unended()
      card = []
      begun = index + 1
      number++
    }
    if (card !== undefined) card.push(line)
    else if (line.trim() !== '')
      reading.problems.push({ where: `line ${index + 1}`, why: 'it is in no card' })
    if (card !== undefined && /^END:VCARD\s*$/i.test(line)) {
      const whole = card.filter((line) => line.trim() !== '').join('\r\n')
      readCard(reading, whole, placeOf(number, begun, card.join('\n')))
      card = undefined
    }
  }
  unended()
  if (number === 0 && reading.problems.length === 0)
    reading.problems.push({ where: 'file', why: 'there is no card in it' })
  return reading
}
