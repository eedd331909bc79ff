/**
 * The wrapping: what containers, journals and other syslogs put around a line of the log, taken off. Pure.
 *
 * Only lines that are none of the usual ones come here, so regular expressions may be used.
 */

/** Colours: docker compose paints its prefix. */
const COLOUR = /\u001b\[[0-9;]*m/g
/** `mail-1  | ` of docker compose. */
const COMPOSE = /^[\w.@-]{1,80} +\| ?/
/** `[pod/mail-0/postfix] ` of kubectl logs --prefix. */
const POD = /^\[pod\/[^\]\s]{1,200}\] /
/** Octet counting before RFC 5424's priority (RFC 6587, 3.4.1). */
const COUNTED = /^[0-9]{2,5} (?=<[0-9]{1,3}>)/

const DATE = '([0-9]{4}-[0-9]{2}-[0-9]{2})'
const TIME = '([0-9]{2}:[0-9]{2}:[0-9]{2})'
/** `2026-11-04 05:06:07[.123][ +01:00] `, and `Wed 2026-11-04 05:06:07 CET ` of journalctl -o short-full. */
const BLANK_DATE = new RegExp(
  `^(?:[A-Z][a-z]{2} )?${DATE} ${TIME}(?:[.,][0-9]+)?(?: ?(?:[+-][0-9:]{4,6}|[A-Z]{2,5}))? `,
)
/** `Nov  4 2026 05:06:07 `, also with a colon behind it. */
const YEAR_INSIDE = new RegExp(`^(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) ( ?[0-9]{1,2}) ([0-9]{4}) ${TIME}:? `)
/** `2026 Nov  4 05:06:07 `. */
const YEAR_BEFORE = new RegExp(`^([0-9]{4}) ([A-Z][a-z]{2}) ( ?[0-9]{1,2}) ${TIME} `)
/** `Wed Nov  4 05:06:07 2026 `, as ctime(3) writes it. */
const CTIME = new RegExp(`^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ( ?[0-9]{1,2}) ${TIME} ([0-9]{4}) `)
/** `1762232767.123456 `, as journalctl -o short-unix writes it. */
const SECONDS = /^([0-9]{10})(?:\.[0-9]{1,9})? /

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function iso(year: string, month: string, day: string, time: string): string {
  const number = String(MONTHS.indexOf(month) + 1).padStart(2, '0')
  return `${year}-${number}-${day.trim().padStart(2, '0')}T${time}Z`
}

/** A stamp of another form as RFC 3339's; undefined where none stands in front. */
function restamped(line: string): string | undefined {
  let found = BLANK_DATE.exec(line)
  if (found !== null) return `${found[1]}T${found[2]}Z ${line.slice(found[0].length)}`
  found = YEAR_INSIDE.exec(line)
  if (found !== null) {
    const [all, month = '', day = '', year = '', time = ''] = found
    return `${iso(year, month, day, time)} ${line.slice(all.length)}`
  }
  found = YEAR_BEFORE.exec(line)
  if (found !== null) {
    const [all, year = '', month = '', day = '', time = ''] = found
    return `${iso(year, month, day, time)} ${line.slice(all.length)}`
  }
  found = CTIME.exec(line)
  if (found !== null) {
    const [all, month = '', day = '', time = '', year = ''] = found
    return `${iso(year, month, day, time)} ${line.slice(all.length)}`
  }
  found = SECONDS.exec(line)
  if (found === null) return undefined
  return `${new Date(1000 * Number(found[1])).toISOString().slice(0, 19)}Z ${line.slice(found[0].length)}`
}

type Fields = Record<string, unknown>

/** The first of these keys that has a text, a number, or the bytes by which a journal writes what is no plain text. */
function textOf(fields: Fields, keys: readonly string[]): string {
  for (const key of keys) {
    const value = fields[key]
    if (typeof value === 'string') return value
    if (typeof value === 'number') return String(value)
    if (Array.isArray(value) && value.every((byte) => Number.isInteger(byte)))
      return Buffer.from(value).toString()
  }
  return ''
}

/** A stamp of whatever JSON has: RFC 3339, or seconds, milli-, micro- or nanoseconds since 1970. */
function stampOf(text: string): string {
  if (/^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]/.test(text)) return `${text.slice(0, 10)}T${text.slice(11, 19)}Z`
  const digits = /^[0-9]{10,19}/.exec(text)?.[0] ?? ''
  if (digits === '') return ''
  return `${new Date(1000 * Number(digits.slice(0, 10))).toISOString().slice(0, 19)}Z`
}

/**
 * A line of JSON: docker's json-file (`log`, `time`), journalctl -o json (`MESSAGE`, `SYSLOG_IDENTIFIER`), and what
 * rsyslog, syslog-ng, fluentd, vector and Loki write.
 */
function fromJson(line: string): string | undefined {
  let fields: Fields
  try {
    fields = JSON.parse(line) as Fields
  } catch {
    return undefined
  }
  const [message = ''] = textOf(fields, ['log', 'MESSAGE', 'message', 'msg', 'line']).split('\n')
  const program = textOf(fields, [
    'SYSLOG_IDENTIFIER',
    'syslog-tag',
    'syslogtag',
    'programname',
    'program',
    'PROGRAM',
    'appname',
    'app-name',
    'ident',
    'tag',
  ])
  // What a program has printed as a whole has its stamp, its host and its name itself.
  const tagged = program.includes('/') ? `${program.replace(/:$/, '')}: ${message}` : message
  const host = textOf(fields, ['_HOSTNAME', 'hostname', 'host', 'HOST', 'fromhost'])
  const stamp = stampOf(
    textOf(fields, [
      '__REALTIME_TIMESTAMP',
      'time',
      'timereported',
      '@timestamp',
      'timestamp',
      'ISODATE',
      'ts',
    ]),
  )
  if (message === '' || stamp === '') return message === '' ? undefined : tagged
  const whole = /^(?:<[0-9]{1,3}>)?(?:1 )?(?:[A-Z][a-z]{2} [ 0-9]|[0-9]{4}-[0-9]{2}-)/.test(message)
  return whole ? message : `${stamp} ${host.replaceAll(' ', '') || '-'} ${tagged}`
}

/** The line within a line that has no stamp where one should be; undefined where there is none to be seen. */
export function unwrapped(line: string): string | undefined {
  if (line.charCodeAt(0) === 0x7b) return fromJson(line)
  const bare = line.includes('\u001b') ? line.replace(COLOUR, '') : line
  const inner = bare
    .replace(/^\u{feff}/u, '')
    .replace(COMPOSE, '')
    .replace(POD, '')
    .replace(COUNTED, '')
  return restamped(inner) ?? (inner === line ? undefined : inner)
}

/** What stands between the stamp and the program, where that is more than a host: by the text behind the stamp. */
export function unwrappedBehind(stamp: string, rest: string): string | undefined {
  // Podman's k8s-file and CRI: stream, then F of a whole line or P of a part.
  const text = rest.replace(/^(?:stdout|stderr) (?:[FP] )?/, '')
  // A second stamp, or what wraps one.
  if (
    /^(?:<[0-9]{1,3}>)?(?:1 )?(?:[A-Z][a-z]{2} [ 0-9][0-9] |[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]|[A-Z][a-z]{2} [A-Z][a-z]{2} )/.test(
      text,
    )
  )
    return text
  if (text.startsWith('{')) return text
  // FreeBSD's syslogd -v: `<mail.info> host`.
  const before = /^<[a-z0-9]+\.[a-z0-9]+> /.exec(text)
  if (before !== null) return `${stamp} ${text.slice(before[0].length)}`
  // Busybox and templates: `host mail.info program[1]:`, `host mail/info program`, `host [mail.info] program`.
  const between = /^(\S+) [[<]?[a-z]+[0-7]?[./|][a-z]+[\]>]?:? (?=\S+: )/.exec(text)
  if (between !== null) return `${stamp} ${between[1]} ${text.slice(between[0].length)}`
  // No host at all: the program stands behind the stamp.
  if (/^\S+\/\S+: /.test(text)) return `${stamp} - ${text}`
  return undefined
}
