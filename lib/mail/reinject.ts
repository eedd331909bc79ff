/** Reinjection: hands mail back to Postfix behind the gate, by the transport the configuration names. */
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import type { Stored } from './message.js'
import { sendBySmtp } from './smtp.js'
import type { Delivery, Patience, Transaction, Transport } from './transaction.js'

/** RCPT commands in one transaction at most; Postfix allows 1000 (smtpd_recipient_limit). */
export const RECIPIENTS_AT_ONCE = 1000

export type StoredTransaction = Omit<Transaction, 'open'> & {
  /** Asked for by the time it is read: parking may move its file between RCPT and DATA. */
  message: Stored
}

/**
 * Sends one message on.
 * @throws Failure (75), `inDoubt` where the message may have been accepted
 */
export async function reinject(
  transport: Transport,
  stored: StoredTransaction,
  patience: Patience,
): Promise<Delivery> {
  if (stored.recipients.length > RECIPIENTS_AT_ONCE) {
    throw new Failure('reinject', `more than ${RECIPIENTS_AT_ONCE} recipients at once`, {
      status: EXIT.tempFail,
      hint: 'set toeh_destination_recipient_limit = 50 in main.cf',
    })
  }
  const transaction: Transaction = { ...stored, open: () => stored.message.bytes() }
  if (transport.kind === 'smtp') {
    return sendBySmtp({ host: transport.host, port: transport.port, ...patience }, transaction)
  }
  const { sendBySendmail } = await import('./sendmail.js')
  return sendBySendmail(transport.path, () => stored.message.file(), transaction, patience)
}
