/** Failing: the Failure a piece of work must end in, and a disk that fails when a test says so. */

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { constants } from 'node:os'
import type { Test } from 'tap'
import { Failure } from '../../lib/failure.js'

/** The Failure `work` ends in. @throws Error where it ends well or in another error */
export async function failureOf(work: () => unknown): Promise<Failure> {
  try {
    await work()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it ended well, where a Failure was expected')
}

type Name = 'fsyncSync' | 'renameSync' | 'writeSync' | 'closeSync' | 'openSync' | 'readFileSync'

/**
 * Replaces one function of node:fs for everybody who has imported it, until the test ends or the returned function
 * is called. The real disk does all the rest.
 */
export function replaceFs<N extends Name>(
  t: Test,
  name: N,
  make: (real: (typeof fs)[N]) => (...args: never[]) => unknown,
): () => void {
  const real = fs[name]
  const restore = (): void => {
    fs[name] = real
    syncBuiltinESMExports()
  }
  fs[name] = make(real) as (typeof fs)[N]
  syncBuiltinESMExports()
  t.teardown(restore)
  return restore
}

/**
 * Which fsync and rename are asked of the disk while `work` runs, in order: what was renamed before its bytes are synced,
 * or is forgotten before its removal is, may be gone after a power cut, or be there again.
 * @param name how a path is written down
 */
export async function syncOrder(
  t: Test,
  name: (path: string) => string,
  work: () => unknown,
): Promise<string[]> {
  const order: string[] = []
  const restores = [
    replaceFs(t, 'fsyncSync', (real) => (fd: number) => {
      order.push(`fsync ${name(fs.readlinkSync(`/proc/self/fd/${fd}`))}`)
      real(fd)
    }),
    replaceFs(t, 'renameSync', (real) => (from: string, to: string) => {
      order.push(`rename ${name(from)} ${name(to)}`)
      real(from, to)
    }),
  ]
  try {
    await work()
  } finally {
    for (const restore of restores) restore()
  }
  return order
}

/** A system error as Node throws it. */
export function systemError(code: string, words: string): Error {
  const errno = -(constants.errno[code as keyof typeof constants.errno] ?? 0)
  return Object.assign(new Error(`${code}: ${words}, write`), { code, errno })
}
