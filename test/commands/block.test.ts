/** toeh block: what is held whatever else allows it. */
import t from 'tap'
import { assertDone, assertRefused, assertSettled, makeLab } from '../support/lab.js'
import { makeSink } from '../support/sink.js'

t.test('a block wins over an allow of the same name, and the filter holds', async (t) => {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  await lab.allow('known.test')
  assertSettled(t, await lab.filter({ recipients: ['a@known.test'], queueId: 'BEFORE1' }), 'passed 1')
  assertDone(t, await lab.toeh('block', 'known.test'), 'rule 2: block known.test\n')
  assertSettled(t, await lab.filter({ recipients: ['a@known.test'], queueId: 'AFTER1' }), 'held 1')
  t.match(lab.decisions().at(-1)?.recipients, [{ verdict: 'hold', reason: 'blocked', rule: 2 }])
})

t.test('an address can be blocked in a domain that is allowed', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  assertDone(t, await lab.toeh('block', 'Evil@known.test'), 'rule 2: block evil@known.test\n')
  assertDone(t, await lab.toeh('why', 'evil@known.test'), /^hold: blocked\nrule 2: /)
  assertDone(t, await lab.toeh('why', 'other@known.test'), /^pass: allowed\nrule 1: /)
})

t.test('whole public suffixes and freemail domains may be blocked', async (t) => {
  const lab = makeLab(t)
  assertDone(
    t,
    await lab.toeh('block', 'co.uk', 'gmail.com'),
    'rule 1: block co.uk\nrule 2: block gmail.com\n',
  )
  assertDone(
    t,
    await lab.toeh('block', 'github.io', '--subdomains'),
    'rule 3: block github.io with subdomains\n',
  )
})

t.test('bad input changes nothing', async (t) => {
  const lab = makeLab(t)
  const before = lab.databaseDigest()
  assertRefused(
    t,
    await lab.toeh('block', 'fine.test', 'no domain'),
    2,
    /block "no domain": .*\(domain is not a host name\)/,
  )
  assertRefused(t, await lab.toeh('block'), 2, /usage: .*toeh block --help/)
  t.equal(lab.databaseDigest(), before)
})

t.test('--json', async (t) => {
  const { stdout } = await makeLab(t).toeh('block', 'evil.test', '--json')
  t.match(JSON.parse(stdout), [{ added: true, rule: { effect: 'block', value: 'evil.test' } }])
})
