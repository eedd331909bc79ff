/** Amounts: what people read in English and in French. */
import t from 'tap'
import { ageOf, counted, grouped, shareOf, sizeOf } from '../../lib/text/amounts.js'
import { speak } from '../../lib/text/translate.js'

/** Blanks that keep a number together, as plain ones. */
function plain(text: string): string {
  return text.replace(/[\u00a0\u202f]/g, ' ')
}

function amounts(): string[] {
  return [
    grouped(12_345),
    sizeOf(900),
    sizeOf(2_500),
    sizeOf(26_214_400),
    ageOf(40_000),
    ageOf(300_000),
    ageOf(12 * 86_400_000),
    shareOf(1, 80),
    shareOf(0, 0),
    ...[0, 1, 2].map((count) => counted(count, 'one', 'many')),
  ].map(plain)
}

t.test('English, then French', async (t) => {
  t.teardown(() => speak('en', {}))
  t.strictSame(amounts(), [
    ...['12,345', '900', '2.4k', '25M', '40s', '5m', '12d', '1.3 %', '0 %', 'many', 'one', 'many'],
  ])
  speak('fr', {})
  t.strictSame(amounts(), [
    ...['12 345', '900 o', '2,4 ko', '25 Mo', '40 s', '5 min', '12 j', '1,3 %', '0 %', 'one', 'one', 'many'],
  ])
})
