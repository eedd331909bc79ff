/** toeh audit: what was done can be read, and a record that was touched is found and named. */
import t from 'tap'
import { assertDone, assertFailed, assertRefused, makeLab } from '../support/lab.js'

t.test('lists what people did, with what it changed', async (t) => {
  const lab = makeLab(t)
  assertDone(t, await lab.toeh('audit'), /^nothing\n$/)
  await lab.toeh('allow', 'known.test', '--note', 'a note')
  await lab.toeh('revoke', 'known.test')
  const id = await lab.park(['eve@unknown.test'])
  await lab.toeh('reject', id, '--quiet')
  const { stdout } = await lab.toeh('audit')
  const lines = stdout.trimEnd().split('\n')
  t.equal(lines.length, 3)
  const when = /^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} {2}\S+ {2}/
  for (const line of lines) t.match(line, when)
  t.strictSame(
    lines.map((line) => line.replace(when, '')),
    [
      'allow  known.test: allow known.test',
      'revoke  known.test: was allow known.test',
      `rejected  ${id} eve@unknown.test: held → rejected (anna@corp.test, Invoice)`,
    ],
  )
  assertDone(t, await lab.toeh('audit', 'eve@', '--since', '1h'), / rejected {2}/)
  assertDone(t, await lab.toeh('audit', '--who', 'nobody-else'), /^nothing\n$/)
  const json = JSON.parse((await lab.toeh('audit', 'known', '--json')).stdout)
  t.match(json, [
    { id: 1, what: 'allow', subject: 'known.test', was: '', now: 'allow known.test' },
    { id: 2, what: 'revoke', subject: 'known.test' },
  ])
  t.strictSame(Object.keys(json[0]), ['id', 'at', 'who', 'what', 'subject', 'was', 'now', 'mail'])
})

t.test('by deed and time, with the mail, and for a spreadsheet', async (t) => {
  const lab = makeLab(t)
  await lab.toeh('allow', 'known.test')
  const formula = await lab.park(['eve@unknown.test'], { input: 'Subject: =1+1; "x", y\n\n' })
  const blank = await lab.park(['eve@unknown.test'], { input: 'X: y\n\n', sender: '', queueId: 'BLANK001' })
  await lab.toeh('reject', formula, blank, '--quiet')
  lab.change('UPDATE audit SET at = at - 86400000 WHERE id = 1')
  const deeds = async (...args: string[]): Promise<string[]> =>
    JSON.parse((await lab.toeh('audit', '--json', ...args)).stdout).map((row: { what: string }) => row.what)
  t.strictSame(await deeds('--deed', 'rejected'), ['rejected', 'rejected'])
  t.strictSame(await deeds('--before', '1h'), ['allow'])
  t.strictSame(await deeds('--since', '1h'), ['rejected', 'rejected'])
  t.strictSame(await deeds('--deed', 'nothing'), [])
  const { stdout } = await lab.toeh('audit', '--csv')
  const [head, allow, first, second] = stdout.split('\n')
  t.equal(head, 'id,at,who,what,subject,was,now,sender,message')
  t.match(allow, /^1,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,\S+,allow,known\.test,,allow known\.test,,$/)
  t.ok(
    first?.endsWith(`,rejected,${formula} eve@unknown.test,held,rejected,anna@corp.test,"'=1+1; ""x"", y"`),
    String(first),
  )
  t.ok(second?.endsWith(`,rejected,${blank} eve@unknown.test,held,rejected,,`), String(second))
  assertDone(t, await lab.toeh('audit', blank), / \(<>, \(no subject\)\)\n$/)
  lab.change('DELETE FROM recipient')
  lab.change('DELETE FROM hold')
  assertDone(t, await lab.toeh('audit', blank), /: held → rejected\n$/)
  assertRefused(t, await lab.toeh('audit', '--csv', '--json'), 2, /--csv and --json do not go together/)
})

t.test('verify follows the chain, and names the row that does not fit', async (t) => {
  const lab = makeLab(t)
  await lab.toeh('allow', 'one.test', 'two.test', 'three.test')
  const whole = await lab.toeh('audit', 'verify')
  assertDone(t, whole, /^whole: 3 rows, each follows from the one before\nhead [0-9a-f]{64}\n$/)
  const head = whole.stdout.trimEnd().split(' ').at(-1) ?? ''
  assertDone(t, await lab.toeh('audit', 'verify', '--head', head), 'the row with that head is there')

  lab.change('DELETE FROM audit WHERE id = 3')
  assertDone(t, await lab.toeh('audit', 'verify'), 'whole: 2 rows')
  assertFailed(t, await lab.toeh('audit', 'verify', '--head', head), 'NOT there')

  lab.change("UPDATE audit SET who = 'somebody' WHERE id = 2")
  assertFailed(t, await lab.toeh('audit', 'verify'), 'NOT whole: row 2 was changed')
  const { code, stdout } = await lab.toeh('audit', 'verify', '--json')
  t.equal(code, 1)
  t.match(JSON.parse(stdout), { rows: 1, broken: 2, headFound: null })
})

t.test('wrong usage', async (t) => {
  const lab = makeLab(t)
  assertRefused(t, await lab.toeh('audit', 'verify', '--who', 'marie'), 2, /--head is for verify/)
  assertRefused(t, await lab.toeh('audit', 'verify', '--csv'), 2, /--head is for verify/)
  assertRefused(t, await lab.toeh('audit', 'verify', '--before', '1d'), 2, /--head is for verify/)
  assertRefused(t, await lab.toeh('audit', '--head', 'a'.repeat(64)), 2, /--head is for verify/)
  assertRefused(t, await lab.toeh('audit', 'verify', '--head', 'abc'), 2, /it is no hash/)
  assertRefused(t, await lab.toeh('audit', '--since', 'yesterday'), 2, /it is no date/)
})
