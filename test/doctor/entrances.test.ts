/** The ways' checks on facts alone: what is sound is good, and each thing that is not is named, with what mends it. */
import t from 'tap'
import { ALIAS_CHECKS, postfixDomains } from '../../lib/doctor/aliases.js'
import { ENTRANCE_CHECKS, injectorFaults, OFFER_CHECKS } from '../../lib/doctor/entrances.js'
import type { Facts, Injector } from '../../lib/doctor/facts.js'
import { notTheWayBack, WAYBACK_CHECKS } from '../../lib/doctor/wayback.js'
import type { TableEntry } from '../../lib/postfix/lookuptable.js'
import { parseServices } from '../../lib/postfix/mastercf.js'
import { type Changes, CLEANUP, factsOf, PICKUP, SAMPLE, SUBMISSION } from '../support/diversions.js'

const WAYS_CHECKS = [...ENTRANCE_CHECKS, ...WAYBACK_CHECKS, ...OFFER_CHECKS, ...ALIAS_CHECKS]

const MAIN = {
  inet_interfaces: 'all',
  mydestination: 'corp.test',
  mynetworks: '127.0.0.0/8',
  recipient_delimiter: '+',
  enable_long_queue_ids: 'yes',
  default_process_limit: '100',
  message_size_limit: '10240000',
  smtpd_discard_ehlo_keywords: 'dsn',
  smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
}
/** It takes a little less than the way back. */
const ENTRANCE = `${SUBMISSION} -o message_size_limit=10000000`

interface Given extends Omit<Changes, 'tables'> {
  /** What look-up tables list; undefined for one that cannot be listed. */
  lists?: Record<string, TableEntry[] | undefined>
  injectors?: Injector[]
  /** In place of the sample's services. */
  sample?: string
}

function installation({
  master = [ENTRANCE, PICKUP, CLEANUP],
  main = {},
  lists,
  injectors,
  sample,
  toeh,
  ...rest
}: Given): Facts {
  const facts = factsOf({ ...rest, master, main: { ...MAIN, ...main }, toeh: { delimiters: '+', ...toeh } })
  const services = sample === undefined ? facts.services : parseServices([...master, sample].join('\n'))
  return { ...facts, services, tables: new Map(Object.entries(lists ?? {})), injectors: injectors ?? [] }
}

/** What each check says that is not good, as `check level`. */
function named(given: Given): string[] {
  const facts = installation(given)
  return WAYS_CHECKS.flatMap(({ name, look }) => look(facts).map(({ level }) => `${name} ${level}`))
}

t.test('a sound installation', (t) => {
  t.strictSame(named({}), [])
  const facts = installation({})
  for (const { name, good } of WAYS_CHECKS) t.not(good(facts), '', name)
  t.end()
})

const out = (key: string): TableEntry[] => [{ key, value: 'x@out.test' }] as TableEntry[]

/** What is broken, and what is said of it: check and level, and a part of what mends it. */
const BROKEN: [name: string, given: Given, said: string[], mend?: string][] = [
  [
    'submission without the gate',
    {
      master: ['submission inet n - n - - smtpd -o message_size_limit=1000000', PICKUP, CLEANUP],
      main: { mynetworks: '127.0.0.0/8 192.0.2.0/24' },
    },
    ['entrances critical'],
    'submission/inet/content_filter=toeh:dummy',
  ],
  [
    'submission with a filter before the queue',
    { master: [`${ENTRANCE} -o smtpd_proxy_filter=127.0.0.1:1`, PICKUP, CLEANUP] },
    ['entrances critical'],
  ],
  [
    'no next hop',
    { master: [ENTRANCE.replace('toeh:dummy', 'toeh:'), PICKUP, CLEANUP] },
    ['entrances warning'],
    'content_filter=toeh:dummy',
  ],
  [
    'pickup without the gate',
    { master: [ENTRANCE, 'pickup unix n - n 60 1 pickup', CLEANUP] },
    ['pickup critical'],
    'pickup/unix/content_filter=toeh:dummy',
  ],
  [
    'nobody listens',
    { toeh: { reinject: { host: '127.0.0.1', port: 10099 } } },
    ['entrances warning', 'way-back critical'],
  ],
  [
    'the way back filters once more',
    { sample: SAMPLE.replace(/-o content_filter=\s/, '-o content_filter=toeh:dummy\n') },
    ['way-back-filter critical'],
    'content_filter=',
  ],
  [
    'the way back lets others in',
    { sample: SAMPLE.replace('mynetworks=127.0.0.0/8', 'mynetworks=192.0.2.0/24') },
    ['way-back-options critical'],
    'mynetworks=127.0.0.0/8',
  ],
  [
    'fewer processes than the gate',
    { sample: SAMPLE.replace(/^(127\.0\.0\.1:10026 inet +\S+ +\S+ +\S+ +\S+ +)\S+/m, '$11') },
    ['way-back-processes warning'],
    'process_limit=',
  ],
  ['DSN is offered', { main: { smtpd_discard_ehlo_keywords: '' } }, ['dsn warning'], 'silent-discard,dsn'],
  [
    'no room for a header',
    { master: [SUBMISSION, PICKUP, CLEANUP] },
    ['size-limits warning'],
    'submission/inet/message_size_limit=10140000',
  ],
  [
    'short queue ids',
    { main: { enable_long_queue_ids: 'no' } },
    ['queue-ids warning'],
    'enable_long_queue_ids=yes',
  ],
  [
    'a domain too many',
    { toeh: { internal: ['corp.test', 'out.test'] } },
    ['internal-domains critical'],
    'corp.test',
  ],
  [
    'a domain too few',
    { main: { mydestination: 'corp.test, more.test' } },
    ['internal-domains warning'],
    'more.test',
  ],
  [
    'domains in a table that cannot be listed',
    { main: { mydestination: 'ldap:/d' } },
    ['internal-domains unknown'],
  ],
  [
    'no delimiter said',
    { toeh: { delimiters: undefined } },
    ['recipient-delimiter warning'],
    'recipient_delimiter',
  ],
  ["Postfix's delimiter unknown", { toeh: { delimiters: '' } }, ['recipient-delimiter critical']],
  ['a delimiter too many', { toeh: { delimiters: '+-' } }, ['recipient-delimiter warning']],
  [
    'an alias leads outside',
    { main: { alias_maps: 'hash:/a' }, lists: { 'hash:/a': out('info') } },
    ['aliases warning'],
  ],
  ['aliases that cannot be listed', { main: { alias_maps: 'ldap:/a' } }, ['aliases unknown']],
  [
    'a virtual alias leads outside',
    { main: { virtual_alias_maps: 'hash:/v' }, lists: { 'hash:/v': out('info@corp.test') } },
    ['virtual-aliases warning'],
  ],
  [
    'a recipient is rewritten',
    { main: { smtp_generic_maps: 'hash:/g' }, lists: { 'hash:/g': out('x@partner.test') } },
    ['generic warning'],
  ],
  [
    '.forward files',
    { main: { forward_path: '$home/.forward', local_transport: 'local:x' } },
    ['forward warning'],
  ],
]

for (const [name, given, said, mend] of BROKEN) {
  t.test(name, (t) => {
    t.strictSame(named(given), said)
    const facts = installation(given)
    const faults = WAYS_CHECKS.flatMap(({ look }) => look(facts))
    for (const { what, why } of faults) {
      t.match(what, /^[^\n]+$/)
      t.not(why, '')
    }
    const commands = faults.flatMap((fault) => fault.mend)
    if (mend !== undefined)
      t.ok(
        commands.some((command) => command.includes(mend)),
        commands.join('\n'),
      )
    t.end()
  })
}

t.test('what is no fault', (t) => {
  const table: [name: string, given: Given][] = [
    [
      'aliases that stay inside',
      {
        main: { alias_maps: 'hash:/a' },
        lists: {
          'hash:/a': [{ key: 'info', value: 'anna, "|/bin/x", :include:/l, /dev/null' }] as TableEntry[],
        },
      },
    ],
    [
      'a sender is rewritten',
      { main: { smtp_generic_maps: 'hash:/g' }, lists: { 'hash:/g': out('anna@corp.test') } },
    ],
    [
      '.forward where local(8) delivers nothing',
      { main: { forward_path: '$home/.forward', local_transport: 'error:no' } },
    ],
    [
      'no limit of size on the way back',
      { master: [SUBMISSION, PICKUP, CLEANUP], main: { message_size_limit: '0' } },
    ],
  ]
  for (const [name, given] of table) t.strictSame(named(given), [], name)
  t.end()
})

t.test('the domains that Postfix has', (t) => {
  const domains = (main: Record<string, string>, lists?: Given['lists']): [string[], boolean] => {
    const { domains, complete } = postfixDomains(
      installation({ main, ...(lists === undefined ? {} : { lists }) }),
    )
    return [[...domains].sort(), complete]
  }
  t.strictSame(domains({ mydestination: 'Corp.Test localhost, a_b.test', relay_domains: 'r.test' }), [
    ['a_b.test', 'corp.test', 'localhost', 'r.test'],
    true,
  ])
  t.strictSame(domains({ virtual_mailbox_domains: 'hash:/v' }, { 'hash:/v': out('v.test') }), [
    ['corp.test', 'v.test'],
    true,
  ])
  t.strictSame(domains({ virtual_alias_domains: 'ldap:/v' }), [['corp.test'], false])
  t.end()
})

t.test('what keeps a service from being the way back', (t) => {
  const told = (sample: string): string[] =>
    notTheWayBack(installation({ sample })).map(({ level, what }) => `${level} ${what}`)
  t.strictSame(told(SAMPLE), [])
  t.strictSame(told(''), [], 'there is none')
  const [fault, ...more] = told(SAMPLE.replace('127.0.0.1:10026 inet', '0.0.0.0:10026 inet'))
  t.match(fault, /^critical 0\.0\.0\.0:10026\/inet is not on loopback alone/)
  t.strictSame(more, [])
  t.end()
})

t.test('where the gate does not stand', (t) => {
  const services = parseServices(`smtp inet n - n - - smtpd
submission inet n - n - - smtpd
  -o content_filter=toeh:dummy
127.0.0.1:10026 inet n - n - - smtpd
  -o content_filter=
toeh unix - n n - 10 pipe
  argv=/usr/lib/toeh/toeh-filter -- $recipient`)
  const facts = {
    services,
    main: new Map([
      ['mynetworks', '127.0.0.0/8'],
      ['myhostname', 'mx.company.example'],
      ['smtpd_relay_restrictions', 'permit_mynetworks, reject_unauth_destination'],
    ]),
    toeh: { internal: [], reinject: { host: '127.0.0.1', port: 10026 } },
    lane: { files: { map: '', senders: '', recipients: '' } },
    answers: new Map(),
    expected: {},
  }
  const table: [host: string, port: string, named: boolean][] = [
    ['127.0.0.1', '25', true],
    ['localhost', '25', true],
    ['mx.company.example', '25', true],
    ['127.0.0.1', '10026', true],
    ['127.0.0.1', '587', false],
    ['127.0.0.1', '2525', false],
    ['192.0.2.5', '25', false],
  ]
  for (const [host, port, named] of table) {
    const injectors = [{ program: 'Dovecot', setting: 'submission_host', host, port }]
    const faults = injectorFaults({ ...facts, injectors } as never)
    t.equal(faults.length, named ? 1 : 0, `${host}:${port}`)
    if (named)
      t.match(faults[0], {
        level: 'critical',
        what: new RegExp(
          `^Dovecot hands mail to ${host}:${port} \\(submission_host\\), and \\S+/inet hands it`,
        ),
      })
  }
  t.end()
})
