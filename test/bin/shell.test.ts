/** The shell that starts Node for toeh-filter: whatever becomes of Node, the answer is 0 or 75, and no argument changes on the way. */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FILTER, outcomeOf } from '../support/lab.js'

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
    ...[1, 2, 9, 13, 64, 71, 75, 99, 126, 127, 134, 255].map((code): [string, number] => [
      `exit ${code}`,
      75,
    ]),
    ...['KILL', 'SEGV', 'ABRT', 'TERM', 'HUP', 'INT'].map((name): [string, number] => [
      `kill -${name} $$`,
      75,
    ]),
  ]
  for (const [script, status] of ends) {
    const node = stage.node('node', `echo said; ${script}`)
    const answer = stage.run([`--node=${node}`, '--sender=x'])
    t.equal(answer.status, status, script)
    t.equal(answer.stdout, 'said\n', `${script}: what it said is passed on`)
  }
  t.end()
})

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
      t.strictSame(await ended, { code: status, signal: null, stdout: 'here\ndone\n', stderr: '' }, signal)
    }
  }
})

t.test('no Node to start', (t) => {
  const stage = makeStage(t)
  const locked = stage.node('locked', 'exit 0')
  chmodSync(locked, 0o644)
  for (const node of ['/nonexistent/node', '', '/', locked]) {
    const { status, stderr } = stage.run([`--node=${node}`])
    t.equal(status, 75, JSON.stringify(node))
    t.match(stderr, /toeh-filter: (line )?\d+: /, 'the log has what is wrong')
  }
  t.equal(stage.run(['--sender=x'], '/nonexistent').status, 75, 'nor in the PATH')
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
