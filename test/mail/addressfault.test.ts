/** Why an address is malformed: each reason has words in both languages. */
import t from 'tap'
import type { AddressFault } from '../../lib/mail/address.js'
import { parseAddress } from '../../lib/mail/address.js'
import { FAULTS_FR, faultIn } from '../../lib/mail/addressfault.js'

/** One address for each reason. */
const TABLE: Record<AddressFault, string> = {
  empty: '',
  'no domain': 'anna',
  'undecodable bytes': 'anna\u{fffd}@a.test',
  'control character': 'anna\u0007@a.test',
  blank: 'an na@a.test',
  quoted: '"anna"@a.test',
  'second @': 'a@b@a.test',
  'percent or bang routing': 'a%b@a.test',
  'leading hyphen': '-anna@a.test',
  'local part is not a dot-atom': 'a..b@a.test',
  'local part is not ASCII': 'zo\u00eb@a.test',
  'too long': `${'a'.repeat(254)}@a.test`,
  'address literal': 'anna@[192.0.2.1]',
  'domain is not a host name': 'anna@a..test',
  'single-label domain': 'anna@localhost',
  'numeric top-level domain': 'anna@192.0.2.1',
  'internationalised domain does not round-trip': 'anna@xn--a.test',
}

t.test('each reason, as it stands and in French', (t) => {
  for (const [fault, address] of Object.entries(TABLE) as [AddressFault, string][]) {
    const found = parseAddress(address, new Set())
    t.equal(found.plain ? undefined : found.fault, fault, JSON.stringify(address))
    t.equal(faultIn('en', fault), fault)
    t.equal(faultIn('fr', fault), FAULTS_FR[fault])
  }
  t.end()
})

t.test('the French is French, and tells them apart', (t) => {
  t.strictSame(Object.keys(FAULTS_FR).sort(), Object.keys(TABLE).sort())
  const french = Object.values(FAULTS_FR)
  t.equal(new Set(french).size, french.length)
  for (const words of french) t.notOk(words in FAULTS_FR || words.includes("'"), words)
  t.end()
})
