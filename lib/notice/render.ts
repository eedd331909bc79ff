/**
 * The letter: what a notice says, as text and as HTML that reads well on a phone. Pure.
 *
 * It is long because text and HTML say the same, side by side.
 */

import type { Answer } from '../hold/token.js'
import type { Enclosures } from '../mime/attachment.js'
import { nearMissLines, sidesOf } from '../nearmiss/describe.js'
import type { UsedNeighbour } from '../nearmiss/nearmiss.js'
import { escapeHtml, safe } from '../text/html.js'
import type { Language } from '../text/translate.js'
import { shortSize, visible } from '../text/visible.js'
import { ANSWERS } from './consent.js'
import { type HoldReason, type Outcome, WORDING, type Wording } from './wording.js'

/** What a notice says of one message. */
export interface NoticeMessage {
  id: string
  sender: string
  /** As it stands in the header, encoded words and all; a letter is given it readable. */
  subject: string
  /** `<…>` of the original, or empty. */
  messageId: string
  size: number
  /** Milliseconds since 1970. */
  heldAt: number
  expiresAt: number
  recipients: readonly {
    address: string
    reason: string
    detail: string
    nearMisses?: readonly UsedNeighbour[] | undefined
    /** What became of it, in words, in place of the reason. */
    standing?: string | undefined
  }[]
  /** Left out where nobody has looked. */
  enclosures?: Enclosures | undefined
}

export type NoticeKind =
  | 'sender'
  | 'reminder'
  | 'approver'
  | 'automatic'
  | 'expired'
  | 'released'
  | 'rejected'
  | 'answered'

/** How an approver can answer by mail. */
export interface AnswerOffer {
  token: string
  address: string
  /** Milliseconds since 1970. */
  until: number
  /** Whether two approvers have to say yes. */
  two: boolean
}

export interface Decision {
  who: string
  at: number
  note: string
}

export interface NoticeRequest {
  kind: NoticeKind
  language: Language
  from: string
  to: readonly string[]
  approvers: readonly string[]
  /** At least one; of `answered` none where the answer belongs to no message. */
  messages: readonly NoticeMessage[]
  /** For the approver who is the only one to get this. */
  reply?: AnswerOffer | undefined
  /** Whom the sender can ask, in words of the configuration; else the approvers are named. */
  contact?: string | undefined
  /** For `released` and `rejected`: by whom, when (milliseconds since 1970), and why, where that was said. */
  decision?: Decision | undefined
  /** What came of an answer, for `answered`. */
  outcome?: Outcome | undefined
  /** The Message-ID of the mail that is answered; else that of the one message. */
  inReplyTo?: string | undefined
}

/** More attachments are for `toeh show`. */
const MOST_NAMES = 8
const NAME_CHARACTERS = 80

/** The subject of the letter itself. */
export function letterSubject(request: NoticeRequest): string {
  const words = WORDING[request.language]
  const { kind, messages } = request
  const [first] = messages
  const subject = first?.subject || words.noSubject
  const many = messages.length > 1
  switch (kind) {
    case 'sender':
      return many ? words.senderManySubject(messages.length) : words.senderSubject(subject)
    case 'reminder':
      return many ? words.reminderManySubject(messages.length) : words.reminderSubject(subject)
    case 'approver':
      return many
        ? words.approverManySubject(messages.length)
        : words.approverSubject(cut(visible(first?.sender || words.nullSender)), cut(subject))
    case 'automatic':
      return words.automaticSubject(messages.length)
    case 'expired':
      return many ? words.expiredManySubject(messages.length) : words.expiredSubject(subject)
    case 'released':
      return words.releasedSubject(subject)
    case 'rejected':
      return words.rejectedSubject(subject)
    case 'answered': {
      const { title } = words.answered[request.outcome ?? 'unknown']
      return first === undefined ? title : `${title}${words.colon} ${subject}`
    }
  }
}

function intro({ kind, language, messages, outcome = 'unknown' }: NoticeRequest): string {
  const words = WORDING[language]
  return {
    sender: words.senderIntro,
    reminder: messages.length > 1 ? words.reminderManyIntro : words.reminderIntro,
    approver: words.approverIntro,
    automatic: words.automaticIntro,
    expired: messages.length > 1 ? words.expiredManyIntro : words.expiredIntro,
    released: words.releasedIntro,
    rejected: words.rejectedIntro,
    answered: words.answered[outcome].text,
  }[kind]
}

/** While a message waits it has a date at which that ends, and somebody can do something. */
function waits({ kind }: NoticeRequest): boolean {
  return kind === 'sender' || kind === 'reminder' || kind === 'approver'
}

function cut(name: string): string {
  const characters = [...name]
  return characters.length > NAME_CHARACTERS ? `${characters.slice(0, NAME_CHARACTERS).join('')}…` : name
}

function describeEnclosures({ list, whole }: Enclosures, words: Wording): string {
  const names = list
    .slice(0, MOST_NAMES)
    .map(({ name, size }) => `${name === '' ? words.unnamed : cut(visible(name))} (${shortSize(size)})`)
  if (list.length > MOST_NAMES) names.push(words.andMore(list.length - MOST_NAMES))
  if (!whole) return [...names, words.notAllSeen].join(', ')
  return names.length === 0 ? words.none : names.join(', ')
}

type Fact = 'from' | 'subject' | 'date' | 'size' | 'attachments' | 'id' | 'expires'

/** Labels and values of a message, in the order they are read, made visible. */
function factsOf(message: NoticeMessage, request: NoticeRequest): [Fact, string][] {
  const words = WORDING[request.language]
  const time = new Intl.DateTimeFormat(words.locale, { dateStyle: 'long', timeStyle: 'short' })
  const facts: [Fact, string][] = [
    ['from', visible(message.sender || words.nullSender)],
    ['subject', visible(message.subject || words.noSubject)],
    ['date', time.format(message.heldAt)],
    ['size', shortSize(message.size)],
  ]
  if (message.enclosures !== undefined)
    facts.push(['attachments', describeEnclosures(message.enclosures, words)])
  facts.push(['id', message.id])
  if (waits(request)) facts.push(['expires', time.format(message.expiresAt)])
  return facts
}

/** What the reader can do, and what he should know: paragraphs. */
function closing({ kind, language, approvers, reply, contact = '', decision }: NoticeRequest): string[] {
  const words = WORDING[language]
  const names = approvers.join(', ')
  const whom = visible(contact || names)
  if (kind === 'automatic') return [words.automaticNext]
  if (kind === 'approver')
    return reply === undefined ? [words.askFirst, words.thenAdministrator] : [words.askFirst]
  const time = new Intl.DateTimeFormat(words.locale, { dateStyle: 'long', timeStyle: 'short' })
  if (kind === 'released')
    return decision === undefined ? [] : [words.releasedBy(visible(decision.who), time.format(decision.at))]
  if (kind === 'rejected' || kind === 'expired') {
    const said =
      decision === undefined
        ? []
        : [
            words.rejectedBy(visible(decision.who), time.format(decision.at)),
            ...(decision.note === '' ? [] : [words.rejectedNote(visible(decision.note))]),
          ]
    return [...(said.length === 0 ? [] : [said.join('\n')]), whom === '' ? words.askNobody : words.ask(whom)]
  }
  if (kind !== 'sender' && kind !== 'reminder') return []
  const next = names === '' ? words.nextForSenderNobody : words.nextForSender(names)
  const ask = contact === '' ? [] : [words.ask(whom)]
  return [next, ...ask, `${words.theseAlone}\n${words.notYou}`]
}

/** The words an approver can answer with, each with what it does, and what he should know. */
function replying({ language, reply }: NoticeRequest): { answers: [string, string][]; notes: string[] } {
  const words = WORDING[language]
  if (reply === undefined) return { answers: [], notes: [] }
  const time = new Intl.DateTimeFormat(words.locale, { dateStyle: 'long', timeStyle: 'short' })
  const answers = Object.entries(ANSWERS[language]) as [Answer, string][]
  return {
    answers: answers.map(([answer, word]) => [word, words.answerMeans[answer]]),
    notes: [...(reply.two ? [words.answerTwo] : []), words.answerSubjectStays(time.format(reply.until))],
  }
}

/** What an approver types on the server, who is somebody that mail is answered by; others ask whoever has a shell there. */
function commandsFor({ kind, reply }: NoticeRequest, id: string): string[] {
  return kind === 'approver' && reply !== undefined
    ? [`toeh show ${id}`, `toeh release ${id}`, `toeh reject ${id}`]
    : []
}

/** Why a recipient waits, or what became of it. */
function describeWhy(
  { reason, detail, standing }: { reason: string; detail: string; standing?: string | undefined },
  words: Wording,
): string {
  return standing === undefined ? words.reason(reason as HoldReason, visible(detail)) : visible(standing)
}

function messageText(message: NoticeMessage, request: NoticeRequest): string[] {
  const words = WORDING[request.language]
  const facts = factsOf(message, request).map(([fact, value]) => [words.labels[fact], value] as const)
  const width = Math.max(...facts.map(([label]) => label.length)) + words.colon.length + 1
  return [
    ...facts.map(([label, value]) => `  ${`${label}${words.colon}`.padEnd(width)}${value}`),
    '',
    `  ${words.labels.recipients}${words.colon}`,
    ...message.recipients.flatMap(({ address, nearMisses = [], ...why }) => [
      `    ${visible(address)}`,
      `        ${describeWhy(why, words)}`,
      ...nearMissLines(nearMisses, request.language).map((line) => `        ${visible(line)}`),
    ]),
    '',
  ]
}

/** More automatic messages are for `toeh list --automatic`. */
const MOST_LINES = 20

/** Automatic mail, a line a message: it is read over, and nobody is asked. */
function automaticLines({ messages, language }: NoticeRequest): string[] {
  const words = WORDING[language]
  const time = new Intl.DateTimeFormat(words.locale, { dateStyle: 'short', timeStyle: 'short' })
  const lines = messages.slice(0, MOST_LINES).map(({ sender, subject, recipients, expiresAt }) => {
    const [first] = recipients
    const more = recipients.length > 1 ? ` ${words.andMore(recipients.length - 1)}` : ''
    const to = `${visible(sender || words.nullSender)} \u2192 ${visible(first?.address ?? '')}${more}`
    return `${to}${words.colon} ${cut(visible(subject || words.noSubject))} (${words.until(time.format(expiresAt))})`
  })
  return messages.length > MOST_LINES ? [...lines, words.andMore(messages.length - MOST_LINES)] : lines
}

/** The letter as text. */
export function letterText(request: NoticeRequest): string {
  const { messages, language, reply } = request
  const words = WORDING[language]
  const about =
    request.kind === 'automatic'
      ? [...automaticLines(request).map((line) => `  ${line}`), '']
      : messages.flatMap((message) => messageText(message, request))
  const lines = [intro(request), '', ...about]
  lines.push(closing(request).join('\n\n'))
  if (reply !== undefined) {
    const { answers, notes } = replying(request)
    // Each with what it does behind it: a program that quotes without a mark must not make an answer of it.
    lines.push('', words.answerThis, '')
    const width = Math.max(...answers.map(([word]) => word.length)) + 2
    lines.push(...answers.map(([word, means]) => `    ${word.padEnd(width)}${means}`), '', ...notes)
    if (request.kind === 'approver') lines.push('', words.orOnServer)
  }
  for (const { id } of messages) {
    const commands = commandsFor(request, id)
    if (commands.length > 0) lines.push('', ...commands.map((command) => `    ${command}`))
  }
  return `${lines.join('\n').trimEnd()}\n`
}

// No variables: what mail programs know of CSS is old. Where a program takes the style away, headings, tables and
// paragraphs still read in order.
const STYLE = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0 auto; padding: 16px 14px 28px; max-width: 600px; background: #ffffff; color: #1a1e24;
  font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
  -webkit-text-size-adjust: 100%; }
h1 { font-size: 20px; line-height: 1.25; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 14px; font-weight: 600; margin: 14px 0 2px; }
p { margin: 0 0 12px; }
.card { background: #f5f6f8; border-radius: 10px; padding: 12px 14px 14px; margin: 0 0 14px; }
.facts { border-collapse: collapse; width: 100%; }
.facts th { text-align: left; font-weight: 400; color: #5b6470; font-size: 14px; white-space: nowrap; }
.facts th, .facts td { padding: 2px 12px 2px 0; vertical-align: baseline; overflow-wrap: anywhere; }
.facts td { width: 99%; }
.to { border-top: 1px solid #dde1e6; padding: 10px 0 0; margin: 10px 0 0; }
.to:first-of-type { margin-top: 4px; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.why { color: #a4500a; font-size: 15px; }
.near { background: #fdf0e1; border-left: 4px solid #c4640a; border-radius: 4px; padding: 8px 10px; margin: 8px 0 0; }
.near b { font-weight: 600; }
.code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 15px;
  overflow-wrap: anywhere; }
.past { color: #5b6470; font-size: 14px; } .side { margin: 6px 0 0; }
.answer { background: #e6e9ee; border-radius: 6px; padding: 8px 12px; margin: 0 0 8px; } .answer b { font-weight: 600; }
.do { background: #e6e9ee; border-radius: 6px; padding: 8px 10px; margin: 12px 0 0; }
@media (prefers-color-scheme: dark) {
  body { background: #14171b; color: #e6e9ed; } .card { background: #1d2127; }
  .facts th, .past { color: #9aa4b0; } .to { border-color: #323840; } .why { color: #f2a04a; }
  .near { background: #33261a; border-color: #f2a04a; } .do, .answer { background: #2a3038; } }
`

/** Breaks before @ and dots: long names fit, and fewer programs make links of them. */
function shown(text: string): string {
  return safe(text, '@.')
}

function nearHtml(miss: UsedNeighbour, { language }: NoticeRequest): string {
  const words = WORDING[language]
  const { looksLike, likeness, known, thisOne } = sidesOf(miss, language)
  const side = (label: string, { value, facts }: { value: string; facts: string }): string =>
    `<div class="past side">${label}</div><div class="code">${shown(value)}</div><div class="past">${safe(facts)}</div>`
  return `<div class="near">${looksLike} <b>${shown(known.value)}</b> (${likeness})
${side(words.thisSide, thisOne)}${side(words.knownSide, known)}</div>`
}

function commandsHtml({ id }: NoticeMessage, request: NoticeRequest): string {
  const lines = commandsFor(request, id).map((command) => escapeHtml(command))
  return lines.length === 0 ? '' : `<div class="do code">${lines.join('<br>')}</div>`
}

function messageHtml(message: NoticeMessage, request: NoticeRequest): string {
  const words = WORDING[request.language]
  const rows = factsOf(message, request).map(([fact, value]) => {
    const html =
      fact === 'id'
        ? `<span class="code">${safe(value)}</span>`
        : fact === 'from'
          ? shown(value)
          : safe(value)
    return `<tr><th scope="row">${words.labels[fact]}</th><td>${html}</td></tr>`
  })
  const recipients = message.recipients.map(({ address, nearMisses = [], ...rest }) => {
    const why = safe(describeWhy(rest, words))
    const near = nearMisses.map((miss) => nearHtml(miss, request)).join('')
    return `<div class="to"><div class="name">${shown(address)}</div><div class="why">${why}</div>${near}</div>`
  })
  return `<div class="card">
<table class="facts" role="presentation">${rows.join('\n')}</table>
<h2>${words.labels.recipients}</h2>
${recipients.join('\n')}
</div>`
}

function replyHtml(request: NoticeRequest): string {
  const { language, kind, reply } = request
  const words = WORDING[language]
  if (reply === undefined) return ''
  const { answers, notes } = replying(request)
  const rows = answers.map(
    ([word, means]) => `<div class="answer"><b>${escapeHtml(word)}</b><br>${escapeHtml(means)}</div>`,
  )
  const after = kind === 'approver' ? [...notes, words.orOnServer] : notes
  return `<div class="card"><p>${escapeHtml(words.answerThis)}</p>
${rows.join('\n')}
</div>
${after.map((note) => `<p>${escapeHtml(note)}</p>`).join('\n')}`
}

/** The letter as HTML: one column, light and dark; no image, no link, no script, nothing remote. */
export function letterHtml(request: NoticeRequest): string {
  const { messages, language, kind } = request
  const title = letterSubject(request)
  const paragraphs = closing(request).map(
    (text) =>
      `<p>${text
        .split('\n')
        .map((line) => safe(line, '@.'))
        .join('<br>')}</p>`,
  )
  const about =
    kind === 'automatic'
      ? `<div class="card">${automaticLines(request)
          .map((line) => `<div class="to">${shown(line)}</div>`)
          .join('\n')}</div>`
      : messages.map((message) => messageHtml(message, request)).join('\n')
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(visible(title))}</title>
<style>${STYLE}</style></head><body>
<h1>${safe(title)}</h1>
<p>${escapeHtml(intro(request))}</p>
${kind === 'approver' ? paragraphs.join('\n') : ''}
${about}
${kind === 'approver' ? '' : paragraphs.join('\n')}
${replyHtml(request)}
${request.reply === undefined ? '' : messages.map((message) => commandsHtml(message, request)).join('\n')}
</body></html>
`
}
