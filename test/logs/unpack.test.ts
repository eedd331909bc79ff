/** Tests of unpack.ts: every packing by the system's own program, in pieces, cut off, and without the program. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { EXIT } from '../../lib/exit.js'
import { Failure } from '../../lib/failure.js'
import { openLogs } from '../../lib/logs/logfile.js'
import { unpacked, unpackedHead } from '../../lib/logs/unpack.js'
import { makeFolder } from '../support/lab.js'

const LINES = Array.from(
  { length: 20_000 },
  (_, i) => `2026-11-04T05:06:07Z mx postfix/x: line ${i * 7919}\n`,
).join('')

/** What packs, where this machine has it. */
const PACKERS = ['gzip', 'bzip2', 'xz', 'zstd', 'lz4'].filter((program) => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

async function unpack(...pieces: Buffer[]): Promise<string> {
  const got: Buffer[] = []
  for await (const piece of unpacked(Readable.from(pieces), 'x.log')) got.push(piece)
  return Buffer.concat(got).toString()
}

async function failureOf(act: () => unknown): Promise<Failure> {
  try {
    await act()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

for (const program of PACKERS) {
  t.test(program, async (t) => {
    const packed = execFileSync(program, ['-c'], { input: LINES, maxBuffer: 1e8 })
    t.equal(await unpack(packed), LINES)
    t.equal(
      await unpack(packed.subarray(0, 1), packed.subarray(1, 4), packed.subarray(4)),
      LINES,
      'in pieces',
    )
    t.match(unpackedHead(packed, 'x').toString(), /^2026-11-04T05:06:07Z mx postfix\/x: line 0\n/)
    const path = join(makeFolder(t), 'mail.log')
    writeFileSync(path, packed)
    const [source] = await openLogs([path], Date.now())
    t.equal(source?.first, Date.UTC(2026, 10, 4, 5, 6, 7), 'the first stamp')
    source?.stream.destroy()
    if (program === 'gzip') return
    const failure = await failureOf(() => unpack(packed.subarray(0, packed.length / 2)))
    t.match(failure.line, /^log x\.log: .+; nothing was changed$/, 'cut off')
    const { PATH } = process.env
    process.env.PATH = '/nowhere'
    t.teardown(() => {
      process.env.PATH = PATH
    })
    for (const act of [() => unpack(packed), () => unpackedHead(packed, 'x.log')]) {
      const missing = await failureOf(act)
      t.equal(missing.status, EXIT.noInput)
      t.match(
        missing.line,
        new RegExp(`^log x\\.log: it is packed by ${program}, which is not .*; apt install `),
      )
    }
  })
}

t.test('what is not packed', async (t) => {
  t.ok(PACKERS.length > 1)
  for (const text of ['', 'a', 'BZ', 'plain text\n']) {
    t.equal(await unpack(Buffer.from(text)), text, text)
    t.equal(unpackedHead(Buffer.from(text), 'x').toString(), text)
  }
  t.equal(unpackedHead(gzipSync('a').subarray(0, 3), 'x').toString(), '', 'too little of it')
})
