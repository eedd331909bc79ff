/** The gate's cases: toeh-filter, retried as Postfix would, until it ends with 0. */
import { type Lab, MESSAGE, type Outcome } from '../support/lab.js'
import { BACK_TO_5 } from '../support/older.js'
import type { Books } from './books.js'
import { isDot } from './trace.js'
import type { Case, Trial } from './trial.js'

export interface Mail {
  name: string
  /** Who is to pass, who is to be parked, and who the sink refuses. */
  known?: string[]
  unknown?: string[]
  refused?: string[]
  notice?: string
  /** More bytes than one read of a pipe gives. */
  message?: string
  prepare?: (lab: Lab) => Promise<void>
}

export const NO_NOTICE = '[notice]\nenabled = false\n'
const APPROVER = 'chef@corp.test'
export const NOTICE = `approvers = ["${APPROVER}"]\n[notice]\nenabled = true\n`
export const SENDER = 'anna@corp.test'
export const MAY_HEAR = new Set([APPROVER, SENDER])

/** More than one retry is never needed: a stroke falls on one run. */
const RETRIES = 2

export function gateCase(mail: Mail): Case {
  const { name, known = [], unknown = [], refused = [], notice = NO_NOTICE, message = MESSAGE } = mail
  const recipients = [...known, ...unknown, ...refused]
  return {
    name: `toeh-filter ${name}`,
    notice,
    limits: {
      bytes: Buffer.from(message),
      sender: SENDER,
      mayHave: new Set(known),
      mayHear: notice === NO_NOTICE ? new Set() : MAY_HEAR,
    },
    answer: (recipient) => (refused.includes(recipient) ? '550 5.1.1 no such user' : undefined),
    async prepare(lab) {
      await lab.allow('known.test')
      await mail.prepare?.(lab)
    },
    run: (lab, through) => lab.filter({ recipients, input: message, through, bare: true }),
    async judge(trial) {
      let last = trial.first
      checkStatus(last, true)
      const before = await trial.books()
      let retries = 0
      for (; last.code !== 0; retries++) {
        if (retries === RETRIES) throw new Error(`still not done: ${last.code} ${last.stdout}`)
        last = await trial.again()
        checkStatus(last, false)
        if (last.code !== 0) throw new Error(`the retry failed: ${last.code} ${last.stdout}`)
      }
      const books = await trial.books()
      checkSettled(books, mail)
      if (books.rules.join() !== trial.model.end.rules.join()) throw new Error(`the rules are ${books.rules}`)
      const copies = Math.max(0, ...known.map((address) => books.copies.get(address) ?? 0))
      if (copies > 1) checkInstant(trial, before)
      return [
        trial.first.signal ?? `exit ${trial.first.code}`,
        describe(before),
        retries === 0 ? 'no retry' : retries === 1 ? 'settled by the retry' : `${retries} retries`,
        copies > 1 ? `SECOND COPY` : '',
      ]
        .filter((words) => words !== '')
        .join('; ')
    },
  }
}

/** pipe(8) keeps the mail on 75 and on a signal, and has it settled on 0; anything else would bounce it. */
function checkStatus({ code, signal, stdout, stderr }: Outcome, struck: boolean): void {
  if (signal === 'SIGKILL' && struck) return
  if (code !== 0 && code !== 75) throw new Error(`exit ${code}, signal ${signal}`)
  const line = code === 0 ? /^(toeh: [\x20-\x7e]+\n|)$/ : /^(4\.3\.0 toeh: [\x20-\x7e]+\n|)$/
  if (!line.test(stdout) || stderr !== '') throw new Error(`it printed ${JSON.stringify(stdout + stderr)}`)
}

/** After exit 0 Postfix has forgotten the mail: everybody is somewhere else. */
function checkSettled({ rows, copies }: Books, { known = [], unknown = [], refused = [] }: Mail): void {
  for (const address of known)
    if ((copies.get(address) ?? 0) < 1) throw new Error(`LOST: ${address} has no copy`)
  for (const address of unknown)
    if (rows.get(address) !== 'held') throw new Error(`LOST: ${address} is ${rows.get(address) ?? 'nowhere'}`)
  for (const address of refused)
    if (rows.get(address) !== 'refused')
      throw new Error(`LOST: ${address} is ${rows.get(address) ?? 'nowhere'}`)
}

/** A second copy is allowed only where the first run died after the final dot, with nothing written down of it. */
function checkInstant({ calls, first }: Trial, before: Books): void {
  const dot = calls.findIndex((call) => isDot(call) && !call.cut && !call.injected)
  if (first.code === 0) throw new Error('TWICE: a run that ended well was not the last')
  if (dot < 0) throw new Error('TWICE: before the final dot of the first run')
  if ([...before.rows.values()].includes('passed')) throw new Error('TWICE: though it was noted as passed')
}

function describe({ rows, copies, folders, temporaries }: Books): string {
  const places = [
    copies.size > 0 ? 'at the sink' : '',
    rows.size > 0 ? `rows ${[...new Set(rows.values())].sort().join('+')}` : '',
    rows.size === 0 && folders.length > 0 ? 'orphan folder' : '',
    temporaries.length > 0 ? 'spool left' : '',
  ].filter((words) => words !== '')
  return places.length === 0 ? 'nothing left' : places.join(', ')
}

/** Takes the database back to schema 1, as an older TOEH has left it; the next to open it for writing migrates it. */
function age(lab: Lab): void {
  const db = lab.openDatabase()
  for (const sql of BACK_TO_5) db.run(sql)
  // Rows of that version have no salt, and other hashes.
  db.run('DELETE FROM audit')
  db.run('DROP TABLE token')
  db.run('DROP TABLE rule_use')
  db.run('ALTER TABLE rule DROP COLUMN ends_at')
  db.run('DROP TABLE progress')
  db.run('DROP INDEX hold_queue_id')
  db.run('PRAGMA user_version = 1')
  db.close()
}

export const MIXED: Mail = { name: 'mixed', known: ['a@known.test'], unknown: ['b@unknown.test'] }

export const GATE_CASES: Case[] = [
  MIXED,
  { name: 'known', known: ['a@known.test', 'carl@corp.test'] },
  { name: 'unknown', unknown: ['b@unknown.test', 'x%y@known.test'] },
  { name: 'unknown with notice', unknown: ['b@unknown.test'], notice: NOTICE },
  { name: 'mixed with notice', known: ['a@known.test'], unknown: ['b@unknown.test'], notice: NOTICE },
  { name: 'refused', known: ['a@known.test'], refused: ['r@known.test'] },
  {
    name: 'further recipient',
    known: ['a@known.test'],
    unknown: ['c@unknown.test'],
    prepare: async (lab: Lab) => {
      await lab.park(['b@unknown.test'])
    },
  },
  { ...MIXED, name: 'migrating, mixed', prepare: async (lab: Lab) => age(lab) },
  { name: 'migrating, known', known: ['a@known.test'], prepare: async (lab: Lab) => age(lab) },
].map(gateCase)
