/** toeh cleanup: from cron or a timer. Ends what has waited too long, and sweeps what killed runs have left. */
import type { Argv, CommandModule } from 'yargs'
import { describeReleased, type Released, tryRelease } from '../approval/release.js'
import { knownAmong } from '../cli/becameknown.js'
import { answer, type CommonOptions, type Desk, openDesk, presently } from '../cli/context.js'
import type { Config } from '../config.js'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import type { HeldMessage, Recipient } from '../hold/heldmail.js'
import { findPassed, readEnvelope } from '../hold/orphan.js'
import { pruneDecisions } from '../logs/decisionlog.js'
import { bySender, sendNotice, tellableOf, Unreached } from '../notice/notify.js'
import { foldVerdicts } from '../report/verdictcount.js'
import { foldUses } from '../rules/foldusecount.js'
import { isSynchronised, momentOf } from '../system/bootclock.js'
import { believes, doubtOf, readTimekeeping, type Timekeeping } from '../system/clock.js'
import { words } from '../text/translate.js'
import { localTime, shortAge } from '../text/visible.js'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** Older than any run can be: pipe(8)'s time limit and our deadline are minutes. */
const TEMPORARY_MS = DAY_MS
/** A cleanup that began on a message and has not ended after this has died. */
const CLAIM_MS = 3_600_000
/** For so long an answer that comes too late is told so. */
const TOKEN_MS = 30 * DAY_MS
/** Longer than any interval of notices. */
const NOTICE_MS = 30 * DAY_MS
/** The name in `progress` of what a cleanup leaves for the next. */
const PROGRESS = 'cleanup'
/** The same of the last comparison of folders and rows. */
const COMPARED = 'folders compared'
/** Once a day, also where the timer is not exact. */
const COMPARE_MS = 20 * 3_600_000

/** Those who are to expire: not who may have got it. */
function dueIn({ recipients }: HeldMessage): Recipient[] {
  return recipients.filter(({ state }) => state !== 'releasing')
}

/** What is told in one mail. */
interface Letter {
  to: readonly string[]
  messages: HeldMessage[]
}

/**
 * Each message to its sender. Where he cannot be told the approvers are, of all messages of one sender at once: a newsletter
 * has as many as it has readers. Automatic mail the digest has told them of, with the day of its end.
 */
function lettersOf(config: Config, messages: readonly HeldMessage[]): Letter[] {
  const letters: Letter[] = []
  const untold: HeldMessage[] = []
  const automatic: HeldMessage[] = []
  for (const message of messages) {
    if (message.automatic !== '') {
      if (message.notifiedAt === null) automatic.push(message)
      else letters.push({ to: [], messages: [message] })
      continue
    }
    const sender = tellableOf(config, message)
    if (sender === undefined) untold.push(message)
    else letters.push({ to: [sender], messages: [message] })
  }
  const groups = [...bySender(config, untold), automatic].filter((some) => some.length > 0)
  return [...letters, ...groups.map((some) => ({ to: config.approvers, messages: some }))]
}

/** @throws Failure where it did not go out; then none of these is expired */
async function tell(desk: Desk, { to, messages }: Letter): Promise<void> {
  const { approvers } = desk.config
  const shown = messages.map((message) => ({ ...message, recipients: dueIn(message) }))
  if (to.length === 0) return
  try {
    await sendNotice(desk, 'expired', to, shown)
  } catch (error) {
    // A sender whom no notice reaches: else his mail would wait for good.
    if (!(error instanceof Unreached) || to === approvers) throw error
    await tell(desk, { to: approvers, messages })
  }
}

/** Expires a message that was told of, then removes its bytes; in that order. */
async function expire(desk: Desk, message: HeldMessage): Promise<string[]> {
  const { hold, actor } = desk
  const addresses = dueIn(message).map(({ address }) => address)
  const expired = hold.settle(message.id, addresses, 'expired', { ...actor, who: 'cleanup' })
  hold.removeSettled(message.id)
  return expired
}

/** What a comparison of all folders with all rows has left for the runs after it. */
interface Comparison {
  at: number
  /** Folders that nobody knew. */
  orphans: string[]
}

interface Tidied {
  removed: number
  orphans: string[]
  /** What was counted wrongly. */
  recounted: string[]
}

/**
 * Removes bytes of settled messages that a cut-off run has left, and names folders nobody knows, which are left alone.
 * Which messages were settled since the last run the rows know; that nothing else is amiss is looked for once a day, in
 * every folder and every row, and what was found is looked at in each run until then.
 */
async function tidyHold(desk: Desk): Promise<Tidied> {
  const { hold, folder, progress } = desk
  const now = desk.actor.at
  let removed = hold.removeLeft()
  const text = progress.get(COMPARED)
  const last: Comparison | undefined = text === undefined ? undefined : JSON.parse(text)
  if (last !== undefined && Math.abs(now - last.at) < COMPARE_MS) {
    const standings = last.orphans.map((id) => hold.standing(id))
    const orphans = last.orphans.filter((id, index) => standings[index] === 'unknown' && folder.isThere(id))
    return { removed, orphans, recounted: [] }
  }
  const recounted = hold.recount(true)
  const orphans: string[] = []
  const waiting = hold.waitingIds()
  for (const id of folder.ids()) {
    if (waiting.has(id)) continue
    const standing = hold.standing(id)
    if (standing === 'unknown') orphans.push(id)
    if (standing !== 'settled') continue
    hold.removeSettled(id)
    removed++
  }
  for (const id of await passedSince(desk, orphans)) {
    hold.removeSettled(id)
    orphans.splice(orphans.indexOf(id), 1)
    removed++
  }
  progress.set(COMPARED, JSON.stringify({ at: now, orphans } satisfies Comparison))
  return { removed, orphans, recounted }
}

/** Those of the folders without rows whose message was passed on to everybody since. */
async function passedSince({ config, folder }: Desk, orphans: readonly string[]): Promise<string[]> {
  const envelopes = orphans.flatMap((id) => {
    const envelope = readEnvelope(folder, id)
    return envelope instanceof Failure ? [] : [envelope]
  })
  const passed = await findPassed(config.state, envelopes)
  return envelopes
    .filter(({ id, recipients }) => recipients.every(({ address }) => passed.get(id)?.has(address)))
    .map(({ id }) => id)
}

interface Expired {
  expired: { id: string; recipients: string[] }[]
  /** Ids of what was due and stays. */
  kept: string[]
}

/** Expires what is due now. */
async function expireDue(desk: Desk, lines: string[]): Promise<Expired> {
  const now = desk.actor.at
  const result: Expired = { expired: [], kept: [] }
  for (const letter of lettersOf(desk.config, desk.hold.claimExpired(now, now - CLAIM_MS))) {
    const [told] = await Promise.allSettled([tell(desk, letter)])
    for (const message of letter.messages) {
      try {
        if (told.status === 'rejected') throw told.reason
        const recipients = await expire(desk, message)
        result.expired.push({ id: message.id, recipients })
        lines.push(...recipients.map((address) => words`${message.id} expired for ${address}`))
      } catch (error) {
        desk.hold.unclaimExpired(message.id)
        result.kept.push(message.id)
        lines.push(words`${message.id} NOT expired, it stays: ${describeError(error)}`)
        process.exitCode = EXIT.failed
      }
    }
  }
  return result
}

/**
 * Reminds senders of what is to end soon: all of one sender's in one mail, once. Whoever it has perhaps reached is not written to again.
 * @returns ids of what somebody was reminded of
 */
async function remind(desk: Desk, lines: string[]): Promise<string[]> {
  const { hold, config, actor } = desk
  const reminded: string[] = []
  const claimed = hold.claimReminders(actor.at, config.notice.remindHours * HOUR_MS)
  const letters = new Map<string, HeldMessage[]>()
  for (const message of claimed) {
    const sender = tellableOf(config, message)
    if (sender !== undefined) letters.set(sender, [...(letters.get(sender) ?? []), message])
  }
  for (const [sender, messages] of letters) {
    const ids = messages.map(({ id }) => id)
    const shown = messages.map((message) => ({ ...message, recipients: dueIn(message) }))
    try {
      await sendNotice(desk, 'reminder', [sender], shown)
      reminded.push(...ids)
      lines.push(words`reminded ${sender} of ${ids.join(', ')}`)
    } catch (error) {
      if (error instanceof Unreached) continue
      if (!(error instanceof Failure && error.inDoubt)) hold.unclaimReminders(ids)
      lines.push(words`NOT reminded ${sender} of ${ids.join(', ')}: ${describeError(error)}`)
      process.exitCode = EXIT.failed
    }
  }
  return reminded
}

/** Sends on what has become known since: a person has said yes to it, and is not there to say so again. */
async function releaseKnown(desk: Desk, lines: string[]): Promise<Released[]> {
  const released: Released[] = []
  const actor = { ...desk.actor, who: 'cleanup' }
  for (const { message, chosen } of knownAmong(desk, desk.hold.waiting())) {
    const result = await tryRelease(presently({ ...desk, actor }), message, chosen)
    lines.push(...describeReleased(result))
    if (result.failed.length > 0) process.exitCode = EXIT.failed
    released.push(result)
  }
  return released
}

/** Gives those time who were held while the clock was behind. Without an earlier run nothing can be known of it. */
async function putOffMisdated(desk: Desk, earlier: Timekeeping | undefined, lines: string[]): Promise<void> {
  if (earlier === undefined || desk.actor.at < earlier.last.at) return
  for (const id of desk.hold.putOff(earlier.last.at, earlier.kept))
    lines.push(
      words`${id} NOT expired: it was held while the clock was behind, and waits its time from now on`,
    )
}

interface Pruned {
  /** Of the decision log. */
  days: number
  /** Rows of the audit. */
  deeds: number
  /** Settled messages. */
  messages: number
  /** Rules that have ended. */
  rules: number
}

const NOTHING: Pruned = { days: 0, deeds: 0, messages: 0, rules: 0 }

/** Removes what is older than the configuration lets it become. Ended rules go with the audit, which tells of them. */
async function prune({ config, audit, erasure, tokens, actor }: Desk, lines: string[]): Promise<Pruned> {
  const now = actor.at
  const { settledDays, decisionLogDays, auditDays } = config.retention
  const keptFrom = new Date(now - decisionLogDays * DAY_MS).toISOString().slice(0, 10)
  const days = pruneDecisions(config.state, keptFrom)
  const messages = await erasure.pruneSettled(now - settledDays * DAY_MS, now)
  const deeds = await audit.prune(now - auditDays * DAY_MS)
  const rules = await erasure.pruneRules(now - auditDays * DAY_MS)
  await erasure.pruneNotices(now - NOTICE_MS)
  tokens.prune(now - TOKEN_MS)
  if (days > 0) lines.push(words`removed ${days} days of the decision log, kept from ${keptFrom} on`)
  if (messages > 0)
    lines.push(words`removed what was kept of ${messages} messages settled more than ${settledDays} days ago`)
  if (deeds > 0) lines.push(words`removed ${deeds} rows of the audit older than ${auditDays} days`)
  if (rules > 0) lines.push(words`removed ${rules} rules that ended more than ${auditDays} days ago`)
  // Where a person was forgotten and that could not be done.
  if (await erasure.compact()) lines.push(words`wrote the file of the database anew`)
  return { days, deeds, messages, rules }
}

const module: CommandModule = {
  command: 'cleanup',
  describe:
    'release what has become known; remind senders; expire what has waited too long, after telling its sender; sweep old temporaries',
  builder: (yargs: Argv) => yargs.example('toeh cleanup', 'once an hour or a day; two at once do no harm'),
  handler: async (args) => {
    const options = args as unknown as CommonOptions
    const desk = openDesk(options, 'write')
    const now = desk.actor.at
    const lines: string[] = []
    const earlier = readTimekeeping(desk.progress.get(PROGRESS))
    const moment = momentOf(now)
    const newest = { at: desk.hold.newest() ?? now, boot: '', uptime: 0 }
    const clock: Timekeeping = earlier ?? { last: newest, doubted: null, kept: [] }
    // Not asked for where nothing is in doubt.
    const isKept = clock.doubted === null ? undefined : isSynchronised()
    const trusted = believes(clock, moment, isKept)
    let done: Expired = { expired: [], kept: clock.kept }
    let released: Released[] = []
    let reminded: string[] = []
    if (trusted) {
      await putOffMisdated(desk, earlier, lines)
      released = await releaseKnown(desk, lines)
      done = await expireDue(desk, lines)
      reminded = await remind(desk, lines)
    } else {
      const gap = shortAge(Math.abs(now - clock.last.at))
      const last = localTime(clock.last.at)
      const where =
        now > clock.last.at
          ? words`${gap} after the last cleanup (${last})`
          : words`${gap} before the last cleanup (${last})`
      lines.push(
        isKept === false
          ? words`the clock is ${where}, and timedatectl says that it is not synchronised: nothing is expired, swept or pruned until it has been so for a day`
          : words`the clock is ${where}: nothing is expired, swept or pruned until it has been so for an hour`,
      )
    }
    await foldUses(desk)
    if (trusted) await foldVerdicts(desk)
    const mended = desk.landscape.mendLane(now)
    const { removed, orphans, recounted } = await tidyHold(desk)
    // Behind that: a message whose folder is still there is kept.
    const pruned = trusted ? await prune(desk, lines) : NOTHING
    const swept = trusted ? desk.folder.sweep(now - TEMPORARY_MS) : 0
    const { expired, kept } = done
    const next: Timekeeping = trusted
      ? { last: moment, doubted: null, kept }
      : { ...clock, doubted: doubtOf(clock, moment) }
    desk.progress.set(PROGRESS, JSON.stringify(next))
    if (removed > 0) lines.push(words`removed ${removed} settled messages that a cut-off run had left`)
    if (recounted.length > 0)
      lines.push(
        words`counted anew what waits: ${recounted.length} counts were wrong (${recounted.slice(0, 3).join(', ')})`,
      )
    if (mended > 0) lines.push(words`put ${mended} rows of the express lane right`)
    if (swept > 0) lines.push(words`swept ${swept} old temporaries`)
    for (const id of orphans)
      lines.push(words`${id}: a folder without rows; left as it is (its run was cut off: Postfix retries it)`)
    answer(
      options,
      { expired, released, reminded, swept, removed, mended, recounted, orphans, pruned, trusted },
      lines,
    )
  },
}
export default module
