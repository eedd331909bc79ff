/** The message: standard input, spooled to a file while it is measured. */
import { isAscii } from 'node:buffer'
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readSync, rmdirSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT } from './exit.js'
import { Failure, toFailure } from './failure.js'

/** How much of the start is kept in memory: enough for the header fields people and the loop guard look at. */
const HEAD_BYTES = 64 * 1024

/** The files of a spool folder; the second is there when the publishing of a hold has failed half way. */
const MESSAGE_FILE = 'message.eml'
const ENVELOPE_FILE = 'envelope.json'

export interface Message {
  /** The spool folder that holds `message.eml`; publishing a hold renames it. */
  folder: string
  path: string
  /** Bytes read. */
  size: number
  head: Buffer
  /** Whether a byte is over 127 (BODY=8BITMIME, RFC 6152). */
  eightBit: boolean
  /** What Postfix's queue file would count for the same lines; see {@link isShort}. */
  recordBytes: number
}

/** Postfix's default line_length_limit: longer lines are cut into records of this many bytes. */
const RECORD_LIMIT = 2048

/**
 * Counts queue file record bytes as Postfix does: type, length (7 bits a byte) and data of each line. Measured
 * against Postfix 3.7: exact for a message that no milter has changed.
 */
class RecordCounter {
  total = 0
  #line = 0

  push(piece: Buffer): void {
    let from = 0
    for (let lf = piece.indexOf(0x0a); lf >= 0; lf = piece.indexOf(0x0a, from)) {
      this.#close(lf - from)
      from = lf + 1
    }
    this.#line += piece.length - from
  }

  end(): void {
    if (this.#line > 0) this.#close(0)
  }

  #close(rest: number): void {
    const length = this.#line + rest
    const last = length % RECORD_LIMIT
    this.total += length + 3 * Math.floor(length / RECORD_LIMIT) + (last < 128 ? 2 : 3)
    this.#line = 0
  }
}

function writeAll(fd: number, piece: Buffer): void {
  for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at)
}

/**
 * Reads `input` to its end into a new folder below `tmp` (0700, the file 0600). Pieces are copied at once, so they
 * may share a buffer; memory stays flat whatever the size. The folder is the caller's to publish or to {@link discard}.
 * @throws Failure (75) when anything cannot be read or written; nothing is left behind then
 */
export async function spool(input: AsyncIterable<Buffer>, tmp: string): Promise<Message> {
  // No other process has this number now, and a name that one of the past has left makes mkdir fail: 75, and again.
  const folder = join(tmp, `${process.pid}-${process.hrtime.bigint()}`)
  const path = join(folder, MESSAGE_FILE)
  let fd: number | undefined
  try {
    // Whatever ends the process (a deadline, an error) takes an unpublished spool with it; only a kill leaves one.
    process.once('exit', () => discard(folder))
    mkdirSync(folder, { mode: 0o700 })
    fd = openSync(path, 'wx', 0o600)
    const records = new RecordCounter()
    const head: Buffer[] = []
    let headBytes = 0
    let size = 0
    let eightBit = false
    for await (const piece of input) {
      writeAll(fd, piece)
      records.push(piece)
      size += piece.length
      eightBit ||= !isAscii(piece)
      if (headBytes < HEAD_BYTES) {
        const part = Buffer.from(piece.subarray(0, HEAD_BYTES - headBytes))
        head.push(part)
        headBytes += part.length
      }
    }
    records.end()
    closeSync(fd)
    return { folder, path, size, head: Buffer.concat(head), eightBit, recordBytes: records.total }
  } catch (error) {
    if (fd !== undefined) {
      try {
        closeSync(fd)
      } catch {
        // Already closed, or closing failed too: the first error is the one to tell.
      }
    }
    discard(folder)
    throw toFailure('spool message in', error, { at: tmp })
  }
}

/**
 * Whether standard input ended before the message did. pipe(8) dying looks like a normal end (its child lives
 * on), so the bytes are held against `${size}`. That number is of the queue file's records and milters change
 * it a little, hence the slack; the other half of the check is that the writer still lives.
 */
export function checkComplete(
  message: Message,
  announcedRecordBytes: number | undefined,
  writerAlive: boolean,
): void {
  const short = (why: string): Failure =>
    new Failure('read message', why, { status: EXIT.tempFail, hint: 'Postfix will hand it over again' })
  if (!writerAlive) throw short('the process that was writing it has died')
  if (message.size === 0) throw short('standard input was empty')
  if (
    announcedRecordBytes !== undefined &&
    message.recordBytes + sizeSlack(announcedRecordBytes) < announcedRecordBytes
  ) {
    throw short(`it is short: ${message.recordBytes} of about ${announcedRecordBytes} bytes`)
  }
}

/** Bytes by which a whole message may fall short of `${size}`. */
export function sizeSlack(announced: number): number {
  return 4096 + Math.floor(announced / 16)
}

const PIECE_BYTES = 64 * 1024

/**
 * The bytes of a message file, in order. Each piece stands in the same buffer: be done with it before the next.
 * A local file does not keep anybody waiting, so it is read in place.
 */
export async function* readBytes(path: string): AsyncGenerator<Buffer> {
  const fd = openSync(path, 'r')
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    for (let length = readSync(fd, piece); length > 0; length = readSync(fd, piece))
      yield piece.subarray(0, length)
  } finally {
    closeSync(fd)
  }
}

/** What a message file holds now: its SHA-256 (hexadecimal) and whether a byte is over 127. */
export async function inspect(path: string): Promise<{ sha256: string; eightBit: boolean }> {
  const hash = createHash('sha256')
  let eightBit = false
  for await (const piece of readBytes(path)) {
    hash.update(piece)
    eightBit ||= !isAscii(piece)
  }
  return { sha256: hash.digest('hex'), eightBit }
}

/** Removes a spool folder with what is in it; failing to is no harm, cleanup sweeps old ones. */
export function discard(folder: string): void {
  // Not rmSync: what it loads for its recursion costs more than the rest of this file.
  for (const remove of [
    () => unlinkSync(join(folder, MESSAGE_FILE)),
    () => unlinkSync(join(folder, ENVELOPE_FILE)),
    () => rmdirSync(folder),
  ]) {
    try {
      remove()
    } catch {
      // Not there, or left for cleanup.
    }
  }
}
