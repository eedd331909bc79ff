/** The clock: whole programs under faketime. A jump ends nothing until it has been seen twice. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { assertDone, type Lab, makeLab, type Outcome, outcomeOf, startToeh } from '../support/lab.js'
import { makeSink, type Sink } from '../support/sink.js'

const EVE = 'eve@unknown.test'
const skip =
  spawnSync('faketime', ['--version']).status === 0 ? false : "skipped: Debian's package faketime is not here"

/** faketime(1) in front of a program: `+20 days`, or a date. */
const shifted = (shift: string): string[] => ['/usr/bin/faketime', '-f', shift]

async function cleanup(lab: Lab, shift: string): Promise<Outcome> {
  return outcomeOf(startToeh(lab.config, ['cleanup'], shifted(shift)))
}

async function makeStage(t: Parameters<typeof makeLab>[0]): Promise<{ lab: Lab; sink: Sink }> {
  const sink = await makeSink(t)
  return { lab: makeLab(t, `${sink.setting}\nexpire_days = 2`), sink }
}

const DOUBT =
  /^the clock is \d+d after the last cleanup \(.*\): nothing is expired, swept or pruned until a second run finds it so\n$/

t.test('a jump forward expires nothing until a second run has seen it', { skip }, async (t) => {
  const { lab, sink } = await makeStage(t)
  const id = await lab.park([EVE])
  mkdirSync(join(lab.state, 'hold/tmp/1-living'))
  assertDone(t, await cleanup(lab, '+0d'), /^$/)
  assertDone(t, await cleanup(lab, '+20d'), DOUBT)
  t.strictSame(lab.states(), [`${EVE} held`])
  t.strictSame([lab.held(), lab.temporaries()], [[id], ['1-living']])
  t.equal(sink.mails.length, 0)
  assertDone(t, await cleanup(lab, '+20d'), `${id} expired for ${EVE}\nswept 1 old temporaries\n`)
  t.strictSame(lab.states(), [`${EVE} expired`])
  t.equal(sink.mails.length, 1)
})

t.test('a clock that is put right in time has ended nothing', { skip }, async (t) => {
  const { lab } = await makeStage(t)
  await lab.park([EVE])
  for (const shift of ['+0d', '+20d', '+1h', '+300d', '+2h', '+20d']) {
    const outcome = await cleanup(lab, shift)
    assertDone(t, outcome, shift.endsWith('h') || shift === '+0d' ? /^$/ : DOUBT)
  }
  t.strictSame(lab.states(), [`${EVE} held`])
})

t.test(
  'on a hold that no cleanup has ever seen, its newest message is the last time known',
  { skip },
  async (t) => {
    const { lab } = await makeStage(t)
    await lab.park([EVE])
    assertDone(t, await cleanup(lab, '+20d'), DOUBT)
    t.strictSame(lab.states(), [`${EVE} held`])
  },
)

t.test('run day after day nothing is doubted', { skip }, async (t) => {
  const { lab } = await makeStage(t)
  const id = await lab.park([EVE])
  for (const shift of ['+0d', '+1d', '+45h']) assertDone(t, await cleanup(lab, shift), /^$/)
  assertDone(t, await cleanup(lab, '+49h'), `${id} expired for ${EVE}\n`)
})

t.test('a clock that jumps back ends nothing, and is believed the second time', { skip }, async (t) => {
  const { lab } = await makeStage(t)
  await lab.park([EVE])
  assertDone(t, await cleanup(lab, '+0d'), /^$/)
  assertDone(t, await cleanup(lab, '-400d'), /^the clock is \d+d before the last cleanup/)
  assertDone(t, await cleanup(lab, '-400d'), /^$/)
  assertDone(t, await cleanup(lab, '+0d'), DOUBT)
  t.strictSame(lab.states(), [`${EVE} held`])
})

t.test('what was held while the clock was behind waits its whole time', { skip }, async (t) => {
  const { lab, sink } = await makeStage(t)
  assertDone(t, await cleanup(lab, '+0d'), /^$/)
  const id = await lab.park([EVE], { through: shifted('@1980-01-01 00:00:00') })
  t.match(`${lab.query<{ held_at: number }>('SELECT held_at FROM hold')[0]?.held_at}`, /^31553280\d{4}$/)
  assertDone(t, await cleanup(lab, '+1h'), `${id} NOT expired: it was held while the clock was behind`)
  assertDone(t, await cleanup(lab, '+2h'), /^$/)
  t.strictSame(lab.states(), [`${EVE} held`])
  t.equal(sink.mails.length, 0)
  for (const shift of ['+1d', '+2d']) await cleanup(lab, shift)
  t.strictSame(lab.states(), [`${EVE} expired`], 'and then it ends')
})

t.test('what could not be ended is no such message, and is tried again each time', { skip }, async (t) => {
  const { lab, sink } = await makeStage(t)
  const id = await lab.park([EVE])
  await cleanup(lab, '+30h')
  lab.configure('expire_days = 2\nreinject = "smtp:127.0.0.1:1"\n[notice]\nenabled = false\n')
  for (const shift of ['+49h', '+50h', '+51h']) {
    const { code, stdout } = await cleanup(lab, shift)
    t.strictSame([code, stdout.slice(0, 29)], [1, `${id} NOT expired, it `])
  }
  lab.configure(`expire_days = 2\n${sink.setting}\n[notice]\nenabled = false\n`)
  assertDone(t, await cleanup(lab, '+52h'), `${id} expired for ${EVE}\n`)
})
