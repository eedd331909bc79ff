/** Address lists: one mailbox, a line of several, and the columns of a table, in the forms that programs write. */
import t from 'tap'
import {
  isForeignForm,
  parseMailbox,
  readAddressList,
  readAddressTable,
  splitMailboxes,
} from '../../lib/rules/addresslist.js'

/** `value|note`. */
const told = ({ value, note }: { value?: string; note?: string }): string => `${value}|${note}`

t.test('one mailbox', (t) => {
  const table: [text: string, mailbox: string][] = [
    ['', '|'],
    [' anna@a.test ', 'anna@a.test|'],
    ['anna@a.test,', 'anna@a.test,|'],
    ['Anna <anna@a.test>', 'anna@a.test|Anna'],
    ['Anna <anna@a.test>;', 'anna@a.test|Anna'],
    ['<anna@a.test>', 'anna@a.test|'],
    ['Anna < mailto:anna@a.test >', 'anna@a.test|Anna'],
    ['Anna <SMTP:anna@a.test>', 'anna@a.test|Anna'],
    ['"Dupont, Anna" <anna@a.test>', 'anna@a.test|Dupont, Anna'],
    ['"Anna \\"A\\" \\\\" <anna@a.test>', 'anna@a.test|Anna "A" \\'],
    ['\u201cAnna\u201d <anna@a.test>', 'anna@a.test|Anna'],
    ["'anna@a.test'", 'anna@a.test|'],
    ["Anna <'anna@a.test'>", 'anna@a.test|Anna'],
    ['mailto:anna@a.test', 'anna@a.test|'],
    ['anna@a.test (Anna, sales)', 'anna@a.test|Anna, sales'],
    ['anna@a.test ()', 'anna@a.test|'],
    ['Anna <anna@a.test', 'Anna <anna@a.test|'],
    ['Anna <an na@a.test>', 'Anna <an na@a.test>|'],
    ['a.test', 'a.test|'],
    ['"', '"|'],
  ]
  for (const [text, mailbox] of table) t.equal(told(parseMailbox(text)), mailbox, text)
  t.end()
})

t.test("Exchange's own forms", (t) => {
  for (const text of [
    '/o=Firm/ou=Exchange/cn=Recipients/cn=anna',
    'EX:/o=Firm/cn=anna',
    'IMCEAEX-/O=Firm/cn=anna',
    ' /CN=anna ',
    'X400:/c=FR/a= /p=Firm',
    'c=FR;a= ;p=Firm;s=Dupont',
  ])
    t.ok(isForeignForm(text), text)
  for (const text of ['', 'anna@a.test', 'o=Firm', '/x=Firm', 'x/o=Firm@a.test', 'c=FR'])
    t.notOk(isForeignForm(text), text)
  t.end()
})

t.test('a line of several', (t) => {
  const table: [text: string, mailboxes: string[]][] = [
    ['', []],
    [' , ; ', []],
    ['a@a.test,b@a.test;c@a.test', ['a@a.test|', 'b@a.test|', 'c@a.test|']],
    ['a@a.test ::: b@a.test', ['a@a.test|', 'b@a.test|']],
    ['a@a.test :: b@a.test', ['a@a.test :: b@a.test|']],
    ['Dupont, Anna <a@a.test>; b@a.test', ['a@a.test|Dupont, Anna', 'b@a.test|']],
    ['"Dupont; Anna" <a@a.test>, <b@a.test>', ['a@a.test|Dupont; Anna', 'b@a.test|']],
    ['a@a.test, nobody', ['a@a.test|', 'nobody|']],
    ['nobody', ['nobody|']],
    ['Cc: a@a.test', ['a@a.test|']],
    ['\u00c0 : a@a.test', ['a@a.test|']],
    ['Para: a@a.test', ['a@a.test|']],
    ['Subject: a@a.test', ['Subject: a@a.test|']],
  ]
  for (const [text, mailboxes] of table) t.strictSame(splitMailboxes(text).map(told), mailboxes, text)
  t.end()
})

t.test('lines that were pasted keep their numbers, and what no other server knows is left out', (t) => {
  const reading = readAddressList([
    { line: 3, text: 'To: Anna <a@a.test>, b@a.test' },
    { line: 4, text: '' },
    { line: 7, text: '/o=Firm/cn=bob; c@a.test' },
  ])
  t.strictSame(reading.entries, [
    { where: 'line 3', value: 'a@a.test', note: 'Anna' },
    { where: 'line 3', value: 'b@a.test', note: '' },
    { where: 'line 7', value: 'c@a.test', note: '' },
  ])
  t.strictSame(reading.left, [
    { where: 'line 7', why: 'an address of Exchange alone, which no other server knows' },
  ])
  t.strictSame([reading.problems, reading.comments], [[], []])
  t.end()
})

t.test('a table: the columns of addresses', (t) => {
  const columns = (rows: string[][], asked?: string): string[] | undefined =>
    readAddressTable(
      ['A', ' B ', 'a'],
      rows.map((fields, index) => ({ line: index + 2, fields })),
      asked,
    )?.columns
  const [good, bad] = ['x@a.test', 'x']
  t.equal(columns([]), undefined)
  t.equal(columns([[bad, '', bad]]), undefined)
  t.strictSame(columns([[good, bad, '']]), ['A'])
  t.strictSame(columns([[good], [''], ['   ']]), ['A'], 'empty cells say nothing')
  t.strictSame(columns([[good], [good], [good], [bad], [bad]]), ['A'], 'sixty in a hundred')
  t.equal(columns([[good], [good], [bad], [bad]]), undefined, 'half of them')
  t.strictSame(columns([[bad, bad, bad]], 'b'), [' B '], 'the one that was named, whatever is in it')
  t.strictSame(columns([], ' A '), ['A', 'a'], 'all of that name')
  t.equal(columns([[good]], 'C'), undefined)
  t.end()
})

t.test('a table: whose address it is', (t) => {
  const note = (names: string[], fields: string[]): string | undefined => {
    const reading = readAddressTable(
      [...names, 'mail'],
      [{ line: 2, fields: [...fields, 'x@a.test'] }],
      'mail',
    )
    return reading?.entries[0]?.note
  }
  const table: [names: string[], fields: string[], note: string][] = [
    [['Name'], ['Anna  Dupont'], 'Anna Dupont'],
    [['First Name', 'Last Name'], ['Anna', 'Dupont'], 'Anna Dupont'],
    [['Pr\u00e9nom', 'Nom'], ['Anna', 'Dupont'], 'Anna Dupont'],
    [['Nom'], ['Dupont Anna'], 'Dupont Anna'],
    [['Nome', 'Cognome'], ['Anna', 'Rossi'], 'Anna Rossi'],
    [['Vorname', 'Nachname', 'Anzeigename'], ['Anna', 'Maier', 'AM'], 'AM'],
    [['First Name', 'Company'], ['', 'Firm'], 'Firm'],
    [['Soci\u00e9t\u00e9'], ['Firm'], 'Firm'],
    [['Comment'], ['of no interest'], ''],
  ]
  for (const [names, fields, expected] of table) t.equal(note(names, fields), expected, names.join())
  const both = readAddressTable(
    ['Name', 'mail'],
    [{ line: 9, fields: ['Anna', 'A. D. <x@a.test>, y@a.test'] }],
    undefined,
  )
  t.strictSame(both?.entries, [
    { where: 'line 9', value: 'x@a.test', note: 'A. D.' },
    { where: 'line 9', value: 'y@a.test', note: 'Anna' },
  ])
  t.equal(note(['Name'], []), undefined, 'a row that is too short has nothing where the address should be')
  t.end()
})
