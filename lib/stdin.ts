/** Standard input as pipe(8) gives it: a pipe, read piece by piece into one buffer. */
import { readFileSync, readSync } from 'node:fs'
import { openDescriptor } from './channel.js'

const PIECE_BYTES = 64 * 1024

/**
 * The bytes of standard input. Each piece stands in the same buffer: be done with it before the next. Node's own
 * stream would give every piece memory of its own, and a large message would sit there until the collector comes.
 * A read of a pipe must not block the thread either, or no deadline could end the process.
 */
export async function* readStdin(): AsyncGenerator<Buffer> {
  let piece: Buffer | undefined
  let ended = false
  let failed: unknown
  let wake: () => void = () => {}
  const input = openDescriptor(0, {
    onBytes: (bytes) => {
      piece = bytes
      input?.pause() // Nothing more until this piece is done with.
      wake()
    },
    onEnd: () => {
      ended = true
      wake()
    },
    onError: (error) => {
      failed = error
      wake()
    },
  })
  if (input === undefined) {
    // A file or a terminal: nobody is kept waiting, or somebody sits there.
    const buffer = Buffer.allocUnsafe(PIECE_BYTES)
    for (let length = readSync(0, buffer); length > 0; length = readSync(0, buffer))
      yield buffer.subarray(0, length)
    return
  }
  while (true) {
    if (piece === undefined && failed === undefined && !ended) {
      await new Promise<void>((resolve) => {
        wake = resolve
        input.resume()
      })
    }
    if (failed !== undefined) throw failed
    if (piece === undefined) return
    yield piece
    piece = undefined
  }
}

/** PF_EXITING of linux/sched.h. */
const EXITING = 0x4
const REPARENTING_MS = 20

/**
 * Whether the process that writes our standard input (our parent) lives, asked at the end of the input. A process
 * that dies closes its files before its children get a new parent, so for a moment `ppid` still names it: the flag
 * in /proc/PID/stat (proc(5)) is set before. Where /proc hides other users' processes that moment is waited for.
 */
export async function isParentAlive(parent: number): Promise<boolean> {
  try {
    // The name in parentheses may hold anything; state and flags are the 1st and 7th word after it. As UTF-8, which
    // Node reads in one go.
    const stat = readFileSync(`/proc/${parent}/stat`, 'utf8')
    const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (words[0] === 'Z' || (Number(words[6]) & EXITING) !== 0) return false
  } catch {
    await new Promise((done) => setTimeout(done, REPARENTING_MS))
  }
  return process.ppid === parent
}
