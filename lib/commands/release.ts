/** toeh release: sends held mail on after a person's yes. */
import type { Argv, CommandModule } from 'yargs'
import { parseAddress } from '../address.js'
import type { RuleDraft } from '../decide.js'
import { answer, type CommonOptions, openDesk } from '../desk.js'
import { EXIT } from '../exit.js'
import type { HeldMessage } from '../hold.js'
import { demandHoldId } from '../holdid.js'
import { describeRule } from '../landscape.js'
import { chooseMessages, describeReleased, type Released, tryRelease } from '../release.js'
import { draftRule } from '../ruledraft.js'

interface Options extends CommonOptions {
  id: string[]
  recipient?: string[]
  allow?: 'address' | 'domain'
  again: boolean
  force: boolean
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
    const desk = openDesk(options, 'decide')
    const choices = await chooseMessages(desk, ids, options.recipient)
    const rules = await desk.landscape.add(draftRules(options, choices), desk.actor)
    const results: Released[] = []
    for (const { message, chosen } of choices)
      results.push(await tryRelease(desk, message, chosen, options.again))
    const lines = [
      ...rules.filter(({ added }) => added).map(({ rule }) => `rule ${rule.id}: ${describeRule(rule)}`),
      ...results.flatMap(describeReleased),
    ]
    answer(options, { rules: rules.map(({ rule }) => rule), results }, lines)
    if (results.some(({ failed }) => failed.length > 0)) process.exitCode = EXIT.failed
  },
}
export default module
