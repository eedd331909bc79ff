/**
 * Makes four weeks of a company's mail logs, as Postfix writes them: 200 people, 3,000 correspondents of whom a few
 * are used often and most seldom, some new every day and some written to once, and in the fourth week an attacker's twenty messages. The same
 * seed makes the same bytes. `node dist/examples/make-logs.js FOLDER [MESSAGES] [SEED]`
 */
import { once } from 'node:events'
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const INTERNAL = 'company.example'
const DAY_MS = 86_400_000
/** A Monday. */
const START = Date.UTC(2026, 9, 5)
const STAFF = 200
const CORRESPONDENTS = 3_000
/** Correspondents who appear in the course of the four weeks; the others are there from the start. */
const NEWCOMERS = 300
/** Of the recipients, the share that is written to once and never again: a quote, an applicant, a lost umbrella. */
const ONCE = 0.002
const FREEMAIL = ['gmail.com', 'outlook.com', 'gmx.de', 'orange.fr', 'yahoo.com', 'libero.it']
const SUFFIXES = ['example', 'co.example', 'example', 'test', 'example']

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const SYLLABLES = 'ba de fi go lu mar nel or pa qui ros sa ter ul ven wal xi yor zan bri cor dal'.split(' ')

export interface Attack {
  at: string
  queueId: string
  sender: string
  recipient: string
  /** What it does: a look-alike, or a stranger. */
  how: string
}

export interface Logs {
  /** The lines of one week, one block a day. */
  week: (number: number) => Iterable<string>
  attacks: () => Attack[]
}

interface Line {
  at: number
  text: string
}

interface Message {
  at: number
  sender: string
  recipients: string[]
  attack: boolean
}

/** Makes the logs; nothing is written. @param messages in four weeks, without the attacker's */
export function makeLogs(messages: number, seed: number): Logs {
  const random = chance(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const word = (syllables: number): string =>
    Array.from({ length: syllables }, () => pick(SYLLABLES)).join('')
  const unique = new Set<string>()
  const fresh = (make: () => string): string => {
    for (;;) {
      const text = make()
      if (unique.has(text)) continue
      unique.add(text)
      return text
    }
  }
  const person = (): string => `${word(2)}.${word(2 + below(2))}`

  const staff = Array.from({ length: STAFF }, () => fresh(() => `${person()}@${INTERNAL}`))
  // Firms have one person we write to, or several: about 1,200 domains for 3,000 people.
  const firms: string[] = []
  const people: { address: string; from: number }[] = []
  while (people.length < CORRESPONDENTS) {
    if (random() < 0.07) {
      people.push({ address: fresh(() => `${person()}${below(90)}@${pick(FREEMAIL)}`), from: 0 })
      continue
    }
    const firm = fresh(() => `${word(2 + below(3))}.${pick(SUFFIXES)}`)
    firms.push(firm)
    const size = random() < 0.5 ? 1 : 2 + Math.floor(random() ** 3 * 14)
    for (let i = 0; i < size && people.length < CORRESPONDENTS; i++) {
      people.push({ address: fresh(() => `${person()}@${firm}`), from: 0 })
    }
  }
  // Who is used often has nothing to do with the firm; how often falls with the rank (Zipf).
  for (let i = people.length - 1; i > 0; i--) {
    const j = below(i + 1)
    const [a, b] = [people[i], people[j]]
    if (a !== undefined && b !== undefined) {
      people[i] = b
      people[j] = a
    }
  }
  // Newcomers stand in the lower half: nobody is written to every day from the first day on.
  for (let i = 0; i < NEWCOMERS; i++) {
    const newcomer = people[CORRESPONDENTS / 2 + below(CORRESPONDENTS / 2)]
    if (newcomer !== undefined) newcomer.from = Math.floor(random() * 28)
  }
  const weights: number[] = []
  let total = 0
  for (let rank = 0; rank < people.length; rank++) {
    total += 1 / (rank + 10) ** 0.9
    weights.push(total)
  }
  const correspondent = (day: number): string => {
    for (;;) {
      const point = random() * total
      let low = 0
      let high = weights.length - 1
      while (low < high) {
        const middle = (low + high) >> 1
        if ((weights[middle] ?? 0) < point) low = middle + 1
        else high = middle
      }
      const chosen = people[low]
      if (chosen !== undefined && chosen.from <= day) return chosen.address
    }
  }

  const attacks: Attack[] = []
  /** Whom the attacker wants mail to go to: names beside those of firms, and names nobody knows. */
  const victims: [recipient: string, how: string][] = []
  const beside: [string, (label: string, suffix: string) => string][] = [
    ['a hyphen and a word', (label, suffix) => `${label}-group.${suffix}`],
    [
      'a digit for a letter',
      (label, suffix) =>
        `${label.replace(/[oleas]/, (c) => ({ o: '0', l: '1', e: '3', a: '4', s: '5' })[c] ?? c)}.${suffix}`,
    ],
    [
      'two letters swapped',
      (label, suffix) => `${label[0]}${label[2]}${label[1]}${label.slice(3)}.${suffix}`,
    ],
    ['another suffix', (label) => `${label}.invoices.example`],
    ['a letter twice', (label, suffix) => `${label.slice(0, 3)}${label[2]}${label.slice(3)}.${suffix}`],
    ['a letter missing', (label, suffix) => `${label.slice(0, 2)}${label.slice(3)}.${suffix}`],
  ]
  while (victims.length < 12) {
    const [how, alter] = beside[victims.length % beside.length] as (typeof beside)[number]
    const { address } = people[below(200)] as { address: string }
    const [local = '', domain = ''] = address.split('@')
    const dot = domain.indexOf('.')
    const altered = alter(domain.slice(0, dot), domain.slice(dot + 1))
    if (FREEMAIL.includes(domain) || altered === domain || unique.has(altered)) continue
    unique.add(altered)
    victims.push([`${local}@${altered}`, how])
  }
  while (victims.length < 17) victims.push([fresh(() => `${person()}@${word(5)}.example`), 'a stranger'])
  while (victims.length < 20) {
    const { address } = people[below(200)] as { address: string }
    victims.push([
      fresh(() => `${address.split('@')[0]}.office@${pick(FREEMAIL)}`),
      'a known name at a freemail domain',
    ])
  }

  /** The messages of one day, in the order of their times. */
  function* day(number: number): Generator<Message> {
    const weekend = number % 7 >= 5
    const share = weekend ? 0.02 / 8 : 0.98 / 20
    const made: Message[] = []
    const count = Math.round(messages * share * (0.9 + random() * 0.2))
    for (let i = 0; i < count; i++) {
      // From eight to six, most of it before and after noon.
      const hour = 8 + 5 * (random() + random())
      const at = START + number * DAY_MS + Math.floor(hour * 3_600_000)
      const many = random() < 0.12 ? 2 + below(3) : 1
      const recipients = new Set(
        Array.from({ length: many }, () =>
          random() < ONCE ? fresh(() => `${person()}@${word(3 + below(2))}.example`) : correspondent(number),
        ),
      )
      made.push({ at, sender: pick(staff), recipients: [...recipients], attack: false })
    }
    if (number >= 21 && number < 26) {
      for (const [recipient] of victims.slice((number - 21) * 4, (number - 20) * 4)) {
        const at = START + number * DAY_MS + Math.floor((9 + random() * 8) * 3_600_000)
        made.push({ at, sender: pick(staff), recipients: [recipient], attack: true })
      }
    }
    yield* made.sort((a, b) => a.at - b.at)
  }

  const ALPHABET = '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz'
  let serial = 0
  const queueId = (): string => {
    let rest = serial++
    let text = ''
    for (let i = 0; i < 6; i++) {
      text = `${ALPHABET[rest % 52]}${text}`
      rest = Math.floor(rest / 52)
    }
    return `4d${text}z${ALPHABET[below(52)]}${ALPHABET[below(52)]}${ALPHABET[below(52)]}`
  }
  const relayOf = new Map<string, string>()
  const relay = (address: string): string => {
    const domain = address.slice(address.lastIndexOf('@') + 1)
    let text = relayOf.get(domain)
    if (text === undefined) {
      text = `mx.${domain}[198.51.100.${1 + below(250)}]:25`
      relayOf.set(domain, text)
    }
    return text
  }

  /** The lines of one message. One in five goes through the gate and has two halves. */
  function tell({ at, sender, recipients, attack }: Message, out: Line[]): void {
    const process = 1000 + below(9000)
    let now = at
    const say = (agent: string, words: string): void => {
      now += below(40)
      const text = `${new Date(now).toISOString().slice(0, -1)}000+00:00 mx1 postfix/${agent}[${process}]: ${words}\n`
      out.push({ at: now, text })
    }
    let id = queueId()
    const host = `pc${below(STAFF)}.${INTERNAL}`
    const client = `${host}[192.0.2.${below(250)}]`
    const size = 1500 + below(90_000)
    say('submission/smtpd', `connect from ${client}`)
    const login = sender.split('@')[0]
    say('submission/smtpd', `${id}: client=${client}, sasl_method=PLAIN, sasl_username=${login}`)
    say('cleanup', `${id}: message-id=<${id}.${below(1e9)}@${host}>`)
    say('qmgr', `${id}: from=<${sender}>, size=${size}, nrcpt=${recipients.length} (queue active)`)
    say(
      'submission/smtpd',
      `disconnect from ${client} ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8`,
    )
    if (random() < 0.2) {
      const next = queueId()
      say('toeh-reinject/smtpd', 'connect from localhost[127.0.0.1]')
      say('toeh-reinject/smtpd', `${next}: client=${client}, orig_queue_id=${id}, orig_client=${client}`)
      say('cleanup', `${next}: message-id=<${id}.${below(1e9)}@${host}>`)
      say('qmgr', `${next}: from=<${sender}>, size=${size + 400}, nrcpt=${recipients.length} (queue active)`)
      for (const recipient of recipients) {
        say(
          'pipe',
          `${id}: to=<${recipient}>, relay=toeh, delay=0.3, delays=0.1/0/0/0.2, dsn=2.0.0, status=sent (delivered via toeh service (toeh observes: passed ${recipients.length} as ${next}))`,
        )
      }
      say('qmgr', `${id}: removed`)
      id = next
    }
    for (const recipient of recipients) {
      const to = `${id}: to=<${recipient}>, relay=`
      const outcome = random()
      if (!attack && outcome < 0.004) {
        say(
          'smtp',
          `${to}${relay(recipient)}, delay=1.1, delays=0.1/0/0.5/0.5, dsn=5.1.1, status=bounced (host ${relay(recipient).replace(/:25$/, '')} said: 550 5.1.1 <${recipient}>: user unknown (in reply to RCPT TO command))`,
        )
        continue
      }
      if (outcome < 0.02) {
        const mx = relay(recipient).replace(/\[.*/, '')
        say(
          'smtp',
          `${to}none, delay=30, delays=0.1/0/30/0, dsn=4.4.1, status=deferred (connect to ${mx}[198.51.100.9]:25: Connection timed out)`,
        )
        now += 900_000
        say('qmgr', `${id}: from=<${sender}>, size=${size}, nrcpt=1 (queue active)`)
      }
      say(
        'smtp',
        `${to}${relay(recipient)}, delay=1.4, delays=0.1/0.01/0.6/0.7, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ${(below(0xffffff) + 0x1000000).toString(16).toUpperCase()})`,
      )
    }
    say('qmgr', `${id}: removed`)
    if (attack) {
      const [recipient = ''] = recipients
      const how = victims.find(([victim]) => victim === recipient)?.[1] ?? ''
      attacks.push({ at: new Date(at).toISOString(), queueId: id, sender, recipient, how })
    }
  }

  return {
    *week(number) {
      for (let index = number * 7; index < number * 7 + 7; index++) {
        const lines: Line[] = []
        for (const message of day(index)) tell(message, lines)
        // Messages overlap, as they do in a log.
        lines.sort((a, b) => a.at - b.at)
        yield lines.map(({ text }) => text).join('')
      }
    },
    attacks: () => attacks,
  }
}

/** Writes mail.log.week1 to mail.log.week4 and attacker.json. */
export async function writeLogs(folder: string, messages: number, seed: number): Promise<Attack[]> {
  mkdirSync(folder, { recursive: true })
  const logs = makeLogs(messages, seed)
  for (let week = 0; week < 4; week++) {
    const file = createWriteStream(join(folder, `mail.log.week${week + 1}`))
    for (const block of logs.week(week)) {
      if (!file.write(block)) await once(file, 'drain')
    }
    await new Promise<void>((done) => file.end(done))
  }
  const attacks = logs.attacks()
  writeFileSync(join(folder, 'attacker.json'), `${JSON.stringify(attacks, null, 2)}\n`)
  return attacks
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === import.meta.filename) {
  const [folder, messages = '100000', seed = '1'] = process.argv.slice(2)
  if (folder === undefined || !/^[0-9]{1,8}$/.test(messages) || !/^[0-9]{1,9}$/.test(seed)) {
    process.stderr.write('usage: node dist/examples/make-logs.js FOLDER [MESSAGES] [SEED]\n')
    process.exitCode = 2
  } else {
    const attacks = await writeLogs(folder, Number(messages), Number(seed))
    process.stdout.write(`${folder}: four weeks; ${attacks.length} of the attacker's in attacker.json\n`)
  }
}
