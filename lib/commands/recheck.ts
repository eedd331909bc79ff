/** toeh recheck: releases what has become known since it was held. */
import type { Argv, CommandModule } from 'yargs'
import { describeReleased, type Released, tryRelease } from '../approval/release.js'
import { knownAmong } from '../cli/becameknown.js'
import type { Choice } from '../cli/bulk.js'
import { answer, type CommonOptions, openDesk, presently } from '../cli/context.js'
import { showCount } from '../cli/progressbar.js'
import { EXIT } from '../exit.js'
import { words } from '../text/translate.js'

const module: CommandModule = {
  command: 'recheck',
  describe: 'release what has become known since it was held',
  builder: (yargs: Argv) =>
    yargs.example('toeh allow supplier.example && toeh recheck', 'let the held mail follow'),
  handler: async (args) => {
    const options = args as unknown as CommonOptions
    const desk = openDesk(options, 'write')
    const results: Released[] = []
    const choices: Choice[] = []
    for (const choice of knownAmong(desk, desk.hold.waiting())) choices.push(choice)
    const progress = await showCount('releasing', choices.length)
    for (const [index, { message, chosen }] of choices.entries()) {
      results.push(await tryRelease(presently(desk), message, chosen))
      progress.update(index + 1)
    }
    progress.stop()
    const lines = results.flatMap(describeReleased)
    answer(options, results, lines.length > 0 ? lines : [words`nothing that waits has become known`])
    if (results.some(({ failed }) => failed.length > 0)) process.exitCode = EXIT.failed
  },
}
export default module
