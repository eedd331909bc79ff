/** Fuzz of logfile.ts and maillog.ts: no bytes make them throw, memory stays bounded, broken lines are counted. */
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { type LogSource, readLines } from '../../lib/logs/logfile.js'
import { type Attempt, LineParser, Tracker } from '../../lib/logs/maillog.js'
import { mailLog } from '../support/maillog.js'
import { holds } from '../support/property.js'

const NOW = Date.UTC(2026, 10, 5)
const REAL = [
  ...mailLog({
    id: '4bQ8Yk2hJnz1',
    to: ['a@b.test', '"x>, relay=y"@b.test'],
    taken: 'smtpd client=pc[192.0.2.7]',
  }).split('\n'),
  'Nov  4 05:06:07 mx postfix/smtp[12]: 0A1B2C3D4E: to=<a@b.test>, orig_to=<c@b.test>, relay=none, delay=1, dsn=4.4.1, status=deferred (x)',
  '<22>1 2026-11-04T05:06:07.000+01:00 mx postfix/qmgr 12 - [a b="c\\"]"] 4bQ8Yk2hJnz1: removed',
  '-- Boot 1234 --',
  '',
]

function sourceOf(pieces: readonly Buffer[]): LogSource {
  const stream = Readable.from(pieces.filter(({ length }) => length > 0))
  return { name: 'fuzz', bytes: 0, reference: NOW, first: 0, stream, ended: async () => undefined }
}

interface Read {
  lines: number
  broken: number
  attempts: Attempt[]
  followed: number
}

async function read(pieces: readonly Buffer[]): Promise<Read> {
  const parser = new LineParser(NOW)
  const tracker = new Tracker()
  const seen: Read = { lines: 0, broken: 0, attempts: [], followed: 0 }
  for await (const { lines, broken } of readLines(sourceOf(pieces))) {
    seen.broken += broken
    seen.lines += lines.length + broken
    for (const line of lines) {
      const event = parser.parse(line)
      if (event?.kind === 'broken') seen.broken++
      const attempt = event === undefined ? undefined : tracker.take(event)
      if (attempt !== undefined) seen.attempts.push(attempt)
    }
  }
  seen.followed = tracker.size
  return seen
}

const mutated = fc
  .tuple(fc.constantFrom(...REAL), fc.nat(120), fc.nat(6), fc.uint8Array({ maxLength: 8 }))
  .map(([line, at, gone, put]) => {
    const bytes = Buffer.from(line)
    return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + gone)])
  })
const line = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...REAL).map((text) => Buffer.from(text)) },
  { weight: 6, arbitrary: mutated },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 65_000, max: 70_000 }).map((length) => Buffer.alloc(length, '<"\\')),
  },
)
const file = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.array(fc.nat(3000), { maxLength: 5 }))
  .map(([lines, cuts]) => {
    const bytes = Buffer.concat(lines.flatMap((one) => [one, Buffer.from('\n')]))
    const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
    // A first piece that looks like gzip is unpacked, and told where it is none: not what is asked here.
    if (bytes[0] === 0x1f) bytes[0] = 0x20
    return places.slice(1).map((place, index) => bytes.subarray(places[index], place))
  })

t.test('mutated lines and random bytes: never an exception, every broken line counted', async (t) => {
  let broken = 0
  let attempts = 0
  const whole = fc.asyncProperty(file, async (pieces) => {
    const seen = await read(pieces)
    const bytes = Buffer.concat(pieces)
    const feeds = bytes.toString('latin1').split('\n').length - 1
    if (seen.lines !== feeds) throw new Error(`${seen.lines} of ${feeds} lines`)
    const long = bytes
      .toString()
      .split('\n')
      .filter((text) => text.length > 65_536).length
    if (seen.broken < long) throw new Error(`${seen.broken} broken, ${long} too long`)
    const text = bytes.toString()
    for (const { recipient, sender = '' } of seen.attempts) {
      if (!text.includes(recipient) || !text.includes(sender))
        throw new Error(`made up: ${recipient} ${sender}`)
    }
    broken += seen.broken
    attempts += seen.attempts.length
  })
  await holds(t, 'files', 3000, whole, 8000)
  t.ok(broken > 500 && attempts > 200, `${broken} broken lines, ${attempts} attempts`)
})

t.test('a line without an end takes no memory', async (t) => {
  function* endless(): Generator<Buffer> {
    for (let i = 0; i < 4000; i++) yield Buffer.alloc(65_536, 'x')
  }
  const before = process.memoryUsage().rss
  let broken = 0
  for await (const lines of readLines({ ...sourceOf([]), stream: Readable.from(endless()) }))
    broken += lines.broken
  t.equal(broken, 1)
  const grown = (process.memoryUsage().rss - before) / 1024 / 1024
  t.ok(grown < 150, `${Math.round(grown)} MB for 250 MB of one line`)
})
