/** What Postfix says of itself, by postconf(1). */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { parseDomain } from './address.js'

const ADDRESS_CLASSES = ['mydestination', 'virtual_alias_domains', 'virtual_mailbox_domains', 'relay_domains']

export interface AddressClasses {
  /** Domains named outright, folded. */
  domains: string[]
  /** Look-up tables and patterns, whose domains postconf does not show. */
  tables: string[]
}

/** Postfix's own domains (ADDRESS_CLASS_README), or undefined where there is no Postfix. */
export async function readAddressClasses(): Promise<AddressClasses | undefined> {
  let text: string
  try {
    ;({ stdout: text } = await promisify(execFile)('postconf', ['-hx', ...ADDRESS_CLASSES]))
  } catch {
    return undefined
  }
  const domains = new Set<string>()
  const tables: string[] = []
  for (const word of text.split(/[\s,]+/)) {
    if (word === '') continue
    if (/[:/]/.test(word)) tables.push(word)
    else {
      const domain = parseDomain(word)
      if (domain.plain) domains.add(domain.domain)
    }
  }
  return { domains: [...domains], tables }
}
