/** Braces: lists as Postfix parts them. */
import t from 'tap'
import { splitList, splitWords, withoutBraces } from '../../lib/postfix/braces.js'

t.test('a list is parted by blanks and commas, and braces hold together', (t) => {
  const table: [string, string[]][] = [
    ['', []],
    [' ,\n', []],
    ['hash:/a, regexp:/b\n\tpcre:/c,cidr:/d', ['hash:/a', 'regexp:/b', 'pcre:/c', 'cidr:/d']],
    ['static:{FILTER a:b}, x', ['static:{FILTER a:b}', 'x']],
    ['inline:{ {a = b, c}, d=e },f', ['inline:{ {a = b, c}, d=e }', 'f']],
    ['regexp:{ { /a{1,2}/ HOLD } } , y', ['regexp:{ { /a{1,2}/ HOLD } }', 'y']],
    ['{ inet:h:1, timeout=2 } unix:/s', ['{ inet:h:1, timeout=2 }', 'unix:/s']],
    ['a } b', ['a', '}', 'b']],
    ['{ a', ['{ a']],
  ]
  for (const [value, words] of table) t.strictSame(splitList(value), words, JSON.stringify(value))
  t.strictSame(splitWords(' a,b {c d} ', /\s/), ['a,b', '{c d}'])
  t.equal(withoutBraces('{ a b }'), 'a b')
  t.equal(withoutBraces('a{b}'), 'a{b}')
  t.end()
})
