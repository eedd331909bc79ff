/** Scopes and ends, from the command to the filter's verdict and to why's. */
import t from 'tap'
import { makeLab } from './support/lab.js'
import { makeSink } from './support/sink.js'

const GROUPS = '[groups]\naccounting = ["anna@corp.test"]\n'

t.test('a rule for some: the filter and why agree on whom', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting, `${'[notice]\nenabled = false\n'}${GROUPS}`)
  const allowed = await lab.toeh('allow', 'bank.test', '--for', 'accounting', '--until', '30d')
  t.match(allowed.stdout, /^rule 1: allow bank\.test for accounting until \d{4}-\d\d-\d\d\n$/)
  await lab.toeh('allow', 'boss@bank.test', '--for', 'Boss@Corp.test')
  await lab.toeh('allow', 'club.test', '--for', '@corp.test')
  const cases: [string, string, string][] = [
    ['anna@corp.test', 'x@bank.test', 'allowed'],
    ['bob@corp.test', 'x@bank.test', 'unknown'],
    ['boss@corp.test', 'boss@bank.test', 'allowed'],
    ['bob@corp.test', 'boss@bank.test', 'unknown'],
    ['bob@corp.test', 'x@club.test', 'allowed'],
    ['', 'x@club.test', 'unknown'],
  ]
  for (const [index, [sender, recipient, reason]] of cases.entries()) {
    const { code, stdout } = await lab.filter({ sender, recipients: [recipient], queueId: `SCOPE${index}` })
    t.equal(code, 0, stdout)
    t.match(lab.decisions().at(-1)?.recipients, [{ reason }], `${sender} to ${recipient}`)
    const why = await lab.toeh('why', recipient, '--sender', sender, '--json')
    t.match(JSON.parse(why.stdout), { reason, recipient })
  }
  t.equal(sink.mails.length, 3)
})

t.test('a block for some is met by whoever may be one of them', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, `${sink.setting}\nrecipient_delimiter = "+"`, `[notice]\nenabled = false\n${GROUPS}`)
  await lab.toeh('allow', 'evil.test', 'bank.test')
  await lab.toeh('allow', 'evil.test', '--for', 'info@corp.test')
  await lab.toeh('block', 'evil.test', '--for', 'accounting')
  const cases: [sender: string, login: string, recipient: string, reason: string][] = [
    ['anna@corp.test', '', 'x@evil.test', 'blocked'],
    ['anna+x@corp.test', '', 'x@evil.test', 'blocked'],
    ['', '', 'x@evil.test', 'blocked'],
    ['', 'anna', 'x@evil.test', 'blocked'],
    ['info@corp.test', 'anna', 'x@evil.test', 'blocked'],
    ['info@corp.test', 'Anna+y@corp.test', 'x@evil.test', 'blocked'],
    ['info@corp.test', 'bob', 'x@evil.test', 'allowed'],
    ['anna-x@corp.test', '', 'x@evil.test', 'allowed'],
    ['', 'anna', 'x@bank.test', 'allowed'],
    ['anna+x@corp.test', 'anna', 'x@bank.test', 'allowed'],
  ]
  for (const [index, [sender, login, recipient, reason]] of cases.entries()) {
    const call = { sender, recipients: [recipient], options: [`--sasl-user=${login}`] }
    const { code, stdout } = await lab.filter({ ...call, queueId: `EVADE${index}` })
    t.equal(code, 0, stdout)
    t.match(lab.decisions().at(-1)?.recipients, [{ reason }], `${sender} ${login}`)
    const why = await lab.toeh('why', recipient, `--sender=${sender}`, `--login=${login}`, '--json')
    t.match(JSON.parse(why.stdout), { reason }, `why: ${sender} ${login}`)
  }
  t.equal(sink.mails.length, 4)
  t.match((await lab.toeh('recheck')).stdout, /^nothing that waits has become known/, 'nor by recheck')
})

t.test('a rule that has ended does not pass', async (t) => {
  const lab = makeLab(t)
  await lab.toeh('allow', 'trial.test', '--until', '1h')
  lab.change('UPDATE rule SET ends_at = 1')
  t.match((await lab.toeh('why', 'x@trial.test')).stdout, /^hold: unknown\n/)
  t.equal((await lab.toeh('known')).stdout, 'no rule\n')
})

t.test('wrong whom and wrong when change nothing', async (t) => {
  const lab = makeLab(t, '', GROUPS)
  const before = lab.databaseDigest()
  const wrong: [string[], RegExp][] = [
    [['--for', 'sales'], /^toeh: allow --for "sales": there is no such group; groups: accounting\n$/],
    [
      ['--for', 'a%b@corp.test'],
      /^toeh: allow --for "a%b@corp\.test": it is no plain address \(percent or bang routing\)\n$/,
    ],
    [
      ['--for', '@corp'],
      /^toeh: allow --for "@corp": it is neither an address nor a domain \(single-label domain\)\n$/,
    ],
    [
      ['--for', 'a..b@corp.test'],
      /^toeh: allow --for "a\.\.b@corp\.test": it is no plain address \(local part is not a dot-atom\)\n$/,
    ],
    [['--until', 'soon'], /^toeh: --until "soon": it is no date as 2026-12-31 and no time as 30d\n$/],
    [['--until', '2020-01-01'], /^toeh: --until "2020-01-01": that day has passed\n$/],
  ]
  for (const [options, complaint] of wrong) {
    const { code, stderr } = await lab.toeh('allow', 'x.test', ...options)
    t.match(stderr, complaint)
    t.equal(code, 2)
  }
  t.equal(lab.databaseDigest(), before)
})

t.test('revoke --for ends the rules of one scope', async (t) => {
  const lab = makeLab(t, '', GROUPS)
  await lab.toeh('allow', 'bank.test')
  await lab.toeh('allow', 'bank.test', '--for', 'accounting')
  t.equal((await lab.toeh('revoke', 'bank.test', '--for', '@corp.test')).code, 66)
  t.equal(
    (await lab.toeh('revoke', 'bank.test', '--for', 'accounting')).stdout,
    'rule 2 ended: allow bank.test for accounting\n',
  )
  t.match((await lab.toeh('known')).stdout, /^ {4}1 {2}allow bank\.test {2}\(/)
})

t.test('known --stale: older, and not used since', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.allow('used.test', 'unused.test') // Added in 1970.
  await lab.filter({ recipients: ['x@used.test'] })
  const { stdout } = await lab.toeh('known', '--stale', '180d', '--json')
  t.match(JSON.parse(stdout), [{ value: 'unused.test', uses: null }])
  t.equal(JSON.parse(stdout).length, 1)
  t.match((await lab.toeh('why', 'x@used.test')).stdout, /^used: 1 message, today$/m)
  t.match((await lab.toeh('why', 'x@unused.test')).stdout, /^used: no message counted$/m)
  t.match((await lab.toeh('known', '--stale', 'old')).stderr, /^toeh: --stale "old": it is no date/)
})
