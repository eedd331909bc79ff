/** Reinjection by sendmail(1), the second choice: no queue id, no client data, and it splits what is not plain. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT } from '../exit.js'
import { describeError, Failure, toFailure } from '../failure.js'
import { parseAddress } from './address.js'
import type { Delivery, Patience, Transaction } from './transaction.js'

/**
 * Hands one message to sendmail with its input a regular file, never a pipe: a writer that was killed looks like
 * the end of a whole message. An address that is no ASCII dot-atom is refused here: sendmail would read
 * `a@x.test,b@y.test` as two even after `--`.
 * @param messagePath asked for after `onRefused`, because parking may move the file
 * @throws Failure (75) for every exit code but 0 and for a signal; `inDoubt` where it had to be ended
 */
export async function sendBySendmail(
  program: string,
  messagePath: () => string,
  transaction: Transaction,
  patience: Patience,
): Promise<Delivery> {
  const fits = (address: string): boolean => {
    const parsed = parseAddress(address)
    // A domain of one label, which here is the company's own, is nothing odd to sendmail.
    return (parsed.plain || parsed.fault === 'single-label domain') && !/[^\x21-\x7e]/.test(address)
  }
  const isSenderFit = transaction.sender === '' || fits(transaction.sender)
  const accepted = isSenderFit ? transaction.recipients.filter(fits) : []
  const reply = `sendmail cannot carry this ${isSenderFit ? 'address' : 'sender'} unchanged`
  const refused = transaction.recipients
    .filter((recipient) => !accepted.includes(recipient))
    .map((recipient) => ({ recipient, reply }))
  if (refused.length > 0) await transaction.onRefused(refused)
  if (accepted.length === 0) return { accepted, queueId: '' }
  transaction.beforeEnd?.()
  await run(program, ['-G', '-i', '-f', transaction.sender, '--', ...accepted], messagePath(), patience)
  return { accepted, queueId: '' }
}

/** How long those that are told to end may take, and again once they are killed. */
const ENDING_MS = 5000

async function run(
  program: string,
  args: readonly string[],
  input: string,
  { answerMs, limit }: Patience,
): Promise<void> {
  try {
    limit?.throwIfAborted()
    const fd = openSync(input, 'r')
    // What sendmail complains of must not become our own output, which Postfix reads. The pipe is there for its end, which
    // comes when all have gone that were started for this, postdrop(1) among them.
    const child = spawn(program, args, { stdio: [fd, 'pipe', 'ignore'] })
    closeSync(fd)
    child.stdout?.resume()
    const gone = new Promise<void>((resolve) => child.on('close', () => resolve()))
    let overdue: string | undefined
    let ending: Promise<void> | undefined
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      const stop = (why: string): void => {
        overdue ??= why
        ending ??= endAll(child.pid, gone)
        ending.catch(reject)
      }
      const timer = setTimeout(() => stop(`it has not ended for ${answerMs / 1000} s`), answerMs)
      limit?.addEventListener('abort', () => stop(describeError(limit.reason)), { once: true })
      child.on('error', (error) => {
        clearTimeout(timer)
        reject(error)
      })
      child.on('exit', (...end) => {
        clearTimeout(timer)
        resolve(end)
      })
    })
    // Said in the last moment, but said.
    if (code === 0) return
    await ending
    const why = signal === null ? `it ended with status ${code}` : `it was killed by ${signal}`
    throw new Failure('reinject by', overdue ?? why, {
      at: program,
      status: EXIT.tempFail,
      inDoubt: overdue !== undefined,
    })
  } catch (error) {
    throw toFailure('reinject by', error, { at: program })
  }
}

/**
 * Ends a process and all that it has started, so that none of them hands the mail in when the caller has been told that it is
 * not sent. First by SIGTERM, at which postdrop(1) takes away what it has begun to write.
 * @param gone resolves when the last of them has ended
 * @throws Failure (75) where one lives on all the same
 */
async function endAll(pid: number | undefined, gone: Promise<void>): Promise<void> {
  let left = true
  const ended = gone.then(() => {
    left = false
  })
  const family = new Set<number>()
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    // Those whose parent has ended are nobody's descendants any more.
    for (const one of pid === undefined ? [] : [pid, ...descendantsOf(pid)]) family.add(one)
    for (const one of family) kill(one, signal)
    await Promise.race([ended, sleep(ENDING_MS)])
    if (!left) return
  }
  throw new Failure('reinject by', 'what it has started does not end', {
    at: `process ${pid}`,
    inDoubt: true,
  })
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}

/** Children, their children and so on (proc(5): task/TID/children). */
function descendantsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
      const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
      return children
        .split(' ')
        .filter(Boolean)
        .map(Number)
        .flatMap((child) => [child, ...descendantsOf(child)])
    })
  } catch {
    return []
  }
}
