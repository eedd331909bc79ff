/**
 * A channel: bytes from or to another program, by the handles of libuv that node:net makes its sockets of, where the installation
 * was tried with this very Node, and else by net. That and the streams below it cost toeh-filter a quarter of a run, most of it
 * for compiling them (bench/NOTES.md).
 */
import { statfsSync } from 'node:fs'
import { connect, Socket } from 'node:net'
import { inside } from './internals.js'

export interface ChannelEvents {
  /** Bytes that have come; they stand in a buffer that the next ones may use again. */
  onBytes: (bytes: Buffer) => void
  /** The other side has said all. */
  onEnd: () => void
  /** Nothing more will come: a system error, with its `errno`. */
  onError: (error: unknown) => void
}

export type Encoding = 'utf8' | 'latin1'

export interface Channel {
  resume(): void
  pause(): void
  /** Hands a text to the system; `latin1` is a byte for each character. */
  write(text: string, encoding: Encoding, done: (error?: unknown) => void): void
  /** Ends it at once; no event comes any more. */
  close(): void
}

/** What of a handle is used here (node, src/stream_base.cc and lib/internal/stream_base_commons.js). */
interface Handle {
  onread: (bytes: ArrayBuffer | undefined) => void
  readStart(): number
  readStop(): number
  useUserBuffer(buffer: Buffer): void
  writeLatin1String(request: Request, text: string): number
  writeUtf8String(request: Request, text: string): number
  close(): void
}

interface TcpHandle extends Handle {
  connect(request: Request, address: string, port: number): number
  connect6(request: Request, address: string, port: number): number
  setNoDelay(on: boolean): number
}

interface PipeHandle extends Handle {
  open(fd: number): number
}

interface Request {
  oncomplete: (status: number) => void
}

interface Tcp {
  TCP: new (kind: number) => TcpHandle
  TCPConnectWrap: new () => Request
  constants: { SOCKET: number }
}

interface Pipes {
  Pipe: new (kind: number) => PipeHandle
  constants: { SOCKET: number }
}

interface Streams {
  WriteWrap: new () => Request
  streamBaseState: Int32Array
  kReadBytesOrError: number
  kLastWriteWasAsync: number
}

/** PIPEFS_MAGIC of statfs(2). */
const PIPEFS = 0x50495045

/** UV_EOF and UV_EBADF of uv.h. */
const END = -4095
const EBADF = -9

const PIECE_BYTES = 64 * 1024

/** A failure as node:net would give it. */
function systemError(errno: number): Error {
  return Object.assign(new Error('a system call failed'), { errno })
}

class HandleChannel implements Channel {
  readonly #handle: Handle
  readonly #stream: Streams
  readonly #events: ChannelEvents
  #open = true

  constructor(handle: Handle, stream: Streams, buffer: Buffer, events: ChannelEvents) {
    this.#handle = handle
    this.#stream = stream
    this.#events = events
    handle.useUserBuffer(buffer)
    handle.onread = () => {
      const length = stream.streamBaseState[stream.kReadBytesOrError] ?? 0
      if (!this.#open || length === 0) return
      if (length > 0) events.onBytes(buffer.subarray(0, length))
      else if (length === END) events.onEnd()
      else events.onError(systemError(length))
    }
  }

  resume(): void {
    if (this.#open) this.#check(this.#handle.readStart())
  }

  pause(): void {
    if (this.#open) this.#check(this.#handle.readStop())
  }

  #check(status: number): void {
    if (status < 0) this.#events.onError(systemError(status))
  }

  write(text: string, encoding: Encoding, done: (error?: unknown) => void): void {
    // A handle that is closed may be gone, and then says nothing at all.
    if (!this.#open) {
      done(systemError(EBADF))
      return
    }
    const request = new this.#stream.WriteWrap()
    request.oncomplete = (status) => (status < 0 ? done(systemError(status)) : done())
    const status =
      encoding === 'utf8'
        ? this.#handle.writeUtf8String(request, text)
        : this.#handle.writeLatin1String(request, text)
    const { streamBaseState, kLastWriteWasAsync } = this.#stream
    if (status < 0) done(systemError(status))
    else if (streamBaseState[kLastWriteWasAsync] === 0) done()
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#handle.close()
  }
}

class SocketChannel implements Channel {
  readonly #socket: Socket

  constructor(socket: Socket, { onEnd, onError }: ChannelEvents) {
    this.#socket = socket
    socket.on('end', onEnd)
    socket.on('error', onError)
  }

  resume(): void {
    this.#socket.resume()
  }

  pause(): void {
    this.#socket.pause()
  }

  write(text: string, encoding: Encoding, done: (error?: unknown) => void): void {
    this.#socket.write(text, encoding, (error) => done(error ?? undefined))
  }

  close(): void {
    this.#socket
      .removeAllListeners('end')
      .removeAllListeners('error')
      .on('error', () => {})
      .destroy()
  }
}

/** How node:net is told to read: every piece into the same buffer. */
function intoBuffer(
  buffer: Buffer,
  { onBytes }: ChannelEvents,
): { buffer: Buffer; callback: (length: number) => boolean } {
  return {
    buffer,
    callback: (length) => {
      onBytes(buffer.subarray(0, length))
      return true
    },
  }
}

/** A connection to a literal address, reading from its beginning. */
export function openConnection(host: string, port: number, events: ChannelEvents): Channel {
  const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)
  const tcp = inside<Tcp>('tcp_wrap')
  const stream = inside<Streams>('stream_wrap')
  if (tcp === undefined || stream === undefined) {
    return new SocketChannel(
      connect({ host, port, noDelay: true, onread: intoBuffer(buffer, events) }),
      events,
    )
  }
  const handle = new tcp.TCP(tcp.constants.SOCKET)
  const channel = new HandleChannel(handle, stream, buffer, events)
  const request = new tcp.TCPConnectWrap()
  request.oncomplete = (status) => {
    if (status < 0) return events.onError(systemError(status))
    handle.setNoDelay(true)
    channel.resume()
  }
  const status = host.includes(':')
    ? handle.connect6(request, host, port)
    : handle.connect(request, host, port)
  if (status < 0) setImmediate(() => events.onError(systemError(status)))
  return channel
}

/** Whether it is a pipe without a name, as pipe(8) gives it. Asked of its file system: fstat would have Node make dates. */
function isPipe(fd: number): boolean {
  try {
    return statfsSync(`/proc/self/fd/${fd}`).type === PIPEFS
  } catch {
    return false
  }
}

/** A pipe or socket that is open already, not reading yet; undefined for a file or a terminal. */
export function openDescriptor(fd: number, events: ChannelEvents): Channel | undefined {
  const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES)
  const pipe = inside<Pipes>('pipe_wrap')
  const stream = inside<Streams>('stream_wrap')
  if (pipe !== undefined && stream !== undefined && isPipe(fd)) {
    const handle = new pipe.Pipe(pipe.constants.SOCKET)
    if (handle.open(fd) === 0) return new HandleChannel(handle, stream, buffer, events)
    handle.close()
  }
  try {
    // Half open: at the end it stays as it is. To destroy it, Node would first make a stream of standard error.
    const options = { fd, onread: intoBuffer(buffer, events), allowHalfOpen: true }
    return new SocketChannel(new Socket(options as ConstructorParameters<typeof Socket>[0]), events)
  } catch {
    return undefined
  }
}
