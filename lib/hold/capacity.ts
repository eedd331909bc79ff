/** Room: how much of it is left on the disk and in the hold, and what the configuration asks for. */
import { statfsSync } from 'node:fs'
import type { Config } from '../config.js'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import { shortSize } from '../text/visible.js'
import type { Load } from './heldmail.js'
import type { Hold } from './hold.js'

export interface Room {
  /** Bytes this user may still write on the state folder's file system. */
  free: number
  /** What waits. */
  load: Load
}

/** Bytes this user may still write where the state folder is; root's reserve is not among them. */
function freeBytes(state: string): number {
  const { bavail, bsize } = statfsSync(state)
  return bavail * bsize
}

/**
 * Keeps the run from writing anything where the disk is nearly full.
 * @param announced bytes of the message, as far as Postfix has told them
 * @throws Failure (75)
 */
export function demandFree({ state, limits }: Config, announced = 0): void {
  if (limits.free === 0) return
  let free: number
  try {
    free = freeBytes(state)
  } catch (error) {
    throw new Failure('free space', describeError(error), { at: state, status: EXIT.tempFail, cause: error })
  }
  if (free - announced >= limits.free) return
  throw new Failure('free space', tellFree(free, limits.free), {
    at: state,
    status: EXIT.tempFail,
    hint: 'make room',
  })
}

function tellFree(free: number, least: number): string {
  return `${shortSize(free)} are left, limits.free_megabytes asks for ${shortSize(least)}`
}

/**
 * Keeps a new message out of a hold that is full.
 * @throws Failure (75), before anything of the hold is touched
 */
export async function demandHoldRoom({ limits, state }: Config, hold: Hold, size: number): Promise<void> {
  const { holdMessages, holdBytes } = limits
  if (holdMessages === 0 && holdBytes === 0) return
  const load = hold.load()
  const isFull =
    (holdMessages > 0 && load.messages + 1 > holdMessages) || (holdBytes > 0 && load.bytes + size > holdBytes)
  if (!isFull) return
  throw new Failure('hold message', `the hold is full: ${tellLoad(load, limits)}`, {
    at: state,
    status: EXIT.tempFail,
    hint: 'release or reject what waits, or raise the limit',
  })
}

function tellLoad({ messages, bytes }: Load, { holdMessages, holdBytes }: Config['limits']): string {
  const most = (limit: string): string => (limit === '0' ? '' : ` of at most ${limit}`)
  return `${messages}${most(`${holdMessages}`)} messages wait, ${shortSize(bytes)}${most(shortSize(holdBytes))}`
}

/** How full disk and hold are. */
export async function measureRoom({ state }: Config, hold: Hold): Promise<Room> {
  return { free: freeBytes(state), load: hold.load() }
}
