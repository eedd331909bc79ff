/**
 * The express lane: what Postfix may pass by itself, without asking the filter. Pure.
 *
 * A row says of one key that it passes, or that whatever it covers goes to the filter:
 *
 *   local@domain   an address with rules of its own
 *   @domain        a domain with rules, for that domain alone
 *
 * An address passes if its own row says so or, without one, that of its domain. That is a strict subset of what decide.ts
 * passes: there the most specific rule counts, and here every rule on the way is an allow, one of them for everybody
 * and without an end. What blocks say of the addresses and domains below them stands in the rows of these, so that the
 * look-up has two rows to look at and no more.
 */
import type { People } from '../mail/mailbox.js'

/**
 * The lane's tables. What passes has the number of the generation as `pass`, what does not has 0: so nothing passes where there
 * is no number, nor where rows and number are of two generations (lib/express/lane.ts).
 */
export const LANE_SCHEMA = [
  'CREATE TABLE generation (number INTEGER) STRICT',
  'CREATE TABLE lane (key TEXT PRIMARY KEY, pass INTEGER NOT NULL) STRICT, WITHOUT ROWID',
]

/** How the look-up names an address and its halves: SQL expressions. */
interface Halves {
  address: string
  local: string
  domain: string
}

/**
 * The look-up: one row, OK, or none. The key must be a plain address, folded, in few enough characters that nothing can
 * be meant by them but themselves; access(5) also asks for `domain` and `user@`, which are none. What follows the last
 * `@` has to be a domain of the table, and none can stand before it.
 *
 * dict_sqlite compiles it anew for each recipient, so every term costs; a table in memory, as a recursion would need,
 * ten times all of it.
 */
export function laneQuery({ address, local, domain }: Halves): string {
  return `SELECT 'OK' WHERE length(${address}) <= 254 AND ${local} != ''
 AND ${local} NOT GLOB '*[^-a-z0-9._=]*' AND ${local} NOT GLOB '[-.]*' AND ${address} NOT GLOB '*.[.@]*'
 AND coalesce((SELECT pass FROM lane WHERE key = ${address}), (SELECT pass FROM lane WHERE key = ${domain}))
 = (SELECT number FROM generation)`
}

/** The map file of sqlite_table(5), which doubles quotes, and asks nothing where the key has no two halves. */
export function laneMap(database: string): string {
  return `# Written by toeh express --write. Postfix asks this of every recipient.
dbpath = ${database}
query = ${laneQuery({ address: "'%s'", local: "'%u'", domain: "'@%d'" })}
`
}

/** FILTER, as an access table says it. */
const FILTER = 'FILTER toeh:dummy'

/** Who sends as the company. */
export type LaneOwn = Pick<People, 'internal' | 'senders'>

function isDomain(sender: string): boolean {
  return sender.startsWith('@')
}

/** Addresses in which the dot alone means more to a regular expression than itself; the filter takes others. */
const IS_SIMPLE = /^[a-z0-9_=-][a-z0-9_.=-]*@[a-z0-9_.-]+$/

/**
 * A regexp_table(5) that sends mail of every sender but our own to the filter, and what our own server has rewritten for a
 * forward: that is another's. It is read when smtpd starts and asks
 * nothing, so it cannot fail for a moment, which here would let a foreign sender by.
 */
function senderTable({ internal, senders }: LaneOwn): string {
  const literal = (text: string): string => text.replaceAll('.', '\\.')
  const domains = [...internal, ...[...senders].filter(isDomain).map((domain) => domain.slice(1))]
  const addresses = [...senders].filter((sender) => !isDomain(sender) && IS_SIMPLE.test(sender))
  const own = [
    '<>',
    `[a-z0-9_=+][a-z0-9_=+-]*(\\.[a-z0-9_=+-]+)*@(${domains.sort().map(literal).join('|')})`,
    ...addresses.sort().map(literal),
  ]
  return `# Written by toeh express --write. Senders whose mail may take the express lane: the company's, and the null sender.
/^.{255}/ ${FILTER}
/^srs[01][=+-]/ ${FILTER}
!/^(${own.join('|')})$/ ${FILTER}
`
}

/**
 * A regexp_table(5) that sends whatever is not the plainest of addresses to the filter, recipient delimiters included:
 * of user+extension@domain access(5) also looks up user@domain.
 */
function recipientTable(delimiters: string): string {
  const characters = [...'abcdefghijklmnopqrstuvwxyz0123456789_=.-'].filter(
    (character) => !delimiters.includes(character),
  )
  return `# Written by toeh express --write. Recipients that are not of these characters go to the filter.
!/^[${characters.join('')}]+@[a-z0-9._-]+$/ ${FILTER}
`
}

export interface LaneFiles {
  map: string
  senders: string
  recipients: string
}

/**
 * Each file with what has to stand in it.
 * @param database the lane's file
 * @param delimiters Postfix's recipient_delimiter
 */
export function laneTexts(
  { map, senders, recipients }: LaneFiles,
  database: string,
  own: LaneOwn,
  delimiters: string,
): [path: string, text: string][] {
  return [
    [map, laneMap(database)],
    [senders, senderTable(own)],
    [recipients, recipientTable(delimiters)],
  ]
}

/** The restriction lists of a service with the express lane; the default at their end is the filter. */
export function laneRestrictions({ map, senders, recipients }: LaneFiles): string {
  return [
    // Before the sender: smtpd(8) then asks trivial-rewrite(8) once less where its last sender was the same.
    `check_recipient_access regexp:${recipients}`,
    `check_sender_access regexp:${senders}`,
    // Where the file was missing when smtpd started, the next line takes the message.
    `warn_if_reject check_recipient_access sqlite:${map}`,
    `check_recipient_access static:{${FILTER}}`,
  ].join(', ')
}

/** The services people submit by. */
export const LANE_SERVICES = ['submission/inet', 'submissions/inet']

/** The parameter of main.cf that has the lane's restrictions: `postconf -P` takes no blanks in a value. */
export const LANE_PARAMETER = 'toeh_express_restrictions'

/**
 * What a service in the lane has to say of SMTPUTF8. With it smtpd(8) folds what it looks up as Unicode does, `ß` to `ss`
 * and a few more to ASCII, and delivers to what was written: to a stranger under the name of somebody who is known.
 */
export const LANE_UTF8 = { name: 'smtputf8_enable', value: 'no' }

/** postconf(1) commands that put these services into the lane. */
export function laneCommands(services: readonly string[], files: LaneFiles): string[] {
  return [
    `postconf -e '${LANE_PARAMETER}=${laneRestrictions(files)}'`,
    ...services.flatMap((service) => [
      `postconf -F '${service}/chroot=n'`,
      `postconf -P '${service}/content_filter='`,
      `postconf -P '${service}/${LANE_UTF8.name}=${LANE_UTF8.value}'`,
      `postconf -P '${service}/smtpd_recipient_restrictions=$${LANE_PARAMETER}'`,
    ]),
  ]
}
