/** toeh known: the rules, all or those that contain a text. */
import t from 'tap'
import {
  assertDone,
  assertRefused,
  makeLab,
  NODE,
  outcomeOf,
  PIPE_ENV,
  startWith,
  TOEH,
} from '../support/lab.js'

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

t.test('a terminal gets no line longer than it is wide, and all that a pipe gets', async (t) => {
  const lab = makeLab(t)
  const note = 'framework contract 2214 of the purchasing department, see the folder of the board, page 12'
  const long = `${'a'.repeat(60)}.${'b'.repeat(50)}.test`
  assertDone(t, await lab.toeh('allow', 'short.test'), 'rule 1')
  assertDone(
    t,
    await lab.toeh('allow', long, '--note', note, '--for', '@corp.test', '--until', '30d'),
    'rule 2',
  )
  const env = { ...PIPE_ENV, TOEH_CONFIG: lab.config, TERM: 'xterm' }
  const onTerminal = async (columns: number): Promise<string[]> => {
    const line = `stty cols ${columns}; ${NODE} ${TOEH} known`
    const program = ['script', '--quiet', '--return', '/dev/null', '--command', line]
    const { stdout } = await outcomeOf(startWith(env, program, { stdio: ['ignore', 'pipe', 'pipe'] }))
    return stdout.split('\r\n').filter((text) => text !== '')
  }
  const { stdout } = await lab.toeh('known')
  const piped = stdout.trimEnd().split('\n')
  t.equal(piped.length, 2)
  t.ok((piped[0] ?? '').length > 217)
  for (const columns of [80, 60, 132]) {
    const lines = await onTerminal(columns)
    for (const line of lines) t.ok(line.length <= columns, line)
    t.equal(lines.join('').replace(/ /g, ''), piped.join('').replace(/ /g, ''), 'nothing is lost')
    t.equal(lines.at(-1), piped[1], 'what fits stays one line')
  }
})
