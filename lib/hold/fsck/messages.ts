/** What fsck sees of the messages: each one's folder, bytes, envelope and rows beside one another. */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, longestRun } from '../../config.js'
import type { Actor } from '../../database/audit.js'
import { describeError, Failure } from '../../failure.js'
import { inspect, readBytes } from '../../mail/message.js'
import { translated, words } from '../../text/translate.js'
import { localTime } from '../../text/visible.js'
import type { HoldEnvelope, HoldFolder } from '../folder.js'
import { type HeldMessage, isWaiting, RELEASE_ABANDONED_MS } from '../heldmail.js'
import { holdIdOf, readHoldId } from '../id.js'
import { findPassed, readEnvelope } from '../orphan.js'
import { isAhead, type MendableHold, movesOf } from '../repair.js'
import type { FsckContext, FsckFault, FsckFindings, FsckOptions } from './context.js'

/** What is wrong with one message, and what mends it; without `mend` only a person can. */
interface Problem {
  fault: FsckFault
  why: string
  /** What a person can do. */
  advice: string
  mend?: () => Promise<string>
}

/** A folder that is settled goes at once, unless the run that settled it was cut off. */
const LEFTOVER_MS = 3_600_000
/** Beyond its limits a run may still be writing to a slow disk. */
const SLACK_MS = 60_000

/** Looks at every message of the hold. */
export class MessageCheck {
  /** Messages whose bytes were read. */
  checked = 0
  readonly #config: Config
  readonly #actor: Actor
  readonly #options: FsckOptions
  readonly #folder: HoldFolder
  readonly #findings: FsckFindings
  readonly #hold: MendableHold

  constructor({ config, actor, options, folder, findings }: FsckContext, hold: MendableHold) {
    this.#config = config
    this.#actor = actor
    this.#options = options
    this.#folder = folder
    this.#findings = findings
    this.#hold = hold
  }

  async run(): Promise<void> {
    const ids = new Set([...this.#folder.ids(), ...this.#hold.ids()])
    for (const id of ids) {
      if (readHoldId(id) !== id) {
        this.#findings.tell(
          'stray',
          join(this.#folder.root, id),
          words`it is no message of the hold`,
          words`look what it is`,
        )
        continue
      }
      // What changed while it was being looked at is in order the second time.
      if ((await this.#look(id)).length === 0) continue
      for (const { fault, why, advice, mend } of await this.#look(id)) {
        const may = this.#options.repair && mend !== undefined
        this.#findings.tell(fault, id, why, may ? await mend() : advice, may)
      }
    }
  }

  async #look(id: string): Promise<Problem[]> {
    const folder = lstatSync(this.#folder.path(id), { throwIfNoEntry: false })
    const message = this.#hold.lookFor(id)
    if (folder === undefined) return message === undefined ? [] : this.#lookWithoutFolder(message)
    const isYoung = Math.abs(this.#actor.at - folder.mtimeMs) < this.#runMs
    // Published, and its rows come next: its run may live.
    if (message === undefined && isYoung) return []
    const waiting = message === undefined || message.recipients.some(isWaiting)
    if (!waiting) return [...this.#lookAtMoves(message), ...this.#lookAtLeftover(message)]
    const envelope = readEnvelope(this.#folder, id)
    const sha256 = message?.sha256 ?? (envelope instanceof Failure ? undefined : envelope.sha256)
    const problems = await this.#lookAtBytes(id, sha256)
    if (message === undefined) return [...(await this.#lookAtOrphan(id, envelope)), ...problems]
    return [
      ...problems,
      ...this.#lookAtEnvelope(message, envelope, isYoung),
      ...this.#lookAtMoves(message),
      ...this.#lookAtReleasing(message),
    ]
  }

  /** The longest a run of the filter may be between its folder and its rows. */
  get #runMs(): number {
    return longestRun(this.#config) * 1000 + SLACK_MS
  }

  #lookWithoutFolder({ id, recipients }: HeldMessage): Problem[] {
    const waiting = recipients.filter(isWaiting)
    if (waiting.length === 0) return []
    const problem: Problem = {
      fault: 'gone',
      why: words`${waiting.length} wait, and the folder with the bytes is gone`,
      advice: words`restore hold/ID from a copy of the hold; if it was settled after a backup that was restored, or is lost for good: toeh fsck --repair --settle-gone`,
    }
    if (!this.#options.settleGone) return [problem]
    const mend = async (): Promise<string> =>
      words`rejected for ${(this.#hold.settleGone(id, this.#actor)).join(', ')}: nobody can say what became of them`
    return [{ ...problem, mend }]
  }

  async #lookAtOrphan(id: string, envelope: HoldEnvelope | Failure): Promise<Problem[]> {
    const why = words`a folder without rows`
    if (envelope instanceof Failure || !this.#folder.has(id)) {
      const advice = words`its decision log line has sender and recipients (grep ${id} decisions/*), its folder what is left`
      const what = envelope instanceof Failure ? envelope.message : words`it has no message.eml`
      return [{ fault: 'orphan', why: `${why}: ${what}`, advice }]
    }
    const passed = (await findPassed(this.#config.state, [envelope])).get(id)
    if (passed !== undefined && envelope.recipients.every(({ address }) => passed.has(address))) {
      const as = [...new Set([...passed.values()].map(({ queueId }) => queueId))].join(', ')
      return [
        {
          fault: 'leftover',
          why: words`a folder without rows, and its message was passed on since as ${as}`,
          advice: 'toeh cleanup',
        },
      ]
    }
    const mend = async (): Promise<string> => {
      const adopted = this.#hold.adopt(envelope, movesOf(this.#folder, id, passed), this.#actor)
      return words`taken in again for ${adopted.join(', ')}`
    }
    return [
      {
        fault: 'orphan',
        why,
        advice: words`Postfix may retry it; else toeh fsck --repair takes it in`,
        mend,
      },
    ]
  }

  async #lookAtBytes(id: string, sha256: string | undefined): Promise<Problem[]> {
    const advice = words`restore ${this.#folder.messagePath(id)} from a copy of the hold, or toeh reject ${id}`
    try {
      const found = await inspect(readBytes(this.#folder.messagePath(id)))
      this.checked++
      if (sha256 === undefined || found.sha256 === sha256) return []
      return [{ fault: 'bytes', why: words`they are not those that were held (SHA-256 differs)`, advice }]
    } catch (error) {
      return [{ fault: 'bytes', why: `message.eml: ${describeError(error)}`, advice }]
    }
  }

  /** The envelope beside the rows: the rows are right where the id fits them. */
  #lookAtEnvelope(message: HeldMessage, envelope: HoldEnvelope | Failure, isYoung: boolean): Problem[] {
    const { id, queueId, sender, sha256, size, recipients } = message
    if (holdIdOf(queueId, sender, sha256) !== id) {
      const why = words`queue id, sender or SHA-256 in the database are not those of this id`
      return [
        { fault: 'rows', why, advice: words`somebody has altered the database: restore it from a backup` },
      ]
    }
    const restore = (why: string, setAside: boolean): Problem => ({
      fault: 'envelope',
      why,
      advice: words`toeh fsck --repair writes it anew from the rows`,
      mend: async () => {
        this.#hold.restoreEnvelope(id, setAside)
        return setAside
          ? words`written anew from the rows; the old one is kept beside it`
          : words`written anew from the rows`
      },
    })
    if (envelope instanceof Failure) return [restore(envelope.message, true)]
    // The id vouches for the rest.
    if (envelope.size !== size)
      return [restore(words`its size is ${envelope.size}, that of the rows ${size}`, true)]
    const problems: Problem[] = []
    const listed = new Set(envelope.recipients.map(({ address }) => address))
    const moves = this.#folder.moves(id)
    // Who was settled since a backup that was restored is told of as moved.
    const missing = recipients.filter((one) => {
      const move = moves.get(one.address)
      const isSettled = move !== undefined && isAhead(move, one.state)
      return isWaiting(one) && !listed.has(one.address) && !isSettled
    })
    if (missing.length > 0) {
      const names = missing.map(({ address }) => address).join(', ')
      problems.push(restore(words`envelope.json does not name ${names}, who wait`, false))
    }
    const rows = new Set(recipients.map(({ address }) => address))
    const unlisted = [...listed].filter((address) => !rows.has(address))
    // A run that joins writes the envelope before its rows are committed.
    if (unlisted.length > 0 && !isYoung) {
      problems.push({
        fault: 'unlisted',
        why: words`the folder has ${unlisted.join(', ')}, the rows have not`,
        advice: words`Postfix may retry it; else toeh fsck --repair takes them in`,
        mend: async () => {
          const passed = (await findPassed(this.#config.state, [envelope])).get(id)
          const adopted = this.#hold.adopt(envelope, movesOf(this.#folder, id, passed), this.#actor)
          return words`taken in again: ${adopted.join(', ')}`
        },
      })
    }
    // What is taken in belongs into the envelope that is written anew: hence the order.
    return problems.reverse()
  }

  /** Rows that are older than the folder: a backup was restored. */
  #lookAtMoves({ id, recipients }: HeldMessage): Problem[] {
    const moves = this.#folder.moves(id)
    const ahead = recipients.flatMap(({ address, state }) => {
      const move = moves.get(address)
      return move !== undefined && isAhead(move, state)
        ? [words`${address} is ${translated(state)}, the folder knows it ${translated(move.state)}`]
        : []
    })
    if (ahead.length === 0) return []
    return [
      {
        fault: 'moved',
        why: ahead.join('; '),
        advice: words`the database is older than the hold: toeh fsck --repair follows the folder`,
        mend: async () => {
          const moved = this.#hold.followMoves(id, moves, this.#actor)
          return words`followed for ${moved.join(', ')}: not sent again unless somebody says so`
        },
      },
    ]
  }

  #lookAtReleasing({ id, recipients }: HeldMessage): Problem[] {
    const until = this.#actor.at - RELEASE_ABANDONED_MS
    return recipients
      .filter(({ state, changedAt }) => state === 'releasing' && changedAt <= until)
      .map(({ address, changedBy, changedAt }) => ({
        fault: 'stuck',
        why: words`${changedBy} began to release it to ${address} at ${localTime(changedAt)} and was cut off`,
        advice: words`look in the mail log whether it went out: if so toeh reject ${id} --again --quiet, else toeh release ${id} --again`,
      }))
  }

  #lookAtLeftover({ recipients }: HeldMessage): Problem[] {
    const last = Math.max(...recipients.map(({ changedAt }) => changedAt))
    if (this.#actor.at - last < LEFTOVER_MS) return []
    return [
      {
        fault: 'leftover',
        why: words`everybody in it is settled, its bytes are still there`,
        advice: 'toeh cleanup',
      },
    ]
  }
}
