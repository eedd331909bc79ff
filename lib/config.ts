/**
 * The configuration: TOML, checked whole, unknown keys refused by name and line.
 *
 * It is long because every setting stands in it with its limits and what is said of a wrong one.
 */
import { closeSync, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { parse, TomlError } from 'smol-toml'
import { EXIT } from './exit.js'
import { describeError, Failure } from './failure.js'
import { foldAscii, parseAddress, parseDomain, parseOwnDomain } from './mail/address.js'
import { type Company, type Delimiters, FOREIGN, isDelimiters, mailboxOf } from './mail/mailbox.js'
import type { Transport } from './mail/transaction.js'
import { visible } from './text/visible.js'

export const DEFAULT_CONFIG_PATH = '/etc/toeh/toeh.toml'

/** The one literal of defaults, in the words of the file; examples/toeh.toml states each of them. */
export const DEFAULTS = {
  mode: 'enforce',
  state: '/var/lib/toeh',
  internal_domains: [] as string[],
  sender_domains: [] as string[],
  senders: [] as string[],
  recipient_delimiter: 'unknown',
  reinject: 'smtp:127.0.0.1:10026',
  deadline_seconds: 60,
  answer_seconds: 600,
  busy_seconds: 5,
  expire_days: 14,
  automatic_expire_hours: 72,
  language: 'en',
  approvers: [] as string[],
  trusted_milters: [] as string[],
  notice: {
    enabled: true,
    from: '',
    contact: '',
    interval_minutes: 60,
    remind_hours: 48,
  },
  limits: {
    free_megabytes: 100,
    hold_messages: 0,
    hold_megabytes: 0,
  },
  people: {
    group: '',
  },
  express: {
    enabled: false,
  },
  moderate: {
    enabled: false,
    address: '',
    expire_hours: 168,
    logins: {} as Record<string, string>,
    authserv_id: '',
    received_by: [] as string[],
    relays: [] as string[],
    two: [] as string[],
  },
  landscape: {
    shared: [] as string[],
  },
  retention: {
    settled_days: 365,
    decision_log_days: 365,
    audit_days: 3650,
  },
  groups: {} as Record<string, string[]>,
}

export interface Config {
  /** Where it was read from. */
  path: string
  mode: 'enforce' | 'observe'
  /** The state folder. */
  state: string
  /** Folded, as A-labels. */
  internal: ReadonlySet<string>
  /** Who sends as the company besides: folded addresses, and `@domain`. */
  senders: ReadonlySet<string>
  delimiters: Delimiters
  reinject: Transport
  deadlineSeconds: number
  answerSeconds: number
  busySeconds: number
  expireDays: number
  /** The same of automatic mail. */
  automaticExpireHours: number
  /** How long is kept what cleanup removes. */
  retention: { settledDays: number; decisionLogDays: number; auditDays: number }
  language: 'en' | 'fr'
  approvers: string[]
  /** Milters, as smtpd_milters names them, that add no recipients. */
  trustedMilters: string[]
  /** Members folded: addresses and `@domain`. */
  groups: ReadonlyMap<string, readonly string[]>
  /** Folded, as A-labels: domains that are no one company's, with all below them. */
  shared: ReadonlySet<string>
  /** The system's group whose members may decide; empty: whoever can open the state folder. */
  people: { group: string }
  notice: { enabled: boolean; from: string; contact: string; intervalMinutes: number; remindHours: number }
  /** Each 0 where there is none. */
  limits: Limits
  express: { enabled: boolean }
  /** Approval by mail. */
  moderate: Moderate
}

export interface Moderate {
  enabled: boolean
  /** Where answers arrive; empty where it is off. */
  address: string
  /** How long a notice can be answered. */
  expireHours: number
  /** SASL login → approver's address. */
  logins: ReadonlyMap<string, string>
  /** The name our own milter writes into Authentication-Results; empty: only logins count. */
  authservId: string
  /** Folded. */
  receivedBy: string[]
  /** Addresses of servers of ours whose mail through the gate is his whose sender it has. */
  relays: string[]
  /** Names of groups whose mail needs two approvers. */
  two: string[]
}

export interface Limits {
  /** Bytes that have to stay free on the state folder's file system. */
  free: number
  /** The most messages that may wait, and the most bytes of them. */
  holdMessages: number
  holdBytes: number
}

/** What the decision has to know of it, whatever else the file says. */
export function companyOf({ internal, senders, groups, delimiters, moderate }: Config): Company {
  return { internal, senders, groups, delimiters, logins: moderate.logins }
}

/** What the ending of a sendmail that hangs may take, in seconds (lib/mail/sendmail.ts). */
const ENDING_SECONDS = 10

/**
 * Seconds that a run of toeh-filter may take until it has a verdict. A locked database is waited for without the event loop, so
 * that the deadline is seen late: before and after it, and once more where the answer is a refusal that has to be parked.
 */
export function longestRun(
  config: Pick<Config, 'deadlineSeconds' | 'answerSeconds' | 'busySeconds'>,
): number {
  return config.deadlineSeconds + config.answerSeconds + 3 * config.busySeconds + ENDING_SECONDS
}

const MEGABYTE = 1024 * 1024
/** Of `notice.contact`: a name, a telephone number, an address. */
const CONTACT_CHARACTERS = 200

type Table = Record<string, unknown>

/** The line a key stands on, counted from 1: for people who have to find it. */
function lineOf(text: string, table: string, key: string): number {
  const full = table === '' ? key : `${table}.${key}`
  let current = ''
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]/.exec(line)?.[1]
    if (header !== undefined) current = header
    const name = /^\s*(?:"([^"]*)"|'([^']*)'|([^\s=]+?))\s*=/
      .exec(line)
      ?.slice(1)
      .find((part) => part !== undefined)
    if (current === table && name === key) return index + 1
    // A table that is unknown altogether, or a dotted key.
    if (header === full || name?.startsWith(`${key}.`) || name === full) return index + 1
  }
  return 1
}

/** The words of a complaint hold what the file holds, and that may be anything. */
function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/** A path as system calls take it: absolute, and nothing in it that is not to be seen. */
function isPath(text: string): boolean {
  return text.startsWith('/') && visible(text) === text
}

/** Reads and checks values of one file; every complaint names the file, the line and the key. */
class Reader {
  readonly #path: string
  readonly #text: string

  constructor(path: string, text: string) {
    this.#path = path
    this.#text = text
  }

  wrong(table: string, key: string, why: string): Failure {
    const name = table === '' ? key : `${table}.${key}`
    return new Failure('configuration', visible(`${shorten(name)}: ${shorten(why)}`), {
      at: `${this.#path}:${lineOf(this.#text, table, key)}`,
      status: EXIT.config,
    })
  }

  /** `values` over `defaults`: only known keys, each of its default's type. */
  merge<T extends Table>(table: string, values: Table, defaults: T): T {
    const merged: Table = { ...defaults }
    for (const [key, value] of Object.entries(values)) {
      const standard = Object.hasOwn(defaults, key) ? defaults[key] : undefined
      if (standard === undefined) throw this.wrong(table, key, 'there is no such setting')
      if (standard === DEFAULTS.groups && isTable(value)) merged[key] = this.lists(key, value)
      else if (standard === DEFAULTS.moderate.logins && isTable(value))
        merged[key] = this.texts(table, key, value)
      else if (isTable(standard) && isTable(value)) merged[key] = this.merge(key, value, standard)
      else if (kindOf(value) === kindOf(standard)) merged[key] = value
      else throw this.wrong(table, key, `it must be ${kindOf(standard)}, not ${kindOf(value)}`)
    }
    return merged as T
  }

  /** A table whose keys are the reader's own: each a list of texts. */
  lists(table: string, values: Table): Record<string, string[]> {
    for (const [key, value] of Object.entries(values)) {
      const kind = kindOf(value)
      if (kind !== 'a list of texts') throw this.wrong(table, key, `it must be a list of texts, not ${kind}`)
    }
    return values as Record<string, string[]>
  }

  /** The same where each is a text. */
  texts(table: string, key: string, values: Table): Record<string, string> {
    for (const [name, value] of Object.entries(values)) {
      const kind = kindOf(value)
      if (kind !== 'a text')
        throw this.wrong(table, key, `${JSON.stringify(name)}: it must be a text, not ${kind}`)
    }
    return values as Record<string, string>
  }
}

function parseModerate(
  reader: Reader,
  file: typeof DEFAULTS,
  { internal, delimiters }: { internal: readonly string[]; delimiters: Delimiters },
  expireHours: number,
): Moderate {
  const {
    enabled,
    address,
    logins,
    authserv_id: authservId,
    received_by: receivedBy,
    relays,
    two,
  } = file.moderate
  const wrong = (key: string, why: string): Failure => reader.wrong('moderate', key, why)
  const own = parseAddress(address)
  if (address !== '' || enabled) {
    if (!own.plain)
      throw wrong(address === '' ? 'enabled' : 'address', 'moderate.address must be one plain address')
    if (!internal.includes(own.domain)) throw wrong('address', 'its domain must be one of internal_domains')
  }
  const approvers = new Set(file.approvers.map(foldAscii))
  for (const [login, approver] of Object.entries(logins)) {
    if (!approvers.has(foldAscii(approver)))
      throw wrong('logins', `${JSON.stringify(login)}: ${JSON.stringify(approver)} is not one of approvers`)
  }
  if (authservId !== '' && !/^[A-Za-z0-9._-]+$/.test(authservId))
    throw wrong('authserv_id', 'it must be a name without blanks')
  for (const name of receivedBy)
    if (!/^[A-Za-z0-9._-]+$/.test(name)) throw wrong('received_by', `${JSON.stringify(name)} is no host name`)
  for (const name of relays)
    if (!/^(?:[0-9]+(?:\.[0-9]+){3}|[0-9a-f]*:[0-9a-f:.]*)$/.test(name))
      throw wrong('relays', `${JSON.stringify(name)}: it must be one address, as Postfix logs it`)
  for (const name of two)
    if (!Object.hasOwn(file.groups, name))
      throw wrong('two', `there is no group ${JSON.stringify(name)} in [groups]`)
  const people = new Set([...approvers].map((approver) => mailboxOf(approver, delimiters)))
  if (enabled && two.length > 0 && people.size < 2) throw wrong('two', 'it needs two approvers')
  return {
    enabled,
    address,
    expireHours,
    logins: new Map(Object.entries(logins)),
    authservId,
    receivedBy: receivedBy.map(foldAscii),
    relays,
    two,
  }
}

function parseGroups(
  reader: Reader,
  groups: Record<string, string[]>,
  internal: ReadonlySet<string>,
): Map<string, string[]> {
  const parsed = Object.entries(groups).map(([name, members]): [string, string[]] => {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) {
      throw reader.wrong('groups', name, 'a name is lower-case letters, digits and hyphens')
    }
    if (name === FOREIGN)
      throw reader.wrong('groups', name, 'that name is for mail of senders who are not ours (--for foreign)')
    const folded = members.map((member) => {
      const address = parseAddress(member.startsWith('@') ? `x${member}` : member, internal)
      if (!address.plain) throw reader.wrong('groups', name, `${JSON.stringify(member)}: ${address.fault}`)
      return member.startsWith('@') ? `@${address.domain}` : address.key
    })
    return [name, folded]
  })
  return new Map(parsed)
}

/**
 * Two settings of [retention] stood by themselves in earlier versions, and are taken there too.
 * @returns those that do
 */
function moveRetention(reader: Reader, values: Table): ReadonlySet<string> {
  const moved = ['decision_log_days', 'audit_days'].filter((key) => Object.hasOwn(values, key))
  const { retention = {} } = values
  if (moved.length === 0) return new Set()
  if (!isTable(retention)) throw reader.wrong('', 'retention', `it must be a table, not ${kindOf(retention)}`)
  for (const key of moved) {
    if (Object.hasOwn(retention, key)) throw reader.wrong('', key, 'it stands in [retention] as well')
    if (kindOf(values[key]) !== 'a number')
      throw reader.wrong('', key, `it must be a number, not ${kindOf(values[key])}`)
    retention[key] = values[key]
    delete values[key]
  }
  values.retention = retention
  return new Set(moved)
}

function parseShared(
  reader: Reader,
  names: readonly string[],
  internal: ReadonlySet<string>,
): ReadonlySet<string> {
  const parsed = names.map((name) => {
    const domain = parseDomain(name.replace(/^@/, ''))
    if (!domain.plain) throw reader.wrong('landscape', 'shared', `${JSON.stringify(name)}: ${domain.fault}`)
    if (internal.has(domain.domain))
      throw reader.wrong('landscape', 'shared', `${JSON.stringify(name)} is one of internal_domains`)
    return domain.domain
  })
  return new Set(parsed)
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

function kindOf(value: unknown): string {
  if (Array.isArray(value))
    return value.every((item) => typeof item === 'string') ? 'a list of texts' : 'a list'
  if (typeof value === 'string') return 'a text'
  if (typeof value === 'boolean') return 'true or false'
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number'
  return isTable(value) ? 'a table' : 'a date'
}

/** Whether a host is a literal address of this machine alone: of 127.0.0.0/8, or `::1`. */
function isLoopback(host: string): boolean {
  const parts = host.split('.')
  const isOctet = (part: string): boolean => String(Number(part)) === part && Number(part) <= 255
  return host === '::1' || (parts.length === 4 && parts[0] === '127' && parts.every(isOctet))
}

/** `smtp:ADDRESS:PORT` on loopback or `sendmail:/PATH`; anything else is undefined. */
function parseTransport(text: string): Transport | undefined {
  const [, ipv4, ipv6, port] = /^smtp:(?:([0-9.]+)|\[([0-9a-fA-F:]+)\]):([0-9]{1,5})$/.exec(text) ?? []
  const host = ipv4 ?? ipv6
  if (host !== undefined) {
    const number = Number(port)
    return isLoopback(host) && number > 0 && number < 65536 ? { kind: 'smtp', host, port: number } : undefined
  }
  const path = /^sendmail:(\/.+)$/.exec(text)?.[1]
  return path === undefined || !isPath(path) ? undefined : { kind: 'sendmail', path }
}

/**
 * Parses and checks a configuration.
 * @throws Failure (EX_CONFIG) that names file, line and setting
 */
export function parseConfig(path: string, text: string): Config {
  let values: Table
  try {
    values = parse(text)
  } catch (error) {
    // Whatever else the parser throws is the file's fault too.
    const [line, message] =
      error instanceof TomlError ? [error.line, error.message] : [1, describeError(error)]
    const why = message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? 'it is no TOML'
    throw new Failure('configuration', visible(shorten(why)), {
      at: `${path}:${line}`,
      status: EXIT.config,
      cause: error,
    })
  }
  const reader = new Reader(path, text)
  const earlier = moveRetention(reader, values)
  const file = reader.merge('', values, DEFAULTS)
  const oneOf = <T extends string>(key: 'mode' | 'language', choices: readonly T[]): T => {
    const choice = choices.find((one) => one === file[key])
    if (choice === undefined) throw reader.wrong('', key, `it must be one of ${choices.join(', ')}`)
    return choice
  }
  const whole = (table: string, key: string, value: number, least: number, most: number): number => {
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw reader.wrong(table, key, `it must be a whole number from ${least} to ${most}`)
  }
  const days = (key: keyof typeof DEFAULTS.retention, least: number): number =>
    whole(earlier.has(key) ? '' : 'retention', key, file.retention[key], least, 36500)
  const internal = file.internal_domains.map((name) => {
    const domain = parseOwnDomain(name)
    if (!domain.plain) throw reader.wrong('', 'internal_domains', `${JSON.stringify(name)}: ${domain.fault}`)
    return domain.domain
  })
  if (internal.length === 0) {
    throw reader.wrong(
      '',
      'internal_domains',
      "it must name the company's own domains, as Postfix knows them",
    )
  }
  const own = new Set(internal)
  const senderDomains = file.sender_domains.map((name) => {
    const domain = parseDomain(name, own)
    if (!domain.plain) throw reader.wrong('', 'sender_domains', `${JSON.stringify(name)}: ${domain.fault}`)
    return `@${domain.domain}`
  })
  const senders = file.senders.map((name) => {
    const address = parseAddress(name, own)
    if (!address.plain) throw reader.wrong('', 'senders', `${JSON.stringify(name)}: ${address.fault}`)
    return address.key
  })
  const delimiters = file.recipient_delimiter === 'unknown' ? undefined : file.recipient_delimiter
  if (delimiters !== undefined && !isDelimiters(delimiters)) {
    const why =
      'it must be as `postconf -h recipient_delimiter` shows it (signs, no letters or digits), or "unknown"'
    throw reader.wrong('', 'recipient_delimiter', why)
  }
  for (const name of file.approvers) {
    const address = parseAddress(name)
    if (!address.plain) throw reader.wrong('', 'approvers', `${JSON.stringify(name)}: ${address.fault}`)
  }
  for (const name of file.trusted_milters) {
    if (!/^[^\s:]+:\S+$/.test(name))
      throw reader.wrong(
        '',
        'trusted_milters',
        `${JSON.stringify(name)}: it must be as smtpd_milters names it, inet:HOST:PORT or unix:/PATH`,
      )
  }
  const home = internal.find((domain) => domain.includes('.')) ?? internal[0]
  const from = file.notice.from === '' ? `toeh@${home}` : file.notice.from
  if (!parseAddress(from, own).plain) throw reader.wrong('notice', 'from', 'it must be one plain address')
  const { contact } = file.notice
  if (visible(contact) !== contact || [...contact].length > CONTACT_CHARACTERS)
    throw reader.wrong(
      'notice',
      'contact',
      `it must be one line of at most ${CONTACT_CHARACTERS} characters, each of them visible`,
    )
  const reinject = parseTransport(file.reinject)
  if (reinject === undefined) {
    throw reader.wrong(
      '',
      'reinject',
      'it must be smtp:127.0.0.1:PORT (a literal loopback address) or sendmail:/PATH',
    )
  }
  const { group } = file.people
  if (group !== '' && !/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(group))
    throw reader.wrong('people', 'group', 'it must be the name of one group of this system')
  if (!isPath(file.state)) throw reader.wrong('', 'state', 'it must be an absolute path')
  return {
    path,
    mode: oneOf('mode', ['enforce', 'observe'] as const),
    state: file.state,
    internal: own,
    senders: new Set([...senderDomains, ...senders]),
    delimiters,
    reinject,
    deadlineSeconds: whole('', 'deadline_seconds', file.deadline_seconds, 1, 3600),
    answerSeconds: whole('', 'answer_seconds', file.answer_seconds, 1, 3600),
    busySeconds: whole('', 'busy_seconds', file.busy_seconds, 0, 600),
    expireDays: whole('', 'expire_days', file.expire_days, 1, 3650),
    automaticExpireHours: whole('', 'automatic_expire_hours', file.automatic_expire_hours, 1, 87600),
    retention: {
      settledDays: days('settled_days', 7),
      decisionLogDays: days('decision_log_days', 1),
      auditDays: days('audit_days', 1),
    },
    language: oneOf('language', ['en', 'fr'] as const),
    approvers: file.approvers,
    trustedMilters: file.trusted_milters,
    groups: parseGroups(reader, file.groups, own),
    shared: parseShared(reader, file.landscape.shared, own),
    people: { group },
    notice: {
      enabled: file.notice.enabled,
      from,
      contact,
      intervalMinutes: whole('notice', 'interval_minutes', file.notice.interval_minutes, 0, 10080),
      remindHours: whole('notice', 'remind_hours', file.notice.remind_hours, 0, 87600),
    },
    limits: {
      free: MEGABYTE * whole('limits', 'free_megabytes', file.limits.free_megabytes, 0, 1_000_000_000),
      holdMessages: whole('limits', 'hold_messages', file.limits.hold_messages, 0, 1_000_000_000),
      holdBytes: MEGABYTE * whole('limits', 'hold_megabytes', file.limits.hold_megabytes, 0, 1_000_000_000),
    },
    express: { enabled: file.express.enabled },
    moderate: parseModerate(
      reader,
      file,
      { internal, delimiters },
      whole('moderate', 'expire_hours', file.moderate.expire_hours, 1, 8760),
    ),
  }
}

/** Reads what was looked at, not what has come to stand under its name since. */
function readTrusted(path: string, demandTrust: (stat: Stats) => void): string {
  const fd = openSync(path, 'r')
  try {
    demandTrust(fstatSync(fd))
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/**
 * Reads the configuration file.
 * @param demandTrust is shown the file before it is read, and throws where its word is not to count
 * @throws Failure (EX_CONFIG) when it cannot be read or is wrong
 */
export function loadConfig(path: string, demandTrust?: (stat: Stats) => void): Config {
  let text: string
  try {
    text = demandTrust === undefined ? readFileSync(path, 'utf8') : readTrusted(path, demandTrust)
  } catch (error) {
    if (error instanceof Failure) throw error
    const denied = (error as { code?: unknown }).code === 'EACCES'
    throw new Failure('configuration', describeError(error), {
      at: path,
      status: denied ? EXIT.noPermission : EXIT.config,
      hint: denied ? 'it is for root and the filter' : 'toeh init makes one',
      cause: error,
    })
  }
  return parseConfig(path, text)
}
