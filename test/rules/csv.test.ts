/** Tests of csvfile.ts: the CSV people have, from which program ever, and every line that is wrong. */
import t from 'tap'
import { readCsv, writeCsv } from '../../lib/rules/csv.js'

interface Expected {
  /** The entries, as `line value note` or with other columns. */
  entries?: Record<string, string>[]
  problems?: [string, string | RegExp][]
  comments?: string[]
}

const QUOTE = 'a quote stands where none may: quote the whole field, and double quotes in it'

const TABLE: [name: string, text: string, expected: Expected][] = [
  ['nothing', '', {}],
  ['blank lines', '\n\n  \n', {}],
  ['a header alone', 'effect,value\n', {}],
  [
    'any order of columns',
    'note,value\nn,a.test\n',
    { entries: [{ where: 'line 2', value: 'a.test', note: 'n' }] },
  ],
  ['only value', 'value\na.test\n', { entries: [{ where: 'line 2', value: 'a.test' }] }],
  [
    'a header in capitals and quotes',
    '"Value" , NOTE\na.test,n',
    { entries: [{ where: 'line 2', value: 'a.test', note: 'n' }] },
  ],
  [
    'no line end at the end',
    'value,note\na.test,n',
    { entries: [{ where: 'line 2', value: 'a.test', note: 'n' }] },
  ],
  [
    'CRLF',
    'value,note\r\na.test,n\r\n\r\nb.test,\r\n',
    {
      entries: [
        { where: 'line 2', value: 'a.test', note: 'n' },
        { where: 'line 4', value: 'b.test', note: '' },
      ],
    },
  ],
  ['CR alone', 'value,note\ra.test,n\r', { entries: [{ where: 'line 2', value: 'a.test', note: 'n' }] }],
  [
    'semicolons',
    'value;note\na.test;x, y\n',
    { entries: [{ where: 'line 2', value: 'a.test', note: 'x, y' }] },
  ],
  ['tabs', 'value\tnote\na.test\tx; y\n', { entries: [{ where: 'line 2', value: 'a.test', note: 'x; y' }] }],
  [
    'fewer fields',
    'value,note,for\na.test\n',
    { entries: [{ where: 'line 2', value: 'a.test', note: '', for: '' }] },
  ],
  [
    'more fields, all empty',
    'value,note\na.test,n,,\n',
    { entries: [{ where: 'line 2', value: 'a.test', note: 'n' }] },
  ],
  [
    'columns without a name',
    'value,,note\na.test,,n\n',
    { entries: [{ where: 'line 2', value: 'a.test', note: 'n' }] },
  ],
  [
    'rows of a spreadsheet that are empty',
    'value;note\n;\na.test;n\n;\n',
    { entries: [{ where: 'line 3', value: 'a.test', note: 'n' }] },
  ],
  [
    'quotes',
    'value,note\na.test,"say ""yes"", now"\nb.test,it is 5" wide\n',
    {
      entries: [{ where: 'line 2', value: 'a.test', note: 'say "yes", now' }],
      problems: [['line 3', QUOTE]],
    },
  ],
  [
    'lines in quotes count',
    'value,note\na.test,"one\r\ntwo\n# three\n"\nb.test,x\n',
    {
      entries: [
        { where: 'line 2', value: 'a.test', note: 'one\r\ntwo\n# three\n' },
        { where: 'line 6', value: 'b.test', note: 'x' },
      ],
    },
  ],
  [
    'every bad quote is found',
    'value,note\na.test,"x"y\nb.test,n\nc.test,"x\n',
    {
      entries: [{ where: 'line 3', value: 'b.test', note: 'n' }],
      problems: [
        ['line 2', QUOTE],
        ['line 4', 'a quote is opened and never closed; nothing after it could be read'],
      ],
    },
  ],
  [
    'more fields than the header names',
    'value,note\na.test,n,x\nb.test,n\n',
    {
      entries: [{ where: 'line 3', value: 'b.test', note: 'n' }],
      problems: [['line 2', 'it has 3 fields, the header names 2']],
    },
  ],
  [
    'a list',
    'a.test\n\nbob@b.test\r\n',
    {
      entries: [
        { where: 'line 1', value: 'a.test' },
        { where: 'line 3', value: 'bob@b.test' },
      ],
    },
  ],
  [
    'a list whose lines are CSV later on',
    'a.test\nb.test,n\n"\nc.test\n',
    {
      entries: [
        { where: 'line 1', value: 'a.test' },
        { where: 'line 2', value: 'b.test,n' },
        { where: 'line 3', value: '"' },
        { where: 'line 4', value: 'c.test' },
      ],
    },
  ],
  [
    'no value in the header',
    '\nname,effect\na@a.test,block\n',
    {
      problems: [
        ['line 2', 'unknown column "name", the first line names the columns, and none is named value'],
      ],
    },
  ],
  [
    'unknown columns',
    'value,nots,where\na.test,n\n',
    { problems: [['line 1', 'unknown column "nots", unknown column "where"']] },
  ],
  ['a column twice', 'value,note,Value\n', { problems: [['line 1', 'two columns value']] }],
  [
    'comments above a rule become its note',
    '# of the file\n\nvalue,note\n# paper\n#people\na.test,\n# lost\nb.test,has one\n# alone\n\nc.test,\n# last',
    {
      entries: [
        { where: 'line 6', value: 'a.test', note: 'paper people' },
        { where: 'line 8', value: 'b.test', note: 'has one' },
        { where: 'line 11', value: 'c.test', note: '' },
      ],
      comments: ['line 1', 'line 7', 'line 9', 'line 12'],
    },
  ],
  [
    'comments in a list',
    '# paper, "people\na.test\nb.test\n#\nc.test\n',
    {
      entries: [
        { where: 'line 2', value: 'a.test', note: 'paper, "people' },
        { where: 'line 3', value: 'b.test' },
        { where: 'line 5', value: 'c.test' },
      ],
    },
  ],
  [
    'an address that begins as a comment does, in quotes',
    'value,note\n"#a@b.test",\n',
    { entries: [{ where: 'line 2', value: '#a@b.test', note: '' }] },
  ],
]

t.test('what is read', (t) => {
  for (const [name, text, { entries = [], problems = [], comments = [] }] of TABLE) {
    const reading = readCsv(text)
    t.strictSame(reading.entries, entries, name)
    t.strictSame(
      reading.problems,
      problems.map(([where, why]) => ({ where, why })),
      name,
    )
    t.strictSame(reading.comments, comments, name)
  }
  t.end()
})

t.test('tables of addresses, whatever their header', (t) => {
  const table: [name: string, text: string, entries: string[], columns: string[]][] = [
    [
      'Outlook',
      '"First Name","Last Name","E-mail Address","E-mail Type","E-mail Display Name","E-mail 2 Address"\n' +
        '"Anna","Dupont","anna@a.test","SMTP","Anna (anna@a.test)",""\n"Bob","","/o=X/ou=Y/cn=bob","EX","Bob","bob@b.test"\n',
      ['anna@a.test Anna Dupont', 'bob@b.test Bob'],
      ['E-mail Address', 'E-mail 2 Address'],
    ],
    [
      'Outlook, French, with sep=',
      'sep=;\r\nTitre;Prénom;Nom;Société;Adresse de messagerie\r\n;Zoë;Léger;"A; fils";zoe@a.test\r\n',
      ['zoe@a.test Zoë Léger'],
      ['Adresse de messagerie'],
    ],
    [
      'Google',
      'Name,Labels,E-mail 1 - Label,E-mail 1 - Value\nAnna,* friends,* Work,anna@a.test ::: a@b.test\n',
      ['anna@a.test Anna', 'a@b.test Anna'],
      ['E-mail 1 - Value'],
    ],
    [
      'Thunderbird, German, with tabs',
      'Vorname\tNachname\tAnzeigename\tPrimäre E-Mail-Adresse\tNotizen\nA\tB\tAnna B\tanna@a.test\task bob@b.test first\n',
      ['anna@a.test Anna B'],
      ['Primäre E-Mail-Adresse'],
    ],
    [
      'a spreadsheet',
      '\ufeffraison sociale;courriel\nDurand;"Service <info@a.test>"\n',
      ['info@a.test Service'],
      ['courriel'],
    ],
  ]
  for (const [name, text, entries, columns] of table) {
    const reading = readCsv(text)
    t.strictSame(
      reading.entries.map(({ value, note }) => `${value} ${note}`),
      entries,
      name,
    )
    t.strictSame(reading.columns, columns, name)
    t.strictSame(reading.problems, [], name)
  }
  const suppliers = 'Nr;Firma;Domain;Kontakt\n1;Durand;durand.test;x@y.test\n'
  t.match(readCsv(suppliers, 'domain').entries, [{ where: 'line 2', value: 'durand.test', note: 'Durand' }])
  t.match(
    readCsv('value;x\na.test;b.test\n', 'x').entries,
    [{ value: 'b.test' }],
    'also where it could be a rule file',
  )
  t.match(readCsv(suppliers, 'mail').problems, [
    { where: 'line 1', why: 'no column is named "mail"; there are "Nr", "Firma", "Domain", "Kontakt"' },
  ])
  t.match(readCsv('name;mail\na;a@b.test\n"b;c@d.test\n').problems, [
    { where: 'line 3', why: /a quote is opened/ },
  ])
  t.match(readCsv('name,effect\na@b.test,block\n').entries, [], 'no rule is lost in a table')
  t.match(readCsv('a,b\nc,d\n').problems, [{ where: 'line 1', why: /unknown column "a"/ }])
  t.end()
})

t.test('lines of addresses that were pasted', (t) => {
  const table: [text: string, entries: string[]][] = [
    [
      'To: Anna <anna@a.test>, "Dupont, Bob" <bob@b.test>; c@c.test\n',
      ['anna@a.test Anna', 'bob@b.test Dupont, Bob', 'c@c.test '],
    ],
    ['À : Léger, Zoë <zoe@a.test>\n', ['zoe@a.test Léger, Zoë']],
    ['An: a@a.test;\n b@b.test\n', ['a@a.test ', 'b@b.test ']],
    ["'a@a.test'; <b@b.test>\nc@c.test (Carl)\n", ['a@a.test ', 'b@b.test ', 'c@c.test Carl']],
    ['a@a.test, nobody\n', ['a@a.test ', 'nobody ']],
    ['Anna <a@a.test>\nmailto:b@b.test\nc.test\n', ['a@a.test Anna', 'b@b.test ', 'c.test ']],
    ['value,note\nAnna <a@a.test>,x\nBob <b@a.test>,\n', ['a@a.test x', 'b@a.test Bob']],
  ]
  for (const [text, entries] of table)
    t.strictSame(
      readCsv(text).entries.map(({ value, note = '' }) => `${value} ${note}`),
      entries,
      text,
    )
  t.end()
})

t.test('what is written', (t) => {
  t.equal(writeCsv([]), 'effect,value,subdomains,for,until,note,source,added_by,added_at\n')
  const rule = {
    id: 7,
    kind: 'domain',
    value: 'a.test',
    subdomains: true,
    scope: '@corp.test',
    effect: 'allow',
    endsAt: 0,
    note: '=1+1, "x"',
    source: 'command',
    addedBy: 'anna',
    addedAt: 1,
  } as const
  t.equal(
    writeCsv([rule]).split('\n')[1],
    'allow,a.test,yes,@corp.test,1970-01-01T00:00:00.000Z,"=1+1, ""x""",command,anna,1970-01-01T00:00:00.001Z',
  )
  t.end()
})
