/** toeh list: what waits, oldest first; or what is settled. */
import type { Argv, CommandModule } from 'yargs'
import { describeRoom } from '../cli/capacitywarning.js'
import { answer, type CommonOptions, type Desk, openDesk, terminalWidth } from '../cli/context.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { measureRoom } from '../hold/capacity.js'
import type { HeldMessage, Recipient } from '../hold/heldmail.js'
import {
  chosenOf,
  isSelective,
  parseSelection,
  SELECTION_OPTIONS,
  type SelectionOptions,
} from '../hold/selection.js'
import { compareUses, likenessIn, looksLike } from '../nearmiss/describe.js'
import { type Placed, placeRecipients } from '../nearmiss/neighbours.js'
import { readableSubject } from '../notice/compose.js'
import { fit, fitEnd } from '../text/columns.js'
import { spoken, translated, words } from '../text/translate.js'
import { shortAge, shortSize, visible } from '../text/visible.js'

const RECIPIENTS_SHOWN = 3
/** More than a person reads; what is longer is asked for. */
const MESSAGES_SHOWN = 100

interface Options extends CommonOptions, SelectionOptions {
  all: boolean
  automatic: boolean
  limit?: number
  newest: boolean
  settled: boolean
  subject?: string[]
}

type PlacedMessage = Omit<HeldMessage, 'recipients'> & { recipients: readonly Placed<Recipient>[] }

/** The lines of one message: id, age, size, sender and subject, then who waits, why, and the best near miss. */
export function describeWaiting(message: PlacedMessage, now: number, width: number): string[] {
  const age = shortAge(now - message.heldAt).padStart(4)
  const size = shortSize(message.size).padStart(5)
  const sender = visible(message.sender === '' ? '<>' : message.sender)
  const subject = readableSubject(message.subject, words`(no subject)`)
  const lines = [fit(`${message.id} ${age} ${size}  ${sender}  ${subject}`, width)]
  for (const { address, state, reason, nearMisses: [best] = [] } of message.recipients.slice(
    0,
    RECIPIENTS_SHOWN,
  )) {
    const why = translated(state === 'held' || state === 'refused' ? reason : state)
    lines.push(`  ${fitEnd(visible(address), width - 4 - why.length)}  ${why}`)
    if (best === undefined) continue
    const front = `    ${looksLike(spoken())} `
    const back = ` (${likenessIn(best.likeness, spoken())})`
    lines.push(`${front}${fitEnd(visible(best.value), width - front.length - back.length)}${back}`)
    lines.push(fit(`      ${visible(compareUses(best, now, spoken()))}`, width))
  }
  const more = message.recipients.length - RECIPIENTS_SHOWN
  if (more > 0) lines.push(words`  and ${more} more`)
  return lines
}

/** How many messages are given at the most; undefined for all. A program that does not ask for a part gets no part. */
function limitOf({ all, limit, json }: Options): number | undefined {
  if (limit === undefined) return all || json === true ? undefined : MESSAGES_SHOWN
  if (all) throw new Failure('list', words`--all and --limit do not go together`, { status: EXIT.usage })
  if (Number.isSafeInteger(limit) && limit >= 1) return limit
  throw new Failure('list', words`--limit must be a whole number from 1 on`, { status: EXIT.usage })
}

/** Whether a message's subject has one of these texts in it, as people read it. */
function speaksOf({ subject }: HeldMessage, texts: readonly string[]): boolean {
  const readable = readableSubject(subject, '').toLowerCase()
  return texts.length === 0 || texts.some((text) => readable.includes(text.toLowerCase()))
}

/** Those who are selected, in the order that is asked for, up to the limit, and how many messages more there are. */
async function choose(
  { hold, actor }: Desk,
  options: Options,
): Promise<{ messages: HeldMessage[]; more: number }> {
  const most = limitOf(options)
  const selection = parseSelection(options, actor.at)
  const { since, before, senders, domains, recipients } = selection
  const { automatic, newest, settled, subject = [] } = options
  const narrowed = [senders, domains, recipients, subject].some((matches) => matches.length > 0)
  if (narrowed || automatic || settled || most === undefined) {
    const all = settled ? hold.settled({ since, before }) : hold.waiting({ since, before, newest })
    const chosen = all
      .filter((message) => speaksOf(message, subject) && (!automatic || message.automatic !== ''))
      .map((message) => ({ ...message, recipients: chosenOf(message, selection) }))
      .filter((message) => message.recipients.length > 0)
    const messages = chosen.slice(0, most)
    return { messages, more: chosen.length - messages.length }
  }
  const messages = hold.waiting({ since, before, most, newest })
  const more = messages.length < most ? 0 : hold.count({ since, before }) - messages.length
  return { messages, more: Math.max(0, more) }
}

const module: CommandModule = {
  command: 'list',
  describe: 'what waits: id, age, size, sender, subject, recipients and reasons',
  builder: (yargs: Argv) =>
    yargs
      .options(SELECTION_OPTIONS)
      .option('all', { type: 'boolean', default: false, describe: 'show all, however many wait' })
      .option('automatic', {
        type: 'boolean',
        default: false,
        describe: 'only what programs have written: vacation replies, receipts, mail of lists',
      })
      .option('limit', {
        type: 'number',
        requiresArg: true,
        describe: 'show so many messages, the oldest (100; all with --json)',
      })
      .option('newest', { type: 'boolean', default: false, describe: 'the newest first' })
      .option('settled', {
        type: 'boolean',
        default: false,
        describe: 'instead, messages that are released, rejected or expired; newest first',
      })
      .option('subject', {
        type: 'string',
        array: true,
        nargs: 1,
        requiresArg: true,
        describe: 'only messages with this in their subject',
      })
      .example('toeh list', 'oldest first')
      .example('toeh list --settled --subject invoice', 'what became of it')
      .example('toeh list --sender anna@corp.example --since 2d', 'before releasing just these'),
  handler: async (args) => {
    const options = args as unknown as Options
    const desk = openDesk(options, 'read')
    const { messages: chosen, more } = await choose(desk, options)
    const isNarrowed =
      isSelective(options) || options.automatic || options.settled || options.subject !== undefined
    const messages: PlacedMessage[] = []
    for (const message of chosen)
      messages.push(options.settled ? message : await placeRecipients(desk.neighbours, message))
    const lines = messages.flatMap((message) => describeWaiting(message, desk.actor.at, terminalWidth()))
    if (more > 0) {
      const rest = isNarrowed
        ? words`${more} more messages are selected; --all shows them`
        : words`${more} more messages wait; --all shows them`
      lines.push(rest)
      // Behind a pipe, where grep would lose that line, nobody is to take a part for the whole.
      if (options.limit === undefined && options.json !== true && !process.stdout.isTTY)
        process.stderr.write(`${rest}\n`)
    }
    const room = describeRoom(desk.config, await measureRoom(desk.config, desk.hold))
    const left = isNarrowed ? words`nothing that waits is selected` : words`nothing waits`
    const none = options.settled ? words`nothing that is settled is selected` : left
    answer(options, messages, [...(lines.length > 0 ? lines : [none]), ...room])
  },
}
export default module
