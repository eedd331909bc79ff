/**
 * A message described for people: header fields, and attachments by mailparser. Never decides anything, and ends
 * in seconds whatever the message is: attachments are looked for by a process that has so long and so much memory.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { describeError } from '../failure.js'
import { type SignatureEnd, signatureEnds } from '../mail/dkim.js'
import { headerFields } from '../mail/header.js'
import { readBytes } from '../mail/message.js'
import { packagePath } from '../system/package.js'
import type { Attachment, AttachmentFinding } from './attachment.js'

export interface Description {
  /** Field and value as sent, unfolded, in order; cut where there is no end of them. */
  headers: { name: string; value: string }[]
  attachments: Attachment[]
  /** What a mail program shows as its text, as long as a person reads; only where it is asked for. */
  text?: string
  /** DKIM signatures that have an end. */
  signatures: SignatureEnd[]
  /** Why the message could not be read to its end, or null. */
  trouble: string | null
}

export interface DescribeLimits {
  milliseconds: number
  /** Of JavaScript's heap. */
  megabytes: number
}

const LIMITS: DescribeLimits = { milliseconds: 4000, megabytes: 256 }
/** The bundle of attachments.ts. */
const PROGRAM = packagePath('dist/bin/attachments.cjs')
/** What is shown of one message at most: more hides what matters. */
const MOST_FIELDS = 500
const MOST_CHARACTERS = 2000

/**
 * Reads a message file. What cannot be made sense of is told, never thrown.
 * @param withText whether its text is asked for too
 */
export async function describeFile(
  path: string,
  limits: DescribeLimits = LIMITS,
  withText = false,
): Promise<Description> {
  const description: Description = { headers: [], attachments: [], signatures: [], trouble: null }
  try {
    const troubles: string[] = []
    const { fields, whole } = headerFields(await head(path))
    if (!whole || fields.length > MOST_FIELDS) troubles.push('its header is too long to be shown whole')
    description.headers = fields.slice(0, MOST_FIELDS).map(({ name, value }) => ({
      name: cut(name),
      value: cut(value),
    }))
    description.signatures = signatureEnds(fields)
    for await (const finding of findings(path, limits, withText)) {
      if ('trouble' in finding) troubles.push(finding.trouble)
      else if ('text' in finding) description.text = finding.text
      else description.attachments.push(finding.attachment)
    }
    if (troubles.length > 0) description.trouble = troubles.join('; ')
  } catch (error) {
    description.trouble = describeError(error)
  }
  return description
}

/** The DKIM signatures of a message file that have an end; none of one that cannot be read. */
export async function signaturesIn(path: string): Promise<SignatureEnd[]> {
  const bytes = await head(path).catch(() => Buffer.alloc(0))
  return signatureEnds(headerFields(bytes).fields)
}

function cut(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text
}

/** The first piece of the file, which holds any header that people write. */
async function head(path: string): Promise<Buffer> {
  for await (const piece of readBytes(path)) return Buffer.from(piece)
  return Buffer.alloc(0)
}

/** What the other process finds, as far as it comes. */
async function* findings(
  path: string,
  limits: DescribeLimits,
  withText: boolean,
): AsyncGenerator<AttachmentFinding> {
  const file = openSync(path, 'r')
  const args = [`--max-old-space-size=${limits.megabytes}`, PROGRAM, ...(withText ? ['text'] : [])]
  // The file as its input: the process needs no path, and gets nothing else of ours.
  const child = spawn(process.execPath, args, { stdio: [file, 'pipe', 'ignore'], env: {} })
  closeSync(file)
  const { stdout } = child
  if (stdout === null) return
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, limits.milliseconds)
  const ended = new Promise<boolean>((done) => {
    child.once('error', () => done(false))
    child.once('close', (code) => done(code === 0))
  })
  try {
    for await (const line of createInterface({ input: stdout, crlfDelay: Infinity })) {
      const finding = parseFinding(line)
      if (finding !== undefined) yield finding
    }
    if (await ended) return
    const limit = late ? `${limits.milliseconds / 1000} s` : `${limits.megabytes} MB of memory`
    yield { trouble: `not all attachments were found within ${limit}` }
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
  }
}

/** A line of the output; undefined for one that was cut off when its process was killed. */
function parseFinding(line: string): AttachmentFinding | undefined {
  try {
    return JSON.parse(line) as AttachmentFinding
  } catch {
    return undefined
  }
}
