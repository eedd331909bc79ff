/** Describe: what people are shown of a message, and that no message is too broken or too hostile to be shown. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import type { DescribeLimits, Description } from '../../lib/mime/describe.js'
import { makeFolder, makeLab, outcomeOf, PIPE_ENV, ROOT, startWith } from '../support/lab.js'
import { childrenSeconds } from '../support/process.js'
import { makeSink } from '../support/sink.js'

interface Described extends Description {
  /** How long it took. */
  ms: number
}

/** Describes the file of each line it reads. */
const PROGRAM = `
import { createInterface } from 'node:readline'
import { describeFile } from ${JSON.stringify(join(ROOT, 'dist/lib/mime/describe.js'))}
for await (const line of createInterface({ input: process.stdin })) {
  const { path, limits } = JSON.parse(line)
  const begun = performance.now()
  const description = await describeFile(path, limits)
  console.log(JSON.stringify({ ...description, ms: performance.now() - begun }))
}`

/** What describes is a process of its own: in this one tap would load itself into the process that it starts. */
const describer = startWith(PIPE_ENV, [process.execPath, '--input-type=module', '-e', PROGRAM], {
  stdio: 'pipe',
})
const ending = outcomeOf(describer)
const answers = createInterface({ input: describer.stdout as Readable })[Symbol.asyncIterator]()
t.teardown(() => describer.stdin?.end())

async function describePath(path: string, limits?: DescribeLimits): Promise<Described> {
  describer.stdin?.write(`${JSON.stringify({ path, limits })}\n`)
  const { done, value } = await answers.next()
  if (done) throw new Error(`what describes has ended: ${JSON.stringify(await ending)}`)
  return JSON.parse(value) as Described
}

/** For what has to be found, however busy the machine is. */
const PATIENT: DescribeLimits = { milliseconds: 60_000, megabytes: 256 }

async function describe(t: Test, message: string | Buffer, limits = PATIENT): Promise<Described> {
  const path = join(makeFolder(t), 'message.eml')
  writeFileSync(path, message)
  return describePath(path, limits)
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
  const described: Described[] = []
  for (const [, message] of cases) described.push(await describe(t, message))
  for (const [index, [name]] of cases.entries()) {
    const { headers, attachments, trouble } = described[index] ?? {}
    t.ok(Array.isArray(headers) && Array.isArray(attachments), name)
    t.ok(trouble === null || trouble?.length, `${name}: ${trouble}`)
  }
  t.strictSame(
    described[5]?.attachments,
    [{ name: '', type: 'application/pdf', size: 3 }],
    'what was never closed is shown',
  )
})

t.test('a file that is gone is trouble, told and not thrown', async (t) => {
  const path = join(makeFolder(t), 'gone.eml')
  t.match(await describePath(path), {
    headers: [],
    attachments: [],
    trouble: 'no such file or directory (ENOENT)',
  })
})

/** Messages that mailparser without a limit takes long and much for: measured on 38 MB of each. */
const TRAPS: Record<string, (bytes: number) => string> = {
  'line ends: 32 s, 1.4 GB': (bytes) =>
    `Content-Type: text/plain; charset=iso-2022-jp\n\n${'\n'.repeat(bytes)}`,
  'flowed text: 19 s, 1.1 GB': (bytes) =>
    `Content-Type: text/plain; format=flowed; delsp=yes\n\n${'a \n'.repeat(bytes / 3)}`,
  'names in pieces: 20 s': (bytes) => {
    const pieces = Array.from({ length: 40_000 }, (_, i) => `; name*${i}*=%41`).join('')
    const part = `--b\nContent-Type: application/pdf${pieces}\n\nx\n`
    return `Content-Type: multipart/mixed; boundary=b\n\n${part.repeat(bytes / part.length)}`
  },
  'addresses: 20 s, 1.2 GB': (bytes) => {
    const part = `--b\nTo: ${'a@b.test, '.repeat(90_000)}\n\nx\n`
    return `Content-Type: multipart/mixed; boundary=b\n\n${part.repeat(bytes / part.length)}`
  },
}

t.test('a message made to take long is given up in seconds, and its header is shown', async (t) => {
  for (const [name, make] of Object.entries(TRAPS)) {
    const limits = { milliseconds: 1000, megabytes: 256 }
    const { headers, trouble, ms } = await describe(t, `Subject: trap\n${make(38_000_000)}`, limits)
    t.strictSame(headers[0], { name: 'Subject', value: 'trap' }, name)
    t.equal(trouble, 'not all attachments were found within 1 s', name)
    t.ok(ms < 5000, `${name}: ${Math.round(ms)} ms`)
  }
})

t.test('a message made to take much memory ends without it', async (t) => {
  const trap = TRAPS['addresses: 20 s, 1.2 GB']?.(38_000_000) ?? ''
  const { headers, trouble } = await describe(t, trap, { milliseconds: 60_000, megabytes: 64 })
  t.equal(trouble, 'not all attachments were found within 64 MB of memory')
  t.equal(headers[0]?.name, 'Content-Type')
})

t.test('what was found before the limit is shown', async (t) => {
  const file = '--b\nContent-Type: application/pdf; name=first.pdf\n\nx\n'
  const text = `--b\nContent-Type: text/plain; charset=iso-2022-jp\n\n${'\n'.repeat(30_000_000)}`
  // A program takes a while to start where many do, and to read this one takes half a minute.
  const limits = { milliseconds: 6000, megabytes: 256 }
  const message = `Content-Type: multipart/mixed; boundary=b\n\n${file}${text}--b--\n`
  const { attachments, trouble } = await describe(t, message, limits)
  t.strictSame(attachments, [{ name: 'first.pdf', type: 'application/pdf', size: 1 }])
  t.match(trouble, 'within 6 s')
})

t.test('floods: what is shown has an end', async (t) => {
  const floods: [string, string, RegExp][] = [
    [
      'nested',
      `${Array.from({ length: 50_000 }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`).join('')}`,
      /Max allowed child nodes/,
    ],
    [
      'parts',
      `Content-Type: multipart/mixed; boundary=b\n\n${'--b\nContent-Type: application/pdf\n\nx\n'.repeat(20_000)}`,
      /Max allowed child nodes/,
    ],
    [
      'attachments',
      `Content-Type: multipart/mixed; boundary=b\n\n${'--b\nContent-Type: application/pdf\n\nx\n'.repeat(600)}--b--\n`,
      /^it has more than 500 attachments$/,
    ],
    ['fields', `${'X-A: b\n'.repeat(1_000_000)}\nbody\n`, /^its header is too long to be shown whole/],
    [
      'one field',
      `Subject: ${'x'.repeat(10_000_000)}\n\nbody\n`,
      /^its header is too long to be shown whole/,
    ],
    ['folds', `Subject: a\n${' b\n'.repeat(1_000_000)}\nbody\n`, /^its header is too long to be shown whole/],
    [
      'a large file',
      `Content-Type: application/pdf\n\n${'x'.repeat(65 * 1024 * 1024)}`,
      /^only its first 64 MB were looked at$/,
    ],
  ]
  for (const [name, message, trouble] of floods) {
    const seen = await describe(t, message)
    t.match(seen.trouble, trouble, name)
    t.ok(seen.headers.length > 0 && seen.headers.length <= 500, `${name}: ${seen.headers.length} fields`)
    t.ok(seen.attachments.length <= 500, `${name}: ${seen.attachments.length} attachments`)
    t.ok(JSON.stringify(seen).length < 1_100_000, `${name}: ${JSON.stringify(seen).length} characters`)
    t.ok(seen.ms < 30_000, `${name}: ${Math.round(seen.ms)} ms`)
  }
})

t.test(
  'a trap is held and told of as any message; show says what it can',
  { timeout: 180_000 },
  async (t) => {
    const sink = await makeSink(t)
    const lab = makeLab(t, `${sink.setting}\napprovers = ["boss@corp.test"]`, '[notice]\nenabled = true\n')
    const words = '=?utf-8?q?=C3=A9?= '.repeat(3000)
    const trap = TRAPS['line ends: 32 s, 1.4 GB']?.(30_000_000) ?? ''
    const begun = childrenSeconds()
    const id = await lab.park(['eve@unknown.test'], { input: `Subject: ${words}\n${trap}` })
    const took = childrenSeconds() - begun
    t.strictSame(
      sink.mails.map(({ recipients }) => recipients.join()),
      ['boss@corp.test', 'anna@corp.test'],
      'both notices went out',
    )
    t.strictSame(lab.states(), ['eve@unknown.test held'])
    const shown = childrenSeconds()
    const { code, stdout } = await lab.toeh('show', id)
    t.equal(code, 0)
    t.match(stdout, /eve@unknown\.test\n {6}held: unknown/)
    t.match(stdout, 'the message could not be read to its end: not all attachments were found within 4 s')
    const cost = childrenSeconds() - shown
    t.ok(cost < 9, `${cost} s of processor`)
    // To parse it takes ten times as long as to read what is as large.
    const again = childrenSeconds()
    await lab.park(['eve@unknown.test'], {
      input: `Subject: x\n\n${'a line\n'.repeat(4_300_000)}`,
      queueId: 'PLAIN001',
    })
    const plain = childrenSeconds() - again
    t.ok(took < 3 * plain + 4, `the filter does not parse it: ${took} s of processor, ${plain} for another`)
  },
)

t.test('what describes has said nothing else, and ends well', async (t) => {
  describer.stdin?.end()
  const { code, stderr } = await ending
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
})
