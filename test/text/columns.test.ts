/** Columns: what is wrapped loses nothing and keeps to its width. */
import stringWidth from 'string-width'
import t from 'tap'
import { wrap } from '../../lib/text/columns.js'

t.test('parted at blanks, and inside a word that is longer than a line', (t) => {
  const table: [text: string, columns: number, lines: string[]][] = [
    ['', 10, ['']],
    ['one two', 10, ['one two']],
    ['one two three', 7, ['one two', 'three']],
    ['a@verylongname.test is', 10, ['a@verylong', 'name.test', 'is']],
    ['note: \u65e5\u672c\u8a9e\u65e5\u672c\u8a9e', 6, ['note:', '\u65e5\u672c\u8a9e', '\u65e5\u672c\u8a9e']],
    ['    1  allow', 20, ['    1  allow']],
  ]
  for (const [text, columns, lines] of table) {
    t.strictSame(wrap(text, columns), lines, text)
    for (const line of lines) t.ok(stringWidth(line) <= columns, line)
  }
  t.end()
})
