/** Tests of nearmiss.ts: every kind of likeness with what has it and what has not, and what holds for all addresses. */
import fc from 'fast-check'
import t from 'tap'
import { parseAddress } from '../../lib/mail/address.js'
import {
  distanceWithin,
  findNearMisses,
  type Known,
  KnownDomains,
  LIKENESSES,
  type Likeness,
  likenessOf,
  MOST,
} from '../../lib/nearmiss/nearmiss.js'
import { assertSame, holds } from '../support/property.js'

function known(...values: string[]): Known[] {
  return values.map((value) => ({ value, kind: value.includes('@') ? 'address' : 'domain' }))
}

// Recipient's domain, known domain, likeness.
const ALIKE: Record<
  Exclude<Likeness, 'same local part at another domain' | 'perhaps the same mailbox'>,
  [string, string][]
> = {
  'looks the same': [
    ['supp1ier.example', 'supplier.example'],
    ['suppl1er.example', 'supplier.example'],
    ['rnartin.example', 'martin.example'],
    ['vvagner.example', 'wagner.example'],
    ['clupont.example', 'dupont.example'],
    ['hamah.example', 'hannah.example'],
    ['g00gle.example', 'google.example'],
    ['5ervices.example', 'services.example'],
    ['suppl1er.test', 'supplier.example'],
    ['xn--80ak6aa92e.example', 'apple.example'], // аррӏе, Cyrillic
    ['xn--e1axhi.example', 'ceyx.example'], // сеух, Cyrillic
    ['xn--mxaa0b.example', 'aav.example'], // ααν, Greek
    ['xn--socit-esab.example', 'societe.example'], // société
    ['supplier.xn--m-0tbi', 'supplier.com'], // a suffix of сом
  ],
  'edit distance 1': [
    ['supplie.example', 'supplier.example'],
    ['suppplier.example', 'supplier.example'],
    ['supplyer.example', 'supplier.example'],
    ['suplpier.example', 'supplier.example'],
    ['acne.example', 'acme.example'],
    ['supplyer.test', 'supplier.example'],
    ['corq.test', 'corp.test'],
  ],
  'edit distance 2': [
    ['supqliet.example', 'supplier.example'],
    ['upplierr.example', 'supplier.example'],
    ['uspplire.example', 'supplier.example'],
    ['dupant2.example', 'dupont.example'],
    ['brovi.example', 'bravo.example'],
  ],
  hyphen: [
    ['dupont-martin.example', 'dupontmartin.example'],
    ['dupontmartin.example', 'dupont-martin.example'],
    ['du-pontmartin.example', 'dupont-martin.example'],
    ['dupontmartin.test', 'dupont-martin.example'],
    ['a-c-m-e.example', 'acme.example'],
  ],
  'another suffix': [
    ['supplier.co', 'supplier.com'],
    ['supplier.co.uk', 'supplier.com'],
    ['mail.supplier.co', 'supplier.com'],
    ['acme.gitlab.io', 'acme.github.io'],
    ['sap.fr', 'sap.com'],
  ],
  'added or moved label': [
    ['supplier-example.com', 'supplier.example'],
    ['supplier.com.evil.example', 'supplier.com'],
    ['bp.com.evil.example', 'bp.com'],
    ['supplier.evil.example', 'supplier.com'],
    ['mail-supplier.com', 'supplier.com'],
    ['supplier-sarl.fr', 'supplier.com'],
    ['suppliersarl.fr', 'supplier.fr'],
    ['mysupplier.fr', 'supplier.fr'],
    ['fournisseur.fr', 'fournisseur-sarl.fr'],
    ['martin-dupont.fr', 'dupont-martin.fr'],
    ['mail.supplier.com', 'supplier.com'],
    ['supplier.com', 'mail.supplier.com'],
    ['xn--socit-durand-eebb.example', 'durand.example'],
  ],
}

for (const [likeness, pairs] of Object.entries(ALIKE)) {
  t.test(likeness, (t) => {
    for (const [domain, value] of pairs) {
      t.strictSame(
        findNearMisses(`someone@${domain}`, known(value)),
        [{ value, kind: 'domain', likeness }],
        `${domain} beside ${value}`,
      )
    }
    t.end()
  })
}

// Recipient, known value: nobody would take the one for the other.
const APART: [string, string][] = [
  ['someone@ab.example', 'cd.example'],
  ['someone@ibm.example', 'icm.example'],
  ['someone@ab.example', 'ab.test'],
  ['someone@metal.example', 'total.example'],
  ['someone@orange.example', 'mango.example'],
  ['someone@acme.test', 'acne.example'],
  ['someone@163.example', 'ibe.example'],
  ['someone@client.example', 'supplier.example'],
  ['someone@dupont.example', 'dupond-associates-holding.example'],
  ['someone@portail-durand.example', 'portail.example'],
  ['someone@mail.durand.example', 'mail.example'],
  ['someone@portailonline.example', 'port.example'],
  ['someone@evilgithub.io', 'durand.github.io'],
  ['someone@durand.github.io', 'martin.github.io'],
  ['someone@xn--fiqs8s.example', 'abcd.example'],
  ['info@durand.example', 'info@supplier.example'],
  ['compta@durand.example', 'compta@supplier.example'],
  ['bob@durand.example', 'bob@supplier.example'],
  ['someone@gmail.com', 'another@gmail.com'],
  ['a%b@supplier.example', 'suppliers.example'],
  ['someone', 'someone.example'],
  ['', 'supplier.example'],
]

t.test('what is not alike', (t) => {
  for (const [recipient, value] of APART) {
    t.strictSame(findNearMisses(recipient, known(value)), [], `${recipient} beside ${value}`)
  }
  t.end()
})

t.test('the same local part at another domain', (t) => {
  const likeness = 'same local part at another domain'
  t.strictSame(findNearMisses('Marie.Durand@private.example', known('marie.durand@supplier.example')), [
    { value: 'marie.durand@supplier.example', kind: 'address', likeness },
  ])
  const [miss] = findNearMisses('marie.durand@suppl1er.example', known('marie.durand@supplier.example'))
  t.equal(miss?.likeness, 'looks the same', 'a likeness of the domains says more')
  t.end()
})

t.test('the same mailbox with a tag, without one, with another, and with dots', (t) => {
  const likeness = 'perhaps the same mailbox'
  const alike: [asked: string, known: string][] = [
    ['anna+invoices@supplier.example', 'anna@supplier.example'],
    ['Anna+Invoices@Supplier.Example', 'anna@supplier.example'],
    ['anna@supplier.example', 'anna+invoices@supplier.example'],
    ['anna+a@supplier.example', 'anna+b@supplier.example'],
    ['annabell@gmail.com', 'anna.bell@gmail.com'],
    ['anna.bell+x@gmail.com', 'annabell@gmail.com'],
    ['info+2214@supplier.example', 'info@supplier.example'],
    ['+anna@supplier.example', '+anna+x@supplier.example'],
  ]
  for (const [asked, value] of alike)
    t.strictSame(
      findNearMisses(asked, known(value)),
      [{ value, kind: 'address', likeness }],
      `${asked} ${value}`,
    )
  const others: [asked: string, known: string][] = [
    ['anna@supplier.example', 'anna@supplier.example'],
    ['ANNA@supplier.example', 'anna@supplier.example'],
    ['anna+x@supplier.example', 'annabel@supplier.example'],
    ['anna+x@supplier.example', 'otto+x@supplier.example'],
    ['+x@supplier.example', '+y@supplier.example'],
    ['anna-x@supplier.example', 'anna@supplier.example'],
    ['anna+x@supplier.example', 'supplier.example'],
  ]
  for (const [asked, value] of others)
    t.strictSame(findNearMisses(asked, known(value)), [], `${asked} ${value}`)
  const [first, second] = findNearMisses(
    'anna+x@supplier.example',
    known('anna@suppl1er.example', 'otto@supplier.example', 'anna@supplier.example'),
  )
  t.match(first, { value: 'anna@supplier.example', likeness })
  t.match(second, { value: 'anna@suppl1er.example', likeness: 'looks the same' })
  t.end()
})

t.test('a tag hides nobody from the other kinds', (t) => {
  t.strictSame(findNearMisses('marie.durand+x@private.example', known('mariedurand@supplier.example')), [
    { value: 'mariedurand@supplier.example', kind: 'address', likeness: 'same local part at another domain' },
  ])
  t.strictSame(
    findNearMisses('anna+x@suppl1er.example', known('adam@supplier.example', 'anna@supplier.example')),
    [{ value: 'anna@supplier.example', kind: 'address', likeness: 'looks the same' }],
    'the same person is named',
  )
  t.strictSame(findNearMisses('info+x@private.example', known('info@supplier.example')), [], 'nor everybody')
  t.end()
})

t.test('the company itself is among the known, and named before rules at the same domain', (t) => {
  const all: Known[] = [{ value: 'corp.test', kind: 'internal' }, ...known('anna@corp.test')]
  t.strictSame(findNearMisses('anna@c0rp.test', all), [
    { value: 'corp.test', kind: 'internal', likeness: 'looks the same' },
  ])
  t.end()
})

t.test('one for each domain: the same person, else the domain, else the first', (t) => {
  const at = (...values: string[]) => findNearMisses('marie@suppl1er.example', known(...values))[0]?.value
  t.equal(at('zoe@supplier.example', 'supplier.example', 'marie@supplier.example'), 'marie@supplier.example')
  t.equal(at('adam@supplier.example', 'supplier.example'), 'supplier.example')
  t.equal(at('zoe@supplier.example', 'adam@supplier.example'), 'adam@supplier.example')
  t.end()
})

t.test('strongest first, then by value, three at most; the order of the known does not count', (t) => {
  const values = ['supplier-sarl.com', 'zupplier.com', 'supplier.fr', 'cupplier.com', 'suppl1er.com']
  const expected = ['suppl1er.com', 'cupplier.com', 'zupplier.com']
  t.strictSame(
    findNearMisses('x@supplier.com', known(...values)).map(({ value }) => value),
    expected,
  )
  t.strictSame(
    findNearMisses('x@supplier.com', known(...values.reverse())).map(({ value }) => value),
    expected,
  )
  t.end()
})

/** The textbook's table, to compare with. */
function distance(a: string, b: string): number {
  const at = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => i + j),
  )
  const get = (i: number, j: number): number => at[i]?.[j] ?? Number.POSITIVE_INFINITY
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(get(i - 1, j) + 1, get(i, j - 1) + 1, get(i - 1, j - 1) + same)
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, get(i - 2, j - 2) + 1)
      const row = at[i]
      if (row !== undefined) row[j] = best
    }
  }
  return get(a.length, b.length)
}

const few = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })

t.test('the distance is the textbook’s', (t) => {
  fc.assert(
    fc.property(few, few, fc.integer({ min: 0, max: 2 }), (a, b, limit) => {
      t.ok(distanceWithin(a, b, limit) === Math.min(distance(a, b), limit + 1), `${a} ${b} ${limit}`)
    }),
    { numRuns: 300 },
  )
  t.end()
})

const label = fc.oneof(
  fc.stringMatching(/^[a-e][a-e0-1-]{0,6}[a-e]$/),
  fc.constantFrom('supplier', 'suppl1er', 'supplier-sarl', 'mail', 'xn--80ak6aa92e', 'dupont'),
)
const domain = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 3 }), fc.constantFrom('com', 'co.uk', 'fr', 'github.io'))
  .map(([labels, suffix]) => `${labels.join('.')}.${suffix}`)

t.test('for any two domains', (t) => {
  fc.assert(
    fc.property(domain, domain, (a, b) => {
      const there = findNearMisses(`x@${a}`, known(b))[0]?.likeness
      const back = findNearMisses(`x@${b}`, known(a))[0]?.likeness
      if (there !== back) throw new Error(`${a} ${b}: ${there}, but ${back}`)
      if (a === b && there !== undefined) throw new Error(`${a} is like itself`)
    }),
  )
  t.end()
})

/** What one does to a domain to have one that looks like it, or not quite. */
const change = fc.oneof(
  fc.record({ at: fc.nat(20), put: fc.constantFrom('', 'a', 'e', '0', '1', 'rn', '-', 'é', 'а') }),
  fc.record({ before: fc.constantFrom('mail.', 'pay-', 'the', 'dupont.', 'a.') }),
  fc.record({ after: fc.constantFrom('-sarl', 'group', '.com', '-dupont', '.evil') }),
  fc.record({ swap: fc.nat(20) }),
  fc.record({ hyphen: fc.nat(12) }),
  fc.record({ turn: fc.constant(true) }),
  fc.record({ spread: fc.constant(true) }),
)

function changed(domain: string, how: typeof change extends fc.Arbitrary<infer T> ? T : never): string {
  const dot = domain.lastIndexOf('.')
  const [name, end] = [domain.slice(0, dot), domain.slice(dot)]
  if ('before' in how) return how.before + domain
  if ('after' in how) return name + how.after + end
  if ('turn' in how) return name.split('-').reverse().join('-') + end
  if ('hyphen' in how) return `${name.slice(0, how.hyphen)}-${name.slice(how.hyphen)}${end}`
  if ('spread' in how) return [...name].join('-').replaceAll('-.-', '.') + end
  if ('at' in how) return name.slice(0, how.at) + how.put + name.slice(how.at + 1) + end
  return (
    name.slice(0, how.swap) +
    (name[how.swap + 1] ?? '') +
    (name[how.swap] ?? '') +
    name.slice(how.swap + 2) +
    end
  )
}

const relatives = fc
  .tuple(
    fc.oneof(
      domain,
      fc.constantFrom('supplier.com', 'dupont-martin.fr', 'societe-rennaise.fr', 'bp.com', 'bravo.com'),
    ),
    fc.array(change, { maxLength: 3 }),
    fc.array(change, { maxLength: 2 }),
  )
  .map(([origin, ...ways]) =>
    ways.map((way) => parseAddress(`x@${way.reduce(changed, origin)}`)).map((a) => (a.plain ? a.domain : '')),
  )
  .filter((pair): pair is [string, string] => pair.every((name) => name !== ''))

t.test('a look-up finds what comparing with every known domain finds', async (t) => {
  const seen = new Map<Likeness | undefined, number>()
  let compared = 0
  const agrees = fc.property(fc.array(relatives, { minLength: 1, maxLength: 8 }), (pairs) => {
    const [[asked] = ['']] = pairs
    const all = [...new Set(pairs.flat())]
    const expected = all
      .flatMap((value) => {
        const likeness = likenessOf(asked, value)
        seen.set(likeness, (seen.get(likeness) ?? 0) + 1)
        return likeness === undefined ? [] : [{ value, kind: 'domain', likeness }]
      })
      .sort(
        (a, b) =>
          LIKENESSES.indexOf(a.likeness) - LIKENESSES.indexOf(b.likeness) || (a.value < b.value ? -1 : 1),
      )
      .slice(0, MOST)
    const landmarks = new KnownDomains(known(...all))
    assertSame(landmarks.near(`x@${asked}`), expected, `${asked} among ${all}`)
    compared += landmarks.compared
  })
  await holds(t, 'look-ups', 3000, agrees)
  for (const likeness of LIKENESSES.slice(1, -1)) t.ok((seen.get(likeness) ?? 0) > 30, likeness)
  const all = [...seen.values()].reduce((sum, count) => sum + count, 0)
  t.ok(compared < all, `${compared} of ${all} compared`)
})

t.test('the work: of many known domains few are compared', (t) => {
  const words = 'atelier banque cabinet durand energie fabrique garage hotel imprimerie jardin'.split(' ')
  const values = words.flatMap((a) =>
    words.flatMap((b) => words.flatMap((c, i) => [`${a}-${b}${i}.fr`, `${b}${c}${a}.com`])),
  )
  const landmarks = new KnownDomains(known(...values, 'supplier.com'))
  for (const domain of ['suppl1er.com', 'x.com', 'sup.com', 'mail.supplier.evil.example']) {
    landmarks.near(`someone@${domain}`)
    t.ok(landmarks.compared < 150, `${domain}: ${landmarks.compared} of ${values.length}`)
  }
  t.end()
})

t.test('whatever is asked, and whatever is known', (t) => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.emailAddress(),
    domain,
    domain.map((d) => `x@${d}`),
  )
  fc.assert(
    fc.property(anything, fc.array(anything), (recipient, values) => {
      const misses = new KnownDomains(known(...values)).near(recipient)
      if (misses.length > MOST) throw new Error('too many')
      for (const { value, likeness } of misses) {
        if (value === recipient) throw new Error('it is like itself')
        if (!LIKENESSES.includes(likeness)) throw new Error(likeness)
      }
    }),
  )
  t.end()
})
