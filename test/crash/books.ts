/** The books: what stands of a message in the hold, in the database and at the sink, and what must never stand there. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Audit } from '../../lib/database/audit.js'
import { type Database, databasePath, openForWriting } from '../../lib/database/database.js'
import { HoldFolder } from '../../lib/hold/folder.js'
import type { State } from '../../lib/hold/heldmail.js'
import { type Sink, unwire } from '../support/sink.js'

export interface Books {
  /** The state of each recipient that has a row. */
  rows: Map<string, State>
  /** How many copies the sink has for each recipient. */
  copies: Map<string, number>
  /** Mails of our own, with the null sender, at the sink. */
  notices: number
  folders: string[]
  temporaries: string[]
  /** Live and ended rules, in words, sorted. */
  rules: string[]
  /** What the audit says was done, in its order. */
  deeds: string[]
}

/** What a message may never come to. @throws Error that says what is wrong */
export interface Limits {
  bytes: Buffer
  sender: string
  /** Who may have a copy now. */
  mayHave: ReadonlySet<string>
  /** Where notices may go. */
  mayHear: ReadonlySet<string>
}

/** A place in memory where there is one: no stroke needs a disk, and a thousand installations do. */
export const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

const WAITING = ['held', 'refused', 'releasing']

/**
 * Reads the books of an installation as it stands, from a copy: a look must not mend what the next run has to.
 * @throws Error for whatever `limits` or the hold's own rules forbid
 */
export async function readBooks(state: string, sink: Sink, limits: Limits): Promise<Books> {
  const copy = mkdtempSync(join(PLACE, 'toeh-books-'))
  try {
    cpSync(state, copy, { recursive: true })
    const db = openForWriting(databasePath(copy), { busySeconds: 5 })
    try {
      const books = { ...(await take(db, copy)), ...atSink(sink, limits) }
      checkFolders(db, copy, books, limits)
      return books
    } finally {
      db.close()
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

async function take(db: Database, state: string): Promise<Omit<Books, 'copies' | 'notices'>> {
  const whole = db.get<{ integrity_check: string }>('PRAGMA integrity_check')?.integrity_check
  if (whole !== 'ok') throw new Error(`the database is damaged: ${whole}`)
  const recipients = db.all<{ address: string; state: State }>('SELECT address, state FROM recipient')
  return {
    rows: new Map(recipients.map(({ address, state }) => [address, state])),
    folders: new HoldFolder(state).ids(),
    temporaries: readdirSync(join(state, 'hold/tmp')),
    rules: rulesOf(db),
    deeds: await deedsOf(db),
  }
}

function rulesOf(db: Database): string[] {
  const rows = db.all<Record<string, unknown>>('SELECT * FROM rule ORDER BY value, scope, effect, id')
  return rows.map(({ value, scope, effect, source, note, subdomains, revoked_at: ended }) =>
    [effect, value, scope, source, note, subdomains, ended === null ? 'live' : 'ended'].join(' '),
  )
}

/** The audit in words. @throws Error where its chain of hashes is broken */
async function deedsOf(db: Database): Promise<string[]> {
  const audit = new Audit(db)
  const { broken } = await audit.verify()
  if (broken !== null) throw new Error(`the audit's chain breaks at row ${broken}`)
  const deeds = await audit.list({})
  return deeds.map(({ what, subject, was, now }) => `${what} ${subject}: ${was} → ${now}`)
}

function atSink(sink: Sink, limits: Limits): Pick<Books, 'copies' | 'notices'> {
  const copies = new Map<string, number>()
  let notices = 0
  for (const { sender, recipients, bytes } of sink.mails) {
    const stranger = recipients.find(
      (address) => !(sender === '' ? limits.mayHear : limits.mayHave).has(address),
    )
    if (stranger !== undefined) throw new Error(`OUT: ${stranger} has a mail from <${sender}>`)
    if (sender === '') notices++
    else if (sender !== limits.sender || !unwire(bytes).equals(limits.bytes)) {
      throw new Error(`the copy for ${recipients.join(', ')} has other bytes, or the sender ${sender}`)
    } else for (const address of recipients) copies.set(address, (copies.get(address) ?? 0) + 1)
  }
  return { copies, notices }
}

/** Who waits has the bytes and stands in the envelope; what is published is whole. */
function checkFolders(
  db: Database,
  state: string,
  { folders, temporaries, copies }: Books,
  limits: Limits,
): void {
  const folder = new HoldFolder(state)
  for (const id of folders) {
    const names = readdirSync(folder.path(id)).filter((name) => !/^(\.envelope-.*|moves\.jsonl)$/.test(name))
    if (names.sort().join(' ') !== 'envelope.json message.eml') throw new Error(`hold/${id} has ${names}`)
    if (!readFileSync(folder.messagePath(id)).equals(limits.bytes))
      throw new Error(`hold/${id} has other bytes`)
    folder.read(id)
  }
  const odd = temporaries.find((name) => !/^([0-9]+-[0-9a-f]+|gone-[0-9a-z]{12}-[0-9a-f]{12})$/.test(name))
  if (odd !== undefined) throw new Error(`hold/tmp has ${odd}`)
  const rows = db.all<{ hold: string; address: string; state: State }>('SELECT * FROM recipient')
  for (const { hold, address, state } of rows) {
    const sent = (copies.get(address) ?? 0) > 0
    if ((state === 'held' || state === 'refused') && sent)
      throw new Error(`${address} is ${state} and has a copy`)
    if ((state === 'passed' || state === 'released') && !sent)
      throw new Error(`LOST: ${address} is ${state} and has no copy`)
    if (!WAITING.includes(state)) continue
    if (!folders.includes(hold)) throw new Error(`LOST: ${address} is ${state} and its bytes are gone`)
    const named = folder.read(hold).recipients.some((recipient) => recipient.address === address)
    if (!named) throw new Error(`${address} is ${state} and not in envelope.json`)
  }
}
