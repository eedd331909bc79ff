/** toeh known: lists the rules. */
import type { Argv, CommandModule } from 'yargs'
import { foldAscii } from '../address.js'
import { answer, type CommonOptions, openDesk } from '../desk.js'
import { localTime } from '../display.js'

interface Options extends CommonOptions {
  pattern?: string
}

const module: CommandModule = {
  command: 'known [pattern]',
  describe: 'list the rules, or those that contain a text',
  builder: (yargs: Argv) =>
    yargs
      .positional('pattern', { type: 'string', describe: 'part of an address or domain' })
      .example('toeh known supplier', 'every rule with that word in it'),
  handler: async (args) => {
    const options = args as unknown as Options
    const desk = openDesk(options, 'read')
    const rules = await desk.landscape.list(foldAscii(options.pattern ?? ''))
    const lines = rules.map((rule) => {
      const name = rule.subdomains ? `${rule.value} (+ subdomains)` : rule.value
      const origin = [
        rule.addedBy,
        localTime(rule.addedAt).slice(0, 10),
        rule.source === 'command' ? '' : rule.source,
        rule.note,
      ]
      return `${String(rule.id).padStart(5)}  ${rule.effect}  ${name}  ${origin.filter((part) => part !== '').join(', ')}`
    })
    answer(options, rules, lines.length > 0 ? lines : ['no rule'])
  },
}
export default module
