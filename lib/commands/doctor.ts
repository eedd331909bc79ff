/** toeh doctor: says for each point of what Postfix and TOEH owe one another whether it is good, and what mends it. */
import type { Argv, CommandModule } from 'yargs'
import { type Flight, flyCanary } from '../canary.js'
import { examine, type Finding, mends, worst } from '../checkup.js'
import type { Config } from '../config.js'
import { answer, type CommonOptions, clock, configPath } from '../desk.js'
import { HEALTH } from '../exit.js'
import type { Fault, Level } from '../facts.js'
import { describeError } from '../failure.js'
import { gatherFacts } from '../installation.js'
import { instanceCommand } from '../setup.js'
import { words } from '../speech.js'
import { demandTrustedInstance, loadTrusted } from '../trust.js'

interface Options extends CommonOptions {
  configDir?: string
  canary: boolean
  canaryTo?: string
}

/** A finding of what stops all the others. */
function broken(check: string, error: unknown): Finding {
  const why = words`nothing else can be looked at before`
  const fault: Fault = { level: 'critical', what: describeError(error), why, mend: [] }
  return { check, level: 'critical', good: '', faults: [fault] }
}

async function look(options: Options): Promise<{ findings: Finding[]; flight?: Flight }> {
  let config: Config
  try {
    config = loadTrusted(configPath(options))
  } catch (error) {
    return { findings: [broken('configuration', error)] }
  }
  const { configDir, canaryTo } = options
  const findings: Finding[] = []
  let flight: Flight | undefined
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
  return faults.flatMap(({ level, what, why, mend }) => [
    told(level, `${check}: ${what}`),
    `          ${why}`,
    ...mend.map((command) => `          # ${command}`),
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
    if (commands.some((command) => /^(?:postconf|toeh express) /.test(command))) {
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
