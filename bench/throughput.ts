/** Messages a second through a private Postfix, by each way, from the first connection to the arrival of the last message. */
import type { Mailserver, Way } from './mailserver.js'
import { Others } from './rounds.js'
import { type Figure, figure } from './statistics.js'

export interface Throughput {
  rounds: number
  ways: { name: string; rates: number[]; rate: Figure; messages: number }[]
  missing: { name: string; why: string }[]
  /** Messages that Postfix had to try again, and the first of its lines. */
  deferred: string[]
  others: number
  load: [number, number]
}

/**
 * A way of more messages a second is measured in pieces, so many a round and of so much of a round's time: from one
 * second to the next it is a fifth faster or slower.
 */
const FAST = 100
const PIECES = 6
const PIECE = 1 / 3

interface Plan {
  way: Way
  isFast: boolean
  /** At a time. */
  messages: number
  rates: number[]
}

/** The first messages start what they need, and tell how many a round can take. */
const WARMUP = 60

export async function measureThroughput(
  server: Mailserver,
  quick: boolean,
  say: (text: string) => void,
): Promise<Throughput> {
  const rounds = quick ? 3 : 7
  const seconds = quick ? 2.5 : 5
  const others = new Others()
  const plans: Plan[] = []
  for (const way of server.ways) {
    say(`trying: ${way.name}`)
    await server.send(way, WARMUP)
    const rate = WARMUP / (await server.send(way, WARMUP))
    const isFast = rate > FAST
    const share = isFast ? seconds * PIECE : seconds
    const messages = Math.round(Math.min(5000, Math.max(WARMUP, rate * share)))
    plans.push({ way, isFast, messages, rates: [] })
  }
  const fast = plans.filter(({ isFast }) => isFast)
  // The same number of each: what begins a measure and what ends it weighs more in a short one.
  const most = Math.max(...fast.map(({ messages }) => messages))
  for (const plan of fast) plan.messages = most
  const slow = plans.filter(({ isFast }) => !isFast)
  const part = Math.ceil(slow.length / PIECES)
  const course = Array.from({ length: PIECES }, (_, at) => [
    ...fast,
    ...slow.slice(at * part, (at + 1) * part),
  ]).flat()
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`)
    // There and back again: no way always follows the same one.
    for (const { way, messages, rates } of round % 2 === 0 ? course : course.toReversed()) {
      // Postfix ends what has had no work for a hundred seconds, and what starts it again is not what is measured.
      await server.send(way, Math.min(WARMUP, Math.ceil(messages / 4)))
      await others.look()
      rates.push(messages / (await server.send(way, messages)))
    }
  }
  const ways = plans.map(({ way, messages, rates }) => ({
    name: way.name,
    rates,
    rate: figure(rates),
    messages,
  }))
  const { missing } = server
  return { rounds, ways, missing, deferred: server.deferrals(), others: others.busy, load: others.load }
}
