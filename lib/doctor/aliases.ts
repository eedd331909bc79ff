/** The checks on Postfix's own domains and aliases: what is internal, and what leads from there to outside behind the gate. Pure. */
import { parseAddress, parseOwnDomain } from '../mail/address.js'
import { isDelimiters } from '../mail/mailbox.js'
import { splitList } from '../postfix/braces.js'
import { ADDRESS_CLASSES, postconf, quote } from '../postfix/settings.js'
import { words } from '../text/translate.js'
import type { Check, Facts, Fault } from './facts.js'

/** Domains of the four address classes; `complete` where no table hides any. */
export function postfixDomains(facts: Facts): { domains: Set<string>; complete: boolean } {
  const domains = new Set<string>()
  let complete = true
  const take = (text: string): void => {
    const domain = parseOwnDomain(text)
    if (domain.plain) domains.add(domain.domain)
  }
  for (const name of ADDRESS_CLASSES) {
    for (const word of splitList(facts.main.get(name) ?? '')) {
      if (!/[:/]/.test(word)) take(word)
      else if (facts.tables.get(word) === undefined) complete = false
      else for (const { key } of facts.tables.get(word) ?? []) take(key)
    }
  }
  return { domains, complete }
}

/** Sets internal_domains, wherever its list ends. */
function setInternal(facts: Facts, domains: readonly string[]): string {
  const list = domains.map((domain) => JSON.stringify(domain)).join(', ')
  const program = `s/^internal_domains\\s*=\\s*\\[.*?\\]/internal_domains = [${list}]/ms`
  return `perl -0pi -e ${quote(program)} ${quote(facts.toeh.path)}`
}

/** Sets recipient_delimiter, above all tables where the file does not have it. */
function setDelimiter(facts: Facts, value: string): string {
  const line = `recipient_delimiter = ${JSON.stringify(value)}`
  // Within Perl's q() these would be more than themselves.
  const text = line.replace(/[\\()]/g, '\\$&')
  const program = `$line = q(${text}); s/^recipient_delimiter *=.*$/$line/m or s/^/$line\\n/`
  return `perl -0pi -e ${quote(program)} ${quote(facts.toeh.path)}`
}

/** Addresses of an alias's right side that lie outside. Commands, files and includes are none. */
function outsideTargets(facts: Facts, value: string): string[] {
  return (value.match(/"[^"]*"|[^\s,]+/g) ?? []).filter((target) => {
    if (/^["|/:]/.test(target) || !target.includes('@')) return false
    const address = parseAddress(target, new Set(facts.toeh.internal))
    return !address.plain || !facts.toeh.internal.includes(address.domain)
  })
}

function aliasFaults(facts: Facts, parameter: string): Fault[] {
  const local = parameter === 'alias_maps'
  return splitList(facts.main.get(parameter) ?? '').flatMap((table): Fault[] => {
    const entries = facts.tables.get(table)
    if (entries === undefined) {
      const why = words`an outside address in it would be a way round the gate: look into it`
      return [{ level: 'unknown', what: words`${parameter}: ${table} cannot be listed`, why, mend: [] }]
    }
    return entries.flatMap(({ key, value }): Fault[] => {
      const outside = outsideTargets(facts, value)
      if (outside.length === 0) return []
      return [
        {
          level: 'warning',
          what: words`${table}: ${key} leads outside, to ${outside.join(' ')}`,
          why: local
            ? words`local(8) expands it behind the gate: mail to this name leaves, and nobody is asked`
            : words`mail from outside to this address, which passes no gate, goes on to there`,
          // It may be wanted, and lead to a partner who is known: a person decides.
          mend: [],
        },
      ]
    })
  })
}

/** What rewrites addresses when mail leaves: senders, as it is meant, and recipients too (generic(5)). */
export const GENERIC = ['smtp_generic_maps', 'lmtp_generic_maps']

function genericFaults(facts: Facts, setting: string): Fault[] {
  const values = [
    facts.main.get(setting) ?? '',
    ...facts.services.flatMap(({ options }) => options.get(setting) ?? []),
  ]
  return [...new Set(values.flatMap(splitList))].flatMap((table): Fault[] => {
    const entries = facts.tables.get(table)
    if (entries === undefined) {
      const why = words`one that rewrites recipients leads mail elsewhere behind the gate: look into it`
      return [{ level: 'unknown', what: words`${setting}: ${table} cannot be listed`, why, mend: [] }]
    }
    return entries
      .filter(({ key }) => key.includes('@') && outsideTargets(facts, key.replace(/^@/, 'x@')).length > 0)
      .map(({ key, value }) => ({
        level: 'warning',
        what: words`${table}: ${key} is rewritten to ${value} when mail leaves`,
        why: words`mail to this recipient goes on under another name, and nobody is asked about that`,
        mend: [],
      }))
  })
}

/** Which domains are the company's own, and what leads from there to outside behind the gate. */
export const ALIAS_CHECKS: Check[] = [
  {
    name: 'internal-domains',
    good: () => words`internal_domains are Postfix's own domains`,
    look: (facts) => {
      const { domains, complete } = postfixDomains(facts)
      const { internal, path } = facts.toeh
      const missing = [...domains].filter((domain) => !internal.includes(domain))
      const extra = internal.filter((domain) => !domains.has(domain))
      const kept = complete ? internal.filter((domain) => domains.has(domain)) : internal
      // With no domain left there would be no configuration.
      const mend = domains.size === 0 ? [] : [setInternal(facts, [...kept, ...missing])]
      const faults: Fault[] = []
      if (extra.length > 0) {
        faults.push({
          level: complete ? 'critical' : 'unknown',
          what: complete
            ? words`${path} has ${extra.join(' ')} as internal, Postfix does not`
            : words`${path} has ${extra.join(' ')} as internal, Postfix does not name it outside its tables`,
          why: words`mail to there leaves this host, and nobody is asked`,
          mend: complete ? mend : [],
          affects: words`whoever writes to ${extra.join(' ')}: it is held where nobody knows the recipient`,
        })
      }
      if (missing.length > 0) {
        faults.push({
          level: 'warning',
          what: words`${missing.join(' ')} is Postfix's own, and not in internal_domains of ${path}`,
          why: words`mail between colleagues is held, and mail from there is from a foreign sender`,
          mend,
          affects: words`mail to and from ${missing.join(' ')}: it is our own, and what goes there passes`,
        })
      }
      return faults
    },
  },
  {
    name: 'recipient-delimiter',
    good: () => words`recipient_delimiter is Postfix's own`,
    look: (facts) => {
      const { delimiters, path } = facts.toeh
      const value = facts.main.get('recipient_delimiter') ?? ''
      // What the configuration does not take is left unknown.
      const mend = isDelimiters(value) ? [setDelimiter(facts, value)] : []
      const affects = words`people with an address extension: rules and approvals for their address count for these, too`
      if (delimiters === undefined) {
        const what = words`${path} does not say what recipient_delimiter is in Postfix`
        const why = words`a block for anna holds anna.smith's mail too, and an allow for anna does not pass what she sends as anna+list`
        return [{ level: 'warning', what, why, mend, affects }]
      }
      const what = words`recipient_delimiter is ${JSON.stringify(delimiters)} in ${path}, and ${JSON.stringify(value)} in Postfix`
      if ([...value].some((sign) => !delimiters.includes(sign))) {
        const why = words`with an address extension people evade blocks for them, approval by two, and the limit on notices`
        return [{ level: 'critical', what, why, mend, affects }]
      }
      if ([...delimiters].every((sign) => value.includes(sign))) return []
      const why = words`mail of one person counts as that of another`
      return [{ level: 'warning', what, why, mend, affects }]
    },
  },
  {
    name: 'aliases',
    good: () => words`no alias of local(8) leads outside`,
    look: (facts) => aliasFaults(facts, 'alias_maps'),
  },
  {
    name: 'virtual-aliases',
    good: () => words`no virtual alias leads outside`,
    look: (facts) => aliasFaults(facts, 'virtual_alias_maps'),
  },
  {
    name: 'generic',
    good: () => words`smtp(8) rewrites no recipient outside`,
    look: (facts) => GENERIC.flatMap((setting) => genericFaults(facts, setting)),
  },
  {
    name: 'forward',
    good: () => words`.forward files are off`,
    look: (facts) => {
      const path = facts.main.get('forward_path') ?? ''
      const transport = facts.main.get('local_transport') ?? ''
      if (path === '' || !/^local(:|$)/.test(transport)) return []
      return [
        {
          level: 'warning',
          what: `forward_path = ${path}`,
          why: words`local(8) expands .forward files behind the gate: everybody with a home folder can send his mail outside`,
          mend: [postconf(facts, '-e', 'forward_path=')],
          affects: words`people with a .forward file: it does not count any more, and their mail stays here`,
        },
      ]
    },
  },
]
