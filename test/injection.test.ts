/**
 * Injection: what strangers choose (addresses, names of clients, header fields) and what people note ends up in
 * terminals, mails, logs, argument lists and tables, and steers none of them.
 */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseAddress } from '../lib/mail/address.js'
import { visible } from '../lib/text/visible.js'
import { assertDone, assertSettled, makeLab } from './support/lab.js'
import { makeSink, unwire } from './support/sink.js'

const HIDDEN = /[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}]/u

/** As argv can carry it: no NUL. */
const HOSTILE = [
  '-oQ/tmp@unknown.test',
  '--config=/tmp/x@unknown.test',
  'a\nBcc: victim@evil.test\n@unknown.test',
  'a\r\nRCPT TO:<victim@evil.test>@unknown.test',
  'a\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[31m@unknown.test',
  'a\u{9b}2J\u{85}b@unknown.test',
  'a\u{202e}tset.nwonk\u{2066}@unknown.test',
  'a\u{200b}\u{ad}\u{feff}@unknown.test',
  'a\u{2028}b\u{2029}@unknown.test',
  'x@unknown.test,y@evil.test',
  '$(id)@unknown.test',
  '`id`;|&@unknown.test',
  '=cmd@unknown.test',
]
const BAD = '\u{1b}[2J\u{9b}31m\u{202e}\r\nBcc: victim@evil.test\r\n\r\nx'

t.test('from the envelope to terminals, mails and logs', { timeout: 240_000 }, async (t) => {
  const sink = await makeSink(t)
  const notice = '[notice]\nenabled = true\ninterval_minutes = 0\n'
  const lab = makeLab(t, `${sink.setting}\napprovers = ["boss@corp.test"]`, notice)
  // Postfix itself makes client names and HELO harmless (neuter()); the login is not sent on.
  const options = [`--sasl-user=${BAD}`, '--client-address=192.0.2.7']
  const subject = `=?utf-8?q?=1B]0;x=07=E2=80=AE?= ${'\u{1b}'}[2J ${'\u{9b}'}31m =?utf-8?q?=0D=0ABcc:_victim@evil.test?=`
  const input = `Subject: ${subject}\nMessage-ID: <a\u{1b}[2J@x>\nX-\u{1b}[2J: \u{202e}\n\nx\n`
  const outcome = await lab.filter({ recipients: [...HOSTILE, 'bob@corp.test'], input, options })
  assertSettled(t, outcome, /passed 1 .*held 13/)
  const [id = ''] = lab.held()

  t.strictSame(
    lab
      .states()
      .filter((state) => state.endsWith(' held'))
      .map((state) => state.slice(0, -5))
      .toSorted(),
    HOSTILE.toSorted(),
    'each is held as it was given',
  )
  const lines = readdirSync(join(lab.state, 'decisions')).flatMap((name) =>
    readFileSync(join(lab.state, 'decisions', name), 'utf8')
      .trimEnd()
      .split('\n'),
  )
  t.equal(lines.length, 1, 'one line in the decision log')
  t.notMatch(lines[0], /[\0-\x1f]/)

  const [passed, ...notices] = sink.mails
  t.strictSame(passed?.recipients, ['bob@corp.test'])
  for (const value of Object.values(passed?.xforward ?? {}))
    t.notMatch(String(value), /[\0-\x1f\x7f ]/, 'XFORWARD')
  t.equal(notices.length, 2)
  for (const { bytes, recipients } of notices) {
    const [head = '', body = ''] = unwire(bytes)
      .toString('latin1')
      .split(/\n\n([\s\S]*)/)
    const names = head
      .split('\n')
      .filter((line) => !/^[ \t]/.test(line))
      .map((line) => line.split(':')[0])
    t.notOk(
      names.some((name) => /^(?:bcc|cc)$/i.test(name ?? '')),
      `${recipients}`,
    )
    t.ok(
      names.every((name) => /^[A-Za-z-]+$/.test(name ?? '')),
      'header fields are whole',
    )
    t.notMatch(head + body, /[\0-\x08\x0b-\x1f\x7f]/, 'no control character')
    t.equal(recipients.length, 1)
  }

  for (const args of [['list'], ['show', id], ['digest'], ['known'], ['report'], ['report', '--html', '-']]) {
    const { code, stdout, stderr } = await lab.toeh(...args)
    t.equal(code, 0, stderr)
    t.notMatch(stdout, HIDDEN, args.join(' '))
  }
  for (const recipient of HOSTILE.filter((address) => !address.startsWith('-'))) {
    const { stdout, stderr } = await lab.toeh('why', `--sender=${BAD}`, recipient)
    t.match(stdout, /^hold: (?:malformed|foreign-sender|unknown)/, visible(recipient))
    t.notMatch(stdout + stderr, HIDDEN, `why ${visible(recipient)}`)
  }
  const reject = await lab.toeh('reject', '--quiet', id)
  t.notMatch(reject.stdout + reject.stderr, HIDDEN, 'reject')
  const audit = lab.query<{ subject: string }>("SELECT subject FROM audit WHERE what = 'rejected'")
  t.strictSame(
    audit.map(({ subject: text }) => text.slice(id.length + 1)).toSorted(),
    HOSTILE.toSorted(),
    'the audit has them exactly',
  )
})

t.test('a sender that is hostile is told of to nobody but approvers', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, `${sink.setting}\napprovers = ["boss@corp.test"]`, '[notice]\nenabled = true\n')
  for (const [index, sender] of [
    '-f@corp.test',
    'a\nTo: x@evil.test\n@corp.test',
    `${BAD}@corp.test`,
  ].entries()) {
    const outcome = await lab.filter({
      recipients: ['eve@unknown.test'],
      sender,
      queueId: `4bQ8Yk2hJnz${index}`,
    })
    assertSettled(t, outcome, 'held 1')
  }
  t.strictSame([...new Set(sink.mails.flatMap(({ recipients }) => recipients))], ['boss@corp.test'])
  t.notMatch((await lab.toeh('list')).stdout, HIDDEN)
})

t.test('sendmail gets addresses behind --, and none that it could split', async (t) => {
  const lab = makeLab(t)
  const program = join(lab.dir, 'sendmail')
  const seen = join(lab.dir, 'arguments')
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$@" >> ${seen}\ncat > /dev/null\n`)
  chmodSync(program, 0o755)
  lab.configure(`reinject = "sendmail:${program}"\nmode = "observe"\n[notice]\nenabled = false\n`)
  await lab.filter({ recipients: [...HOSTILE, 'bob@corp.test'] })
  const given = readFileSync(seen, 'utf8').trimEnd().split('\n')
  const end = given.indexOf('--')
  t.strictSame(given.slice(0, end), ['-G', '-i', '-f', 'anna@corp.test'])
  t.ok(given.includes('bob@corp.test'))
  for (const address of given.slice(end + 1)) {
    t.ok(parseAddress(address).plain, address)
    t.notMatch(address, /^-|[,\s\p{Cc}]/u, address)
  }
})

t.test('a note that a spreadsheet takes for a formula comes back exactly', async (t) => {
  const lab = makeLab(t)
  const notes = [
    '=HYPERLINK("http://evil.test","x")',
    '+1',
    '-1+2',
    '@SUM(1)',
    '\t=1',
    "'=1",
    '"=1"',
    '=1;2,3\n=4',
  ]
  for (const [index, note] of notes.entries())
    assertDone(t, await lab.toeh('allow', `n${index}.test`, `--note=${note}`), /rule/)
  const file = join(lab.dir, 'rules.csv')
  assertDone(t, await lab.toeh('export', file), /8 rules/)
  const other = makeLab(t)
  assertDone(t, await other.toeh('import', file), /./)
  t.strictSame(
    other.query<{ note: string }>('SELECT note FROM rule ORDER BY value').map(({ note }) => note),
    notes,
  )
  assertDone(t, await other.toeh('export', join(other.dir, 'rules.csv')), /8 rules/)
  const text = readFileSync(file, 'utf8')
  t.equal(readFileSync(join(other.dir, 'rules.csv'), 'utf8').split('\n').length, text.split('\n').length)
  // A value is chosen by strangers where a release allows it: it can begin a formula, but call nothing.
  for (const value of [
    '=cmd|\u{27}/C calc\u{27}!A0@x.test',
    '=HYPERLINK("x")@x.test',
    '=SUM(1,2)@x.test',
    '@x.test',
  ])
    t.equal(parseAddress(value).plain, false, value)
})
