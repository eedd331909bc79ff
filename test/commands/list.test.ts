/** toeh list: what waits, readable at 80 columns whatever a sender has written. */
import stringWidth from 'string-width'
import t from 'tap'
import { CLIENT } from '../support/held.js'
import { assertDone, assertRefused, makeLab } from '../support/lab.js'
import { makeSink } from '../support/sink.js'

const message = (subject: string): string => `Subject: ${subject}\n\nBody\n`

t.test('shows oldest first: id, age, size, sender, subject, then who waits and why', async (t) => {
  const sink = await makeSink(t, (to) => (to.startsWith('gone') ? '550 5.1.1 no such user' : undefined))
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  assertDone(t, await lab.toeh('list'), 'nothing waits\n')
  const old = await lab.park(['eve@unknown.test', 'gone@known.test'], {
    queueId: 'OLD001',
    input: message('Invoice'),
  })
  const recent = await lab.park(['a@x.test', 'b@x.test', 'c@x.test', 'd@x.test', 'e@x.test'], {
    sender: '',
    queueId: 'NEW001',
  })
  lab.change('UPDATE hold SET held_at = held_at - 7200000 WHERE id = ?', old)
  lab.change(`UPDATE recipient SET state = 'releasing' WHERE address = 'a@x.test'`)
  lab.change(`UPDATE recipient SET state = 'released' WHERE address = 'e@x.test'`)
  const outcome = await lab.toeh('list')
  assertDone(t, outcome, /Invoice/)
  const lines = outcome.stdout.split('\n')
  t.match(lines[0], new RegExp(`^${old}   2h +23  anna@corp\\.test  Invoice$`))
  t.match(lines[1], /^ {2}eve@unknown\.test {2}unknown$/)
  t.match(lines[2], /^ {2}gone@known\.test {2}refused$/)
  t.match(lines[3], new RegExp(`^${recent} +\\d+s +\\d+  <>  Invoice$`))
  t.strictSame(lines.slice(4), [
    '  a@x.test  releasing',
    '  b@x.test  unknown',
    '  c@x.test  unknown',
    '  and 1 more',
    '',
  ])
  const json = JSON.parse((await lab.toeh('list', '--json')).stdout)
  t.match(json, [
    { id: old, sender: 'anna@corp.test', subject: 'Invoice' },
    { id: recent, sender: '' },
  ])
})

t.test('no line is wider than 80 columns, and none can steer a terminal', async (t) => {
  const lab = makeLab(t)
  const base64 = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`
  const subjects = [
    'x'.repeat(500),
    '請求書'.repeat(60),
    base64('請求書'.repeat(60)),
    base64('🧾👩‍👩‍👧'.repeat(40)),
    `\u{1b}]0;owned\u{7}\u{1b}[2J\r${'\u{9b}31m'.repeat(40)}`,
    base64('safe\u{202e}fdp.exe\u{200b}\u{2066}\u{feff}\n\tnext'),
    `${'e\u{301}'.repeat(200)}`,
    '\u{3164}'.repeat(100),
  ]
  for (const [index, subject] of subjects.entries()) {
    const address = `${'long'.repeat(30)}\u{202e}${index}\u{7}@${'sub.'.repeat(25)}unknown.test`
    await lab.park([address, `plain${index}@unknown.test`], {
      queueId: `WIDE0${index}`,
      input: message(subject),
    })
  }
  const outcome = await lab.toeh('list')
  assertDone(t, outcome, 'safe\\u{202e}fdp.exe\\u{200b}\\u{2066} ne…')
  for (const line of outcome.stdout.split('\n')) {
    t.ok(stringWidth(line) <= 80, `${stringWidth(line)} columns: ${line}`)
    t.notMatch(line, /[\p{Cc}\p{Cf}\u{3164}]/u, 'no hidden character')
  }
  t.match(outcome.stdout, '\\u{1b}]0;owned\\u{7}\\u{1b}[2J', 'controls are shown as their code points')
  t.match(outcome.stdout, /請求書.*…\n/)
  t.match(outcome.stdout, /^ {2}….*sub\.unknown\.test {2}malformed$/m, 'the end of a domain says whose it is')
})

t.test('the newest first, by subject, and what is settled', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const park = (queueId: string, subject: string): Promise<string> =>
    lab.park(['eve@unknown.test', 'mal@other.test'], { queueId, input: `Subject: ${subject}\n\nx\n` })
  const [first, second, third] = [
    await park('NEWEST01', 'Offer 1'),
    await park('NEWEST02', '=?utf-8?q?R=C3=A9ponse?= 2'),
    await park('NEWEST03', 'Invoice 3'),
  ]
  for (const [index, id] of [first, second, third].entries())
    lab.change('UPDATE hold SET held_at = held_at - ? WHERE id = ?', (3 - index) * 60_000, id)
  const ids = async (...args: string[]): Promise<string[]> =>
    JSON.parse((await lab.toeh('list', '--json', ...args)).stdout).map(({ id }: { id: string }) => id)
  t.strictSame(await ids(), [first, second, third])
  t.strictSame(await ids('--newest'), [third, second, first])
  t.strictSame(await ids('--newest', '--limit', '2'), [third, second])
  t.strictSame(await ids('--newest', '--sender', 'anna@corp.test', '--limit', '1'), [third])
  t.strictSame(await ids('--subject', 'R\u00c9PONSE'), [second])
  t.strictSame(await ids('--subject', 'offer', '--subject', 'INVOICE'), [first, third])
  t.strictSame(await ids('--settled'), [])
  assertDone(t, await lab.toeh('list', '--settled'), /^nothing that is settled is selected\n/)
  await lab.toeh('reject', first, '--quiet')
  await lab.toeh('release', third)
  await lab.toeh('reject', second, '--quiet', '--recipient', 'eve@unknown.test')
  t.strictSame(await ids(), [second])
  t.strictSame(await ids('--settled'), [third, first])
  t.strictSame(await ids('--settled', '--subject', 'offer'), [first])
  t.strictSame(await ids('--settled', '--domain', 'nowhere.test'), [])
  const { stdout } = await lab.toeh('list', '--settled')
  t.match(stdout, /Invoice 3\n {2}eve@unknown\.test {2}released\n {2}mal@other\.test {2}released\n/)
  t.match(stdout, /Offer 1\n {2}eve@unknown\.test {2}rejected\n/)
  assertRefused(t, await lab.toeh('list', '--subject'), 2, /--subject needs a value/)
})

t.test('wrong usage; and it looks only', async (t) => {
  const lab = makeLab(t)
  await lab.park(['eve@unknown.test'])
  const before = lab.snapshot()
  await lab.toeh('list')
  assertRefused(t, await lab.toeh('list', 'x'), 2, /x is too much: it is toeh list/)
  assertRefused(t, await lab.toeh('list', '--yes'), 2, /there is no option --yes/)
  assertRefused(t, await lab.toeh('list', '--all', '--limit', '3'), 2, /--all and --limit do not go/)
  for (const wrong of ['0', '-1', '1.5', 'x', ''])
    assertRefused(t, await lab.toeh('list', `--limit=${wrong}`), 2, /--limit must be a whole number from 1/)
  t.strictSame(lab.snapshot(), before)
})

t.test('an unknown recipient with a near miss has a line more', async (t) => {
  const lab = makeLab(t)
  const long = `${'long-'.repeat(10)}name.firm.test`
  await lab.allow('supplier.test', `marie.durand@${long}`)
  const recipients = [
    'x@sup-plier.test',
    'y@stranger.test',
    'marie.durand@private.test',
    'a%b@sup-plier.test',
  ]
  await lab.park(recipients)
  const outcome = await lab.toeh('list')
  assertDone(
    t,
    outcome,
    '  x@sup-plier.test  unknown\n    looks like: supplier.test (hyphen)\n      known: no message counted; this one: never\n',
  )
  t.match(outcome.stdout, /\n {4}looks like: ….*firm\.test \(same local part at another domain\)\n/)
  for (const line of outcome.stdout.split('\n')) t.ok(stringWidth(line) <= 80, line)
  const [{ recipients: listed }] = JSON.parse((await lab.toeh('list', '--json')).stdout)
  const likenesses = Object.fromEntries(
    listed.map(({ address, nearMisses }: { address: string; nearMisses?: { likeness: string }[] }) => [
      address,
      nearMisses?.map(({ likeness }) => likeness),
    ]),
  )
  t.strictSame(likenesses, {
    'a%b@sup-plier.test': undefined,
    'marie.durand@private.test': ['same local part at another domain'],
    'x@sup-plier.test': ['hyphen'],
    'y@stranger.test': [],
  })
})

t.test('a long list is cut after a hundred messages, and says so; what asks for JSON gets all', async (t) => {
  const lab = makeLab(t)
  const db = lab.openDatabase()
  db.transaction(() => {
    for (let index = 0; index < 130; index++) {
      const id = `${index}`.padStart(12, '0')
      const sender = index % 5 === 0 ? 'ben@corp.test' : 'anna@corp.test'
      db.run(
        `INSERT INTO hold (id, queue_id, sender, sha256, size, subject, message_id, client, held_at, expires_at)
         VALUES (?, 'Q', ?, 'x', 1, 's', 'm', ?, ?, ?)`,
        ...[id, sender, JSON.stringify(CLIENT), Date.now() - (130.5 - index) * 3_600_000, Date.now() + 1e9],
      )
      db.run(`INSERT INTO recipient VALUES (?, 'eve@new.test', 'held', 'unknown', '', '', 'x', 1)`, id)
    }
  })
  db.close()
  const idsIn = (text: string): string[] => text.match(/^[0-9a-z]{12}(?= )/gm) ?? []
  const ids = Array.from({ length: 130 }, (_, index) => `${index}`.padStart(12, '0'))
  const cut = await lab.toeh('list')
  const rest = '30 more messages wait; --all shows them\n'
  t.strictSame({ code: cut.code, stderr: cut.stderr }, { code: 0, stderr: rest }, 'grep would lose it')
  t.strictSame(idsIn(cut.stdout), ids.slice(0, 100), 'the oldest')
  t.ok(cut.stdout.endsWith(`  eve@new.test  unknown\n${rest}`))
  const all = await lab.toeh('list', '--all')
  assertDone(t, all, '000000000129')
  t.strictSame(idsIn(all.stdout), ids)
  const few = await lab.toeh('list', '--limit', '2')
  assertDone(t, few, '128 more messages wait; --all shows them\n')
  t.strictSame(idsIn(few.stdout), ids.slice(0, 2))
  // By time the index does it, by sender each is looked at.
  const late = await lab.toeh('list', '--since', '111h')
  t.match(late.stdout, '10 more messages are selected; --all shows them\n')
  t.strictSame(idsIn(late.stdout), ids.slice(20, 120))
  const bens = await lab.toeh('list', '--sender', 'ben@corp.test', '--limit', '20')
  assertDone(t, bens, '6 more messages are selected; --all shows them\n')
  t.strictSame(idsIn(bens.stdout), ids.filter((_, index) => index % 5 === 0).slice(0, 20))
  const exact = await lab.toeh('list', '--before', '31h')
  assertDone(t, exact, '000000000099')
  t.notMatch(exact.stdout, 'more')
  const json = async (...options: string[]): Promise<string[]> => {
    const { stdout, stderr } = await lab.toeh('list', '--json', ...options)
    t.equal(stderr, '')
    return JSON.parse(stdout).map(({ id }: { id: string }) => id)
  }
  t.strictSame(await json(), ids, 'a program gets no part it has not asked for')
  t.strictSame(await json('--limit', '3'), ids.slice(0, 3))
})
