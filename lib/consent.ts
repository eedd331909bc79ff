/** Consent: what an approver's mail may say, and whether one yes is enough. Pure. */
import { type Groups, scopesOf } from './decide.js'
import type { Answer, Language } from './wording.js'

/** What notices ask for. Both languages count whatever the notice was written in. */
export const ANSWERS: Record<Language, Record<Answer, string>> = {
  en: { release: 'release', know: 'release and know', reject: 'reject' },
  fr: { release: 'libérer', know: 'libérer et autoriser', reject: 'rejeter' },
}

/** Accents are lost on some keyboards. */
const ALSO: Record<string, Answer> = { liberer: 'release', 'liberer et autoriser': 'know' }

const MEANINGS = new Map<string, Answer>([
  ...Object.entries(ALSO),
  ...Object.values(ANSWERS).flatMap((words) =>
    Object.entries(words).map(([answer, word]): [string, Answer] => [word, answer as Answer]),
  ),
])

/**
 * The answer of a reply: its first line that is neither empty nor quoted has to be one of the words, and nothing else.
 * Programs that quote nothing put their own lines above what was answered to, and those are no words of ours.
 */
export function parseAnswer(text: string): Answer | undefined {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.replace(/\s+/g, ' ').trim())
  const first = lines.find((line) => line !== '' && !line.startsWith('>'))
  return first === undefined ? undefined : MEANINGS.get(first.normalize('NFC').toLowerCase())
}

/** Whether a message needs two approvers: its sender or one of its recipients is in one of these groups. */
export function needsTwo(
  two: readonly string[],
  groups: Groups,
  sender: string,
  recipients: readonly string[],
): boolean {
  return [sender, ...recipients].some((address) =>
    scopesOf(address, groups)
      .flat()
      .some((scope) => two.includes(scope)),
  )
}

/** A yes that was given: by whom, how, and for which recipients. */
export interface Yes {
  approver: string
  answer: Answer
  recipients: readonly string[]
}

/**
 * The recipients that have as many yeses as they need, each of another approver.
 * @returns also whether they are to be known: every one of those yeses has to say so
 */
export function agreed(
  yeses: readonly Yes[],
  recipients: readonly string[],
  need: number,
): { ready: string[]; know: boolean } {
  const ready = recipients.filter(
    (address) =>
      new Set(yeses.filter((yes) => yes.recipients.includes(address)).map(({ approver }) => approver)).size >=
      need,
  )
  return { ready, know: yeses.every(({ answer }) => answer === 'know') }
}

/** How a subject carries it. */
export function markOf(token: string): string {
  return `[toeh ${token}]`
}

/** The token in a subject, or undefined where there is none, or more than one. */
export function tokenIn(subject: string): string | undefined {
  const [token, ...others] = new Set(
    [...subject.matchAll(/\[toeh\s+([0-9a-hjkmnp-tv-z]{26})\]/gi)].map(([, text = '']) => text.toLowerCase()),
  )
  return others.length > 0 ? undefined : token
}
