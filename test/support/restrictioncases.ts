/**
 * Restrictions with what becomes of mail to outside: by the model (test/restrictions.test.ts), and by a real Postfix
 * (test/scenarios/restrictions.test.ts). 127.0.0.0/8 and 10.0.0.0/24 are in mynetworks.
 */
const FILTER = 'check_client_access static:{FILTER toeh:dummy}'
const CLASSES = {
  smtpd_restriction_classes: 'office, gated',
  gated: `permit_auth_destination, ${FILTER}, permit`,
  office: 'permit_mynetworks',
}
const RELAY = 'permit_mynetworks, defer_unauth_destination'
const ALL = ['127.0.0.0/8', '10.0.0.0/24']

export interface RestrictionCase {
  title: string
  settings: Record<string, string>
  /** Whose mail comes to the gate, all of it or some. */
  gated: string[]
  round: string[]
}

export const RESTRICTION_CASES: RestrictionCase[] = [
  { title: 'nothing', settings: {}, gated: [], round: ALL },
  { title: 'a filter', settings: { content_filter: 'toeh:dummy' }, gated: ALL, round: [] },
  { title: 'another filter', settings: { content_filter: 'scan:x' }, gated: [], round: ALL },
  {
    title: 'a FILTER for all',
    settings: { smtpd_recipient_restrictions: FILTER },
    gated: ALL,
    round: [],
  },
  {
    title: 'the last FILTER counts',
    settings: {
      content_filter: 'toeh:dummy',
      smtpd_data_restrictions: 'check_client_access static:{FILTER scan:x}',
    },
    gated: [],
    round: ALL,
  },
  {
    title: 'a FILTER for one recipient',
    settings: {
      smtpd_recipient_restrictions: 'check_recipient_access inline:{ {x@one.test=FILTER toeh:dummy} }',
    },
    gated: ALL,
    round: ALL,
  },
  {
    title: 'a FILTER for our own domain says nothing of others',
    settings: {
      smtpd_recipient_restrictions: 'check_recipient_access inline:{ {corp.test=FILTER toeh:dummy} }',
    },
    gated: [],
    round: ALL,
  },
  {
    title: 'a FILTER for one sender',
    settings: { smtpd_sender_restrictions: 'check_sender_access inline:{ {corp.test=FILTER toeh:dummy} }' },
    gated: ALL,
    round: ALL,
  },
  {
    title: 'a FILTER behind a permission',
    settings: { smtpd_recipient_restrictions: `permit_mynetworks, ${FILTER}` },
    gated: [],
    round: ALL,
  },
  {
    title: 'a FILTER before a message is there',
    settings: { smtpd_client_restrictions: FILTER, smtpd_delay_reject: 'no' },
    gated: [],
    round: ALL,
  },
  {
    title: 'a FILTER by network',
    settings: { smtpd_client_restrictions: 'check_client_access cidr:{ {127.0.0.0/8 FILTER toeh:dummy} }' },
    gated: ['127.0.0.0/8'],
    round: ['10.0.0.0/24'],
  },
  {
    title: 'a FILTER for a part of a network',
    settings: { smtpd_client_restrictions: 'check_client_access cidr:{ {10.0.0.7 FILTER toeh:dummy} }' },
    gated: ['10.0.0.0/24', '10.0.0.7'],
    round: ALL,
  },
  {
    title: 'an old table of clients, by octets',
    settings: { smtpd_client_restrictions: 'check_client_access inline:{ {127=FILTER toeh:dummy} }' },
    gated: ['127.0.0.0/8'],
    round: ['10.0.0.0/24'],
  },
  {
    title: 'a second address, for the company alone',
    settings: {
      content_filter: 'toeh:dummy',
      smtpd_client_restrictions: 'permit_mynetworks, reject',
    },
    gated: ALL,
    round: [],
  },
  {
    title: 'who may send outside is said where recipients are',
    settings: {
      smtpd_relay_restrictions: '',
      smtpd_recipient_restrictions: 'permit_mynetworks, reject_unauth_destination',
    },
    gated: [],
    round: ALL,
  },
  {
    title: 'nobody relays',
    settings: { smtpd_relay_restrictions: 'reject_unauth_destination, permit_mynetworks' },
    gated: [],
    round: [],
  },
  {
    title: 'a reject that only warns',
    settings: { smtpd_relay_restrictions: `warn_if_reject reject_unauth_destination, ${RELAY}` },
    gated: [],
    round: ALL,
  },
  {
    title: 'a class that relays',
    settings: { ...CLASSES, smtpd_relay_restrictions: 'office, defer_unauth_destination' },
    gated: [],
    round: ALL,
  },
  {
    title: 'a class that filters',
    settings: {
      ...CLASSES,
      smtpd_relay_restrictions: 'check_client_access cidr:{ {127.0.0.0/8 gated} }, defer_unauth_destination',
    },
    gated: ['127.0.0.0/8'],
    round: [],
  },
  {
    title: 'an open relay',
    // smtpd(8) does not start with a plain permit.
    settings: { smtpd_relay_restrictions: 'check_client_access static:OK, reject' },
    gated: [],
    round: ['anybody', ...ALL],
  },
  {
    title: 'an OK for one recipient is an open relay for that one',
    settings: {
      smtpd_relay_restrictions:
        'check_recipient_access inline:{ {x@one.test=OK} }, reject_unauth_destination',
    },
    gated: [],
    round: ['anybody', ...ALL],
  },
  {
    title: 'an OK for a client',
    settings: { smtpd_relay_restrictions: 'check_client_access cidr:{ {10.0.0.7 OK} }, reject' },
    gated: [],
    round: ['10.0.0.0/24', '10.0.0.7'],
  },
]
