/**
 * The gate: one run of toeh-filter, from standard input to the verdict. docs/flow.md tells it in prose.
 *
 * The order is the promise: read whole → decide → park, durably → reinject → say so. Until the reinjection has
 * been answered every failure is 75 and Postfix keeps the mail; after it, nothing may fail any more, because a
 * retry would send a second copy.
 *
 * It is long because the order of one run is the promise, and is to be read from top to bottom.
 */

import { statSync } from 'node:fs'
import { type Config, companyOf } from '../config.js'
import { databasePath, openForWriting, openState } from '../database/database.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { demandFree, demandHoldRoom } from '../hold/capacity.js'
import { type HeldRecipient, type HoldEnvelope, HoldFolder } from '../hold/folder.js'
import { isWaiting, type State } from '../hold/heldmail.js'
import { Hold } from '../hold/hold.js'
import { holdIdOf } from '../hold/id.js'
import { type Decision, type DecisionLog, openDecisionLog } from '../logs/decisionlog.js'
import { isSendable } from '../mail/address.js'
import { automaticOutgoing } from '../mail/automatic.js'
import type { Envelope } from '../mail/envelope.js'
import { hasLooped, headerFields, topmostField } from '../mail/header.js'
import { noticeName, senderOf } from '../mail/mailbox.js'
import { checkComplete, inspect, type Message, readBytes, spool } from '../mail/message.js'
import { reinject } from '../mail/reinject.js'
import type { Delivery, Refusal } from '../mail/transaction.js'
import { decide, lookupKeys, type Verdict } from '../rules/decide.js'
import { Landscape } from '../rules/landscape.js'
import { sha256Of } from '../system/sha256.js'
import { utcStamp } from '../system/utc.js'

export interface GateInput {
  config: Config
  envelope: Envelope
  input: AsyncIterable<Buffer>
  /** Milliseconds since 1970. */
  now: number
  /** Whether the process that writes the input still lives; asked at its end. */
  writerAlive: () => Promise<boolean>
  /** Whether anybody waits for our exit status still; asked before the end of the message is sent on. */
  isAwaited: () => boolean
  /** Called when the end of the message goes out: from then on it may have been sent, and the answer has to be waited for. */
  answerDue: () => void
  /** Called in the moment the mail is settled, with the verdict: from then on no failure may become a retry. */
  settled: (verdict: string) => void
}

/**
 * How long a locked database is waited for once the mail is settled, in seconds: pipe(8) would kill a run that has its 250, and
 * hand the message over again.
 */
const MOMENT_SECONDS = 1
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** What becomes of one recipient. */
interface Plan {
  verdict: Verdict
  /** What an earlier run has left, or undefined. */
  prior: State | undefined
  action: 'send' | 'park' | 'skip'
}

/**
 * Runs the gate for one message, and then tells people of a new hold, which may fail without consequence. The
 * verdict, given to `settled`, is one short line for Postfix's log: counts and ids, no address.
 * @throws Failure, or any error: if `settled` has not been called, the mail is Postfix's still, exit 75
 */
export async function runGate(run: GateInput): Promise<void> {
  const { config } = run
  if (process.getuid?.() === 0) demandOwner(config)
  demandFree(config, run.envelope.recordBytes)
  const folder = new HoldFolder(config.state)
  const db = openState(config, 'read')
  const log = openDecisionLog(config.state, run.now)
  const message = await spool(run.input, folder.tmp)
  try {
    checkComplete(message, run.envelope.recordBytes, await run.writerAlive())
    if (hasLooped(message.head)) {
      throw new Failure(
        'reinject',
        'this message has come back from it: the service there has a content_filter',
        {
          status: EXIT.tempFail,
          hint: 'set -o content_filter= on it in master.cf',
        },
      )
    }
    const facts = {
      ...companyOf(config),
      rules: new Landscape(db).facts(run.envelope.recipients.flatMap(lookupKeys), run.now),
    }
    const identity = new MessageIdentity(run.envelope, message)
    const hold = new Hold(db, folder)
    const priors = hold.hasHeld(run.envelope.queueId)
      ? hold.states((await identity.read()).id)
      : new Map<string, State>()
    db.close()
    const { sender, recipients, client } = run.envelope
    const plans = decide({ sender, login: client.saslUser, recipients }, facts).map((verdict) =>
      plan(verdict, priors.get(verdict.recipient), run),
    )
    await new GateRun(run, folder, log, message, identity, plans).carryOut(priors.size > 0)
  } finally {
    message.discard()
  }
}

/**
 * Keeps root out of another's state folder: what root made there its owner could not write to, and all mail would be deferred.
 * pipe(8) never runs as root.
 * @throws Failure (75)
 */
function demandOwner({ state }: Config): void {
  if ((statSync(state, { throwIfNoEntry: false })?.uid ?? 0) === 0) return
  throw new Failure('start', 'root is not the owner of the state folder', {
    at: state,
    status: EXIT.tempFail,
    hint: 'pipe(8) runs it as its owner (user= in master.cf); by hand: setpriv or sudo -u',
  })
}

function plan(verdict: Verdict, prior: State | undefined, run: GateInput): Plan {
  if (prior !== undefined) return { verdict, prior, action: 'skip' }
  if (verdict.pass) return { verdict, prior, action: 'send' }
  if (run.config.mode !== 'observe') return { verdict, prior, action: 'park' }
  // Observe passes everything but what no SMTP command could carry unchanged.
  const { sender } = run.envelope
  const carries = isSendable(verdict.recipient) && (sender === '' || isSendable(sender))
  return { verdict, prior, action: carries ? 'send' : 'park' }
}

/** Which message this is to the hold. Worked out where it is asked for: known mail needs none of it. */
class MessageIdentity {
  readonly #envelope: Envelope
  readonly #message: Message
  #known: { id: string; sha256: string } | undefined

  constructor(envelope: Envelope, message: Message) {
    this.#envelope = envelope
    this.#message = message
  }

  async read(): Promise<{ id: string; sha256: string }> {
    if (this.#known === undefined) {
      const { sha256 } = await inspect(this.#message.bytes())
      this.#known = { id: holdIdOf(this.#envelope.queueId, this.#envelope.sender, sha256, sha256Of), sha256 }
    }
    return this.#known
  }

  /** The hold's id if this run had to do with one, else null. */
  get id(): string | null {
    return this.#known?.id ?? null
  }
}

/** The second half of a run: parks, sends on, and writes down what was done. */
class GateRun {
  readonly #run: GateInput
  readonly #folder: HoldFolder
  readonly #log: DecisionLog
  readonly #message: Message
  readonly #identity: MessageIdentity
  readonly #plans: readonly Plan[]
  #hold: Hold | undefined
  /** Whether somebody of this message is parked, so that those who join need no further room. */
  #holdKnown = false
  /** How long a locked database is waited for. */
  #busySeconds: number
  #held = 0
  #refused: readonly Refusal[] = []
  /** Whether a program has written what is parked. */
  #automatic = false

  constructor(
    run: GateInput,
    folder: HoldFolder,
    log: DecisionLog,
    message: Message,
    identity: MessageIdentity,
    plans: readonly Plan[],
  ) {
    this.#run = run
    this.#busySeconds = run.config.busySeconds
    this.#folder = folder
    this.#log = log
    this.#message = message
    this.#identity = identity
    this.#plans = plans
  }

  async carryOut(holdKnown: boolean): Promise<void> {
    this.#holdKnown = holdKnown
    if (this.#plans.some(({ prior }) => prior !== undefined && isWaiting({ state: prior })))
      await this.#demandBytes()
    const toPark = this.#plans.filter(({ action }) => action === 'park')
    if (toPark.length > 0) {
      await this.#park(toPark.map(({ verdict }) => describeHeld(verdict)))
      this.#held = toPark.length
    }
    const delivery = await this.#send()
    this.#run.settled(this.#verdict(delivery))
    this.#busySeconds = Math.min(this.#busySeconds, MOMENT_SECONDS)
    this.#hold?.waitAtMost(this.#busySeconds)
    if (delivery.accepted.length > 0 && this.#holdKnown) {
      await attempt(async () => {
        const { id } = await this.#identity.read()
        this.#openHold().recordPassed(id, delivery.accepted, delivery.queueId, this.#run.now)
      })
    }
    const logged = await attempt(async () => this.#log.append(this.#decision(delivery)))
    if (!logged) this.#run.settled(`${this.#verdict(delivery)} (decision log: failed)`)
    await this.#tellPeople()
  }

  /** Whoever waits is settled for Postfix, which deletes its copy: so ours has to be there, and whole. */
  async #demandBytes(): Promise<void> {
    const { id, sha256 } = await this.#identity.read()
    if (await hasBytes(this.#folder.messagePath(id), sha256)) return
    if (this.#openHold().restoreMessage(this.#message.folder(), id))
      this.#message.movedTo(this.#folder.messagePath(id))
  }

  async #send(): Promise<Delivery> {
    const recipients = this.#plans
      .filter(({ action }) => action === 'send')
      .map(({ verdict }) => verdict.recipient)
    if (recipients.length === 0) return { accepted: [], queueId: '' }
    const { config, envelope } = this.#run
    const transaction = {
      sender: envelope.sender,
      recipients,
      size: this.#message.size,
      eightBit: this.#message.eightBit,
      origin: { client: envelope.client, queueId: envelope.queueId },
      message: this.#message,
      onRefused: (refused: readonly Refusal[]) => this.#parkRefused(refused),
      beforeEnd: () => {
        this.#demandAwaited()
        this.#run.answerDue()
      },
    }
    return reinject(config.reinject, transaction, {
      replyMs: undefined,
      answerMs: config.answerSeconds * 1000,
    })
  }

  /**
   * Where pipe(8) has died, or the shell that answers for us, Postfix hands the message over again. That run may know
   * the recipients by then: what this one still parks or sends would be a second fate.
   */
  #demandAwaited(): void {
    if (this.#run.isAwaited()) return
    throw new Failure('settle', 'the process that handed the message over has died', {
      status: EXIT.tempFail,
      hint: 'Postfix will hand it over again',
    })
  }

  async #parkRefused(refused: readonly Refusal[]): Promise<void> {
    await this.#park(
      refused.map(({ recipient, reply }) => ({
        address: recipient,
        state: 'refused',
        reason: 'refused',
        detail: reply,
      })),
    )
    this.#refused = [...this.#refused, ...refused]
  }

  #openHold(): Hold {
    const path = databasePath(this.#run.config.state)
    this.#hold ??= new Hold(openForWriting(path, { busySeconds: this.#busySeconds }), this.#folder)
    return this.#hold
  }

  async #park(recipients: HeldRecipient[]): Promise<void> {
    const identity = await this.#identity.read()
    const hold = this.#openHold()
    if (!this.#holdKnown) await demandHoldRoom(this.#run.config, hold, this.#message.size)
    const published = hold.park(this.#message.folder(), this.#envelope(identity, recipients), () =>
      this.#demandAwaited(),
    )
    this.#holdKnown = true
    if (published) this.#message.movedTo(this.#folder.messagePath(identity.id))
  }

  #envelope({ id, sha256 }: { id: string; sha256: string }, recipients: HeldRecipient[]): HoldEnvelope {
    const { envelope, config, now } = this.#run
    const { head, size } = this.#message
    const address = senderOf(envelope.sender, config)
    const key = address.plain ? address.key : undefined
    const automatic = automaticOutgoing(headerFields(head).fields, envelope.sender, key)
    this.#automatic = automatic !== ''
    const life = config.expireDays * DAY_MS
    return {
      id,
      queueId: envelope.queueId,
      sender: envelope.sender,
      sha256,
      size,
      subject: (topmostField(head, 'Subject') ?? '').slice(0, 1000),
      messageId: (topmostField(head, 'Message-ID') ?? '').slice(0, 1000),
      client: envelope.client,
      heldAt: now,
      expiresAt: now + (automatic === '' ? life : Math.min(life, config.automaticExpireHours * HOUR_MS)),
      automatic,
      recipients,
    }
  }

  #decision(delivery: Delivery): Decision {
    const { config, envelope, now } = this.#run
    const refused = new Set(this.#refused.map(({ recipient }) => recipient))
    const did = ({ action, prior, verdict }: Plan): string => {
      if (action === 'skip') return `nothing: ${prior}`
      if (action === 'park') return 'held'
      return refused.has(verdict.recipient) ? 'refused' : 'passed'
    }
    return {
      at: utcStamp(now),
      mode: config.mode,
      queueId: envelope.queueId,
      sender: envelope.sender,
      size: this.#message.size,
      client: envelope.client.address,
      saslUser: envelope.client.saslUser,
      hold:
        this.#hold !== undefined || this.#plans.some(({ prior }) => prior !== undefined)
          ? this.#identity.id
          : null,
      passedAs: delivery.queueId === '' ? null : delivery.queueId,
      recipients: this.#plans.map((plan) => ({
        to: plan.verdict.recipient,
        verdict: plan.verdict.pass ? 'pass' : 'hold',
        reason: plan.verdict.reason,
        rule: plan.verdict.rule?.id ?? null,
        did: did(plan),
      })),
    }
  }

  #verdict(delivery: Delivery): string {
    const passed = delivery.accepted.length
    const settled = this.#plans.filter(({ action }) => action === 'skip').length
    const parts = [
      passed > 0 ? `passed ${passed}${delivery.queueId === '' ? '' : ` as ${delivery.queueId}`}` : '',
      this.#held > 0 ? `held ${this.#held}` : '',
      this.#refused.length > 0 ? `refused ${this.#refused.length}` : '',
      settled > 0 ? `settled before ${settled}` : '',
    ].filter((part) => part !== '')
    const name = this.#run.config.mode === 'observe' ? 'toeh observes' : 'toeh'
    const hold = this.#held + this.#refused.length + settled > 0 ? ` in ${this.#identity.id}` : ''
    return `${name}: ${parts.join(', ')}${hold}`
  }

  /** Tells the sender and the approvers, unless this sender had a notice within the interval. Of automatic mail the digest tells. */
  async #tellPeople(): Promise<void> {
    const { config, envelope, now } = this.#run
    const hold = this.#hold
    if (hold === undefined || this.#held + this.#refused.length === 0 || this.#automatic) return
    const { enabled, intervalMinutes } = config.notice
    const name = noticeName(envelope.sender, config)
    if (!enabled) return
    const { id } = await this.#identity.read()
    // With no interval for a sender there is one for the message: its slices are one mail.
    const claimed =
      intervalMinutes > 0
        ? hold.claimNotice(name, now, intervalMinutes * MINUTE_MS)
        : hold.claimNotice(id, now, MINUTE_MS)
    if (!claimed) return
    const { notifyHeld } = await import('../notice/notify.js')
    const brief = { ...config, busySeconds: this.#busySeconds }
    await notifyHeld({ config: brief, folder: this.#folder }, hold, id, now)
  }
}

/** Whether a file has the bytes of this SHA-256. */
async function hasBytes(path: string, sha256: string): Promise<boolean> {
  try {
    return (await inspect(readBytes(path))).sha256 === sha256
  } catch {
    return false
  }
}

function describeHeld({ recipient, reason, rule, fault }: Verdict): HeldRecipient {
  const detail = fault ?? (rule === undefined ? '' : `rule ${rule.id}`)
  return { address: recipient, state: 'held', reason, detail }
}

/** Runs what must not fail the run any more; whether it worked. */
async function attempt(work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch {
    return false
  }
}
