/** Look-up tables: what stands in those that are text or in their name, and where the others are looked for. */
import t from 'tap'
import { parseTable, sourceOf } from '../../lib/postfix/lookuptable.js'

t.test('the text of pattern tables', (t) => {
  const text = [
    '# comment',
    '/^Subject: one/ FILTER a:b',
    '',
    '  # a comment within',
    '/^Subject:',
    '  two/i   REDIRECT',
    '\tx@y.test',
    'if /^X-/',
    '!/^X-three: \\/slash/m HOLD because of it',
    'endif',
    '!|four| BCC x@y.test',
    '/five/!/six/i DUNNO',
    '/without a result/',
    'no pattern at all',
    '/unended HOLD',
    '~ seven~ INFO',
  ].join('\n')
  const rules = parseTable('regexp', text).map(({ line, key, value }) => [line, key, value])
  t.strictSame(rules, [
    [2, '/^Subject: one/', 'FILTER a:b'],
    [5, '/^Subject:  two/i', 'REDIRECT\tx@y.test'],
    [9, '!/^X-three: \\/slash/m', 'HOLD because of it'],
    [11, '!|four|', 'BCC x@y.test'],
    [12, '/five/!/six/i', 'DUNNO'],
    [16, '~ seven~', 'INFO'],
  ])
  t.strictSame(parseTable('pcre', text), parseTable('regexp', text))
  t.strictSame(
    parseTable(
      'cidr',
      'if 10.0.0.0/8\n10.0.0.1  FILTER a:b\n!192.0.2.0/24 OK\n::1\nendif\n2001:db8::/32\n toeh_gate',
    ),
    [
      { key: '10.0.0.1', value: 'FILTER a:b', line: 2 },
      { key: '!192.0.2.0/24', value: 'OK', line: 3 },
      { key: '2001:db8::/32', value: 'toeh_gate', line: 6 },
    ],
  )
  t.end()
})

t.test('where a table is looked for', (t) => {
  const written = (...entries: [string, string][]): unknown => ({
    kind: 'written',
    entries: entries.map(([key, value]) => ({ key, value })),
  })
  t.strictSame(sourceOf('static:{FILTER a:b}'), written(['', 'FILTER a:b']))
  t.strictSame(sourceOf('static:HOLD'), written(['', 'HOLD']))
  t.strictSame(
    sourceOf('randmap:{OK, { REDIRECT x@y.test }}'),
    written(['', 'OK'], ['', 'REDIRECT x@y.test']),
  )
  t.strictSame(
    sourceOf('inline:{ a=OK, { b c = FILTER x:y=z } }'),
    written(['a', 'OK'], ['b c', 'FILTER x:y=z']),
  )
  t.strictSame(sourceOf('fail:x'), written())
  t.strictSame(sourceOf('regexp:{ { /a{2}/ HOLD }, {/b/ BCC x@y.test} }'), {
    kind: 'written',
    entries: [
      { key: '/a{2}/', value: 'HOLD', line: 1 },
      { key: '/b/', value: 'BCC x@y.test', line: 2 },
    ],
  })
  t.strictSame(sourceOf('pcre:/etc/x'), { kind: 'text', path: '/etc/x', type: 'pcre' })
  t.strictSame(sourceOf('cidr:x'), { kind: 'listed' }, 'not of the folder we are in')
  t.strictSame(sourceOf('proxy:hash:/x'), { kind: 'parts', tables: ['hash:/x'] })
  t.strictSame(sourceOf('unionmap:{hash:/x, {static:{a b}}}'), {
    kind: 'parts',
    tables: ['hash:/x', 'static:{a b}'],
  })
  t.strictSame(sourceOf('pipemap:{ hash:/x regexp:/y }'), { kind: 'parts', tables: ['hash:/x', 'regexp:/y'] })
  for (const table of ['hash:/x', 'lmdb:/x', 'texthash:/x', 'ldap:/x', '/x'])
    t.strictSame(sourceOf(table), { kind: 'listed' })
  t.end()
})
