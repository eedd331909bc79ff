/** The milter: a small server that speaks Sendmail's milter protocol, version 6, and at the end of a message does what a test wants. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'

/** What it may ask of the mail server (SMFIF_ADDHDRS, SMFIF_ADDRCPT). */
const ACTIONS = 0x01 | 0x04
/** What it need not be told: every step but the end of the message. */
const SKIPPED = 0x01 | 0x02 | 0x04 | 0x08 | 0x10 | 0x20 | 0x40 | 0x100 | 0x200

export interface MilterDeeds {
  /** Recipients to add to every message. */
  recipients?: readonly string[]
  /** Headers to add, name and value. */
  headers?: readonly [name: string, value: string][]
}

function packet(command: string, data: Buffer | string = ''): Buffer {
  const body = Buffer.concat([Buffer.from(command), Buffer.from(data)])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, body])
}

function words(...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length)
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index)
  return bytes
}

export class Milter {
  /** How many messages it has seen to their end. */
  messages = 0
  readonly #deeds: MilterDeeds
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(deeds: MilterDeeds) {
    this.#deeds = deeds
    this.#server = createServer((socket) => this.#serve(socket))
  }

  static async start(t: Pick<Test, 'teardown'>, deeds: MilterDeeds): Promise<Milter> {
    const milter = new Milter(deeds)
    await new Promise<void>((ready) => milter.#server.listen(0, '127.0.0.1', ready))
    t.teardown(() => {
      for (const socket of milter.#sockets) socket.destroy()
      milter.#server.close()
    })
    return milter
  }

  /** As smtpd_milters names it. */
  get name(): string {
    return `inet:127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {}) // smtpd hangs up as it likes.
    let bytes = Buffer.alloc(0)
    socket.on('data', (piece) => {
      bytes = Buffer.concat([bytes, piece])
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0)) {
        const end = 4 + bytes.readUInt32BE(0)
        this.#answer(socket, bytes.toString('latin1', 4, 5), bytes.subarray(5, end))
        bytes = bytes.subarray(end)
      }
    })
  }

  #answer(socket: Socket, command: string, data: Buffer): void {
    switch (command) {
      case 'O':
        socket.write(packet('O', words(6, ACTIONS, SKIPPED & data.readUInt32BE(8))))
        return
      case 'E': {
        this.messages++
        const { headers = [], recipients = [] } = this.#deeds
        for (const [name, value] of headers) socket.write(packet('h', `${name}\0${value}\0`))
        for (const recipient of recipients) socket.write(packet('+', `<${recipient}>\0`))
        socket.write(packet('c'))
        return
      }
      case 'D': // Macros, and the end of a message or a connection, have no answer.
      case 'A':
        return
      case 'Q':
        socket.end()
        return
      default:
        socket.write(packet('c'))
    }
  }
}
