/** Held: a message for the hold, spooled and parked as the gate does it. */

import type { HeldRecipient, HoldEnvelope, HoldFolder } from '../../lib/hold/folder.js'
import type { Hold } from '../../lib/hold/hold.js'
import { holdIdOf } from '../../lib/hold/id.js'
import { inspect, type Message, spool } from '../../lib/mail/message.js'
import { MESSAGE } from './lab.js'

export const CLIENT = {
  address: '192.0.2.9',
  name: 'pc.corp.test',
  port: '40000',
  proto: 'ESMTP',
  helo: 'pc',
  saslUser: 'anna',
}

/** Pieces as standard input gives them. */
export async function* pieces(...parts: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part as string)
}

/** A recipient nobody knows. */
export function unknown(address: string): HeldRecipient {
  return { address, state: 'held', reason: 'unknown', detail: '' }
}

/** A recipient our own Postfix refused. */
export function refused(address: string, reply = '550 5.1.1 no such user'): HeldRecipient {
  return { address, state: 'refused', reason: 'refused', detail: reply }
}

export interface Spooled {
  message: Message
  envelope: HoldEnvelope
}

/** A message in hold/tmp with its envelope, not yet parked; `changes` to what stands in it. */
export async function spoolHeld(
  folder: HoldFolder,
  recipients: HeldRecipient[],
  changes: Partial<HoldEnvelope> & { bytes?: string | Buffer } = {},
): Promise<Spooled> {
  const { bytes = MESSAGE, ...rest } = changes
  const message = await spool(pieces(bytes), folder.tmp)
  const { sha256 } = await inspect(message.bytes())
  const queueId = rest.queueId ?? '4bQ8Yk2hJnz1'
  const sender = rest.sender ?? 'anna@corp.test'
  const envelope = {
    id: holdIdOf(queueId, sender, sha256),
    queueId,
    sender,
    sha256,
    size: message.size,
    subject: 'Invoice',
    messageId: '<one@corp.test>',
    client: CLIENT,
    heldAt: 1000,
    expiresAt: 5000,
    automatic: '',
    recipients,
    ...rest,
  }
  return { message, envelope }
}

/** Parks a message for these recipients; its id. */
export async function park(
  hold: Hold,
  folder: HoldFolder,
  recipients: HeldRecipient[],
  changes: Parameters<typeof spoolHeld>[2] = {},
): Promise<string> {
  const { message, envelope } = await spoolHeld(folder, recipients, changes)
  hold.park(message.folder(), envelope)
  return envelope.id
}
