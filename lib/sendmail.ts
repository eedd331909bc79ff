/** Reinjection by sendmail(1), the second choice: no queue id, no client data, and it splits what is not plain. */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { parseAddress } from './address.js'
import { EXIT } from './exit.js'
import { Failure, toFailure } from './failure.js'
import type { Delivery, Parcel } from './parcel.js'

/**
 * Hands one message to sendmail with its input a regular file, never a pipe: a writer that was killed looks like
 * the end of a whole message. An address that is no ASCII dot-atom is refused here: sendmail would read
 * `a@x.test,b@y.test` as two even after `--`.
 * @param messagePath asked for after `onRefused`, because parking may move the file
 * @throws Failure (75) for every exit code but 0 and for a signal
 */
export async function sendBySendmail(
  program: string,
  messagePath: () => string,
  parcel: Parcel,
): Promise<Delivery> {
  const fits = (address: string): boolean => parseAddress(address).plain && !/[^\x21-\x7e]/.test(address)
  const isSenderFit = parcel.sender === '' || fits(parcel.sender)
  const accepted = isSenderFit ? parcel.recipients.filter(fits) : []
  const reply = `sendmail cannot carry this ${isSenderFit ? 'address' : 'sender'} unchanged`
  const refused = parcel.recipients
    .filter((recipient) => !accepted.includes(recipient))
    .map((recipient) => ({ recipient, reply }))
  if (refused.length > 0) await parcel.onRefused(refused)
  if (accepted.length === 0) return { accepted, queueId: '' }
  parcel.demandAwaited?.()
  await run(program, ['-G', '-i', '-f', parcel.sender, '--', ...accepted], messagePath())
  return { accepted, queueId: '' }
}

async function run(program: string, args: readonly string[], input: string): Promise<void> {
  try {
    const fd = openSync(input, 'r')
    // What sendmail complains of must not become our own output, which Postfix reads.
    const child = spawn(program, args, { stdio: [fd, 'ignore', 'ignore'] })
    closeSync(fd)
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (...end) => resolve(end))
    })
    if (code === 0) return
    const why = signal === null ? `it ended with status ${code}` : `it was killed by ${signal}`
    throw new Failure('reinject by', why, { at: program, status: EXIT.tempFail })
  } catch (error) {
    throw toFailure('reinject by', error, { at: program })
  }
}
