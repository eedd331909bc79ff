/** toeh reject: a person's no. The message is not sent, its sender is told, its bytes go. */
import type { Argv, CommandModule } from 'yargs'
import {
  BULK_OPTIONS,
  type BulkOptions,
  type Choice,
  choose,
  countChoice,
  demandChoice,
  demandYes,
  describeChoice,
  outline,
} from '../cli/bulk.js'
import { answer, type Desk, openDesk } from '../cli/context.js'
import { showCount } from '../cli/progressbar.js'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import { sendNotice, tellableOf } from '../notice/notify.js'
import { words } from '../text/translate.js'
import { visible } from '../text/visible.js'

interface Options extends BulkOptions {
  again: boolean
  note: string
  quiet: boolean
}

interface Rejected {
  id: string
  rejected: string[]
  kept: string[]
  /** Why some are kept, or what could not be done after the rejection; else null. */
  why: string | null
  /** Why the sender could not be told; else null. */
  untold: string | null
}

/** So much is read in a notice; more is for a conversation. */
const NOTE_CHARACTERS = 500

function demandNote({ note }: Options): void {
  if (visible(note) === note && [...note].length <= NOTE_CHARACTERS) return
  throw new Failure(
    'usage',
    words`--note: expected one line of at most ${NOTE_CHARACTERS} characters, each of them visible`,
    { status: EXIT.usage },
  )
}

/** Rejects recipients of one message. What fails is told beside the rest: it does not stop the others. */
async function reject(desk: Desk, { message, chosen }: Choice, options: Options): Promise<Rejected> {
  const { id } = message
  const result: Rejected = { id, rejected: [], kept: chosen, why: null, untold: null }
  try {
    const rejected = desk.hold.settle(id, chosen, 'rejected', desk.actor, options.again, options.note)
    result.rejected = rejected
    result.kept = chosen.filter((address) => !rejected.includes(address))
    if (result.kept.length > 0) result.why = words`it is being released, or settled already`
    const sender = tellableOf(desk.config, message)
    if (rejected.length > 0 && sender !== undefined && !options.quiet) {
      const recipients = message.recipients.filter(({ address }) => rejected.includes(address))
      try {
        const decision = { ...desk.actor, note: options.note }
        await sendNotice(desk, 'rejected', [sender], [{ ...message, recipients }], { decision })
      } catch (error) {
        result.untold = describeError(error)
      }
    }
    desk.hold.removeSettled(id)
  } catch (error) {
    result.why = describeError(error)
  }
  return result
}

function describeRejected({ id, rejected, kept, why, untold }: Rejected): string[] {
  const lines = [
    ...rejected.map((address) => words`${id} rejected for ${address}`),
    ...kept.map((address) => words`${id} NOT rejected for ${address}: ${why ?? ''}`),
  ]
  if (why !== null && kept.length === 0) lines.push(words`${id}: its bytes are still there: ${why}`)
  if (untold !== null) lines.push(words`${id}: its sender could not be told: ${untold}`)
  return lines
}

const module: CommandModule = {
  command: 'reject [id..]',
  describe: 'do not send held mail; tell its sender',
  builder: (yargs: Argv) =>
    yargs
      .positional('id', { type: 'string', array: true, default: [], describe: 'hold ids, from toeh list' })
      .options(BULK_OPTIONS)
      .option('again', {
        type: 'boolean',
        default: false,
        describe: 'also what a release left when it was cut off',
      })
      .option('note', {
        type: 'string',
        default: '',
        requiresArg: true,
        describe: 'why, for the sender and the audit',
      })
      .option('quiet', { type: 'boolean', default: false, describe: 'do not tell the sender' })
      .example('toeh reject 7k3m9q2x4v0a', 'the sender is told that it was not sent')
      .example('toeh reject 7k3m9q2x4v0a --note "ask them by phone first"', 'and why')
      .example('toeh reject --sender anna@corp.example --before 10d --dry-run', 'what that would end'),
  handler: async (args) => {
    const options = args as unknown as Options
    demandChoice('reject', options)
    demandNote(options)
    const desk = openDesk(options, options.dryRun ? 'read' : 'decide')
    const choices = await choose(desk, options)
    if (options.dryRun) {
      const lines = [...describeChoice('reject', choices), words`${countChoice(choices)}, none rejected`]
      answer(options, { dryRun: true, messages: outline(choices) }, lines)
      return
    }
    await demandYes('reject', options, choices)
    const results: Rejected[] = []
    const progress = await showCount('rejecting', choices.length)
    for (const choice of choices) {
      // One time for all: they are one act, which toeh undo takes back as a whole.
      results.push(await reject(desk, choice, options))
      progress.update(results.length)
    }
    progress.stop()
    const lines = results.flatMap(describeRejected)
    answer(options, results, lines.length > 0 ? lines : [words`nothing that waits is selected`])
    if (results.some(({ why }) => why !== null)) process.exitCode = EXIT.failed
  },
}
export default module
