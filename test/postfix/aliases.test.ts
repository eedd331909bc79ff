/** Aliases: whom an address stands for in virtual_alias_maps, asked as virtual(5) has it. */
import t from 'tap'
import { type Aliases, reachedBy, resolveAlias } from '../../lib/postfix/aliases.js'

const TABLES: Record<string, Record<string, string>> = {
  'hash:/etc/virtual': {
    'boss@corp.test': 'marie@corp.test',
    'team@corp.test': 'anna@corp.test, otto@corp.test,eva@other.test',
    'both@corp.test': 'both@corp.test both@archive.test',
    'deep@corp.test': 'boss@corp.test',
    'loop@corp.test': 'pool@corp.test',
    'pool@corp.test': 'loop@corp.test',
    root: 'anna',
    '@brand.test': '@corp.test',
    'it@alias.test': 'otto@corp.test',
  },
  'hash:/etc/more': { 'boss@corp.test': 'nobody@corp.test', 'late@corp.test': 'anna@corp.test' },
  'hash:/etc/domains': { 'tabled.test': 'anything' },
}

function aliases(changes: Partial<Aliases> = {}): Aliases {
  return {
    maps: ['hash:/etc/virtual', 'hash:/etc/more'],
    domains: ['alias.test', 'brand.test', 'hash:/etc/domains'],
    bare: new Set(['corp.test', 'localhost']),
    origin: 'corp.test',
    delimiters: '+',
    lookUp: async (table, key) => TABLES[table]?.[key],
    ...changes,
  }
}

t.test('whom an address stands for', async (t) => {
  const cases: [address: string, mailboxes: string[]][] = [
    ['anna@corp.test', ['anna@corp.test']],
    ['Boss@Corp.test', ['marie@corp.test']],
    ['boss+x@corp.test', ['marie@corp.test']],
    ['team@corp.test', ['anna@corp.test', 'otto@corp.test', 'eva@other.test']],
    ['both@corp.test', ['both@corp.test', 'both@archive.test']],
    ['deep@corp.test', ['marie@corp.test']],
    ['late@corp.test', ['anna@corp.test']],
    ['root@localhost', ['anna@corp.test']],
    ['root@elsewhere.test', ['root@elsewhere.test']],
    ['boss@brand.test', ['marie@corp.test']],
    ['it@alias.test', ['otto@corp.test']],
    // Nobody: there are only aliases at these, and this is none.
    ['nobody@alias.test', []],
    ['x@tabled.test', []],
    // What is not plain is left to Postfix.
    ['"boss"@corp.test', ['"boss"@corp.test']],
  ]
  for (const [address, mailboxes] of cases)
    t.strictSame(await resolveAlias(address, aliases()), mailboxes, address)
  t.strictSame(await resolveAlias('boss+x@corp.test', aliases({ delimiters: '' })), ['boss+x@corp.test'])
  t.strictSame(await resolveAlias('boss@corp.test', aliases({ maps: [] })), ['boss@corp.test'])
  t.equal((await resolveAlias('loop@corp.test', aliases())).length, 1, 'a ring comes to an end')
  const broken = aliases({ lookUp: () => Promise.reject(new Error('closed')) })
  await t.rejects(
    resolveAlias('boss@corp.test', broken),
    /closed/,
    'a table that cannot be asked is no empty one',
  )
})

t.test('a notice goes to those inside, and to nobody an alias of ours leads to outside', async (t) => {
  const internal = new Set(['corp.test', 'brand.test'])
  const cases: [address: string, reached: string[]][] = [
    ['anna@corp.test', ['anna@corp.test']],
    ['boss@brand.test', ['marie@corp.test']],
    ['team@corp.test', ['anna@corp.test', 'otto@corp.test']],
    ['both@corp.test', ['both@corp.test']],
    ['away@corp.test', []],
    ['odd@corp.test', []],
    ['bare@corp.test', ['anna@localhost']],
    ['nobody@alias.test', []],
    // An approver outside whom somebody has named as one.
    ['lawyer@other.test', ['lawyer@other.test']],
  ]
  const more: Record<string, string> = {
    'away@corp.test': 'anna@other.test',
    'odd@corp.test': 'anna%other.test@corp.test',
    'bare@corp.test': 'anna@localhost',
  }
  const lookUp: Aliases['lookUp'] = async (table, key) => more[key] ?? TABLES[table]?.[key]
  for (const [address, reached] of cases)
    t.strictSame(await reachedBy(address, aliases({ lookUp }), internal), reached, address)
})
