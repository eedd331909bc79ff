/** The shell that starts Node for toeh-filter: whatever becomes of Node, the answer is 0 or 75, and no argument changes on the way. */
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { constants, tmpdir } from 'node:os'
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

/** Each shell that may be /bin/sh, as one that the copy of a stage begins with. */
const SHELLS = ['/bin/dash', '/bin/bash'].filter((path) => existsSync(path))

/** Runs a stage's program, begun by another shell, under limits and with descriptors closed; standard input is empty. */
function runBy(
  { program }: Stage,
  shell: string,
  limits: readonly string[],
  closing: string,
  ...args: string[]
): ReturnType<Stage['run']> {
  // By the name sh, under which bash is a POSIX shell.
  const sh = join(program, '../sh')
  rmSync(sh, { force: true })
  symlinkSync(shell, sh)
  const line = '#!/usr/bin/env -S SH -c '
  const text = readFileSync(FILTER, 'utf8')
  if (!text.startsWith(line.replace('SH', '/bin/sh'))) throw new Error('it begins otherwise')
  // env(1) takes no quotes here, and the folder's name needs some: a link that needs none.
  const plain = join(tmpdir(), `toeh-sh-${process.pid}`)
  rmSync(plain, { force: true })
  symlinkSync(sh, plain)
  writeFileSync(program, text.replace(line.replace('SH', '/bin/sh'), line.replace('SH', plain)))
  const through = limits.length === 0 ? [] : ['prlimit', ...limits]
  const { status, stdout, stderr } = spawnSync(
    '/bin/sh',
    ['-c', `exec "$@" ${closing}`, 'sh', ...through, program, ...args],
    {
      env: PIPE_ENV,
      encoding: 'utf8',
      input: '',
    },
  )
  rmSync(plain)
  return { status, stdout, stderr }
}

t.test('whatever is too little for the shell, it ends with 0 or 75', { skip: cannotLimit }, (t) => {
  const stage = makeStage(t)
  const node = stage.node('node', 'echo said')
  const starts = (shell: string, limits: readonly string[]): boolean =>
    spawnSync('prlimit', [...limits, shell, '-c', ':']).status === 0
  const descriptors = Array.from({ length: 21 }, (_, n) => [`--nofile=${n}:${n}`])
  const memory = Array.from({ length: 40 }, (_, n) => [`--as=${n * 256 * 1024}`])
  const files = [['--fsize=0'], ['--fsize=1'], ['--core=0', '--memlock=0']]
  let [answered, ran, nothing] = [0, 0, 0]
  for (const shell of SHELLS) {
    for (const limits of [...descriptors, ...memory, ...files]) {
      const { status } = runBy(stage, shell, limits, '', `--node=${node}`)
      if (status === 0) ran++
      else if (status === 75) answered++
      // Death by a signal defers.
      else if (status === null) continue
      else if (!starts(shell, limits)) nothing++
      else t.fail(`${shell} ended with ${status}`, { limits })
    }
  }
  t.ok(answered >= 7 && ran > 60, `${answered} answered, ${ran} ran, ${nothing} where no shell starts`)
  t.end()
})

t.test('with descriptors closed it is the same', { skip: cannotLimit }, (t) => {
  const stage = makeStage(t)
  const node = stage.node('node', 'exit 3')
  for (const shell of SHELLS)
    for (const closing of ['0<&-', '1>&-', '2>&-', '0<&- 1>&-', '0<&- 2>&-', '1>&- 2>&-', '0<&- 1>&- 2>&-'])
      for (const limits of [[], ['--nofile=4:4'], ['--nofile=8:8'], ['--nofile=12:12']])
        t.equal(
          runBy(stage, shell, limits, closing, `--node=${node}`).status,
          75,
          `${shell} ${closing} ${limits}`,
        )
  t.end()
})

t.test('a shell that is given the file by its name answers too', (t) => {
  const stage = makeStage(t)
  const node = stage.node('node', 'exit 3')
  for (const shell of SHELLS) {
    const options = { encoding: 'utf8', env: PIPE_ENV } as const
    const { status, stdout, stderr } = spawnSync(shell, [stage.program, `--node=${node}`], options)
    assertAnswered(t, { status, stdout, stderr }, /Node ended with 3 and no answer/, shell)
  }
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
