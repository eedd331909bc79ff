/** toeh release: sends held mail on after a person's yes. */
import type { Argv, CommandModule } from 'yargs'
import { parseAddress } from '../address.js'
import { answer, type CommonOptions, type Desk, openDesk } from '../desk.js'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import type { HeldMessage } from '../hold.js'
import { readHoldId } from '../holdid.js'
import { describeRule, type RuleDraft } from '../landscape.js'
import { chooseRecipients, type Released, release } from '../release.js'
import { draftRule } from '../ruledraft.js'

interface Options extends CommonOptions {
  id: string[]
  recipient?: string[]
  allow?: 'address' | 'domain'
  again: boolean
  force: boolean
}

/** The id a person typed. @throws Failure (2) when it is none */
export function demandHoldId(text: string): string {
  const id = readHoldId(text)
  if (id !== undefined) return id
  throw new Failure('hold id', 'it is not twelve letters and digits', {
    at: JSON.stringify(text),
    status: EXIT.usage,
    hint: 'toeh list shows the ids',
  })
}

/** Every message that was named, and those of its recipients that were asked for, before anything is done to one. */
export async function chooseMessages(
  desk: Desk,
  ids: readonly string[],
  recipients: readonly string[] | undefined,
): Promise<{ message: HeldMessage; chosen: string[] }[]> {
  const choices = []
  for (const id of new Set(ids.map(demandHoldId))) {
    const message = await desk.hold.find(id)
    choices.push({ message, chosen: chooseRecipients(message, recipients) })
  }
  return choices
}

/**
 * Releases recipients of one message. What fails is told beside the rest instead of ending it: other messages of
 * the same call may have gone out already, and their queue ids have to be said.
 */
export async function releaseOne(
  desk: Desk,
  message: HeldMessage,
  chosen: readonly string[],
  again = false,
): Promise<Released> {
  try {
    return await release(desk, message, chosen, again)
  } catch (error) {
    const why = describeError(error)
    return { id: message.id, released: [], failed: chosen.map((recipient) => ({ recipient, why })) }
  }
}

/** What a release did, in lines. */
export function describeReleased({ id, released, failed }: Released): string[] {
  return [
    ...released.flatMap(({ recipients, queueId }) =>
      recipients.map((to) => `${id} released to ${to}${queueId === '' ? '' : ` as ${queueId}`}`),
    ),
    ...failed.map(({ recipient, why }) => `${id} NOT released to ${recipient}: ${why}`),
  ]
}

function draftRules(
  options: Options,
  choices: readonly { message: HeldMessage; chosen: string[] }[],
): RuleDraft[] {
  if (options.allow === undefined) return []
  return choices.flatMap(({ message, chosen }) =>
    chosen.map((recipient) => {
      const address = parseAddress(recipient)
      const value = options.allow === 'domain' && address.plain ? address.domain : recipient
      const { force } = options
      return draftRule(value, {
        effect: 'allow',
        subdomains: false,
        force,
        note: '',
        source: `release ${message.id}`,
      })
    }),
  )
}

const module: CommandModule = {
  command: 'release <id..>',
  describe: 'send held mail on, with its original envelope and bytes',
  builder: (yargs: Argv) =>
    yargs
      .positional('id', { type: 'string', array: true, describe: 'hold ids, from toeh list' })
      .option('recipient', {
        type: 'string',
        array: true,
        requiresArg: true,
        nargs: 1,
        describe: 'only to this recipient',
      })
      .option('allow', {
        choices: ['address', 'domain'] as const,
        requiresArg: true,
        describe: 'and make it known from now on',
      })
      .option('again', {
        type: 'boolean',
        default: false,
        describe: 'repeat a release that was cut off and may have gone out',
      })
      .option('force', {
        type: 'boolean',
        default: false,
        describe: 'with --allow domain: take a whole freemail domain',
      })
      .example('toeh release 7k3m9q2x4v0a --allow address', 'this once, and from now on'),
  handler: async (args) => {
    const options = args as unknown as Options
    const ids = options.id.map(demandHoldId)
    const desk = openDesk(options, 'write')
    const choices = await chooseMessages(desk, ids, options.recipient)
    const rules = await desk.landscape.add(draftRules(options, choices), desk.actor)
    const results: Released[] = []
    for (const { message, chosen } of choices)
      results.push(await releaseOne(desk, message, chosen, options.again))
    const lines = [
      ...rules.filter(({ added }) => added).map(({ rule }) => `rule ${rule.id}: ${describeRule(rule)}`),
      ...results.flatMap(describeReleased),
    ]
    answer(options, { rules: rules.map(({ rule }) => rule), results }, lines)
    if (results.some(({ failed }) => failed.length > 0)) process.exitCode = EXIT.failed
  },
}
export default module
