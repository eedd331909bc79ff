/** Describe: what people are shown of a message, and that no message is too broken to be shown. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Description, describeFile } from '../lib/describe.js'
import { makeFolder } from './support/lab.js'

async function describe(t: Test, message: string | Buffer): Promise<Description> {
  const path = join(makeFolder(t), 'message.eml')
  writeFileSync(path, message)
  return describeFile(path)
}

t.test('header fields in order, as sent, unfolded; the envelope is not among them', async (t) => {
  const { headers, attachments, trouble } = await describe(
    t,
    'Received: from pc\n\tby mx\nSubject: =?utf-8?q?caf=C3=A9?=\n twice\nX-Empty:\nsubject: again\nTo: A <a@x.test>\n\nTo: body\n',
  )
  t.strictSame(headers, [
    { name: 'Received', value: 'from pc by mx' },
    { name: 'Subject', value: '=?utf-8?q?caf=C3=A9?= twice' },
    { name: 'X-Empty', value: '' },
    { name: 'subject', value: 'again' },
    { name: 'To', value: 'A <a@x.test>' },
  ])
  t.strictSame(attachments, [])
  t.equal(trouble, null)
})

t.test('attachments: name, type and decoded size', async (t) => {
  const pdf = Buffer.from('%PDF-1.4 and more').toString('base64')
  const { attachments, trouble } = await describe(
    t,
    `Subject: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

See the files.
--b
Content-Type: application/pdf; name="old.pdf"
Content-Disposition: attachment; filename="invoice.pdf"
Content-Transfer-Encoding: base64

${pdf}
--b
Content-Type: image/png
Content-Disposition: inline; filename*=utf-8''caf%C3%A9.png
Content-Transfer-Encoding: quoted-printable

a=
b=3D
--b
Content-Type: application/octet-stream
Content-Disposition: attachment

12345
--b--
`,
  )
  t.strictSame(attachments, [
    { name: 'invoice.pdf', type: 'application/pdf', size: 17 },
    { name: 'caf\u{e9}.png', type: 'image/png', size: 3 },
    { name: '', type: 'application/octet-stream', size: 5 },
  ])
  t.equal(trouble, null)
})

t.test('an attachment of many pieces is counted whole, and those after it too', async (t) => {
  const lines = `${Buffer.alloc(57, 'x').toString('base64')}\n`.repeat(20_000)
  const part = `--b\nContent-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n${lines}`
  const { attachments } = await describe(
    t,
    `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n${part}${part}--b--\n`,
  )
  t.strictSame(attachments, [
    { name: 'a.zip', type: 'application/zip', size: 57 * 20_000 },
    { name: 'a.zip', type: 'application/zip', size: 57 * 20_000 },
  ])
})

t.test('a forwarded message is an attachment', async (t) => {
  const { attachments } = await describe(
    t,
    'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n' +
      'Content-Disposition: attachment; filename=note.eml\n\nSubject: inner\n\nHello\n--b--\n',
  )
  t.match(attachments, [{ name: 'note.eml', type: 'message/rfc822' }])
  t.equal(attachments.length, 1)
})

t.test('broken messages are described as far as they go', async (t) => {
  const deep = Array.from(
    { length: 60 },
    (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`,
  )
  const cases: [string, string | Buffer][] = [
    ['empty', ''],
    ['no header at all', 'just text\nand more\n'],
    ['no body and no final newline', 'Subject: x'],
    ['binary', Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7) % 256))],
    ['no boundary given', 'Content-Type: multipart/mixed\n\n--x\n\nbody\n'],
    [
      'never closed',
      'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/pdf\n\nabc',
    ],
    ['broken base64', 'Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n!!!=\u{e9}=AAA\n'],
    ['an unknown charset', 'Content-Type: text/plain; charset=no-such-thing\n\n\xff\xfe\n'],
    ['an unknown encoding', 'Content-Type: application/pdf\nContent-Transfer-Encoding: x-none\n\nabc\n'],
    ['broken encoded words', 'Subject: =?utf-8?q?=ZZ?= =?x?b?\xff?=\nTo: <<>>,;:@\n\nbody\n'],
    ['broken parameters', 'Content-Type: ;;;=; name*99*="\n\nbody\n'],
    [
      'a prototype for a name',
      '__proto__: x\nconstructor: y\nContent-Type: text/plain; __proto__=1\n\nbody\n',
    ],
    ['deeply nested', `MIME-Version: 1.0\n${deep.join('')}`],
    ['a very long header line', `Subject: ${'x'.repeat(200_000)}\n\nbody\n`],
    ['many header fields', `${'X-A: b\n'.repeat(20_000)}\nbody\n`],
  ]
  for (const [name, message] of cases) {
    const { headers, attachments, trouble } = await describe(t, message)
    t.ok(Array.isArray(headers) && Array.isArray(attachments), name)
    t.ok(trouble === null || trouble.length > 0, `${name}: ${trouble}`)
  }
  const open = await describe(t, cases[5]?.[1] ?? '')
  t.strictSame(
    open.attachments,
    [{ name: '', type: 'application/pdf', size: 3 }],
    'what was never closed is shown',
  )
})

t.test('a file that is gone is trouble, told and not thrown', async (t) => {
  const path = join(makeFolder(t), 'gone.eml')
  t.strictSame(await describeFile(path), {
    headers: [],
    attachments: [],
    trouble: `ENOENT: no such file or directory, open '${path}'`,
  })
})
