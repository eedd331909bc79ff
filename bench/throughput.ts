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
  const plans: { way: Way; messages: number; rates: number[] }[] = []
  for (const way of server.ways) {
    say(`trying: ${way.name}`)
    await server.send(way, WARMUP)
    const rate = WARMUP / (await server.send(way, WARMUP))
    plans.push({ way, messages: Math.round(Math.min(5000, Math.max(WARMUP, rate * seconds))), rates: [] })
  }
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`)
    // There and back again: no way always follows the same one.
    for (const { way, messages, rates } of round % 2 === 0 ? plans : plans.toReversed()) {
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
