/**
 * The delivery report: which of our own mails could not be delivered, and why (RFC 3462, RFC 3464). Pure.
 *
 * Whoever writes one may write anything in it: it proves nothing by itself.
 */
import { headerFields } from './header.js'

export interface DeliveryReport {
  /** What the last server said of the first recipient it could not reach, or its status where it said nothing. */
  why: string
  /** The subject of the mail that was returned, as it stands there; empty where its header is not in the report. */
  subject: string
}

type Fields = ReturnType<typeof headerFields>['fields']

/** Of parts there are three; more is nobody's report. */
const MOST_PARTS = 10
const STATUS = /^message\/(?:global-)?delivery-status\b/i
const RETURNED = /^(?:message\/(?:rfc822|global)|text\/rfc822-headers|message\/global-headers)\b/i

function fieldOf(fields: Fields, name: string): string {
  return fields.find((field) => field.name.trim().toLowerCase() === name)?.value ?? ''
}

function boundaryOf(contentType: string): string | undefined {
  if (!/^multipart\/report\b/i.test(contentType)) return undefined
  const [, quoted, bare] = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? []
  return quoted ?? bare
}

/** What is between the lines of a boundary. */
function partsOf(text: string, boundary: string): string[] {
  const lines = text.split('\n')
  const parts: string[][] = []
  for (const line of lines) {
    const bare = line.trimEnd()
    if (bare === `--${boundary}--`) break
    if (bare === `--${boundary}`) {
      if (parts.length === MOST_PARTS) break
      parts.push([])
    } else parts.at(-1)?.push(line)
  }
  return parts.map((part) => part.join('\n'))
}

/** A header and what follows its empty line. */
function split(text: string): { fields: Fields; body: string } {
  const end = /^\r?\n/.exec(text) ?? /\r?\n\r?\n/.exec(text)
  const head = end === null ? text : text.slice(0, end.index)
  const body = end === null ? '' : text.slice(end.index + end[0].length)
  return { fields: headerFields(Buffer.from(`${head}\n\n`, 'latin1')).fields, body }
}

/** What a group of fields says of a recipient who was not reached; undefined of any other. */
function failureIn(group: Fields): string | undefined {
  if (!/^failed\b/i.test(fieldOf(group, 'action'))) return undefined
  const diagnostic = fieldOf(group, 'diagnostic-code').replace(/^[\w.-]+\s*;\s*/, '')
  return diagnostic === '' ? fieldOf(group, 'status') : diagnostic
}

/**
 * @param bytes a whole message of a size that somebody has limited
 * @returns undefined where it is no report, or one of a delay, of a success or of a relay's
 */
export function readReport(bytes: Buffer): DeliveryReport | undefined {
  const whole = split(bytes.toString('latin1'))
  const boundary = boundaryOf(fieldOf(whole.fields, 'content-type'))
  if (boundary === undefined) return undefined
  const parts = partsOf(whole.body, boundary).map(split)
  const bodyOf = (kind: RegExp): string | undefined =>
    parts.find(({ fields }) => kind.test(fieldOf(fields, 'content-type')))?.body
  const [, ...recipients] = (bodyOf(STATUS) ?? '').trim().split(/\r?\n(?:[ \t]*\r?\n)+/)
  const [why] = recipients.map((group) => failureIn(split(group).fields)).filter((one) => one !== undefined)
  if (why === undefined) return undefined
  return { why, subject: fieldOf(split(bodyOf(RETURNED) ?? '').fields, 'subject') }
}
