/** Message: what is read is kept byte for byte, in memory or in the spool, and a failure leaves nothing there. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import {
  checkComplete,
  inspect,
  type Message,
  readBytes,
  type Stored,
  sizeSlack,
  spool,
  storedIn,
} from '../../lib/mail/message.js'
import { failureOf, replaceFs, systemError } from '../support/failing.js'
import { pieces } from '../support/held.js'
import { makeFolder } from '../support/lab.js'

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** The bytes of a message, copied: pieces may share a buffer. */
async function bytesOf(message: Stored): Promise<Buffer> {
  const read: Buffer[] = []
  for await (const piece of message.bytes()) read.push(Buffer.from(piece))
  return Buffer.concat(read)
}

/** So many bytes that no two places look alike. */
function makeBytes(length: number): Buffer {
  return Buffer.from(
    Array.from({ length: Math.ceil(length / 8) }, (_, i) => `${i}`.padStart(7)).join('\n'),
  ).subarray(0, length)
}

t.test('a small message is in memory, and gets a file where one is asked for', async (t) => {
  const tmp = makeFolder(t)
  const parts = ['Subject: one\r', '\n\0\n.\nFrom x\n', Buffer.from([0xff, 0x0a, 0x80]), 'no final newline']
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  const message = await spool(pieces(...parts), tmp)
  t.equal(message.size, bytes.length)
  t.same(message.head, bytes)
  t.equal(message.eightBit, true)
  t.same(await bytesOf(message), bytes)
  t.same(readdirSync(tmp), [], 'nothing is written for it')

  const path = message.file()
  t.same(readFileSync(path), bytes)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(statSync(message.folder()).mode & 0o777, 0o700)
  t.equal(message.file(), path, 'the same file, asked again')
  t.equal(message.folder(), dirname(path))
  t.equal(readdirSync(tmp).length, 1)
  message.discard()
  t.same(readdirSync(tmp), [])
  t.same(await bytesOf(message), bytes, 'its bytes are there still')
})

t.test('at 64 kB a message goes into a file, whatever the pieces', async (t) => {
  const tmp = makeFolder(t)
  const limit = 64 * 1024
  for (const [size, files] of [
    [limit - 1, 0],
    [limit, 0],
    [limit + 1, 1],
    [3 * limit + 5, 1],
  ] as const) {
    for (const piece of [size, limit, 4096, 1009]) {
      const bytes = makeBytes(size)
      const parts = Array.from({ length: Math.ceil(size / piece) }, (_, i) =>
        bytes.subarray(i * piece, (i + 1) * piece),
      )
      const message = await spool(pieces(...parts), tmp)
      const what = `${size} bytes in pieces of ${piece}`
      t.equal(readdirSync(tmp).length, files, what)
      t.ok((await bytesOf(message)).equals(bytes), `${what}: read back`)
      t.ok(readFileSync(message.file()).equals(bytes), `${what}: its file`)
      t.ok(message.head.equals(bytes.subarray(0, limit)), `${what}: its head`)
      message.discard()
      t.same(readdirSync(tmp), [], `${what}: gone`)
    }
  }
})

t.test('an empty input is an empty message, for checkComplete to judge', async (t) => {
  const message = await spool(pieces(), makeFolder(t))
  t.same([message.size, message.recordBytes, message.eightBit], [0, 0, false])
  t.equal(readFileSync(message.file()).length, 0)
})

t.test('a message that was moved is read where it is now, and stays there', async (t) => {
  const tmp = makeFolder(t)
  for (const size of [100, 100_000]) {
    const bytes = makeBytes(size)
    const message = await spool(pieces(bytes), tmp)
    const target = join(makeFolder(t), 'held')
    renameSync(message.folder(), target)
    message.movedTo(join(target, 'message.eml'))
    t.ok((await bytesOf(message)).equals(bytes))
    t.equal(message.file(), join(target, 'message.eml'))
    message.discard()
    t.ok(readFileSync(join(target, 'message.eml')).equals(bytes), 'what was published is not discarded')
  }
})

t.test('8-bit is a byte over 127, in any piece', async (t) => {
  const tmp = makeFolder(t)
  t.equal((await spool(pieces('\x7f\0\r\n'), tmp)).eightBit, false)
  t.equal((await spool(pieces('plain\n', 'caf\u{e9}\n'), tmp)).eightBit, true)
  t.equal((await spool(pieces(Buffer.from([0x80]), 'plain\n'), tmp)).eightBit, true)
})

t.test('the head ends after 64 kB, the message does not', async (t) => {
  const parts = [Buffer.alloc(40_000, 'a'), Buffer.alloc(40_000, 'b'), Buffer.alloc(10, 'c')]
  const message = await spool(pieces(...parts), makeFolder(t))
  t.equal(message.head.length, 65_536)
  t.same(message.head, Buffer.concat(parts).subarray(0, 65_536))
  t.equal(message.size, 80_010)
})

t.test('the head does not follow a buffer that its stream uses again', async (t) => {
  const shared = Buffer.from('first\n')
  async function* reusing(): AsyncGenerator<Buffer> {
    yield shared
    shared.fill('x')
  }
  const { head } = await spool(reusing(), makeFolder(t))
  t.equal(head.toString(), 'first\n')
})

t.test('record bytes are counted as the queue file does', async (t) => {
  const tmp = makeFolder(t)
  const cases: [string, number][] = [
    ['\n', 2],
    ['a\n', 3],
    ['a', 3],
    ['a\nb', 6],
    [`${'x'.repeat(127)}\n`, 129],
    [`${'x'.repeat(128)}\n`, 131],
    [`${'x'.repeat(128)}`, 131],
  ]
  for (const [text, count] of cases) {
    t.equal((await spool(pieces(text), tmp)).recordBytes, count, JSON.stringify(text.slice(0, 8)))
    // The pieces a stream is cut into are chance and must not count.
    const single = await spool(pieces(...text), tmp)
    t.equal(single.recordBytes, count, `${JSON.stringify(text.slice(0, 8))} byte by byte`)
  }
})

t.test('a write that takes only a part is gone on with', async (t) => {
  const tmp = makeFolder(t)
  const restore = replaceFs(t, 'writeSync', (real) => (fd: number, bytes: Buffer, at: number) => {
    return real(fd, bytes, at, Math.min(1021, bytes.length - at, Math.ceil(bytes.length / 3)))
  })
  const large = makeBytes(70_000)
  const messages = [await spool(pieces('0123456789', 'abc\n'), tmp), await spool(pieces(large), tmp)]
  const files = messages.map((message) => readFileSync(message.file()))
  restore()
  t.same(files, [Buffer.from('0123456789abc\n'), large])
})

t.test('an error leaves nothing behind and is temporary', async (t) => {
  t.test('the input breaks off', async (t) => {
    const tmp = makeFolder(t)
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.from('half')
      throw systemError('EIO', 'i/o error')
    }
    const failure = await failureOf(() => spool(broken(), tmp))
    t.equal(failure.message, `spool message in ${tmp}: i/o error (EIO)`)
    t.equal(failure.status, 75)
    t.same(readdirSync(tmp), [])
  })

  // A message that is large enough for a file, and a small one whose file is asked for.
  for (const [kind, read] of [
    ['large', (tmp: string) => spool(pieces(makeBytes(70_000)), tmp)],
    ['small', async (tmp: string) => (await spool(pieces('x'), tmp)).file()],
  ] as const) {
    t.test(`${kind}: the disk is full`, async (t) => {
      const tmp = makeFolder(t)
      const restore = replaceFs(t, 'writeSync', () => () => {
        throw systemError('ENOSPC', 'no space left on device')
      })
      const failure = await failureOf(() => read(tmp)).finally(restore)
      t.equal(failure.message, `spool message in ${tmp}: no space left on device (ENOSPC)`)
      t.equal(failure.status, 75)
      t.same(readdirSync(tmp), [])
    })

    t.test(`${kind}: closing tells of a write that failed late`, async (t) => {
      const tmp = makeFolder(t)
      const restore = replaceFs(t, 'closeSync', (real) => (fd: number) => {
        real(fd)
        throw systemError('EDQUOT', 'disk quota exceeded')
      })
      const failure = await failureOf(() => read(tmp)).finally(restore)
      t.equal(failure.message, `spool message in ${tmp}: system error (errno 122)`)
      t.equal(failure.status, 75)
      t.same(readdirSync(tmp), [])
    })

    t.test(`${kind}: there is no folder to spool into`, async (t) => {
      const tmp = join(makeFolder(t), 'missing')
      const failure = await failureOf(() => read(tmp))
      t.equal(failure.message, `spool message in ${tmp}: no such file or directory (ENOENT)`)
      t.equal(failure.status, 75)
      t.notOk(existsSync(tmp))
    })
  }
})

t.test('a message is complete, or there is a reason to read it again', async (t) => {
  const message = (size: number, recordBytes: number): Pick<Message, 'size' | 'recordBytes'> => ({
    size,
    recordBytes,
  })
  const announced = 160_000
  t.equal(sizeSlack(announced), 14_096)
  const least = announced - sizeSlack(announced)
  checkComplete(message(10, 12), undefined, true)
  checkComplete(message(10, announced), announced, true)
  checkComplete(message(10, 2 * announced), announced, true)
  checkComplete(message(10, least), announced, true)
  const reasons: [Pick<Message, 'size' | 'recordBytes'>, number | undefined, boolean, string][] = [
    [message(10, 12), undefined, false, 'read message: the process that was writing it has died'],
    [message(0, 0), undefined, true, 'read message: standard input was empty'],
    [message(0, 0), 300, true, 'read message: standard input was empty'],
    [message(9, least - 1), announced, true, 'read message: it is short: 145903 of about 160000 bytes'],
  ]
  for (const [given, size, sameParent, reason] of reasons) {
    const failure = await failureOf(() => checkComplete(given, size, sameParent))
    t.equal(failure.message, reason)
    t.equal(failure.status, 75)
    t.equal(failure.hint, 'Postfix will hand it over again')
  }
})

t.test('a file is read back in order, and inspected for what it holds now', async (t) => {
  const path = join(makeFolder(t), 'message.eml')
  const bytes = Buffer.alloc(600_000, 'line\n')
  writeFileSync(path, bytes)
  const read: Buffer[] = []
  for await (const piece of readBytes(path)) read.push(Buffer.from(piece)) // The buffer is used again.
  t.ok(Buffer.concat(read).equals(bytes))
  t.ok(read.length > 1, 'in pieces')
  t.same(await inspect(storedIn(path).bytes()), { sha256: sha256(bytes), eightBit: false })
  t.equal(storedIn(path).file(), path)
  const last = Buffer.concat([bytes, Buffer.from([0xe9])])
  writeFileSync(path, last)
  t.same(await inspect(storedIn(path).bytes()), { sha256: sha256(last), eightBit: true })
  await t.rejects(inspect(readBytes(`${path}.gone`)), { code: 'ENOENT' })
})
