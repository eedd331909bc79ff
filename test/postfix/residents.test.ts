/** Residents: whom Postfix lists as a recipient, and of whom nobody can tell. */
import t from 'tap'
import type { Aliases } from '../../lib/postfix/aliases.js'
import { isResident, type Residence, reachable } from '../../lib/postfix/residents.js'

const TABLES: Record<string, Record<string, string>> = {
  'unix:passwd.byname': { anna: 'anna:x:1000' },
  'hash:/etc/aliases': { postmaster: 'anna', team: 'anna, otto' },
  'hash:/etc/boxes': { 'marie@shop.test': 'shop/marie', '@all.test': 'all/' },
  'hash:/etc/domains': { 'tabled.test': 'x' },
  'hash:/etc/virtual': { 'boss@corp.test': 'marie@shop.test', 'lost@corp.test': 'gone@shop.test' },
}
const ALIASES: Aliases = {
  maps: ['hash:/etc/virtual'],
  domains: [],
  bare: new Set(['corp.test']),
  origin: 'corp.test',
  delimiters: '+',
  lookUp: async (table, key) => {
    if (table === 'closed') throw new Error('closed')
    return TABLES[table]?.[key]
  },
}
const LOCAL: Residence = {
  domains: ['corp.test', 'hash:/etc/domains'],
  list: 'local_recipient_maps',
  maps: ['unix:passwd.byname', 'hash:/etc/aliases'],
  bare: true,
  subdomains: false,
}
const BOXES: Residence = {
  domains: ['shop.test', 'all.test'],
  list: 'virtual_mailbox_maps',
  maps: ['hash:/etc/boxes'],
  bare: false,
  subdomains: false,
}
const RELAY: Residence = {
  domains: ['site.test'],
  list: 'relay_recipient_maps',
  maps: ['hash:/etc/boxes'],
  bare: false,
  subdomains: true,
}

t.test('whom Postfix lists', async (t) => {
  const cases: [address: string, is: boolean | undefined, residences?: Residence[]][] = [
    ['anna@corp.test', true],
    ['anna+list@corp.test', true],
    ['postmaster@corp.test', true],
    ['gone@corp.test', false],
    ['anna@tabled.test', true],
    ['gone@tabled.test', false],
    // The name of a user is one in the first class alone.
    ['anna@shop.test', false],
    ['Marie@Shop.test', true],
    ['whoever@all.test', true],
    ['gone@site.test', false],
    ['gone@below.site.test', false],
    ['x@sub.corp.test', undefined],
    ['x@elsewhere.test', undefined],
    ['"anna"@corp.test', undefined],
    ['gone@corp.test', undefined, [{ ...LOCAL, maps: [] }]],
    ['gone@corp.test', undefined, [{ ...LOCAL, domains: ['/etc/postfix/domains', 'corp.test'] }]],
    ['gone@corp.test', undefined, [{ ...LOCAL, domains: ['!corp.test'] }]],
    ['gone@below.site.test', undefined, [{ ...RELAY, subdomains: false }]],
    ['gone@below.site.test', false, [{ ...RELAY, domains: ['.site.test'], subdomains: false }]],
    ['gone@corp.test', undefined, []],
  ]
  for (const [address, is, residences = [LOCAL, BOXES, RELAY]] of cases)
    t.equal(await isResident(address, residences, ALIASES), is, address)
})

t.test('whom a notice would reach', async (t) => {
  const internal = new Set(['corp.test', 'shop.test'])
  const cases: [address: string, reached: string[], residences?: Residence[]][] = [
    ['anna@corp.test', ['anna@corp.test']],
    ['boss@corp.test', ['marie@shop.test']],
    ['lost@corp.test', []],
    ['gone@corp.test', []],
    // A list that cannot be asked says nothing against anybody.
    ['gone@corp.test', ['gone@corp.test'], [{ ...LOCAL, maps: ['closed'] }]],
    ['gone@corp.test', ['gone@corp.test'], [{ ...LOCAL, domains: ['closed:', 'corp.test'], maps: [] }]],
  ]
  for (const [address, reached, residences = [LOCAL, BOXES]] of cases)
    t.strictSame(await reachable(address, { aliases: ALIASES, residences }, internal), reached, address)
})
