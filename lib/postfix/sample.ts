/** The samples of the package with this host's values: what `toeh init` prints, and `toeh doctor` compares with. */
import { execFileSync, type StdioOptions } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Config, DEFAULT_CONFIG_PATH } from '../config.js'
import type { Delimiters } from '../mail/mailbox.js'
import { packagePath } from '../system/package.js'
import { quote } from './settings.js'

/**
 * The sample configuration with what is this host's; what is left out stays at its default. It begins by observing: a person
 * says when mail is held (`toeh mode enforce`).
 */
export function sampleConfig(
  state: string,
  domains: readonly string[],
  delimiters: Delimiters = undefined,
  people: Partial<Pick<Config, 'approvers' | 'language'>> = {},
): string {
  const values = {
    ...people,
    mode: 'observe',
    state,
    internal_domains: domains,
    recipient_delimiter: delimiters,
  }
  let text = readFileSync(packagePath('examples/toeh.toml'), 'utf8')
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    text = text.replace(new RegExp(`^${name} = .*$`, 'm'), () => `${name} = ${JSON.stringify(value)}`)
  }
  return text
}

/** A user's own group; one that does not exist yet will have one of his name. */
function groupOf(user: string): string {
  try {
    const stdio: StdioOptions = ['ignore', 'pipe', 'ignore']
    return execFileSync('id', ['-gn', '--', user], { encoding: 'utf8', stdio }).trim()
  } catch {
    return user
  }
}

/** What runs `toeh` on this host, whatever PATH it is started with: Node and the program, each by its path. */
export function commandWords(): string[] {
  return [process.execPath, packagePath('dist/bin/toeh.cjs')]
}

/** Where a configuration that is not in its usual place is named. */
function configWords({ path }: Config): string[] {
  return path === DEFAULT_CONFIG_PATH ? [] : [`--config=${path}`]
}

/** Where docs/backup.md has backups. */
export const BACKUPS = '/var/backups/toeh'

/**
 * The lines for a file of cron.d(5), as Debian's cron has it: by whom stands behind the time. Cron's PATH has no /usr/local, and what
 * starts with `env node` finds no Node there.
 */
export function cronLines(user: string, config: Config): string[] {
  const line = (when: string, ...args: string[]): string => {
    const command = [...commandWords(), ...args, ...configWords(config)].map(quote).join(' ')
    // An unquoted % is a line end to cron (crontab(5)).
    return `${when}  ${user}  ${command.replaceAll('%', '\\%')}`
  }
  return [
    '# TOEH, as toeh init --cron prints it: programs by their paths, because cron has a PATH of its own.',
    `# The last line needs: install -d -o ${user} -g ${groupOf(user)} -m 0700 ${BACKUPS}`,
    line('17 * * * *', 'cleanup'),
    line('5 8-18 * * 1-5', 'digest'),
    line('31 2 * * *', 'backup', BACKUPS, '--keep', '14'),
  ]
}

/** The service of master.cf that takes approvers' answers (docs/moderate.md). */
export function moderateService(user: string, config: Config): string {
  const attributes = `flags=q user=${user}:${groupOf(user)} directory=${config.state} null_sender=`
  const macros = { sender: 'sender', 'queue-id': 'queue_id', 'sasl-user': 'sasl_username' }
  const given = Object.entries(macros).map(([option, macro]) => `--${option}=\${${macro}}`)
  const argv = [...commandWords(), 'moderate', ...configWords(config), ...given]
  return `toeh-moderate unix - n n - 1 pipe -o soft_bounce=yes ${attributes} argv=${argv.join(' ')}`
}

/** master.cf.sample for this host: program, user, state folder, configuration, and the way on. */
export function sampleMaster(user: string, config: Config): string {
  const group = groupOf(user)
  const filter = `${packagePath('dist/bin/toeh-filter')} --node=${process.execPath}`
  const where = config.path === DEFAULT_CONFIG_PATH ? '' : ` --config=${config.path}`
  const text = readFileSync(packagePath('master.cf.sample'), 'utf8')
    .replace('user=toeh:toeh', `user=${user}:${group}`)
    .replace('directory=/var/lib/toeh', `directory=${config.state}`)
    .replace('argv=/usr/lib/toeh/toeh-filter', `argv=${filter}${where}`)
  if (config.reinject.kind !== 'smtp') return text
  const { host, port } = config.reinject
  const v6 = host.includes(':')
  return text
    .replace('127.0.0.1:10026 inet', `${v6 ? `[${host}]` : host}:${port} inet`)
    .replaceAll('=127.0.0.0/8', v6 ? '=[::1]/128' : '=127.0.0.0/8')
}
