/** Tests of addressbook.ts: the cards phones and mail programs write, and every card that is wrong. */
import t from 'tap'
import { readAddressBook } from '../lib/addressbook.js'

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
    [
      '2.1',
      good + card('VERSION:2.1', 'FN:Bob', 'EMAIL:bob@a.test'),
      [['card 2 (Bob)', 'it is vCard 2.1; export it as vCard 3.0 or 4.0']],
    ],
    ['no version', card('FN:Bob'), [['card 1 (Bob)', 'it has no version; export it as vCard 3.0 or 4.0']]],
    [
      'a broken line',
      card('VERSION:3.0', 'FN:Bob', 'rubbish') + good,
      [['card 1 (Bob)', /^it cannot be read: .*rubbish/]],
    ],
    ['no end', good + good.replace('END:VCARD', '') + good, [['card 2 (Anna)', 'END:VCARD is missing']]],
    ['no end at the end', good + good.replace('END:VCARD', ''), [['card 2 (Anna)', 'END:VCARD is missing']]],
    ['no name', card('VERSION:1.0'), [['card 1 at line 1', /vCard 1\.0/]]],
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
