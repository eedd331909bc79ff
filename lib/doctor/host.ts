/** The host's checks: versions, rights, room, clock, database, and a run of the filter as pipe(8) would. Pure. */

import { instanceCommand, quote } from '../postfix/settings.js'
import { counted, sizeOf } from '../text/amounts.js'
import { words } from '../text/translate.js'
import { type Check, type Facts, type Fault, type PathFact, userFault } from './facts.js'

const MIB = 1024 * 1024
/** Bytes left on a disk: less than the first is a warning, less than the second wrong. */
const ROOM_BYTES = { warning: 1024 * MIB, critical: 256 * MIB }
/** The same in files. */
const ROOM_FILES = { warning: 10_000, critical: 1_000 }
/** The part of a limit of the hold from which on it is told of. */
const NEARLY = 0.8
/** Clocks of two runs may differ by so much before one of them was wrong. Milliseconds. */
const CLOCK_SLACK_MS = 60_000
/** The first Postfix with smtpd_forbid_bare_newline=reject, which 3.8 got after 3.7 had it; and the first Node. */
const LEAST = { postfix: '3.7.10', node: '20.19.0' }
const LEAST_OF_3_8 = '3.8.5'

function leastOf(name: 'postfix' | 'node', version: string): string {
  return name === 'postfix' && version.startsWith('3.8.') ? LEAST_OF_3_8 : LEAST[name]
}

function isOlder(version: string, least: string): boolean {
  const parts = (text: string): number[] => text.split('.').map((part) => Number.parseInt(part, 10) || 0)
  const [mine, wanted] = [parts(version), parts(least)]
  const at = wanted.findIndex((part, index) => part !== (mine[index] ?? 0))
  return at >= 0 && (mine[at] ?? 0) < (wanted[at] ?? 0)
}

const MODES = { folder: 0o700, database: 0o600, configuration: 0o640 }

function rightsFaults(facts: Facts, fact: PathFact): Fault[] {
  const { path, kind, mode, uid, gid } = fact
  const { user } = facts
  if (mode === undefined) {
    const why = words`the filter cannot work without it: all mail that Postfix gives it is deferred`
    const init = `toeh init --config ${quote(facts.toeh.path)} --user ${quote(user.name)}`
    const affects = words`all outgoing mail: the filter can work again`
    return [{ level: 'critical', what: words`${path} does not exist`, why, mend: [init], affects }]
  }
  if ((mode & 0o170_000) === 0o120_000) {
    const why = words`what a command does to it as root is done to something else`
    return [{ level: 'critical', what: words`${path} is a link`, why, mend: [] }]
  }
  const name = quote(user.name)
  const mend: string[] = []
  if (kind === 'configuration') {
    const readable = (mode & 0o004) !== 0 || (gid === user.gid && (mode & 0o040) !== 0) || uid === user.uid
    if (!readable) mend.push(`chgrp ${quote(user.group)} ${quote(path)}`, `chmod g+r ${quote(path)}`)
    if ((mode & 0o022) !== 0) mend.push(`chmod go-w ${quote(path)}`)
  } else {
    if (uid !== user.uid) mend.push(`chown -h ${name} ${quote(path)}`)
    if ((mode & 0o777) !== MODES[kind]) mend.push(`chmod ${MODES[kind].toString(8)} ${quote(path)}`)
  }
  if (mend.length === 0) return []
  const exposed = (mode & 0o077) !== 0 && kind !== 'configuration'
  return [
    {
      level: 'critical',
      what: words`${path} has mode ${(mode & 0o777).toString(8)} and belongs to uid ${uid ?? ''}`,
      why: exposed
        ? words`others read or change held mail, or say who is known`
        : words`the filter cannot use it, or others decide who is known`,
      mend,
      affects: words`other users of this host: they do not read or change it any more`,
    },
  ]
}

/** What logwatch reads beside its defaults, and the word in it. */
const LOGWATCH_FOLDER = '/etc/logwatch/conf/services'
export const LOGWATCH = `${LOGWATCH_FOLDER}/postfix.conf`
export const LOGWATCH_LONG = '$postfix_Enable_Long_Queue_Ids = Yes'

/** Whether logwatch is told there that queue ids are long; the last word counts. */
export function readsLongIds(text: string): boolean {
  const said = [...text.matchAll(/^\s*\$postfix_Enable_Long_Queue_Ids\s*=\s*["']?(\w+)/gim)]
  return /^(?:yes|true|on|1)$/i.test(said.at(-1)?.[1] ?? '')
}

export const HOST_CHECKS: Check[] = [
  {
    name: 'versions',
    good: () => words`Postfix is ${LEAST.postfix} or newer, Node ${LEAST.node} or newer`,
    look: ({ versions }) =>
      (['postfix', 'node'] as const)
        .filter((name) => isOlder(versions[name], leastOf(name, versions[name])))
        .map((name) => ({
          level: 'warning',
          what: words`${name} is ${versions[name]}, older than ${leastOf(name, versions[name])}`,
          why:
            name === 'postfix'
              ? words`it does not know smtpd_forbid_bare_newline=reject, a second net against SMTP smuggling: Debian's updates have a newer one`
              : words`TOEH is not tried with it (docs/install.md says where to get another)`,
          // Which source a host takes its programs from is for a person to say.
          mend: [],
        })),
  },
  {
    name: 'rights',
    good: () => words`the state folder is the filter's alone, and it can read its configuration`,
    look: (facts) =>
      userFault(facts) !== undefined ? [] : facts.paths.flatMap((fact) => rightsFaults(facts, fact)),
  },
  {
    name: 'disk',
    good: () => words`more than ${ROOM_BYTES.warning / MIB} MiB and ${ROOM_FILES.warning} files are free`,
    look: ({ disks, toeh }) =>
      disks.flatMap(({ path, freeBytes, freeFiles }): Fault[] => {
        const least = (level: 'warning' | 'critical'): boolean =>
          freeBytes < Math.max(ROOM_BYTES[level], { warning: 2, critical: 1 }[level] * toeh.leastFree) ||
          freeFiles < ROOM_FILES[level]
        if (!least('warning')) return []
        return [
          {
            level: least('critical') ? 'critical' : 'warning',
            what: words`${path} has ${Math.floor(freeBytes / MIB)} MiB and ${freeFiles} files left`,
            why: words`on a full disk nothing can be parked or looked up safely: all outgoing mail is deferred`,
            mend: [],
          },
        ]
      }),
  },
  {
    name: 'log-readers',
    good: ({ logwatch }) =>
      logwatch === undefined
        ? words`logwatch is not here; pflogsumm does not count status=SOFTBOUNCE, which a gate leaves that cannot run`
        : words`logwatch reads long queue ids; pflogsumm does not count status=SOFTBOUNCE, which a gate leaves that cannot run`,
    look: ({ logwatch, main }) => {
      if (logwatch !== false || main.get('enable_long_queue_ids') !== 'yes') return []
      return [
        {
          level: 'warning',
          what: words`logwatch is not told that queue ids are long`,
          why: words`it takes the log's lines for those of other programs, and its report lacks them`,
          mend: [`install -d ${LOGWATCH_FOLDER}`, `printf '%s\\n' '${LOGWATCH_LONG}' >>${LOGWATCH}`],
          affects: words`nobody: logwatch's report has these lines again`,
        },
      ]
    },
  },
  {
    name: 'clock',
    good: () => words`the clock has not gone back, and nobody says that it is not kept`,
    look: ({ database, now, clockKept }) => {
      const faults: Fault[] = []
      const ahead = 'newest' in database ? database.newest - now : 0
      if (ahead > CLOCK_SLACK_MS) {
        faults.push({
          level: 'critical',
          what: words`the database knows of a time ${Math.round(ahead / 60_000)} minutes from now: the clock was set back`,
          why: words`rules and holds end too late, and the log and the audit are out of order: set the clock right`,
          // What keeps a clock is the host's choice: systemd-timesyncd, chrony or another.
          mend: [],
        })
      }
      if (clockKept === false) {
        faults.push({
          level: 'warning',
          what: words`the clock is not kept by the network`,
          why: words`rules and holds end too early or too late: let systemd-timesyncd or chrony keep it`,
          mend: [],
        })
      }
      return faults
    },
  },
  {
    name: 'database',
    good: () => words`it opens, and its schema is the one this program knows`,
    look: ({ database }) =>
      'newest' in database
        ? []
        : [
            {
              level: 'critical',
              what: database.failure,
              why: words`the filter looks every recipient up in it: all mail that Postfix gives it is deferred`,
              mend: [],
            },
          ],
  },
  {
    name: 'hold',
    good: () =>
      words`what waits is well below limits.hold_messages and limits.hold_megabytes, where they are set`,
    look: ({ database, toeh: { mostHeld } }) => {
      if ('failure' in database) return []
      const { messages, bytes } = database.load
      const reached = [
        {
          waits: counted(messages, words`${messages} message waits`, words`${messages} messages wait`),
          most: `${mostHeld.messages}`,
          part: messages / mostHeld.messages,
        },
        {
          waits: words`${sizeOf(bytes)} wait`,
          most: sizeOf(mostHeld.bytes),
          part: bytes / mostHeld.bytes,
        },
      ].filter(({ part }) => Number.isFinite(part) && part >= NEARLY)
      return reached.map(({ waits, most, part }) => ({
        level: part >= 1 ? 'critical' : 'warning',
        what: words`${waits}, of at most ${most}`,
        why: words`mail to recipients who are unknown is deferred where the hold is full; what is known passes`,
        mend: [],
      }))
    },
  },
  {
    name: 'listening',
    good: () => words`the way back answers, and offers XFORWARD`,
    look: (facts) => {
      const { greeting } = facts
      const mend = [instanceCommand(facts, 'postfix', facts.running ? 'reload' : 'start')]
      const affects = words`everybody who sends: Postfix reads its configuration, and takes mail`
      if (greeting === undefined) return []
      if ('failure' in greeting) {
        const why = words`known mail cannot go on: all of it is deferred`
        return [{ level: 'critical', what: greeting.failure, why, mend, affects }]
      }
      if (greeting.offers.includes('XFORWARD')) return []
      const why = words`the log of the copy names neither the client nor the first queue id`
      return [{ level: 'warning', what: words`the way back does not offer XFORWARD`, why, mend, affects }]
    },
  },
  {
    name: 'reach',
    good: () => words`no process but root and the filter reaches the way back`,
    look: ({ strangerEnters, toeh: { reinject }, user }) => {
      if (reinject === undefined || strangerEnters === false) return []
      const why = words`it is a way round the gate for every process on this host`
      if (strangerEnters === undefined) {
        const what = words`only root can try whether other users reach the way back`
        return [{ level: 'unknown', what, why, mend: [] }]
      }
      // The check of that name says so; what its mends make of it is not known yet.
      const what = words`other users' processes reach ${reinject.host}:${reinject.port}`
      if (user.uid === undefined) return [{ level: 'warning', what, why, mend: [] }]
      const family = reinject.host.includes(':') ? 'ip6' : 'ip'
      const rule = `oif lo ${family} daddr ${reinject.host} tcp dport ${reinject.port} meta skuid != { 0, ${user.uid} } reject`
      return [
        {
          level: 'warning',
          what,
          why,
          mend: [
            'nft add table inet toeh',
            "nft 'add chain inet toeh output { type filter hook output priority 0; }'",
            `nft 'add rule inet toeh output ${rule}'`,
          ],
          affects: words`processes of this host that send through it, and are neither root's nor the filter's: their connection is refused`,
        },
      ]
    },
  },
]
