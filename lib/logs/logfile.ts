/** Log files: the lines of plain and packed files, of standard input and of the journal, as a stream. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  closeSync,
  createReadStream,
  constants as files,
  fstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import { asCaller, openAsCaller } from '../system/caller.js'
import { opening } from '../system/handover.js'
import { words } from '../text/translate.js'
import { LineParser } from './maillog.js'
import { unpacked, unpackedHead } from './unpack.js'

/** A line longer than this is broken: Postfix writes no such one, and memory stays bounded. */
const MAX_LINE = 65_536
const READ_BYTES = 262_144
const DAY_MS = 86_400_000
/** A time of change before this is no time of change. */
const PLAUSIBLE = Date.UTC(1995, 0, 1)

export interface LogSource {
  /** For people, and for the source of a rule. */
  name: string
  /** Compressed bytes, for the progress; 0 where nobody knows. */
  bytes: number
  /** When it was last written at most, for stamps without a year. */
  reference: number
  /** The stamp of its first line; files are read in this order. */
  first: number
  /** The open file, or journalctl's output. */
  stream: Readable
  /** The first words of a journalctl that failed, once its output has ended; undefined if all is well. */
  ended: () => Promise<string | undefined>
}

/** How much of a file is looked at for its first stamp: a block of bzip2 is unpacked as a whole or not at all. */
const HEAD_BYTES = 524_288

/** The first stamp of a file, looked for in its first bytes. */
function firstStamp(fd: number, path: string, reference: number): number {
  const bytes = Buffer.alloc(HEAD_BYTES)
  // From its place 0, so that it stands where it stood for whoever reads it.
  const head = unpackedHead(bytes.subarray(0, readSync(fd, bytes, 0, HEAD_BYTES, 0)), path).subarray(
    0,
    MAX_LINE,
  )
  const parser = new LineParser(reference)
  for (const line of head.toString().split('\n', 1000)) {
    const at = parser.stampOf(line)
    if (at !== undefined) return at
  }
  return Number.POSITIVE_INFINITY
}

const wellEnded = async (): Promise<undefined> => undefined

function openFile(path: string, now: number): LogSource {
  if (path === '-' || path === '/dev/stdin') {
    const first = Number.POSITIVE_INFINITY
    return {
      name: 'standard input',
      bytes: 0,
      reference: now,
      first,
      stream: process.stdin,
      ended: wellEnded,
    }
  }
  let fd: number | undefined
  try {
    fd = openAsCaller(path)
    const status = fstatSync(fd)
    if (status.isDirectory())
      throw new Failure('log', words`it is a folder`, { at: path, status: EXIT.noInput })
    const regular = status.isFile()
    // A rotated file keeps the time of its last line, which says more about a missing year than today does.
    const written = status.mtimeMs >= PLAUSIBLE ? status.mtimeMs : now
    const reference = regular ? Math.min(now, written) : now
    const first = regular ? firstStamp(fd, path, reference) : Number.POSITIVE_INFINITY
    const start = regular ? { start: 0 } : {}
    return {
      name: basename(path),
      bytes: regular ? status.size : 0,
      reference,
      first,
      stream: createReadStream('', { fd, highWaterMark: READ_BYTES, ...start }),
      ended: wellEnded,
    }
  } catch (error) {
    if (fd !== undefined) closeSync(fd)
    if (error instanceof Failure) throw error
    const denied = (error as { code?: unknown }).code === 'EACCES'
    throw new Failure('log', describeError(error), {
      at: path,
      status: denied ? EXIT.noPermission : EXIT.noInput,
      hint: denied ? words`or let the shell open it: ${'toeh … - < FILE'}` : undefined,
      cause: error,
    })
  }
}

/**
 * Opens log files, in the order of their first stamps, whatever order they were given in: what began in one file of a
 * rotated set goes on in the next. They are opened at once, before root's rights are given up.
 * @param now milliseconds since 1970
 * @throws Failure (66, 77) for the first one that cannot be opened
 */
export async function openLogs(paths: readonly string[], now: number): Promise<LogSource[]> {
  const sources: LogSource[] = []
  try {
    for (const path of paths) sources.push(openFile(path, now))
  } catch (error) {
    for (const { stream } of sources) stream.destroy()
    throw error
  }
  return sources.toSorted((a, b) => (a.first === b.first ? 0 : a.first - b.first))
}

/** Runs a program, and puts its status below what it has said on standard error. */
const TELL_END = '"$@"; echo "$?" >&2'

/** Two descriptors of a journalctl that was started: what it prints, and a file of what it complains and its status. */
interface Running {
  output: number
  end: number
}

/**
 * Starts it with ends that another process may read: a pipe with a name, and a file, both without one a moment later. Node
 * would keep its own pipes, and its knowledge of the status, to this process.
 */
function startJournal(args: readonly string[]): Running {
  const { status } = spawnSync('/bin/sh', ['-c', 'command -v journalctl'], { stdio: 'ignore' })
  if (status !== 0) throw noJournal(words`there is no journalctl on this machine`)
  const folder = mkdtempSync(join(tmpdir(), 'toeh-journal-'))
  try {
    const pipe = join(folder, 'output')
    execFileSync('mkfifo', ['-m', '600', pipe])
    // Not waiting for the other side, which is opened next.
    const output = openSync(pipe, files.O_RDONLY | files.O_NONBLOCK)
    const written = openSync(pipe, 'w')
    const end = openSync(join(folder, 'end'), 'wx+', 0o600)
    const program = ['-c', TELL_END, 'sh', ...asCaller(), 'journalctl', ...args]
    const child = spawn('/bin/sh', program, { stdio: ['ignore', written, end] })
    child.unref()
    // One that does not start leaves no status.
    child.once('error', () => {})
    closeSync(written)
    return { output, end }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What comes out of a pipe: from the first look on, because another process may be the one who reads it. */
async function* piped(fd: number): AsyncGenerator<Buffer> {
  yield* new Socket({ fd, readable: true, writable: false })
}

/** Why it failed, from what {@link TELL_END} leaves; its output must have ended. */
function faultOfJournal(end: number): string | undefined {
  const said = readFrom(end).trimEnd().split('\n')
  const status = said.pop() ?? ''
  return status === '0' ? undefined : said[0]?.slice(0, 400) || words`journalctl ended with status ${status}`
}

function readFrom(fd: number): string {
  const { size } = fstatSync(fd)
  const bytes = Buffer.alloc(size)
  return bytes.toString('utf8', 0, readSync(fd, bytes, 0, size, 0))
}

/**
 * Starts journalctl(1) for what was logged to the mail facility (SYSLOG_FACILITY=2): Postfix under whatever unit it
 * runs, which is postfix@-.service, postfix.service, or none where it was started by hand.
 * @param place a folder of journal files or one file of another machine, or empty for this machine's journal
 * @param since wall-clock milliseconds; a week more is read, for mail that was in the queue then
 * @throws Failure (66) where there is no journalctl, or no such place
 */
export async function openJournal(place: string, since: number | undefined, now: number): Promise<LogSource> {
  let started: Running | undefined
  const start = (): Running => {
    const from = since === undefined ? [] : [`--since=${isoDay(since - 7 * DAY_MS)}`]
    const where = place === '' ? [] : [`--${kindOf(place)}=${place}`]
    const args = ['--output=short-iso', '--quiet', '--no-pager', ...where, ...from, 'SYSLOG_FACILITY=2']
    started ??= startJournal(args)
    return started
  }
  try {
    const output = opening('journal output', () => start().output)
    const end = opening('journal end', () => start().end)
    return {
      name: 'journal',
      bytes: 0,
      reference: now,
      first: 0,
      stream: Readable.from(piped(output)),
      ended: async () => faultOfJournal(end),
    }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw noJournal(describeError(error), error)
  }
}

function noJournal(why: string, cause?: unknown): Failure {
  return new Failure('journal', why, {
    status: EXIT.noInput,
    hint: words`give the log files instead, such as /var/log/mail.log*`,
    cause,
  })
}

function kindOf(place: string): 'directory' | 'file' {
  try {
    return statSync(place).isDirectory() ? 'directory' : 'file'
  } catch (error) {
    throw new Failure('journal', describeError(error), { at: place, status: EXIT.noInput, cause: error })
  }
}

function isoDay(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10)
}

export interface Lines {
  lines: string[]
  /** Lines that were too long and are not among them. */
  broken: number
}

/**
 * The lines of a source, many at a time. The texts are slices of what was read: whoever keeps one copies it.
 * @throws Failure (1) where it cannot be read to its end
 */
export async function* readLines(source: LogSource): AsyncGenerator<Lines> {
  let rest = Buffer.alloc(0)
  let tooLong = false
  try {
    for await (const bytes of unpacked(source.stream, source.name)) {
      const end = bytes.lastIndexOf(0x0a)
      if (end < 0) {
        // One line that is longer than a read: kept only while it may still become a real one.
        if (rest.length + bytes.length > MAX_LINE) tooLong = true
        rest = tooLong ? Buffer.alloc(0) : Buffer.concat([rest, bytes])
        continue
      }
      const start = tooLong ? bytes.indexOf(0x0a) + 1 : 0
      const whole = bytes.subarray(start, Math.max(start, end))
      const text = rest.length > 0 ? Buffer.concat([rest, whole]).toString() : whole.toString()
      const before = tooLong ? 1 : 0
      tooLong = false
      rest = Buffer.from(bytes.subarray(end + 1))
      if (rest.length > MAX_LINE) {
        tooLong = true
        rest = Buffer.alloc(0)
      }
      yield sorted(start > end ? [] : text.split('\n'), before)
    }
    if (tooLong) yield { lines: [], broken: 1 }
    else if (rest.length > 0) yield sorted(rest.toString().split('\n'), 0)
  } catch (error) {
    if (error instanceof Failure) throw error
    // zlib has numbers of its own, which are no system errors.
    const { code, message } = error as { code?: unknown; message?: unknown }
    const packed = typeof code === 'string' && code.startsWith('Z_')
    throw new Failure('log', packed ? `${message} (${code})` : describeError(error), {
      at: source.name,
      hint: words`nothing was changed`,
      cause: error,
    })
  }
  const failed = await source.ended()
  if (failed !== undefined) throw new Failure('journal', failed, { hint: words`nothing was changed` })
}

function sorted(all: string[], before: number): Lines {
  const long = all.some((line) => line.length > MAX_LINE)
  const lines = long ? all.filter((line) => line.length <= MAX_LINE) : all
  return { lines, broken: before + all.length - lines.length }
}
