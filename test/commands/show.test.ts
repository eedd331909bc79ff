/** toeh show: what a person needs before deciding about one message. */
import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { assertDone, assertRefused, makeLab, outcomeOf, startToeh } from '../support/lab.js'
import { makeSink } from '../support/sink.js'

const MULTIPART = [
  'Received: from pc (pc [192.0.2.7])',
  '\tby mx.corp.test',
  'From: =?utf-8?Q?Ann=C3=A4?= <anna@corp.test>',
  'To: eve@unknown.test',
  'Subject: =?utf-8?B?UmVjaG51bmfigK5mZHA=?=',
  'X-Odd: a\u{1b}[2Jb',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=cut',
  '',
  '--cut',
  'Content-Type: text/plain',
  '',
  'Hello',
  '--cut',
  'Content-Type: application/pdf',
  'Content-Disposition: attachment; filename="Vertrag \u{202e}fdp.exe"',
  'Content-Transfer-Encoding: base64',
  '',
  Buffer.alloc(3000, 'x')
    .toString('base64')
    .replace(/(.{76})/g, '$1\n'),
  '--cut',
  'Content-Type: image/png',
  '',
  'raw',
  '--cut--',
  '',
].join('\n')

t.test('headers, attachments, recipients, reasons', async (t) => {
  const sink = await makeSink(t, (to) => (to.startsWith('gone') ? '550 5.1.1 no such user' : undefined))
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  const options = ['--client-name=pc.corp.test', '--client-address=192.0.2.7', '--sasl-user=anna']
  const recipients = ['eve@unknown.test', 'gone@known.test', 'bob@known.test', 'a%b@corp.test']
  const id = await lab.park(recipients, { input: MULTIPART, options })
  const outcome = await lab.toeh('show', id)
  assertDone(
    t,
    outcome,
    `hold:     ${id}\nsender:   anna@corp.test\nsubject:  Rechnung\\u{202e}fdp\nsize:     `,
  )
  t.match(outcome.stdout, '(queue id 4bQ8Yk2hJnz1)')
  t.match(outcome.stdout, 'client:   pc.corp.test 192.0.2.7 as anna\n')
  t.match(outcome.stdout, '  eve@unknown.test\n      held: unknown\n')
  t.match(outcome.stdout, '  a%b@corp.test\n      held: malformed (percent or bang routing)\n')
  t.match(outcome.stdout, /\n {2}gone@known\.test\n {6}refused: refused \(550 .*no such user\)\n/)
  t.match(outcome.stdout, '  bob@known.test\n      passed: known\n')
  t.match(outcome.stdout, '\n  Received: from pc (pc [192.0.2.7]) by mx.corp.test\n', 'headers, unfolded')
  t.match(outcome.stdout, 'X-Odd: a\\u{1b}[2Jb')
  t.match(outcome.stdout, /\nattachments:\n {2}Vertrag .*fdp\.exe {2}application\/pdf {2}2\.9k\n/)
  t.match(outcome.stdout, /\(no name\) {2}image\/png {2}3\n$/)
  t.notMatch(outcome.stdout, /[^\n\P{Cc}]|\p{Cf}/u, 'no hidden character')
  t.notMatch(outcome.stdout, 'Hello', 'the text of the message is not shown')

  const json = JSON.parse((await lab.toeh('show', id, '--json')).stdout)
  t.equal(json.id, id)
  t.strictSame(
    json.description.attachments.map(({ type, size }: { type: string; size: number }) => ({ type, size })),
    [
      { type: 'application/pdf', size: 3000 },
      { type: 'image/png', size: 3 },
    ],
  )
})

t.test('a message that is settled', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const id = await lab.park(['eve@unknown.test'])
  await lab.toeh('release', id)
  const outcome = await lab.toeh('show', id)
  assertDone(
    t,
    outcome,
    /\n {2}eve@unknown\.test\n {6}released: unknown\n {6}by \S+, [-\d]+ [:\d]+, as SINK00000001\n/,
  )
  t.match(outcome.stdout, 'the message itself is gone: everybody on it is settled\n')
  t.match(JSON.parse((await lab.toeh('show', id, '--json')).stdout), { description: null })
})

t.test('one that is no MIME at all', async (t) => {
  const lab = makeLab(t)
  const id = await lab.park(['eve@unknown.test'], { input: Buffer.alloc(5000, 0xff) })
  assertDone(t, await lab.toeh('show', id), /subject: {2}\(no subject\)\n[\s\S]*no attachments\n/)
})

t.test('an id that is none, or of nothing; and it looks only', async (t) => {
  const lab = makeLab(t)
  const id = await lab.park(['eve@unknown.test'])
  const before = lab.snapshot()
  assertDone(t, await lab.toeh('show', id.toUpperCase()), `hold:     ${id}\n`)
  assertRefused(t, await lab.toeh('show'), 2, /usage: .*toeh show --help/)
  assertRefused(
    t,
    await lab.toeh('show', '000000000000'),
    66,
    /hold 000000000000: there is no such message; toeh list shows them/,
  )
  assertRefused(
    t,
    await lab.toeh('show', '../../etc'),
    2,
    /hold id "\.\.\/\.\.\/etc": it is not twelve letters and digits/,
  )
  assertRefused(t, await lab.toeh('show', `${id}0`), 2, /it is not twelve letters and digits/)
  t.strictSame(lab.snapshot(), before)
})

t.test('below each unknown recipient, what it could be taken for', async (t) => {
  const lab = makeLab(t)
  assertDone(t, await lab.toeh('allow', 'fournisseur.test', '--note', 'contract 2214'), 'rule 1')
  const id = await lab.park(['x@fournisseur-sarl.test', 'y@c0rp.test', 'z@stranger.test'])
  const { stdout } = await lab.toeh('show', id)
  t.match(
    stdout,
    /\n {2}x@fournisseur-sarl\.test\n {6}held: unknown\n {6}looks like: fournisseur\.test \(added or moved label\)\n {8}known: fournisseur\.test \(no message counted, allowed by \S+ on \d{4}-\d\d-\d\d, contract 2214\); this one: fournisseur-sarl\.test, never\n/,
  )
  t.match(
    stdout,
    '      looks like: corp.test (looks the same)\n        known: corp.test (your own domain); this one: c0rp.test, never\n',
  )
  t.match(stdout, '  z@stranger.test\n      held: unknown\n\n')
  const { recipients } = JSON.parse((await lab.toeh('show', id, '--json')).stdout)
  t.match(recipients, [
    { nearMisses: [{ value: 'fournisseur.test', kind: 'domain', thisOne: { released: 0 } }] },
    { nearMisses: [{ value: 'corp.test', kind: 'internal', history: null }] },
    { nearMisses: [] },
  ])
  await lab.toeh('reject', id, '--quiet')
  t.notMatch((await lab.toeh('show', id)).stdout, 'looks like', 'and only while it waits')
})

t.test(
  '--text: what a mail program shows, each line behind a margin, and the audit has who read it',
  async (t) => {
    const lab = makeLab(t)
    const id = await lab.park(['eve@unknown.test'], { input: MULTIPART })
    const outcome = await lab.toeh('show', id, '--text')
    assertDone(t, outcome, /\ntext:\n {2}\| Hello\n$/)
    assertDone(
      t,
      await lab.toeh('audit', id),
      /^\S+ \S+ {2}\S+ {2}read {2}[0-9a-z]{12} \(anna@corp\.test, Rechnung/,
    )
    t.equal(
      JSON.parse((await lab.toeh('show', id, '--text', '--json')).stdout).description.text.trim(),
      'Hello',
    )
    t.notMatch(JSON.parse((await lab.toeh('show', id, '--json')).stdout).description, { text: /./ })
    const head = 'Subject: x\nMIME-Version: 1.0\nContent-Type: '
    const texts: [string, string, RegExp][] = [
      ['only HTML', 'text/html\n\n<p>Pay <b>now</b></p><script>x()</script>', /\n {2}\| Pay now\n$/],
      [
        'what steers, hides and turns',
        'text/plain; charset=utf-8\n\na\u{1b}[2Jb\u{202e}c\rd',
        /\n {2}\| a\\u\{1b\}\[2Jb\\u\{202e\}c\n {2}\| d\n$/,
      ],
      ['none', 'application/pdf\n\nx', /\ntext:\n {2}\(none\)\n$/],
      [
        'quoted-printable',
        'text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\ncaf=E9=\n!',
        /\| café!\n$/,
      ],
      [
        'a line that looks like ours',
        'text/plain\n\nrecipients:\n  eve@x.test',
        /\n {2}\| recipients:\n {2}\| {3}eve@x\.test\n$/,
      ],
    ]
    for (const [name, rest, shown] of texts) {
      const other = await lab.park(['eve@unknown.test'], {
        input: `${head}${rest}`,
        queueId: `4bQ8Yk2hJ${name.length}`,
      })
      const { stdout } = await lab.toeh('show', other, '--text')
      t.match(stdout, shown, name)
    }
    const long = await lab.park(['eve@unknown.test'], {
      input: `${head}text/plain\n\n${'0123456789\n'.repeat(5000)}`,
      queueId: '4bQ8Yk2hJlong',
    })
    const { text, trouble } = JSON.parse(
      (await lab.toeh('show', long, '--text', '--json')).stdout,
    ).description
    t.equal(text.length, 20_000)
    t.match(trouble, /only the first 20000 characters of its text are shown/)
  },
)

t.test('--save: every byte, into a new file of who asks, and the audit has it', async (t) => {
  const lab = makeLab(t)
  const bytes = Buffer.concat([
    Buffer.from('Subject: x\n\n'),
    Buffer.alloc(300_000, 0xe9),
    Buffer.from('\n.\n\0'),
  ])
  const id = await lab.park(['eve@unknown.test'], { input: bytes })
  const file = join(lab.dir, 'message.eml')
  assertDone(t, await lab.toeh('show', id, '--save', file), `the message is in ${file}\n`)
  t.ok(readFileSync(file).equals(bytes))
  t.equal(statSync(file).mode & 0o777, 0o600)
  assertDone(t, await lab.toeh('audit', id), `  saved  ${id}: ${file} (anna@corp.test, x)\n`)
  const redirected = join(lab.dir, 'redirected.eml')
  const shell = ['sh', '-c', '"$@" > "$0"', redirected]
  assertDone(t, await outcomeOf(startToeh(lab.config, ['show', id, '--save', '-'], shell)), /^$/)
  t.ok(readFileSync(redirected).equals(bytes))

  const refused: [string, string[], number, RegExp][] = [
    ['one that is there', [file], 1, /message\.eml.*name a file that is not there yet/],
    ['a folder that is not', [join(lab.dir, 'none/x')], 1, /none\/x.*no such file or directory/i],
    ['the state folder', [join(lab.state, 'x.eml')], 77, /the state folder is for toeh alone/],
    ['no name', [''], 2, /which file\?/],
    ['with --json', ['-', '--json'], 2, /--save - is the message alone/],
    ['with --text', ['-', '--text'], 2, /--save - is the message alone/],
  ]
  symlinkSync('/nowhere/at/all', join(lab.dir, 'link'))
  refused.push(['a link that leads nowhere', [join(lab.dir, 'link')], 1, /name a file that is not there yet/])
  for (const [name, more, status, why] of refused)
    await t.test(name, async (t) =>
      assertRefused(t, await lab.toeh('show', id, '--save', ...more), status, why),
    )
  assertRefused(
    t,
    await lab.toeh('show', '000000000000', '--save', join(lab.dir, 'y')),
    66,
    /no such message/,
  )
  t.throws(() => statSync(join(lab.dir, 'y')), 'nothing is made for nothing')
  t.equal((await lab.toeh('audit', id)).stdout.match(/ saved /g)?.length, 2, 'what was refused is no deed')
})

t.test('what fails once the file is there says that it is not whole', async (t) => {
  const lab = makeLab(t, 'busy_seconds = 0')
  const id = await lab.park(['eve@unknown.test'])
  const file = join(lab.dir, 'cut.eml')
  const db = lab.openDatabase()
  db.run('BEGIN IMMEDIATE')
  const { code, stdout, stderr } = await lab.toeh('show', id, '--save', file)
  db.run('ROLLBACK')
  db.close()
  t.ok(code !== 0 && stdout === '', stderr)
  t.match(stderr, /^toeh: show \S+cut\.eml: .*keeps it locked.*; it is not whole: remove it\n$/)
  t.equal(statSync(file).size, 0)
})

t.test('--text and --save of what is gone, and by who may not decide', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const id = await lab.park(['eve@unknown.test'])
  await lab.toeh('release', id)
  for (const option of [['--text'], ['--save', join(lab.dir, 'x.eml')]])
    assertRefused(t, await lab.toeh('show', id, ...option), 66, /the message itself is gone/)
  t.throws(() => statSync(join(lab.dir, 'x.eml')))
  writeFileSync(lab.config, `${readFileSync(lab.config, 'utf8')}\n[people]\ngroup = "no-such-group"\n`)
  const held = await lab.park(['eve@unknown.test'], { queueId: '4bQ8Yk2hJother' })
  const asDaemon = (...args: string[]) => outcomeOf(startToeh(lab.config, args, ['env', 'SUDO_USER=daemon']))
  assertDone(t, await asDaemon('show', held), `hold:     ${held}\n`)
  for (const option of [['--text'], ['--save', '-']]) {
    const { code, stdout, stderr } = await asDaemon('show', held, ...option)
    t.strictSame({ code, stdout }, { code: 77, stdout: '' })
    t.match(stderr, /no-such-group/)
  }
  const file = join(lab.dir, 'not-theirs.eml')
  t.equal((await asDaemon('show', held, '--save', file)).code, 77)
  t.throws(() => statSync(file), 'and they get no empty file either')
})
