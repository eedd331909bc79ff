/**
 * Near misses: which known destinations an unknown one could be taken for. A fact set before a person, never part of
 * a decision: nothing that decides imports this file. Pure. docs/nearmiss.md tells the rules with examples.
 *
 * It is long because the kinds of likeness share what makes them quick.
 */
import { domainToUnicode } from 'node:url'
import { parseAddress } from '../mail/address.js'
import { splitDomain } from '../mail/publicsuffix.js'
import type { Usage } from '../rules/usecount.js'
import { skeleton } from './skeleton.js'

/** How the two are alike: a closed set, strongest first. */
export const LIKENESSES = [
  'perhaps the same mailbox',
  'looks the same',
  'edit distance 1',
  'hyphen',
  'another suffix',
  'added or moved label',
  'edit distance 2',
  'same local part at another domain',
] as const
export type Likeness = (typeof LIKENESSES)[number]

export interface Known {
  /** Folded: `local@domain`, or a domain as A-labels. */
  value: string
  kind: 'address' | 'domain' | 'internal'
}

export interface NearMiss extends Known {
  likeness: Likeness
}

/** A near miss with both histories, as it is set before people. Times in milliseconds since 1970. */
export interface Neighbour extends NearMiss {
  /** Who made it known, or null for the company's own domain. */
  history: { addedBy: string; addedAt: number; source: string; note: string } | null
  /** The unknown one: an address beside an address, else its domain, and what people have done with it here. */
  thisOne: {
    value: string
    released: number
    lastReleasedAt: number | null
    revokedBy: string | null
    revokedAt: number | null
  }
}

/** More would bury the best. */
export const MOST = 3

/**
 * The Damerau-Levenshtein distance (optimal string alignment: two neighbours exchanged count 1), or `limit + 1`
 * where it is more than `limit`. For small limits: it tries every edit where the two first differ.
 */
export function distanceWithin(a: string, b: string, limit: number): number {
  return Math.min(limit + 1, distanceFrom(a, 0, b, 0, limit))
}

function distanceFrom(a: string, from: number, b: string, to: number, limit: number): number {
  let i = from
  let j = to
  while (i < a.length && j < b.length && a.charCodeAt(i) === b.charCodeAt(j)) {
    i++
    j++
  }
  if (i === a.length || j === b.length) return a.length - i + b.length - j
  if (limit === 0 || Math.abs(a.length - i - (b.length - j)) > limit) return Number.POSITIVE_INFINITY
  const exchanged = a[i] === b[j + 1] && a[i + 1] === b[j]
  return (
    1 +
    Math.min(
      distanceFrom(a, i + 1, b, j + 1, limit - 1),
      distanceFrom(a, i + 1, b, j, limit - 1),
      distanceFrom(a, i, b, j + 1, limit - 1),
      exchanged ? distanceFrom(a, i + 2, b, j + 2, limit - 1) : Number.POSITIVE_INFINITY,
    )
  )
}

/** Words that stand beside everybody's name: as a label of its own, none of them names anybody. */
const COMMON_LABELS = new Set(
  (
    'mail email webmail smtp mx imap pop www web site online shop store boutique group groupe holding services service ' +
    'support help contact info news blog cloud app apps portal portail login secure account accounts client clients ' +
    'customer partner partners team office invoice invoices billing factures facture payment payments paiement bank ' +
    'banque sarl sasu eurl gmbh corp company france paris europe world global international conseil consulting ' +
    'agence cabinet studio media digital tech solutions systems industrie'
  ).split(' '),
)

/** Local parts that every company has. */
const COMMON_LOCALS = new Set(
  (
    'info contact contacts sales office admin administration compta comptabilite accounting accounts billing invoice ' +
    'invoices facturation factures finance support help helpdesk service services hello bonjour mail email webmaster ' +
    'postmaster hostmaster abuse noreply no-reply ne-pas-repondre newsletter marketing commercial ventes vente achats ' +
    'orders order commande commandes team equipe direction secretariat accueil reception jobs recrutement career ' +
    'careers press presse security privacy legal juridique hotline technique tech root test'
  ).split(' '),
)

/**
 * A local part without what may mean nothing to its server: a tag (what RFC 5233 calls a detail, behind the `+` that most have
 * for it), and dots, as Gmail has it. What is left has to name somebody.
 */
function untagged(local: string): string {
  const name = local.replace(/(?<=.)\+.*$/, '')
  return name.replaceAll('.', '') || name
}

/** One domain taken apart, once, for all comparisons. */
interface Parts {
  domain: string
  /** What its owner registered: `supplier.co.uk` of `mail.supplier.co.uk`. */
  registrable: string
  /** The label before the public suffix, as people read it (U-label). */
  label: string
  suffix: string
  /** The labels before the registrable domain. */
  below: readonly string[]
  skeleton: string
}

const NONE: readonly string[] = []

function readable(text: string): string {
  return text.includes('xn--') ? domainToUnicode(text) || text : text
}

function takeApart(domain: string): Parts {
  const { label: written, suffix } = splitDomain(domain)
  const label = readable(written)
  const registrable = suffix === '' ? written : `${written}.${suffix}`
  const below =
    domain.length > registrable.length ? readable(domain.slice(0, -registrable.length - 1)).split('.') : NONE
  return { domain, registrable, label, suffix, below, skeleton: skeleton(label) }
}

/** How far apart two labels of this length may be. Below eight, what two edits leave must begin alike. */
function tolerance(a: Parts, b: Parts, shorter: number): number {
  if (shorter < 4) return 0
  if (shorter < 5) return a.suffix === b.suffix ? 1 : 0
  if (a.suffix !== b.suffix) return 1
  return shorter >= 8 || a.label[0] === b.label[0] ? 2 : 1
}

/** Whether the second one's name stands in the first one with something added before, behind or above it. */
function isWithin(longer: Parts, shorter: Parts): boolean {
  const name = shorter.label
  const above = longer.below.includes(name)
  if (above && `.${longer.domain}.`.includes(`.${shorter.registrable}.`)) return true
  if (name.length < 4 || COMMON_LABELS.has(name)) return false
  if (above) return true
  if (longer.label.length <= name.length || !longer.label.includes(name)) return false
  if (`-${longer.label}-`.includes(`-${name}-`)) return true
  const affixed = longer.label.startsWith(name) || longer.label.endsWith(name)
  return affixed && name.length >= 6 && name.length * 2 >= longer.label.length
}

/** Whether both are the same words, two or more, in another order. */
function isMoved(a: string, b: string): boolean {
  if (a.length !== b.length || !a.includes('-') || !b.includes('-')) return false
  const sorted = (label: string): string => label.split('-').sort().join('-')
  return sorted(a) === sorted(b)
}

/** How two domains are alike, or undefined; the same whichever comes first. */
function compare(a: Parts, b: Parts): Likeness | undefined {
  if (a.domain === b.domain) return undefined
  const shorter = Math.min(a.label.length, b.label.length)
  if (a.label === b.label) {
    if (a.suffix === b.suffix) return 'added or moved label'
    if (skeleton(readable(a.suffix)) === skeleton(readable(b.suffix))) return 'looks the same'
    return shorter < 3 ? undefined : 'another suffix'
  }
  if (a.skeleton === b.skeleton && a.skeleton.length >= 3) return 'looks the same'
  if (shorter >= 4 && (a.label.includes('-') || b.label.includes('-'))) {
    if (a.label.replaceAll('-', '') === b.label.replaceAll('-', '')) return 'hyphen'
  }
  const limit = tolerance(a, b, shorter)
  const distance = limit === 0 ? 3 : distanceWithin(a.label, b.label, limit)
  if (distance === 1 && limit >= 1) return 'edit distance 1'
  if (isWithin(a, b) || isWithin(b, a) || isMoved(a.label, b.label)) return 'added or moved label'
  return distance === 2 && limit === 2 ? 'edit distance 2' : undefined
}

/** How two domains, folded and as A-labels, are alike, or undefined: what a look-up says of each, without its index. */
export function likenessOf(a: string, b: string): Likeness | undefined {
  return compare(takeApart(a), takeApart(b))
}

const HYPHEN = 0x2d

/** The letters of a text, one bit each: each edit adds one at most and takes one away. */
function lettersOf(text: string): number {
  let bits = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code !== HYPHEN) bits |= 1 << (code & 31)
  }
  return bits
}

/** Its pairs of neighbours, spread over 32 bits: what stands within another has none that is not there. */
function pairsOf(text: string): number {
  let bits = 0
  for (let i = 1; i < text.length; i++) {
    const pair = text.charCodeAt(i - 1) * 31 + text.charCodeAt(i)
    bits |= 1 << (Math.imul(pair, 0x9e3779b1) >>> 27)
  }
  return bits
}

/** One number for the same letters, in whatever order and with whatever hyphens. */
function sumOf(text: string): number {
  let sum = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code !== HYPHEN) sum = (sum + Math.imul(code * code, 0x9e3779b1)) | 0
  }
  return sum
}

function hashOf(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

/** The letters and signs of all labels above the registrable domain; 0 where there are none. */
function lettersAbove(below: readonly string[]): number {
  return below.reduce((bits, text) => bits | lettersOf(text) | 1, 0)
}

/** Whether at most `most` bits are set, of 0 to 2. */
function fewBits(bits: number, most: number): boolean {
  let rest = bits
  for (let i = 0; i < most; i++) rest &= rest - 1
  return rest === 0
}

/**
 * Which of many domains could be like one at all: a few numbers for each, looked through from end to end. For the one
 * or two look-ups of a run that is faster than an index of strings, which takes longer to build than to use.
 */
class Prefilter {
  readonly #lengths: Int32Array
  /** Hashes of skeletons. */
  readonly #looks: Int32Array
  readonly #sums: Int32Array
  readonly #letters: Int32Array
  readonly #pairs: Int32Array
  readonly #above: Int32Array

  constructor(all: readonly { parts: Parts }[]) {
    const column = (): Int32Array => new Int32Array(all.length)
    this.#lengths = column()
    this.#looks = column()
    this.#sums = column()
    this.#letters = column()
    this.#pairs = column()
    this.#above = column()
    for (const [i, { parts }] of all.entries()) {
      const { label, skeleton, below } = parts
      this.#lengths[i] = label.length
      this.#looks[i] = hashOf(skeleton)
      this.#sums[i] = sumOf(label)
      this.#letters[i] = lettersOf(label)
      this.#pairs[i] = pairsOf(label)
      this.#above[i] = lettersAbove(below)
    }
  }

  /** The places of all that {@link compare} finds like it, and of some that it does not. */
  candidates({ label, skeleton: look, below }: Parts): number[] {
    const length = label.length
    const sum = sumOf(label)
    const letters = lettersOf(label)
    const pairs = pairsOf(label)
    const looks = [look, ...below.map(skeleton)].map(hashOf)
    const edits = length < 4 ? 0 : length < 5 ? 1 : 2
    const places: number[] = []
    for (let i = 0; i < this.#lengths.length; i++) {
      const longer = (this.#lengths[i] ?? 0) - length
      const added = (this.#letters[i] ?? 0) & ~letters
      const missing = letters & ~(this.#letters[i] ?? 0)
      if (
        this.#sums[i] === sum ||
        looks.includes(this.#looks[i] ?? 0) ||
        (longer <= edits &&
          -longer <= edits &&
          edits > 0 &&
          fewBits(added, edits) &&
          fewBits(missing, edits)) ||
        (longer < 0 &&
          added === 0 &&
          ((this.#pairs[i] ?? 0) & ~pairs) === 0 &&
          (this.#lengths[i] ?? 0) >= 4) ||
        (longer > 0 && missing === 0 && (pairs & ~(this.#pairs[i] ?? 0)) === 0 && length >= 4) ||
        (this.#above[i] !== 0 && (letters & ~(this.#above[i] ?? 0)) === 0)
      )
        places.push(i)
    }
    return places
  }
}

interface Place {
  parts: Parts
  known: Known[]
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** What is known, taken apart once and asked often. Building it takes most of the time. */
export class KnownDomains {
  readonly #places: readonly Place[]
  readonly #sieve: Prefilter
  readonly #locals = new Map<string, Known[]>()
  readonly #domains: ReadonlyMap<string, Place>

  /** How many known domains the last look-up compared: the measure of its work. */
  compared = 0

  constructor(known: Iterable<Known>) {
    const places = new Map<string, Place>()
    for (const one of known) {
      const at = one.value.lastIndexOf('@')
      const domain = one.value.slice(at + 1)
      const place = places.get(domain)
      if (place === undefined) places.set(domain, { parts: takeApart(domain), known: [one] })
      else place.known.push(one)
      const local = untagged(one.value.slice(0, Math.max(0, at)))
      if (local.length < 4 || COMMON_LOCALS.has(local)) continue
      const namesakes = this.#locals.get(local)
      if (namesakes === undefined) this.#locals.set(local, [one])
      else namesakes.push(one)
    }
    this.#places = [...places.values()]
    this.#domains = places
    this.#sieve = new Prefilter(this.#places)
  }

  /**
   * What the recipient could be taken for, at most {@link MOST}, strongest likeness first, then by value; one for each
   * known domain. None for an address that is not plain, and none for what is known itself.
   */
  near(recipient: string): NearMiss[] {
    const address = parseAddress(recipient)
    if (!address.plain) return []
    const own = takeApart(address.domain)
    const found = new Map<string, NearMiss>()
    const candidates = this.#sieve.candidates(own)
    this.compared = candidates.length
    for (const index of candidates) {
      const place = this.#places[index]
      if (place === undefined) continue
      const { parts, known } = place
      const likeness = compare(own, parts)
      if (likeness !== undefined) found.set(parts.domain, { ...choose(known, address.local), likeness })
    }
    const name = untagged(address.local)
    const same = this.#domains
      .get(address.domain)
      ?.known.filter(({ value }) => value !== address.key && isOf(name, value))
      .sort((a, b) => byText(a.value, b.value))[0]
    if (same !== undefined) {
      const { value, kind } = same
      found.set(address.domain, { value, kind, likeness: 'perhaps the same mailbox' })
    }
    for (const { value, kind } of this.#locals.get(name) ?? []) {
      const domain = value.slice(value.lastIndexOf('@') + 1)
      if (domain === address.domain || found.has(domain)) continue
      found.set(domain, { value, kind, likeness: 'same local part at another domain' })
    }
    const rank = ({ likeness }: NearMiss): number => LIKENESSES.indexOf(likeness)
    return [...found.values()].sort((a, b) => rank(a) - rank(b) || byText(a.value, b.value)).slice(0, MOST)
  }
}

/** Whether an address may be this name's, taken for {@link untagged}; a domain is nobody's. */
function isOf(name: string, value: string): boolean {
  const at = value.lastIndexOf('@')
  return at > 0 && untagged(value.slice(0, at)) === name
}

/** Which of those at one domain to name: the company's own, the same person, the domain, else the first. */
function choose(known: readonly Known[], local: string): Known {
  const own = known.find(({ kind }) => kind === 'internal')
  const same =
    known.find(({ value }) => value.startsWith(`${local}@`)) ??
    known.find(({ value }) => isOf(untagged(local), value))
  const domain = known.find(({ kind }) => kind === 'domain')
  const first = known.reduce((least, one) => (byText(one.value, least.value) < 0 ? one : least))
  const { value, kind } = own ?? same ?? domain ?? first
  return { value, kind }
}

/** What the recipient could be taken for among these; see {@link KnownDomains.near}. */
export function findNearMisses(recipient: string, known: Iterable<Known>): NearMiss[] {
  return new KnownDomains(known).near(recipient)
}

/** A near miss with how much both were used; the unknown one by rules that have ended. */
export interface UsedNeighbour extends Neighbour {
  uses: Usage | null
  thisOne: Neighbour['thisOne'] & { uses: Usage | null }
}
