/** Public suffixes: names under which strangers register their own (https://publicsuffix.org, private ones included). */
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

/**
 * Whether a public suffix lies below the domain, as s3.amazonaws.com does below amazonaws.com: a rule that reaches
 * subdomains there would let in everybody's. tldts answers no such question, hence the walk over its own data.
 */
export function isAbovePublicSuffix(domain: string): boolean {
  const trie = createRequire(import.meta.filename)('tldts/dist/cjs/src/data/trie.js') as Trie
  const offsets: number[] = []
  for (let edge = 0, offset = 0; edge < trie.edgeLength.length; edge++) {
    offsets.push(offset)
    offset += trie.edgeLength[edge] ?? 0
  }
  const edges = (node: number): number[] => {
    const from = trie.edgeStart[node] ?? 0
    const to = trie.edgeStart[node + 1] ?? from
    return Array.from({ length: to - from }, (_, index) => from + index)
  }
  const label = (edge: number): string => {
    const offset = offsets[edge] ?? 0
    return trie.labelText.slice(offset, offset + (trie.edgeLength[edge] ?? 0))
  }
  let node = trie.rulesRoot
  for (const part of domain.split('.').reverse()) {
    const edge = edges(node).find((candidate) => label(candidate) === part)
    if (edge === undefined) return false
    node = trie.edgeChild[edge] ?? 0
  }
  return edges(node).length > 0
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
