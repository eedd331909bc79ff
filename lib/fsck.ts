/**
 * The check that everything is whole: the database, each message's folder, bytes, envelope and rows, rights. It repairs
 * only what is safe, deletes nothing, and is right while filters run beside it: what looks wrong is looked at twice,
 * and a folder whose run may still live is left alone. docs/backup.md has the table of what it finds.
 */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import type { Actor } from './audit.js'
import { type Backup, newestBackup } from './backup.js'
import { type Config, longestRun } from './config.js'
import {
  createDatabase,
  type Database,
  databasePath,
  type Examined,
  examineDatabase,
  openForReading,
  openForWriting,
  unmarkBackup,
} from './database.js'
import { localTime } from './display.js'
import { describeError, Failure } from './failure.js'
import { type HeldMessage, isWaiting, RELEASE_ABANDONED_MS } from './hold.js'
import { type HoldEnvelope, HoldFolder, type Move } from './holdfolder.js'
import { holdIdOf, readHoldId } from './holdid.js'
import { isAhead, MendableHold } from './mending.js'
import { inspect, readBytes } from './message.js'
import { findPassed, readEnvelope } from './orphan.js'
import { syncPath } from './publish.js'
import { translated, words } from './speech.js'

/** What can be wrong. docs/backup.md tells each. */
export type Fault =
  | 'database'
  | 'counts'
  | 'orphan'
  | 'unlisted'
  | 'gone'
  | 'bytes'
  | 'envelope'
  | 'rows'
  | 'moved'
  | 'stuck'
  | 'leftover'
  | 'temporary'
  | 'stray'
  | 'rights'

export interface Finding {
  fault: Fault
  /** A hold id, or a path. */
  at: string
  why: string
  /** What a person can do, or what was done. */
  what: string
  repaired: boolean
}

export interface Report {
  findings: Finding[]
  /** Messages whose bytes were read. */
  checked: number
  /** Whether nothing is wrong, or not any more. */
  whole: boolean
}

export interface FsckOptions {
  repair: boolean
  /** Rows whose bytes are gone become rejected. */
  settleGone: boolean
  /** The file or folder a lost database is rebuilt from; else where the last backup was put. */
  backup: string | undefined
}

/** What is wrong with one message, and what mends it; without `mend` only a person can. */
interface Problem {
  fault: Fault
  why: string
  /** What a person can do. */
  advice: string
  mend?: () => Promise<string>
}

/** As cleanup: older than any run can be. */
const TEMPORARY_MS = 86_400_000
/** A folder that is settled goes at once, unless the run that settled it was cut off. */
const LEFTOVER_MS = 3_600_000
/** Beyond its limits a run may still be writing to a slow disk. */
const SLACK_MS = 60_000

/** Looks at everything, and repairs what is safe where that was asked for. Without it nothing is written. */
export async function fsck(config: Config, actor: Actor, options: FsckOptions): Promise<Report> {
  const check = new Check(config, actor, options)
  await check.run()
  const { findings, checked } = check
  return { findings, checked, whole: findings.every(({ repaired }) => repaired) }
}

class Check {
  readonly findings: Finding[] = []
  checked = 0
  readonly #config: Config
  readonly #actor: Actor
  readonly #options: FsckOptions
  readonly #folder: HoldFolder

  constructor(config: Config, actor: Actor, options: FsckOptions) {
    this.#config = config
    this.#actor = actor
    this.#options = options
    this.#folder = new HoldFolder(config.state)
  }

  async run(): Promise<void> {
    this.#checkRights()
    const db = await this.#openDatabase()
    const keys = db === undefined ? '' : this.#brokenKeys()
    if (db !== undefined) {
      try {
        const hold = new MendableHold(db, this.#folder)
        await this.#checkCounts(hold)
        await this.#checkMessages(hold)
      } finally {
        db.close()
      }
    }
    if (keys !== '') {
      const left = this.#brokenKeys()
      const advice = words`what can be mended is told with its message; for the rest restore a backup`
      this.#tell(
        'database',
        databasePath(this.#config.state),
        keys,
        left === '' ? words`mended` : advice,
        left === '',
      )
    }
    this.#checkTemporaries()
  }

  #brokenKeys(): string {
    return examineDatabase(databasePath(this.#config.state), this.#config).details.join('; ')
  }

  #tell(fault: Fault, at: string, why: string, what: string, repaired = false): void {
    this.findings.push({ fault, at, why, what, repaired })
  }

  // Rights

  /** Everything in the state folder is its owner's alone: folders 0700, files 0600. */
  #checkRights(): void {
    const { state } = this.#config
    const { uid } = statSync(state)
    const names = readdirSync(state, { recursive: true, encoding: 'utf8' })
    for (const path of [state, ...names.map((name) => join(state, name))]) {
      const stat = statOf(path)
      if (stat === undefined) continue
      if (stat.uid !== uid) {
        this.#tell(
          'rights',
          path,
          words`it belongs to another user`,
          words`as root: ${`chown --reference=${state} ${path}`}`,
        )
        continue
      }
      if (!stat.isDirectory() && !stat.isFile()) {
        this.#tell('stray', path, words`it is neither a file nor a folder`, words`look what it is`)
        continue
      }
      const wanted = stat.isDirectory() ? 0o700 : 0o600
      const mode = stat.mode & 0o777
      if ((mode & 0o077) === 0 && (mode & wanted) === wanted) continue
      const why = words`its mode is ${mode.toString(8)}, not ${wanted.toString(8)}`
      if (this.#options.repair) chmodSync(path, wanted)
      this.#tell('rights', path, why, `chmod ${wanted.toString(8)} ${path}`, this.#options.repair)
    }
  }

  // The database

  /** The database, once it can be worked with; undefined where it cannot. */
  async #openDatabase(): Promise<Database | undefined> {
    const path = databasePath(this.#config.state)
    const { repair } = this.#options
    let { condition, details } = examineDatabase(path, this.#config)
    if (condition === 'interrupted' || condition === 'older') {
      const state =
        condition === 'older'
          ? words`it is of an older schema`
          : words`a writer was killed in the middle of a change, and it has to be rolled back`
      const advice = words`the next run of any command does it, and this one with --repair`
      const after = repair ? this.#bringUp(path) : undefined
      this.#tell('database', path, state, advice, after?.condition === 'whole')
      if (after === undefined) return undefined
      condition = after.condition
      details = after.details
    }
    if (condition === 'whole') {
      return repair ? openForWriting(path, this.#config) : openForReading(path, this.#config)
    }
    const state = describeCondition({ condition, details })
    if (!repair) {
      this.#tell(
        'database',
        path,
        state,
        words`all mail is deferred meanwhile; toeh fsck --repair rebuilds it`,
      )
      return undefined
    }
    this.#tell('database', path, state, await this.#rebuild(path), true)
    return openForWriting(path, this.#config)
  }

  /** Rolls back or migrates, as any writer does; what comes of it. */
  #bringUp(path: string): Examined {
    try {
      openForWriting(path, this.#config).close()
    } catch (error) {
      const { condition, details } = examineDatabase(path, this.#config)
      return condition === 'whole' || condition === 'interrupted'
        ? { condition: 'damaged', details: [describeError(error), ...details] }
        : { condition, details }
    }
    return examineDatabase(path, this.#config)
  }

  /**
   * Builds a database beside the place of the lost one, from the newest backup where there is one and from the folders,
   * and puts it there. What was there is kept under another name, its journal too, which would else be played into the
   * new one. @returns what was done
   */
  async #rebuild(path: string): Promise<string> {
    const { state } = this.#config
    const backup = newestBackup(state, this.#options.backup)
    const draft = `${path}.rebuild-${randomBytes(6).toString('hex')}`
    const lost = existsSync(path) ? statSync(path).ino : undefined
    let adopted = 0
    try {
      makeBase(draft, backup)
      const db = openForWriting(draft, this.#config)
      try {
        adopted = await this.#adoptAll(new MendableHold(db, this.#folder))
      } finally {
        db.close()
      }
      syncPath(draft)
      const aside = `${path}.damaged-${new Date(this.#actor.at).toISOString().replace(/[:.]/g, '')}`
      const kept = setAside(path, aside, lost)
      // Not rename: whatever somebody else has put there meanwhile must stay.
      linkSync(draft, path)
      syncPath(state)
      const from =
        backup === undefined
          ? words`rebuilt without a backup: no rule is known, ${adopted} recipients from the folders`
          : words`rebuilt from the backup ${describe(backup)}, ${adopted} recipients from the folders`
      const old = kept ? [words`the old one is kept as ${basename(aside)}`] : []
      return [from, ...old, words`run toeh fsck again in a while`].join('; ')
    } catch (error) {
      if (error instanceof Failure) throw error
      throw new Failure('rebuild', describeError(error), { at: path, cause: error })
    } finally {
      for (const part of [draft, `${draft}-journal`]) rmSync(part, { force: true })
    }
  }

  /** Takes in what the folders have and the rows have not. @returns how many recipients */
  async #adoptAll(hold: MendableHold): Promise<number> {
    let adopted = 0
    const envelopes = this.#folder.ids().flatMap((id) => {
      const envelope = this.#folder.has(id) ? readEnvelope(this.#folder, id) : undefined
      return envelope === undefined || envelope instanceof Failure ? [] : [envelope]
    })
    const passed = await findPassed(this.#config.state, envelopes)
    for (const envelope of envelopes) {
      const moves = this.#movesOf(envelope.id, passed.get(envelope.id))
      adopted += (await hold.adopt(envelope, moves, this.#actor)).length
      await hold.followMoves(envelope.id, moves, this.#actor)
    }
    return adopted
  }

  /** What has become of recipients since they were parked, by the folder and by the decision log. */
  #movesOf(id: string, passed: ReadonlyMap<string, Move> | undefined): Map<string, Move> {
    return new Map([...(passed ?? []), ...this.#folder.moves(id)])
  }

  /** Whether what waits is counted as it is: who is counted wrongly is neither listed nor expired. */
  async #checkCounts(hold: MendableHold): Promise<void> {
    const wrong = await hold.recount(this.#options.repair)
    if (wrong.length === 0) return
    const path = databasePath(this.#config.state)
    const why = words`what waits is counted wrongly: ${wrong.join(', ')}`
    const { repair } = this.#options
    const what = repair
      ? words`counted anew`
      : words`toeh fsck --repair counts anew, and so does toeh cleanup once a day`
    this.#tell('counts', path, why, what, repair)
  }

  // Messages

  async #checkMessages(hold: MendableHold): Promise<void> {
    const ids = new Set([...this.#folder.ids(), ...(await hold.ids())])
    for (const id of ids) {
      if (readHoldId(id) !== id) {
        this.#tell(
          'stray',
          join(this.#folder.root, id),
          words`it is no message of the hold`,
          words`look what it is`,
        )
        continue
      }
      // What changed while it was being looked at is in order the second time.
      if ((await this.#look(hold, id)).length === 0) continue
      for (const { fault, why, advice, mend } of await this.#look(hold, id)) {
        const may = this.#options.repair && mend !== undefined
        this.#tell(fault, id, why, may ? await mend() : advice, may)
      }
    }
  }

  async #look(hold: MendableHold, id: string): Promise<Problem[]> {
    const folder = statOf(this.#folder.path(id))
    const message = await hold.lookFor(id)
    if (folder === undefined) return message === undefined ? [] : this.#lookWithoutFolder(hold, message)
    const isYoung = Math.abs(this.#actor.at - folder.mtimeMs) < this.#runMs
    // Published, and its rows come next: its run may live.
    if (message === undefined && isYoung) return []
    const waiting = message === undefined || message.recipients.some(isWaiting)
    if (!waiting) return [...this.#lookAtMoves(hold, message), ...this.#lookAtLeftover(message)]
    const envelope = readEnvelope(this.#folder, id)
    const sha256 = message?.sha256 ?? (envelope instanceof Failure ? undefined : envelope.sha256)
    const problems = await this.#lookAtBytes(id, sha256)
    if (message === undefined) return [...(await this.#lookAtOrphan(hold, id, envelope)), ...problems]
    return [
      ...problems,
      ...this.#lookAtEnvelope(hold, message, envelope, isYoung),
      ...this.#lookAtMoves(hold, message),
      ...this.#lookAtReleasing(message),
    ]
  }

  /** The longest a run of the filter may be between its folder and its rows. */
  get #runMs(): number {
    return longestRun(this.#config) * 1000 + SLACK_MS
  }

  #lookWithoutFolder(hold: MendableHold, { id, recipients }: HeldMessage): Problem[] {
    const waiting = recipients.filter(isWaiting)
    if (waiting.length === 0) return []
    const problem: Problem = {
      fault: 'gone',
      why: words`${waiting.length} wait, and the folder with the bytes is gone`,
      advice: words`restore hold/ID from a copy of the hold; if it was settled after a backup that was restored, or is lost for good: toeh fsck --repair --settle-gone`,
    }
    if (!this.#options.settleGone) return [problem]
    const mend = async (): Promise<string> =>
      words`rejected for ${(await hold.settleGone(id, this.#actor)).join(', ')}: nobody can say what became of them`
    return [{ ...problem, mend }]
  }

  async #lookAtOrphan(hold: MendableHold, id: string, envelope: HoldEnvelope | Failure): Promise<Problem[]> {
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
      const adopted = await hold.adopt(envelope, this.#movesOf(id, passed), this.#actor)
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
  #lookAtEnvelope(
    hold: MendableHold,
    message: HeldMessage,
    envelope: HoldEnvelope | Failure,
    isYoung: boolean,
  ): Problem[] {
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
        await hold.restoreEnvelope(id, setAside)
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
          const adopted = await hold.adopt(envelope, this.#movesOf(id, passed), this.#actor)
          return words`taken in again: ${adopted.join(', ')}`
        },
      })
    }
    // What is taken in belongs into the envelope that is written anew: hence the order.
    return problems.reverse()
  }

  /** Rows that are older than the folder: a backup was restored. */
  #lookAtMoves(hold: MendableHold, { id, recipients }: HeldMessage): Problem[] {
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
          const moved = await hold.followMoves(id, moves, this.#actor)
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

  // Temporaries

  #checkTemporaries(): void {
    for (const name of readdirSync(this.#folder.tmp)) {
      const path = join(this.#folder.tmp, name)
      const stat = statOf(path)
      if (stat === undefined || this.#actor.at - stat.mtimeMs < TEMPORARY_MS) continue
      this.#tell(
        'temporary',
        path,
        words`a run that was killed has left it`,
        words`toeh cleanup; is its timer running?`,
      )
    }
  }
}

/** What is wrong with a database, in words. */
function describeCondition({ condition, details }: Examined): string {
  switch (condition) {
    case 'damaged':
      return words`it is damaged: ${details.join('; ')}`
    case 'missing':
      return words`it is missing`
    case 'empty':
      return words`it is empty`
    default:
      return condition
  }
}

/** What is there; undefined for what has gone meanwhile. */
function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}

function describe({ path, at }: Backup): string {
  return words`${path} of ${localTime(at)}`
}

/** The backup's copy, or an empty database. */
function makeBase(draft: string, backup: Backup | undefined): void {
  if (backup === undefined) {
    createDatabase(draft, { busySeconds: 0 }).close()
    return
  }
  closeSync(openSync(draft, 'wx', 0o600))
  copyFileSync(backup.path, draft)
  unmarkBackup(draft)
  const { condition, details } = examineDatabase(draft, { busySeconds: 0 })
  if (condition === 'whole' || condition === 'older') return
  throw new Failure(
    'rebuild',
    words`the backup cannot be used: ${describeCondition({ condition, details })}`,
    {
      at: backup.path,
      hint: words`name another with --backup FILE`,
    },
  )
}

/** Keeps what is there under another name, with its journal. @returns whether there was something */
function setAside(path: string, aside: string, inode: number | undefined): boolean {
  const there = existsSync(path)
  if (there && statSync(path).ino !== inode)
    throw new Failure('rebuild', words`somebody else has put another database there`, { at: path })
  if (there) renameSync(path, aside)
  const journal = statOf(`${path}-journal`)
  if (journal !== undefined && journal.size > 0) renameSync(`${path}-journal`, `${aside}-journal`)
  return there
}
