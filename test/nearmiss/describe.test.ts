/** Tests of sidebyside.ts: both histories in one line, facts only, in each language. */

import t from 'tap'
import { compareUses, describeNearMiss, nearMissLines } from '../../lib/nearmiss/describe.js'
import { LIKENESSES, type UsedNeighbour } from '../../lib/nearmiss/nearmiss.js'

process.env.TZ = 'UTC'

const MARCH = Date.UTC(2026, 2, 2, 12)
const NEVER = { released: 0, lastReleasedAt: null, revokedBy: null, revokedAt: null, uses: null }
const USES = { messages: 214, since: '2024-03', last: '2026-11-20' }
const MISS: UsedNeighbour = {
  value: 'fournisseur.fr',
  kind: 'domain',
  likeness: 'added or moved label',
  history: { addedBy: 'marie', addedAt: MARCH, source: 'command', note: 'contract 2214' },
  uses: USES,
  thisOne: { value: 'fournisseur-sarl.fr', ...NEVER },
}
const OWN: UsedNeighbour = { ...MISS, value: 'corp.test', kind: 'internal', history: null, uses: null }
const RELEASED = { ...MISS.thisOne, released: 1, lastReleasedAt: MARCH }
const BOTH = { ...RELEASED, released: 2, revokedBy: 'paul', revokedAt: MARCH }
const LONG = { addedBy: 'marie', addedAt: MARCH, source: 'release 7k3m9q2x4v0a', note: 'n'.repeat(90) }

// A near miss, its line in English and in French.
const LINES: [UsedNeighbour, string, string][] = [
  [
    MISS,
    'known: fournisseur.fr (214 messages since March 2024, last on 2026-11-20, allowed by marie on 2026-03-02, contract 2214); this one: fournisseur-sarl.fr, never',
    'connu\u00a0: fournisseur.fr (214 messages depuis mars 2024, le dernier le 2026-11-20, autorisé par marie le 2026-03-02, contract 2214)\u00a0; celui-ci\u00a0: fournisseur-sarl.fr, jamais',
  ],
  [
    OWN,
    'known: corp.test (your own domain); this one: fournisseur-sarl.fr, never',
    'connu\u00a0: corp.test (votre propre domaine)\u00a0; celui-ci\u00a0: fournisseur-sarl.fr, jamais',
  ],
  [
    { ...OWN, thisOne: RELEASED },
    'known: corp.test (your own domain); this one: fournisseur-sarl.fr, released once, on 2026-03-02',
    'connu\u00a0: corp.test (votre propre domaine)\u00a0; celui-ci\u00a0: fournisseur-sarl.fr, libéré une fois, le 2026-03-02',
  ],
  [
    { ...OWN, thisOne: BOTH },
    'known: corp.test (your own domain); this one: fournisseur-sarl.fr, released 2 times, last on 2026-03-02, revoked by paul on 2026-03-02',
    'connu\u00a0: corp.test (votre propre domaine)\u00a0; celui-ci\u00a0: fournisseur-sarl.fr, libéré 2 fois, la dernière le 2026-03-02, révoqué par paul le 2026-03-02',
  ],
  [
    { ...MISS, uses: null, history: LONG },
    `known: fournisseur.fr (no message counted, allowed by marie on 2026-03-02, release 7k3m9q2x4v0a, ${'n'.repeat(80)}…); this one: fournisseur-sarl.fr, never`,
    `connu\u00a0: fournisseur.fr (aucun message compté, autorisé par marie le 2026-03-02, release 7k3m9q2x4v0a, ${'n'.repeat(80)}…)\u00a0; celui-ci\u00a0: fournisseur-sarl.fr, jamais`,
  ],
]

t.test('both histories', (t) => {
  for (const [miss, english, french] of LINES) {
    t.equal(describeNearMiss(miss), english)
    t.equal(describeNearMiss(miss, 'fr'), french)
  }
  t.end()
})

t.test('what the unknown one was used for before its rule ended', (t) => {
  const thisOne = { ...BOTH, uses: { messages: 3, since: '2026-02', last: '2026-03' } }
  t.match(
    describeNearMiss({ ...OWN, thisOne }),
    /this one: fournisseur-sarl\.fr, 3 messages since February 2026, last in March 2026, released 2 times, .*revoked by paul on 2026-03-02$/,
  )
  t.end()
})

t.test('in short, for a list', (t) => {
  const now = Date.UTC(2026, 10, 24, 12)
  t.equal(compareUses(MISS, now), 'known: 214 messages since March 2024, last on Friday; this one: never')
  t.equal(compareUses(OWN, now), 'known: your own domain; this one: never')
  t.match(compareUses({ ...MISS, thisOne: RELEASED }, now), /; this one: released once, on 2026-03-02$/)
  t.end()
})

t.test('two lines for each', (t) => {
  t.strictSame(nearMissLines([]), [])
  t.strictSame(nearMissLines([MISS, OWN]), [
    'looks like: fournisseur.fr (added or moved label)',
    `  ${describeNearMiss(MISS)}`,
    'looks like: corp.test (added or moved label)',
    `  ${describeNearMiss(OWN)}`,
  ])
  t.match(nearMissLines([MISS], 'en', Date.UTC(2026, 10, 24))[1], 'last on Friday,')
  t.match(nearMissLines([MISS], 'fr')[0], 'ressemble à\u00a0: fournisseur.fr (élément ajouté ou déplacé)')
  t.end()
})

t.test('every likeness has words of its own in each language, and none judges', (t) => {
  for (const language of ['en', 'fr'] as const) {
    const lines = LIKENESSES.map((likeness) => nearMissLines([{ ...MISS, likeness }], language).join('\n'))
    t.equal(new Set(lines).size, LIKENESSES.length, language)
    for (const line of lines) t.notMatch(line, /danger|suspic|suspect|score|risk|risque|fraud|%/i)
  }
  t.end()
})
