/** Tests of addressbook.ts: the cards phones and mail programs write, and every card that is wrong. */
import t from 'tap'
import { readAddressBook } from '../../lib/rules/vcard.js'

/** A card with CRLF, as RFC 6350 has it. */
function card(...lines: string[]): string {
  return ['BEGIN:VCARD', ...lines, 'END:VCARD', ''].join('\r\n')
}

t.test('each address of each card, with its name', (t) => {
  const table: [name: string, text: string, entries: [value: string, note: string][]][] = [
    [
      '3.0',
      card('VERSION:3.0', 'N:Dupont;Anna', 'FN:Anna Dupont', 'EMAIL;TYPE=INTERNET,PREF:anna@a.test'),
      [['anna@a.test', 'Anna Dupont']],
    ],
    [
      '4.0',
      card('VERSION:4.0', 'FN:Anna', 'EMAIL;TYPE="work,home";PREF=1:anna@a.test', 'EMAIL:a@b.test'),
      [
        ['anna@a.test', 'Anna'],
        ['a@b.test', 'Anna'],
      ],
    ],
    [
      'groups',
      card('VERSION:3.0', 'FN:Anna', 'item1.EMAIL;type=INTERNET:anna@a.test', 'item1.X-ABLabel:_$!<Work>!$_'),
      [['anna@a.test', 'Anna']],
    ],
    [
      'folded lines',
      card('VERSION:3.0', 'FN:An', ' na', 'EMAIL:anna@', ' a.test'),
      [['anna@a.test', 'Anna']],
    ],
    [
      'escapes',
      card('VERSION:3.0', 'FN:Dupont\\, Anna\\nParis', 'EMAIL:anna@a.test'),
      [['anna@a.test', 'Dupont, Anna Paris']],
    ],
    [
      'small letters',
      card('VERSION:3.0', 'FN:Anna', 'EMAIL:anna@a.test').toLowerCase().replace('anna\r', 'Anna\r'),
      [['anna@a.test', 'Anna']],
    ],
    [
      'LF',
      card('VERSION:3.0', 'FN:Anna', 'EMAIL:anna@a.test').replaceAll('\r', ''),
      [['anna@a.test', 'Anna']],
    ],
    [
      'no name, no address, an empty one',
      card('VERSION:3.0', 'FN:', 'EMAIL:') + card('VERSION:3.0', 'EMAIL:b@a.test'),
      [['b@a.test', '']],
    ],
    [
      'mailto',
      card('VERSION:4.0', 'FN:Anna', 'EMAIL;VALUE=uri:mailto:anna@a.test'),
      [['anna@a.test', 'Anna']],
    ],
    [
      'a photo',
      card('VERSION:3.0', 'FN:Anna', 'PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ', ' SkZJRg==', 'EMAIL:anna@a.test'),
      [['anna@a.test', 'Anna']],
    ],
    [
      '2.1: bare types, quoted-printable with soft breaks, a charset',
      card(
        'VERSION:2.1',
        'N;LANGUAGE=fr;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:Lef=E8vre;Ren=E9e',
        'TEL;CELL:+33 1',
        'EMAIL;PREF;INTERNET:renee@a.test',
        'LABEL;HOME;ENCODING=QUOTED-PRINTABLE:12 rue=0D=0A=',
        'EMAIL: no address of hers',
        'EMAIL;INTERNET;ENCODING=QUOTED-PRINTABLE:renee=40=',
        'b.test',
      ),
      [
        ['renee@a.test', 'Renée Lefèvre'],
        ['renee@b.test', 'Renée Lefèvre'],
      ],
    ],
    [
      "3.0 with 2.1's habits",
      card(
        'VERSION:3.0',
        'TEL;CELL:1',
        'FN;QUOTED-PRINTABLE;CHARSET=UTF-8:Zo=C3=AB',
        'EMAIL;HOME:Zo\u00eb <zoe@a.test>',
      ),
      [['zoe@a.test', 'Zoë']],
    ],
    [
      'no version, an odd line, a name in parts alone',
      card('N:Muster\\;x;Hans;;;', 'rubbish', 'EMAIL;TYPE=INTERNET;X-Y="a:b;c":hans@a.test'),
      [['hans@a.test', 'Hans Muster;x']],
    ],
    [
      'joined files, with a mark in the middle',
      `\u{feff}${card('FN:A', 'EMAIL:a@a.test')}\u{feff}${card('FN:B', 'EMAIL:b@a.test')}`,
      [
        ['a@a.test', 'A'],
        ['b@a.test', 'B'],
      ],
    ],
    [
      'a base64 name',
      card(
        'VERSION:2.1',
        `FN;ENCODING=BASE64;CHARSET=UTF-8:${Buffer.from('Jörg').toString('base64')}`,
        'EMAIL:j@a.test',
      ),
      [['j@a.test', 'Jörg']],
    ],
    [
      'what is no address is for the checks to say',
      card('VERSION:3.0', 'FN:Anna', 'EMAIL:anna@localhost'),
      [['anna@localhost', 'Anna']],
    ],
  ]
  for (const [name, text, entries] of table) {
    const reading = readAddressBook(text)
    t.strictSame(reading.problems, [], name)
    t.strictSame(
      reading.entries.map(({ value, note }) => [value, note]),
      entries,
      name,
    )
  }
  t.end()
})

t.test('addresses of Exchange are left out, and said', (t) => {
  const text = card('FN:Anna', 'EMAIL;TYPE=EX:/o=Org/ou=First/cn=Recipients/cn=anna', 'EMAIL:anna@a.test')
  const more = card('FN:Bob', 'EMAIL;TYPE=X400:C=CH;A=ARCOM;P=X;S=Bob', 'EMAIL:/O=ORG/OU=X/CN=BOB')
  const { entries, left, problems } = readAddressBook(text + more)
  t.strictSame(
    [entries.map(({ value }) => value), left?.map(({ where }) => where), problems],
    [['anna@a.test'], ['card 1 (Anna)', 'card 2 (Bob)', 'card 2 (Bob)'], []],
  )
  t.end()
})

t.test('what is wrong, by card and name', (t) => {
  const good = card('VERSION:3.0', 'FN:Anna', 'EMAIL:anna@a.test')
  const table: [name: string, text: string, problems: [string, string | RegExp][]][] = [
    ['nothing', '', [['file', 'there is no card in it']]],
    [
      'no cards',
      'a.test\nb.test\n',
      [
        ['line 1', 'it is in no card'],
        ['line 2', 'it is in no card'],
      ],
    ],
    ['no end', good + good.replace('END:VCARD', '') + good, [['card 2 (Anna)', 'END:VCARD is missing']]],
    ['no end at the end', good + good.replace('END:VCARD', ''), [['card 2 (Anna)', 'END:VCARD is missing']]],
    ['no name', 'BEGIN:VCARD\n', [['card 1 at line 1', 'END:VCARD is missing']]],
  ]
  for (const [name, text, problems] of table) {
    const reading = readAddressBook(text)
    t.match(
      reading.problems,
      problems.map(([where, why]) => ({ where, why })),
      name,
    )
    t.equal(reading.problems.length, problems.length, name)
  }
  t.end()
})
