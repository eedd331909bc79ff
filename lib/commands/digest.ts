/** toeh digest: tells people of what waits and what no notice has told them yet. */
import type { Argv, CommandModule } from 'yargs'
import { describeRoom } from '../cli/capacitywarning.js'
import { answer, type CommonOptions, openDesk } from '../cli/context.js'
import { DIGEST } from '../cli/routine.js'
import { EXIT } from '../exit.js'
import { describeError } from '../failure.js'
import { measureRoom } from '../hold/capacity.js'
import { bySender, tell, tellOfAutomatic } from '../notice/notify.js'
import { words } from '../text/translate.js'

const module: CommandModule = {
  command: 'digest',
  describe: 'tell people of what waits and what no notice has told them yet',
  builder: (yargs: Argv) => yargs.example('toeh digest', 'from cron: silent when there is nothing to tell'),
  handler: async (args) => {
    const options = args as unknown as CommonOptions
    const desk = openDesk(options, 'write')
    const lines: string[] = []
    const told: string[] = []
    const failed: { ids: string[]; why: string }[] = []
    const untold = desk.hold.unnotified()
    const automatic = untold.filter((message) => message.automatic !== '')
    const others = untold.filter((message) => message.automatic === '')
    for (const messages of [...bySender(desk.config, others), automatic]) {
      if (messages.length === 0) continue
      const ids = messages.map(({ id }) => id)
      try {
        await (messages === automatic ? tellOfAutomatic : tell)(desk, desk.hold, messages, desk.actor.at)
        told.push(...ids)
        lines.push(words`told of ${ids.join(', ')}`)
      } catch (error) {
        const why = describeError(error)
        failed.push({ ids, why })
        lines.push(words`NOT told of ${ids.join(', ')}: ${why}`)
        process.exitCode = EXIT.failed
      }
    }
    desk.progress.set(DIGEST, String(desk.actor.at))
    lines.push(...describeRoom(desk.config, await measureRoom(desk.config, desk.hold)))
    answer(options, { told, failed }, lines)
  },
}
export default module
