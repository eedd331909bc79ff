/** The desk's cases: what people and timers start, cut off, started again, and brought to its end as docs/hold.md says. */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Lab, MESSAGE, type Outcome, outcomeOf, startToeh } from '../support/lab.js'
import { mailLog } from '../support/maillog.js'
import type { Books } from './books.js'
import { MAY_HEAR, NO_NOTICE, SENDER } from './gatecase.js'
import type { Case, Trial } from './trial.js'

const HELD = ['b@unknown.test', 'c@unknown.test']
const ID = 'xhpabyf0ygqg'
const MINUTE = 60_000
const SEED = 'allow known.test:'

interface Task {
  name: string
  args: (lab: Lab) => string[]
  /** Who may have a copy because the command says so. */
  mayHave?: readonly string[]
  prepare?: (lab: Lab) => Promise<void>
  /** What is done after the command was started again. @returns what had to be done, in a few words */
  mend?: (trial: Trial, books: Books) => Promise<string>
  /** What must hold in the end beside the same books. @throws Error */
  check?: (trial: Trial, books: Books) => void
}

/** A command that ends, says what it did or could not do, and shows nobody a stack. */
function checkWords({ code, signal, stdout, stderr }: Outcome, struck: boolean): void {
  if (signal === 'SIGKILL' && struck) return
  if (signal !== null || code === null) throw new Error(`signal ${signal}`)
  const said = stdout + stderr
  if (/\bat .*:\d+:\d+/.test(said)) throw new Error(`it shows a stack: ${said}`)
  if (code !== 0 && said === '' && !struck) throw new Error(`exit ${code} and not a word`)
}

async function park(lab: Lab): Promise<void> {
  const id = await lab.park(HELD)
  if (id !== ID) throw new Error(`the hold's id is ${id}`)
}

function deskCase(task: Task): Case {
  const start = (lab: Lab, args: readonly string[], through: readonly string[] = []): Promise<Outcome> =>
    outcomeOf(startToeh(lab.config, args, through))
  return {
    name: `toeh ${task.name}`,
    notice: NO_NOTICE,
    limits: {
      bytes: Buffer.from(MESSAGE),
      sender: SENDER,
      mayHave: new Set(task.mayHave ?? []),
      mayHear: MAY_HEAR,
    },
    async prepare(lab) {
      await lab.allow('known.test')
      await task.prepare?.(lab)
    },
    run: (lab, through) => start(lab, task.args(lab), through),
    async judge(trial) {
      const { first, lab, model } = trial
      checkWords(first, true)
      const before = await trial.books()
      const words = [first.signal ?? `exit ${first.code}`, standing(before)]
      let books = before
      if (first.code !== 0) {
        const second = await start(lab, task.args(lab))
        checkWords(second, false)
        words.push(`again: exit ${second.code}`)
        books = await trial.books()
      }
      words.push((await task.mend?.(trial, books)) ?? '')
      books = await trial.books()
      if (books.folders.length > model.end.folders.length) {
        const { code, stdout } = await start(lab, ['cleanup'])
        if (code !== 0) throw new Error(`cleanup: ${code} ${stdout}`)
        words.push('cleanup removes the bytes')
        books = await trial.books()
      }
      checkSame(
        books,
        model.end,
        words.some((word) => word.startsWith('closed')),
      )
      task.check?.(trial, books)
      return words.filter((word) => word !== '').join('; ')
    },
  }
}

function standing({ rows, copies, folders, temporaries, rules }: Books): string {
  return [
    `rules ${rules.length}`,
    rows.size > 0 ? [...new Set(rows.values())].sort().join('+') : '',
    copies.size > 0 ? 'at the sink' : '',
    folders.length > 0 ? 'bytes there' : '',
    temporaries.some((name) => name.startsWith('gone')) ? 'bytes half gone' : '',
    temporaries.some((name) => !name.startsWith('gone')) ? 'spool left' : '',
  ]
    .filter((word) => word !== '')
    .join(', ')
}

/** The same end as of an undisturbed run; `closed`: but for the word that a person closed the case with. */
function checkSame(books: Books, end: Books, closed: boolean): void {
  const compare = (what: string, is: unknown, was: unknown): void => {
    const [here, there] = [JSON.stringify(is), JSON.stringify(was)]
    if (here !== there) throw new Error(`${what}: ${here}, undisturbed ${there}`)
  }
  compare('rules', books.rules, end.rules)
  compare('folders', books.folders, end.folders)
  compare('copies', [...books.copies].sort(), [...end.copies].sort())
  if (closed) return
  compare('recipients', [...books.rows].sort(), [...end.rows].sort())
  // The rule a case begins with is dated 1970, and a cleanup prunes its row.
  const own = (deeds: readonly string[]): string[] => deeds.filter((deed) => !deed.startsWith(SEED)).sort()
  compare('audit', own(books.deeds), own(end.deeds))
}

/** What the manual says of a release in doubt: look in the mail log (here the sink), then reject or repeat. */
async function endReleasing(trial: Trial, { rows, copies }: Books): Promise<string> {
  const doubtful = [...rows].filter(([, state]) => state === 'releasing').map(([address]) => address)
  if (doubtful.length === 0) return ''
  const { lab } = trial
  lab.change('UPDATE recipient SET changed_at = changed_at - ?', 11 * MINUTE)
  const sent = doubtful.every((address) => (copies.get(address) ?? 0) === 1)
  const outcome = sent
    ? await lab.toeh('reject', ID, '--again', '--quiet')
    : await lab.toeh('release', ID, '--again')
  if (outcome.code !== 0) throw new Error(`${outcome.code} ${outcome.stdout}${outcome.stderr}`)
  return sent
    ? 'closed by a person who saw that it was sent'
    : 'released again by a person who saw that it was not'
}

const LOG = [
  mailLog({ id: '4bQ8Yk2hJnz1', to: ['bob@firm.test', 'eve@firm.test'] }),
  mailLog({ id: '4bQ8Yk2hJnz2', to: ['bob@firm.test'], at: '2026-11-14T05:06:07' }),
  mailLog({ id: '4bQ8Yk2hJnz4', to: ['one@single.test'] }),
].join('')

/** An old spool, a settled folder that a cut-off run has left, and mail whose time is over. */
async function neglect(lab: Lab): Promise<void> {
  await park(lab)
  lab.change('UPDATE hold SET expires_at = 1')
  const spool = join(lab.state, 'hold/tmp/99999-0123456789ab')
  mkdirSync(spool, { mode: 0o700 })
  writeFileSync(join(spool, 'message.eml'), MESSAGE)
  utimesSync(spool, 1, 1)
}

export const DESK_CASES: Case[] = [
  {
    name: 'release',
    args: () => ['release', ID],
    mayHave: HELD,
    prepare: park,
    mend: endReleasing,
  },
  {
    name: 'release --allow address',
    args: () => ['release', ID, '--allow', 'address'],
    mayHave: HELD,
    prepare: park,
    mend: endReleasing,
  },
  { name: 'reject', args: () => ['reject', ID], prepare: park },
  {
    name: 'cleanup',
    args: () => ['cleanup'],
    prepare: neglect,
    mend: async ({ lab }: Trial, { rows }: Books) => {
      if (![...rows.values()].includes('held')) return ''
      lab.change('UPDATE hold SET closing_at = closing_at - ?', 61 * MINUTE)
      const { code, stdout } = await lab.toeh('cleanup')
      if (code !== 0) throw new Error(`cleanup an hour later: ${code} ${stdout}`)
      return 'expired by a cleanup an hour later'
    },
    check: (_: Trial, { notices }: Books) => {
      if (notices === 0) throw new Error('it expired, and its sender was not told')
    },
  },
  { name: 'allow', args: () => ['allow', 'x.test', 'ann@y.test', '--note', 'contract'] },
  {
    name: 'learn --apply',
    args: (lab: Lab) => ['learn', 'log', join(lab.dir, 'state/mail.log'), '--apply'],
    prepare: async (lab: Lab) => writeFileSync(join(lab.state, 'mail.log'), LOG),
  },
].map(deskCase)
