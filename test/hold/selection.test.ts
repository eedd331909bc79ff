/** Selection: what is named fits exactly what it names, whatever looks like it. */
import t from 'tap'
import { chosenOf, isSelective, parseSelection, type SelectionOptions } from '../../lib/hold/selection.js'
import { failureOf } from '../support/failing.js'

const NOW = Date.parse('2026-11-24T12:00:00Z')
const HOUR = 3_600_000

const HELD = [
  ['anna@corp.test', NOW - HOUR, 'eve@sup.test', 'Eve@SUP.test', 'x%y@sup.test', 'a@sub.sup.test'],
  ['Anna@Corp.test', NOW - 50 * HOUR, 'eve@xn--sp-xka.test', 'eve@sup.test.evil.test'],
  ['', NOW - 100 * HOUR, 'mal@other.test'],
  ['"anna"@corp.test', NOW - 200 * HOUR, 'mal@other.test', 'eve@sup.test'],
  ['bob@corp.test.evil.test', NOW - 200 * HOUR, 'mal@other.test'],
].map(([sender, heldAt, ...addresses]) => ({
  sender: String(sender),
  heldAt: Number(heldAt),
  recipients: addresses.map((address) => ({ address: String(address) })),
}))

/** Who is chosen, as `message: address…`. */
function chosen(options: SelectionOptions): string[] {
  const selection = parseSelection(options, NOW)
  return HELD.flatMap((message, index) => {
    const addresses = chosenOf(message, selection).map(({ address }) => address)
    return addresses.length === 0 ? [] : [`${index}: ${addresses.join(' ')}`]
  })
}

t.test('by sender: an address, a domain, or nobody', async (t) => {
  t.strictSame(
    chosen({ sender: ['ANNA@corp.test'] }).map((line) => line[0]),
    ['0', '1'],
    'ASCII case is folded; a quoted one is another',
  )
  t.strictSame(
    chosen({ sender: ['@Corp.Test'] }).map((line) => line[0]),
    ['0', '1'],
  )
  t.strictSame(chosen({ sender: [''] }), ['2: mal@other.test'])
  t.strictSame(
    chosen({ sender: ['"anna"@corp.test'] }),
    ['3: mal@other.test eve@sup.test'],
    'what is not plain is meant byte for byte',
  )
  t.strictSame(chosen({ sender: ['', '@corp.test.evil.test'] }), ['2: mal@other.test', '4: mal@other.test'])
})

t.test('by domain: exactly that one, of plain addresses', async (t) => {
  t.strictSame(
    chosen({ domain: ['SUP.test'] }),
    ['0: eve@sup.test Eve@SUP.test', '3: eve@sup.test'],
    'not what lies below or beside it, and not x%y, which leads elsewhere',
  )
  t.strictSame(chosen({ domain: ['s\u{fc}p.test'] }), ['1: eve@xn--sp-xka.test'])
  t.strictSame(chosen({ domain: ['xn--sp-xka.test'] }), ['1: eve@xn--sp-xka.test'])
  t.strictSame(chosen({ domain: ['s\u{443}p.test'] }), [], 'a look-alike is its own A-label')
})

t.test('by recipient', async (t) => {
  t.strictSame(chosen({ recipient: ['EVE@sup.test'] }), ['0: eve@sup.test Eve@SUP.test', '3: eve@sup.test'])
  t.strictSame(chosen({ recipient: ['eve@s\u{fc}p.test'] }), ['1: eve@xn--sp-xka.test'])
  t.strictSame(chosen({ recipient: ['x%y@sup.test'] }), ['0: x%y@sup.test'])
  t.strictSame(chosen({ recipient: ['X%y@sup.test'] }), [])
})

t.test('by time, and by all of it at once', async (t) => {
  const indexes = (options: SelectionOptions) => chosen(options).map((line) => Number(line[0]))
  t.strictSame(indexes({ before: '50h' }), [2, 3, 4], 'longer ago, not as long')
  t.strictSame(indexes({ since: '50h' }), [0, 1])
  t.strictSame(indexes({ since: '101h', before: '2d' }), [1, 2])
  t.strictSame(indexes({}), [0, 1, 2, 3, 4])
  t.strictSame(chosen({ before: '2d', domain: ['sup.test', 'other.test'], recipient: ['mal@other.test'] }), [
    '2: mal@other.test',
    '3: mal@other.test',
    '4: mal@other.test',
  ])
  t.strictSame(chosen({ sender: ['@corp.test'], domain: ['other.test'] }), [])
})

t.test('what is no sender, domain or time is refused', async (t) => {
  const table: [SelectionOptions, string][] = [
    [{ sender: ['corp.test'] }, '--sender "corp.test": it is no address, no @domain and not empty'],
    [{ sender: ['@corp'] }, '--sender "corp": single-label domain'],
    [{ domain: ['@sup.test'] }, '--domain "@sup.test": domain is not a host name'],
    [{ domain: [''] }, '--domain "": no domain'],
    [{ before: 'soon' }, '--before "soon": it is no date as 2026-12-31 and no time as 30d'],
    [{ since: '2026-02-30' }, '--since "2026-02-30": it is no date'],
  ]
  for (const [options, words] of table) {
    const failure = await failureOf(() => parseSelection(options, NOW))
    t.match(failure.message, words)
    t.equal(failure.status, 2)
  }
})

t.test('whether anybody is left out', async (t) => {
  t.equal(isSelective({}), false)
  t.equal(isSelective({ sender: [''] }), true, 'the null sender is one')
  t.equal(isSelective({ before: '1d' }), true)
})
