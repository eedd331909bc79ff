/**
 * The SMTP client of the gate: one transaction with our own Postfix on loopback (RFC 5321, XFORWARD_README).
 * Small because its peer is known; strict because what it gets wrong is lost mail.
 *
 * It is long because a conversation is one thing: whoever splits it has to carry its state about.
 */

import { EXIT } from '../exit.js'
import { describeError, Failure, toFailure } from '../failure.js'
import { type Channel, type Encoding, openConnection } from '../system/channel.js'
import { after, eventsTaken } from '../system/eventloop.js'
import { isAscii, isSendable } from './address.js'
import { DotStuffing, xtext } from './dotstuffing.js'
import type { Client } from './envelope.js'
import { HELO_NAME } from './header.js'
import { describeReply, queuedAs, type Reply, ReplyReader } from './smtpreply.js'
import type { Delivery, Patience, Refusal, Transaction } from './transaction.js'

/** Each reply has its own time, however slowly it drips in, and so has each piece that it takes. */
interface Server extends Patience {
  host: string
  port: number
}

/** Anything from the server that is neither success nor a final refusal: the mail stays where it is. */
function temporary(
  where: string,
  why: string,
  details: { inDoubt?: boolean; cause?: unknown } = {},
): Failure {
  return new Failure('reinject at', why, { at: where, status: EXIT.tempFail, ...details })
}

/** A promise, and what keeps it. */
function promised(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** One connection: writes commands, reads replies, in order. */
class Conversation {
  readonly #channel: Channel
  readonly #where: string
  readonly #reader = new ReplyReader()
  readonly #patience: Patience
  readonly #replies: Reply[] = []
  /** Replies that are due: the greeting, and one for each command that is on its way. */
  #owed = 1
  #waiting: { resolve: (reply: Reply) => void; reject: (failure: Failure) => void } | undefined
  #flushed: (() => void) | undefined
  #broken: Failure | undefined
  /** Set once the final dot is on its way: from then on a lost connection leaves doubt. */
  #dotSent = false
  extensions = new Map<string, string>()

  constructor(server: Server) {
    this.#where = `${server.host}:${server.port}`
    this.#patience = server
    this.#channel = openConnection(server.host, server.port, {
      onBytes: (bytes) => this.#take(bytes),
      onEnd: () => this.#break('the connection was closed'),
      onError: (error) => this.#break(describeError(error), error),
    })
    const { limit } = server
    limit?.addEventListener('abort', () => this.#break(describeError(limit.reason)), { once: true })
  }

  #take(bytes: Buffer): void {
    try {
      const replies = this.#reader.push(bytes)
      this.#owed -= replies.length
      this.#replies.push(...replies)
    } catch (error) {
      this.#break(describeError(error))
      return
    }
    // Taken in its turn, a 250 too many would pass for the answer to the final dot.
    const [early] = this.#owed < 0 ? this.#replies.splice(this.#owed) : []
    if (early !== undefined) this.#break(`it answered before it was asked: ${describeReply(early)}`)
    this.#deliver()
  }

  #break(why: string, cause?: unknown): void {
    this.#broken ??= temporary(this.#where, why, { inDoubt: this.#dotSent, cause })
    this.#channel.close()
    this.#flushed?.()
    this.#deliver()
  }

  #deliver(): void {
    if (this.#waiting === undefined) return
    const { resolve, reject } = this.#waiting
    const reply = this.#replies.shift()
    if (reply !== undefined) {
      this.#waiting = undefined
      resolve(reply)
    } else if (this.#broken !== undefined) {
      this.#waiting = undefined
      reject(this.#broken)
    }
  }

  /** Waits for the server as long as it is given. */
  async #wait<T>(work: Promise<T>): Promise<T> {
    const { replyMs } = this.#patience
    if (replyMs === undefined || this.#dotSent) return work
    const timer = setTimeout(() => this.#break(`no answer for ${replyMs / 1000} s`), replyMs)
    try {
      return await work
    } finally {
      clearTimeout(timer)
    }
  }

  async read(): Promise<Reply> {
    return this.#wait(
      new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject }
        this.#deliver()
      }),
    )
  }

  /** Writes and waits until the bytes are on their way: memory stays flat, so nothing that waits may hold the text. */
  write(text: string, encoding: Encoding): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken)
    const { promise, resolve } = promised()
    this.#flushed = resolve
    this.#channel.write(text, encoding, (error) => {
      if (error !== undefined) this.#break(describeError(error), error)
      resolve()
    })
    return this.#written(promise)
  }

  async #written(flushed: Promise<void>): Promise<void> {
    await this.#wait(flushed)
    if (this.#broken !== undefined) throw this.#broken
  }

  /** Sends commands and gives their replies, all at once where the server takes it (PIPELINING, RFC 2920). */
  async exchange(commands: readonly string[]): Promise<Reply[]> {
    const replies: Reply[] = []
    const groups = this.extensions.has('PIPELINING') ? [commands] : commands.map((command) => [command])
    for (const group of groups) {
      this.#owed += group.length
      await this.write(group.map((command) => `${command}\r\n`).join(''), 'utf8')
      // Many have come at once: waiting for each would cost more than reading it.
      for (const _ of group) replies.push(this.#replies.shift() ?? (await this.read()))
    }
    return replies
  }

  /** Writes what ends the message and gives its reply. What was said before the end is no answer to it. */
  async finish(end: string): Promise<Reply> {
    await eventsTaken()
    if (this.#broken !== undefined) throw this.#broken
    this.#dotSent = true
    this.#owed += 1
    const { answerMs } = this.#patience
    after(answerMs, () => this.#break(`no answer to the end of the message for ${answerMs / 1000} s`))
    await this.write(end, 'latin1')
    return this.read()
  }

  /** One command that must be answered with 2xx. */
  async expect(command: string): Promise<Reply> {
    const [reply] = await this.exchange([command])
    return this.check(reply, command.split(' ')[0] ?? command)
  }

  /** The reply itself if it is 2xx. @throws Failure (75) */
  check(reply: Reply | undefined, command: string): Reply {
    if (reply !== undefined && reply.code < 300) return reply
    throw temporary(
      this.#where,
      `${command} was answered ${reply === undefined ? 'nothing' : describeReply(reply)}`,
    )
  }

  /** Ends the connection as it is; what was not ended by its dot is no message (RFC 5321, 4.1.1.4). */
  hangUp(): void {
    this.#channel.close()
  }

  /** Says QUIT and does not wait for the answer: nothing depends on it. */
  quit(): void {
    this.#broken ??= temporary(this.#where, 'the conversation is over')
    this.#owed += 1
    this.#channel.write('QUIT\r\n', 'latin1', () => this.#channel.close())
  }
}

const XFORWARD_LINE = 512 - 'XFORWARD\r\n'.length

/** As much of an xtext as an attribute may have, with no character of it cut in two. */
function shorten(encoded: string): string {
  return encoded.length <= 255 ? encoded : encoded.slice(0, 255).replace(/\+.?$/, '')
}

/**
 * What pipe(8) has said of a client, and nothing for what Postfix does not know of it: mail that another server has handed
 * over in its name. smtpd(8) refuses XFORWARD with such an address or port, and would with every attempt.
 */
function ifKnown(value: string): string {
  return value === 'unknown' ? '' : value
}

/** XFORWARD commands with what EHLO offers, each within the line limit (XFORWARD_README). */
function xforward(offered: string, client: Client, queueId: string): string[] {
  const address = client.address.includes(':') ? `IPV6:${client.address}` : client.address
  const known: Record<string, string> = {
    NAME: ifKnown(client.name),
    ADDR: ifKnown(address),
    PORT: ifKnown(client.port),
    PROTO: ifKnown(client.proto),
    HELO: client.helo,
    IDENT: queueId,
    SOURCE: 'REMOTE',
  }
  const commands: string[] = []
  for (const name of new Set(offered.toUpperCase().split(' '))) {
    const value = known[name]
    if (value === undefined) continue
    const pair = ` ${name}=${value === '' ? '[UNAVAILABLE]' : shorten(xtext(value))}`
    const last = commands.at(-1)
    if (last !== undefined && last.length + pair.length <= XFORWARD_LINE)
      commands[commands.length - 1] = last + pair
    else commands.push(`XFORWARD${pair}`)
  }
  return commands
}

function mailFrom(transaction: Transaction, extensions: ReadonlyMap<string, string>): string {
  const utf8 = ![transaction.sender, ...transaction.recipients].every(isAscii)
  return [
    `MAIL FROM:<${transaction.sender}>`,
    extensions.has('SIZE') ? `SIZE=${transaction.size}` : '',
    extensions.has('8BITMIME') && (transaction.eightBit || utf8) ? 'BODY=8BITMIME' : '',
    utf8 ? 'SMTPUTF8' : '',
  ]
    .filter((word) => word !== '')
    .join(' ')
}

async function greet(talk: Conversation): Promise<void> {
  talk.check(await talk.read(), 'the connection')
  const hello = await talk.expect(`EHLO ${HELO_NAME}`)
  for (const line of hello.lines.slice(1)) {
    const [keyword = '', ...rest] = line.split(' ')
    talk.extensions.set(keyword.toUpperCase(), rest.join(' '))
  }
}

/**
 * Sends one message in one transaction: every RCPT before DATA, and DATA only when none of them was deferred.
 * A recipient that is refused with 5xx is handed to `onRefused` before the rest goes out; so are all of them when
 * the message itself is refused.
 * @returns the recipients that were accepted and the id of the copy
 * @throws Failure (75) with nothing sent; or, with `inDoubt`, when no answer came after the final dot
 */
export async function sendBySmtp(server: Server, transaction: Transaction): Promise<Delivery> {
  const where = `${server.host}:${server.port}`
  if (transaction.sender !== '') assertSendable(where, transaction.sender)
  for (const recipient of transaction.recipients) assertSendable(where, recipient)
  const talk = new Conversation(server)
  try {
    const delivery = await converse(talk, where, transaction)
    talk.quit()
    return delivery
  } catch (error) {
    // Not QUIT: after 354 it would be a line of the message.
    talk.hangUp()
    throw toFailure('reinject at', error, { at: where })
  }
}

function assertSendable(where: string, address: string): void {
  if (!isSendable(address))
    throw temporary(where, 'an address cannot be written into an SMTP command as it is')
}

async function converse(talk: Conversation, where: string, transaction: Transaction): Promise<Delivery> {
  await greet(talk)
  const offered = talk.extensions.get('XFORWARD')
  const { origin } = transaction
  const forward =
    origin === undefined || offered === undefined ? [] : xforward(offered, origin.client, origin.queueId)
  // Who is not in ASCII cannot be named to every server, today or tomorrow, and nobody else is to wait for that.
  const named = (address: string): boolean => talk.extensions.has('SMTPUTF8') || isAscii(address)
  if (!named(transaction.sender)) return refuseAll(transaction, transaction.recipients, NO_SMTPUTF8)
  const everyone = transaction.recipients.filter(named)
  const refused: Refusal[] = refusals(
    transaction.recipients.filter((recipient) => !named(recipient)),
    NO_SMTPUTF8,
  )
  if (everyone.length === 0) return refuseAll(transaction, transaction.recipients, NO_SMTPUTF8)
  const mail = mailFrom({ ...transaction, recipients: everyone }, talk.extensions)
  // In one go, as smtp(8) does it: each turn of the conversation costs.
  const replies = await talk.exchange([...forward, mail, ...everyone.map((to) => `RCPT TO:<${to}>`)])
  for (const reply of replies.splice(0, forward.length)) talk.check(reply, 'XFORWARD')
  const [mailReply, ...rcptReplies] = replies
  if (mailReply !== undefined && refusesMessage(mailReply))
    return refuseAll(transaction, transaction.recipients, mailReply)
  talk.check(mailReply, 'MAIL')

  const accepted: string[] = []
  for (const [index, recipient] of everyone.entries()) {
    const reply = rcptReplies[index]
    if (reply !== undefined && reply.code >= 500) refused.push({ recipient, reply: describeReply(reply) })
    else if (reply !== undefined && reply.code < 300) accepted.push(recipient)
    else {
      // Deferred: nothing at all is sent, or the retry would send to the others twice.
      await talk.exchange(['RSET']).catch(() => {})
      throw temporary(where, `RCPT was answered ${reply === undefined ? 'nothing' : describeReply(reply)}`)
    }
  }
  if (refused.length > 0) await transaction.onRefused(refused)
  if (accepted.length === 0) return { accepted, queueId: '' }

  const [go] = await talk.exchange(['DATA'])
  if (go !== undefined && refusesMessage(go)) return refuseAll(transaction, accepted, go)
  if (go?.code !== 354)
    throw temporary(where, `DATA was answered ${go === undefined ? 'nothing' : describeReply(go)}`)
  const stuffing = new DotStuffing()
  for await (const piece of transaction.open()) await talk.write(stuffing.push(piece), 'latin1')
  transaction.beforeEnd?.()
  const final = await talk.finish(stuffing.end())
  if (final.code >= 500) return refuseAll(transaction, accepted, final)
  if (final.code === 250) return { accepted, queueId: queuedAs(final) }
  // Nothing but 250 says that it was taken; nothing but 4xx says that it was not.
  const why = `the message was answered ${describeReply(final)}`
  throw temporary(where, why, { inDoubt: final.code < 400 })
}

/** Whether MAIL or DATA was refused for good: 55x is about the message, 50x about how we speak (RFC 5321, 4.2.1). */
function refusesMessage(reply: Reply): boolean {
  return reply.code >= 550
}

/** What is said of those whom no command can name to this server (RFC 6531, 3.5). */
const NO_SMTPUTF8: Reply = { code: 553, text: '5.6.7 the server does not offer SMTPUTF8', lines: [] }

function refusals(recipients: readonly string[], reply: Reply): Refusal[] {
  return recipients.map((recipient) => ({ recipient, reply: describeReply(reply) }))
}

async function refuseAll(
  transaction: Transaction,
  recipients: readonly string[],
  reply: Reply,
): Promise<Delivery> {
  await transaction.onRefused(refusals(recipients, reply))
  return { accepted: [], queueId: '' }
}
