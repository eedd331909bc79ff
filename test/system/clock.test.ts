/** Timekeeping: a clock is believed where it goes on as it should, or once it has stood for an hour that cannot be set. */
import t from 'tap'
import {
  believes,
  CONFIRM_MS,
  CONFIRM_UNKEPT_MS,
  DOUBT_MS,
  DRIFT_MS,
  doubtOf,
  JUMP_MS,
  type Moment,
  readTimekeeping,
  type Timekeeping,
} from '../../lib/system/clock.js'

const AT = 1_800_000_000_000
const UP = 50 * 86_400_000
const DAY = 86_400_000

/** A moment so much later by the clock, and so much later by the boot's. */
const later = (from: Moment, clock: number, boot: number): Moment => ({
  ...from,
  at: from.at + clock,
  uptime: from.uptime + boot,
})
const last: Moment = { at: AT, boot: 'one', uptime: UP }
/** The same clock, in another boot that is so old. */
const rebooted = (clock: number, uptime: number, boot = 'two'): Moment => ({ at: AT + clock, boot, uptime })
const record = (doubted: Moment | null = null): Timekeeping => ({ last, doubted, kept: [] })

t.test('within one boot the clock has to go on as fast as the one that cannot be set', async (t) => {
  for (const [clock, boot] of [
    [0, 0],
    [DAY, DAY],
    [90 * DAY, 90 * DAY], // Cleanup was off: nothing has jumped.
    [DAY + DRIFT_MS, DAY],
    [DAY - DRIFT_MS, DAY],
  ] as const)
    t.equal(believes(record(), later(last, clock, boot), undefined), true, `${clock} ${boot}`)
  for (const [clock, boot] of [
    [40 * DAY, 600],
    [(20 * DAY) / 24, 600], // Less than a day, and a jump all the same.
    [DAY + DRIFT_MS + 1, DAY],
    [-DAY, 600],
    [0, 40 * DAY],
    [-AT, 0],
  ] as const)
    t.equal(believes(record(), later(last, clock, boot), undefined), false, `${clock} ${boot}`)
})

t.test('after another boot it is about a day from the last run at the most', async (t) => {
  for (const gap of [0, 3_600_000, JUMP_MS, -3_600_000, -JUMP_MS])
    t.equal(believes(record(), rebooted(gap, 60_000), undefined), true, `${gap}`)
  for (const gap of [JUMP_MS + 1, -JUMP_MS - 1, -AT, AT])
    t.equal(believes(record(), rebooted(gap, 60_000), undefined), false, `${gap}`)
  const nameless = { ...last, boot: '' }
  t.equal(believes({ ...record(), last: nameless }, later(nameless, JUMP_MS, 0), undefined), true)
  t.equal(believes({ ...record(), last: nameless }, later(nameless, JUMP_MS + 1, 0), undefined), false)
})

t.test('a doubt is settled by an hour that cannot be set, and by nothing else', async (t) => {
  const doubted = later(last, 40 * DAY, 600)
  const seen = (clock: number, boot: number, isKept?: boolean): boolean =>
    believes(record(doubted), later(doubted, clock, boot), isKept)
  t.equal(seen(0, 600), false, 'a moment later')
  t.equal(seen(CONFIRM_MS, 600), false, 'an hour by the clock alone')
  t.equal(seen(CONFIRM_MS, CONFIRM_MS - 1), false)
  t.equal(seen(CONFIRM_MS, CONFIRM_MS), true)
  t.equal(seen(9 * DAY, 9 * DAY), true)
  t.equal(seen(20 * DAY, CONFIRM_MS), false, 'it was set once more')
  t.equal(seen(CONFIRM_MS, CONFIRM_MS, true), true)
  t.equal(seen(CONFIRM_MS, CONFIRM_MS, false), false, 'the system says that it is not synchronised')
  t.equal(seen(CONFIRM_UNKEPT_MS, CONFIRM_UNKEPT_MS, false), true, 'where no server of time can be reached')
  t.equal(believes(record(doubted), later(last, 1000, 1000), false), true, 'it was put right')
})

t.test('a doubt of an earlier boot needs an hour of this one', async (t) => {
  const doubted = rebooted(40 * DAY, 60_000)
  const seen = (gap: number, uptime: number, isKept?: boolean): boolean =>
    believes(record(doubted), { at: doubted.at + gap, boot: 'three', uptime }, isKept)
  t.equal(seen(600_000, 60_000), false, 'two boots within minutes')
  t.equal(seen(600_000, CONFIRM_MS - 1), false)
  t.equal(seen(DAY, CONFIRM_MS), true)
  t.equal(seen(DAY, CONFIRM_MS, false), false)
  t.equal(seen(DOUBT_MS, CONFIRM_MS), true)
  t.equal(seen(DOUBT_MS + 1, CONFIRM_MS), false)
  t.equal(seen(-1, CONFIRM_MS), false)
})

t.test('the first doubt stays as long as the clock stands as it did', async (t) => {
  const doubted = later(last, 40 * DAY, 600)
  t.equal(doubtOf(record(), doubted), doubted)
  t.equal(doubtOf(record(doubted), later(doubted, 600_000, 600_000)), doubted, 'a run every ten minutes')
  const again = later(doubted, 20 * DAY, 600_000)
  t.equal(doubtOf(record(doubted), again), again)
})

t.test('what was left is read, and nothing else', async (t) => {
  const whole = { last, doubted: later(last, 1, 1), kept: ['a'] }
  t.strictSame(readTimekeeping(JSON.stringify(whole)), whole)
  t.strictSame(
    readTimekeeping('{"last":1,"doubted":2,"kept":[1,"a"]}'),
    { last: { at: 1, boot: '', uptime: 0 }, doubted: null, kept: ['a'] },
    'of an earlier version',
  )
  t.match(readTimekeeping(JSON.stringify({ ...whole, doubted: 'x' })), { doubted: null })
  for (const text of [undefined, '', '{', '{}', '{"last":"1"}', '[]', '{"last":{"at":1}}'])
    t.equal(readTimekeeping(text), undefined, `${text}`)
})
