/** toeh list: what waits, oldest first. */
import stringWidth from 'string-width'
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, openDesk, terminalWidth } from '../desk.js'
import { shortAge, shortSize, visible } from '../display.js'
import type { HeldMessage, Recipient } from '../hold.js'
import { type Placed, placeRecipients } from '../neighbours.js'
import { readableSubject } from '../notice.js'
import { measureRoom } from '../room.js'
import {
  chosenOf,
  isSelective,
  parseSelection,
  SELECTION_OPTIONS,
  type SelectionOptions,
} from '../selection.js'
import { describeRoom } from '../shortage.js'
import { compareUses, likenessIn, looksLike } from '../sidebyside.js'
import { spoken, translated, words } from '../speech.js'

const RECIPIENTS_SHOWN = 3

type PlacedMessage = Omit<HeldMessage, 'recipients'> & { recipients: readonly Placed<Recipient>[] }

/** The text cut to so many columns, with … where something is missing; wide characters count as two. */
export function fit(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text
  let cut = ''
  for (const character of text) {
    if (stringWidth(cut + character) > columns - 1) break
    cut += character
  }
  return `${cut}…`
}

/** The same cut at its front: of an address, the end of the domain says whose it is. */
export function fitEnd(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text
  let cut = ''
  for (const character of [...text].reverse()) {
    if (stringWidth(character + cut) > columns - 1) break
    cut = character + cut
  }
  return `…${cut}`
}

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
    const why = translated(state === 'releasing' ? state : reason)
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

const module: CommandModule = {
  command: 'list',
  describe: 'what waits: id, age, size, sender, subject, recipients and reasons',
  builder: (yargs: Argv) =>
    yargs
      .options(SELECTION_OPTIONS)
      .example('toeh list', 'oldest first')
      .example('toeh list --sender anna@corp.example --since 2d', 'before releasing just these'),
  handler: async (args) => {
    const options = args as unknown as CommonOptions & SelectionOptions
    const desk = openDesk(options, 'read')
    const selection = parseSelection(options, desk.actor.at)
    const messages: PlacedMessage[] = []
    for (const message of await desk.hold.waiting()) {
      const recipients = chosenOf(message, selection)
      if (recipients.length > 0)
        messages.push(await placeRecipients(desk.neighbours, { ...message, recipients }))
    }
    const lines = messages.flatMap((message) => describeWaiting(message, desk.actor.at, terminalWidth()))
    const room = describeRoom(desk.config, await measureRoom(desk.config, desk.hold))
    const none = isSelective(options) ? words`nothing that waits is selected` : words`nothing waits`
    answer(options, messages, [...(lines.length > 0 ? lines : [none]), ...room])
  },
}
export default module
