/** Pseudonyms: drawn, and no addresses. */
import t from 'tap'
import { drawPseudonym } from '../../lib/mail/pseudonym.js'

t.test('each is another', async (t) => {
  const drawn = Array.from({ length: 100 }, drawPseudonym)
  for (const one of drawn) t.match(one, /^erased-[0-9a-z]{6}$/)
  t.ok(new Set(drawn).size > 98)
})
