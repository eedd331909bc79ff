/** A daemon: a server of Debian's that a test runs in the foreground, from settings of its own, and ends by its process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Test } from 'tap'
import { onlyWith } from './lab.js'

const ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/',
  LANG: 'C.UTF-8',
}

/** How long one of Perl needs on a machine that has much else to do. */
const PATIENCE = 60_000

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/**
 * Starts it and waits until it takes connections; ends it, its children too, at the end of the test.
 * @param ports of 127.0.0.1, all of which it listens on
 * @throws Error with what it printed, where it ends or does not listen in time
 */
export async function startDaemon(
  t: Test,
  program: readonly string[],
  ...ports: number[]
): Promise<ChildProcess> {
  // A group of its own, because some leave children behind.
  const child = spawn('/usr/bin/env', [...onlyWith(ENV), ...program], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => {
      printed += bytes
    })
  const gone = once(child, 'exit')
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  t.teardown(async () => {
    if (isRunning()) {
      child.kill('SIGTERM')
      await Promise.race([gone, new Promise((done) => setTimeout(done, 3000).unref())])
    }
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL')
    } catch {} // Nothing is left of the group.
  })
  for (const end = Date.now() + PATIENCE; ; ) {
    const up = await Promise.all(ports.map(answers))
    if (up.every(Boolean)) return child
    if (!isRunning() || Date.now() > end) throw new Error(`${program.join(' ')} does not listen: ${printed}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}
