/** Bulk work on the hold: whom a call means, by ids or by a selection, and a person's yes before it is done. */
import { createInterface } from 'node:readline'
import { chooseMessages } from '../approval/release.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import type { HeldMessage, Recipient } from '../hold/heldmail.js'
import { demandHoldId } from '../hold/id.js'
import {
  chosenOf,
  isSelective,
  parseSelection,
  SELECTION_OPTIONS,
  type SelectionOptions,
} from '../hold/selection.js'
import { spoken, translated, words } from '../text/translate.js'
import { localTime, visible } from '../text/visible.js'
import type { CommonOptions, Desk } from './context.js'

/** The options of the commands that do bulk work, as yargs takes them. */
export const BULK_OPTIONS = {
  ...SELECTION_OPTIONS,
  all: { type: 'boolean', default: false, describe: 'everything that waits' },
  'dry-run': { type: 'boolean', default: false, describe: 'show whom it means; change nothing' },
  yes: { type: 'boolean', default: false, describe: 'do not ask' },
} as const

export interface BulkOptions extends CommonOptions, SelectionOptions {
  id: string[]
  all: boolean
  dryRun: boolean
  yes: boolean
}

export interface Choice {
  message: HeldMessage
  chosen: string[]
}

/** What is to be done with them: names the failure too. */
export type Verb = 'release' | 'reject'

/** What a person is asked about is shown up to so many lines. */
const LINES_SHOWN = 20

/** Checks that somebody is meant, before anything is opened: never everybody by leaving something out. */
export function demandChoice(command: string, options: BulkOptions): void {
  const named = options.id.length > 0 || isSelective(options)
  if (options.all && named)
    throw new Failure(
      'usage',
      words`--all means everything that waits: name no ids and no selection with it`,
      {
        status: EXIT.usage,
      },
    )
  if (named || options.all) return
  throw new Failure('usage', words`name hold ids, or select by --sender, --domain and so on, or say --all`, {
    status: EXIT.usage,
    hint: `toeh ${command} --help`,
  })
}

/**
 * Whom a call means: of the messages that are named, or else of all that wait, oldest first.
 * @throws Failure for a message that is named and has nobody who is meant
 */
export async function choose(desk: Desk, options: BulkOptions): Promise<Choice[]> {
  const ids = options.id.map(demandHoldId)
  const selection = parseSelection(options, desk.actor.at)
  const found =
    ids.length > 0
      ? await chooseMessages(desk, ids, options.recipient)
      : desk.hold.waiting().map((message) => ({ message, chosen: addressesOf(message.recipients) }))
  return found.flatMap(({ message, chosen }) => {
    const recipients = message.recipients.filter(({ address }) => chosen.includes(address))
    const meant = addressesOf(chosenOf({ ...message, recipients }, selection))
    if (meant.length > 0) return [{ message, chosen: meant }]
    if (ids.length === 0) return []
    throw new Failure('hold', words`nobody who waits in it is selected`, {
      at: message.id,
      status: EXIT.noInput,
    })
  })
}

function addressesOf(recipients: readonly { address: string }[]): string[] {
  return recipients.map(({ address }) => address)
}

/** The choice as JSON of a dry run has it. */
export interface Outline {
  id: string
  sender: string
  heldAt: number
  recipients: Pick<Recipient, 'address' | 'state' | 'reason'>[]
}

/** Who is meant, message by message. */
export function outline(choices: readonly Choice[]): Outline[] {
  return choices.map(({ message: { id, sender, heldAt, recipients }, chosen }) => ({
    ...{ id, sender, heldAt },
    recipients: recipients
      .filter(({ address }) => chosen.includes(address))
      .map(({ address, state, reason }) => ({ address, state, reason })),
  }))
}

/** Who is meant, a line a recipient. */
export function describeChoice(verb: Verb, choices: readonly Choice[]): string[] {
  return outline(choices).flatMap(({ id, sender, heldAt, recipients }) =>
    recipients.map(({ address, state, reason }) => {
      const why = translated(state === 'releasing' ? state : reason)
      const from = words`from ${sender === '' ? '<>' : sender}, held ${localTime(heldAt)}`
      return verb === 'release'
        ? words`would release ${id} to ${address} (${why}; ${from})`
        : words`would reject ${id} to ${address} (${why}; ${from})`
    }),
  )
}

/** Who is meant, in numbers. */
export function countChoice(choices: readonly Choice[]): string {
  const recipients = choices.reduce((sum, { chosen }) => sum + chosen.length, 0)
  const of = choices.length === 1 ? words`of 1 message` : words`of ${choices.length} messages`
  return recipients === 1 ? words`1 recipient ${of}` : words`${recipients} recipients ${of}`
}

/**
 * Lets pass what was named by its id, what --yes was said to, and what a person at a terminal says yes to.
 * @param also what else will be done, in lines
 * @throws Failure, with nothing changed: without a terminal to ask at (2), or where the answer is not yes (1)
 */
export async function demandYes(
  verb: Verb,
  options: BulkOptions,
  choices: readonly Choice[],
  also: readonly string[] = [],
): Promise<void> {
  if (options.yes || options.id.length > 0 || choices.length === 0) return
  const count = countChoice(choices)
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new Failure(verb, words`nobody is there to be asked about ${count}`, {
      status: EXIT.usage,
      hint: words`--dry-run shows them, --yes does it`,
    })
  }
  const lines = [...describeChoice(verb, choices), ...also]
  const more = lines.length - LINES_SHOWN
  for (const line of lines.slice(0, LINES_SHOWN)) process.stderr.write(`${visible(line)}\n`)
  if (more > 0) process.stderr.write(`${words`and ${more} more (--dry-run shows all)`}\n`)
  const question = verb === 'release' ? words`release ${count}?` : words`reject ${count}?`
  if (!(await ask(question))) throw new Failure(verb, words`nothing was changed`, { status: EXIT.failed })
}

/** Asks at the terminal, which stays as it is, so that an interrupt ends the program. */
export async function ask(question: string): Promise<boolean> {
  process.stderr.write(`${question} ${words`(y/N)`} `)
  // Whoever reads French may still type y.
  for await (const line of createInterface({ input: process.stdin, terminal: false }))
    return (spoken() === 'fr' ? /^(y(es)?|o(ui)?)$/i : /^y(es)?$/i).test(line.trim())
  process.stderr.write('\n')
  return false
}
