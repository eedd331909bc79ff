/** The installation: owner, folders, configuration and database. What is there stays. */
import { execFileSync } from 'node:child_process'
import { existsSync, lchownSync, mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, resolve } from 'node:path'
import { clock, configPath } from '../cli/context.js'
import { type Earlier, type Folder, makeFolder, send } from '../cli/errand.js'
import { loadTrusted } from '../cli/trust.js'
import { type Config, DEFAULT_CONFIG_PATH, DEFAULTS, parseConfig } from '../config.js'
import { archiveFaults } from '../doctor/archives.js'
import { ownerOf } from '../doctor/gather.js'
import { findArchives } from '../doctor/gatherarchives.js'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import { parseOwnDomain } from '../mail/address.js'
import { faultIn } from '../mail/addressfault.js'
import { type Delimiters, isDelimiters } from '../mail/mailbox.js'
import { type AddressClasses, readAddressClasses, readDelimiters } from '../postfix/postconf.js'
import { BACKUPS, sampleConfig } from '../postfix/sample.js'
import { quote } from '../postfix/settings.js'
import { demandReach } from '../system/owner.js'
import { spoken, words } from '../text/translate.js'
import { modeCommand } from './modeline.js'
import type { InitOptions } from './options.js'
import { demandPeople, findPeople } from './people.js'

interface Owner {
  name: string
  uid: number
  gid: number
}

/** Whose the state folder is, where there is one that is not root's. */
function ownerOfState(options: InitOptions): string | undefined {
  const path = configPath(options)
  if (!existsSync(path)) return undefined
  return ownerOf(loadTrusted(path).state)
}

/** The user who is to own everything. Root makes it for the filter's user, anybody else for himself. */
export function findOwner(options: InitOptions): Owner {
  const me = { name: userInfo().username, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  if (me.uid !== 0) return me
  const name = options.user ?? ownerOfState(options) ?? 'toeh'
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, '--', name], { stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    return { name, uid: id('-u'), gid: id('-g') }
  } catch {
    throw new Failure('init', words`there is no such user`, {
      at: name,
      status: EXIT.usage,
      hint: `adduser --system --group --home /var/lib/toeh --no-create-home ${name}`,
    })
  }
}

/** The internal domains to begin with, and what the reader should know of them. */
async function findInternal(options: InitOptions): Promise<{ domains: string[]; remarks: string[] }> {
  if (options.internal !== undefined) {
    const domains = options.internal.map((text) => {
      const domain = parseOwnDomain(text)
      if (domain.plain) return domain.domain
      throw new Failure('init --internal', faultIn(spoken(), domain.fault), {
        at: JSON.stringify(text),
        status: EXIT.usage,
      })
    })
    return { domains, remarks: [] }
  }
  const hint = words`name the company's domains: toeh init --internal company.example`
  let classes: AddressClasses
  try {
    classes = await readAddressClasses(options.configDir)
  } catch (error) {
    const why = words`Postfix cannot be asked for its domains: ${describeError(error)}`
    throw new Failure('init', why, { status: EXIT.usage, hint })
  }
  if (classes.domains.length === 0)
    throw new Failure('init', words`Postfix names no domain of its own here`, { status: EXIT.usage, hint })
  const remarks = classes.tables.map(
    (table) => words`look into ${table}: add its domains to internal_domains`,
  )
  return { domains: classes.domains, remarks }
}

/** Postfix's own domains that a configuration does not have, as one that was made before Postfix was set up. */
async function lackingDomains({ internal, path }: Config, { configDir }: InitOptions): Promise<string[]> {
  const classes = await readAddressClasses(configDir).catch(() => undefined)
  const lacking = classes?.domains.filter((domain) => !internal.has(domain)) ?? []
  if (lacking.length === 0) return []
  return [
    words`${path} lacks domains that Postfix has as its own: ${lacking.join(', ')}. Mail to them and from them is held. If they are yours, add them to internal_domains.`,
  ]
}

/** Postfix's recipient_delimiter, where it can be asked and the configuration can have it; doctor speaks of the rest. */
async function findDelimiters({ configDir }: InitOptions): Promise<Delimiters> {
  const value = await readDelimiters(configDir).catch(() => undefined)
  return value !== undefined && isDelimiters(value) ? value : undefined
}

function describeFolder({ path, made, wrong }: Folder, owner: Owner): string {
  if (made) return words`${path} made, for ${owner.name} alone`
  return wrong.length === 0
    ? words`${path} is there`
    : words`${path} is there, but not for ${owner.name} alone: ${wrong.join('; ')}`
}

export interface Plan {
  path: string
  owner: Owner
  config: Config
  /** The configuration that is to be written, where there is none. */
  text: string | undefined
  remarks: string[]
  /** What is to be made known, each with its command. */
  offers: string[]
}

/** What is to be made; nothing is, yet. */
export async function draw(options: InitOptions): Promise<Plan> {
  const path = resolve(configPath(options))
  const owner = findOwner(options)
  if (existsSync(path)) {
    const config = loadTrusted(path)
    demandPeople(options, config)
    const offers = [
      ...(await lackingDomains(config, options)),
      ...(await offerArchives(config, options.configDir)),
    ]
    return { path, owner, config, text: undefined, remarks: [], offers }
  }
  const { domains, remarks } = await findInternal(options)
  const text = sampleConfig(
    resolve(options.state),
    domains,
    await findDelimiters(options),
    await findPeople(options),
  )
  const config = parseConfig(path, text)
  return { path, owner, config, text, remarks, offers: await offerArchives(config, options.configDir) }
}

/** What becomes of mail that nobody knows, and the command that changes that. */
export function describeMode({ mode, path }: Config): string[] {
  return [
    mode === 'observe'
      ? words`It begins by observing: everything passes, and the decision log says what would have been held. What ends that, and shows it first: ${modeCommand('enforce', path)}`
      : words`What goes outside waits from now on until somebody says yes. To watch first: ${modeCommand('observe', path)}`,
  ]
}

/** A database was here: an empty one in its place would know nobody, and nothing that waits. */
export function lost(config: Config, path: string, { messages, days, backup }: Earlier): Failure {
  const [first = '', last = first] = [days[0], days.at(-1)]
  const signs = [
    ...(messages > 0 ? [words`messages in the hold (${messages})`] : []),
    ...(days.length > 0 ? [words`a decision log of ${first} to ${last}`] : []),
    ...(backup === null ? [] : [words`the backup ${backup}`]),
  ]
  const where = config.path === DEFAULT_CONFIG_PATH ? '' : ` --config ${quote(config.path)}`
  const from = backup === null ? '' : ` --backup ${quote(backup)}`
  return new Failure('init', words`it is gone, and there was one here: ${signs.join(', ')}`, {
    at: path,
    status: EXIT.failed,
    hint: words`to restore it: ${`toeh fsck --repair${from}${where}`} (docs/backup.md); to begin without it: ${`toeh init --anew${where}`}`,
  })
}

/** Makes configuration, folders and database; what is there is left. @returns what was done, in lines */
export async function build({ path, owner, config, text, remarks }: Plan, anew: boolean): Promise<string[]> {
  const lines: string[] = []
  if (process.getuid?.() === 0 && owner.uid !== 0) demandReach(owner)
  // The modes below are meant: under a root's umask of 077 the filter could not read its configuration.
  process.umask(0o022)
  if (text === undefined) lines.push(words`${path} is there`)
  else {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    writeFileSync(path, text, { flag: 'wx', mode: 0o640 })
    lchownSync(path, process.getuid?.() ?? owner.uid, owner.gid)
    lines.push(words`${path} made, internal domains: ${[...config.internal].join(', ')}`, ...remarks)
  }
  const { state, busySeconds } = config
  lines.push(describeFolder(makeFolder(state, owner), owner))
  process.umask(0o077)
  // What lies in it is made without root's rights: it is the owner's to put links there.
  const place = state === DEFAULTS.state ? BACKUPS : undefined
  const { folders, database, earlier } = await send(
    'furnish',
    { state, owner, busySeconds, place, anew },
    owner,
  )
  if (earlier !== undefined) throw lost(config, database.path, earlier)
  lines.push(...folders.map((folder) => describeFolder(folder, owner)))
  lines.push(database.made ? words`${database.path} made` : words`${database.path} is there`)
  return lines
}

/** Outside addresses that Postfix copies mail to, each with the command that makes it known. */
export async function offerArchives(config: Config, configDir: string | undefined): Promise<string[]> {
  const copies = await findArchives(config, configDir, clock())
  if (copies === undefined) return []
  return archiveFaults(copies, config.path).map(({ what, why }) => `${what}: ${why}`)
}
