/** Tests of seen.ts: members are told apart, also in great numbers. */
import t from 'tap'
import { DeliverySet } from '../../lib/mail/deliveryset.js'

t.test('a member is new once', (t) => {
  const seen = new DeliverySet()
  t.notOk(seen.has('mx', 'ABCDEF', 'a@b.test'))
  t.ok(seen.add('mx', 'ABCDEF', 'a@b.test'))
  t.ok(seen.has('mx', 'ABCDEF', 'a@b.test'))
  t.notOk(seen.add('mx', 'ABCDEF', 'a@b.test'))
  t.ok(seen.add('mx', 'ABCDEF', 'a@b.test', 20000), 'another round')
  t.ok(seen.add('mxA', 'BCDEF', 'a@b.test'), 'another border between texts')
  t.ok(seen.add('', '', ''))
  t.notOk(seen.add('', '', ''))
  t.equal(seen.size, 4)
  t.end()
})

t.test('300,000 members', (t) => {
  const seen = new DeliverySet()
  for (let i = 0; i < 300_000; i++) {
    if (!seen.add('mx', `4bQ8Yk2h${i % 1000}`, `user${i}@firm.test`)) t.fail(`${i} is taken for another`)
  }
  for (let i = 0; i < 300_000; i += 7) {
    if (seen.add('mx', `4bQ8Yk2h${i % 1000}`, `user${i}@firm.test`)) t.fail(`${i} was forgotten`)
  }
  t.equal(seen.size, 300_000)
  t.end()
})
