/** The transaction: one message for some recipients, and what became of it, whichever transport carries it. Pure. */
import type { Client } from './envelope.js'

export interface Transaction {
  sender: string
  recipients: readonly string[]
  /** Bytes of the message. */
  size: number
  eightBit: boolean
  /** What the second half of the log shows as the client, and the queue id of the first half; none for our own mail. */
  origin?: { client: Client; queueId: string }
  /** Opens the message, once the server has said 354. */
  open: () => AsyncIterable<Buffer>
  /**
   * Called last of all, before the end of the message is sent; throws where nobody waits for what comes of it any more and it
   * will come again. From then on it may have been sent. Absent where that cannot be.
   */
  beforeEnd?: () => void
  /** Called before the message goes out, with the recipients refused for good: they are parked first. */
  onRefused: (refused: readonly Refusal[]) => Promise<void>
}

/** How long whoever takes the transaction is waited for. */
export interface Patience {
  /** Milliseconds for each step before the end of the message; undefined where the caller keeps the time. */
  replyMs: number | undefined
  /**
   * Milliseconds for what is said to the end of the message, or for sendmail's own end. The server decides then, and whoever
   * goes away before he has heard it may send a second copy: RFC 5321, 4.5.3.2.6, asks for ten minutes.
   */
  answerMs: number
  /** Ends it at once when it fires; what was sent by then is in doubt. */
  limit?: AbortSignal
}

/** What RFC 5321 asks for, and no limit of the caller's own. */
export const ANSWER_MS = 600_000

export interface Refusal {
  recipient: string
  /** The server's 5xx reply, on one line. */
  reply: string
}

export interface Delivery {
  /** Recipients the server has taken responsibility for. */
  accepted: string[]
  /** Its queue id, or empty where it told none or took nothing. */
  queueId: string
}

export type Transport = { kind: 'smtp'; host: string; port: number } | { kind: 'sendmail'; path: string }
