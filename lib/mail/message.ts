/** The message: standard input, measured while it is read. A small one stays in memory, a larger one is spooled to a file. */
import { isAscii } from 'node:buffer'
import { closeSync, mkdirSync, openSync, readSync, rmdirSync, unlinkSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EXIT } from '../exit.js'
import { Failure, toFailure } from '../failure.js'
import { Sha256 } from '../system/sha256.js'

/**
 * How much of the start is kept in memory: enough for the header fields people and the loop guard look at, and most
 * messages whole. Postfix keeps the mail until it passes or is parked, so those need no file until they are parked.
 */
const HEAD_BYTES = 64 * 1024

/** The files of a spool folder; the second is there when the publishing of a hold has failed half way. */
const MESSAGE_FILE = 'message.eml'
const ENVELOPE_FILE = 'envelope.json'

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
    // As a text, which V8 searches by itself.
    const text = piece.toString('latin1')
    let from = 0
    for (let lf = text.indexOf('\n'); lf >= 0; lf = text.indexOf('\n', from)) {
      this.#close(lf - from)
      from = lf + 1
    }
    this.#line += text.length - from
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

/** A message whose bytes are kept somewhere. */
export interface Stored {
  bytes(): AsyncIterable<Buffer>
  /** A file that has them. */
  file(): string
}

/** A message file. */
export function storedIn(path: string): Stored {
  return { bytes: () => readBytes(path), file: () => path }
}

/** A message as it was read, and where its bytes are. */
export class Message implements Stored {
  /** Bytes read. */
  size = 0
  /** Whether a byte is over 127 (BODY=8BITMIME, RFC 6152). */
  eightBit = false
  readonly #records = new RecordCounter()
  readonly #tmp: string
  /** The spool folder, while there is one. */
  #folder: string | undefined
  #fd: number | undefined
  /** The message's file, wherever it is by now. */
  #path: string | undefined
  #pieces: Buffer[] = []
  #kept = 0
  #head: Buffer | undefined

  /** @param tmp where a spool folder goes, should it be needed */
  constructor(tmp: string) {
    this.#tmp = tmp
  }

  /** What Postfix's queue file would count for the same lines; see {@link checkComplete}. */
  get recordBytes(): number {
    return this.#records.total
  }

  /** Its first 64 kB. */
  get head(): Buffer {
    this.#head ??= this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces)
    return this.#head ?? Buffer.alloc(0)
  }

  /** Takes the next piece; it is copied at once, so it may stand in a buffer that is used again. */
  push(piece: Buffer): void {
    this.size += piece.length
    if (this.#fd === undefined && this.size > HEAD_BYTES) this.#open()
    if (this.#fd !== undefined) writeAll(this.#fd, piece)
    this.#records.push(piece)
    this.eightBit ||= !isAscii(piece)
    if (this.#kept === HEAD_BYTES) return
    const room = HEAD_BYTES - this.#kept
    const part = Buffer.allocUnsafeSlow(Math.min(piece.length, room))
    part.set(piece.length > room ? piece.subarray(0, room) : piece)
    this.#pieces.push(part)
    this.#kept += part.length
  }

  /** No more pieces. */
  end(): void {
    this.#records.end()
    this.#close()
  }

  /** Makes the spool folder (0700, the file 0600), with what has been read so far. */
  #open(): void {
    // No other process has this number now, and a name that one of the past has left makes mkdir fail: 75, and again.
    const folder = join(this.#tmp, `${process.pid}-${process.hrtime.bigint()}`)
    // Whatever ends the process (a deadline, an error) takes an unpublished spool with it; only a kill leaves one.
    process.once('exit', () => this.discard())
    mkdirSync(folder, { mode: 0o700 })
    this.#folder = folder
    this.#path = join(folder, MESSAGE_FILE)
    this.#fd = openSync(this.#path, 'wx', 0o600)
    for (const piece of this.#pieces) writeAll(this.#fd, piece)
  }

  #close(): void {
    if (this.#fd === undefined) return
    const fd = this.#fd
    this.#fd = undefined
    closeSync(fd)
  }

  /**
   * Its file: made now where it was in memory only.
   * @throws Failure (75), with nothing left behind
   */
  file(): string {
    if (this.#path !== undefined) return this.#path
    try {
      this.#open()
      this.#close()
    } catch (error) {
      this.discard()
      throw toFailure('spool message in', error, { at: this.#tmp })
    }
    return this.#path ?? ''
  }

  /** The spool folder with its file in it, to be published. */
  folder(): string {
    return dirname(this.file())
  }

  /** The folder was renamed: its file is there now, and is not ours to remove. */
  movedTo(path: string): void {
    this.#folder = undefined
    this.#path = path
  }

  /** Its bytes, in order. */
  bytes(): AsyncIterable<Buffer> {
    return this.size > HEAD_BYTES ? readBytes(this.file()) : this.#memory()
  }

  async *#memory(): AsyncGenerator<Buffer> {
    yield this.head
  }

  /** Removes the spool folder where there is one; failing to is no harm, cleanup sweeps old ones. */
  discard(): void {
    const folder = this.#folder
    if (folder === undefined) return
    this.#folder = undefined
    this.#path = undefined
    // Not rmSync: what it loads for its recursion costs more than the rest of this file.
    for (const remove of [
      () => this.#close(),
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
}

/**
 * Reads `input` to its end; memory stays flat whatever the size. The message is the caller's to publish or to discard.
 * @param tmp where what does not fit into memory goes, into a folder of its own
 * @throws Failure (75) when anything cannot be read or written; nothing is left behind then
 */
export async function spool(input: AsyncIterable<Buffer>, tmp: string): Promise<Message> {
  const message = new Message(tmp)
  try {
    for await (const piece of input) message.push(piece)
    message.end()
    return message
  } catch (error) {
    message.discard()
    throw toFailure('spool message in', error, { at: tmp })
  }
}

/**
 * Whether standard input ended before the message did. pipe(8) dying looks like a normal end (its child lives
 * on), so the bytes are held against `${size}`. That number is of the queue file's records and milters change
 * it a little, hence the slack; the other half of the check is that the writer still lives.
 */
export function checkComplete(
  message: Pick<Message, 'size' | 'recordBytes'>,
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

/** What bytes are: their SHA-256 (hexadecimal) and whether one is over 127. */
export async function inspect(bytes: AsyncIterable<Buffer>): Promise<{ sha256: string; eightBit: boolean }> {
  const digest = new Sha256()
  let eightBit = false
  for await (const piece of bytes) {
    digest.update(piece)
    eightBit ||= !isAscii(piece)
  }
  return { sha256: digest.end().toString('hex'), eightBit }
}
