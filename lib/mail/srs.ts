/**
 * SRS: whom a forwarding server has rewritten in a sender, read from its own address. Pure.
 *
 * The Sender Rewriting Scheme (libspf.org's draft of 2003; libsrs2, postsrsd) puts the sender of a mail that is forwarded into the
 * local part of an address of the forwarder's: `SRS0=HASH=TIME=DOMAIN=LOCAL@forwarder`. One that comes from another forwarder
 * keeps that one's name before what it wrote: `SRS1=HASH=FORWARDER==HASH=TIME=DOMAIN=LOCAL@forwarder`.
 */

const IS_REWRITTEN = /^srs[01][=+-]/
const REWRITTEN = /^(?:srs0[=+-]|srs1[=+-][^=]*=[^=]*=[=+-])[^=]*=[^=]*=([^=]+)=(.+)$/

/**
 * @param local folded local part of an address of our own
 * @returns undefined where it is not rewritten; empty where it is and does not say from whom, as one that postsrsd keeps in
 *   its database (`original-envelope = database`)
 */
export function rewrittenFrom(local: string): string | undefined {
  if (!IS_REWRITTEN.test(local)) return undefined
  const [, domain = '', original = ''] = REWRITTEN.exec(local) ?? []
  return domain === '' ? '' : `${original}@${domain}`
}
