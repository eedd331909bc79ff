/** toeh show: one held message, for the person who decides. */
import type { Argv, CommandModule } from 'yargs'
import { describeFile } from '../describe.js'
import { answer, type CommonOptions, openDesk } from '../desk.js'
import { localTime, shortSize } from '../display.js'
import type { Recipient } from '../hold.js'
import { demandHoldId } from '../holdid.js'
import { type Placed, placeRecipients } from '../neighbours.js'
import { readableSubject } from '../notice.js'
import { nearMissLines } from '../sidebyside.js'
import { spoken, translated, words } from '../speech.js'

interface Options extends CommonOptions {
  id: string
}

function describeRecipient(recipient: Placed<Recipient>, now: number): string[] {
  const { address, state, reason, detail, queueId, changedBy, changedAt, nearMisses = [] } = recipient
  const lines = [
    `  ${address}`,
    `      ${translated(state)}: ${translated(reason)}${detail === '' ? '' : ` (${detail})`}`,
  ]
  if (changedBy !== 'toeh-filter') {
    const sent = queueId === '' ? '' : words`, as ${queueId}`
    lines.push(`      ${words`by ${changedBy}, ${localTime(changedAt)}`}${sent}`)
  }
  lines.push(...nearMissLines(nearMisses, spoken(), now).map((line) => `      ${line}`))
  return lines
}

const module: CommandModule = {
  command: 'show <id>',
  describe: 'headers, attachments, recipients and reasons of a held message',
  builder: (yargs: Argv) =>
    yargs
      .positional('id', { type: 'string', demandOption: true, describe: 'a hold id, from toeh list' })
      .example('toeh show 7k3m9q2x4v0a', 'before you release it'),
  handler: async (args) => {
    const options = args as unknown as Options
    const id = demandHoldId(options.id)
    const desk = openDesk(options, 'read')
    const message = await placeRecipients(desk.neighbours, await desk.hold.find(id))
    const there = desk.folder.has(id)
    const description = there ? await describeFile(desk.folder.messagePath(id)) : null
    const { client } = message
    const lines = [
      words`hold:     ${id}`,
      words`sender:   ${message.sender === '' ? '<>' : message.sender}`,
      words`subject:  ${readableSubject(message.subject, words`(no subject)`)}`,
      words`size:     ${shortSize(message.size)}`,
      words`held:     ${localTime(message.heldAt)} (queue id ${message.queueId})`,
      words`expires:  ${localTime(message.expiresAt)}`,
      words`client:   ${[client.name, client.address, client.saslUser && words`as ${client.saslUser}`].filter(Boolean).join(' ')}`,
      '',
      words`recipients:`,
      ...message.recipients.flatMap((recipient) => describeRecipient(recipient, desk.actor.at)),
      '',
    ]
    if (description === null) lines.push(words`the message itself is gone: everybody on it is settled`)
    else {
      lines.push(words`headers:`, ...description.headers.map(({ name, value }) => `  ${name}: ${value}`), '')
      lines.push(description.attachments.length > 0 ? words`attachments:` : words`no attachments`)
      for (const { name, type, size } of description.attachments) {
        lines.push(`  ${name === '' ? words`(no name)` : name}  ${type}  ${shortSize(size)}`)
      }
      if (description.trouble !== null)
        lines.push(words`the message could not be read to its end: ${description.trouble}`)
    }
    answer(options, { ...message, description }, lines)
  },
}
export default module
