/** Public suffixes: names under which strangers register their own (https://publicsuffix.org, private ones included). Pure. */
import { createRequire } from 'node:module'
import { getPublicSuffix } from 'tldts'

/** The list as tldts ships it: a flat trie whose every leaf is a rule, read from the right. */
interface Trie {
  edgeStart: ArrayLike<number>
  edgeLength: ArrayLike<number>
  edgeChild: ArrayLike<number>
  labelText: string
  rulesRoot: number
}

/** Whether the domain is a public suffix itself. */
export function isPublicSuffix(domain: string): boolean {
  return getPublicSuffix(domain, { allowPrivateDomains: true }) === domain
}

/** Every name that has a suffix below it: the inner nodes of the trie. */
function namesAboveSuffixes(): Set<string> {
  const trie = createRequire(import.meta.filename)('tldts/dist/cjs/src/data/trie.js') as Trie
  const offsets = new Uint32Array(trie.edgeLength.length)
  for (let edge = 0, offset = 0; edge < offsets.length; edge++) {
    offsets[edge] = offset
    offset += trie.edgeLength[edge] ?? 0
  }
  const names = new Set<string>()
  const visit = (node: number, name: string): void => {
    const end = trie.edgeStart[node + 1] ?? 0
    for (let edge = trie.edgeStart[node] ?? end; edge < end; edge++) {
      const offset = offsets[edge] ?? 0
      const label = trie.labelText.slice(offset, offset + (trie.edgeLength[edge] ?? 0))
      if (name !== '') names.add(name)
      visit(trie.edgeChild[edge] ?? 0, name === '' ? label : `${label}.${name}`)
    }
  }
  visit(trie.rulesRoot, '')
  return names
}

let above: Set<string> | undefined

/**
 * Whether a public suffix lies below the domain, as s3.amazonaws.com does below amazonaws.com: a rule that reaches
 * subdomains there would let in everybody's. tldts answers no such question, hence the walk over its own data, once:
 * an import asks for each of its rows.
 */
export function isAbovePublicSuffix(domain: string): boolean {
  above ??= namesAboveSuffixes()
  return above.has(domain)
}

/**
 * A domain's registrable label and the public suffix behind it: `mail.supplier.co.uk` gives `supplier` and `co.uk`.
 * Of a public suffix itself, its first label and the rest.
 */
export function splitDomain(domain: string): { label: string; suffix: string } {
  const options = { allowPrivateDomains: true, extractHostname: false, validateHostname: false }
  const found = getPublicSuffix(domain, options) ?? ''
  const suffix = found === domain ? domain.slice(`${domain}.`.indexOf('.') + 1) : found
  if (suffix === '') return { label: domain, suffix }
  const front = domain.slice(0, -suffix.length - 1)
  return { label: front.slice(front.lastIndexOf('.') + 1), suffix }
}
