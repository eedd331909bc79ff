/** LDIF (RFC 2849): what an LDAP directory exports, each address of each entry a rule with the entry's name. Pure. */
import { isForeignForm, parseMailbox } from './addresslist.js'
import type { RuleFileProblem, RuleFileReading } from './rulefile.js'

/** Attributes that hold addresses (RFC 4524, Exchange, Courier, qmail and Kolab), in small letters. */
const ADDRESSES: ReadonlySet<string> = new Set([
  'mail',
  'rfc822mailbox',
  'email',
  'emailaddress',
  'mailalternateaddress',
  'mailprimaryaddress',
  'alias',
  'othermailbox',
  'proxyaddresses',
  'mozillasecondemail',
])
/** Attributes that name an entry, the best first. */
const NAMES = ['displayname', 'cn', 'o', 'uid']

interface Line {
  line: number
  text: string
}

/** Lines with folded ones made whole; comments fold as well. */
function unfolded(text: string): Line[] {
  const whole: Line[] = []
  for (const [index, raw] of text.split(/\r\n|\n|\r/).entries()) {
    const line = raw.replace(/^\ufeff+/, '')
    const last = whole.at(-1)
    if (line.startsWith(' ') && last !== undefined && last.text !== '') last.text += line.slice(1)
    else whole.push({ line: index + 1, text: line })
  }
  return whole.filter(({ text }) => !text.startsWith('#'))
}

interface Attribute {
  name: string
  value: string
}

/** `name: value`, `name;option:: base64`; undefined for a line that is neither. */
function attributeOf(text: string): Attribute | undefined {
  const [, name, mark, raw = ''] = /^([A-Za-z0-9][\w.-]*)(?:;[\w-]+)*:([:<]?) *(.*)$/s.exec(text) ?? []
  if (name === undefined) return undefined
  // What stands behind a URL is not in the file.
  const value = mark === ':' ? Buffer.from(raw, 'base64').toString() : mark === '<' ? '' : raw
  return { name: name.toLowerCase(), value: value.trim() }
}

function readEntry(reading: RuleFileReading, left: RuleFileProblem[], lines: readonly Line[]): void {
  const attributes: Attribute[] = []
  const [{ line = 0 } = {}] = lines
  for (const { line, text } of lines) {
    const attribute = attributeOf(text)
    if (attribute === undefined) {
      reading.problems.push({ where: `line ${line}`, why: 'it is no line of LDIF: attribute, colon, value' })
      return
    }
    attributes.push(attribute)
  }
  const first = (name: string): string => attributes.find((one) => one.name === name)?.value ?? ''
  const change = first('changetype')
  if (change !== '' && change !== 'add') {
    reading.problems.push({
      where: `line ${line}`,
      why: 'it is a change of an entry; export the entries themselves',
    })
    return
  }
  const note = NAMES.map(first).find((name) => name !== '') ?? ''
  const seen = new Set<string>()
  for (const { name, value } of attributes) {
    if (!ADDRESSES.has(name) || value === '') continue
    // proxyAddresses has a kind in front: SMTP: of the first, smtp: of the others, X500:, SIP:.
    const [, kind = 'smtp', rest = value] =
      name === 'proxyaddresses' ? (/^([A-Za-z0-9]+):(.*)$/.exec(value) ?? []) : []
    if (kind.toLowerCase() !== 'smtp' || isForeignForm(rest)) {
      left.push({ where: `line ${line}`, why: 'an address of Exchange alone, which no other server knows' })
      continue
    }
    const mailbox = parseMailbox(rest)
    if (seen.has(mailbox.value.toLowerCase())) continue
    seen.add(mailbox.value.toLowerCase())
    reading.entries.push({ where: `line ${line}`, value: mailbox.value, note: note || mailbox.note })
  }
}

/** Reads an export, entry by entry; entries without an address (folders, groups) say nothing. */
export function readLdif(text: string): RuleFileReading {
  const left: RuleFileProblem[] = []
  const reading: RuleFileReading = { entries: [], problems: [], comments: [], left }
  let entry: Line[] = []
  let entries = 0
  const end = (): void => {
    if (entry.some(({ text }) => /^dn::? /i.test(text))) {
      entries++
      readEntry(reading, left, entry)
    } else if (entry.some(({ text }) => !/^(?:version|search|result):/i.test(text)))
      reading.problems.push({
        where: `line ${entry[0]?.line ?? 1}`,
        why: 'it is no entry: there is no dn in it',
      })
    entry = []
  }
  for (const line of unfolded(text)) {
    if (line.text.trim() === '') end()
    // The version may stand right above the first entry.
    else if (!/^version: *[0-9]+$/i.test(line.text)) entry.push(line)
  }
  end()
  if (entries === 0 && reading.problems.length === 0)
    reading.problems.push({ where: 'file', why: 'there is no entry in it' })
  return reading
}
