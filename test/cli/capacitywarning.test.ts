/** Shortage: what is said of a disk and a hold that fill up, at each limit and on both sides of it. */
import t from 'tap'
import { describeRoom } from '../../lib/cli/capacitywarning.js'

const MB = 1024 * 1024
const LIMITS = { free: 100 * MB, holdMessages: 10, holdBytes: 50 * MB }

interface Case {
  free?: number
  messages?: number
  bytes?: number
  limits?: Partial<typeof LIMITS>
}

function said({ free = 1000 * MB, messages = 0, bytes = 0, limits = {} }: Case): string[] {
  return describeRoom(
    { limits: { ...LIMITS, ...limits } as never },
    { free, load: { messages, bytes } as never },
  )
}

t.test('the disk', (t) => {
  const left = (size: string): string => `${size} are left, limits.free_megabytes asks for 100M`
  const table: [free: number, lines: string[]][] = [
    [200 * MB, []],
    [200 * MB - 1, [`the disk is nearly full: ${left('200M')}`]],
    [100 * MB, [`the disk is nearly full: ${left('100M')}`]],
    [100 * MB - 1, [`all mail is deferred: ${left('100M')}`]],
    [0, [`all mail is deferred: ${left('0')}`]],
  ]
  for (const [free, lines] of table) t.strictSame(said({ free }), lines, String(free))
  t.strictSame(said({ free: 0, limits: { free: 0 } }), [], 'where none is asked for')
  t.end()
})

t.test('the hold', (t) => {
  const table: [name: string, given: Case, lines: string[]][] = [
    ['room', { messages: 7, bytes: 39 * MB }, []],
    [
      'nearly, by messages',
      { messages: 8, bytes: MB },
      ['the hold is nearly full: 8 of at most 10 messages wait, 1.0M of at most 50M'],
    ],
    [
      'nearly, by bytes',
      { messages: 1, bytes: 40 * MB },
      ['the hold is nearly full: 1 of at most 10 messages wait, 40M of at most 50M'],
    ],
    [
      'full, by messages',
      { messages: 10 },
      ['new unknown recipients are deferred: 10 of at most 10 messages wait, 0 of at most 50M'],
    ],
    [
      'full, by bytes',
      { messages: 1, bytes: 50 * MB },
      ['new unknown recipients are deferred: 1 of at most 10 messages wait, 50M of at most 50M'],
    ],
    [
      'no limit of messages: one',
      { messages: 1, bytes: 50 * MB, limits: { holdMessages: 0 } },
      ['new unknown recipients are deferred: 1 message waits, 50M of at most 50M'],
    ],
    [
      'no limit of messages: many',
      { messages: 5000, bytes: 50 * MB, limits: { holdMessages: 0 } },
      ['new unknown recipients are deferred: 5000 messages wait, 50M of at most 50M'],
    ],
    [
      'no limit of bytes',
      { messages: 9, bytes: 900 * MB, limits: { holdBytes: 0 } },
      ['the hold is nearly full: 9 of at most 10 messages wait, 900M'],
    ],
    ['no limit', { messages: 9000, bytes: 900 * MB, limits: { holdMessages: 0, holdBytes: 0 } }, []],
  ]
  for (const [name, given, lines] of table) t.strictSame(said(given), lines, name)
  t.end()
})

t.test('both, the disk first', (t) => {
  const [disk, hold, ...more] = said({ free: 0, messages: 10 })
  t.match([disk, hold], [/^all mail is deferred/, /^new unknown recipients are deferred/])
  t.strictSame(more, [])
  t.end()
})
