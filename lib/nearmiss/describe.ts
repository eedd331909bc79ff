/** Side by side: the words for an unknown destination and the known one it could be taken for. Facts only. Pure. */

import { describeUsage } from '../rules/usecount.js'
import type { Language } from '../text/translate.js'
import { localDay } from '../text/visible.js'
import type { Likeness, UsedNeighbour } from './nearmiss.js'

interface Words {
  looksLike: string
  likeness: Record<Likeness, string>
  known: string
  own: string
  allowed: (by: string, on: string) => string
  /** What stands between the two. */
  between: string
  thisOne: string
  never: string
  released: (times: number, on: string) => string
  revoked: (by: string, on: string) => string
}

/** More of a note is for `toeh known` to show. */
const NOTE_CHARACTERS = 80

const WORDS: Record<Language, Words> = {
  en: {
    looksLike: 'looks like:',
    likeness: {
      'perhaps the same mailbox': 'perhaps the same mailbox',
      'looks the same': 'looks the same',
      'edit distance 1': 'edit distance 1',
      'edit distance 2': 'edit distance 2',
      hyphen: 'hyphen',
      'another suffix': 'another suffix',
      'added or moved label': 'added or moved label',
      'same local part at another domain': 'same local part at another domain',
    },
    known: 'known:',
    own: 'your own domain',
    allowed: (by, on) => `allowed by ${by} on ${on}`,
    between: '; ',
    thisOne: 'this one:',
    never: 'never',
    released: (times, on) =>
      times === 1 ? `released once, on ${on}` : `released ${times} times, last on ${on}`,
    revoked: (by, on) => `revoked by ${by} on ${on}`,
  },
  fr: {
    looksLike: 'ressemble à\u00a0:',
    likeness: {
      'perhaps the same mailbox': 'peut-être la même boîte',
      'looks the same': 'même aspect',
      'edit distance 1': 'un caractère d’écart',
      'edit distance 2': 'deux caractères d’écart',
      hyphen: 'trait d’union',
      'another suffix': 'autre suffixe',
      'added or moved label': 'élément ajouté ou déplacé',
      'same local part at another domain': 'même partie locale, autre domaine',
    },
    known: 'connu\u00a0:',
    own: 'votre propre domaine',
    allowed: (by, on) => `autorisé par ${by} le ${on}`,
    between: '\u00a0; ',
    thisOne: 'celui-ci\u00a0:',
    never: 'jamais',
    released: (times, on) =>
      times === 1 ? `libéré une fois, le ${on}` : `libéré ${times} fois, la dernière le ${on}`,
    revoked: (by, on) => `révoqué par ${by} le ${on}`,
  },
}

/** What stands before the known one. */
export function looksLike(language: Language): string {
  return WORDS[language].looksLike
}

/** What makes them alike. */
export function likenessIn(likeness: Likeness, language: Language): string {
  return WORDS[language].likeness[likeness]
}

function shorten(note: string): string {
  const characters = [...note]
  return characters.length > NOTE_CHARACTERS ? `${characters.slice(0, NOTE_CHARACTERS).join('')}…` : note
}

/** What the landscape and people know of the unknown one. */
function pastOf({ thisOne }: UsedNeighbour, language: Language, now?: number): string {
  const words = WORDS[language]
  const past: string[] = []
  if (thisOne.uses !== null) past.push(describeUsage(thisOne.uses, language, now))
  if (thisOne.released > 0) past.push(words.released(thisOne.released, localDay(thisOne.lastReleasedAt ?? 0)))
  if (thisOne.revokedBy !== null)
    past.push(words.revoked(thisOne.revokedBy, localDay(thisOne.revokedAt ?? 0)))
  return past.length === 0 ? words.never : past.join(', ')
}

export interface Sides {
  /** `looks like:` and how. */
  looksLike: string
  likeness: string
  known: { value: string; facts: string }
  thisOne: { value: string; facts: string }
}

/**
 * Both sides, each with its history in words.
 * @param now as for {@link describeUsage}
 */
export function sidesOf(nearMiss: UsedNeighbour, language: Language = 'en', now?: number): Sides {
  const words = WORDS[language]
  const { value, kind, likeness, history, uses, thisOne } = nearMiss
  const facts = kind === 'internal' ? [words.own] : [describeUsage(uses, language, now)]
  if (history !== null) {
    facts.push(words.allowed(history.addedBy, localDay(history.addedAt)))
    if (history.source !== 'command') facts.push(history.source)
    if (history.note !== '') facts.push(shorten(history.note))
  }
  return {
    looksLike: words.looksLike,
    likeness: words.likeness[likeness],
    known: { value, facts: facts.join(', ') },
    thisOne: { value: thisOne.value, facts: pastOf(nearMiss, language, now) },
  }
}

/**
 * Both histories in one line: `known: a.fr (214 messages since March 2024, last on Tuesday, allowed by marie on
 * 2024-03-02); this one: b.fr, never`.
 * @param now as for {@link describeUsage}
 */
export function describeNearMiss(nearMiss: UsedNeighbour, language: Language = 'en', now?: number): string {
  const words = WORDS[language]
  const { known, thisOne } = sidesOf(nearMiss, language, now)
  const first = `${words.known} ${known.value} (${known.facts})`
  return `${first}${words.between}${words.thisOne} ${thisOne.value}, ${thisOne.facts}`
}

/** The same in the width of a list: how much both were used. */
export function compareUses(nearMiss: UsedNeighbour, now: number, language: Language = 'en'): string {
  const { known, own, between, thisOne } = WORDS[language]
  const facts = nearMiss.kind === 'internal' ? own : describeUsage(nearMiss.uses, language, now)
  return `${known} ${facts}${between}${thisOne} ${pastOf(nearMiss, language, now)}`
}

/** Two lines for each: what it looks like and how, then both histories, indented. */
export function nearMissLines(
  nearMisses: readonly UsedNeighbour[],
  language: Language = 'en',
  now?: number,
): string[] {
  const { looksLike, likeness } = WORDS[language]
  return nearMisses.flatMap((miss) => [
    `${looksLike} ${miss.value} (${likeness[miss.likeness]})`,
    `  ${describeNearMiss(miss, language, now)}`,
  ])
}
