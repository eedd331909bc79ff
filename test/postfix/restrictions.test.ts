/** Restrictions: what would become of a message, by texts alone; the same cases on a real Postfix: scenarios/restrictions. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sourceOf, type TableEntry } from '../../lib/postfix/lookuptable.js'
import { parseServices } from '../../lib/postfix/mastercf.js'
import {
  clientsOf,
  discardedFor,
  filtersIncoming,
  isGated,
  passages,
  type Restricted,
  whatPassesBy,
} from '../../lib/postfix/restrictions.js'
import { ROOT } from '../support/lab.js'
import { RESTRICTION_CASES } from '../support/restrictioncases.js'

const SAMPLE = readFileSync(join(ROOT, 'master.cf.sample'), 'utf8')
const [gate, reinjection, cleanup] = parseServices(SAMPLE)

/** A service with these settings, and tables that answer what stands in their names. */
function factsOf(
  settings: Record<string, string>,
  name = '10.0.0.1:2525',
): { facts: Restricted; service: ReturnType<typeof parseServices>[number] } {
  const [service] = parseServices(`${name} inet n - n - - smtpd`)
  if (service === undefined) throw new Error('no service')
  const get = (table: string): TableEntry[] | undefined => {
    const source = sourceOf(table)
    return source.kind === 'written' ? source.entries : undefined
  }
  const main = new Map(
    Object.entries({
      mynetworks: '127.0.0.0/8 10.0.0.0/24',
      smtpd_relay_restrictions: 'permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination',
      smtpd_delay_reject: 'yes',
      ...settings,
    }),
  )
  const facts = {
    main,
    services: [service, ...parseServices(SAMPLE)],
    expected: { gate, reinjection, cleanup },
    toeh: { internal: ['corp.test'], reinject: { host: '127.0.0.1', port: 10026 } },
    lane: { files: { map: '/lane', senders: '/senders', recipients: '/recipients' } },
    answers: Object.assign(new Map(), { get }),
  } as unknown as Restricted
  return { facts, service: { ...service, options: new Map(Object.entries(settings)) } }
}

t.test('who goes by the gate, and who goes round it', (t) => {
  for (const { title, settings, gated, round } of RESTRICTION_CASES) {
    const { facts, service } = factsOf(settings)
    const found = passages(facts, service)
    t.same(
      {
        gated: found.gated.map(({ client }) => client.label),
        round: found.round.map(({ client }) => client.label),
      },
      { gated, round },
      title,
    )
    t.equal(isGated(facts, service), gated.length > 0 && round.length === 0, title)
  }
  t.end()
})

t.test('mail from outside for us', (t) => {
  const table: [settings: Record<string, string>, filtered: boolean][] = [
    [{}, false],
    [{ content_filter: 'toeh:dummy' }, true],
    [{ content_filter: 'toeh:dummy', smtpd_client_restrictions: 'permit_mynetworks,reject' }, false],
    [{ content_filter: 'scan:x' }, false],
    [{ smtpd_data_restrictions: 'check_client_access static:{FILTER toeh:dummy}' }, true],
    [
      { smtpd_relay_restrictions: 'permit_auth_destination, check_client_access static:{FILTER toeh:dummy}' },
      false,
    ],
  ]
  for (const [settings, filtered] of table) {
    const { facts, service } = factsOf(settings, 'smtp')
    t.equal(filtersIncoming(facts, service), filtered, JSON.stringify(settings))
  }
  t.end()
})

t.test('clients', (t) => {
  const labels = (settings: Record<string, string>, name?: string): string[] => {
    const { facts, service } = factsOf(settings, name)
    return clientsOf(facts, service).map(({ label }) => label)
  }
  t.same(labels({}), ['anybody', '127.0.0.0/8', '10.0.0.0/24'])
  t.same(
    labels({ mynetworks: '127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128' }),
    ['anybody', '127.0.0.0/8', '[::1]/128'],
    'as Debian has it',
  )
  t.same(labels({ mynetworks: '10.0.0.0/24 hash:/nets !10.0.0.5' }), [
    'anybody',
    '10.0.0.0/24',
    '127.0.0.1',
    'hash:/nets',
  ])
  t.same(labels({}, '127.0.0.1:2525'), ['127.0.0.0/8'], 'nobody else reaches it')
  t.same(labels({}, '127.0.0.1:smtp'), ['anybody', '127.0.0.0/8', '10.0.0.0/24'], 'but port 25')
  t.same(
    labels({
      smtpd_sasl_auth_enable: 'yes',
      smtpd_client_restrictions:
        'check_client_access inline:{ {192.0.2=OK}, {.partner.test=OK}, {198.51.100.1=DUNNO} }',
      smtpd_recipient_restrictions: 'permit_tls_clientcerts',
    }),
    [
      'whoever logs in',
      'whoever has a certificate',
      'anybody',
      '127.0.0.0/8',
      '10.0.0.0/24',
      '192.0.2',
      '.partner.test',
    ],
  )
  t.end()
})

t.test('a list of tens of thousands who are refused', (t) => {
  const { facts, service } = factsOf({
    smtpd_client_restrictions: 'check_client_access cidr:/blocked, permit_mynetworks, reject',
    content_filter: 'toeh:dummy',
  })
  const blocked: readonly TableEntry[] = Array.from({ length: 50_000 }, (_, at) => ({
    key: `100.${at >> 8}.${at & 255}.0/24`,
    value: 'REJECT',
  }))
  const answers = new Map<string, readonly TableEntry[] | undefined>([['cidr:/blocked', blocked]])
  t.equal(clientsOf({ ...facts, answers }, service).length, 3, 'nobody is looked at apart')
  t.ok(isGated({ ...facts, answers }, service))
  t.end()
})

t.test('what a FILTER stands behind', (t) => {
  const filter = 'check_client_access static:{FILTER toeh:dummy}'
  const table: [settings: Record<string, string>, past: string | undefined][] = [
    [{}, undefined],
    [{ smtpd_recipient_restrictions: `permit_mynetworks, ${filter}` }, 'permit_mynetworks'],
    [{ smtpd_client_restrictions: filter, smtpd_delay_reject: 'no' }, 'smtpd_delay_reject=no'],
    [
      { smtpd_sender_restrictions: 'check_sender_access inline:{ {a@b.test=FILTER toeh:x} }' },
      'smtpd_sender_restrictions',
    ],
    [
      { smtpd_data_restrictions: `check_client_access inline:{ {10.0.0=OK} }, ${filter}` },
      'smtpd_data_restrictions',
    ],
  ]
  for (const [settings, past] of table) {
    const { facts, service } = factsOf(settings)
    const [, client] = clientsOf(facts, service)
    t.equal(client && whatPassesBy(facts, service, client), past, JSON.stringify(settings))
  }
  t.end()
})

t.test('what EHLO does not offer', (t) => {
  const table: [settings: Record<string, string>, discarded: string][] = [
    [{}, ''],
    [{ smtpd_discard_ehlo_keywords: 'silent-discard, DSN' }, 'silent-discard dsn'],
    [{ smtpd_discard_ehlo_keyword_address_maps: 'cidr:{ {127.0.0.0/8 dsn}, {0.0.0.0/0 vrfy} }' }, 'dsn'],
    [
      {
        smtpd_discard_ehlo_keywords: 'vrfy',
        smtpd_discard_ehlo_keyword_address_maps:
          'pipemap:{cidr:{ {127.0.0.0/8 toeh_gate} },static:{silent-discard,dsn}}',
      },
      'silent-discard dsn',
    ],
    [
      {
        smtpd_discard_ehlo_keywords: 'vrfy',
        smtpd_discard_ehlo_keyword_address_maps: 'pipemap:{cidr:{ {10.0.0.0/8 x} },static:{dsn}}',
      },
      'vrfy',
    ],
  ]
  for (const [settings, discarded] of table) {
    const { facts, service } = factsOf(settings)
    const [, client] = clientsOf(facts, service)
    t.equal(client && discardedFor(facts, service, client).join(' '), discarded, JSON.stringify(settings))
  }
  t.end()
})
