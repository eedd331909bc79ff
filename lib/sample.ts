/** The samples of the package with this host's values: what `toeh init` prints, and `toeh doctor` compares with. */
import { execFileSync, type StdioOptions } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Config, DEFAULT_CONFIG_PATH } from './config.js'
import type { Delimiters } from './mailbox.js'
import { packagePath } from './package.js'

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
