/** Standard input: its bytes, whatever stands behind it, and whether the process that writes it lives. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs, { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { EXIT } from '../../lib/exit.js'
import { isAwaited, isWriterAlive } from '../../lib/gate/stdin.js'
import { failureOf, replaceFs, systemError } from '../support/failing.js'

/** Reads standard input with lib/gate/stdin.js and tells its length and its bytes' sum. */
const READER = `
const { readStdin } = await import(process.argv[1])
if (process.argv[2] === 'net') process.binding = undefined
let length = 0, sum = 0
for await (const piece of readStdin()) {
  length += piece.length
  for (const byte of piece) sum += byte
}
console.log(length, sum)
process.exit(0)`
const STDIN = new URL('../../lib/gate/stdin.js', import.meta.url).href

for (const way of ['handles', 'net']) {
  t.test(`standard input: ${way}`, async (t) => {
    const args = ['--input-type=module', '-e', READER, STDIN, way]
    const bytes = 300_000
    const text = Buffer.alloc(bytes, 'ab')
    const told = `${bytes} ${bytes * 97.5}\n`

    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    // spawn gives a socket; cat makes a pipe of it.
    for (let at = 0; at < bytes; at += 50_000) {
      child.stdin.write(text.subarray(at, at + 50_000))
      await sleep(5)
    }
    child.stdin.end()
    t.equal(String((await once(child.stdout, 'data'))[0]), told, 'a socket, in pieces')

    const cwd = t.testdir({ input: text })
    const shell = (command: string): string =>
      execFileSync('bash', ['-c', command, 'bash', process.execPath, ...args], { cwd, encoding: 'utf8' })
    t.equal(shell('cat input | "$@"'), told, 'a pipe')
    t.equal(shell('(head -c 7 input; sleep 0.1; tail -c +8 input) | "$@"'), told, 'a slow one')
    t.equal(shell('"$@" <input'), told, 'a file')
    t.equal(shell('"$@" </dev/null'), '0 0\n', 'a device')
    t.equal(shell(': | "$@"'), '0 0\n', 'a pipe with nothing in it')
    t.throws(
      () => shell('"$@" <. 2>/dev/null'),
      { message: /^Command failed/ },
      'a folder is no empty message',
    )
  })
}

/** Makes this process the child of another, as far as it can see. */
function fatherBy(t: Test, pid: number): void {
  const { ppid } = process
  Object.defineProperty(process, 'ppid', { get: () => pid, configurable: true })
  t.teardown(() => Object.defineProperty(process, 'ppid', { get: () => ppid, configurable: true }))
}

/** What looking at /proc/PID/stat fails with. */
function closeProc(t: Test, code: string): void {
  replaceFs(t, 'readFileSync', (real) => (path: never, ...rest: never[]) => {
    if (String(path).startsWith('/proc/')) throw systemError(code, 'not for you')
    return Reflect.apply(real, fs, [path, ...rest])
  })
}

/** A process that has ended and that nobody has waited for. */
async function zombie(t: Test): Promise<number> {
  // The shell becomes a program that does not know of its child, which ends then.
  const parent = spawn('sh', ['-c', 'read end <&3 & echo $!; exec sleep 100'], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  })
  t.teardown(() => parent.kill('SIGKILL'))
  const [said] = await once(parent.stdout as Readable, 'data')
  const pid = Number(String(said))
  while (readFileSync(`/proc/${parent.pid}/comm`, 'utf8') !== 'sleep\n') await sleep(5)
  ;(parent.stdio[3] as Writable).end('\n')
  while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')) await sleep(5)
  return pid
}

t.test('a writer who is our parent', async (t) => {
  const parent = process.ppid
  t.equal(await isWriterAlive(parent), true)
  t.equal(await isWriterAlive(process.pid), false, 'we have got another parent since')
  const dead = await zombie(t)
  fatherBy(t, dead)
  t.equal(isAwaited(dead), true, 'by the parent alone he would live')
  t.equal(await isWriterAlive(dead), false, 'he has ended, and we still name him')
})

t.test('a name that looks like the rest of the line', async (t) => {
  const dir = t.testdir()
  const program = join(dir, 'a) Z 1 (b')
  copyFileSync('/bin/sleep', program)
  const child = spawn(program, ['100'])
  t.teardown(() => child.kill('SIGKILL'))
  const pid = child.pid ?? 0
  while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes('(a) Z 1 (b)')) await sleep(5)
  fatherBy(t, pid)
  t.equal(await isWriterAlive(pid), true)
})

t.test('a writer who has started our parent, the shell', async (t) => {
  const parent = process.ppid
  const stat = readFileSync(`/proc/${parent}/stat`, 'utf8')
  const writer = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  t.equal(await isWriterAlive(parent, writer), true)
  t.equal(isAwaited(parent, writer), true)
  t.equal(isAwaited(parent, process.pid), false, 'the shell is the child of another')
  t.equal(isAwaited(process.pid, writer), false, 'the shell has died')
  t.equal(await isWriterAlive(parent, await zombie(t)), false)
})

t.test('what /proc does not show', async (t) => {
  const parent = process.ppid
  for (const code of ['ENOENT', 'ESRCH', 'EACCES', 'EPERM']) {
    await t.test(code, async (t) => {
      closeProc(t, code)
      t.equal(await isWriterAlive(parent), true, 'by our parent alone')
      t.equal(await isWriterAlive(process.pid), false)
      t.equal(await isWriterAlive(parent, process.pid), false, 'of a shell it cannot be told')
    })
  }
  closeProc(t, 'EMFILE')
  const failure = await failureOf(() => isWriterAlive(parent))
  t.equal(failure.status, EXIT.tempFail)
  t.match(failure.message, `look at process /proc/${parent}/stat: `)
})
