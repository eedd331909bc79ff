/** What commands cost as the hold grows: the same installation, filled with ten times as many messages each time. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { holdIdOf } from '../lib/hold/id.js'
import { Lab, TOEH } from '../test/support/lab.js'
import { BARE } from './baselines.js'
import { makeNames } from './nearmiss.js'
import { filterCommand, makeMessage } from './processes.js'
import { type Command, Others, type Runs, runRounds } from './rounds.js'
import { startFastSink } from './sink.js'
import { type Figure, figure } from './statistics.js'

const RULES = 10_000
const SENDERS = 200
const DAY_MS = 86_400_000
const MESSAGE = makeMessage(300)
const SHA256 = createHash('sha256').update(MESSAGE).digest('hex')

export interface Growth {
  rounds: number
  sizes: number[]
  /** Processor milliseconds at each size; `all`: it has to go through everything that waits, one by one. */
  rows: { name: string; all: boolean; cpu: Figure[]; wall: Figure[] }[]
  others: number
  load: [number, number]
}

/** Strangers; one in ten is like somebody known, but for a letter, so that near misses are found. */
function makeStrangers(known: readonly string[], count: number): string[] {
  return makeNames(count, 11).map((name, index) => {
    const domain = name.slice(name.indexOf('@') + 1)
    const other = known[index % known.length] ?? ''
    const alike = other.slice(other.indexOf('@') + 1).replace(/[aeiou]/, 'y')
    return `person${index}@${index % 10 === 0 ? alike : domain}`
  })
}

/**
 * Fills the hold as the filter would have: messages `from` to `to`, each with its folder and one recipient who waits,
 * and as many that are settled, of which only rows are left.
 * @returns the ids of those that wait
 */
function fillHold(lab: Lab, strangers: readonly string[], from: number, to: number, now: number): string[] {
  const ids: string[] = []
  const db = lab.openDatabase()
  const client = JSON.stringify({
    address: '192.0.2.7',
    name: 'pc.corp.test',
    port: '',
    proto: 'ESMTP',
    helo: '',
    saslUser: '',
  })
  const insertHold = `INSERT INTO hold (id, queue_id, sender, sha256, size, subject, message_id, client, held_at, expires_at, notified_at)
    VALUES (?, ?, ?, ?, ?, 'bench', '<bench@corp.test>', ?, ?, ?, ?)`
  const insertRecipient = `INSERT INTO recipient (hold, address, state, reason, detail, queue_id, changed_by, changed_at)
    VALUES (?, ?, ?, 'unknown', '', '', 'toeh-filter', ?)`
  db.transaction(() => {
    for (let index = from; index < to; index++) {
      const recipient = strangers[index] ?? ''
      const sender = `person${index % SENDERS}@corp.test`
      for (const waits of [true, false]) {
        const queueId = `4bench${waits ? 'W' : 'S'}${index}`
        const id = holdIdOf(queueId, sender, SHA256)
        const heldAt = now - ((index * 7919) % DAY_MS) - (waits ? 0 : 60 * DAY_MS)
        const expiresAt = heldAt + 30 * DAY_MS
        const values = [id, queueId, sender, SHA256, MESSAGE.length, client, heldAt, expiresAt, heldAt]
        db.run(insertHold, ...values)
        db.run(
          insertRecipient,
          id,
          recipient,
          waits ? 'held' : index % 2 === 0 ? 'released' : 'rejected',
          heldAt,
        )
        if (!waits) continue
        ids.push(id)
        const folder = join(lab.state, 'hold', id)
        mkdirSync(folder, { mode: 0o700 })
        writeFileSync(join(folder, 'message.eml'), MESSAGE, { mode: 0o600 })
        const recipients = [{ address: recipient, state: 'held', reason: 'unknown', detail: '' }]
        const envelope = {
          id,
          queueId,
          sender,
          sha256: SHA256,
          size: MESSAGE.length,
          subject: 'bench',
          messageId: '<bench@corp.test>',
        }
        const rest = { client: JSON.parse(client), heldAt, expiresAt, recipients }
        writeFileSync(join(folder, 'envelope.json'), JSON.stringify({ ...envelope, ...rest }), {
          mode: 0o600,
        })
      }
    }
  })
  db.close()
  return ids
}

/** The commands at one size. Those that settle a message take each its own. */
function commandsAt(
  lab: Lab,
  input: string,
  ids: string[],
  runs: number,
): { one: Record<string, Command>; all: Record<string, Command> } {
  const take = (): string[] => ids.splice(0, runs)
  const toeh = (...args: string[]): Command => ({
    argv: [process.execPath, TOEH, ...args, '--config', lab.config],
    input,
    environment: { TZ: 'UTC', HOME: '/' },
  })
  const change = (sql: string): string[] => ['sqlite3', join(lab.state, 'toeh.db'), sql]
  const due = change(`UPDATE hold SET expires_at = held_at + 1 WHERE id = '%I'`)
  const dayAfter = change(`DELETE FROM progress WHERE name = 'folders compared'`)
  return {
    one: {
      [BARE]: { argv: [process.execPath, join(lab.dir, 'empty.cjs')], input },
      'toeh-filter, known': filterCommand(lab, input, ['a@client.test']),
      'toeh-filter, unknown': filterCommand(lab, input, ['a@stranger.test']),
      'toeh show': { ...toeh('show', '%I'), items: take() },
      'toeh release': { ...toeh('release', '%I'), items: take() },
      'toeh reject': { ...toeh('reject', '%I', '--quiet'), items: take() },
      'toeh cleanup, one due': { ...toeh('cleanup'), prepare: due, items: take() },
      'toeh cleanup, none due': toeh('cleanup'),
      'toeh list': toeh('list'),
      'toeh report': toeh('report'),
      'toeh metrics': toeh('metrics'),
    },
    all: {
      'toeh cleanup, once a day': { ...toeh('cleanup'), prepare: dayAfter },
      'toeh list --json': toeh('list', '--json'),
    },
  }
}

export async function measureGrowth(
  dir: string,
  quick: boolean,
  say: (text: string) => void,
): Promise<Growth> {
  const sizes = quick ? [100, 1_000, 10_000] : [100, 1_000, 10_000, 100_000]
  const rounds = quick ? 5 : 11
  const warmup = 1
  const sink = await startFastSink()
  try {
    // A limit that is not reached: it has to be looked at.
    const settings = `reinject = "smtp:127.0.0.1:${sink.port}"\n[notice]\nenabled = false\n[limits]\nhold_messages = 1000000\n`
    const lab = new Lab(dir, settings)
    await lab.allow('client.test')
    const known = makeNames(RULES, 7)
    await lab.allow(...known)
    const strangers = makeStrangers(known, sizes.at(-1) ?? 0)
    const input = join(dir, 'bench.eml')
    writeFileSync(input, makeMessage(3_000))
    writeFileSync(join(dir, 'empty.cjs'), '')
    const others = new Others()
    const now = Date.now()
    const found: { all: boolean; runs: Record<string, Runs> }[][] = []
    let filled = 0
    for (const size of sizes) {
      say(`a hold of ${size}`)
      const ids = fillHold(lab, strangers, filled, size, now)
      filled = size
      // What takes one at a time leaves the hold as full as it was, but for a few.
      const { one, all } = commandsAt(lab, input, ids, rounds + warmup)
      found.push([
        { all: false, runs: await runRounds(one, { rounds, warmup }, others) },
        { all: true, runs: await runRounds(all, { rounds: size < 100_000 ? 3 : 1, warmup: 0 }, others) },
      ])
    }
    const [first = []] = found
    const rows = first.flatMap(({ all, runs }, place) =>
      Object.keys(runs).map((name) => {
        const at = found.map((bySize) => bySize[place]?.runs[name])
        return {
          name,
          all,
          cpu: at.map((of) => figure(of?.cpu ?? [])),
          wall: at.map((of) => figure(of?.wall ?? [])),
        }
      }),
    )
    return { rounds, sizes, rows, others: others.busy, load: others.load }
  } finally {
    sink.server.close()
  }
}
