/** Tests of logfile.ts: plain, gzip, rotated sets in any order, long lines, and what cannot be read. */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { EXIT } from '../../lib/exit.js'
import { Failure } from '../../lib/failure.js'
import { type LogSource, openLogs, readLines } from '../../lib/logs/logfile.js'
import { makeFolder } from '../support/lab.js'

const NOW = Date.UTC(2026, 10, 24, 12)

/** All lines of a source, and how many were too long. */
async function read(source: LogSource): Promise<{ lines: string[]; broken: number }> {
  const all: string[] = []
  let count = 0
  for await (const { lines, broken } of readLines(source)) {
    all.push(...lines)
    count += broken
  }
  return { lines: all, broken: count }
}

/** A source of these pieces. */
function piecemeal(...pieces: (string | Buffer)[]): LogSource {
  const stream = Readable.from(pieces.map((piece) => Buffer.from(piece as string)))
  return { name: 'x', bytes: 0, reference: NOW, first: 0, stream, ended: async () => undefined }
}

async function failureOf(act: () => Promise<unknown>): Promise<Failure> {
  try {
    await act()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

t.test('lines, whatever the pieces', async (t) => {
  const table: [pieces: (string | Buffer)[], lines: string[]][] = [
    [[], []],
    [['a\nb\n'], ['a', 'b']],
    [['a\nb'], ['a', 'b']],
    [
      ['a', 'b', '\n', 'c\nd', 'e'],
      ['ab', 'c', 'de'],
    ],
    [['\n\n'], ['', '']],
    [[Buffer.from('jürgen\n').subarray(0, 2), Buffer.from('jürgen\n').subarray(2)], ['jürgen']],
    [[gzipSync('a\nb\n')], ['a', 'b']],
    [[Buffer.concat([gzipSync('a\n'), gzipSync('b\n')])], ['a', 'b']],
  ]
  for (const [pieces, lines] of table) {
    t.strictSame(await read(piecemeal(...pieces)), { lines, broken: 0 }, JSON.stringify(pieces))
  }
})

t.test('a line that is too long is counted and passed over', async (t) => {
  const long = 'x'.repeat(70_000)
  const piece = 'x'.repeat(40_000)
  const table: [pieces: string[], lines: string[], broken: number][] = [
    [[`a\n${long}\nb\n`], ['a', 'b'], 1],
    [['a\n', piece, piece, piece, '\nb\n'], ['a', 'b'], 1],
    [['a\n', piece, piece, 'x\n'], ['a'], 1],
    [['a\n', piece, piece], ['a'], 1],
    [[`a\n${long}`, 'x\nb\n'], ['a', 'b'], 1],
    [[`${long}\n${long}\nb`], ['b'], 2],
  ]
  for (const [pieces, lines, broken] of table) {
    t.strictSame(
      await read(piecemeal(...pieces)),
      { lines, broken },
      pieces.map(({ length }) => length).join(),
    )
  }
})

t.test('files are read in the order of their first stamps', async (t) => {
  const dir = makeFolder(t)
  const files: [name: string, content: string | Buffer][] = [
    ['mail.log', '2026-11-20T05:06:07Z mx postfix/x: newest\n'],
    ['mail.log.2.gz', gzipSync('rubbish\n2026-11-06T05:06:07Z mx postfix/x: oldest\n')],
    ['mail.log.1', '2026-11-13T05:06:07Z mx postfix/x: middle\n'],
    ['other', 'without a stamp\n'],
  ]
  for (const [name, content] of files) writeFileSync(join(dir, name), content)
  const sources = await openLogs(
    files.map(([name]) => join(dir, name)),
    NOW,
  )
  t.strictSame(
    sources.map(({ name }) => name),
    ['mail.log.2.gz', 'mail.log.1', 'mail.log', 'other'],
  )
  t.match((await read(sources[0] as LogSource)).lines, ['rubbish', /oldest$/])
  for (const { stream } of sources) stream.destroy()
})

t.test('a set without years across New Year, by the times of the files', async (t) => {
  const dir = makeFolder(t)
  const write = (name: string, line: string, written: string): string => {
    const path = join(dir, name)
    writeFileSync(path, line)
    utimesSync(path, new Date(written), new Date(written))
    return path
  }
  const paths = [
    write('c', 'Jan  5 05:06:07 mx postfix/x: y\n', '2026-01-10T00:00:00Z'),
    write('a', 'Nov 28 05:06:07 mx postfix/x: y\n', '2025-11-30T00:00:00Z'),
    write('b', 'Dec 20 05:06:07 mx postfix/x: y\n', '2026-01-03T00:00:00Z'),
  ]
  const sources = await openLogs(paths, NOW)
  t.strictSame(
    sources.map(({ name, first }) => `${name} ${new Date(first).toISOString().slice(0, 10)}`),
    ['a 2025-11-28', 'b 2025-12-20', 'c 2026-01-05'],
  )
  for (const { stream } of sources) stream.destroy()
})

t.test('what cannot be read', async (t) => {
  const dir = makeFolder(t)
  mkdirSync(join(dir, 'folder'))
  const missing = await failureOf(() => openLogs([join(dir, 'missing')], NOW))
  t.equal(missing.status, EXIT.noInput)
  t.match(missing.line, /^log \/.*missing: no such file or directory \(ENOENT\)$/)
  t.match((await failureOf(() => openLogs([join(dir, 'folder')], NOW))).line, /it is a folder/)
  const whole = gzipSync(Array.from({ length: 5000 }, (_, i) => `line ${i * 7919}`).join('\n'))
  const cut = join(dir, 'cut.gz')
  writeFileSync(cut, whole.subarray(0, whole.length - 100))
  const [source] = await openLogs([cut], NOW)
  const failure = await failureOf(() => read(source as LogSource))
  t.equal(failure.status, EXIT.failed)
  t.match(failure.line, /^log cut\.gz: unexpected end of file .*nothing was changed/)
})
