/** Networks: IP addresses and the blocks of cidr_table(5), as mynetworks and access tables write them. Pure. */

export interface Network {
  /** 32 of IPv4, 128 of IPv6. */
  bits: 32 | 128
  address: bigint
  /** How many of its bits are the network's; all of them for one address. */
  length: number
}

function parseIpv4(text: string): bigint | undefined {
  const octets = text.split('.')
  const isPlain = octets.length === 4 && octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet))
  if (!isPlain || octets.some((octet) => Number(octet) > 255)) return undefined
  return octets.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n)
}

/** The eight groups of an IPv6 address; `::` stands for as many zeros as are missing (RFC 4291, 2.2). */
function parseIpv6(text: string): bigint | undefined {
  const [, before = text, last] = /^(.*:)([^:]*\.[^:]*)$/.exec(text) ?? []
  const mapped = last === undefined ? undefined : parseIpv4(last)
  if (last !== undefined && mapped === undefined) return undefined
  const tail =
    mapped === undefined ? '' : `${(mapped >> 16n).toString(16)}:${(mapped & 0xffffn).toString(16)}`
  const halves = `${before}${tail}`.split('::').map((half) => (half === '' ? [] : half.split(':')))
  if (halves.length > 2) return undefined
  const [head = [], rest = []] = halves
  const missing = 8 - head.length - rest.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...Array<string>(missing).fill('0'), ...rest]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}

function hostPart({ bits, address, length }: Network): bigint {
  return address & ((1n << BigInt(bits - length)) - 1n)
}

/** `192.0.2.1`, `192.0.2.0/24`, `[2001:db8::]/32`; undefined for what is none, and for one with bits beyond its length. */
export function parseNetwork(text: string): Network | undefined {
  const found = parseLoosely(text)
  return found === undefined || hostPart(found) !== 0n ? undefined : found
}

function parseLoosely(text: string): Network | undefined {
  const [, name = '', suffix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text.replace(/[[\]]/g, '')) ?? []
  const four = parseIpv4(name)
  const address = four ?? parseIpv6(name)
  if (address === undefined) return undefined
  const bits = four === undefined ? 128 : 32
  const length = suffix === undefined ? bits : Number(suffix)
  return length > bits ? undefined : { bits, address, length }
}

/** The network that was meant where bits stand beyond the length: `192.0.2.7/24` is in `192.0.2.0/24`. */
export function nearestNetwork(text: string): Network | undefined {
  const found = parseLoosely(text)
  return found === undefined ? undefined : { ...found, address: found.address - hostPart(found) }
}

/** Whether every address of another is one of this. */
export function covers(network: Network, other: Network): boolean {
  if (network.bits !== other.bits || network.length > other.length) return false
  const shift = BigInt(network.bits - network.length)
  return network.address >> shift === other.address >> shift
}

/** As cidr_table(5) takes it. */
export function networkText({ bits, address, length }: Network): string {
  const suffix = length === bits ? '' : `/${length}`
  if (bits === 32)
    return `${[24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 0xffn).join('.')}${suffix}`
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((address >> BigInt(16 * (7 - at))) & 0xffffn).toString(16),
  )
  const [longest = ''] = (groups.join(':').match(/\b0(?::0)+\b/g) ?? []).sort(
    (one, other) => other.length - one.length,
  )
  const text = groups.join(':')
  const at = longest === '' ? -1 : text.search(new RegExp(`\\b${longest}\\b`))
  const short =
    at < 0
      ? text
      : `${text.slice(0, at).replace(/:$/, '')}::${text.slice(at + longest.length).replace(/^:/, '')}`
  return `${short}${suffix}`
}

const LOOPBACKS = ['127.0.0.0/8', '::1', '::ffff:127.0.0.0/104'].flatMap((text) => parseNetwork(text) ?? [])

const MAPPED = parseNetwork('::ffff:0:0/96')

/** Whether it is one of IPv4 in the clothes of IPv6 (RFC 4291, 2.5.5.2): smtpd(8) takes those off before it looks. */
export function isMapped(network: Network): boolean {
  return MAPPED !== undefined && covers(MAPPED, network)
}

/** Whether only this host has its addresses. */
export function isLoopbackNetwork(network: Network): boolean {
  return LOOPBACKS.some((loopback) => covers(loopback, network))
}
