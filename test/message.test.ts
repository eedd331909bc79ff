/** Tests of message.ts: when a message that was read counts as whole. */
import t from 'tap'
import { EXIT } from '../lib/exit.js'
import { Failure } from '../lib/failure.js'
import { checkComplete, type Message, sizeSlack } from '../lib/message.js'

function messageOf(size: number, recordBytes: number): Message {
  return {
    folder: '/x',
    path: '/x/message.eml',
    size,
    sha256: '',
    head: Buffer.alloc(0),
    eightBit: false,
    recordBytes,
  }
}

t.test('the slack is 4 kB and a sixteenth', (t) => {
  const slacks: [number, number][] = [
    [0, 4096],
    [15, 4096],
    [16, 4097],
    [160_000, 14_096],
    [10 * 1024 * 1024, 4096 + 655_360],
  ]
  for (const [announced, slack] of slacks) t.equal(sizeSlack(announced), slack, `${announced}`)
  t.end()
})

// Size, record bytes, announced, same parent, the complaint.
const CASES: [number, number, number | undefined, boolean, string | undefined][] = [
  [100, 110, 110, true, undefined],
  [100, 110, undefined, true, undefined],
  [100, 110, 0, true, undefined],
  [100, 110, 100, true, undefined], // more than announced: a milter added to it
  [1, 3, 4099, true, undefined],
  [1, 3, 4370, true, undefined], // 3 + 4096 + 273 reaches it
  [1, 3, 4374, true, 'it is short: 3 of about 4374 bytes'],
  [100_000, 102_000, 113_000, true, undefined],
  [100_000, 102_000, 114_000, true, 'it is short: 102000 of about 114000 bytes'],
  [0, 0, undefined, true, 'standard input was empty'],
  [0, 0, 0, true, 'standard input was empty'],
  [100, 110, 110, false, 'the process that was writing it has died'],
  [0, 0, 9_000, false, 'the process that was writing it has died'],
]

t.test('complete or not', (t) => {
  for (const [size, recordBytes, announced, sameParent, complaint] of CASES) {
    const name = `${recordBytes} of ${announced}`
    try {
      checkComplete(messageOf(size, recordBytes), announced, sameParent)
      t.equal(undefined, complaint, name)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      t.equal(error.message, `read message: ${complaint}`, name)
      t.equal(error.hint, 'Postfix will hand it over again', name)
      t.equal(error.status, EXIT.tempFail, name)
    }
  }
  t.end()
})

t.test('the boundary is exact', (t) => {
  for (const announced of [5000, 5008, 100_000, 1_000_001]) {
    const least = announced - sizeSlack(announced)
    t.doesNotThrow(() => checkComplete(messageOf(1, least), announced, true), `${least} of ${announced}`)
    t.throws(() => checkComplete(messageOf(1, least - 1), announced, true), {
      message: `read message: it is short: ${least - 1} of about ${announced} bytes`,
    })
  }
  t.end()
})
