/**
 * What stands at `reinject` in a soak: Postfix itself; Postfix behind a server that is slow to answer, or hangs; or a sendmail
 * that does both. SOAK_SERVER says which.
 */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { NODE } from '../support/lab.js'
import type { Postfix } from '../support/postfix.js'
import type { Accepted } from './books.js'
import type { Dice } from './dice.js'

export type Manner = 'plain' | 'slow' | 'hanging' | 'sendmail'

/** Beyond the first of these, and now and then beyond the second. */
const LIMITS = 'deadline_seconds = 2\nanswer_seconds = 5\n'
const SLOW_MS = 4000
/** A release has five minutes, which no soak waits for: the server gives up first. */
const HANGS_MS = 8000
const HANGING = 0.15

/** Where a hanging server says nothing any more. */
type Stop = 'never' | 'before the end' | 'after the end'

export class Server {
  /** Queue ids of messages that were taken without a word. */
  readonly #silenced = new Set<string>()
  readonly #notes: string | undefined

  private constructor(notes?: string) {
    this.#notes = notes
  }

  /** Puts it between the gate and this Postfix. */
  static async start(
    t: Test,
    manner: Manner,
    postfix: Postfix,
    settings: string,
    dice: Dice,
  ): Promise<Server> {
    const configure = (reinject: string): void =>
      postfix.lab.configure(`reinject = "${reinject}"\n${LIMITS}${settings}[notice]\nenabled = false\n`)
    if (manner === 'plain') return new Server()
    if (manner === 'sendmail') {
      const notes = join(postfix.dir, 'silenced')
      const program = join(postfix.dir, 'sendmail')
      writeFileSync(notes, '')
      chmodSync(notes, 0o666)
      const script = join(import.meta.dirname, 'sendmail.js')
      writeFileSync(
        program,
        `#!/bin/sh\nexec '${NODE}' '${script}' ${postfix.reinjection} '${notes}' "$@"\n`,
        {
          mode: 0o755,
        },
      )
      configure(`sendmail:${program}`)
      return new Server(notes)
    }
    const server = new Server()
    const proxy = createServer((client) => server.#relay(client, postfix.reinjection, manner, dice))
    await new Promise<void>((ready) => proxy.listen(0, '127.0.0.1', ready))
    t.teardown(() => proxy.close())
    configure(`smtp:127.0.0.1:${(proxy.address() as AddressInfo).port}`)
    return server
  }

  /** Relays one conversation. Whatever the client does, what it has said to Postfix stays said. */
  #relay(client: Socket, port: number, manner: Manner, dice: Dice): void {
    const upstream = connect(port, '127.0.0.1')
    const slowness = dice.between(0, SLOW_MS)
    const stop: Stop =
      manner === 'hanging' && dice.chance(HANGING) ? dice.pick(['before the end', 'after the end']) : 'never'
    let said = ''
    let queueId: string | undefined
    let isAtEnd = false
    const isStopped = (): boolean => stop === 'before the end' || (stop === 'after the end' && isAtEnd)
    if (stop !== 'never') setTimeout(() => [client, upstream].map((socket) => socket.destroy()), HANGS_MS)
    client.on('data', (bytes) => {
      said = (said + bytes.toString('latin1')).slice(-4096)
      queueId ??= / IDENT=(\w+)/.exec(said)?.[1]
      if (stop === 'before the end' && said.includes('DATA\r\n')) return
      upstream.write(bytes)
      if (!said.endsWith('\r\n.\r\n') && !said.includes('\r\n.\r\nQUIT')) return
      isAtEnd = true
      if (stop === 'after the end' && queueId !== undefined) this.#silenced.add(queueId)
    })
    upstream.on('data', (bytes) => {
      const isAnswerToEnd = isAtEnd
      setTimeout(
        () => {
          if (!isStopped() || !isAnswerToEnd) client.write(bytes)
        },
        isAnswerToEnd && manner === 'slow' ? slowness : 0,
      )
    })
    client.on('error', () => {})
    upstream.on('error', () => {})
    client.on('close', () => upstream.end())
    upstream.on('close', () => client.end())
  }

  /** Whether a message was taken without a word, so that Postfix handed it over again. */
  silenced(accepted: readonly Accepted[]): ReadonlySet<string> {
    if (this.#notes === undefined) return this.#silenced
    const numbers = new Set(readFileSync(this.#notes, 'utf8').split('\n').filter(Boolean).map(Number))
    return new Set(accepted.filter(({ letter }) => numbers.has(letter.number)).map(({ queueId }) => queueId))
  }
}
