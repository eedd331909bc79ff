/** The program that finds attachments: one JSON line each, the text where it is asked for, and an end to everything. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { onlyWith, ROOT } from '../support/lab.js'

/** What it prints of a message. */
function find(message: string | Buffer, ...args: string[]): unknown[] {
  const program = join(ROOT, 'dist/bin/attachments.cjs')
  const line = [...onlyWith({ PATH: process.env.PATH ?? '' }), process.execPath, program, ...args]
  const { stdout, stderr, status } = spawnSync('env', line, { input: message, encoding: 'utf8' })
  if (stderr !== '' || status !== 0) throw new Error(`${status} ${stderr}`)
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((text) => JSON.parse(text))
}

function mixed(...parts: string[]): string {
  const head = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n'
  return `${head}${parts.map((part) => `--b\n${part}\n`).join('')}--b--\n`
}

const TEXT = 'Content-Type: text/plain; charset=utf-8\n\nDear B\u00fccher,'
const HTML = 'Content-Type: text/html\n\n<p>Dear <b>Anna</b>,</p>'
const FILE = 'Content-Type: application/zip\nContent-Disposition: attachment; filename=a.zip\n\n12345'

t.test('attachments alone, and with the text', (t) => {
  const zip = { attachment: { name: 'a.zip', type: 'application/zip', size: 5 } }
  t.strictSame(find(''), [])
  t.strictSame(find(mixed(TEXT, FILE)), [zip])
  t.strictSame(find(mixed(TEXT, FILE), 'texts'), [zip], 'another word')
  const [file, { text } = { text: '' }] = find(mixed(TEXT, FILE), 'text') as [unknown, { text: string }]
  t.strictSame(file, zip)
  t.match(text, /^Dear B\u00fccher,/)
  t.strictSame(find(HTML, 'text'), [{ text: 'Dear Anna,' }], 'of HTML alone, what is left of it')
  for (const kind of ['mixed', 'related', 'alternative'])
    t.strictSame(
      find(mixed(HTML).replace('multipart/mixed', `multipart/${kind}`), 'text'),
      [{ text: 'Dear Anna,' }],
      `in multipart/${kind} too`,
    )
  t.end()
})

t.test('a name and a type of any length', (t) => {
  const name = 'n'.repeat(2000)
  const part = `Content-Type: a/${'t'.repeat(2000)}\nContent-Disposition: attachment; filename="${name}"\n\nx`
  const [found] = find(mixed(part)) as [{ attachment: { name: string; type: string } }]
  t.equal(found.attachment.name, name.slice(0, 1000))
  t.equal(found.attachment.type.length, 1000)
  t.end()
})

t.test('five hundred are listed, and that there are more is said once', (t) => {
  const found = find(mixed(...Array.from({ length: 503 }, () => FILE)))
  t.equal(found.length, 501)
  t.strictSame(found.at(-1), { trouble: 'it has more than 500 attachments' })
  t.equal(find(mixed(...Array.from({ length: 500 }, () => FILE))).length, 500)
  t.end()
})

t.test('a text of twenty thousand characters', (t) => {
  const found = find(`Content-Type: text/plain\n\n${'x'.repeat(20_001)}`, 'text') as { text?: string }[]
  t.equal(found[0]?.text?.length, 20_000)
  t.strictSame(found.slice(1), [{ trouble: 'only the first 20000 characters of its text are shown' }])
  t.end()
})
