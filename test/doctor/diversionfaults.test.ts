/** What doctor says of diversions: how much each counts, one fault a table, and what nobody can look into. */
import t from 'tap'
import {
  diversionFaults,
  milterFaults,
  policyFaults,
  type Weigh,
  weighWith,
} from '../../lib/doctor/diversionfaults.js'
import type { Diversion, Use } from '../../lib/postfix/diversion.js'
import type { Service } from '../../lib/postfix/mastercf.js'
import { type Changes, CLEANUP, factsOf, PICKUP, SUBMISSION } from '../support/diversions.js'

const NO_COPY: Weigh = () => undefined

/** The services of this installation, as `id` names them. */
function having(
  changes: Changes,
  ...ids: string[]
): { facts: ReturnType<typeof factsOf>; services: Service[] } {
  const facts = factsOf(changes)
  return { facts, services: facts.services.filter(({ id }) => ids.includes(id)) }
}

t.test('how an action counts', (t) => {
  const facts = factsOf({})
  const weigh = weighWith(facts, ({ target }) => ({
    level: 'unknown',
    does: `copies to ${target}`,
    why: 'x',
  }))
  const table: [action: string, target: string, weight: string | undefined][] = [
    ['FILTER', 'toeh:dummy', undefined],
    ['FILTER', 'scan:y', 'critical goes round the gate'],
    ['REDIRECT', 'it@corp.test', undefined],
    ['REDIRECT', 'x@out.test', 'critical goes round the gate'],
    ['REDIRECT', '$1@corp.test', 'critical goes round the gate'],
    ['BCC', 'archive@corp.test', undefined],
    ['BCC', 'x@out.test', 'unknown copies to x@out.test'],
    ['BCC', '$1@corp.test', 'unknown copies to $1@corp.test'],
    ['HOLD', '', "warning keeps mail in Postfix's own hold queue"],
  ]
  for (const [action, target, weight] of table) {
    const found = weigh({ action, target } as Diversion)
    t.equal(found && `${found.level} ${found.does}`, weight, `${action} ${target}`)
  }
  const filter = weigh({ action: 'FILTER', target: 'scan:y' } as Diversion)
  t.match(filter?.why, /write FILTER toeh:dummy$/, 'what to write instead')
  const everywhere = weighWith(facts, NO_COPY, () => true)
  t.equal(everywhere({ action: 'REDIRECT', target: 'it@corp.test' } as Diversion)?.level, 'critical')
  t.end()
})

t.test('one fault a table and action, with the services that have it', (t) => {
  const use: Use = { setting: 'header_checks', table: 'regexp:/h' } as Use
  const { facts, services } = having(
    {
      main: { header_checks: 'regexp:/h' },
      tables: { 'regexp:/h': '/x/ FILTER a:b\n/y/ FILTER c:d\n/z/ HOLD' },
    },
    'submission/inet',
    'pickup/unix',
  )
  const found = diversionFaults(facts, services, () => [use], weighWith(facts, NO_COPY))
  t.strictSame(
    found.map(({ level, what, mend }) => [level, what, mend]),
    [
      [
        'critical',
        'header_checks regexp:/h, line 1, /x/: FILTER a:b goes round the gate (and 1 more) (submission/inet, pickup/unix)',
        [],
      ],
      [
        'warning',
        "header_checks regexp:/h, line 3, /z/: HOLD keeps mail in Postfix's own hold queue (submission/inet, pickup/unix)",
        [],
      ],
    ],
  )
  const pickup = services.filter(({ id }) => id === 'pickup/unix')
  t.match(
    diversionFaults(facts, pickup, () => [use], weighWith(facts, NO_COPY))[0]?.what,
    /\(pickup\/unix\)$/,
  )
  t.strictSame(
    diversionFaults(
      facts,
      services,
      () => [use],
      () => undefined,
    ),
    [],
    'what does no harm is not said',
  )
  t.strictSame(
    diversionFaults(facts, services, () => [], weighWith(facts, NO_COPY)),
    [],
  )
  t.end()
})

t.test('where port 25 alone has it, it may be for incoming mail', (t) => {
  const changes = {
    master: ['smtp inet n - n - - smtpd', SUBMISSION, CLEANUP],
    main: { smtpd_client_restrictions: 'cidr:/c' },
    tables: { 'cidr:/c': '10.0.0.0/8 FILTER a:b' },
  }
  const use = { setting: 'smtpd_client_restrictions', table: 'cidr:/c' } as Use
  const level = (...ids: string[]): string | undefined => {
    const { facts, services } = having(changes, ...ids)
    return diversionFaults(facts, services, () => [use], weighWith(facts, NO_COPY))[0]?.level
  }
  t.equal(level('smtp/inet'), 'warning')
  t.equal(level('submission/inet'), 'critical')
  t.equal(level('smtp/inet', 'submission/inet'), 'critical')
  t.end()
})

t.test('a table that cannot be listed', (t) => {
  const { facts, services } = having(
    { master: [SUBMISSION, PICKUP, CLEANUP] },
    'submission/inet',
    'pickup/unix',
  )
  const uses = [
    { setting: 'header_checks', table: 'mysql:/h' },
    { setting: 'recipient_bcc_maps', table: 'ldap:/b' },
  ] as Use[]
  t.strictSame(
    diversionFaults(facts, services, () => uses, NO_COPY).map(({ level, what }) => `${level} ${what}`),
    [
      'unknown header_checks mysql:/h cannot be listed (submission/inet, pickup/unix)',
      'critical recipient_bcc_maps ldap:/b cannot be listed (submission/inet, pickup/unix)',
    ],
    'one that is there to add recipients is as bad as what may be in it',
  )
  t.end()
})

t.test('policy servers, each once', (t) => {
  const policy = 'check_policy_service unix:private/p'
  const { facts, services } = having(
    {
      master: [SUBMISSION, SUBMISSION.replace('submission', 'submissions'), CLEANUP],
      main: { smtpd_data_restrictions: `${policy}, check_policy_service inet:h:1` },
    },
    'submission/inet',
    'submissions/inet',
  )
  t.strictSame(
    policyFaults(facts, services).map(({ level, what }) => `${level} ${what}`),
    ['unix:private/p', 'inet:h:1'].map(
      (server) =>
        `unknown smtpd_data_restrictions asks check_policy_service ${server}, whose answers cannot be listed (submission/inet, submissions/inet)`,
    ),
  )
  t.end()
})

t.test('milters that nobody has vouched for', (t) => {
  const main = { smtpd_milters: 'inet:a:1, inet:b:2', smtpd_milter_maps: 'ldap:/m' }
  const { facts, services } = having({ main, toeh: { trustedMilters: ['inet:a:1'] } }, 'submission/inet')
  const found = milterFaults(facts, services, 'critical', 'it matters')
  t.strictSame(
    found.map(({ level, what }) => `${level} ${what}`),
    [
      'critical smtpd_milters inet:b:2 may add recipients that the gate does not see (submission/inet)',
      'critical smtpd_milter_maps ldap:/m cannot be listed (submission/inet)',
    ],
  )
  for (const { why } of found)
    t.equal(
      why,
      'it matters: name it in trusted_milters of /e/toeh.toml if it adds none, or take it out there',
    )
  t.end()
})
