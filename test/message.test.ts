/** Message: what is read stands in the spool byte for byte, and a failure leaves nothing there. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkComplete, discard, inspect, type Message, readBytes, sizeSlack, spool } from '../lib/message.js'
import { failureOf, replaceFs, systemError } from './support/failing.js'
import { pieces } from './support/held.js'
import { makeFolder } from './support/lab.js'

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

t.test('every byte stands in the file, and is measured', async (t) => {
  const parts = ['Subject: one\r', '\n\0\n.\nFrom x\n', Buffer.from([0xff, 0x0a, 0x80]), 'no final newline']
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  const message = await spool(pieces(...parts), makeFolder(t))
  t.same(readFileSync(message.path), bytes)
  t.equal(message.size, bytes.length)
  t.same(message.head, bytes)
  t.equal(message.eightBit, true)
  t.equal(statSync(message.path).mode & 0o777, 0o600)
  t.equal(statSync(message.folder).mode & 0o777, 0o700)
})

t.test('an empty input is an empty file, for checkComplete to judge', async (t) => {
  const message = await spool(pieces(), makeFolder(t))
  t.same([message.size, message.recordBytes, message.eightBit], [0, 0, false])
  t.equal(readFileSync(message.path).length, 0)
})

t.test('8-bit is a byte over 127, in any piece', async (t) => {
  const tmp = makeFolder(t)
  t.equal((await spool(pieces('\x7f\0\r\n'), tmp)).eightBit, false)
  t.equal((await spool(pieces('plain\n', 'caf\u{e9}\n'), tmp)).eightBit, true)
  t.equal((await spool(pieces(Buffer.from([0x80]), 'plain\n'), tmp)).eightBit, true)
})

t.test('the head ends after 64 kB, the file does not', async (t) => {
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
    return real(fd, bytes, at, Math.min(3, bytes.length - at))
  })
  const message = await spool(pieces('0123456789', 'abc\n'), tmp)
  restore()
  t.equal(readFileSync(message.path, 'utf8'), '0123456789abc\n')
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

  t.test('the disk is full', async (t) => {
    const tmp = makeFolder(t)
    const restore = replaceFs(t, 'writeSync', () => () => {
      throw systemError('ENOSPC', 'no space left on device')
    })
    const failure = await failureOf(() => spool(pieces('x'), tmp)).finally(restore)
    t.equal(failure.message, `spool message in ${tmp}: no space left on device (ENOSPC)`)
    t.equal(failure.status, 75)
    t.same(readdirSync(tmp), [])
  })

  t.test('closing tells of a write that failed late', async (t) => {
    const tmp = makeFolder(t)
    const restore = replaceFs(t, 'closeSync', (real) => (fd: number) => {
      real(fd)
      throw systemError('EDQUOT', 'disk quota exceeded')
    })
    const failure = await failureOf(() => spool(pieces('x'), tmp)).finally(restore)
    t.equal(failure.message, `spool message in ${tmp}: system error (errno 122)`)
    t.equal(failure.status, 75)
    t.same(readdirSync(tmp), [])
  })

  t.test('there is no folder to spool into', async (t) => {
    const tmp = join(makeFolder(t), 'missing')
    const failure = await failureOf(() => spool(pieces('x'), tmp))
    t.equal(failure.message, `spool message in ${tmp}: no such file or directory (ENOENT)`)
    t.equal(failure.status, 75)
    t.notOk(existsSync(tmp))
  })
})

t.test('a message is complete, or there is a reason to read it again', async (t) => {
  const message = (size: number, recordBytes: number): Message => ({
    ...{ folder: '', path: '', sha256: '', head: Buffer.alloc(0), eightBit: false },
    ...{ size, recordBytes },
  })
  const announced = 160_000
  t.equal(sizeSlack(announced), 14_096)
  const least = announced - sizeSlack(announced)
  checkComplete(message(10, 12), undefined, true)
  checkComplete(message(10, announced), announced, true)
  checkComplete(message(10, 2 * announced), announced, true)
  checkComplete(message(10, least), announced, true)
  const reasons: [Message, number | undefined, boolean, string][] = [
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
  t.same(await inspect(path), { sha256: sha256(bytes), eightBit: false })
  const last = Buffer.concat([bytes, Buffer.from([0xe9])])
  writeFileSync(path, last)
  t.same(await inspect(path), { sha256: sha256(last), eightBit: true })
  await t.rejects(inspect(`${path}.gone`), { code: 'ENOENT' })
})

t.test('discard removes a spool folder, and one that is gone is no harm', async (t) => {
  const folder = join(makeFolder(t), 'spooled')
  mkdirSync(folder)
  writeFileSync(join(folder, 'message.eml'), 'x')
  discard(folder)
  t.notOk(existsSync(folder))
  discard(folder)
})
