/** toeh moderate: an answer is carried out once, and a run ends with 0 or 75 and nothing else. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import t, { type Test } from 'tap'
import {
  APPROVERS,
  BOSS,
  bytesOf,
  DEPUTY,
  EVE,
  MODERATE,
  makeOffice,
  noticeTo,
  sendAnswer,
} from '../support/approver.js'
import {
  assertDeferred,
  NODE,
  type Outcome,
  outcomeOf,
  PACKAGE,
  PIPE_ENV,
  startWith,
  TOEH,
} from '../support/lab.js'
import { closedPort } from '../support/talker.js'

/** Taken or dropped: 0, and one line without an address or a token. */
function assertTaken(t: Test, { code, stdout, stderr }: Outcome, words: string | RegExp): void {
  t.strictSame({ code, stderr }, { code: 0, stderr: '' }, stdout)
  t.match(stdout, words)
  t.match(stdout, /^toeh moderate: [^@\n]{1,90}\n$/, 'one line')
  t.notMatch(stdout, /\w{26}/, 'no token')
}

t.test('the notice, the answer, the release, the confirmation', async (t) => {
  const { lab, sink } = await makeOffice(t)
  const id = await lab.park([EVE])
  t.strictSame(
    sink.mails.map(({ recipients }) => recipients.join()),
    [BOSS, DEPUTY, 'anna@corp.test'],
    'each approver has a mail of his own',
  )
  const notice = await noticeTo(sink, BOSS)
  t.match(notice.subject, /^To approve: mail from anna@corp\.test: Invoice \[toeh [0-9a-hjkmnp-tv-z]{26}\]$/)
  t.equal(notice.replyTo, 'toeh-moderate@corp.test')
  t.match(notice.text, /\n {4}release {11}it is sent, this once\n/)
  t.not(notice.token, (await noticeTo(sink, DEPUTY)).token)
  t.notMatch(sink.mails[2]?.bytes.toString(), /\[toeh /, 'the sender has none')
  const kept = lab.query<{ hash: string }>('SELECT * FROM token')
  t.equal(kept.length, 2)
  t.notMatch(JSON.stringify(kept), notice.token, 'it is kept hashed')
  t.match(kept[0]?.hash, /^[0-9a-f]{64}$/)

  sink.mails.length = 0
  const given = { subject: notice.subject, text: 'Release\n\n> reject' }
  assertTaken(t, await sendAnswer(lab, given), `released ${id}`)
  t.strictSame(lab.states(), [`${EVE} released`])
  const [copy, told, confirmation, ...more] = sink.mails
  t.strictSame([copy?.sender, copy?.recipients], ['anna@corp.test', [EVE]])
  t.strictSame([told?.sender, told?.recipients], ['', ['anna@corp.test']])
  t.match(told?.bytes.toString(), /^Subject: Sent: Invoice\r$/m, 'the sender, who was told that it waits')
  t.strictSame([confirmation?.sender, confirmation?.recipients], ['', [BOSS]])
  t.strictSame(more, [])
  const mail = await simpleParser(confirmation?.bytes ?? '')
  t.equal(mail.subject, 'Sent: Invoice')
  t.match(mail.text, new RegExp(`You said yes[\\s\\S]*${EVE}\\n +sent \\(SINK\\d+\\)\\n`))
  t.equal(mail.inReplyTo, '<answer@corp.test>')
  t.equal(mail.headers.get('auto-submitted'), 'auto-replied')
  t.strictSame(
    lab.query("SELECT who, what, subject, now FROM audit WHERE what IN ('answered', 'released') ORDER BY id"),
    [
      { who: `${BOSS} by mail`, what: 'answered', subject: id, now: 'release' },
      { who: `${BOSS} by mail`, what: 'released', subject: `${id} ${EVE}`, now: 'SINK00000001' },
    ],
  )
  t.strictSame(lab.query('SELECT * FROM rule'), [], 'nothing is known by it')
  t.match((await lab.toeh('audit', 'verify')).stdout, /whole|rows/)
})

t.test('two processes at once, with one mail and with two', async (t) => {
  for (const texts of [
    ['release', 'release'],
    ['release', 'release\n\nagain'],
  ]) {
    const { lab, sink } = await makeOffice(t)
    const id = await lab.park([EVE])
    const { subject } = await noticeTo(sink, BOSS)
    sink.mails.length = 0
    const outcomes = await Promise.all(texts.map((text) => sendAnswer(lab, { subject, text })))
    for (const [index, outcome] of outcomes.entries()) {
      if (texts[0] === texts[1] && outcome.code === 75) {
        assertDeferred(t, outcome, /let that end/)
        assertTaken(t, await sendAnswer(lab, { subject, text: texts[index] ?? '' }), `released ${id}`)
      } else assertTaken(t, outcome, new RegExp(`(?:released|spent|settled) ${id}`))
    }
    t.ok(outcomes.some(({ stdout }) => stdout.includes('released')))
    if (texts[0] !== texts[1]) t.ok(outcomes.some(({ stdout }) => /spent|settled/.test(stdout)))
    t.equal(sink.mails.filter(({ recipients }) => recipients.includes(EVE)).length, 1, 'one copy')
    t.equal(lab.query("SELECT 1 FROM audit WHERE what = 'answered'").length, 1, 'one answer')
    t.strictSame(lab.states(), [`${EVE} released`])
  }
})

t.test('a run that cannot end its work leaves it to Postfix, and the next one does it', async (t) => {
  const { lab, sink } = await makeOffice(t)
  const id = await lab.park([EVE])
  const { subject } = await noticeTo(sink, BOSS)
  sink.mails.length = 0
  const given = { subject, text: 'release' }

  const db = lab.openDatabase()
  db.run('BEGIN IMMEDIATE')
  lab.configure(`${sink.setting}\n${APPROVERS}\nbusy_seconds = 0\n${MODERATE}`)
  assertDeferred(t, await sendAnswer(lab, given), /keeps it locked/)
  db.run('ROLLBACK')
  db.close()
  t.strictSame(lab.query("SELECT 1 FROM audit WHERE what = 'answered'"), [], 'nothing is used')

  lab.configure(`reinject = "smtp:127.0.0.1:${await closedPort()}"\n${APPROVERS}\n${MODERATE}`)
  assertDeferred(t, await sendAnswer(lab, given), /ECONNREFUSED/)
  t.strictSame(lab.states(), [`${EVE} held`])
  t.strictSame(lab.query('SELECT 1 FROM token WHERE used_at IS NOT NULL'), [], 'nor by then')

  lab.configure(`${sink.setting}\n${APPROVERS}\n${MODERATE}`)
  assertTaken(t, await sendAnswer(lab, given), `released ${id}`)
  t.strictSame(
    sink.mails.map(({ recipients }) => recipients.join()),
    [EVE, 'anna@corp.test', BOSS],
  )
})

t.test('0 or 75', async (t) => {
  const { lab, sink } = await makeOffice(t)
  assertTaken(t, await sendAnswer(lab, { sasl: '', text: 'release' }), 'dropped: no login')
  const long = Buffer.concat([bytesOf({ text: 'release\n' }), Buffer.alloc(3_000_000, 'x\n')])
  assertTaken(t, await sendAnswer(lab, {}, long), 'unknown')
  assertDeferred(t, await sendAnswer(lab, {}, Buffer.alloc(0)), /did not come to its end/)
  lab.configure(`${sink.setting}\n${APPROVERS}\n`)
  assertTaken(t, await sendAnswer(lab, { text: 'release' }), 'dropped: moderate.enabled is false')
  lab.configure('nonsense = 1\n')
  assertDeferred(t, await sendAnswer(lab, {}), /there is no such setting/)
})

t.test('an event loop that runs empty is no success: Postfix keeps the answer', async (t) => {
  const { lab, sink } = await makeOffice(t)
  await lab.park([EVE])
  const { subject } = await noticeTo(sink, BOSS)
  sink.mails.length = 0
  // Whoever reads the answer never comes back, and nothing keeps the process alive.
  const preload = join(lab.dir, 'never.cjs')
  const mailparser = join(PACKAGE, 'node_modules/mailparser')
  writeFileSync(
    preload,
    `require(${JSON.stringify(mailparser)}).simpleParser = () => new Promise(() => {})\n`,
  )
  const program = [NODE, `--require=${preload}`, TOEH, 'moderate', `--config=${lab.config}`]
  const login = [`--sender=${BOSS}`, '--sasl-user=boss', '--queue-id=4bQ8Yk2hJnz9']
  const child = startWith(PIPE_ENV, [...program, ...login], { cwd: lab.state })
  child.stdin?.on('error', () => {})
  child.stdin?.end(bytesOf({ subject, text: 'release' }))
  t.strictSame(await outcomeOf(child), { code: 75, signal: null, stdout: '', stderr: '' })
  t.strictSame(lab.states(), [`${EVE} held`])
  t.strictSame(sink.mails, [])
})
