/** What Postfix makes of moderate.address, by its tables. */
import t from 'tap'
import { deliveryOf, readAnswerWay } from '../../lib/doctor/answerway.js'
import type { Aliases } from '../../lib/postfix/aliases.js'
import type { Residence } from '../../lib/postfix/residents.js'
import { cannotBeFresh, Debian } from '../support/debian.js'

const TABLES: Record<string, Record<string, string>> = {
  'hash:/aliases': { '@all.test': 'boss@corp.test', 'known@brand.test': 'say@corp.test' },
  'hash:/boxes': { 'say@shop.test': 'x', '@all.test': 'x' },
  'hash:/users': { boss: 'x' },
}
const aliases: Aliases = {
  maps: ['hash:/aliases'],
  domains: ['brand.test'],
  bare: new Set(['mail.corp.test', 'corp.test', 'localhost']),
  origin: 'corp.test',
  delimiters: '+',
  lookUp: async (table, key) => TABLES[table]?.[key],
}
const class_ = (list: string, domains: string[], map: string, bare = false): Residence => ({
  domains,
  list,
  maps: [map],
  bare,
  subdomains: false,
})
const residences = [
  class_('local_recipient_maps', ['corp.test', 'mail.corp.test', 'localhost'], 'hash:/users', true),
  class_('virtual_mailbox_maps', ['shop.test', 'all.test'], 'hash:/boxes'),
]

t.test('by its class, its aliases, and where it is to be delivered', { skip: cannotBeFresh() }, async (t) => {
  const { etc } = new Debian(t)
  const lists = { aliases, residences }
  const cases: [
    address: string,
    list: string | undefined,
    targets: string[],
    listed: boolean | undefined,
    delivery: string,
  ][] = [
    ['say@corp.test', 'local_recipient_maps', ['say@corp.test'], false, 'say@corp.test'],
    ['boss@corp.test', 'local_recipient_maps', ['boss@corp.test'], true, 'boss@corp.test'],
    ['Say@Shop.test', 'virtual_mailbox_maps', ['Say@Shop.test'], true, 'say@shop.test'],
    ['no@shop.test', 'virtual_mailbox_maps', ['no@shop.test'], false, 'no@shop.test'],
    ['say@all.test', 'local_recipient_maps', ['boss@corp.test'], true, 'say@all.test'],
    ['say@brand.test', '', [], false, 'say@corp.test'],
    ['known@brand.test', '', ['say@corp.test'], false, 'known@corp.test'],
    ['say@gone.test', undefined, ['say@gone.test'], undefined, 'say@gone.test'],
  ]
  for (const [address, list, targets, listed, delivery] of cases) {
    const way = await readAnswerWay(address, etc, lists)
    t.strictSame(way, { address, list, targets, listed, transport: undefined })
    const delivered = await deliveryOf(way, new Set(['corp.test', 'localhost']), etc, lists)
    t.equal(delivered?.address, delivery, `${address} is delivered as`)
  }
  const way = await readAnswerWay('say@brand.test', etc, lists)
  t.equal((await deliveryOf(way, new Set(['localhost']), etc, lists))?.address, 'say@localhost')
  t.equal(await deliveryOf(way, new Set(), etc, lists), undefined, 'the gate would hold it')
})
