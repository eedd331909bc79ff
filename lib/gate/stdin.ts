/** Standard input as pipe(8) gives it: a pipe, read piece by piece into one buffer. */
import { readFileSync, readSync } from 'node:fs'
import { toFailure } from '../failure.js'
import { openDescriptor } from '../system/channel.js'

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
 * Whose child a process is, and whether it has ended or is about to (proc(5)); undefined where there is none, or /proc does
 * not show it.
 * @throws Failure (75) where that cannot be told
 */
function lookAt(pid: number): { parent: number; ends: boolean } | undefined {
  const path = `/proc/${pid}/stat`
  try {
    // The name in parentheses may hold anything; state, parent and flags are the 1st, 2nd and 7th word after it. As
    // UTF-8, which Node reads in one go.
    const stat = readFileSync(path, 'utf8')
    const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(words[1]), ends: words[0] === 'Z' || (Number(words[6]) & EXITING) !== 0 }
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined
    throw toFailure('look at process', error, { at: path })
  }
}

/**
 * Whether the process that writes our standard input lives, asked at the end of the input. A process that dies closes
 * its files before its children get a new parent, so for a moment they still name it: the flag in /proc/PID/stat is
 * set before. Where /proc hides other users' processes that moment is waited for.
 * @param parent our parent, as it was when we began
 * @param writer who writes, where our parent is a shell that it has started
 */
export async function isWriterAlive(parent: number, writer = parent): Promise<boolean> {
  const seen = lookAt(writer)
  if (seen?.ends) return false
  if (seen === undefined) await new Promise((done) => setTimeout(done, REPARENTING_MS))
  return isAwaited(parent, writer)
}

/** Whether the processes between us and the writer are those that were there when we began, so that it is told how we end. */
export function isAwaited(parent: number, writer = parent): boolean {
  return process.ppid === parent && (writer === parent || lookAt(parent)?.parent === writer)
}
