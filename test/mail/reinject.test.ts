/** Reinject: the transport the configuration names, and the message from where it is by then. */
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { storedIn } from '../../lib/mail/message.js'
import { RECIPIENTS_AT_ONCE, reinject, type StoredTransaction } from '../../lib/mail/reinject.js'
import { failureOf } from '../support/failing.js'
import { CLIENT } from '../support/held.js'
import { makeFolder } from '../support/lab.js'
import { makeScript } from '../support/script.js'
import { makeSink, unwire } from '../support/sink.js'

const PATIENCE = { replyMs: 5000, answerMs: 5000 }
const BYTES = 'Subject: x\n\n.\nBody\n'

function makeCargo(path: string, changes: Partial<StoredTransaction> = {}): StoredTransaction {
  return {
    sender: 'anna@corp.test',
    recipients: ['x@known.test'],
    size: BYTES.length,
    eightBit: false,
    message: storedIn(path),
    onRefused: async () => {},
    ...changes,
  }
}

t.test('by SMTP: envelope, bytes and client arrive', async (t) => {
  const path = join(makeFolder(t), 'message.eml')
  writeFileSync(path, BYTES)
  const sink = await makeSink(t)
  const transport = { kind: 'smtp', host: '127.0.0.1', port: sink.port } as const
  const origin = { client: CLIENT, queueId: '4bQ8Yk2hJnz1' }
  const cargo = makeCargo(path, { recipients: ['x@known.test', 'y@known.test'], origin })
  const delivery = await reinject(transport, cargo, PATIENCE)
  t.strictSame(delivery, { accepted: ['x@known.test', 'y@known.test'], queueId: 'SINK00000001' })
  const [mail] = sink.mails
  t.equal(unwire(mail?.bytes ?? Buffer.alloc(0)).toString(), BYTES)
  t.match(mail, {
    sender: 'anna@corp.test',
    recipients: ['x@known.test', 'y@known.test'],
    helo: 'pc',
    xforward: { ADDR: '192.0.2.9', NAME: 'pc.corp.test' },
  })
  t.equal(sink.mails.length, 1)
})

t.test('by sendmail', async (t) => {
  const dir = makeFolder(t)
  const path = join(dir, 'message.eml')
  const program = join(dir, 'sendmail')
  writeFileSync(path, BYTES)
  writeFileSync(program, `#!/bin/sh\necho "$@" > '${dir}/argv'\ncat > '${dir}/stdin'\n`)
  chmodSync(program, 0o755)
  const delivery = await reinject({ kind: 'sendmail', path: program }, makeCargo(path), PATIENCE)
  t.strictSame(delivery, { accepted: ['x@known.test'], queueId: '' })
  t.equal(readFileSync(join(dir, 'argv'), 'utf8'), '-G -i -f anna@corp.test -- x@known.test\n')
  t.equal(readFileSync(join(dir, 'stdin'), 'utf8'), BYTES)
})

t.test('parking a refused recipient may move the message before it is read', async (t) => {
  for (const kind of ['smtp', 'sendmail'] as const) {
    const dir = makeFolder(t)
    const program = join(dir, 'sendmail')
    writeFileSync(program, `#!/bin/sh\ncat > '${dir}/stdin'\n`)
    chmodSync(program, 0o755)
    // An address the scripted server refuses, and sendmail is not handed.
    const bad = 'j\u{f6}rg@known.test'
    const script = await makeScript(t, {
      RCPT: (line) => (line.includes(bad) ? '550 5.1.1 no' : '250 2.1.5 Ok'),
    })
    const path = join(dir, 'spooled.eml')
    writeFileSync(path, BYTES)
    let message = storedIn(path)
    const cargo = makeCargo('', {
      recipients: [bad, 'x@known.test'],
      message: { bytes: () => message.bytes(), file: () => message.file() },
      onRefused: async () => {
        const held = join(dir, 'held.eml')
        renameSync(path, held)
        message = storedIn(held)
      },
    })
    const smtp = { kind: 'smtp', host: '127.0.0.1', port: script.port } as const
    const transport = kind === 'smtp' ? smtp : ({ kind, path: program } as const)
    const delivery = await reinject(transport, cargo, PATIENCE)
    t.strictSame(delivery.accepted, ['x@known.test'], kind)
    if (kind === 'smtp') t.equal(script.data.toString(), 'Subject: x\r\n\r\n..\r\nBody\r\n.\r\n')
    else t.equal(readFileSync(join(dir, 'stdin'), 'utf8'), BYTES)
  }
})

t.test('a message that is gone or cannot be read does not go out', async (t) => {
  const script = await makeScript(t)
  const transport = { kind: 'smtp', host: '127.0.0.1', port: script.port } as const
  const path = join(makeFolder(t), 'gone.eml')
  const failure = await failureOf(() => reinject(transport, makeCargo(path), PATIENCE))
  t.match(failure.message, /^reinject at 127\.0\.0\.1:\d+: no such file or directory \(ENOENT\)$/)
  t.same([failure.status, failure.inDoubt], [75, false])
  await script.closed
  t.notOk(script.lines.includes('.'), 'the end of the message is never said')
  t.notOk(script.lines.includes('QUIT'), 'after 354 it would be a line of the message')
  t.notOk(existsSync(path))
})

t.test('more recipients than one transaction takes', async (t) => {
  const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `r${i}@known.test`)
  const path = join(makeFolder(t), 'message.eml')
  writeFileSync(path, BYTES)
  const script = await makeScript(t)
  const transport = { kind: 'smtp', host: '127.0.0.1', port: script.port } as const
  const failure = await failureOf(() =>
    reinject(transport, makeCargo(path, { recipients: many(RECIPIENTS_AT_ONCE + 1) }), PATIENCE),
  )
  t.equal(
    failure.line,
    'reinject: more than 1000 recipients at once; set toeh_destination_recipient_limit = 50 in main.cf',
  )
  t.equal(failure.status, 75)
  t.equal(script.sockets.length, 0, 'nothing was said to the server')

  const cargo = makeCargo(path, { recipients: many(RECIPIENTS_AT_ONCE) })
  t.equal((await reinject(transport, cargo, PATIENCE)).accepted.length, 1000)
  t.equal(script.lines.filter((line) => line.startsWith('RCPT')).length, 1000)
  t.equal(script.lines.filter((line) => line === 'DATA').length, 1)
})
