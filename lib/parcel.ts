/** The parcel: one message for some recipients, and what became of it, whichever transport carries it. Pure. */
import type { Client } from './envelope.js'

export interface Parcel {
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
   * will come again. Absent where that cannot be.
   */
  demandAwaited?: () => void
  /** Called before the message goes out, with the recipients refused for good: they are parked first. */
  onRefused: (refused: readonly Refusal[]) => Promise<void>
}

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
