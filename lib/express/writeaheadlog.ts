/**
 * The express lane's log: SQLite's write-ahead log (https://www.sqlite.org/fileformat2.html#walformat), as far as its one writer
 * needs it, who appends and never tidies up. An image is a whole database as it is in memory; the base is the image that the log
 * begins from, as it is on disk. Pure.
 */

/** Bytes of a page: small, because a change of one row writes whole pages. */
export const PAGE_BYTES = 1024
const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES

/** The format whose sums are made of little-endian words. */
const MAGIC = 0x377f0682
const FORMAT = 3_007_000
/** Where in the first page it stands whether there is a log beside it: 1 for none, 2. */
const JOURNAL_AT = [18, 19]

type Sum = readonly [number, number]

/** Where the next frame goes, and what it goes on from. */
export interface Tail {
  /** Bytes of the log that count. */
  end: number
  sum: Sum
  /** 8 bytes that every frame of this log repeats. */
  salt: Uint8Array
}

/** The sum goes on over these bytes, a multiple of 8. */
function sumOf(bytes: Buffer, [first, second]: Sum = [0, 0]): Sum {
  let [a, b] = [first, second]
  for (let at = 0; at < bytes.length; at += 8) {
    a = (a + bytes.readUInt32LE(at) + b) >>> 0
    b = (b + bytes.readUInt32LE(at + 4) + a) >>> 0
  }
  return [a, b]
}

function writeSum(bytes: Buffer, at: number, [first, second]: Sum): void {
  bytes.writeUInt32BE(first, at)
  bytes.writeUInt32BE(second, at + 4)
}

function hasSum(bytes: Buffer, at: number, [first, second]: Sum): boolean {
  return bytes.readUInt32BE(at) === first && bytes.readUInt32BE(at + 4) === second
}

/** An image as a base: it says that there is a log. */
export function baseOf(image: Buffer): Buffer {
  const base = Buffer.from(image)
  for (const at of JOURNAL_AT) base[at] = 2
  return base
}

/** Whether this is a base, as far as its beginning says. */
export function isBase(bytes: Buffer): boolean {
  const isWhole = bytes.length > 0 && bytes.length % PAGE_BYTES === 0
  return (
    isWhole &&
    bytes.toString('latin1', 0, 16) === 'SQLite format 3\0' &&
    bytes.readUInt16BE(16) === PAGE_BYTES
  )
}

/**
 * The beginning of a log. Not to be seen by a reader alone: SQLite takes a header without a frame for a log that somebody is
 * about to write, and waits.
 * @param salt 8 bytes that no log of this base had before
 */
export function newLog(salt: Uint8Array): { header: Buffer; tail: Tail } {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32BE(MAGIC, 0)
  header.writeUInt32BE(FORMAT, 4)
  header.writeUInt32BE(PAGE_BYTES, 8)
  header.set(salt, 16)
  const sum = sumOf(header.subarray(0, 24))
  writeSum(header, 24, sum)
  return { header, tail: { end: HEADER_BYTES, sum, salt } }
}

/** What stands in the place of a header, for every reader to take the base alone. Zeros: of another salt SQLite waits for the rest. */
export const NO_HEADER = Buffer.alloc(HEADER_BYTES)

/**
 * What SQLite reads of base and log: whole transactions, up to the first frame that does not follow from the one before.
 * @returns the image, and the tail; no tail where the log has no header
 */
export function readLog(base: Buffer, log: Buffer): { image: Buffer; tail: Tail | undefined } {
  const pages = new Map<number, Buffer>()
  let size = Math.floor(base.length / PAGE_BYTES)
  let tail = tailOfHeader(log)
  if (tail !== undefined) {
    let begun: [number, Buffer][] = []
    let { end: at, sum } = tail
    while (at + FRAME_BYTES <= log.length) {
      const frame = log.subarray(at, at + FRAME_BYTES)
      const page = frame.subarray(FRAME_HEADER_BYTES)
      sum = sumOf(page, sumOf(frame.subarray(0, 8), sum))
      if (frame.compare(tail.salt, 0, 8, 8, 16) !== 0 || !hasSum(frame, 16, sum)) break
      at += FRAME_BYTES
      begun.push([frame.readUInt32BE(0), page])
      const committed = frame.readUInt32BE(4)
      if (committed === 0) continue
      for (const [number, bytes] of begun) pages.set(number, bytes)
      begun = []
      size = committed
      tail = { ...tail, end: at, sum }
    }
  }
  const image = Buffer.alloc(size * PAGE_BYTES)
  base.copy(image)
  for (const [number, bytes] of pages) if (number <= size) bytes.copy(image, (number - 1) * PAGE_BYTES)
  for (const at of JOURNAL_AT) if (at < image.length) image[at] = 1
  return { image, tail }
}

function tailOfHeader(log: Buffer): Tail | undefined {
  if (log.length < HEADER_BYTES || log.readUInt32BE(0) !== MAGIC) return undefined
  const sum = sumOf(log.subarray(0, 24))
  if (log.readUInt32BE(8) !== PAGE_BYTES || !hasSum(log, 24, sum)) return undefined
  return { end: HEADER_BYTES, sum, salt: log.subarray(16, 24) }
}

/** The frames, one transaction, that make an image another; empty where both are the same. */
export function framesBetween(before: Buffer, after: Buffer, { sum, salt }: Tail): Buffer {
  const whole = baseOf(after)
  const changed: [number, Buffer][] = []
  for (let at = 0; at < after.length; at += PAGE_BYTES) {
    const isSame = at < before.length && after.compare(before, at, at + PAGE_BYTES, at, at + PAGE_BYTES) === 0
    if (!isSame) changed.push([at / PAGE_BYTES + 1, whole.subarray(at, at + PAGE_BYTES)])
  }
  let running = sum
  return Buffer.concat(
    changed.map(([number, page], index) => {
      const frame = Buffer.alloc(FRAME_BYTES)
      frame.writeUInt32BE(number, 0)
      frame.writeUInt32BE(index === changed.length - 1 ? after.length / PAGE_BYTES : 0, 4)
      frame.set(salt, 8)
      frame.set(page, FRAME_HEADER_BYTES)
      running = sumOf(page, sumOf(frame.subarray(0, 8), running))
      writeSum(frame, 16, running)
      return frame
    }),
  )
}
