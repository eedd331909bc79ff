/** toeh metrics: counts for Prometheus, by node_exporter's textfile collector. */
import { resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, openDesk } from '../cli/context.js'
import { demandTarget } from '../cli/trust.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { measureRoom } from '../hold/capacity.js'
import { writeMetrics } from '../report/metrics.js'
import { countVerdicts } from '../report/verdictcount.js'
import { readTimekeeping } from '../system/clock.js'
import { publish } from '../system/files.js'

interface Options extends CommonOptions {
  textfile?: string
}

const module: CommandModule = {
  command: 'metrics',
  describe: 'counts for Prometheus; names nobody',
  builder: (yargs: Argv) =>
    yargs
      .option('textfile', {
        type: 'string',
        requiresArg: true,
        describe: "write them to this file, for node_exporter's textfile collector",
      })
      .example('toeh metrics --textfile /var/lib/toeh-metrics/toeh.prom', 'from cron, every minute'),
  handler: async (args) => {
    const options = args as unknown as Options
    const { textfile } = options
    // The collector reads no other, and says nothing of it.
    if (textfile !== undefined && !textfile.endsWith('.prom')) {
      throw new Failure('metrics', 'its name must end in .prom', {
        at: JSON.stringify(textfile),
        status: EXIT.usage,
      })
    }
    const file = textfile === undefined ? undefined : resolve(textfile)
    const desk = openDesk(options, 'read')
    if (file !== undefined) demandTarget('metrics', desk.config, file, 'metrics')
    const { config, hold, landscape, progress, actor } = desk
    const { free, load } = await measureRoom(config, hold)
    const measured = {
      ...(await countVerdicts(desk)),
      waiting: { messages: load.messages, bytes: load.bytes },
      oldest: hold.oldest(),
      rules: landscape.count(actor.at),
      free,
      freeLimit: config.limits.free,
      lastCleanup: readTimekeeping(progress.get('cleanup'))?.last.at,
      observes: config.mode === 'observe',
      now: actor.at,
    }
    const text = writeMetrics(measured)
    // For everybody: the collector is another user, and these are counts.
    if (file !== undefined) publish('metrics', 'metrics', file, text, 0o644)
    if (options.json === true) answer(options, measured, [])
    else if (file === undefined) process.stdout.write(text)
  },
}
export default module
