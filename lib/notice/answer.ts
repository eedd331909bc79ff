/**
 * The answer in a reply's text, as people and their programs write it. Pure.
 *
 * Only the approver's own lines count, wherever they stand: above a quotation, below it or between its lines. The first of
 * them that is no greeting has to be one of the words, alone; what follows may be thanks or a signature, but no other of the
 * words. A quotation without marks ends where the notice ends, or not at all: what the notice says of a held message is
 * written by whoever sent that, and must never become an answer.
 */

import type { Answer } from '../hold/token.js'
import { ANSWERS } from './consent.js'

const MEANINGS = new Map<string, Answer>(
  Object.values(ANSWERS).flatMap((words) =>
    Object.entries(words).map(([answer, word]): [string, Answer] => [fold(word), answer as Answer]),
  ),
)

/** Accents are lost on some keyboards, and wrong on others. */
function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .replace(/\u2019/g, "'")
}

const INVISIBLE = /^[\s\u{ad}\u{200b}-\u{200f}\u{2060}\u{feff}]*$/u
/** What a quoted line begins with. */
const QUOTED = /^[>|]/
const GREETING =
  '(?:bonjour|bonsoir|salut|coucou|hello|hi|hey|dear|chere?s?|good (?:morning|afternoon|evening))'
const WHOM =
  '(?: (?:all|there|team|everyone|everybody|sir|madam|a tous|a toutes|tout le monde|madame|monsieur|toeh))?'
const GREETED = new RegExp(`^${GREETING}${WHOM} ?[,.!:-]*$`)
/** By a name: up to three words with capitals. */
const GREETED_BY_NAME = /^(\p{L}+)((?: \p{Lu}[\p{L}'.-]*){1,3}) ?[,.!:-]*$/u
const GREETING_BEFORE = new RegExp(`^${GREETING}${WHOM} ?[,.!] ?`)
const THANKS_BEHIND =
  /(?: ?[,.!;-])? (?:merci(?: beaucoup| bien| d'avance)?|thanks(?: a lot)?|thank you|many thanks|please|svp|stp|s'il (?:vous|te) plait)[ .!]*$/
/** What phones and tablets write below, or above a quotation. */
const DEVICE =
  /^(?:(?:sent|envoye|gesendet)\b.{0,60}\b(?:from|de|depuis|with|avec|via|a partir|mit|von)\b.{1,80}|(?:get|obtenir|obtenez|telecharger|telechargez) outlook\b.{0,80})$/
const RULE = /^(?:[-_=*]{5,}|-{2,} ?\p{L}.{0,60}-{2,})$/u
const HEADER = /^\*?(?:from|de|von|expediteur|exp|da|van) ?:\*? ?\S/
const PGP = /^-----(BEGIN|END) PGP (SIGNED MESSAGE|SIGNATURE)-----$/
const HEAD_OF_PGP = /^(?:Hash|Charset|Comment|Version): ?\S/
/** A line of so many characters may have been broken by a program that has forgotten to mark the rest. */
const BREAKABLE = 60
/** No answer and no attribution has longer lines, in characters. */
const LONGEST = 500
/** An attribution is at most so many lines. */
const ATTRIBUTION_LINES = 4

function meaningOf(line: string): Answer | undefined {
  if (line.length > LONGEST) return undefined
  const bare = fold(line)
    .replace(GREETING_BEFORE, '')
    .replace(THANKS_BEHIND, '')
    .replace(/^([*_]{1,2})(.*)\1$/, '$2')
    .replace(/[ .!,;\u2026]+$/u, '')
    .replace(/^([*_]{1,2})(.*)\1$/, '$2')
  return MEANINGS.get(bare)
}

function isGreeting(line: string): boolean {
  if (GREETED.test(fold(line))) return true
  const [, first = '', names] = GREETED_BY_NAME.exec(line.normalize('NFC')) ?? []
  return names !== undefined && new RegExp(`^${GREETING}$`).test(fold(first))
}

/** How many lines from here are an attribution: `On … wrote:`, `Le … a écrit :`, in any language, also broken. */
function attributionAt(lines: readonly string[], from: number): number {
  let joined = ''
  for (let count = 1; count <= ATTRIBUTION_LINES; count++) {
    const line = lines[from + count - 1] ?? ''
    if (line === '' || line.length > LONGEST || QUOTED.test(line)) return 0
    joined = fold(`${joined} ${line}`.trim())
    if (!/:\*?$/.test(line)) continue
    const says = /\b(?:wrote|writes|a ecrit|ecrivait|schrieb|escribio|ha scritto|schreef)\b/.test(joined)
    const isOfNotice = /\btoeh\b|@/.test(joined) && /\d/.test(joined)
    return says || isOfNotice ? count : 0
  }
  return 0
}

/** Behind the last line of a notice: its three commands, of one message. */
function endsNotice(lines: readonly string[], at: number): boolean {
  const id = /^toeh reject ([0-9a-z]{12})$/.exec(lines[at] ?? '')?.[1]
  if (id === undefined) return false
  const above = lines.slice(Math.max(at - 6, 0), at).filter((line) => line !== '')
  return above.at(-1) === `toeh release ${id}` && above.at(-2) === `toeh show ${id}`
}

/** The lines of a clear-signed text without what makes it one (RFC 9580, section 7). */
function unsigned(lines: readonly string[]): string[] {
  let part: 'text' | 'head' | 'signature' = 'text'
  let signed = false
  const text: string[] = []
  for (const line of lines) {
    const [, edge, what] = PGP.exec(line) ?? []
    if (what === 'SIGNED MESSAGE' && edge === 'BEGIN') {
      part = 'head'
      signed = true
    } else if (what === 'SIGNATURE') part = edge === 'BEGIN' ? 'signature' : 'text'
    else if (part === 'head' && HEAD_OF_PGP.test(line)) continue
    else if (part !== 'signature') {
      part = 'text'
      text.push(signed ? line.replace(/^- /, '') : line)
    }
  }
  return text
}

/** The answers that a text gives: none, one, or several that contradict each other. */
function answersIn(text: string): Set<Answer> {
  const answers = new Set<Answer>()
  const raw = text.split(/\r\n|\r|\n/)
  const lines = unsigned(raw.map((line) => (INVISIBLE.test(line) ? '' : line.replace(/\s+/g, ' ').trim())))
  let place: 'own' | 'signature' | 'notice' = 'own'
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const above = lines[at - 1] ?? ''
    if (place === 'notice') {
      if (endsNotice(lines, at)) place = 'own'
      continue
    }
    if (line === '') continue
    if (QUOTED.test(line)) {
      place = 'own'
      continue
    }
    if (QUOTED.test(above) && above.length >= BREAKABLE) continue
    const attribution = attributionAt(lines, at)
    if (attribution > 0) {
      at += attribution - 1
      let next = at + 1
      while (lines[next] === '') next++
      place = QUOTED.test(lines[next] ?? '') ? 'own' : 'notice'
      continue
    }
    // A bare `--` is what is left of `-- ` where blanks at the end were taken away.
    if (line === '--') {
      place = 'signature'
      continue
    }
    if (RULE.test(line) || HEADER.test(fold(line))) {
      place = 'notice'
      continue
    }
    const meaning = meaningOf(line)
    if (answers.size > 0) {
      if (meaning !== undefined) answers.add(meaning)
      continue
    }
    if (place === 'signature' || isGreeting(line) || DEVICE.test(fold(line))) continue
    if (meaning === undefined) break
    answers.add(meaning)
  }
  return answers
}

/** The answer of a mail by all its texts: none of its lines may say another, and its HTML nothing else than its text part. */
export function answerOf(texts: readonly string[]): Answer | undefined {
  const answers = new Set(texts.flatMap((text) => [...answersIn(text)]))
  const [answer] = answers
  return answers.size === 1 ? answer : undefined
}
