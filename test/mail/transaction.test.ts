/** The parcel: how long the answer to the end of a message is waited for. */
import t from 'tap'
import { ANSWER_MS } from '../../lib/mail/transaction.js'

t.test('as RFC 5321, 4.5.3.2.6, asks: ten minutes, for less would send second copies', (t) => {
  t.equal(ANSWER_MS, 10 * 60 * 1000)
  t.end()
})
