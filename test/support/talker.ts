/** The talker: an SMTP server that gives whatever answers a test wants, by verb, however wrong they are. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'

/** An answer for a command: a reply without its line end, to say nothing at all, or to hang up. */
type Words = string | 'SILENCE' | 'HANG UP'
/** The same, or when it comes, or how it comes about. */
export type Answer = Words | Promise<Words> | (() => Promise<Words>)

const USUAL: Record<string, Answer> = {
  HELLO: '220 talker.test ESMTP',
  EHLO: '250-talker.test\r\n250 8BITMIME',
  MAIL: '250 2.1.0 Ok',
  RCPT: '250 2.1.5 Ok',
  DATA: '354 go on',
  '.': '250 2.0.0 Ok: queued as TALK00000001',
  RSET: '250 2.0.0 Ok',
  QUIT: '221 2.0.0 Bye',
}

export class Talker {
  /** Verbs in the order they came, and `.` for the final dot. */
  readonly heard: string[] = []
  readonly #server: Server
  readonly #answers: Record<string, Answer>
  readonly #sockets = new Set<Socket>()

  private constructor(answers: Record<string, Answer>) {
    this.#answers = { ...USUAL, ...answers }
    this.#server = createServer((socket) => this.#talk(socket))
  }

  /** @param answers by verb; `HELLO` is the greeting, `.` the end of the message */
  static async start(t: Test, answers: Record<string, Answer>): Promise<Talker> {
    const talker = new Talker(answers)
    await new Promise<void>((ready) => talker.#server.listen(0, '127.0.0.1', ready))
    t.teardown(() => {
      for (const socket of talker.#sockets) socket.destroy()
      talker.#server.close()
    })
    return talker
  }

  get setting(): string {
    return `reinject = "smtp:127.0.0.1:${(this.#server.address() as AddressInfo).port}"`
  }

  /** Resolves once this verb has been heard. */
  async until(verb: string): Promise<void> {
    while (!this.heard.includes(verb)) await new Promise((done) => setTimeout(done, 10))
  }

  #talk(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {}) // A client that is killed is part of some tests.
    let text = ''
    let inData = false
    const answer = (verb: string): void => {
      this.heard.push(verb)
      const given = this.#answers[verb] ?? '500 5.5.2 what?'
      const reply = typeof given === 'function' ? given() : given
      if (typeof reply === 'string') say(verb, reply)
      else void reply.then((words) => say(verb, words))
    }
    const say = (verb: string, reply: Words): void => {
      if (reply === 'HANG UP') socket.destroy()
      else if (reply !== 'SILENCE') socket.write(`${reply}\r\n`)
      inData = verb === 'DATA' && reply.startsWith('354')
    }
    answer('HELLO')
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end)
        text = text.slice(end + 2)
        if (!inData) answer((line.split(' ')[0] ?? '').toUpperCase())
        else if (line === '.') answer('.')
      }
    })
  }
}

/** A port of 127.0.0.1 on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}
