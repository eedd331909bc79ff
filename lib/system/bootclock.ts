/** The clock of the boot, which nobody can set, beside the one that says what time it is. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import type { Moment } from './clock.js'

const PATIENCE_MS = 5000

/** @param at milliseconds since 1970 */
export function momentOf(at: number): Moment {
  return { at, boot: bootId(), uptime: Math.round(uptime() * 1000) }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/** Whether the system's clock is synchronised, as timedatectl(1) has it; undefined where it says nothing, or is not to be. */
export function isSynchronised(): boolean | undefined {
  try {
    const said = execFileSync('timedatectl', ['show', '-p', 'NTP', '-p', 'NTPSynchronized'], {
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    if (/^NTPSynchronized=yes$/m.test(said)) return true
    return /^NTP=yes$/m.test(said) ? false : undefined
  } catch {
    return undefined
  }
}
