/** Copies: which recipients Postfix has added, by itself, for a sender and for a recipient, and under an alias. */
import t from 'tap'
import { type Copies, hiddenCopies, outsideCopies } from '../../lib/postfix/copies.js'

const TABLES: Record<string, Record<string, string>> = {
  senders: { 'anna@corp.test': 'anna-copies@vault.test', '@shop.test': 'archive' },
  recipients: { 'x@new.test': 'watch@vault.test' },
  virtual: { 'archive@corp.test': 'all@vault.test' },
}
const ALIASES = {
  maps: ['virtual'],
  domains: [],
  bare: new Set(['corp.test']),
  origin: 'corp.test',
  delimiters: '+',
  lookUp: async (table: string, key: string) => TABLES[table]?.[key],
}
const COPIES: Copies = {
  always_bcc: ['Always@vault.test'],
  sender_bcc_maps: ['senders'],
  recipient_bcc_maps: ['recipients'],
}

t.test('which recipients are copies', async (t) => {
  const recipients = [
    'x@new.test',
    'always@VAULT.test',
    'anna-copies@vault.test',
    'all@vault.test',
    'watch@vault.test',
  ]
  const cases: [sender: string, given: string[], hidden: string[]][] = [
    ['anna@corp.test', recipients, ['always@VAULT.test', 'anna-copies@vault.test', 'watch@vault.test']],
    ['anna+x@corp.test', ['anna-copies@vault.test'], ['anna-copies@vault.test']],
    ['otto@corp.test', ['anna-copies@vault.test', 'always@vault.test'], ['always@vault.test']],
    ['eva@shop.test', ['all@vault.test', 'archive@corp.test'], ['all@vault.test', 'archive@corp.test']],
    ['otto@corp.test', ['watch@vault.test'], []],
    ['', ['always@vault.test', 'y@new.test'], ['always@vault.test']],
  ]
  for (const [sender, given, hidden] of cases)
    t.strictSame(
      [...(await hiddenCopies({ sender, recipients: given }, COPIES, ALIASES))],
      hidden,
      `${sender} ${given}`,
    )
  const none = { always_bcc: [], sender_bcc_maps: [], recipient_bcc_maps: [] }
  t.strictSame([...(await hiddenCopies({ sender: 'anna@corp.test', recipients }, none, ALIASES))], [])
})

t.test('which copies go outside', async (t) => {
  const look = (copies: Partial<Copies>): ReturnType<typeof outsideCopies> => {
    const all = { always_bcc: [], sender_bcc_maps: [], recipient_bcc_maps: [], ...copies }
    return outsideCopies(all, ALIASES, new Set(['corp.test']), undefined)
  }
  const cases: [copies: Partial<Copies>, outside: string[], unseen: string[]][] = [
    [{}, [], []],
    [{ always_bcc: ['Always@Vault.test'] }, ['always@vault.test always_bcc'], []],
    [{ always_bcc: ['bob', 'bob@corp.test'] }, [], []],
    [{ always_bcc: ['archive'] }, ['all@vault.test always_bcc'], []],
    [
      { sender_bcc_maps: ['inline:{ { a@corp.test = x@vault.test }, { @corp.test = bob } }'] },
      ['x@vault.test sender_bcc_maps'],
      [],
    ],
    [
      { recipient_bcc_maps: ['regexp:{ { /^(.*)@shop/ $1@vault.test }, { /x/ y@vault.test } }', 'fail:{x}'] },
      ['y@vault.test recipient_bcc_maps'],
      ['recipient_bcc_maps regexp:{ { /^(.*)@shop/ $1@vault.test }, { /x/ y@vault.test } }'],
    ],
    [{ sender_bcc_maps: ['nosuch:/table'] }, [], ['sender_bcc_maps nosuch:/table']],
    [
      { always_bcc: ['x@vault.test'], sender_bcc_maps: ['static:X@vault.test'] },
      ['x@vault.test always_bcc'],
      [],
    ],
    [{ always_bcc: ['a%b@vault.test'] }, [], []],
  ]
  for (const [copies, outside, unseen] of cases) {
    const found = await look(copies)
    t.strictSame(
      found.outside.map(({ address, setting }) => `${address} ${setting}`),
      outside,
      JSON.stringify(copies),
    )
    t.strictSame(
      found.unseen.map(({ setting, table }) => `${setting} ${table}`),
      unseen,
    )
  }
})
