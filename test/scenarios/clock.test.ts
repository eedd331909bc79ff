/** The clock: whole programs under faketime. A jump ends nothing until it has lasted an hour by a clock nobody sets. */
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

/** Has so many hours pass by the clock that cannot be set, for what the last run has left. */
function passHours(lab: Lab, hours: number): void {
  for (const moment of ['last', 'doubted'])
    lab.change(
      `UPDATE progress SET value = json_replace(value, '$.${moment}.uptime', (value ->> '$.${moment}.uptime') - ?)
       WHERE name = 'cleanup'`,
      hours * 3_600_000,
    )
}

/** Has the machine been started anew since. */
function reboot(lab: Lab): void {
  for (const moment of ['last', 'doubted'])
    lab.change(
      `UPDATE progress SET value = json_replace(value, '$.${moment}.boot', 'of before') WHERE name = 'cleanup'`,
    )
}

const DOUBT =
  /^the clock is \d+[dh] (?:after|before) the last cleanup \(.*\): nothing is expired, swept or pruned until it has been so for an hour\n$/

t.test('a jump forward expires nothing until it has lasted an hour', { skip }, async (t) => {
  const { lab, sink } = await makeStage(t)
  const id = await lab.park([EVE])
  mkdirSync(join(lab.state, 'hold/tmp/1-living'))
  assertDone(t, await cleanup(lab, '+0d'), /^$/)
  assertDone(t, await cleanup(lab, '+20d'), DOUBT)
  t.strictSame(lab.states(), [`${EVE} held`])
  t.strictSame([lab.held(), lab.temporaries()], [[id], ['1-living']])
  t.equal(sink.mails.length, 0)
  for (const shift of ['+20d', '+28830m']) assertDone(t, await cleanup(lab, shift), DOUBT)
  t.strictSame(
    lab.states(),
    [`${EVE} held`],
    'neither a moment later nor half an hour later by the same clock',
  )
  passHours(lab, 1)
  assertDone(t, await cleanup(lab, '+28830m'), `${id} expired for ${EVE}\nswept 1 old temporaries\n`)
  t.strictSame(lab.states(), [`${EVE} expired`])
  t.equal(sink.mails.length, 1)
})

t.test('a clock that is put right in time has ended nothing', { skip }, async (t) => {
  const { lab } = await makeStage(t)
  await lab.park([EVE])
  for (const shift of ['+0d', '+20d', '+30m', '+300d', '+60m', '+20d']) {
    const outcome = await cleanup(lab, shift)
    assertDone(t, outcome, shift.endsWith('m') || shift === '+0d' ? /^$/ : DOUBT)
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
  for (const [shift, hours] of [
    ['+0d', 24],
    ['+1d', 21],
    ['+45h', 4],
  ] as const) {
    assertDone(t, await cleanup(lab, shift), /^$/)
    passHours(lab, hours)
  }
  assertDone(t, await cleanup(lab, '+49h'), `${id} expired for ${EVE}\n`)
})

t.test('a jump of less than a day is one as well, while the machine runs', { skip }, async (t) => {
  const { lab } = await makeStage(t)
  await lab.park([EVE])
  assertDone(t, await cleanup(lab, '+0d'), /^$/)
  assertDone(t, await cleanup(lab, '+20h'), DOUBT)
  reboot(lab)
  assertDone(t, await cleanup(lab, '+20h'), /^$/)
})

t.test('a timer that stood for weeks has seen no jump', { skip }, async (t) => {
  const { lab } = await makeStage(t)
  const id = await lab.park([EVE])
  assertDone(t, await cleanup(lab, '+0d'), /^$/)
  passHours(lab, 30 * 24)
  assertDone(t, await cleanup(lab, '+30d'), `${id} expired for ${EVE}\n`)
})

t.test(
  'a machine that starts with a dead clock, and runs its timer twice within minutes',
  { skip },
  async (t) => {
    const { lab } = await makeStage(t)
    await lab.park([EVE])
    assertDone(t, await cleanup(lab, '+0d'), /^$/)
    reboot(lab)
    for (const shift of ['+40d', '+57605m']) assertDone(t, await cleanup(lab, shift), DOUBT)
    t.strictSame(lab.states(), [`${EVE} held`])
  },
)

t.test('a clock that jumps back ends nothing, and is believed the second time', { skip }, async (t) => {
  const { lab } = await makeStage(t)
  await lab.park([EVE])
  assertDone(t, await cleanup(lab, '+0d'), /^$/)
  assertDone(t, await cleanup(lab, '-400d'), DOUBT)
  passHours(lab, 1)
  assertDone(t, await cleanup(lab, '-9599h'), /^$/)
  assertDone(t, await cleanup(lab, '+0d'), DOUBT)
  t.strictSame(lab.states(), [`${EVE} held`])
})

t.test('what was held while the clock was behind waits its whole time', { skip }, async (t) => {
  const { lab, sink } = await makeStage(t)
  assertDone(t, await cleanup(lab, '+0d'), /^$/)
  const id = await lab.park([EVE], { through: shifted('@1980-01-01 00:00:00') })
  t.match(`${lab.query<{ held_at: number }>('SELECT held_at FROM hold')[0]?.held_at}`, /^31553280\d{4}$/)
  passHours(lab, 1)
  assertDone(t, await cleanup(lab, '+1h'), `${id} NOT expired: it was held while the clock was behind`)
  passHours(lab, 1)
  assertDone(t, await cleanup(lab, '+2h'), /^$/)
  t.strictSame(lab.states(), [`${EVE} held`])
  t.strictSame(
    sink.mails.map(({ bytes }) => /^Subject: (.*?):/m.exec(bytes.toString())?.[1]),
    ['Still waiting for approval'],
    'its sender knows the new date',
  )
  for (const shift of ['+26h', '+50h']) {
    passHours(lab, 24)
    await cleanup(lab, shift)
  }
  t.strictSame(lab.states(), [`${EVE} expired`], 'and then it ends')
})

t.test('what could not be ended is no such message, and is tried again each time', { skip }, async (t) => {
  const { lab, sink } = await makeStage(t)
  const id = await lab.park([EVE])
  await cleanup(lab, '+0h')
  passHours(lab, 48)
  lab.configure('expire_days = 2\nreinject = "smtp:127.0.0.1:1"\n[notice]\nenabled = false\n')
  for (const shift of ['+49h', '+50h', '+51h']) {
    passHours(lab, 1)
    const { code, stdout } = await cleanup(lab, shift)
    t.strictSame([code, stdout.slice(0, 29)], [1, `${id} NOT expired, it `])
  }
  lab.configure(`expire_days = 2\n${sink.setting}\n[notice]\nenabled = false\n`)
  passHours(lab, 1)
  assertDone(t, await cleanup(lab, '+52h'), `${id} expired for ${EVE}\n`)
})
