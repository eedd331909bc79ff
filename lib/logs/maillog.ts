/**
 * The mail log: what one line of Postfix says, and which lines belong to one message. Pure.
 *
 * A line is read from the left and no further than it has to be: a quoted local part may hold `>, relay=`, and the
 * text in parentheses at the end is the remote server's to write. Nothing here is a large regular expression, since
 * a year of logs has a hundred million lines. Line and message stay in one file, long as it is: what the one finds the other joins.
 *
 * It is long because what Postfix writes of one message stands in six kinds of lines that only mean something together.
 */
import { unwrapped, unwrappedBehind } from './wrapping.js'

const DAY_MS = 86_400_000

/** Who put a message into Postfix: it matters for mail whose sender is not the company's. */
export type LogEvent =
  /** smtpd or pickup took it. `submitted` where that was a person or program of ours, not the net. */
  | {
      kind: 'taken'
      at: number
      host: string
      id: string
      submitted: boolean
      /** SASL, or empty. */
      login: string
      originalId: string
      /** The address of the client; empty of pickup. */
      client: string
    }
  | { kind: 'message-id'; at: number; host: string; id: string; messageId: string }
  | { kind: 'from'; at: number; host: string; id: string; sender: string }
  | {
      kind: 'to'
      at: number
      host: string
      id: string
      /** The program that tried: `smtp`, `lmtp`, `pipe`, `local` … */
      agent: string
      recipient: string
      relay: string
      dsn: string
      status: string
    }
  | { kind: 'removed'; at: number; host: string; id: string }
  /** A line that no syslog writes, or a line of Postfix that stops in the middle. */
  | { kind: 'broken' }

const BROKEN: LogEvent = { kind: 'broken' }

const MONTHS = new Map(
  ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].map((name, index) => [
    (name.charCodeAt(0) << 16) | (name.charCodeAt(1) << 8) | name.charCodeAt(2),
    index,
  ]),
)

/** Two digits as a number; NaN where one of them is none. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

/** 1: only of short ids, 2: only of long ids, 3: of both; other characters stand in none. */
const ID_CHARACTERS = new Uint8Array(128)
for (const letter of '0123456789ABCDEF') ID_CHARACTERS[letter.charCodeAt(0)] = 1
for (const letter of '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz') {
  const code = letter.charCodeAt(0)
  ID_CHARACTERS[code] = (ID_CHARACTERS[code] ?? 0) | 2
}

/** Whether a text is a queue id: six or more of 0-9A-F, or twelve or more of Postfix's 52 (mail_queue.h). */
function isQueueId(text: string, from: number, end: number): boolean {
  let common = 3
  for (let i = from; i < end; i++) common &= ID_CHARACTERS[text.charCodeAt(i)] ?? 0
  return (common & 1) === 1 ? end - from >= 6 : common === 2 && end - from >= 12
}

/** What may follow a queue id and matters, by its first letter. */
const WORDS: (string | undefined)[] = []
for (const word of ['client=', 'from=<', 'message-id=', 'removed', 'to=<', 'uid='])
  WORDS[word.charCodeAt(0)] = word

/**
 * Programs of Postfix that speak of messages, or often: one of these behind a slash is Postfix, whatever `syslog_name` is
 * (master(5), `man 8`).
 */
const PROGRAMS: ReadonlySet<string> = new Set(
  (
    'anvil bounce cleanup defer discard dnsblog error flush lmtp local master nqmgr oqmgr pickup pipe postdrop ' +
    'postfix-script postlogd postmap postqueue postscreen postsuper proxymap qmgr qmqpd relay retry scache sendmail ' +
    'smtp smtpd spawn tlsmgr tlsproxy trivial-rewrite verify virtual'
  ).split(' '),
)

/** How many wrappings a line may have: compose around docker's stamp around syslog's priority. */
const MOST_WRAPPINGS = 4

/** Whether an id may come back for another message: long ones carry their time and do not. */
export function isShortQueueId(id: string): boolean {
  return !/[^0-9A-F]/.test(id)
}

/** The digits of a long queue id (mail_queue.h): no vowels, so that it spells nothing. */
const DIGITS = '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz'

/**
 * When Postfix gave a message its long queue id: seconds, four digits of microseconds, `z`, the inode (mail_queue.h).
 * @returns milliseconds since 1970, or undefined of a short id, which says nothing of that and comes back
 */
export function queuedAt(id: string): number | undefined {
  const [, seconds] =
    /^([0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{6,})[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{4}z[^z]+$/.exec(id) ?? []
  if (seconds === undefined) return undefined
  return 1000 * [...seconds].reduce((sum, digit) => sum * DIGITS.length + DIGITS.indexOf(digit), 0)
}

/** Where the `>` of an address stands, quotes passed over (RFC 5321, 4.1.2); -1 if it never ends. */
function addressEnd(line: string, from: number): number {
  const close = line.indexOf('>', from)
  const quote = line.indexOf('"', from)
  if (quote < 0 || quote > close) return close
  let quoted = false
  for (let i = from; i < line.length; i++) {
    const code = line.charCodeAt(i)
    if (code === 0x22) quoted = !quoted
    else if (quoted && code === 0x5c) i++
    else if (!quoted && code === 0x3e) return i
  }
  return -1
}

/** Reads the lines of one file: what a stamp without a year means depends on when it was written. */
export class LineParser {
  readonly #latest: number
  #dateKey = -1
  #dateStart = Number.NaN
  #at = 0
  #host = ''
  /** Lines of Postfix, whatever they said. */
  postfix = 0

  /**
   * @param reference milliseconds since 1970. A stamp without a year gets the newest one that does not lie after it;
   *   one day is granted, for zones.
   */
  constructor(reference: number) {
    this.#latest = reference + DAY_MS
  }

  /**
   * What a line says, or undefined if it says nothing about a message. `at` is the time on the wall clock of the log,
   * in milliseconds as if it were UTC: people ask about their days.
   */
  parse(line: string): LogEvent | undefined {
    return this.#parse(line, MOST_WRAPPINGS)
  }

  #parse(line: string, wrappings: number): LogEvent | undefined {
    let from = 0
    if (line.charCodeAt(0) === 0x3c) {
      from = line.indexOf('>') + 1
      if (from < 3 || from > 5) return BROKEN
      if (line.startsWith('1 ', from)) return this.#structured(line, from + 2)
    }
    const host = this.#stamp(line, from)
    if (host < 0) {
      // journalctl says in lines of its own where a boot begins; an empty line says nothing.
      if (line === '' || line.startsWith('-- ') || line === '\r') return undefined
      const inner = wrappings > 0 ? unwrapped(line) : undefined
      return inner === undefined ? BROKEN : this.#parse(inner, wrappings - 1)
    }
    const hostEnd = line.indexOf(' ', host)
    if (hostEnd <= host) return BROKEN
    const tag = hostEnd + 1
    const colon = line.indexOf(': ', tag)
    const blank = line.indexOf(' ', tag)
    // More than a host and a program, or no host: something is wrapped around it, or it is no line of Postfix.
    const dot = line.indexOf('.', tag)
    const odd = blank !== colon + 1 || line.charCodeAt(hostEnd - 1) === 0x3a
    if (odd || (dot > 0 && dot < colon && /^[a-z]+[0-7]?\.[a-z]+$/.test(line.slice(tag, colon)))) {
      const stamp = line.slice(from, host - 1)
      const inner = wrappings > 0 ? unwrappedBehind(stamp, line.slice(host)) : undefined
      return inner === undefined ? undefined : this.#parse(inner, wrappings - 1)
    }
    if (colon < 0) return undefined
    // A syslog_name may be an address, with brackets of its own.
    const bracket = line.charCodeAt(colon - 1) === 0x5d ? line.lastIndexOf('[', colon) : -1
    return this.#message(line, host, hostEnd, tag, bracket > tag ? bracket : colon, colon + 2)
  }

  /** The time of a line, whatever it says; undefined where it has none. */
  stampOf(line: string): number | undefined {
    let text: string | undefined = line
    for (let left = MOST_WRAPPINGS; left >= 0 && text !== undefined; left--) {
      const [pri = ''] = /^<[0-9]{1,3}>(?:1 )?/.exec(text) ?? []
      if (this.#stamp(text, pri.length) >= 0) return this.#at
      text = unwrapped(text)
    }
    return undefined
  }

  /** RFC 5424: stamp, host, program, process, message id, structured data, message. */
  #structured(line: string, from: number): LogEvent | undefined {
    const host = this.#stamp(line, from)
    if (host < 0) return BROKEN
    const hostEnd = line.indexOf(' ', host)
    const tagEnd = line.indexOf(' ', hostEnd + 1)
    const processEnd = line.indexOf(' ', tagEnd + 1)
    const idEnd = line.indexOf(' ', processEnd + 1)
    if (hostEnd <= host || tagEnd < 0 || processEnd < 0 || idEnd < 0) return BROKEN
    let data = idEnd + 1
    if (line.charCodeAt(data) === 0x2d) data++
    else {
      while (line.charCodeAt(data) === 0x5b) {
        data = elementEnd(line, data)
        if (data < 0) return BROKEN
      }
    }
    let message = data + 1
    if (line.charCodeAt(message) === 0xfeff) message++
    return this.#message(line, host, hostEnd, hostEnd + 1, tagEnd, message)
  }

  /** Reads the stamp into #at; where the text behind it begins, or -1. */
  #stamp(line: string, from: number): number {
    const first = line.charCodeAt(from)
    let key: number
    let time: number
    let end: number
    if (first >= 0x30 && first <= 0x39) {
      // 2026-11-04T05:06:07[.fraction](Z|+01:00|+0100)
      if (line.charCodeAt(from + 4) !== 0x2d || line.charCodeAt(from + 7) !== 0x2d) return -1
      if (line.charCodeAt(from + 10) !== 0x54) return -1
      const year = two(line, from) * 100 + two(line, from + 2)
      key = year * 512 + two(line, from + 5) * 32 + two(line, from + 8)
      time = from + 11
      end = line.indexOf(' ', time + 8)
      if (end < 0 || end > time + 30) return -1
      if (key !== this.#dateKey) this.#setDate(key, year, two(line, from + 5) - 1, two(line, from + 8))
    } else {
      // Nov 04 05:06:07, the day padded with 0 or a blank
      const month = MONTHS.get((first << 16) | (line.charCodeAt(from + 1) << 8) | line.charCodeAt(from + 2))
      if (month === undefined || line.charCodeAt(from + 3) !== 0x20) return -1
      const day = line.charCodeAt(from + 4) === 0x20 ? line.charCodeAt(from + 5) - 48 : two(line, from + 4)
      key = month * 32 + day
      time = from + 7
      end = time + 8
      if (line.charCodeAt(from + 6) !== 0x20 || line.charCodeAt(end) !== 0x20) return -1
      if (key !== this.#dateKey) this.#setDate(key, undefined, month, day)
    }
    const hour = two(line, time)
    const minute = two(line, time + 3)
    const second = two(line, time + 6)
    if (line.charCodeAt(time + 2) !== 0x3a || line.charCodeAt(time + 5) !== 0x3a) return -1
    if (!(hour < 24 && minute < 60 && second <= 60)) return -1
    this.#at = this.#dateStart + ((hour * 60 + minute) * 60 + second) * 1000
    return Number.isNaN(this.#at) ? -1 : end + 1
  }

  /** One date is asked for many times in a row. */
  #setDate(key: number, year: number | undefined, month: number, day: number): void {
    this.#dateKey = key
    this.#dateStart = Number.NaN
    const latest = new Date(this.#latest).getUTCFullYear()
    // A 29 February may lie eight years back.
    for (let y = year ?? latest; y >= (year ?? latest - 8); y--) {
      const start = Date.UTC(y, month, day)
      const date = new Date(start)
      const real = date.getUTCMonth() === month && date.getUTCDate() === day
      if (real && (year !== undefined || start <= this.#latest)) {
        this.#dateStart = start
        return
      }
    }
  }

  #message(
    line: string,
    host: number,
    hostEnd: number,
    tag: number,
    tagEnd: number,
    message: number,
  ): LogEvent | undefined {
    // NAME/[sub/]program
    const slash = line.lastIndexOf('/', tagEnd - 1)
    if (slash <= tag) return undefined
    const agent = line.slice(slash + 1, tagEnd)
    const mark = line.charCodeAt(tag + 7)
    const usual = line.startsWith('postfix', tag) && (mark === 0x2f || mark === 0x2d)
    if (!usual && !PROGRAMS.has(agent)) return undefined
    this.postfix++
    // Solaris has an id of the message there.
    if (line.startsWith('[ID ', message)) message = line.indexOf('] ', message) + 2
    const colon = line.indexOf(':', message)
    const length = colon - message
    if (length < 6 || length > 40 || line.charCodeAt(colon + 1) !== 0x20) return undefined
    const text = colon + 2
    const word = WORDS[line.charCodeAt(text)]
    if (word === undefined || !line.startsWith(word, text) || !isQueueId(line, message, colon))
      return undefined
    const at = this.#at
    const id = line.slice(message, colon)
    // Nearly every line has the host of the line before.
    if (hostEnd - host !== this.#host.length || !line.startsWith(this.#host, host)) {
      this.#host = ownText(line.slice(host, hostEnd))
    }
    const name = this.#host
    if (word === 'to=<') return delivery(line, text + 4, at, name, id, agent)
    if (word === 'from=<') {
      if (!agent.endsWith('qmgr')) return undefined
      const end = addressEnd(line, text + 6)
      if (end < 0 || !line.startsWith('>, ', end)) return BROKEN
      return { kind: 'from', at, host: name, id, sender: line.slice(text + 6, end) }
    }
    if (word === 'removed') {
      // cleanup(8) of 3.10 says it of a message that never was whole: `removed (canceled)`.
      const gone = agent.endsWith('qmgr') || agent === 'cleanup'
      return gone ? { kind: 'removed', at, host: name, id } : undefined
    }
    if (word === 'message-id=') {
      // It is known by its first 200 letters: whoever sent it may have made it as long as he liked.
      const messageId = line.slice(text + 11, text + 211).trimEnd()
      return agent === 'cleanup' ? { kind: 'message-id', at, host: name, id, messageId } : undefined
    }
    if (word === 'uid=') {
      return agent === 'pickup'
        ? { kind: 'taken', at, host: name, id, submitted: true, login: '', originalId: '', client: '' }
        : undefined
    }
    if (agent !== 'smtpd') return undefined
    const login = loginIn(line, text)
    const service = /\/(?:submissions?|smtps)$/.test(line.slice(tag, slash))
    const original = line.indexOf(', orig_queue_id=', text)
    const originalId =
      original < 0 ? '' : (/^[0-9A-Za-z]{6,40}/.exec(line.slice(original + 16, original + 56))?.[0] ?? '')
    const submitted = login !== '' || service
    return { kind: 'taken', at, host: name, id, submitted, login, originalId, client: clientIn(line, text) }
  }
}

/** The address in `client=name[address]`; the name is not known here, so the bracket is. */
function clientIn(line: string, from: number): string {
  const [, address = ''] = /^client=[^\s[]*\[([0-9A-Fa-f:.]+)\]/.exec(line.slice(from, from + 400)) ?? []
  return address
}

const LOGIN = ', sasl_username='

/** The login that smtpd has noted, or empty. */
function loginIn(line: string, from: number): string {
  const at = line.indexOf(LOGIN, from)
  if (at < 0) return ''
  const start = at + LOGIN.length
  const end = line.indexOf(', ', start)
  return line.slice(start, end < 0 ? line.length : end)
}

/** Where an element of structured data ends: `[id name="value"]`, with `\"` and `\]` in values; -1 if it does not. */
function elementEnd(line: string, from: number): number {
  let quoted = false
  for (let i = from; i < line.length; i++) {
    const code = line.charCodeAt(i)
    if (code === 0x5c) i++
    else if (code === 0x22) quoted = !quoted
    else if (code === 0x5d && !quoted) return i + 1
  }
  return -1
}

/** `R>, [orig_to=<O>, ]relay=X, [more=…, ]dsn=D, status=S (text)`: fields in turn up to the status, nothing behind it. */
function delivery(line: string, from: number, at: number, host: string, id: string, agent: string): LogEvent {
  let end = addressEnd(line, from)
  if (end < 0 || !line.startsWith('>, ', end)) return BROKEN
  const recipient = line.slice(from, end)
  let field = end + 3
  if (line.startsWith('orig_to=<', field)) {
    end = addressEnd(line, field + 9)
    if (end < 0 || !line.startsWith('>, ', end)) return BROKEN
    field = end + 3
  }
  if (!line.startsWith('relay=', field)) return BROKEN
  let relay = ''
  let dsn = ''
  while (!line.startsWith('status=', field)) {
    const comma = line.indexOf(', ', field)
    if (comma < 0) return BROKEN
    if (line.startsWith('relay=', field)) relay = line.slice(field + 6, comma)
    else if (line.startsWith('dsn=', field)) dsn = line.slice(field + 4, comma)
    field = comma + 2
  }
  const blank = line.indexOf(' ', field)
  const status = line.slice(field + 7, blank < 0 ? line.length : blank)
  return { kind: 'to', at, host, id, agent, recipient, relay, dsn, status }
}

/** Whether a relay is another host: neither loopback nor a socket of our own (`private/…`), nor a transport's name. */
export function isOtherHost(relay: string): boolean {
  const [, address = ''] = /\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?$/.exec(relay) ?? []
  if (address === '' || relay.startsWith('private/')) return false
  return !/^(?:127\.|::1$|::ffff:127\.)/i.test(address)
}

/** One recipient of one message that Postfix tried to reach. */
export interface Attempt {
  /** Wall-clock milliseconds. */
  at: number
  host: string
  id: string
  /** Empty for the null sender; undefined where the log does not have its beginning. */
  sender: string | undefined
  /** Whether people or programs of ours handed it in; false where the log does not say so. */
  submitted: boolean
  /** SASL of whoever handed it in, or empty. */
  login: string
  recipient: string
  /** smtp took it to another host, or looked for one in vain: mail that leaves. */
  outward: boolean
  /** smtp, `status=sent`, `dsn=2.…`, another host. */
  delivered: boolean
  /** Where smtp took it to, as the log names it; empty for other programs, and where nobody answered. */
  relay: string
  /** By smtp, `status=sent`, `dsn=2.…`, wherever that is. */
  sent: boolean
  /** The address of the client that brought the message, or empty. */
  client: string
  /** Or empty. */
  messageId: string
  /** The queue id that the message had before it came back from a scanner that says so, or empty. */
  originalId: string
}

interface Entry {
  at: number
  sender: string | undefined
  submitted: boolean
  login: string
  client: string
  messageId: string
  originalId: string
}

const NEW_ENTRY: Omit<Entry, 'at'> = {
  sender: undefined,
  submitted: false,
  login: '',
  client: '',
  messageId: '',
  originalId: '',
}

/** How long a message may be in the queue without a word in the log: Postfix gives up after five days by default. */
const FORGET_MS = 10 * DAY_MS
const MOST_ENTRIES = 500_000

/** A text of its own: a slice would keep the whole block of the file that it was read from. */
export function ownText(text: string): string {
  return Buffer.from(text).toString()
}

/** Joins lines by host and queue id, from where a message is taken to `removed`. Memory is bounded. */
export class Tracker {
  readonly #entries = new Map<string, Entry>()
  /** Senders and logins repeat; each is kept once, and all are dropped when there are too many. */
  readonly #senders = new Map<string, string>()

  /** Takes the next event; gives the attempt if it is one. */
  take(event: LogEvent): Attempt | undefined {
    if (event.kind === 'broken') return undefined
    const key = `${event.host} ${event.id}`
    if (event.kind === 'removed') {
      this.#entries.delete(key)
      return undefined
    }
    const entry = this.#entries.get(key)
    // A short id that comes back without a `removed` in between is another message.
    const known = entry !== undefined && event.at - entry.at <= FORGET_MS ? entry : undefined
    if (event.kind === 'to') {
      const { at, host, id, recipient, agent, relay, dsn, status } = event
      const smtp = agent === 'smtp'
      const other = smtp && isOtherHost(relay)
      return {
        at,
        host,
        id,
        sender: known?.sender,
        submitted: known?.submitted ?? false,
        login: known?.login ?? '',
        recipient,
        outward: other || (smtp && relay === 'none'),
        delivered: other && status === 'sent' && dsn.startsWith('2.'),
        relay: smtp && relay !== 'none' ? relay : '',
        sent: smtp && status === 'sent' && dsn.startsWith('2.'),
        client: known?.client ?? '',
        messageId: known?.messageId ?? '',
        originalId: known?.originalId ?? '',
      }
    }
    if (event.kind === 'from') {
      // The same object is used again: copies of it would be most of what a log costs.
      const next = known ?? { ...NEW_ENTRY, at: event.at }
      next.at = event.at
      next.sender = this.#own(event.sender)
      this.#put(key, next)
    } else if (event.kind === 'message-id') {
      const next = known ?? { ...NEW_ENTRY, at: event.at }
      next.at = event.at
      next.messageId = ownText(event.messageId)
      this.#put(key, next)
    } else {
      // Behind a content filter the message has a new id; what brought it in stands at the old one.
      const original = this.#entries.get(`${event.host} ${event.originalId}`)
      const submitted = event.submitted || (original?.submitted ?? false)
      const login = this.#own(event.login || (original?.login ?? ''))
      const client = this.#own(event.client)
      const originalId = event.originalId === '' ? '' : ownText(event.originalId)
      this.#put(key, { at: event.at, sender: undefined, submitted, login, client, messageId: '', originalId })
    }
    return undefined
  }

  /** How many messages are being followed. */
  get size(): number {
    return this.#entries.size
  }

  #own(sender: string): string {
    const known = this.#senders.get(sender)
    if (known !== undefined) return known
    if (this.#senders.size >= MOST_ENTRIES) this.#senders.clear()
    const own = ownText(sender)
    this.#senders.set(own, own)
    return own
  }

  /** Entries stand in the order in which they were last touched, so the ones to forget are in front. */
  #put(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    for (const [old, { at }] of this.#entries) {
      if (entry.at - at <= FORGET_MS && this.#entries.size <= MOST_ENTRIES) break
      this.#entries.delete(old)
    }
  }
}
