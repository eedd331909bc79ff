/** The benchmark of near misses: what one recipient costs beside a landscape of 100,000 rules. */
import { type Known, KnownDomains } from '../lib/nearmiss/nearmiss.js'

const RULES = 100_000
const ROUNDS = 15

/** The same numbers each time (Lehmer, MINSTD). */
function makeRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return Math.floor((state / 2_147_483_647) * below)
  }
}

/** Names made of syllables: pronounceable, so more alike than random letters are. One in three is an address. */
export function makeNames(count: number, seed: number): string[] {
  const random = makeRandom(seed)
  const pick = (words: string): string => words.split(' ')[random(words.split(' ').length)] ?? ''
  const values = new Set<string>()
  while (values.size < count) {
    let label = ''
    for (let left = 2 + random(4); left > 0; left--)
      label += pick('b d f g l m n p r s t v br tr') + pick('a e i o u ou')
    if (random(6) === 0) label += `-${pick('sarl group france sas')}`
    const domain = `${label}.${pick('com fr de co.uk net org')}`
    values.add(random(3) === 0 ? `person${random(1000)}@${domain}` : domain)
  }
  return [...values]
}

function makeKnown(): Known[] {
  return makeNames(RULES, 7).map((value) => ({ value, kind: value.includes('@') ? 'address' : 'domain' }))
}

const RECIPIENTS = [
  'x@x.com',
  'x@bade.fr',
  'x@bade-sarl.fr',
  'x@supplier.com',
  'x@xn--80ak6aa92e.com',
  'jean.dupont@mail.fournisseur-industrie.fr',
]

/** Prints what loading costs, and the first and the median look-up of each recipient, in milliseconds. */
export function benchNearMisses(): void {
  const known = makeKnown()
  const start = performance.now()
  const landmarks = new KnownDomains(known)
  console.log(`\nnear misses among ${RULES} rules: loaded in ${(performance.now() - start).toFixed(0)} ms\n`)
  for (const recipient of RECIPIENTS) {
    const times = Array.from({ length: ROUNDS }, () => {
      const before = performance.now()
      landmarks.near(recipient)
      return performance.now() - before
    })
    const median = times.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN
    const [first = Number.NaN] = times
    console.log(
      `${recipient.padEnd(44)} first ${first.toFixed(1)} ms, median ${median.toFixed(1)} ms, ` +
        `${landmarks.compared} domains compared`,
    )
  }
}
