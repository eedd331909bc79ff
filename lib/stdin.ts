/** Standard input as pipe(8) gives it: a pipe, read piece by piece into one buffer. */
import { readSync } from 'node:fs'
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
    socket = new Socket({ fd: 0, onread } as ConstructorParameters<typeof Socket>[0])
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
