/** toeh recheck: releases what has become known since it was held. */
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, openDesk, presently, verdictsOf } from '../desk.js'
import { EXIT } from '../exit.js'
import { showCount } from '../progress.js'
import { describeReleased, type Released, tryRelease } from '../release.js'
import { words } from '../speech.js'

const module: CommandModule = {
  command: 'recheck',
  describe: 'release what has become known since it was held',
  builder: (yargs: Argv) =>
    yargs.example('toeh allow supplier.example && toeh recheck', 'let the held mail follow'),
  handler: async (args) => {
    const options = args as unknown as CommonOptions
    const desk = openDesk(options, 'write')
    const results: Released[] = []
    const waiting = await desk.hold.waiting()
    const progress = await showCount('checking', waiting.length)
    for (const [index, message] of waiting.entries()) {
      const recipients = message.recipients
        .filter(({ state }) => state === 'held')
        .map(({ address }) => address)
      const origin = { sender: message.sender, login: message.client.saslUser }
      const verdicts = await verdictsOf(desk, origin, recipients)
      const known = verdicts.filter(({ pass }) => pass).map(({ recipient }) => recipient)
      if (known.length > 0) results.push(await tryRelease(presently(desk), message, known))
      progress.update(index + 1)
    }
    progress.stop()
    const lines = results.flatMap(describeReleased)
    answer(options, results, lines.length > 0 ? lines : [words`nothing that waits has become known`])
    if (results.some(({ failed }) => failed.length > 0)) process.exitCode = EXIT.failed
  },
}
export default module
