/** An approver: reads the notices in a sink and answers them as pipe(8) would hand the answer over. */
import { createHash } from 'node:crypto'
import { simpleParser } from 'mailparser'
import type { Test } from 'tap'
import type { Mail } from '../../lib/approval/moderate.js'
import { type Lab, makeLab, NODE, type Outcome, outcomeOf, PIPE_ENV, startWith, TOEH } from './lab.js'
import { makeSink, type Sink } from './sink.js'

export const BOSS = 'boss@corp.test'
export const DEPUTY = 'deputy@other.test'
export const EVE = 'eve@unknown.test'

/** `moderate.address`: also the sender of what can be answered. */
export const ANSWERS_GO_TO = 'toeh-moderate@corp.test'

export const MODERATE = `[notice]
interval_minutes = 0
[moderate]
enabled = true
address = "toeh-moderate@corp.test"
logins = { boss = "${BOSS}" }
authserv_id = "mx.corp.test"
`
export const APPROVERS = `approvers = ["${BOSS}", "${DEPUTY}"]`

/** An installation that asks two approvers by mail. */
export async function makeOffice(t: Test, tables = MODERATE): Promise<{ lab: Lab; sink: Sink }> {
  const sink = await makeSink(t)
  return { lab: makeLab(t, `${sink.setting}\n${APPROVERS}\n`, tables), sink }
}

export interface Notice {
  subject: string
  text: string
  replyTo: string
  token: string
}

/** The last notice that this address has got. */
export async function noticeTo(sink: Sink, to: string): Promise<Notice> {
  const mail = sink.mails.findLast(
    ({ recipients, sender }) => /^(?:toeh\b.*)?$/.test(sender) && recipients.includes(to),
  )
  const { subject = '', text = '', replyTo } = await simpleParser(mail?.bytes ?? '')
  return { subject, text, replyTo: replyTo?.text ?? '', token: /\[toeh (\w{26})\]$/.exec(subject)?.[1] ?? '' }
}

export interface Answer {
  subject?: string
  text?: string
  from?: string
  /** Fields above the others. */
  head?: string
  /** Of the envelope. */
  sender?: string
  sasl?: string
  queueId?: string
}

export function bytesOf({ subject = '', text = '', from = `Boss <${BOSS}>`, head = '' }: Answer): Buffer {
  const fields = `${head}From: ${from}\nTo: toeh-moderate@corp.test\nSubject: Re: ${subject}\n`
  return Buffer.from(`${fields}Message-ID: <answer@corp.test>\n\n${text}\n`)
}

/** The mail as toeh moderate reads it. */
export function mailOf(answer: Answer): Mail {
  const { sender = BOSS, sasl = 'boss', queueId = '4bQ8Yk2hJnz9' } = answer
  const bytes = bytesOf(answer)
  const digest = createHash('sha256').update(bytes).digest('hex')
  return { sender, saslUser: sasl, queueId, bytes, digest, tooLong: false }
}

/** Runs toeh moderate on an answer. */
export function sendAnswer(lab: Lab, answer: Answer, bytes: Buffer = bytesOf(answer)): Promise<Outcome> {
  const { sender = BOSS, sasl = 'boss', queueId = '4bQ8Yk2hJnz9' } = answer
  const options = [`--sender=${sender}`, `--sasl-user=${sasl}`, `--queue-id=${queueId}`]
  const program = [NODE, TOEH, 'moderate', `--config=${lab.config}`, ...options]
  const child = startWith(PIPE_ENV, program, { cwd: lab.state })
  child.stdin?.on('error', () => {})
  child.stdin?.end(bytes)
  return outcomeOf(child)
}

/** What the last mail says: subject and text. */
export async function toldLast(sink: Sink): Promise<string> {
  const { subject, text } = await simpleParser(sink.mails.at(-1)?.bytes ?? '')
  return `${subject}\n${text}`
}
