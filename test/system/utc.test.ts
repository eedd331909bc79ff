/** Utc: the same words that Date would have. */
import fc from 'fast-check'
import t from 'tap'
import { utcStamp } from '../../lib/system/utc.js'

t.test('every day of 800 years, and the days around their ends', async (t) => {
  const day = 86_400_000
  const wrong: number[] = []
  for (let at = Date.UTC(1900, 0, 1); at < Date.UTC(2700, 0, 1); at += day) {
    for (const moment of [at, at - 1])
      if (utcStamp(moment) !== new Date(moment).toISOString()) wrong.push(moment)
  }
  t.same(wrong, [])
})

t.test('any moment', async () => {
  const years = { min: Date.UTC(0, 2, 1), max: Date.UTC(9999, 11, 31, 23, 59, 59, 999) }
  fc.assert(fc.property(fc.integer(years), (at) => utcStamp(at) === new Date(at).toISOString()))
})
