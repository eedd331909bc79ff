/**
 * The ending of toeh-filter: 0 when every recipient is settled, else 75, whatever happens (pipe(8) bounces on every
 * other status). Imported first, because from here on the process is armed.
 */
import { writeSync } from 'node:fs'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import { after } from '../system/eventloop.js'

/** How long telling people may take once the mail is settled. */
const AFTERWARDS_MS = 10_000

/** The verdict once every recipient is settled: from then on even a crash is a success. */
let settled: string | undefined

// An empty event loop ends the process without anybody having said so; that must not look like success.
process.exitCode = EXIT.tempFail
process.umask(0o077)
// Output is one stream to pipe(8): a warning in front of the line would hide its 4.3.0 and reach the sender.
// toeh-filter.sh has Node print none; asked first, because that is cheaper than to remove what is not there.
if (process.listenerCount('warning') > 0) process.removeAllListeners('warning')
process.on('uncaughtException', end)
process.on('unhandledRejection', end)

/** Whether the end of the message is on its way, so that the server decides whether it is sent. */
let isAnswerDue = false

/** Ends the process where it has not begun to end the message within so many seconds, nor come to a verdict. */
export function setDeadline(seconds: number): void {
  after(seconds * 1000, () => {
    if (settled === undefined && !isAnswerDue) end(new Failure('deadline', `not done within ${seconds} s`))
  })
}

/**
 * Lifts the deadline. To end before the answer would be to have the message sent again; whoever waits for it keeps the time
 * (RFC 5321, 4.5.3.2.6).
 */
export function awaitAnswer(): void {
  isAnswerDue = true
}

/** Notes the verdict; it may be given again with more in it. Whatever comes after has a short time. */
export function settle(verdict: string): void {
  if (settled === undefined) after(AFTERWARDS_MS, end)
  settled = verdict
}

/** Ends the process with one line: the verdict, or `4.3.0` and what failed (RFC 3463; pipe(8) passes it on). */
export function end(failure?: unknown): never {
  const line = settled ?? `4.3.0 toeh: ${describeError(failure)}`
  try {
    // The line goes to the log and into DSNs, and must stay one.
    const shown = /[^\x20-\x7e]/.test(line) ? line.replace(/[^\x20-\x7e]+/g, ' ') : line
    writeSync(1, `${shown.slice(0, 400)}\n`)
  } catch {
    // Nobody reads it any more; the status still counts.
  }
  process.exit(settled === undefined ? EXIT.tempFail : EXIT.ok)
}
