/** toeh reject: a no. Nothing is sent but word to the sender, and the bytes go. */
import { simpleParser } from 'mailparser'
import t from 'tap'
import { RELEASE_ABANDONED_MS } from '../../lib/hold/heldmail.js'
import { assertDone, assertFailed, assertRefused, makeLab } from '../support/lab.js'
import { makeSink } from '../support/sink.js'
import { closedPort } from '../support/talker.js'

const EVE = 'eve@unknown.test'

t.test('settles, tells the sender, removes the bytes', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const id = await lab.park([EVE, 'mal@unknown.test'])
  assertDone(
    t,
    await lab.toeh('reject', id.toUpperCase()),
    `${id} rejected for ${EVE}\n${id} rejected for mal@unknown.test\n`,
  )
  t.strictSame(lab.states(), [`${EVE} rejected`, 'mal@unknown.test rejected'])
  t.strictSame(lab.held(), [])
  t.strictSame(lab.temporaries(), [])
  t.strictSame(
    sink.mails.map(({ sender, recipients }) => [sender, ...recipients]),
    [['', 'anna@corp.test']],
  )
  const text = sink.mails[0]?.bytes.toString() ?? ''
  t.match(text, /^Subject: Not sent: Invoice\r$/m)
  t.match(text, /^Auto-Submitted: auto-generated\r$/m)
  t.match(text, /^In-Reply-To: <one@corp\.test>\r$/m)
  t.match(text, EVE)
  t.strictSame(lab.query('SELECT what, subject FROM audit ORDER BY id'), [
    { what: 'rejected', subject: `${id} ${EVE}` },
    { what: 'rejected', subject: `${id} mal@unknown.test` },
  ])
  assertRefused(t, await lab.toeh('reject', id), 1, /nobody waits in it any more/)
  t.equal(sink.mails.length, 1)
})

t.test('--note: the sender and the audit have it, with who and when, and whom to ask', async (t) => {
  const sink = await makeSink(t)
  for (const [language, told] of [
    [
      'en',
      [
        /Rejected by \w+ on \d+ \w+ \d{4} at [\d:]+\.\nReason: Zahlen Sie nicht – call/,
        'questions: Marie, 214',
      ],
    ],
    [
      'fr',
      [
        /Refusé par \w+ le \d+ \S+ \d{4} à [\d:]+\.\nMotif : Zahlen Sie nicht – call/,
        'question : Marie, 214',
      ],
    ],
  ] as const) {
    const lab = makeLab(t, `${sink.setting}\nlanguage = "${language}"`, '[notice]\ncontact = "Marie, 214"\n')
    const id = await lab.park([EVE])
    const note = 'Zahlen Sie nicht – call <b>them</b> first'
    assertDone(t, await lab.toeh('reject', id, '--note', note), 'rejected')
    const { text, html } = await simpleParser(sink.mails.at(-1)?.bytes ?? '')
    for (const what of told) t.match(text, what, language)
    t.match(html || '', 'call &lt;b&gt;them&lt;/b&gt; first')
    t.strictSame(lab.query('SELECT was, now FROM audit'), [{ was: 'held', now: `rejected: ${note}` }])
  }
})

t.test('a note that is not one readable line is refused, and nothing is done', async (t) => {
  const lab = makeLab(t)
  const id = await lab.park([EVE])
  for (const note of ['a\nb', 'a\u{202e}b', '\t', 'x'.repeat(501)])
    assertRefused(
      t,
      await lab.toeh('reject', id, '--note', note),
      2,
      /--note: expected one line of at most 500/,
    )
  t.strictSame(lab.states(), [`${EVE} held`])
})

t.test('--recipient: the others go on waiting', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const id = await lab.park([EVE, 'mal@unknown.test'])
  assertDone(t, await lab.toeh('reject', id, '--recipient', EVE), `${id} rejected for ${EVE}\n`)
  t.strictSame(lab.states(), [`${EVE} rejected`, 'mal@unknown.test held'])
  t.strictSame(lab.held(), [id])
  t.notMatch(sink.mails[0]?.bytes.toString(), 'mal@unknown.test', 'the notice names those concerned alone')
})

t.test('who is not told: with --quiet nobody, and never a stranger or the null sender', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  assertDone(t, await lab.toeh('reject', '--quiet', await lab.park([EVE], { queueId: 'QUIET1' })), 'rejected')
  assertDone(t, await lab.toeh('reject', await lab.park([EVE], { sender: '' })), 'rejected')
  assertDone(t, await lab.toeh('reject', await lab.park([EVE], { sender: 'mallory@evil.test' })), 'rejected')
  t.strictSame(sink.mails, [])
  t.strictSame(lab.held(), [])
})

t.test('a sender who cannot be told does not undo the no', async (t) => {
  const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${await closedPort()}"`)
  const id = await lab.park([EVE])
  assertDone(
    t,
    await lab.toeh('reject', id),
    /rejected for .*\n.*its sender could not be told: .*ECONNREFUSED/,
  )
  t.strictSame(lab.states(), [`${EVE} rejected`])
  t.strictSame(lab.temporaries(), [])
})

t.test('what is being released is not rejected, unless --again says that it was cut off', async (t) => {
  const lab = makeLab(t)
  const id = await lab.park([EVE])
  lab.change(`UPDATE recipient SET state = 'releasing'`)
  assertFailed(
    t,
    await lab.toeh('reject', '--quiet', id),
    `${id} NOT rejected for ${EVE}: it is being released`,
  )
  t.strictSame(lab.held(), [id])
  lab.change(`UPDATE recipient SET changed_at = ${Date.now()}`)
  assertFailed(t, await lab.toeh('reject', '--quiet', '--again', id), `${id} NOT rejected for ${EVE}`)
  lab.change(`UPDATE recipient SET changed_at = ${Date.now() - RELEASE_ABANDONED_MS}`)
  assertDone(t, await lab.toeh('reject', '--quiet', '--again', id), `${id} rejected for ${EVE}\n`)
  t.strictSame(lab.held(), [])
})

t.test('wrong ids change nothing', async (t) => {
  const lab = makeLab(t)
  const id = await lab.park([EVE])
  const before = lab.databaseDigest()
  assertRefused(t, await lab.toeh('reject'), 2, /usage: .*toeh reject --help/)
  assertRefused(t, await lab.toeh('reject', id, 'x'), 2, /hold id "x": it is not twelve letters and digits/)
  assertRefused(
    t,
    await lab.toeh('reject', id, '000000000000'),
    66,
    /hold 000000000000: there is no such message/,
  )
  assertRefused(
    t,
    await lab.toeh('reject', id, '--recipient', 'z@x.test'),
    66,
    /z@x\.test is not a recipient of it/,
  )
  t.equal(lab.databaseDigest(), before)
})

t.test('--json', async (t) => {
  const lab = makeLab(t)
  const id = await lab.park([EVE])
  const { stdout } = await lab.toeh('reject', id, '--quiet', '--json')
  t.strictSame(JSON.parse(stdout), [{ id, rejected: [EVE], kept: [], why: null, untold: null }])
})
