/** Timekeeping: a clock is believed near the last run, or once two runs agree. */
import t from 'tap'
import { believes, CONFIRM_MS, JUMP_MS, readTimekeeping } from '../lib/timekeeping.js'

const LAST = 1_800_000_000_000

t.test('near the last run, before and after it', async (t) => {
  const record = { last: LAST, doubted: null, kept: [] }
  for (const gap of [0, 3_600_000, JUMP_MS, -3_600_000, -JUMP_MS])
    t.equal(believes(record, LAST + gap), true, `${gap}`)
  for (const gap of [JUMP_MS + 1, -JUMP_MS - 1, -LAST, LAST])
    t.equal(believes(record, LAST + gap), false, `${gap}`)
})

t.test('far from it only where the run before found it so', async (t) => {
  const doubted = LAST + 30 * 86_400_000
  const record = { last: LAST, doubted, kept: [] }
  for (const later of [0, 1, CONFIRM_MS]) t.equal(believes(record, doubted + later), true, `${later}`)
  for (const later of [-1, CONFIRM_MS + 1]) t.equal(believes(record, doubted + later), false, `${later}`)
  t.equal(believes(record, LAST + 1000), true, 'and near it all the same: the clock was put right')
})

t.test('what was left is read, and nothing else', async (t) => {
  const record = { last: 1, doubted: 2, kept: ['a'] }
  t.strictSame(readTimekeeping(JSON.stringify(record)), record)
  t.strictSame(readTimekeeping('{"last":1,"doubted":"x","kept":[1,"a"]}'), {
    last: 1,
    doubted: null,
    kept: ['a'],
  })
  for (const text of [undefined, '', '{', '{}', '{"last":"1"}', '[]'])
    t.equal(readTimekeeping(text), undefined, `${text}`)
})
