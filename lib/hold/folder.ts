/**
 * The hold's folders: the bytes of each parked message, published by one rename. docs/hold.md has the table of
 * which files exist in which state. Serves hold; holds no state of its own.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { EXIT } from '../exit.js'
import { Failure, toFailure } from '../failure.js'
import type { Client } from '../mail/envelope.js'
import { syncPath, writeDurably } from '../system/files.js'

/** What stands in envelope.json: enough to rebuild the rows from the folder alone. */
export interface HoldEnvelope {
  id: string
  queueId: string
  sender: string
  sha256: string
  /** Bytes. */
  size: number
  subject: string
  messageId: string
  client: Client
  /** Milliseconds since 1970. */
  heldAt: number
  expiresAt: number
  /** What shows that a program has written it (lib/mail/automatic.ts), or empty. */
  automatic: string
  recipients: HeldRecipient[]
}

export interface HeldRecipient {
  address: string
  /** `refused` where our own Postfix said 5xx; all else that waits is `held`. */
  state: 'held' | 'refused'
  reason: string
  /** The fault, the rule or the reply behind the reason. */
  detail: string
}

/** One change of a recipient's state after parking, as it stands in moves.jsonl. */
export interface Move {
  address: string
  state: string
  /** The id Postfix gave the copy that went out, or empty. */
  queueId: string
  who: string
  /** Milliseconds since 1970. */
  at: number
}

export class HoldFolder {
  /** `hold/` in the state folder. */
  readonly root: string
  /** `hold/tmp/`, on the same file system: what is being written. */
  readonly tmp: string

  constructor(state: string) {
    this.root = join(state, 'hold')
    this.tmp = join(this.root, 'tmp')
  }

  path(id: string): string {
    return join(this.root, id)
  }

  messagePath(id: string): string {
    return join(this.root, id, 'message.eml')
  }

  has(id: string): boolean {
    return existsSync(this.messagePath(id))
  }

  /** Whether the folder is there, with its bytes or without. */
  isThere(id: string): boolean {
    return existsSync(this.path(id))
  }

  /**
   * Makes a spool folder ready for {@link publish}: envelope written, both files and the folder synced. Nothing where hold/<id>
   * is there already.
   * @throws Failure (75) on any error
   */
  prepare(spoolFolder: string, envelope: HoldEnvelope): void {
    if (this.has(envelope.id)) return
    try {
      syncPath(join(spoolFolder, 'message.eml'))
      writeDurably(join(spoolFolder, 'envelope.json'), `${JSON.stringify(envelope, null, 2)}\n`)
      syncPath(spoolFolder)
    } catch (error) {
      throw toFailure('hold message in', error, { at: this.path(envelope.id) })
    }
  }

  /**
   * Publishes a spool folder as hold/<id>: renamed, and hold/ synced. When it returns, the message survives a power cut. A folder
   * that is there already (an earlier run, or another run with more recipients of the same message) stays, if it is of the
   * same message; one that has lost its message is given it again. The caller holds the database's write lock.
   * @returns whether the bytes were moved there by this call
   * @throws Failure (75) on any error
   */
  publish(spoolFolder: string, envelope: HoldEnvelope): boolean {
    const target = this.path(envelope.id)
    if (this.isThere(envelope.id)) {
      if (this.has(envelope.id)) {
        this.#checkSame(envelope)
        // Whoever renamed it may have been killed before its fsync.
        syncPath(this.root)
        return false
      }
      this.restoreMessage(spoolFolder, envelope)
      return true
    }
    // Somebody may have taken it away since.
    if (!existsSync(join(spoolFolder, 'envelope.json'))) this.prepare(spoolFolder, envelope)
    try {
      renameSync(spoolFolder, target)
    } catch (error) {
      throw toFailure('hold message in', error, { at: target })
    }
    try {
      syncPath(this.root)
    } catch (error) {
      // Nobody else can have found it: the lock is ours.
      this.remove(envelope.id)
      throw toFailure('hold message in', error, { at: target })
    }
    return true
  }

  /**
   * Gives hold/<id> the bytes it has lost, or that are damaged, durably. The caller holds the database's write lock.
   * @param spoolFolder has the same message, as its SHA-256 says
   * @throws Failure (75) on any error
   */
  restoreMessage(spoolFolder: string, envelope: HoldEnvelope): void {
    const folder = this.path(envelope.id)
    try {
      syncPath(join(spoolFolder, 'message.eml'))
      if (!existsSync(folder)) {
        mkdirSync(folder, { mode: 0o700 })
        syncPath(this.root)
      }
      renameSync(join(spoolFolder, 'message.eml'), this.messagePath(envelope.id))
      rmSync(spoolFolder, { recursive: true, force: true })
    } catch (error) {
      throw toFailure('hold message in', error, { at: folder })
    }
    this.rewrite(envelope)
  }

  #checkSame(envelope: HoldEnvelope): void {
    const there = this.read(envelope.id)
    if (
      there.queueId !== envelope.queueId ||
      there.sender !== envelope.sender ||
      there.sha256 !== envelope.sha256
    ) {
      throw new Failure('hold message', `id ${envelope.id} belongs to another message`, {
        at: this.path(envelope.id),
        status: EXIT.tempFail,
      })
    }
  }

  /** Replaces envelope.json by write, fsync, rename, fsync; the caller holds the database's write lock. */
  rewrite(envelope: HoldEnvelope): void {
    const folder = this.path(envelope.id)
    const draft = join(folder, `.envelope-${randomBytes(6).toString('hex')}`)
    try {
      writeDurably(draft, `${JSON.stringify(envelope, null, 2)}\n`)
      renameSync(draft, join(folder, 'envelope.json'))
      syncPath(folder)
    } catch (error) {
      rmSync(draft, { force: true })
      throw toFailure('hold recipients in', error, { at: folder })
    }
  }

  /** The envelope as it was written. @throws Failure when it is missing or no JSON */
  read(id: string): HoldEnvelope {
    const path = join(this.path(id), 'envelope.json')
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as HoldEnvelope
    } catch (error) {
      throw toFailure('read', error, { at: path })
    }
  }

  /**
   * Appends to moves.jsonl, synced: what became of a recipient while others of the message still wait, known from the
   * folder alone. A folder that is gone needs no such line.
   */
  recordMoves(id: string, moves: readonly Move[]): void {
    if (moves.length === 0 || !this.isThere(id)) return
    const path = join(this.path(id), 'moves.jsonl')
    try {
      const isNew = !existsSync(path)
      const fd = openSync(path, 'a', 0o600)
      try {
        // A line that a full disk has cut off must not take the next one with it: hence the line end in front.
        const bytes = Buffer.from(moves.map((move) => `\n${JSON.stringify(move)}`).join(''))
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      if (isNew) syncPath(this.path(id))
    } catch (error) {
      throw toFailure('write', error, { at: path })
    }
  }

  /** The last move of each recipient; one that was cut off is passed over. @throws Failure when it cannot be read */
  moves(id: string): Map<string, Move> {
    const path = join(this.path(id), 'moves.jsonl')
    const last = new Map<string, Move>()
    let text = ''
    try {
      if (existsSync(path)) text = readFileSync(path, 'utf8')
    } catch (error) {
      throw toFailure('read', error, { at: path })
    }
    for (const line of text.split('\n')) {
      try {
        const move = JSON.parse(line) as Move
        if (typeof move.address === 'string') last.set(move.address, move)
      } catch {
        // Empty, or cut off in the middle.
      }
    }
    return last
  }

  /** Keeps an envelope.json that cannot be used under another name, so that a new one can be written. */
  setEnvelopeAside(id: string): void {
    const path = join(this.path(id), 'envelope.json')
    try {
      renameSync(path, join(this.path(id), `.envelope-damaged-${randomBytes(6).toString('hex')}`))
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw toFailure('set aside', error, { at: path })
    }
  }

  /** Takes a folder out of sight by one rename; the bytes go afterwards. Not there: nothing to do. */
  remove(id: string): void {
    const grave = join(this.tmp, `gone-${id}-${randomBytes(6).toString('hex')}`)
    try {
      renameSync(this.path(id), grave)
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return
      throw toFailure('remove', error, { at: this.path(id) })
    }
    rmSync(grave, { recursive: true, force: true })
  }

  /** The ids of all folders. */
  ids(): string[] {
    return readdirSync(this.root).filter((name) => name !== 'tmp')
  }

  /**
   * Removes what runs left in tmp/ when they were killed.
   * @param before milliseconds since 1970: only what was last changed earlier goes
   * @returns how many
   */
  sweep(before: number): number {
    const old = readdirSync(this.tmp).filter((name) => {
      try {
        return statSync(join(this.tmp, name)).mtimeMs < before
      } catch {
        return false // Its own run has removed it meanwhile.
      }
    })
    for (const name of old) rmSync(join(this.tmp, name), { recursive: true, force: true })
    return old.length
  }
}
