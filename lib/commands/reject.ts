/** toeh reject: a person's no. The message is not sent, its sender is told, its bytes go. */
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, openDesk } from '../desk.js'
import { EXIT } from '../exit.js'
import { describeError } from '../failure.js'
import { demandHoldId } from '../holdid.js'
import { sendNotice, tellableSender } from '../notify.js'
import { chooseMessages } from '../release.js'

interface Options extends CommonOptions {
  id: string[]
  recipient?: string[]
  again: boolean
  quiet: boolean
}

const module: CommandModule = {
  command: 'reject <id..>',
  describe: 'do not send held mail; tell its sender',
  builder: (yargs: Argv) =>
    yargs
      .positional('id', { type: 'string', array: true, describe: 'hold ids, from toeh list' })
      .option('recipient', {
        type: 'string',
        array: true,
        requiresArg: true,
        nargs: 1,
        describe: 'only for this recipient',
      })
      .option('again', {
        type: 'boolean',
        default: false,
        describe: 'also what a release left when it was cut off',
      })
      .option('quiet', { type: 'boolean', default: false, describe: 'do not tell the sender' })
      .example('toeh reject 7k3m9q2x4v0a', 'the sender is told that it was not sent'),
  handler: async (args) => {
    const options = args as unknown as Options
    const ids = options.id.map(demandHoldId)
    const desk = openDesk(options, 'decide')
    const choices = await chooseMessages(desk, ids, options.recipient)
    const lines: string[] = []
    const results = []
    for (const { message, chosen } of choices) {
      const rejected = await desk.hold.settle(message.id, chosen, 'rejected', desk.actor, options.again)
      const kept = chosen.filter((address) => !rejected.includes(address))
      lines.push(...rejected.map((address) => `${message.id} rejected for ${address}`))
      lines.push(
        ...kept.map(
          (address) => `${message.id} NOT rejected for ${address}: it is being released, or settled already`,
        ),
      )
      if (kept.length > 0) process.exitCode = EXIT.failed
      let untold: string | null = null
      const sender = tellableSender(desk.config, message.sender)
      if (rejected.length > 0 && sender !== undefined && !options.quiet) {
        const told = {
          ...message,
          recipients: message.recipients.filter(({ address }) => rejected.includes(address)),
        }
        try {
          await sendNotice(desk, 'rejected', [sender], [told])
        } catch (error) {
          untold = describeError(error)
          lines.push(`${message.id}: its sender could not be told: ${untold}`)
        }
      }
      await desk.hold.removeSettled(message.id)
      results.push({ id: message.id, rejected, kept, untold })
    }
    answer(options, results, lines)
  },
}
export default module
