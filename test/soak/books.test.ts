/** The books themselves: what they let pass of a copy to somebody who waits or has waited, and what not. */
import t from 'tap'
import { park, unknown } from '../support/held.js'
import { makeLab } from '../support/lab.js'
import { type Books, balance } from './books.js'
import type { Kill } from './killer.js'

const QUEUE_ID = '4bQ8Yk2hJnz1'
const KILLED: Kill[] = [{ victim: 'filter', pid: 1, queueId: QUEUE_ID }]
/** When the run began that parks. */
const PARKED = 1000

type Entry = [
  what: string,
  to: string,
  isReleased: boolean,
  copies: number[],
  kills: Kill[],
  expected: { heading?: 'waiting' | 'released'; second?: number; wrong?: keyof Books },
]

const LATER = 'a@later0.test'
const STRANGER = 'a@stranger.test'
const TABLE: Entry[] = [
  ['waits', LATER, false, [], KILLED, { heading: 'waiting' }],
  ['was released', LATER, true, [1500], KILLED, { heading: 'released' }],
  ['known, killed, revoked', LATER, false, [900], KILLED, { heading: 'waiting', second: 1 }],
  ['and released', LATER, true, [900, 1500], KILLED, { heading: 'released', second: 1 }],
  ['the same with no kill', LATER, false, [900], [], { heading: 'waiting', wrong: 'unexplained' }],
  ['sent to while he was parked', LATER, false, [1100], KILLED, { wrong: 'out' }],
  ['and released', LATER, true, [1100, 1500], KILLED, { wrong: 'releasedTwice' }],
  ['never known', STRANGER, false, [900], KILLED, { wrong: 'out' }],
  ['never known, and released', STRANGER, true, [900, 1500], KILLED, { wrong: 'releasedTwice' }],
  ['released, and nothing came', LATER, true, [], KILLED, { wrong: 'lost' }],
]

for (const [what, to, isReleased, copies, kills, expected] of TABLE) {
  t.test(`${to}: ${what}`, async (t) => {
    const lab = makeLab(t)
    const { db, hold, folder } = lab.stores()
    t.teardown(() => db.close())
    const id = await park(hold, folder, [unknown(to)], { queueId: QUEUE_ID, heldAt: PARKED })
    if (isReleased) {
      const actor = { who: 'marie', at: 1400 }
      t.strictSame(hold.claim(id, [to], false, actor), [to])
      hold.settleReleased(id, [to], 'COPY1', actor)
    }
    const bytes = Buffer.from('Subject: soak 7\r\n\r\nbody')
    const mails = copies.map((at) => ({ bytes, recipients: [to], at }))
    const letter = { number: 7, sender: 'anna@corp.test', recipients: [to], body: 'body', text: '' }
    const books = balance({ lab, sink: { mails }, log: () => '' }, [{ letter, queueId: QUEUE_ID }], kills)
    const { waiting, released, lost, out, releasedTwice, unexplained, altered, twice } = books
    t.match(
      { waiting, released },
      { waiting: 0, released: 0, ...(expected.heading && { [expected.heading]: 1 }) },
    )
    t.equal(twice.filter, expected.second ?? 0, 'second copies tied to the kill')
    for (const [name, found] of Object.entries({ lost, out, releasedTwice, unexplained, altered }))
      t.equal(found.length, expected.wrong === name ? 1 : 0, name)
  })
}
