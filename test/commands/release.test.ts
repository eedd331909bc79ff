/** toeh release: after a yes the original envelope and bytes go out, once, or nothing changes. */
import { appendFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import t from 'tap'
import { assertDone, assertFailed, assertRefused, makeLab } from '../support/lab.js'
import { makeSink, unwire } from '../support/sink.js'
import { closedPort, Talker } from '../support/talker.js'

const EVE = 'eve@unknown.test'
const QUIET = '\n[notice]\nenabled = false\n'
const BYTES = Buffer.from('Subject: x\n\n.dot\n..\nFrom me\n\xe9\x00 bare\rcr\nno end', 'latin1')

t.test('sends the original envelope and bytes, and prints the queue id', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const options = ['--client-address=192.0.2.7', '--client-name=pc.corp.test', '--helo=pc', '--proto=ESMTP']
  const id = await lab.park(['Eve@Unknown.test', 'mal@unknown.test'], { input: BYTES, options })
  const outcome = await lab.toeh('release', id.toUpperCase())
  assertDone(
    t,
    outcome,
    `${id} released to Eve@Unknown.test as SINK00000001\n${id} released to mal@unknown.test as SINK00000001\n`,
  )
  t.equal(sink.mails.length, 1)
  const [mail] = sink.mails
  t.equal(mail?.sender, 'anna@corp.test')
  t.strictSame(mail?.recipients, ['Eve@Unknown.test', 'mal@unknown.test'])
  // smtp-server gives the line that was left open its end.
  t.equal(unwire(mail?.bytes ?? Buffer.of()).toString('latin1'), `${BYTES.toString('latin1')}\n`)
  t.match(mail?.xforward, { ADDR: '192.0.2.7', NAME: 'pc.corp.test' })
  t.strictSame(lab.states(), ['Eve@Unknown.test released', 'mal@unknown.test released'])
  t.strictSame(lab.held(), [], 'the bytes are gone')
  t.strictSame(lab.temporaries(), [])
  t.strictSame(lab.query('SELECT what, subject, was, now FROM audit ORDER BY id'), [
    { what: 'released', subject: `${id} Eve@Unknown.test`, was: 'releasing', now: 'SINK00000001' },
    { what: 'released', subject: `${id} mal@unknown.test`, was: 'releasing', now: 'SINK00000001' },
  ])
})

t.test('a sender who was told that it waits is told that it was sent', async (t) => {
  const sink = await makeSink(t)
  for (const [language, says] of [
    [
      'en',
      [
        'Sent: Invoice',
        /^A message of yours[\s\S]*eve@unknown\.test[\s\S]*^Released by \w+ on \d+ \w+ \d{4} at/m,
      ],
    ],
    [
      'fr',
      ['Envoyé : Invoice', /^Un de vos messages[\s\S]*eve@unknown\.test[\s\S]*^Libéré par \w+ le \d+ /m],
    ],
  ] as const) {
    const lab = makeLab(t, `${sink.setting}\nlanguage = "${language}"`)
    const release = async (
      told: boolean,
      call: { sender?: string },
      ...options: string[]
    ): Promise<string[]> => {
      const id = await lab.park([EVE], { queueId: `TOLD${sink.mails.length}`, ...call })
      if (told) lab.change('UPDATE hold SET notified_at = 1')
      const before = sink.mails.length
      assertDone(t, await lab.toeh('release', id, ...options), 'released')
      return sink.mails.slice(before).map(({ sender, recipients }) => `<${sender}> ${recipients.join(' ')}`)
    }
    const mail = `<anna@corp.test> ${EVE}`
    t.strictSame(await release(true, {}), [mail, '<> anna@corp.test'])
    const { subject, text } = await simpleParser(sink.mails.at(-1)?.bytes ?? '')
    t.equal(subject, says[0])
    t.match(text, says[1])
    t.strictSame(await release(true, {}, '--quiet'), [mail], 'not with --quiet')
    t.strictSame(await release(false, {}), [mail], 'nor who knows nothing of its waiting')
    t.strictSame(await release(true, { sender: 'x@evil.test' }), [`<x@evil.test> ${EVE}`], 'never a stranger')
    t.strictSame(await release(true, { sender: '' }), [`<> ${EVE}`])
  }
})

t.test('a sender who cannot be told of it does not undo the release', async (t) => {
  const sink = await makeSink(t, (to) => (to === 'anna@corp.test' ? '550 5.1.1 no' : undefined))
  const lab = makeLab(t, sink.setting)
  const id = await lab.park([EVE])
  lab.change('UPDATE hold SET notified_at = 1')
  assertDone(
    t,
    await lab.toeh('release', id),
    /released to .*\n.*: its sender could not be told: .*550 5\.1\.1 no/,
  )
  t.strictSame(lab.states(), [`${EVE} released`])
})

t.test('the null sender stays null', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  assertDone(t, await lab.toeh('release', await lab.park([EVE], { sender: '' })), 'released')
  t.equal(sink.mails[0]?.sender, '')
})

t.test('--recipient: the others go on waiting', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const id = await lab.park(['a@x.test', 'b@x.test', 'c@x.test'])
  assertDone(
    t,
    await lab.toeh('release', id, '--recipient', 'a@x.test', '--recipient', 'c@x.test'),
    /a@x\.test.*\n.*c@x\.test/,
  )
  t.strictSame(lab.states(), ['a@x.test released', 'b@x.test held', 'c@x.test released'])
  t.strictSame(lab.held(), [id], 'the bytes stay for those who wait')
  const again = await lab.toeh('release', id, '--recipient', 'a@x.test')
  assertRefused(t, again, 1, new RegExp(`hold ${id}: a@x\\.test is released already`))
  const nobody = await lab.toeh('release', id, '--recipient', 'z@x.test')
  assertRefused(t, nobody, 66, /z@x\.test is not a recipient of it/)
  t.equal(sink.mails.length, 1)
})

t.test('--allow makes the address or the domain known from now on', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const first = await lab.park([EVE], { queueId: 'ALLOW1' })
  assertDone(t, await lab.toeh('release', first, '--allow', 'address'), /^rule 1: allow eve@unknown\.test\n/)
  const second = await lab.park(['mal@unknown.test'], { queueId: 'ALLOW2' })
  assertDone(t, await lab.toeh('release', second, '--allow', 'domain'), /^rule 2: allow unknown\.test\n/)
  t.strictSame(lab.query('SELECT source FROM rule ORDER BY id'), [
    { source: `release ${first}` },
    { source: `release ${second}` },
  ])
  const { stdout } = await lab.filter({ recipients: ['new@unknown.test'] })
  t.match(stdout, 'passed 1')
})

t.test('a rule that would have no effect is told, with the one that has', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting, '[groups]\nboard = ["otto@corp.test"]\n')
  const forward = await lab.park(['x@known.test'], { sender: 'Shop@other.test', queueId: 'FORWARD1' })
  const dry = await lab.toeh('release', forward, '--allow', 'address', '--dry-run', '--json')
  const instead = 'toeh allow x@known.test --for foreign'
  const idle = [{ id: forward, recipient: 'x@known.test', reason: 'foreign-sender', instead }]
  t.match(JSON.parse(dry.stdout), { idle })
  const done = await lab.toeh('release', forward, '--allow', 'address')
  assertDone(
    t,
    done,
    /^rule 1: allow x@known\.test\nthe rule has no effect on mail like this to x@known\.test: foreign-sender; toeh allow x@known\.test --for foreign has\n.* released to x@known\.test/,
  )
  const [, , ...args] = instead.split(' ')
  assertDone(t, await lab.toeh('allow', ...args), 'rule 2: allow x@known.test for foreign')
  await lab.filter({ sender: 'shop@other.test', recipients: ['x@known.test'], queueId: 'FORWARD2' })
  t.match(lab.decisions().at(-1)?.recipients, [{ reason: 'allowed', rule: 2 }], 'and so it is')

  // A block that is nearer to the sender, and one of his login.
  await lab.toeh('block', 'y@known.test', '--for', 'board')
  const his = await lab.park(['y@known.test'], { sender: 'otto@corp.test', queueId: 'OTTO1' })
  const blocked = await lab.toeh('release', his, '--allow', 'address')
  assertDone(t, blocked, /the rule has no effect on mail like this to y@known\.test: blocked\n/)
  const fine = await lab.park(['z@known.test'], { queueId: 'FINE1' })
  const { stdout } = await lab.toeh('release', fine, '--allow', 'domain', '--json')
  t.match(JSON.parse(stdout), { idle: [] })
})

t.test('what may not be allowed is refused before anything changes', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const good = await lab.park([EVE], { queueId: 'GOOD001' })
  const freemail = await lab.park(['x@gmail.com'], { queueId: 'FREE001' })
  const odd = await lab.park(['a%b@unknown.test'], { queueId: 'ODD0001' })
  const table: [args: string[], status: number, line: RegExp][] = [
    [[good, freemail, '--allow', 'domain'], 2, /allow "gmail\.com": it is a freemail domain/],
    [[good, odd, '--allow', 'address'], 2, /allow "a%b@unknown\.test": it is no plain address/],
    [[good, '--allow', 'everything'], 2, /Invalid values: Argument: allow, Given: "everything"/],
    [[good, '--allow'], 2, /--allow needs a value/],
    [[good, '000000000000'], 66, /hold 000000000000: there is no such message/],
    [
      [good, 'nonsense'],
      2,
      /hold id "nonsense": it is not twelve letters and digits; toeh list shows the ids/,
    ],
    [[good, '--recipent', EVE], 2, /there is no option --recipent; did you mean --recipient\?/],
    [[], 2, /usage: .*toeh release --help/],
  ]
  for (const [args, status, line] of table) {
    const before = lab.databaseDigest()
    assertRefused(t, await lab.toeh('release', ...args), status, line)
    t.equal(lab.databaseDigest(), before)
  }
  t.equal(sink.mails.length, 0)
  assertDone(
    t,
    await lab.toeh('release', freemail, '--allow', 'domain', '--force'),
    'rule 1: allow gmail.com\n',
  )
})

t.test('a refusal leaves it held', async (t) => {
  const table: [answers: Record<string, string>, why: string][] = [
    [{ RCPT: '450 4.2.0 later' }, 'RCPT was answered 450 4.2.0 later'],
    [{ RCPT: '550 5.1.1 no such user' }, '550 5.1.1 no such user'],
    [{ '.': '451 4.3.0 later' }, 'the message was answered 451 4.3.0 later'],
    [{ '.': '554 5.7.1 no' }, '554 5.7.1 no'],
    [{ HELLO: 'HANG UP' }, 'the connection was closed'],
  ]
  for (const [answers, why] of table) {
    await t.test(JSON.stringify(answers), async (t) => {
      const talker = await Talker.start(t, answers)
      const lab = makeLab(t, talker.setting)
      const id = await lab.park([EVE])
      const outcome = await lab.toeh('release', id)
      assertFailed(t, outcome, `${id} NOT released to ${EVE}: `)
      t.match(outcome.stdout, why)
      t.strictSame(lab.states(), [`${EVE} held`])
      t.strictSame(lab.held(), [id])
    })
  }
  await t.test('nobody listens', async (t) => {
    const lab = makeLab(t, `reinject = "smtp:127.0.0.1:${await closedPort()}"`)
    const id = await lab.park([EVE])
    assertFailed(t, await lab.toeh('release', id), /NOT released to eve@unknown\.test: .*ECONNREFUSED/)
    t.strictSame(lab.states(), [`${EVE} held`])
    const sink = await makeSink(t)
    lab.configure(sink.setting + QUIET)
    assertDone(t, await lab.toeh('release', id), 'as SINK00000001')
  })
})

t.test('no answer after the final dot: it is not sent again unasked', async (t) => {
  const talker = await Talker.start(t, { '.': 'HANG UP' })
  const lab = makeLab(t, talker.setting)
  const id = await lab.park([EVE])
  assertFailed(t, await lab.toeh('release', id), /NOT released .*it may have been sent all the same/)
  t.strictSame(lab.states(), [`${EVE} releasing`])
  const sink = await makeSink(t)
  lab.configure(sink.setting + QUIET)
  assertFailed(t, await lab.toeh('release', id), /NOT released .*began to release it at .*: let that end/)
  lab.change('UPDATE recipient SET changed_at = changed_at - 3600000')
  assertFailed(t, await lab.toeh('release', id), /NOT released .*was cut off; it may have been sent.*--again/)
  t.equal(sink.mails.length, 0)
  assertDone(t, await lab.toeh('release', id, '--again'), 'as SINK00000001')
  t.strictSame(lab.states(), [`${EVE} released`])
})

t.test('twice, or by two at once, it sends once', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const first = await lab.park([EVE], { queueId: 'TWICE1' })
  assertDone(t, await lab.toeh('release', first, first), 'as SINK00000001')
  assertRefused(t, await lab.toeh('release', first), 1, /nobody waits in it any more; toeh show/)
  t.equal(sink.mails.length, 1)
  const second = await lab.park([EVE], { queueId: 'TWICE2' })
  const outcomes = await Promise.all([1, 2, 3].map(() => lab.toeh('release', second)))
  t.equal(outcomes.filter(({ code }) => code === 0).length, 1, 'one of them has done it')
  t.equal(sink.mails.length, 2, 'and one copy has gone out')
  for (const { code, stdout, stderr } of outcomes) {
    if (code === 0) continue
    t.equal(code, 1)
    t.match(stdout + stderr, /NOT released|nobody waits in it any more|no such file/)
    t.notMatch(stderr, /\bat .*:\d+:\d+/, 'no stack trace')
  }
})

t.test('bytes that are not those that were held', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const altered = await lab.park([EVE], { queueId: 'ALTER1' })
  const missing = await lab.park([EVE], { queueId: 'MISS01' })
  const whole = await lab.park([EVE], { queueId: 'WHOLE1' })
  appendFileSync(join(lab.state, `hold/${altered}/message.eml`), 'more')
  rmSync(join(lab.state, `hold/${missing}/message.eml`))
  const outcome = await lab.toeh('release', altered, missing, whole)
  assertFailed(
    t,
    outcome,
    new RegExp(`${altered} NOT released to ${EVE}: .*the bytes are not those that were held`),
  )
  t.match(outcome.stdout, new RegExp(`${missing} NOT released to ${EVE}: .*no such file`))
  t.match(outcome.stdout, `${whole} released to ${EVE} as SINK00000001\n`, 'it does not stop the others')
  t.equal(sink.mails.length, 1)
  t.strictSame(lab.query('SELECT hold, state FROM recipient ORDER BY state, hold'), [
    ...[altered, missing].sort().map((hold) => ({ hold, state: 'held' })),
    { hold: whole, state: 'released' },
  ])
  t.ok(existsSync(join(lab.state, `hold/${altered}`)))
})

t.test('an address no SMTP command can carry stays, and the rest goes', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const id = await lab.park(['a b@unknown.test', EVE])
  const outcome = await lab.toeh('release', id)
  assertFailed(t, outcome, `${id} released to ${EVE} as SINK00000001\n`)
  t.match(outcome.stdout, `${id} NOT released to a b@unknown.test: it cannot be written into an SMTP command`)
  t.strictSame(lab.states(), ['a b@unknown.test held', `${EVE} released`])
})

t.test('a DKIM signature that has run out in the hold is told, and keeps nothing back', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const input = `DKIM-Signature: v=1; d=corp.test; s=a;\n\tx=1000000000; b=AB\nDKIM-Signature: d=whole.test; b=AB\n${BYTES.toString('latin1')}`
  const id = await lab.park([EVE], { input })
  const line = new RegExp(`^${id} the DKIM signature of corp\\.test ran out on 2001-09-0`, 'm')
  const ahead = await lab.toeh('release', id, '--dry-run')
  t.match(ahead.stdout, line)
  const lapsed = [{ domain: 'corp.test', endsAt: 1_000_000_000_000 }]
  const foreseen = JSON.parse((await lab.toeh('release', id, '--dry-run', '--json')).stdout)
  t.strictSame(foreseen.lapsed, [{ id, ...lapsed[0] }])
  const shown = await lab.toeh('show', id)
  assertDone(t, shown, /\nthe DKIM signature of corp\.test ran out on 2001-09-0/)
  t.notMatch(shown.stdout, 'of whole.test')
  t.strictSame(JSON.parse((await lab.toeh('show', id, '--json')).stdout).description.signatures, lapsed)
  await lab.allow(EVE)
  const { stdout, code } = await lab.toeh('recheck', '--json')
  t.equal(code, 0)
  t.match(JSON.parse(stdout), [{ id, released: [{ recipients: [EVE] }], failed: [], lapsed }])
  const again = await lab.park(['mal@unknown.test'], { input, queueId: 'LAPSED2' })
  const sent = await lab.toeh('release', again)
  assertDone(t, sent, `${again} released to mal@unknown.test as`)
  t.match(sent.stdout, /the DKIM signature of corp\.test ran out on/)
})

t.test('--json', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const id = await lab.park([EVE])
  const { stdout } = await lab.toeh('release', id, '--json', '--allow', 'address')
  t.match(JSON.parse(stdout), {
    rules: [{ value: EVE }],
    results: [{ id, released: [{ recipients: [EVE], queueId: 'SINK00000001' }], failed: [] }],
  })
})
