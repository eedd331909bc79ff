/** toeh doctor: says for each point of what Postfix and TOEH owe one another whether it is good, and what mends it. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, clock, configPath } from '../cli/context.js'
import { demandTrustedInstance, loadTrusted } from '../cli/trust.js'
import type { Config } from '../config.js'
import { type CanaryTrace, flyCanary } from '../doctor/canary.js'
import { examine, type Finding, mends, worst } from '../doctor/examine.js'
import type { Level, Mending } from '../doctor/facts.js'
import { gatherFacts } from '../doctor/gather.js'
import { HEALTH } from '../exit.js'
import { describeError } from '../failure.js'
import { initCommand, instanceCommand } from '../postfix/settings.js'
import { words } from '../text/translate.js'

interface Options extends CommonOptions {
  configDir?: string
  canary: boolean
  canaryTo?: string
}

/** A finding of what stops all the others. */
function broken(check: string, error: unknown): Finding {
  return stopped(check, describeError(error), { mend: [] })
}

function stopped(check: string, what: string, mending: Mending): Finding {
  const why = words`nothing else can be looked at before`
  return { check, level: 'critical', good: '', faults: [{ level: 'critical', what, why, ...mending }] }
}

/** There is none yet: toeh init makes it, and all else. */
function absent(path: string, configDir: string | undefined): Finding {
  return stopped('configuration', words`${path} does not exist: toeh is not set up here`, {
    mend: [initCommand({ configDir, toeh: { path } })],
    affects: words`all outgoing mail: it goes through the gate from the reload on, and passes until toeh mode enforce`,
  })
}

async function look(options: Options): Promise<{ findings: Finding[]; flight?: CanaryTrace }> {
  let config: Config
  const path = resolve(configPath(options))
  if (!existsSync(path)) return { findings: [absent(path, options.configDir)] }
  try {
    config = loadTrusted(configPath(options))
  } catch (error) {
    return { findings: [broken('configuration', error)] }
  }
  const { configDir, canaryTo } = options
  const findings: Finding[] = []
  let flight: CanaryTrace | undefined
  try {
    findings.push(...examine(await gatherFacts(config, configDir, clock())))
  } catch (error) {
    findings.push(broken('postfix', error))
  }
  if (options.canary || canaryTo !== undefined) {
    try {
      const [internal = ''] = config.internal
      flight = await flyCanary(config, configDir, canaryTo ?? `postmaster@${internal}`, clock())
      const { faults, queueId, passedAs, end } = flight
      const good = words`${queueId ?? ''} passed the gate as ${passedAs ?? ''}: ${end ?? ''}`
      const level = worst(faults.map((fault) => fault.level))
      findings.push({ check: 'canary', level, good: level === 'good' ? good : '', faults })
    } catch (error) {
      findings.push(broken('canary', error))
    }
  }
  return flight === undefined ? { findings } : { findings, flight }
}

/** One line, as monitoring shows it. */
function summary(findings: readonly Finding[]): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length
  const state = worst(findings.map(({ level }) => level))
  const word = state === 'good' ? 'OK' : state.toUpperCase()
  return words`TOEH ${word}: ${count('critical')} critical, ${count('warning')} warnings, ${count('unknown')} unknown, ${count('good')} good`
}

function told(level: Level, text: string): string {
  switch (level) {
    case 'good':
      return words`good      ${text}`
    case 'unknown':
      return words`unknown   ${text}`
    case 'warning':
      return words`warning   ${text}`
    case 'critical':
      return words`critical  ${text}`
  }
}

function describe({ check, good, faults }: Finding): string[] {
  if (faults.length === 0) return [told('good', `${check}: ${good}`)]
  return faults.flatMap((fault) => [
    told(fault.level, `${check}: ${fault.what}`),
    `          ${fault.why}`,
    ...('affects' in fault ? [words`          affects ${fault.affects}`] : []),
    ...fault.mend.map((command) => `          # ${command}`),
  ])
}

const module: CommandModule = {
  command: 'doctor',
  describe: 'check Postfix and this installation; say what mends it',
  builder: (yargs: Argv) =>
    yargs
      .option('config-dir', {
        type: 'string',
        requiresArg: true,
        describe: "another Postfix instance's configuration folder",
      })
      .option('canary', {
        type: 'boolean',
        default: false,
        describe: 'send one message round the whole loop',
      })
      .option('canary-to', {
        type: 'string',
        requiresArg: true,
        describe: 'to whom (default postmaster of the first internal domain)',
      })
      .example('toeh doctor', 'as root, after every change of Postfix'),
  handler: async (args) => {
    const options = args as unknown as Options
    demandTrustedInstance('doctor --config-dir', options.configDir)
    const { findings, flight } = await look(options)
    const status = worst(findings.map(({ level }) => level))
    const commands = mends(findings)
    if (
      commands.some((command) =>
        /^(?:postconf|(?:MAIL_CONFIG=\S+ )?toeh (?:express|init --postfix)) /.test(command),
      )
    ) {
      const reload = instanceCommand({ configDir: options.configDir }, 'postfix', 'reload')
      if (!commands.includes(reload)) commands.push(reload)
    }
    const lines = [summary(findings), '', ...findings.flatMap(describe)]
    if (commands.length > 0) lines.push('', words`What mends it, in a root shell:`, '', ...commands)
    answer(
      options,
      { status, checks: findings, mend: commands, ...(flight === undefined ? {} : { canary: flight }) },
      lines,
    )
    process.exitCode = HEALTH[status]
  },
}
export default module
