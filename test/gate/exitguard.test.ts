/** Ending: 0 once the mail is settled and 75 before, one line, and never later than the deadline; whatever happens. */
import { spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { NODE, PACKAGE, PIPE_ENV } from '../support/lab.js'

interface Ended {
  status: number | null
  stdout: string
  stderr: string
  /** Milliseconds that it has taken. */
  took: number
}

/** A program that imports ending.js and does this; killed after ten seconds, where it hangs. */
function run(body: string, options: string[] = []): Ended {
  const program = `import * as ending from '${PACKAGE}/dist/lib/gate/exitguard.js'\n${body}`
  const began = performance.now()
  const { status, stdout, stderr } = spawnSync(NODE, [...options, '--input-type=module', '--eval', program], {
    env: PIPE_ENV,
    encoding: 'utf8',
    timeout: 10_000,
    killSignal: 'SIGKILL',
  })
  return { status, stdout, stderr, took: performance.now() - began }
}

/** Asserts how a program ended: by itself, with this status and this on standard output alone. */
function assertEnded(t: Test, { status, stdout, stderr }: Ended, expected: number, said: string): void {
  t.strictSame({ status, stdout, stderr }, { status: expected, stdout: said, stderr: '' })
}

/** A promise that nothing keeps the process alive for. */
const NEVER = 'new Promise(() => {})'
const DEADLINE = '4.3.0 toeh: deadline: not done within 1 s\n'

t.test('an event loop that runs empty is no success', async (t) => {
  assertEnded(t, run(''), 75, '')
  assertEnded(t, run(`void ${NEVER}`), 75, '')
  assertEnded(t, run(`(async () => { await ${NEVER}; ending.settle('toeh: passed 1') })()`), 75, '')
  assertEnded(t, run('ending.setDeadline(5)'), 75, '')
})

t.test('the end: the verdict and 0, or what failed and 75', async (t) => {
  assertEnded(t, run(`ending.settle('toeh: passed 1 as X'); ending.end()`), 0, 'toeh: passed 1 as X\n')
  assertEnded(t, run(`ending.settle('one'); ending.settle('two'); ending.end(new Error('x'))`), 0, 'two\n')
  assertEnded(t, run(`ending.end(new Error('the disk is full'))`), 75, '4.3.0 toeh: the disk is full\n')
  assertEnded(t, run(`ending.end(new Error('caf\\u00e9\\n\\tx'))`), 75, '4.3.0 toeh: caf x\n')
  assertEnded(t, run(`ending.end(new Error('x'.repeat(1000)))`), 75, `4.3.0 toeh: ${'x'.repeat(388)}\n`)
})

t.test('what nobody catches', async (t) => {
  for (const [fault, said] of [
    [`throw new Error('boom')`, 'boom'],
    [`Promise.reject(new Error('boom'))`, 'boom'],
    [`setTimeout(() => { throw new Error('boom') })`, 'boom'],
    [`process.nextTick(() => { throw 'a text' })`, 'a text'],
  ] as const) {
    const hold = 'setInterval(() => {}, 1000);'
    assertEnded(t, run(`${hold}${fault}`), 75, `4.3.0 toeh: ${said}\n`)
    assertEnded(t, run(`${hold}ending.settle('toeh: held 1 in x');${fault}`), 0, 'toeh: held 1 in x\n')
  }
})

t.test('the deadline ends a run that hangs', async (t) => {
  // It would go on for good: whoever waits for it would wait for a deadline that never comes.
  const hanging = 'setInterval(() => {}, 1000)'
  const late = run(`ending.setDeadline(1); ${hanging}`)
  assertEnded(t, late, 75, DEADLINE)
  t.ok(late.took > 900, `not before its time: ${late.took} ms`)
  assertEnded(
    t,
    run(`ending.setDeadline(1); setInterval(() => { for (let i = 0; i < 1e6; i++); }, 1)`),
    75,
    DEADLINE,
  )
})

t.test('the deadline ends nothing that may have been sent, nor what is settled', async (t) => {
  const end = (words: string): string => `setTimeout(() => { ending.settle('${words}'); ending.end() }, 1800)`
  assertEnded(
    t,
    run(`ending.setDeadline(1); ending.awaitAnswer(); ${end('toeh: passed 1')}`),
    0,
    'toeh: passed 1\n',
  )
  const told = `ending.setDeadline(1); ending.settle('toeh: held 1'); ${end('toeh: held 1, told')}`
  assertEnded(t, run(told), 0, 'toeh: held 1, told\n')
})

t.test('a run that is settled and hangs has ten seconds', async (t) => {
  // By a clock that goes twenty times as fast.
  const fast = `const real = Atomics.waitAsync; Atomics.waitAsync = (a, b, c, ms) => real(a, b, c, ms === undefined ? ms : ms / 20);`
  const late = run(`${fast} ending.settle('toeh: held 1'); setInterval(() => {}, 1000)`)
  assertEnded(t, late, 0, 'toeh: held 1\n')
  t.ok(late.took > 450, `${late.took} ms`)
})

t.test('no warning before the line, and nothing for others to read', async (t) => {
  const body = `process.emitWarning('mind', 'DeprecationWarning'); setTimeout(() => ending.end(new Error(process.umask().toString(8))))`
  assertEnded(t, run(body), 75, '4.3.0 toeh: 77\n')
})
