/** Tests of ldif.ts: what directories export, and every line that is none of it. */
import t from 'tap'
import { readLdif } from '../../lib/rules/ldif.js'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

t.test('each address of each entry', async (t) => {
  const table: [name: string, text: string, entries: string[]][] = [
    [
      'OpenLDAP',
      'version: 1\n\n# people\n#  all\ndn: uid=anna,dc=a,dc=test\nobjectClass: inetOrgPerson\ncn: Anna\nmail: anna@a.test\nmail: a@b.test\n',
      ['anna@a.test Anna', 'a@b.test Anna'],
    ],
    [
      'base64, folded lines, CRLF',
      `dn:: ${base64('cn=Zoë,dc=a')}\r\ncn:: ${base64('Zoë Léger')}\r\nmail:: ${base64('zoe@a.test').slice(0, 6)}\r\n ${base64('zoe@a.test').slice(6)}\r\nMAIL: zo\r\n e2@a.test\r\n`,
      ['zoe@a.test Zoë Léger', 'zoe2@a.test Zoë Léger'],
    ],
    [
      'Active Directory',
      'dn: CN=Bob,DC=a\nchangetype: add\ndisplayName: Bob B\nmail: bob@a.test\nproxyAddresses: SMTP:Bob@a.test\nproxyAddresses: smtp:b@a.test\nproxyAddresses: SIP:bob@a.test\n',
      ['bob@a.test Bob B', 'b@a.test Bob B'],
    ],
    [
      'options, another attribute, a value elsewhere, no name',
      'dn: x\nmailAlternateAddress;lang-fr: c@a.test\njpegPhoto:< file:///x.jpg\n',
      ['c@a.test '],
    ],
    [
      'an entry without an address',
      'version: 1\ndn: dc=a\no: A\n\n\ndn: cn=x\nmail: x@a.test\n\nsearch: 2\nresult: 0 Success\n',
      ['x@a.test '],
    ],
  ]
  for (const [name, text, entries] of table) {
    const reading = readLdif(text)
    t.strictSame(reading.problems, [], name)
    t.strictSame(
      reading.entries.map(({ value, note }) => `${value} ${note}`),
      entries,
      name,
    )
  }
  t.match(readLdif('dn: x\nproxyAddresses: X500:/o=A/cn=b\n').left, [{ where: 'line 1' }])
})

t.test('what is wrong', async (t) => {
  const table: [text: string, where: string, why: RegExp][] = [
    ['', 'file', /no entry in it/],
    ['hello\n', 'line 1', /there is no dn/],
    ['dn: x\nmail: a@b.test\nrubbish\n', 'line 3', /no line of LDIF/],
    [
      'dn: a\nmail: a@b.test\n\ndn: x\nchangetype: modify\nreplace: mail\nmail: a@b.test\n-\n',
      'line 8',
      /no line of LDIF/,
    ],
    ['dn: a\nmail: a@b.test\n\ndn: x\nchangetype: delete\n', 'line 4', /change of an entry/],
  ]
  for (const [text, where, why] of table) t.match(readLdif(text).problems, [{ where, why }], text)
})
