/** Telling people: who is to hear of a held message, at most once an interval, and how the mail gets to them. */
import type { Config } from './config.js'
import { databasePath, openForReading } from './database.js'
import { isOwnSender } from './decide.js'
import { findEnclosures } from './enclosures.js'
import { Failure } from './failure.js'
import type { HeldMessage, Hold } from './hold.js'
import type { HoldFolder } from './holdfolder.js'
import type { NoticeKind, NoticeMessage } from './letter.js'
import { discard, spool } from './message.js'
import { Neighbours, placeRecipients } from './neighbours.js'
import { composeNotice } from './notice.js'
import { reinject } from './reinject.js'

const PATIENCE_MS = 10_000
/** Of several messages in one mail so many are looked into. */
const MOST_LOOKED_INTO = 20

export interface Post {
  config: Config
  folder: HoldFolder
  /** Of a caller who tells of many; else they are loaded for the one notice. */
  neighbours?: Neighbours
}

/** The sender, where a notice may go to: an internal address, never one outside and never the null sender. */
export function tellableSender(config: Config, sender: string): string | undefined {
  return sender !== '' && isOwnSender(sender, config.internal) ? sender : undefined
}

/** Composes one notice and sends it past the gate, with the null sender. @throws Failure when it did not go out */
export async function sendNotice(
  post: Post,
  kind: NoticeKind,
  to: readonly string[],
  messages: readonly NoticeMessage[],
): Promise<void> {
  const { config, folder } = post
  const bytes = await composeNotice({
    kind,
    to,
    messages,
    language: config.language,
    from: config.notice.from,
    approvers: config.approvers,
  })
  async function* pieces(): AsyncGenerator<Buffer> {
    yield bytes
  }
  const spooled = await spool(pieces(), folder.tmp)
  try {
    const { size, eightBit } = spooled
    const cargo = {
      sender: '',
      recipients: to,
      size,
      eightBit,
      messagePath: () => spooled.path,
      onRefused: async ([first]: readonly { reply: string }[]) => {
        throw new Failure('notice', first?.reply ?? 'refused')
      },
    }
    await reinject(config.reinject, cargo, PATIENCE_MS)
  } finally {
    discard(spooled.folder)
  }
}

/** Tells the sender and the approvers of one new hold, unless this sender had a notice within the interval. */
export async function notifyHeld(post: Post, hold: Hold, id: string, now: number): Promise<void> {
  const message = await hold.find(id)
  const waiting = {
    ...message,
    recipients: message.recipients.filter(({ state }) => state === 'held' || state === 'refused'),
  }
  if (!(await hold.claimNotice(message.sender, now, post.config.notice.intervalMinutes * 60_000))) return
  await tell(post, hold, [waiting], now)
}

/**
 * Tells the people concerned of these messages, all of one sender, and notes that they were told.
 * @throws Failure when a mail did not go out; then the messages stay with `toeh digest`
 */
export async function tell(
  post: Post,
  hold: Hold,
  messages: readonly HeldMessage[],
  now: number,
): Promise<void> {
  const [first] = messages
  if (first === undefined) return
  const sender = tellableSender(post.config, first.sender)
  const { approvers } = post.config
  if (approvers.length > 0 || sender !== undefined) {
    const placed = await place(post, messages)
    if (approvers.length > 0) await sendNotice(post, 'approver', approvers, placed)
    if (sender !== undefined) await sendNotice(post, 'sender', [sender], placed)
  }
  await hold.recordNotified(
    messages.map(({ id }) => id),
    now,
  )
}

/** The messages with their attachments, their unknown recipients with near misses. */
async function place(post: Post, messages: readonly HeldMessage[]): Promise<NoticeMessage[]> {
  const { config } = post
  if (post.neighbours === undefined) {
    const db = openForReading(databasePath(config.state), { busySeconds: config.busySeconds })
    try {
      return await place({ ...post, neighbours: new Neighbours(db, config.internal) }, messages)
    } finally {
      db.close()
    }
  }
  const placed: NoticeMessage[] = []
  for (const [index, message] of messages.entries()) {
    const enclosures =
      index < MOST_LOOKED_INTO ? await findEnclosures(post.folder.messagePath(message.id)) : undefined
    placed.push({ ...(await placeRecipients(post.neighbours, message)), enclosures })
  }
  return placed
}
