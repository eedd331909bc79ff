/**
 * The soak: mail from twenty connections through a real Postfix while its processes are killed, the database is
 * locked and people are at work; then the books have to balance. SEED repeats the letters and the choices (not the
 * instants), SOAK_SECONDS and SOAK_LETTERS make it longer: `npm run test:soak`. SOAK_SERVER says what stands at `reinject`.
 */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { cannotRun, Postfix } from '../support/postfix.js'
import { type Accepted, balance } from './books.js'
import { Dice } from './dice.js'
import { Killer, type Victim } from './killer.js'
import { makeLetter } from './letter.js'
import { lockNowAndThen } from './lock.js'
import { People } from './people.js'
import { type Manner, Server } from './server.js'

const SECONDS = Number(process.env.SOAK_SECONDS ?? 45)
const LETTERS = Number(process.env.SOAK_LETTERS ?? 300)
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000)
const SERVER = (process.env.SOAK_SERVER ?? 'plain') as Manner
/** A sendmail(1) that hands in by SMTP would tell an smtpd that died after it had taken a message as a failure. */
const VICTIMS: Partial<Record<Manner, Victim[]>> = { sendmail: ['filter', 'pipe'] }
const CONNECTIONS = 20
const BUSY_SECONDS = 1
/** A bound for a machine that others use too, not an expectation. */
const DRAIN_SECONDS = 200

/** Postfix starts a killed process again at once; messages to more than four come in several runs. */
const MAIN = ['service_throttle_time=1s', 'transport_retry_time=1s', 'toeh_destination_recipient_limit=4']

const LIMIT_MS = (2 * SECONDS + DRAIN_SECONDS) * 1000

t.setTimeout(LIMIT_MS)
t.test('the books balance', { skip: cannotRun(), timeout: LIMIT_MS }, async (t) => {
  t.comment(`SOAK_SERVER=${SERVER} SEED=${SEED} SOAK_SECONDS=${SECONDS} SOAK_LETTERS=${LETTERS}`)
  const dice = new Dice(SEED)
  const settings = `busy_seconds = ${BUSY_SECONDS}\n`
  const postfix = await Postfix.start(t, { settings, main: MAIN })
  const server = await Server.start(t, SERVER, postfix, settings, dice.fork())
  await postfix.lab.allow('client.test', 'partner.test')
  const letters = Array.from({ length: LETTERS }, (_, number) => makeLetter(number, dice))

  const accepted: Accepted[] = []
  const end = Date.now() + SECONDS * 1000
  const stop = (): boolean => Date.now() > end
  const send = async (pace: Dice): Promise<void> => {
    for (let letter = letters.shift(); letter !== undefined; letter = letters.shift()) {
      const { sender, recipients, text } = letter
      const queueId = await postfix.submit(sender, recipients, text, { mail: ' BODY=8BITMIME' })
      accepted.push({ letter, queueId })
      await wait(pace.between(0, (2000 * SECONDS * CONNECTIONS * 0.8) / LETTERS))
    }
  }
  const killer = new Killer(postfix, dice.fork())
  const people = new People(postfix)
  const [episodes] = await Promise.all([
    lockNowAndThen(postfix.lab, dice.fork(), stop, BUSY_SECONDS),
    // A run that waits would hardly live to see its limit.
    killer.work(stop, SERVER === 'plain' ? 250 : 1500, VICTIMS[SERVER]),
    ...Array.from({ length: 4 }, () => people.work(dice.fork(), stop)),
    ...Array.from({ length: CONNECTIONS }, () => send(dice.fork())),
  ])

  for (const last = Date.now() + DRAIN_SECONDS * 1000; postfix.queue().length > 0; await wait(2000)) {
    if (Date.now() > last) break
    postfix.flush()
  }
  t.same(postfix.queue(), [], 'the queue is empty')
  t.equal((await people.run('cleanup')).code, 0)

  const { kills } = killer
  const silenced = server.silenced(accepted)
  const books = balance(postfix, accepted, kills, silenced)
  const killed = (name: string): number => kills.filter(({ victim }) => victim === name).length
  const { lost, out, releasedTwice, unexplained, altered, twice, ...counts } = books
  t.comment(
    JSON.stringify({
      ...counts,
      kills: { filter: killed('filter'), pipe: killed('pipe'), reinjection: killed('reinjection') },
      silenced: silenced.size,
      locks: episodes,
      commands: people.acts.length,
      busyCommands: people.acts.filter(({ outcome }) => outcome.code === 75).length,
      lost: lost.length,
      out: out.length,
      releasedTwice: releasedTwice.length,
      twice,
    }),
  )
  t.equal(accepted.length, LETTERS, 'every letter was taken')
  t.same(
    { lost, out, releasedTwice, unexplained, altered },
    {
      lost: [],
      out: [],
      releasedTwice: [],
      unexplained: [],
      altered: [],
    },
  )
  const { delivered, waiting, inDoubt, released, rejected } = books
  t.equal(delivered + waiting + inDoubt + released + rejected, books.recipients, 'each under one heading')
  t.ok(
    Math.min(delivered, waiting, released, rejected, kills.length, episodes) > 0,
    'there was something to count',
  )

  const state = new Map(
    postfix.lab
      .query<{ key: string; state: string }>(`SELECT hold || ' ' || address AS key, state FROM recipient`)
      .map((row) => [row.key, row.state]),
  )
  for (const done of ['released', 'rejected'] as const) {
    const untrue = [...people.said(done)].filter((key) => state.get(key) !== done)
    t.same(untrue, [], `whoever was told ${done} was told the truth`)
  }
  const rude = people.acts.filter(
    ({ outcome: { code, stderr } }) =>
      ![0, 1, 66, 75].includes(code ?? -1) || !/^(toeh: [^\n]+\n)?$/.test(stderr),
  )
  t.same(rude, [], 'every command ended with its status and at most one line')
  const audited = postfix.lab.query(
    `SELECT subject FROM audit WHERE what IN ('released', 'rejected') GROUP BY subject HAVING count(*) > 1`,
  )
  t.same(audited, [], 'nothing was settled twice')
  t.ok(postfix.lab.temporaries().length <= kills.length, 'only a kill leaves a temporary')
})
