/** toeh list: what waits, readable at 80 columns whatever a sender has written. */
import stringWidth from 'string-width'
import t from 'tap'
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

t.test('wrong usage; and it looks only', async (t) => {
  const lab = makeLab(t)
  await lab.park(['eve@unknown.test'])
  const before = lab.snapshot()
  await lab.toeh('list')
  assertRefused(t, await lab.toeh('list', 'x'), 2, /Unknown argument: x/)
  assertRefused(t, await lab.toeh('list', '--all'), 2, /Unknown argument: all/)
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
