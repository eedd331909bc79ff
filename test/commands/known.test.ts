/** toeh known: the rules, all or those that contain a text. */
import t from 'tap'
import { assertDone, assertRefused, makeLab } from '../support/lab.js'

t.test('lists rules with where they come from', async (t) => {
  const lab = makeLab(t)
  assertDone(t, await lab.toeh('known'), 'no rule\n')
  await lab.toeh('allow', 'wide.test', '--subdomains', '--note', 'contract \u{202e}2214')
  await lab.toeh('block', 'evil@wide.test')
  await lab.toeh('allow', 'gone.test')
  await lab.toeh('revoke', 'gone.test')
  const outcome = await lab.toeh('known')
  assertDone(t, outcome, /^ {4}2 {2}block evil@wide\.test {2}\(\S+, \d{4}-\d\d-\d\d\)\n/)
  t.match(
    outcome.stdout,
    /\n {4}1 {2}allow wide\.test with subdomains {2}\(\S+, [-\d]+, contract \\u\{202e\}2214\)\n$/,
  )
  t.notMatch(outcome.stdout, 'gone.test', 'a rule that has ended is not among them')
  assertDone(t, await lab.toeh('known', 'EVIL@'), /^ {4}2 {2}block evil@wide\.test [^\n]+\n$/)
  assertDone(t, await lab.toeh('known', '%'), 'no rule\n')
  t.match(JSON.parse((await lab.toeh('known', 'wide', '--json')).stdout), [
    { id: 2 },
    { id: 1, subdomains: true },
  ])
})

t.test('a pattern that is a number is a text', async (t) => {
  const lab = makeLab(t)
  await lab.allow('4711.test')
  assertDone(t, await lab.toeh('known', '4711'), /4711\.test/)
})

t.test('looks only: the database stays as it is, and more arguments are refused', async (t) => {
  const lab = makeLab(t)
  await lab.allow('known.test')
  const before = lab.snapshot()
  await lab.toeh('known')
  assertRefused(t, await lab.toeh('known', 'a', 'b'), 2, /b is too much: it is toeh known \[pattern\]/)
  t.strictSame(lab.snapshot(), before)
})
