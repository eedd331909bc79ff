/** The script: an SMTP server on loopback that says what a test wrote down for it, and keeps every byte it hears. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** Instead of a reply: the connection is closed. An empty text keeps silent. */
export const HANG_UP = Symbol('hang up')

export type Answer = string | typeof HANG_UP
/** `BODY` is the moment the first bytes of the message arrive, `.` the moment its end does. */
export type Point =
  | 'CONNECT'
  | 'EHLO'
  | 'XFORWARD'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'BODY'
  | '.'
  | 'RSET'
  | 'QUIT'
export type Answers = Partial<
  Record<Point, Answer | ((line: string, script: Script) => Answer | Promise<Answer>)>
>

const POLITE: Answers = {
  CONNECT: '220 script.test ESMTP',
  EHLO: ehlo('PIPELINING', 'SIZE 1000000', '8BITMIME', 'SMTPUTF8'),
  XFORWARD: '250 2.0.0 Ok',
  MAIL: '250 2.1.0 Ok',
  RCPT: '250 2.1.5 Ok',
  DATA: '354 End data with <CR><LF>.<CR><LF>',
  '.': '250 2.0.0 Ok: queued as 4bQ8Yk2hJnz1',
  RSET: '250 2.0.0 Ok',
  QUIT: '221 2.0.0 Bye',
}

/** An EHLO reply that offers these extensions. */
export function ehlo(...extensions: string[]): string {
  const lines = ['script.test', ...extensions]
  return lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}`).join('\r\n')
}

export class Script {
  /** Commands in order, `.` for the end of a message; a test may add its own marks. */
  readonly lines: string[] = []
  readonly sockets: Socket[] = []
  port = 0
  /** What came after 354, the final dot included. */
  data = Buffer.alloc(0)
  /** All bytes of all connections. */
  raw = Buffer.alloc(0)
  readonly #answers: Answers
  #closed: () => void = () => {}
  /** Resolves when a client has gone. */
  readonly closed = new Promise<void>((resolve) => {
    this.#closed = resolve
  })

  constructor(answers: Answers) {
    this.#answers = { ...POLITE, ...answers }
  }

  /** The commands without QUIT, which nothing waits for. */
  get commands(): string[] {
    return this.lines.filter((line) => line !== 'QUIT')
  }

  serve(socket: Socket): void {
    this.sockets.push(socket)
    let pending = Buffer.alloc(0)
    let inData = false
    let bodySeen = false
    let turn: Promise<void> = Promise.resolve()
    const answer = (point: Point, line: string): void => {
      turn = turn.then(async () => {
        const written = this.#answers[point] ?? '502 5.5.2 Error: command not recognized'
        const reply = typeof written === 'function' ? await written(line, this) : written
        if (reply === HANG_UP) socket.destroy()
        else if (reply !== '') socket.write(`${reply}\r\n`, 'latin1')
        if (point !== 'DATA') return
        inData = typeof reply === 'string' && reply.startsWith('354')
        hear()
      })
    }
    const hear = (): void => {
      while (!inData) {
        const lf = pending.indexOf('\n')
        if (lf < 0) return
        const line = pending.subarray(0, lf).toString('utf8').replace(/\r$/, '')
        pending = pending.subarray(lf + 1)
        this.lines.push(line)
        answer((line.split(' ')[0] ?? '') as Point, line)
      }
      this.data = pending
      const end = pending.subarray(0, 3).equals(Buffer.from('.\r\n')) ? -2 : pending.indexOf('\r\n.\r\n')
      if (end !== -1) {
        this.data = pending.subarray(0, end + 5)
        pending = pending.subarray(end + 5)
        inData = false
        this.lines.push('.')
        answer('.', '.')
      } else if (!bodySeen && pending.length > 0 && this.#answers.BODY !== undefined) {
        bodySeen = true
        answer('BODY', '')
      }
    }
    socket.on('error', () => {}) // A client that goes away is part of some tests.
    socket.on('close', () => this.#closed())
    socket.on('data', (bytes) => {
      this.raw = Buffer.concat([this.raw, bytes])
      pending = Buffer.concat([pending, bytes])
      hear()
    })
    answer('CONNECT', '')
  }
}

/** A scripted server for one test; what `answers` leaves out is answered politely. */
export async function makeScript(t: Test, answers: Answers = {}): Promise<Script> {
  const script = new Script(answers)
  // As Postfix does: a reply does not wait until the one before it is acknowledged.
  const server = createServer({ noDelay: true }, (socket) => script.serve(socket))
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  script.port = (server.address() as AddressInfo).port
  t.teardown(async () => {
    for (const socket of script.sockets) socket.destroy()
    await new Promise((done) => server.close(done))
  })
  return script
}
