/**
 * Siblings: other runs of the filter with the same queue id. Postfix hands a mail over in slices of
 * `toeh_destination_recipient_limit` recipients, several at once, and says to none of them that there are others.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Between two looks. */
const LOOK_MS = 100

function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    // It has ended, or is another's, which no run of ours can be.
    return []
  }
}

/** The processes of other runs with this queue id, their shells among them. */
export function siblingsOf(queueId: string): number[] {
  const own = [process.pid, process.ppid].map(String)
  let names: string[]
  try {
    names = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && !own.includes(name))
  } catch {
    return []
  }
  return names.filter((pid) => argumentsOf(pid).includes(`--queue-id=${queueId}`)).map(Number)
}

/**
 * Waits until no other run has this queue id, if there is one. Twice none has to be seen: between two slices one may be about to
 * begin.
 * @param mostMs so long at most
 */
export async function untilAlone(queueId: string, mostMs: number): Promise<void> {
  const end = performance.now() + mostMs
  let alone = siblingsOf(queueId).length === 0 ? 2 : 0
  while (alone < 2 && performance.now() < end) {
    await new Promise((done) => setTimeout(done, LOOK_MS))
    alone = siblingsOf(queueId).length === 0 ? alone + 1 : 0
  }
}
