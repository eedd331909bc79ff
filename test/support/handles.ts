/**
 * Handles: which of its two ways lib/system/channel.ts goes in a test. A bundle's launcher tells it (lib/system/internals.ts); without one it
 * would be node:net every time, and what carries a company's mail would be tested least.
 */
import type { Test } from 'tap'

const bundle = globalThis as { TRIED?: boolean }

/** Whether to go by Node's own handles, as an installation that cache.mjs has tried does, from now on. */
export function goByHandles(tried: boolean): void {
  bundle.TRIED = tried
}

/** The same for one test. */
export function goByHandlesIn(t: Test, tried: boolean): void {
  const before = bundle.TRIED
  bundle.TRIED = tried
  t.teardown(() => {
    if (before === undefined) delete bundle.TRIED
    else bundle.TRIED = before
  })
}
