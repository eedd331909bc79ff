/**
 * The express lane: what Postfix may pass by itself, without asking the filter. Pure.
 *
 * A row says of one key that it passes, or that whatever it covers goes to the filter. Each row rests on the rules of
 * one value alone, so that a change of a rule changes that value's rows and no other:
 *
 *   local@domain   an address rule
 *   @domain        a domain rule, for that domain alone
 *   .domain        only ever a stop: a block that reaches the domains below
 *
 * An address passes if no row that covers it is a stop, and its own or its domain's is a pass. That is a strict
 * subset of what decide.ts passes: there the most specific rule counts, and here every rule on the way is an allow,
 * one of them for everybody and without an end.
 */
import type { Rule } from './decide.js'

export interface LaneRow {
  key: string
  pass: boolean
}

/** The keys at which rules of this value may have rows. */
export function laneKeys(value: string): string[] {
  return value.includes('@') ? [value] : [`@${value}`, `.${value}`]
}

/**
 * The rows of one value, from its live rules of every scope. Internal addresses never pass here: an alias may lead
 * out, and Postfix asks before it expands aliases; the filter is asked afterwards.
 */
export function laneRows(value: string, rules: readonly Rule[], internal: ReadonlySet<string>): LaneRow[] {
  const [own = value, below] = laneKeys(value)
  const blocks = rules.filter(({ effect }) => effect === 'block')
  const rows: LaneRow[] = []
  if (blocks.length > 0) rows.push({ key: own, pass: false })
  else if (
    !internal.has(value.slice(value.lastIndexOf('@') + 1)) &&
    rules.some(({ scope, endsAt }) => scope === '' && endsAt === null)
  )
    rows.push({ key: own, pass: true })
  if (below !== undefined && blocks.some(({ subdomains }) => subdomains))
    rows.push({ key: below, pass: false })
  return rows
}

/** The lane's one table. */
export const LANE_SCHEMA =
  'CREATE TABLE IF NOT EXISTS lane (key TEXT PRIMARY KEY, pass INTEGER NOT NULL) STRICT, WITHOUT ROWID'

/** Labels of the longest domain name that the look-up answers for; mail for longer ones goes to the filter. */
const MOST_LABELS = 7

/**
 * The look-up: one row, OK, or none. The key must be a plain address in few enough characters that nothing can be
 * meant by them but themselves; access(5) also asks for `domain` and `user@`, which are none. `lower` folds ASCII.
 *
 * dict_sqlite compiles it anew for each recipient, so its form counts: with a recursion over the domains above, and
 * the tables in memory that SQLite makes for one, it took ten times as long. So each domain above is a column, of a
 * subquery each; without its LIMIT SQLite would write them into one another and compute everything many times over.
 * @param key an SQL expression: `'%s'` for sqlite_table(5), which doubles quotes; `?` for ourselves
 */
export function laneQuery(key: string): string {
  const plain = `SELECT lower(a) AS k, instr(a, '@') AS n FROM (SELECT ${key} AS a LIMIT 1)
 WHERE length(a) <= 254 AND instr(a, '@') BETWEEN 2 AND 65 AND a NOT GLOB '*[^-a-zA-Z0-9._=@]*'
 AND a NOT GLOB '*@*@*' AND a NOT GLOB '[-.]*' AND a NOT GLOB '*..*' AND a NOT GLOB '*.@*' LIMIT 1`
  const domain = `SELECT k, substr(k, n) AS own, '.' || substr(k, n + 1) AS d0 FROM (${plain}) LIMIT 1`
  const above = Array.from({ length: MOST_LABELS - 1 }, (_, index) => `d${index + 1}`)
  // Above the last label is that label again.
  const asked = above.reduce(
    (below, name, index) =>
      `SELECT *, substr(d${index}, 1 + instr(substr(d${index}, 2), '.')) AS ${name} FROM (${below}) LIMIT 1`,
    domain,
  )
  const row = (name: string): string => `SELECT pass FROM lane WHERE key = ${name}`
  const stops = above.map((name) => ` AND NOT EXISTS (${row(name)})`).join('\n')
  return `SELECT 'OK' FROM (${asked})
 WHERE coalesce((${row('k')}), (${row('own')})) = 1 AND (${row('own')}) IS NOT 0
 AND instr(substr(${above.at(-1)}, 2), '.') = 0
${stops}`
}

/** The map file of sqlite_table(5). */
export function laneMap(database: string): string {
  return `# Written by toeh express --write. Postfix asks this of every recipient.
dbpath = ${database}
query = ${laneQuery("'%s'")}
`
}

/** FILTER, as an access table says it. */
const FILTER = 'FILTER toeh:dummy'

/**
 * A regexp_table(5) that sends mail of every sender but our own to the filter. It is read when smtpd starts and asks
 * nothing, so it cannot fail for a moment, which here would let a foreign sender by.
 */
function senderTable(internal: ReadonlySet<string>): string {
  const domains = [...internal]
    .sort()
    .map((domain) => domain.replaceAll('.', '\\.'))
    .join('|')
  return `# Written by toeh express --write. Senders whose mail may take the express lane: the company's, and the null sender.
/^[^@]{65}/ ${FILTER}
/^.{255}/ ${FILTER}
!/^(<>|[a-z0-9_=+][a-z0-9_=+-]*(\\.[a-z0-9_=+-]+)*@(${domains}))$/ ${FILTER}
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
!/^[${characters.join('')}]+@[a-z0-9.-]+$/ ${FILTER}
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
  internal: ReadonlySet<string>,
  delimiters: string,
): [path: string, text: string][] {
  return [
    [map, laneMap(database)],
    [senders, senderTable(internal)],
    [recipients, recipientTable(delimiters)],
  ]
}

/** The restriction lists of a service with the express lane; the default at their end is the filter. */
export function laneRestrictions({ map, senders, recipients }: LaneFiles): string {
  return [
    `check_sender_access regexp:${senders}`,
    `check_recipient_access regexp:${recipients}`,
    // Where the file was missing when smtpd started, the next line takes the message.
    `warn_if_reject check_recipient_access sqlite:${map}`,
    `check_recipient_access static:{${FILTER}}`,
  ].join(', ')
}

/** The services people submit by. */
export const LANE_SERVICES = ['submission/inet', 'submissions/inet']

/** The parameter of main.cf that has the lane's restrictions: `postconf -P` takes no blanks in a value. */
export const LANE_PARAMETER = 'toeh_express_restrictions'

/** postconf(1) commands that put these services into the lane. */
export function laneCommands(services: readonly string[], files: LaneFiles): string[] {
  return [
    `postconf -e '${LANE_PARAMETER}=${laneRestrictions(files)}'`,
    ...services.flatMap((service) => [
      `postconf -F '${service}/chroot=n'`,
      `postconf -P '${service}/content_filter='`,
      `postconf -P '${service}/smtpd_recipient_restrictions=$${LANE_PARAMETER}'`,
    ]),
  ]
}
