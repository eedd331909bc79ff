/** Enclosures: names as the thorough look of toeh show has them, whatever the pieces, the nesting and the encoding. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'
import t from 'tap'
import { findEnclosures } from '../../lib/mime/attachmentnames.js'
import { describeFile } from '../../lib/mime/describe.js'

const dir = t.testdir()

function fileOf(bytes: string | Buffer): string {
  const path = join(dir, 'message.eml')
  writeFileSync(path, bytes)
  return path
}

async function namesIn(bytes: string | Buffer): Promise<string[]> {
  return (await findEnclosures(fileOf(bytes))).list.map(({ name, size }) => `${name} ${size}`)
}

t.test('as the thorough look finds them', async (t) => {
  const mail = new MailComposer({
    text: 'hello',
    html: '<p>hello <img src="cid:logo"></p>',
    attachments: [
      { filename: 'contract.pdf', content: Buffer.alloc(70_000, 1), contentType: 'application/pdf' },
      { filename: 'Relevé d’identité.pdf', content: Buffer.alloc(301), contentType: 'application/pdf' },
      { filename: `${'long '.repeat(30)}.txt`, content: 'x'.repeat(900), contentType: 'text/plain' },
      { filename: 'logo.png', cid: 'logo', content: Buffer.alloc(64), contentType: 'image/png' },
      { filename: 'quoted "and; more.txt', content: 'é\n', contentType: 'text/plain' },
      { content: Buffer.alloc(10), filename: false, contentType: 'application/octet-stream' },
    ],
  })
  const path = fileOf(await mail.compile().build())
  const thorough = await describeFile(path, { milliseconds: 20_000, megabytes: 256 })
  const { list, whole } = await findEnclosures(path)
  t.equal(whole, true)
  t.strictSame(list.map(({ name }) => name).sort(), thorough.attachments.map(({ name }) => name).sort())
  t.equal(list.length, 6)
  for (const { name, size } of list) {
    const exact = thorough.attachments.find((attachment) => attachment.name === name)?.size ?? -1
    t.ok(Math.abs(size - exact) <= 4, `${name}: ${size} is near ${exact}`)
  }
})

const part = (head: string, body = 'AAAA'): string => `${head}\n\n${body}\n`
const PDF = part('Content-Type: application/pdf\nContent-Disposition: attachment; filename=a.pdf')

t.test('where they stand, and where they do not', async (t) => {
  const outer = 'Subject: x\nContent-Type: multipart/mixed; boundary="b"\n\n'
  t.strictSame(
    await namesIn('Subject: x\n\n--b\nContent-Disposition: attachment; filename=no.pdf\n\nx\n'),
    [],
  )
  t.strictSame(await namesIn(`${outer}--b\n${PDF}--b--\n--b\n${PDF}`), ['a.pdf 5'], 'not behind the end')
  t.strictSame(await namesIn(`${outer}--b\n\n--c\n${PDF}\n--b\n${PDF}--b--`), ['a.pdf 5'], 'not in a text')
  t.strictSame(await namesIn(`${outer}--b \r\n${PDF.replace(/\n/g, '\r\n')}`), ['a.pdf 5'], 'CRLF, cut off')
  const inner = `Content-Type: multipart/related;\n boundary=b.in\n\n--b.in\n${PDF}--b.in--\n`
  t.strictSame(await namesIn(`${outer}--b\n${inner}--b\n${PDF}--b--\n`), ['a.pdf 5', 'a.pdf 5'], 'nested')
  t.strictSame(
    await namesIn(`${outer}--b\nContent-Type: multipart/x; boundary=c\n\n--c\n${PDF}--b\n${PDF}--b--\n`),
    ['a.pdf 5', 'a.pdf 5'],
    'an outer boundary ends an inner part',
  )
  t.strictSame(await namesIn(`Content-Type: application/pdf; name="=?utf-8?q?=C3=A9?="\n\nAAAA`), ['é 5'])
  t.strictSame(
    await namesIn(
      `${outer}--b\n${part("Content-Disposition: attachment; filename*=utf-8''%C3%A9.pdf")}--b--\n`,
    ),
    ['é.pdf 5'],
  )
  t.strictSame(await namesIn(`${outer}--b\nContent-Type: image/png\n\n--b--\n`), [' 0'], 'without a name')
  t.strictSame(
    await namesIn(
      `${outer}--b\n${part('Content-Type: image/png\nContent-Transfer-Encoding: Base64', 'A'.repeat(76))}`,
    ),
    [' 57'],
  )
})

t.test('where pieces end does not matter', async (t) => {
  const body = 'A'.repeat(70)
  for (const pad of [65_400, 65_450, 65_480, 65_500, 65_520]) {
    const head = 'Content-Type: multipart/mixed; boundary=bound\n\n--bound\n\n'
    const filler = `${`${body}\n`.repeat(1000)}`.slice(0, pad - head.length)
    t.strictSame(await namesIn(`${head}${filler}\n--bound\n${PDF}--bound--\n`), ['a.pdf 5'], `${pad}`)
  }
})

t.test('what cannot be looked at whole says so', async (t) => {
  t.strictSame(await findEnclosures(join(dir, 'none')), { list: [], whole: false })
  const outer = 'Content-Type: multipart/mixed; boundary="b"\n\n'
  const many = await findEnclosures(fileOf(`${outer}${`--b\n${PDF}`.repeat(150)}--b--\n`))
  t.equal(many.list.length, 100)
  t.equal(many.whole, false)
  const deep = Array.from({ length: 30 }, (_, n) => `Content-Type: multipart/x; boundary=b${n}\n\n--b${n}\n`)
  t.equal((await findEnclosures(fileOf(deep.join('')))).whole, false)
  const long = await findEnclosures(fileOf(`X: y\n${'X: y\n'.repeat(600)}\n`))
  t.equal(long.whole, false)
  const hostile = `Content-Type: multipart/mixed; boundary=${'x'.repeat(5000)}\n\n${'--'.repeat(100_000)}\n`
  t.strictSame((await findEnclosures(fileOf(hostile))).list, [])
})

t.test('a large message does not keep anybody waiting', async (t) => {
  const line = `${'QUJD'.repeat(19)}\n`
  const head = `Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: x/y; name=big.bin\nContent-Transfer-Encoding: base64\n\n`
  const path = fileOf(`${head}${line.repeat(330_000)}--b--\n`)
  const before = process.cpuUsage()
  const { list } = await findEnclosures(path)
  const { user, system } = process.cpuUsage(before)
  t.strictSame(list, [{ name: 'big.bin', size: 57 * 330_000 }])
  t.ok(user + system < 2_000_000, `${(user + system) / 1000} ms of processor for 25 MB`)
  t.comment(`${(user + system) / 1000} ms`)
  await findEnclosures(fileOf('\n'.repeat(25_000_000)))
})
