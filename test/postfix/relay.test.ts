/** The relay's list: what it makes of an administrator's, and what it says. On texts alone. */
import t from 'tap'
import type { Facts } from '../../lib/doctor/facts.js'
import { type Network, parseNetwork } from '../../lib/mail/network.js'
import { parseServices } from '../../lib/postfix/mastercf.js'
import {
  networkFault,
  networksOf,
  relayClass,
  relayCommand,
  relayList,
  relayTable,
} from '../../lib/postfix/relay.js'
import type { Restricted } from '../../lib/postfix/restrictions.js'

const PATH = '/etc/toeh/toeh-clients'
const OURS = `check_client_access cidr:${PATH}`
const LOGINS = 'check_sasl_access static:{toeh_gate}'

function net(text: string): Network {
  const network = parseNetwork(text)
  if (network === undefined) throw new Error(text)
  return network
}

t.test('the gate in the place of each permission, and all else in its order', (t) => {
  const table: [relay: string, recipients: string, list: string][] = [
    [
      'permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination',
      '',
      `${OURS}, ${LOGINS}, defer_unauth_destination`,
    ],
    ['permit_mynetworks reject_unauth_destination', '', `${OURS} reject_unauth_destination`],
    ['permit_mynetworks,reject', '', `${OURS},reject`],
    ['reject_unauth_destination', '', `${OURS}, reject_unauth_destination`],
    [
      'reject_non_fqdn_sender, check_policy_service unix:private/p, defer_unauth_destination',
      '',
      `reject_non_fqdn_sender, check_policy_service unix:private/p, ${OURS}, defer_unauth_destination`,
    ],
    // As before Postfix 2.10.
    ['', 'permit_mynetworks, reject_rbl_client x.test', `${OURS}, reject_unauth_destination`],
    ['', 'permit_sasl_authenticated, reject', `${LOGINS}, ${OURS}, reject_unauth_destination`],
    ['permit_mynetworks, reject, permit_sasl_authenticated', '', `${OURS}, reject, ${LOGINS}`],
    // Made already.
    [`${OURS}, ${LOGINS}, reject_unauth_destination`, '', `${OURS}, ${LOGINS}, reject_unauth_destination`],
    // A class of that name is not the word.
    ['my_permit_mynetworks, reject', '', `my_permit_mynetworks, ${OURS}, reject`],
  ]
  for (const [relay, recipients, list] of table) {
    const [service] = parseServices('smtp inet n - n - - smtpd')
    if (service === undefined) throw new Error('no service')
    for (const logins of [true, false]) {
      const main = new Map([
        ['smtpd_relay_restrictions', relay],
        ['smtpd_recipient_restrictions', recipients],
      ])
      // What is made already is left.
      const isMade = relay.includes(OURS)
      const expected = logins || isMade ? list : list.replace(`${LOGINS}, `, '').replace(`, ${LOGINS}`, '')
      t.equal(
        relayList({ main } as unknown as Restricted, service, PATH, logins),
        expected,
        `${relay}, logins: ${logins}`,
      )
    }
  }
  t.equal(
    relayClass('gate'),
    'permit_auth_destination, check_client_access static:{FILTER gate:dummy}, permit',
    'what is for us is let in first',
  )
  t.end()
})

t.test('the table and the command', (t) => {
  t.match(
    relayTable([net('10.0.0.5'), net('2001:db8::/64')], 'toeh init'),
    /^(#.*\n)+10\.0\.0\.5 toeh_gate\n2001:db8::\/64 toeh_gate\n$/,
  )
  const facts = { configDir: undefined, toeh: { path: '/etc/toeh/toeh.toml' } } as unknown as Facts
  t.equal(
    relayCommand(facts, [net('10.0.0.5')]),
    'toeh init --postfix --relay 10.0.0.5 --config /etc/toeh/toeh.toml',
  )
  t.equal(
    relayCommand({ ...facts, configDir: '/etc/postfix out' }, [], '--apply'),
    "toeh init --postfix --relay 127.0.0.0/8 --apply --config-dir '/etc/postfix out' --config /etc/toeh/toeh.toml",
  )
  const plain = { label: '', login: false, certificate: false, inside: true }
  const clients = ['10.0.0.0/8', '10.1.0.0/16', '192.0.2.1'].map((text) => ({ ...plain, network: net(text) }))
  t.same(
    networksOf([
      ...clients,
      { ...plain, network: undefined },
      { ...plain, inside: false, network: net('::1') },
    ]),
    [net('10.0.0.0/8'), net('192.0.2.1')],
    'one within another is said with it, and who is not of mynetworks is not',
  )
  for (const [text, fault] of [
    ['0.0.0.0/0', true],
    ['128.0.0.0/1', true],
    ['10.0.0.0/8', false],
    ['::/0', true],
    ['2001:db8::/32', false],
  ] as const)
    t.equal(networkFault(net(text)) !== undefined, fault, text)
  t.end()
})
