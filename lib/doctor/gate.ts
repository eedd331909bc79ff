/** The gate's checks: the pipe(8) service in master.cf and what main.cf says of it. Pure. */

import { commandOf, lineOf, type Service, withPair } from '../postfix/mastercf.js'
import { gateOf, initCommand, isBeforeInit, postconf, settingOf } from '../postfix/settings.js'
import { words } from '../text/translate.js'
import { type Check, type Facts, type Fault, type Mending, userFault } from './facts.js'

/** Recipients a run can take; more than smtpd_recipient_limit's default no transaction can have. */
const RECIPIENTS_AT_MOST = 1000
/** What notices may take once the mail is settled, in seconds. */
const NOTICE_SECONDS = 10

/** A time limit for pipe(8), in seconds, that leaves room above the longest run; its own default where that does. */
export function timeLimitFor(longestRun: number): number {
  return Math.max(1000, longestRun + 6 * NOTICE_SECONDS)
}

/** The macros of pipe(8) in Postfix 3.7, and envid, which 3.9 has. */
const MACROS =
  'sender recipient original_recipient user extension mailbox domain nexthop size queue_id client_address client_hostname client_port client_protocol client_helo sasl_method sasl_username sasl_sender'.split(
    ' ',
  )

/** Which arguments of the sample are missing. The program's own options, `--config=` for one, are not missed. */
function missingArguments(service: Service, sample: Service): string[] {
  const from = (words: readonly string[]): string[] =>
    words.slice(words.findIndex((word) => word.includes('$')))
  return from(sample.argv).filter((word) => !service.argv.includes(word))
}

function macrosOf(service: Service): string[] {
  return service.argv.flatMap((word) =>
    [...word.matchAll(/\$(?:\{(\w+)\}|\((\w+)\)|(\w+))/g)].map(([, a, b, c]) => a ?? b ?? c ?? ''),
  )
}

function unknownMacros(facts: Facts, service: Service): string[] {
  const [major = 0, minor = 0] = facts.versions.postfix.split('.').map(Number)
  const known = major > 3 || (major === 3 && minor >= 9) ? [...MACROS, 'envid'] : MACROS
  return macrosOf(service).filter((name) => !known.includes(name))
}

function argumentsFit(service: Service, facts: Facts): boolean {
  return (
    missingArguments(service, facts.expected.gate).length === 0 &&
    unknownMacros(facts, service).length === 0 &&
    /(?:^| )-- \$\{recipient\}$/.test(service.argv.join(' '))
  )
}

/** The words before the first of pipe(8)'s macros: node, the filter, and --config=. */
function programOf(service: Service): string[] {
  const end = service.argv.findIndex((word) => word.includes('$') || word === '--')
  return service.argv.slice(0, end < 0 ? service.argv.length : end)
}

/** Whether the filter's trial got as far as to miss the message, with all its files open; true where nobody tried. */
function runs({ trial }: Facts): boolean {
  return trial === undefined || (trial.status === 75 && trial.output.includes('standard input was empty'))
}

/**
 * The service with every fault of its command repaired. One repair for all of them: each check offers the same
 * command, so that one pasted after another undoes nothing.
 */
function repaired(service: Service, facts: Facts): Service {
  const { gate: sample } = facts.expected
  let attributeWords = withPair(service.attributeWords, 'flags', 'q')
  attributeWords = withPair(attributeWords, 'null_sender', '')
  attributeWords = withPair(attributeWords, 'size', undefined)
  if (userFault(facts) !== undefined) {
    attributeWords = withPair(attributeWords, 'user', sample.attributes.get('user') ?? '')
  }
  const program = runs(facts) ? programOf(service) : programOf(sample)
  const tail = sample.argv.slice(sample.argv.findIndex((word) => word.includes('$')))
  const argv = argumentsFit(service, facts) && runs(facts) ? service.argv : [...program, ...tail]
  const optionWords = withPair(service.optionWords, 'soft_bounce', 'yes')
  return { ...service, attributeWords, argv, optionWords }
}

function repair(service: Service, facts: Facts): Mending {
  return {
    mend: [postconf(facts, '-F', `${service.id}/command=${commandOf(repaired(service, facts))}`)],
    affects: words`all outgoing mail: from the reload on Postfix starts the gate by this line`,
  }
}

/** A check of the gate's service; where there is none, only gate-service says so. */
function ofGate(look: (service: Service, facts: Facts) => Fault[]): (facts: Facts) => Fault[] {
  return (facts) => {
    const service = gateOf(facts)
    return service === undefined ? [] : look(service, facts)
  }
}

/** Seconds of a time in main.cf, or NaN (postconf(5)). */
export function secondsOf(text: string): number {
  const [, count, unit = ''] = /^(\d+)([smhdw]?)$/.exec(text.trim()) ?? []
  const factors: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
  return Number(count) * (factors[unit] ?? Number.NaN)
}

export const GATE_CHECKS: Check[] = [
  {
    name: 'gate-service',
    good: () =>
      words`the service that runs toeh-filter is in master.cf, neither unprivileged nor in a chroot`,
    look: (facts) => {
      const service = gateOf(facts)
      if (service === undefined) {
        const { gate } = facts.expected
        if (isBeforeInit(facts))
          return [
            {
              level: 'critical',
              what: words`Postfix has nothing of TOEH yet`,
              why: words`outgoing mail goes to anybody, and nobody is asked`,
              mend: [initCommand(facts)],
              affects: words`all outgoing mail: it goes through the gate from the reload on, and what nobody knows is held once mode is enforce`,
            },
          ]
        return [
          {
            level: 'critical',
            what: words`no service of master.cf runs toeh-filter`,
            why: words`content_filter=toeh:dummy leads nowhere: all outgoing mail is deferred`,
            mend: [postconf(facts, '-M', `${gate.id}=${lineOf(gate)}`)],
            affects: words`all outgoing mail: what waits in the queue goes to the gate, and is decided on`,
          },
        ]
      }
      return (['unprivileged', 'chroot'] as const).flatMap((field): Fault[] => {
        // A hyphen in master.cf means y for unprivileged, and n for chroot (master(5), Postfix 3.0).
        const value = service[field] === '-' ? { unprivileged: 'y', chroot: 'n' }[field] : service[field]
        if (value === 'n') return []
        return [
          {
            level: 'critical',
            what: words`${service.id} has ${field}=${service[field]}`,
            why:
              field === 'chroot'
                ? words`pipe(8) finds neither node nor the filter in there: all outgoing mail is deferred`
                : words`pipe(8) cannot become the user of the filter: all outgoing mail is deferred`,
            mend: [postconf(facts, '-F', `${service.id}/${field}=n`)],
            affects: words`the mail that waits for the gate: it is tried again, and decided on`,
          },
        ]
      })
    },
  },
  {
    name: 'pipe-flags',
    good: () => words`flags=q and no other`,
    look: ofGate((service, facts) => {
      const flags = service.attributes.get('flags') ?? ''
      if (flags === 'q') return []
      const why = flags.includes('q')
        ? words`D and O defer the mail, R F B > . change bytes, u and h fold case, X claims final delivery`
        : words`a quoted local part arrives without its quotes, and one recipient can turn into two`
      return [{ level: 'critical', what: `flags=${flags}`, why, ...repair(service, facts) }]
    }),
  },
  {
    name: 'null-sender',
    good: () => words`null_sender= is empty`,
    look: ofGate((service, facts) => {
      const value = service.attributes.get('null_sender')
      if (value === '') return []
      const what = value === undefined ? words`null_sender= is missing` : `null_sender=${value}`
      const why = words`bounces arrive with an address as their sender, which is foreign: they are all held`
      return [{ level: 'critical', what, why, ...repair(service, facts) }]
    }),
  },
  {
    name: 'pipe-size',
    good: () => words`no size= in the service`,
    look: ofGate((service, facts) => {
      const size = service.attributes.get('size')
      if (size === undefined) return []
      const why = words`pipe(8) bounces what is larger, before the gate sees it`
      return [{ level: 'critical', what: `size=${size}`, why, ...repair(service, facts) }]
    }),
  },
  {
    name: 'soft-bounce',
    good: () =>
      words`soft_bounce=yes on the service: a gate that cannot run leaves status=SOFTBOUNCE in the log, and the mail in the queue`,
    look: ofGate((service, facts) => {
      if (settingOf(facts, service, 'soft_bounce') === 'yes') return []
      const why = words`what no program can catch, a missing filter or the time limit, bounces mail instead of keeping it in the queue`
      return [{ level: 'critical', what: words`soft_bounce is not yes`, why, ...repair(service, facts) }]
    }),
  },
  {
    name: 'arguments',
    good: () => words`argv= hands over all that the filter asks for`,
    look: ofGate((service, facts) => {
      if (argumentsFit(service, facts)) return []
      const unknown = unknownMacros(facts, service)
      const missing = missingArguments(service, facts.expected.gate)
      const what =
        unknown.length > 0
          ? words`pipe(8) knows no ${`\${${unknown[0]}}`}`
          : missing.length > 0
            ? words`argv= lacks ${missing.join(' ')}`
            : words`argv= does not end with -- and the recipients`
      const why =
        unknown.length > 0
          ? words`all outgoing mail is deferred`
          : words`the filter refuses to run, or cannot tell a whole message from a part, or a client from another`
      return [{ level: 'critical', what, why, ...repair(service, facts) }]
    }),
  },
  {
    name: 'user',
    good: () => words`the filter runs as a user of its own`,
    look: ofGate((service, facts) => {
      const what = userFault(facts)
      const why = words`pipe(8) refuses to run the filter: all outgoing mail is deferred`
      return what === undefined ? [] : [{ level: 'critical', what, why, ...repair(service, facts) }]
    }),
  },
  {
    name: 'recipient-limit',
    good: () => words`at most ${RECIPIENTS_AT_MOST} recipients a run`,
    look: ofGate((service, facts) => {
      const name = `${service.name}_destination_recipient_limit`
      const limit = Number(facts.main.get(name))
      if (limit > 0 && limit <= RECIPIENTS_AT_MOST) return []
      return [
        {
          level: 'critical',
          what: `${name} = ${facts.main.get(name) ?? ''}`,
          why: words`the gate sends to ${RECIPIENTS_AT_MOST} recipients at once at most: mail to more is deferred for ever`,
          mend: [postconf(facts, '-e', `${name}=50`)],
          affects: words`mail to more than 50 recipients: the gate gets it in parts`,
        },
      ]
    }),
  },
  {
    name: 'time-limit',
    good: () => words`pipe's time limit is longer than a run can take`,
    look: ofGate((service, facts) => {
      const name = `${service.name}_time_limit`
      const limit = secondsOf(facts.main.get(name) ?? '')
      const { deadlineSeconds, longestRun } = facts.toeh
      const least = longestRun + NOTICE_SECONDS
      // NaN is no limit that could be compared: it is told as well.
      if (limit >= least) return []
      return [
        {
          level: limit > deadlineSeconds + NOTICE_SECONDS ? 'warning' : 'critical',
          what: words`${name} = ${facts.main.get(name) ?? ''}, deadline_seconds, answer_seconds and busy_seconds make ${least} s`,
          why: words`pipe(8) kills a filter that would have ended itself, maybe after the mail went on: it is sent twice`,
          mend: [postconf(facts, '-e', `${name}=${timeLimitFor(longestRun)}s`)],
          affects: words`nobody: a run of the gate may take longer`,
        },
      ]
    }),
  },
  {
    name: 'idna',
    good: () => words`Postfix takes internationalised domains for the same as the gate does`,
    look: (facts) => {
      const name = 'enable_idna2003_compatibility'
      if (facts.main.get(name) !== 'yes') return []
      return [
        {
          level: 'critical',
          what: `${name} = yes`,
          why: words`mail that was decided on as to xn--strae-oqa.example goes to strasse.example, another domain`,
          mend: [postconf(facts, '-e', `${name}=no`)],
          affects: words`whoever writes to a domain with such letters: the mail goes to the one that was written`,
        },
      ]
    },
  },
  {
    name: 'filter',
    good: () => words`it runs as pipe(8) would run it, as its user, in its folder and environment`,
    look: ofGate((service, facts) => {
      const { trial, user, expected } = facts
      const why = words`this is what would happen to every outgoing message`
      // Without a user there is no trial; the check of that name says so.
      if (user.uid === undefined || user.gid === undefined) return []
      if (trial === undefined)
        return [{ level: 'unknown', what: words`only root can run it as another user`, why, mend: [] }]
      if (runs(facts)) return []
      const what = words`it ends with ${trial.status ?? words`nothing`}: ${trial.output.split('\n')[0] ?? ''}`
      const isSample =
        programOf(service).join(' ') === programOf(expected.gate).join(' ') && argumentsFit(service, facts)
      return [{ level: 'critical', what, why, ...(isSample ? { mend: [] } : repair(service, facts)) }]
    }),
  },
]
