/**
 * The mailbox: whose an address is without its extension, whose a login is, and who may be behind a message. Pure.
 *
 * Postfix delivers `anna+list@…` to anna, and lets her send as it (smtpd_sender_login_maps is asked for the address and then
 * without its extension): by address alone a person is as many senders as she likes. RFC 5233 calls the extension a detail.
 */
import { type Address, foldAscii, parseAddress } from './address.js'
import { rewrittenFrom } from './srs.js'

/**
 * Postfix's recipient_delimiter: each of its characters begins an extension (postconf(5)). Undefined where nobody has said
 * what it is.
 */
export type Delimiters = string | undefined

/** Whether a text can be {@link Delimiters}: signs of ASCII and no @. Letters and digits are left to names. */
export function isDelimiters(text: string): boolean {
  return /^[!-/:-?[-`{-~]*$/.test(text)
}

/** What the configuration says of the company's people. */
export interface People {
  /** Folded, as A-labels. */
  internal: ReadonlySet<string>
  /** Who sends as the company besides the internal domains: folded addresses, and `@domain`. */
  senders: ReadonlySet<string>
  delimiters: Delimiters
  /** SASL login → address, of those whose login does not say it. */
  logins: ReadonlyMap<string, string>
}

/**
 * An address without its extension: up to the first delimiter, if anything stands before that (split_addr.c).
 * @param key folded, `local@domain`; what has no local part, as `@domain` and the name of a group, is given back as it is
 */
export function mailboxOf(key: string, delimiters: Delimiters): string {
  if (delimiters === undefined) return key
  const at = key.lastIndexOf('@')
  let end = 0
  while (end < at && !delimiters.includes(key.charAt(end))) end++
  return end === 0 || end >= at ? key : key.slice(0, end) + key.slice(at)
}

/**
 * Every mailbox an address may belong to, itself or what stands for it first. More than one only where nobody has said what
 * begins an extension: then whatever is no letter and no digit could.
 */
export function mailboxesOf(key: string, delimiters: Delimiters): string[] {
  const mailboxes = [mailboxOf(key, delimiters)]
  if (delimiters !== undefined) return mailboxes
  const at = key.lastIndexOf('@')
  for (let end = 1; end < at; end++)
    if (!/[a-z0-9]/.test(key.charAt(end))) mailboxes.push(key.slice(0, end) + key.slice(at))
  return mailboxes
}

/** `anna` of `anna`, `anna@REALM` and `CORP\anna`. */
function bareLogin(login: string): string {
  return login.slice(login.lastIndexOf('\\') + 1).replace(/@.*$/, '')
}

/**
 * Every mailbox a login may be that of: the one that {@link People.logins} names; else the address that it is; else, where it
 * is none of the company's, that name at each of its domains. Any of them counts against a message, and none for it.
 * @param login as Postfix gives it, or empty where there was none
 * @returns undefined where there is one and it could be anybody's: it is no address, and no name that could be in one
 */
export function loginMailboxes(
  login: string,
  { internal, delimiters, logins }: People,
): string[] | undefined {
  if (login === '') return []
  const folded = foldAscii(login)
  const bare = bareLogin(folded)
  const keysOf = (texts: readonly string[]): string[] =>
    texts.flatMap((text) => {
      const address = parseAddress(text, internal)
      return address.plain ? mailboxesOf(address.key, delimiters) : []
    })
  const known = [...logins].map(([name, address]) => ({ name: foldAscii(name), address }))
  const exact = known.filter(({ name }) => name === folded)
  if (exact.length > 0) return keysOf(exact.map(({ address }) => address))
  // One of the two has a realm and the other has none: servers differ in what they make of a login.
  const alike = known.filter(
    ({ name }) => bareLogin(name) === bare && (bareLogin(name) === name || bare === folded),
  )
  const own = parseAddress(login, internal)
  const isInternal = own.plain && internal.has(own.domain)
  const elsewhere = isInternal ? [] : [...internal].map((domain) => `${bare}@${domain}`)
  const mailboxes = keysOf([login, ...alike.map(({ address }) => address), ...elsewhere])
  return mailboxes.length === 0 ? undefined : [...new Set(mailboxes)]
}

function isOwnDomain(domain: string, { internal, senders }: Pick<People, 'internal' | 'senders'>): boolean {
  return internal.has(domain) || senders.has(`@${domain}`)
}

/**
 * Whose mail it is by its envelope: the sender, or whom our own server has rewritten there for a forward ({@link rewrittenFrom}).
 * Anybody can write such a sender, as he can write any other of ours; it makes him no more than that one is.
 * @returns what is not plain where the rewritten one is not, or does not say
 */
export function senderOf(sender: string, people: Pick<People, 'internal' | 'senders'>): Address {
  const address = parseAddress(sender, people.internal)
  if (!address.plain || !isOwnDomain(address.domain, people)) return address
  const original = rewrittenFrom(address.local)
  return original === undefined ? address : senderOf(original, people)
}

/** Whether a sender is the company's: null (a bounce of our own), or plain and of an own domain or address. */
export function isOwnSender(sender: string, people: Omit<People, 'logins'>): boolean {
  if (sender === '') return true
  const address = senderOf(sender, people)
  if (!address.plain) return false
  const { senders, delimiters } = people
  return (
    isOwnDomain(address.domain, people) ||
    senders.has(address.key) ||
    senders.has(mailboxOf(address.key, delimiters))
  )
}

/** Who hands a message in. */
export interface Origin {
  /** Of the envelope, empty for the null sender; undefined for somebody of the company of whom nothing is said. */
  sender: string | undefined
  /** SASL, or empty. */
  login: string
}

/** Who may be behind a message. */
export interface Senders {
  /** The sender's mailbox; undefined where the sender does not say. */
  own: string | undefined
  /** Mailboxes that may be behind it as well: the login's, and those whose extension the sender may be. */
  others: string[]
  /** Whether it may be anybody: the null sender, a sender that is not plain, or a login that could be anybody's. */
  anybody: boolean
}

export function sendersBehind({ sender, login }: Origin, people: People): Senders {
  const address = senderOf(sender ?? '', people)
  const [own, ...extended] = address.plain ? mailboxesOf(address.key, people.delimiters) : []
  const ofLogin = loginMailboxes(login, people)
  return {
    own,
    others: [...extended, ...(ofLogin ?? [])].filter((mailbox) => mailbox !== own),
    anybody: (sender !== undefined && !address.plain) || ofLogin === undefined,
  }
}

const RETURN_PATH =
  /=|^owner-|^mailer-daemon(?![a-z0-9])|-(?:owner|request|return|confirm)(?![a-z0-9])|(?:^|[^a-z0-9])bounces?(?![a-z0-9])/

/**
 * Whether a program reads the mail to this address, as what came back: the usual names of lists and mail systems (RFC 3834,
 * 2), and every local part that holds another address, as in VERP, SRS and BATV, which all write it with a `=`. A mail
 * there counts as a bounce, or as a subscriber's wish.
 * @param key folded
 */
export function isReturnPath(key: string): boolean {
  const local = key.slice(0, key.lastIndexOf('@'))
  return RETURN_PATH.test(local)
}

/**
 * Under which name notices about a sender's mail are counted: his mailbox. All senders from outside are one, and so is the
 * null sender, since anybody can write as many of these as he likes.
 */
export function noticeName(sender: string, people: Omit<People, 'logins'>): string {
  const { delimiters } = people
  const address = senderOf(sender, people)
  if (!address.plain || !isOwnSender(sender, people)) return ''
  // A list's sender has a recipient, or a number, in each message anew.
  const more = isReturnPath(address.key) ? '+-=' : ''
  return mailboxOf(address.key, `${delimiters ?? '+'}${more}`)
}

/** Groups of senders by name: folded addresses and `@domain`. */
export type Groups = ReadonlyMap<string, readonly string[]>

/** What the configuration says of the company: its domains, its people, and groups of them. */
export interface Company extends People {
  groups: Groups
}

/** The scope of mail whose sender is none of the company's, as forwards have it; no group can be named so. */
export const FOREIGN = 'foreign'
