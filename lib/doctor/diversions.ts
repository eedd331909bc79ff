/** The diversions' checks: what in Postfix's own tables leads mail round the gate, or elsewhere behind it. Pure. */
import {
  accessTables,
  asksGate,
  besideLane,
  CONTENT_CHECKS,
  cleanupSetting,
  contentTables,
  copyTables,
  leadsToGate,
} from '../postfix/diversion.js'
import { lineOf, type Service, wordValue } from '../postfix/mastercf.js'
import {
  cleanupOf,
  isFiltered,
  isPickup,
  isServer,
  laneServices,
  overrides,
  takersBack,
  waysBack,
} from '../postfix/services.js'
import { postconf, type Setup } from '../postfix/settings.js'
import { words } from '../text/translate.js'
import { diversionFaults, milterFaults, policyFaults, type Weigh, weighWith } from './diversionfaults.js'
import type { Check, Facts, Fault } from './facts.js'

/** The services whose mail goes to the gate, all of it or some. The express lane's have checks of their own. */
function gated(facts: Facts): Service[] {
  const apart = [...takersBack(facts), ...(facts.lane.enabled ? laneServices(facts) : [])]
  return facts.services.filter(
    (service) =>
      (isServer(service) || isPickup(service)) &&
      !apart.includes(service) &&
      (isFiltered(facts, service) || asksGate(facts, service)),
  )
}

/** A copy made before the gate is a recipient that it sees. */
const copyBefore: Weigh = () => ({
  level: 'warning',
  does: words`copies mail to outside`,
  why: words`the gate is asked about it, and where it is known the sender does not see who reads along: take it out where it is not meant`,
})

/** Behind the gate nobody is asked, and what goes to the gate comes back to it. */
function weighBehind(facts: Facts): Weigh {
  const copyBehind: Weigh = () => ({
    level: 'critical',
    does: words`adds a recipient that the gate does not see`,
    why: words`it is added to what the gate sends on: take it out`,
  })
  const others = weighWith(facts, copyBehind)
  return (diversion) =>
    leadsToGate(facts, diversion)
      ? {
          level: 'critical',
          does: words`sends back to the gate what it sends on`,
          why: words`that mail is deferred, or goes in a circle: take it out`,
        }
      : others(diversion)
}

/** Commands that give a way back the cleanup of the sample. */
function mendCleanup(facts: Setup, service: Service): string[] {
  const { cleanup } = facts.expected
  return [
    postconf(facts, '-M', `${cleanup.id}=${lineOf(cleanup)}`),
    postconf(facts, '-P', `${service.id}/cleanup_service_name=${cleanup.name}`),
  ]
}

/** What the way back's own cleanup(8) leaves open. An option of smtpd(8) does not reach it: cleanup reads the checks. */
function cleanupFaults(facts: Facts): Fault[] {
  return waysBack(facts).flatMap((service): Fault[] => {
    const mend = mendCleanup(facts, service)
    const cleanup = cleanupOf(facts, service)
    if (cleanup === undefined)
      return [
        {
          level: 'critical',
          what: words`${service.id} names a cleanup service that master.cf does not have`,
          why: words`known mail cannot go on: all of it is deferred`,
          mend,
          affects: words`known mail that waits, and what is released: it goes on by that cleanup`,
        },
      ]
    if (overrides(facts, service, 'no_header_body_checks')) return []
    const open = CONTENT_CHECKS.filter((name) => wordValue(cleanup.optionWords, name) !== '')
    if (open.length === 0) return []
    const set = open.filter((name) => cleanupSetting(facts, service, name) !== '')
    const what =
      set.length === 0
        ? words`${service.id} is served by ${cleanup.id}, where ${open.join(' ')} would count`
        : words`${service.id} is served by ${cleanup.id}, where ${set.join(' ')} count`
    return [
      {
        level: set.length === 0 ? 'warning' : 'critical',
        what,
        why: words`on the way back they are applied once more: BCC and REDIRECT lead elsewhere what the gate has decided on`,
        mend,
        affects: words`known mail, and what is released: header_checks and body_checks are not applied a second time`,
      },
    ]
  })
}

export const DIVERSION_CHECKS: Check[] = [
  {
    name: 'content-checks',
    good: () => words`no header_checks or body_checks lead mail round the gate`,
    look: (facts) =>
      diversionFaults(
        facts,
        gated(facts),
        (service) => contentTables(facts, service),
        weighWith(facts, copyBefore),
      ),
  },
  {
    name: 'access-tables',
    good: () => words`no access table leads mail round the gate`,
    look: (facts) => [
      ...diversionFaults(
        facts,
        gated(facts),
        (service) => besideLane(facts, accessTables(facts, service).tables),
        weighWith(facts, copyBefore),
      ),
      ...policyFaults(facts, gated(facts)),
    ],
  },
  {
    name: 'way-back-checks',
    good: () => words`nothing looks into the mail on the way back, or adds recipients there`,
    look: (facts) => {
      const takers = takersBack(facts)
      // With another way on than SMTP nothing keeps the copies from being made once more.
      const hasCopies = facts.toeh.reinject === undefined
      return [
        ...cleanupFaults(facts),
        ...diversionFaults(
          facts,
          takers,
          (service) => [...contentTables(facts, service), ...(hasCopies ? copyTables(facts, service) : [])],
          weighBehind(facts),
        ),
        ...milterFaults(facts, takers, 'warning', words`what it adds goes out, and nobody is asked`),
      ]
    },
  },
]
