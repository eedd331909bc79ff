/** The sink: an SMTP server on loopback that keeps what it is sent, and answers as a test tells it to. */
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { Test } from 'tap'

export interface SunkMail {
  sender: string
  recipients: string[]
  /** With CRLF line ends, dots unstuffed. */
  bytes: Buffer
  /** What MAIL FROM asked for: SIZE, BODY, SMTPUTF8. */
  mailOptions: Record<string, unknown>
  helo: string
  /** XFORWARD values. */
  xforward: Record<string, unknown>
  /** When it had arrived: milliseconds since 1970. */
  at: number
}

/** The message as it was before DATA: lines with LF. */
export function unwire(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/\r\n/g, '\n'), 'latin1')
}

/** As Postfix does: smtp-server looks for a tenth of a second whether the client speaks too early, which is every message of a test. */
function greetAtOnce({ connections }: SMTPServer): void {
  const add = connections.add.bind(connections)
  connections.add = (connection) => {
    const greeter = connection as unknown as { connectionReady: () => void }
    const greet = greeter.connectionReady.bind(connection)
    greeter.connectionReady = () => undefined
    setImmediate(greet)
    return add(connection)
  }
}

export class Sink {
  readonly mails: SunkMail[] = []
  readonly port: number
  readonly #server: SMTPServer

  private constructor(server: SMTPServer, mails: SunkMail[]) {
    this.#server = server
    this.mails = mails
    this.port = (server.server.address() as AddressInfo).port
  }

  /** @param answer an SMTP reply such as `450 4.2.0 busy` for a recipient, or undefined to take it */
  static async start(
    answer: (recipient: string) => string | undefined = () => undefined,
    options: SMTPServerOptions = {},
  ): Promise<Sink> {
    const mails: SunkMail[] = []
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      useXForward: true,
      closeTimeout: 1000, // The end of a test does not wait half a minute for a client that is gone.
      onRcptTo({ address }, _session, done) {
        const reply = answer(address)
        if (reply === undefined) return done()
        const [code, ...text] = reply.split(' ')
        done(Object.assign(new Error(text.join(' ')), { responseCode: Number(code) }))
      },
      onData(stream, session, done) {
        const pieces: Buffer[] = []
        stream.on('data', (piece: Buffer) => pieces.push(piece))
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope
          mails.push({
            sender: mailFrom === false ? '' : mailFrom.address,
            recipients: rcptTo.map(({ address }) => address),
            bytes: Buffer.concat(pieces),
            at: Date.now(),
            mailOptions: mailFrom === false ? {} : { ...mailFrom.args },
            helo: session.hostNameAppearsAs,
            xforward: Object.fromEntries((session as unknown as { xForward: Map<string, unknown> }).xForward),
          })
          done(null, `2.0.0 Ok: queued as SINK${String(mails.length).padStart(8, '0')}`)
        })
      },
      ...options,
    })
    greetAtOnce(server)
    // As Postfix does: a reply does not wait until the one before it is acknowledged.
    server.server.on('connection', (socket) => socket.setNoDelay(true))
    server.on('error', () => {}) // A client that goes away is part of some tests.
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
    return new Sink(server, mails)
  }

  /** The line of configuration that reinjects here. */
  get setting(): string {
    return `reinject = "smtp:127.0.0.1:${this.port}"`
  }

  async stop(): Promise<void> {
    await new Promise<void>((done) => this.#server.close(() => done()))
  }
}

/** A sink for one test. */
export async function makeSink(t: Test, answer?: (recipient: string) => string | undefined): Promise<Sink> {
  const sink = await Sink.start(answer)
  t.teardown(() => sink.stop())
  return sink
}
