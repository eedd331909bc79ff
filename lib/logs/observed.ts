/** Observed: what a line of the decision log says of mail that passed only because nothing was being held. Pure. */
import type { Attempt } from './maillog.js'

/**
 * The recipients of one run that were passed although nobody knows them, as deliveries; undefined for a line that is
 * no decision. Others that would have been held (malformed, blocked, a foreign sender) are no candidates.
 */
export function observedIn(line: string): Attempt[] | undefined {
  let decision: unknown
  try {
    decision = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof decision !== 'object' || decision === null) return undefined
  const { at, queueId, sender, saslUser, recipients } = decision as Record<string, unknown>
  const time = typeof at === 'string' ? Date.parse(at) : Number.NaN
  if (Number.isNaN(time) || typeof queueId !== 'string' || typeof sender !== 'string') return undefined
  if (!Array.isArray(recipients)) return undefined
  const attempts: Attempt[] = []
  for (const entry of recipients) {
    const { to, verdict, reason, did } = (entry ?? {}) as Record<string, unknown>
    if (typeof to !== 'string') return undefined
    if (verdict !== 'hold' || reason !== 'unknown' || did !== 'passed') continue
    attempts.push({
      at: time,
      host: '',
      id: queueId,
      sender,
      submitted: true,
      login: typeof saslUser === 'string' ? saslUser : '',
      recipient: to,
      outward: true,
      delivered: true,
      relay: '',
      sent: true,
      client: '',
      messageId: '',
      originalId: '',
    })
  }
  return attempts
}
