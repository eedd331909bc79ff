/** toeh digest: tells people of what waits and what no notice has told them yet. */
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, openDesk } from '../desk.js'
import { EXIT } from '../exit.js'
import { describeError } from '../failure.js'
import { bySender, tell } from '../notify.js'
import { measureRoom } from '../room.js'
import { DIGEST } from '../routine.js'
import { describeRoom } from '../shortage.js'
import { words } from '../speech.js'

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
    for (const messages of bySender(desk.config, desk.hold.unnotified())) {
      const ids = messages.map(({ id }) => id)
      try {
        await tell(desk, desk.hold, messages, desk.actor.at)
        told.push(...ids)
        lines.push(words`told of ${ids.join(', ')}`)
      } catch (error) {
        const why = describeError(error)
        failed.push({ ids, why })
        lines.push(words`NOT told of ${ids.join(', ')}: ${why}`)
        process.exitCode = EXIT.failed
      }
    }
    desk.landscape.setProgress(DIGEST, String(desk.actor.at))
    lines.push(...describeRoom(desk.config, await measureRoom(desk.config, desk.hold)))
    answer(options, { told, failed }, lines)
  },
}
export default module
