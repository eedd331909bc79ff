/** Standard input as pipe(8) gives it: a pipe, read piece by piece into one buffer. */
import { readFileSync, readSync } from 'node:fs'
import { Socket } from 'node:net'

const PIECE_BYTES = 64 * 1024

/**
 * The bytes of standard input. Each piece stands in the same buffer: be done with it before the next. Node's own
 * stream would give every piece memory of its own, and a large message would sit there until the collector comes.
 * A read of a pipe must not block the thread either, or no deadline could end the process.
 */
export async function* readStdin(): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(PIECE_BYTES)
  let socket: Socket
  let piece: Buffer | undefined
  let ended = false
  let failed: Error | undefined
  let wake: () => void = () => {}
  const onread = {
    buffer,
    callback: (length: number): boolean => {
      piece = buffer.subarray(0, length)
      wake()
      return false // Nothing more until this piece is done with.
    },
  }
  try {
    // Half open: at the end it stays as it is. To destroy it, Node would first make a stream of standard error.
    socket = new Socket({ fd: 0, onread, allowHalfOpen: true } as ConstructorParameters<typeof Socket>[0])
  } catch {
    // A file or a terminal: nobody is kept waiting, or somebody sits there.
    for (let length = readSync(0, buffer); length > 0; length = readSync(0, buffer))
      yield buffer.subarray(0, length)
    return
  }
  socket.on('end', () => {
    ended = true
    wake()
  })
  socket.on('error', (error) => {
    failed = error
    wake()
  })
  while (true) {
    if (piece === undefined && failed === undefined && !ended) {
      await new Promise<void>((resolve) => {
        wake = resolve
        socket.resume()
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
    // The name in parentheses may hold anything; state and flags are the 1st and 7th word after it.
    const stat = readFileSync(`/proc/${parent}/stat`, 'latin1')
    const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (words[0] === 'Z' || (Number(words[6]) & EXITING) !== 0) return false
  } catch {
    await new Promise((done) => setTimeout(done, REPARENTING_MS))
  }
  return process.ppid === parent
}
