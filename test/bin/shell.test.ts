/** The shell that starts Node for toeh-filter: whatever becomes of Node, the answer is 0 or 75, and no argument changes on the way. */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { cannotDenyExecution, DENY_EXECUTION } from '../support/hardened.js'
import { FILTER, outcomeOf, PIPE_ENV, WITH_NODE } from '../support/lab.js'

interface Stage {
  /** A copy of toeh-filter, in a folder whose name is no easy one. */
  program: string
  /** Makes a program that stands in for Node. */
  node(name: string, script: string): string
  run(args: readonly string[], path?: string): { status: number | null; stdout: string; stderr: string }
}

function makeStage(t: Test): Stage {
  const dir = join(t.testdir(), "a folder's $name")
  mkdirSync(dir)
  const program = join(dir, 'toeh-filter')
  copyFileSync(FILTER, program)
  return {
    program,
    node(name, script) {
      const path = join(dir, name)
      writeFileSync(path, `#!/bin/sh\n${script}\n`)
      chmodSync(path, 0o755)
      return path
    },
    run(args, path = '/usr/bin:/bin') {
      const { status, stdout, stderr } = spawnSync(program, args, { env: { PATH: path }, encoding: 'utf8' })
      return { status, stdout, stderr }
    },
  }
}

t.test('the status is 0 for 0, and 75 for every other end', (t) => {
  const stage = makeStage(t)
  const ends: [script: string, status: number][] = [
    ['exit 0', 0],
    ['exit 75', 75],
  ]
  for (const [script, status] of ends) {
    const node = stage.node('node', `echo said; echo noise >&2; ${script}`)
    const answer = stage.run([`--node=${node}`, '--sender=x'])
    t.strictSame(answer, { status, stdout: 'said\n', stderr: '' }, `${script}: its answer, and nothing else`)
  }
  t.end()
})

t.test('where Node ends without an answer, one line says how and what to run', (t) => {
  const stage = makeStage(t)
  const ends: [script: string, line: RegExp][] = [
    ...[1, 2, 13, 64, 71, 99, 131, 150, 255].map((code): [string, RegExp] => [
      `exit ${code}`,
      RegExp(`Node ended with ${code} and no answer`),
    ]),
    ['exit 9', /node does not know an option; Node has to be 20\.19 or newer/],
    ['exit 126', /node cannot be run: .*ProtectHome=/],
    ['exit 127', /there is no Node at \/.*\/node, or a library/],
    ['kill -KILL $$', /Node was killed: MemoryMax=/],
    ['kill -SYS $$', /Node may not make a system call: SystemCallFilter=/],
    ...['TERM', 'HUP', 'INT'].map((name): [string, RegExp] => [
      `kill -${name} $$`,
      RegExp(`Node was ended by signal ${constants.signals[`SIG${name}` as NodeJS.Signals]}`),
    ]),
    ...['SEGV', 'ABRT', 'TRAP', 'ILL', 'BUS', 'FPE'].map((name): [string, RegExp] => [
      `kill -${name} $$`,
      RegExp(
        `Node crashed \\(signal ${constants.signals[`SIG${name}` as NodeJS.Signals]}\\): .*MemoryDenyWriteExecute=`,
      ),
    ]),
  ]
  for (const [script, line] of ends) {
    const node = stage.node('node', `echo '#' >&2; echo '# Fatal error in , line 0' >&2; ${script}`)
    assertAnswered(t, stage.run([`--node=${node}`, '--sender=x']), line, script)
  }
  t.end()
})

/** The one line that the shell writes, at the first byte, and nothing beside it. */
function assertAnswered(
  t: Test,
  { status, stdout, stderr }: ReturnType<Stage['run']>,
  line: RegExp,
  comment: string,
): void {
  t.strictSame({ status, stderr }, { status: 75, stderr: '' }, comment)
  t.match(stdout, /^4\.3\.0 toeh: start: [ -~]+; run toeh doctor\n$/, comment)
  t.match(stdout, line, comment)
}

t.test('a signal to the shell alone: it waits for Node, and says what came of it', async (t) => {
  const stage = makeStage(t)
  for (const [script, status] of [
    ['exit 0', 0],
    ['exit 1', 75],
  ] as const) {
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
      const node = stage.node('node', `echo here; sleep 0.3; echo done; ${script}`)
      const child = spawn(stage.program, [`--node=${node}`])
      const ended = outcomeOf(child)
      child.stdout.once('data', () => child.kill(signal))
      const said = status === 0 ? '' : '4.3.0 toeh: start: Node ended with 1 and no answer; run toeh doctor\n'
      const stdout = `here\ndone\n${said}`
      t.strictSame(await ended, { code: status, signal: null, stdout, stderr: '' }, signal)
    }
  }
})

t.test('no Node to start', (t) => {
  const stage = makeStage(t)
  const locked = stage.node('locked', 'exit 0')
  chmodSync(locked, 0o644)
  for (const [node, line] of [
    ['/nonexistent/node', 'there is no Node at /nonexistent/node'],
    ['', 'there is no Node at ""'],
    ['/', '/ cannot be run'],
    [locked, 'locked cannot be run'],
  ] as const) {
    assertAnswered(t, stage.run([`--node=${node}`]), RegExp(`start: .*${line}`), node)
  }
  assertAnswered(t, stage.run(['--sender=x'], '/nonexistent'), /there is no Node at node/, 'nor in the PATH')
  t.end()
})

const cannotLimit =
  process.getuid?.() === 0 && spawnSync('prlimit', ['--version']).status === 0
    ? false
    : 'needs root and prlimit'

t.test('no process can be started', { skip: cannotLimit }, (t) => {
  // A user who has no other process, and a folder that he can reach.
  const dir = mkdtempSync('/tmp/toeh-shell-')
  t.teardown(() => rmSync(dir, { recursive: true }))
  chmodSync(dir, 0o755)
  copyFileSync(FILTER, join(dir, 'toeh-filter'))
  const through = ['--reuid=61234', '--regid=61234', '--clear-groups', 'prlimit', '--nproc=1:1']
  const { status, stdout, stderr } = spawnSync('setpriv', [...through, join(dir, 'toeh-filter')], {
    encoding: 'utf8',
  })
  assertAnswered(t, { status, stdout, stderr }, /no process can be started: TasksMax=/, 'it says so')
  t.end()
})

t.test('where standard error is closed, and /dev/null cannot be had, the answer is the same', (t) => {
  const stage = makeStage(t)
  const node = stage.node('node', 'echo said')
  const line = `exec 2>&-; exec "$0" "$@"`
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line, stage.program, ...args], {
      encoding: 'utf8',
    })
    return { status, stdout, stderr }
  }
  t.strictSame(run(`--node=${node}`), { status: 0, stdout: 'said\n', stderr: '' })
  assertAnswered(t, run('--node=/nonexistent/node'), /there is no Node/, 'closed')
  t.end()
})

/** The real Node, started through something. */
function runReal(...through: readonly string[]): ReturnType<Stage['run']> {
  const [program = '', ...args] = [...through, FILTER, WITH_NODE]
  const options = { encoding: 'utf8', env: PIPE_ENV, timeout: 20_000 } as const
  const { status, stdout, stderr } = spawnSync(program, args, options)
  return { status, stdout, stderr }
}

t.test('the real Node under MemoryDenyWriteExecute=yes', { skip: cannotDenyExecution() }, (t) => {
  assertAnswered(t, runReal(...DENY_EXECUTION), /Node crashed .*MemoryDenyWriteExecute=/, 'it crashes')
  t.end()
})

t.test('the real Node with too little', { skip: cannotLimit }, (t) => {
  const few = /12 descriptors are too few, LimitNOFILE=/
  assertAnswered(t, runReal('prlimit', '--nofile=12:12'), few, 'descriptors')
  const little = runReal('prlimit', `--as=${400 * 1024 * 1024}`)
  assertAnswered(t, little, /Node crashed .*a limit of memory/, 'memory')
  t.end()
})

t.test('every argument arrives as it was given', (t) => {
  const stage = makeStage(t)
  const node = stage.node('node', `printf '%s\\0' "$@"`)
  const args = [
    '',
    ' ',
    'a b',
    "'",
    '"',
    '\\',
    '$HOME',
    '$(id)',
    '`id`',
    '*',
    '--node=/bin/false',
    '-e',
    '--',
    '\n',
    '\u00fc',
  ]
  const [hash, warnings, gate, writer, ...rest] = stage
    .run([`--node=${node}`, ...args])
    .stdout.split('\0')
    .slice(0, -1)
  t.strictSame([hash, warnings], ['--no-rehash-snapshot', '--no-warnings'])
  t.equal(gate, `${stage.program}.cjs`)
  t.equal(writer, `--writer=${process.pid}`)
  t.strictSame(rest, args)
  t.end()
})

t.test('without --node= the first in the PATH', (t) => {
  const stage = makeStage(t)
  const node = stage.node('node', 'echo mine')
  const { status, stdout } = stage.run(['--sender=x'], `${join(node, '..')}:/usr/bin:/bin`)
  t.strictSame([status, stdout], [0, 'mine\n'])
  t.end()
})

t.test('standard input is Node’s', (t) => {
  const stage = makeStage(t)
  const node = stage.node('node', 'cat')
  const input = `one\n${'x'.repeat(200_000)}`
  const { stdout } = spawnSync(stage.program, [`--node=${node}`], { input, encoding: 'utf8', env: {} })
  t.equal(stdout, input)
  t.end()
})
