/** Loop: a deadline that keeps nobody alive, and a turn in which what has come is taken. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { after, eventsTaken } from '../../lib/system/eventloop.js'

/** Blocks this process, so that what comes meanwhile stays where it is. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

t.test('what has come by now is taken, also what came while an event was at work', async (t) => {
  // sh, and not Node, so that the second word is there long before it is looked for.
  const child = spawn('sh', ['-c', 'printf one; sleep 0.1; printf two; cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  await once(child.stdout, 'data')
  t.equal(said, 'one')
  block(1500)
  t.equal(said, 'one', 'nobody has looked')
  await eventsTaken()
  t.equal(said, 'onetwo')
  await eventsTaken()
  t.equal(said, 'onetwo', 'where nothing has come it returns too')
  child.stdin.end()
  await once(child, 'close')
})

t.test('work is done when its time has come, and not before', async (t) => {
  const begun = performance.now()
  const idle = setInterval(() => {}, 1000)
  await new Promise<void>((resolve) => after(50, resolve))
  clearInterval(idle)
  t.ok(performance.now() - begun >= 49, 'after 50 ms')
})

t.test('a process that has nothing else to do does not wait for it', (t) => {
  const loop = JSON.stringify(join(import.meta.dirname, '../../lib/system/eventloop.js'))
  const program = `import { after } from ${loop}; after(60_000, () => console.log('done')); console.log('begun')`
  const { status, stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 30_000,
  })
  t.strictSame({ status, stdout, signal }, { status: 0, stdout: 'begun\n', signal: null })
  t.end()
})
