/** The unit: what systemd's sandbox of Postfix takes from Node, by its properties (systemd.exec(5)). Pure. */

import { gateOf, quote } from '../postfix/settings.js'
import { words } from '../text/translate.js'
import type { Check, Facts, Fault, UnitFact } from './facts.js'

/** What a trial of the filter is given of the unit (systemd-run(1)); the rest is Postfix's own matter. */
const SANDBOX = [
  ...['MemoryDenyWriteExecute', 'SystemCallFilter', 'SystemCallErrorNumber', 'SystemCallArchitectures'],
  ...['ProtectSystem', 'ProtectHome', 'ReadWritePaths', 'ReadOnlyPaths', 'InaccessiblePaths'],
  ...['ExecPaths', 'NoExecPaths', 'PrivateDevices', 'PrivateTmp', 'RootDirectory', 'RootImage'],
  ...['NoNewPrivileges', 'RestrictAddressFamilies', 'RestrictNamespaces', 'RestrictRealtime'],
  ...['RestrictSUIDSGID', 'LockPersonality', 'ProtectProc', 'ProcSubset', 'ProtectKernelTunables'],
  ...['ProtectControlGroups', 'ProtectClock', 'ProtectHostname', 'CapabilityBoundingSet'],
  ...['MemoryMax', 'TasksMax'],
]
const LIMITS = ['LimitNOFILE', 'LimitAS', 'LimitDATA', 'LimitNPROC']
/** What systemctl show prints where a property is not set, and systemd-run does not take. */
const UNSET = /^(?:|~|infinity|2147483646)$/

/** The properties as systemd-run(1) takes them, `NAME=VALUE` each. */
export function sandboxOf({ properties }: UnitFact): string[] {
  const given = (name: string): string => properties.get(name) ?? ''
  return [
    ...SANDBOX.filter((name) => !UNSET.test(given(name))).map((name) => `${name}=${given(name)}`),
    ...LIMITS.filter((name) => !UNSET.test(given(`${name}Soft`))).map(
      (name) => `${name}=${given(`${name}Soft`)}:${given(name)}`,
    ),
  ]
}

/** The properties of `systemctl show`. */
export function readProperties(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf('=')
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : []
    }),
  )
}

/** Which file has set what, of `systemctl cat`: it prints the name of each as a comment, in the order they are read. */
export function readOrigins(text: string): Map<string, string> {
  const origins = new Map<string, string>()
  let file = ''
  for (const line of text.split('\n')) {
    file = /^# (\/\S+)$/.exec(line)?.[1] ?? file
    const [, name] = /^([A-Z]\w+)\s*=/.exec(line) ?? []
    if (name !== undefined) origins.set(name, file)
  }
  return origins
}

/**
 * System calls that Node, SQLite and the filter were seen to make (strace, Node 20, amd64 and glibc 2.36 and 2.41), without
 * those that every program makes. pkey_alloc is V8's: @system-service does not have it.
 */
const CALLS =
  'clone3 epoll_create1 epoll_ctl epoll_pwait eventfd2 fcntl fsync ftruncate futex getrandom madvise mkdir mprotect pipe2 pkey_alloc prlimit64 pread64 pwrite64 rename sched_getaffinity socket connect statx uname'.split(
    ' ',
  )

/** Descriptors and bytes with less than which Node was seen to crash or to hang at its start, and some more. */
const LEAST_FILES = 64
const LEAST_ADDRESSES = 1024 ** 3
/** For ten runs at a time: some 45 MiB and eleven tasks each. */
const LEAST_MEMORY = 512 * 1024 ** 2
const LEAST_TASKS = 150

function isBelow(path: string, folder: string): boolean {
  const bare = folder.replace(/\/+$/, '')
  return path === bare || path.startsWith(`${bare}/`)
}

/** Paths of a property; `-` and `+` in front say how they are looked up. */
function pathsOf(unit: UnitFact, name: string): string[] {
  const text = unit.properties.get(name) ?? ''
  return text.split(' ').flatMap((word) => (word === '' ? [] : [word.replace(/^[-+]+/, '')]))
}

/** What ProtectSystem= makes read-only. */
const PROTECTED: Readonly<Record<string, readonly string[]>> = {
  yes: ['/usr', '/boot', '/efi'],
  full: ['/usr', '/boot', '/efi', '/etc'],
  strict: ['/'],
}

/** The property that makes a folder read-only, or undefined. Of what covers it, the most specific counts. */
function readOnlyBy(unit: UnitFact, folder: string): string | undefined {
  const system = unit.properties.get('ProtectSystem') ?? ''
  const covered: [path: string, by: string | undefined][] = [
    ...(PROTECTED[system] ?? []).map((path): [string, string] => [path, 'ProtectSystem']),
    ...(unit.properties.get('ProtectHome') === 'read-only' ? ['/home', '/root', '/run/user'] : []).map(
      (path): [string, string] => [path, 'ProtectHome'],
    ),
    ...pathsOf(unit, 'ReadOnlyPaths').map((path): [string, string] => [path, 'ReadOnlyPaths']),
    ...pathsOf(unit, 'ReadWritePaths').map((path): [string, undefined] => [path, undefined]),
    ...pathsOf(unit, 'StateDirectory').map((name): [string, undefined] => [`/var/lib/${name}`, undefined]),
  ]
  return covered
    .filter(([path]) => isBelow(folder, path))
    .sort(([a], [b]) => a.replace(/\/+$/, '').length - b.replace(/\/+$/, '').length)
    .at(-1)?.[1]
}

/** Words that a list does not let through: not among those it allows, or among those it denies (`~` in front). */
function refused(list: string | undefined, wanted: readonly string[]): string[] {
  if (list === undefined || list === '' || list === '~') return []
  const words = list.replace(/^~/, '').split(' ')
  const has = (word: string): boolean => words.some((one) => one === word || one.startsWith(`${word}:`))
  return wanted.filter((word) => has(word) === list.startsWith('~'))
}

interface Obstacle {
  property: string
  level: Fault['level']
  why: string
  /** Lines of a drop-in; none where only a person can decide. */
  lines: string[]
}

/** A limit that is set, and lower. */
function isLess(unit: UnitFact, name: string, least: number): boolean {
  return Number(unit.properties.get(name) ?? 'NaN') < least
}

/** What is asked of an installation here. */
type Sandboxed = Pick<Facts, 'services' | 'expected' | 'toeh' | 'unit'>

/** Everything of the unit that keeps the filter from its work. */
function obstacles(facts: Sandboxed, unit: UnitFact): Obstacle[] {
  const { state, path, reinject } = facts.toeh
  const { properties } = unit
  const program = (gateOf(facts)?.argv ?? []).map((word) => word.replace(/^--node=/, ''))
  const used = [...program.filter((word) => word.startsWith('/')), path, state]
  const found: Obstacle[] = []
  const find = (property: string, why: string, lines: string[], level: Fault['level'] = 'critical'): void => {
    found.push({ property, level, why, lines })
  }
  if (properties.get('MemoryDenyWriteExecute') === 'yes') {
    const why = words`Node compiles as it runs, and crashes: all outgoing mail is deferred`
    find('MemoryDenyWriteExecute', why, ['MemoryDenyWriteExecute=no'])
  }
  const calls = refused(properties.get('SystemCallFilter'), CALLS)
  if (calls.length > 0) {
    const why = words`Node makes system calls that are not in it, ${calls.join(' ')}: all outgoing mail is deferred`
    find('SystemCallFilter', why, [`SystemCallFilter=${calls.join(' ')}`])
  }
  const readOnly = readOnlyBy(unit, state)
  if (readOnly !== undefined) {
    const why = words`${state} is read-only for the filter: all outgoing mail is deferred`
    find(readOnly, why, [`ReadWritePaths=${state}`])
  }
  const hidden = pathsOf(unit, 'InaccessiblePaths')
  if (hidden.some((folder) => used.some((one) => isBelow(one, folder)))) {
    const others = hidden.filter((folder) => !used.some((one) => isBelow(one, folder)))
    const lines = ['InaccessiblePaths=', ...others.map((folder) => `InaccessiblePaths=${folder}`)]
    find(
      'InaccessiblePaths',
      words`the filter cannot see what it needs: all outgoing mail is deferred`,
      lines,
    )
  }
  const home = properties.get('ProtectHome')
  const atHome = (one: string): boolean =>
    ['/home', '/root', '/run/user'].some((folder) => isBelow(one, folder))
  if ((home === 'yes' || home === 'tmpfs') && used.some(atHome)) {
    const why = words`the filter cannot see what it needs: all outgoing mail is deferred`
    find('ProtectHome', why, [`ProtectHome=${atHome(state) ? 'no' : 'read-only'}`])
  }
  const inet = reinject === undefined ? [] : [reinject.host.includes(':') ? 'AF_INET6' : 'AF_INET']
  const families = refused(properties.get('RestrictAddressFamilies'), [...inet, 'AF_UNIX'])
  if (families.length > 0) {
    const why = words`the filter cannot reach the way on: known mail is deferred`
    find('RestrictAddressFamilies', why, [`RestrictAddressFamilies=${families.join(' ')}`])
  }
  if (properties.get('PrivateNetwork') === 'yes') {
    const why = words`toeh release runs outside of that network, and cannot reach the way back`
    find('PrivateNetwork', why, ['PrivateNetwork=no'], 'warning')
  }
  if (properties.get('NoNewPrivileges') === 'yes' && reinject === undefined) {
    const why = words`postdrop, which sendmail(1) runs, is set-gid: known mail is deferred`
    find('NoNewPrivileges', why, ['NoNewPrivileges=no'])
  }
  const little = words`Node does not start with so little, or not as often as Postfix starts it`
  if (isLess(unit, 'LimitNOFILESoft', LEAST_FILES)) find('LimitNOFILE', little, ['LimitNOFILE=1024:524288'])
  if (isLess(unit, 'LimitASSoft', LEAST_ADDRESSES)) find('LimitAS', little, ['LimitAS=infinity'])
  if (isLess(unit, 'MemoryMax', LEAST_MEMORY)) find('MemoryMax', little, ['MemoryMax=1G'], 'warning')
  if (isLess(unit, 'TasksMax', LEAST_TASKS)) find('TasksMax', little, ['TasksMax=500'], 'warning')
  for (const name of ['RootDirectory', 'RootImage']) {
    if ((properties.get(name) ?? '') === '' || properties.get(name) === '/') continue
    find(
      name,
      words`Node, the filter, its configuration and its state folder have to be in there`,
      [],
      'warning',
    )
  }
  return found
}

/** The commands that put lines into a drop-in. They add to the file: what stands there goes on counting. */
function dropIn(unit: string, lines: readonly string[]): string[] {
  const folder = `/etc/systemd/system/${unit}.d`
  const text = ['[Service]', ...lines].map((line) => `'${line.replaceAll("'", "'\\''")}'`).join(' ')
  return [
    `install -d ${quote(folder)}`,
    `printf '%s\\n' ${text} >>${quote(`${folder}/toeh.conf`)}`,
    'systemctl daemon-reload',
    `systemctl restart ${quote(unit)}`,
  ]
}

/** Each of these with what mends them all. */
export function unitFaults(facts: Sandboxed): Fault[] {
  const { unit } = facts
  if (unit === undefined) return []
  const found = obstacles(facts, unit)
  // One drop-in for all of them: each offers the same, so that pasting one after another writes no line twice.
  const mend = dropIn(
    unit.name,
    found.flatMap(({ lines }) => lines),
  )
  return found.map(({ property, level, why, lines }) => {
    const value = unit.properties.get(property) ?? ''
    const shown = value.length > 60 ? `${value.slice(0, 60)}...` : value
    const from = unit.origins.get(property) ?? ''
    return {
      level,
      what: words`${unit.name} has ${property}=${shown} (${from})`,
      why,
      mend: lines.length > 0 ? mend : [],
      affects: words`all mail for a moment: Postfix is restarted`,
    }
  })
}

export const UNIT_CHECKS: Check[] = [
  {
    name: 'unit',
    good: () => words`the unit of systemd that Postfix runs in, if any, leaves the filter what it needs`,
    look: unitFaults,
  },
]
