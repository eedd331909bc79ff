/** Side by side: the words for an unknown destination and the known one it could be taken for. Facts only. Pure. */
import { localTime } from './display.js'
import type { Likeness, Neighbour } from './nearmiss.js'
import type { Language } from './wording.js'

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

export const LOOKS_LIKE = WORDS.en.looksLike

function day(milliseconds: number): string {
  return localTime(milliseconds).slice(0, 10)
}

function shorten(note: string): string {
  const characters = [...note]
  return characters.length > NOTE_CHARACTERS ? `${characters.slice(0, NOTE_CHARACTERS).join('')}…` : note
}

/** Both histories in one line: `known: a.fr (allowed by marie on 2026-03-02, contract 2214); this one: b.fr, never`. */
export function describeNearMiss(nearMiss: Neighbour, language: Language = 'en'): string {
  const words = WORDS[language]
  const { value, kind, history, thisOne } = nearMiss
  const facts = kind === 'internal' ? [words.own] : []
  if (history !== null) {
    facts.push(words.allowed(history.addedBy, day(history.addedAt)))
    if (history.source !== 'command') facts.push(history.source)
    if (history.note !== '') facts.push(shorten(history.note))
  }
  const known = facts.length > 0 ? `${value} (${facts.join(', ')})` : value
  const past: string[] = []
  if (thisOne.released > 0) past.push(words.released(thisOne.released, day(thisOne.lastReleasedAt ?? 0)))
  if (thisOne.revokedBy !== null) past.push(words.revoked(thisOne.revokedBy, day(thisOne.revokedAt ?? 0)))
  if (past.length === 0) past.push(words.never)
  return `${words.known} ${known}${words.between}${words.thisOne} ${[thisOne.value, ...past].join(', ')}`
}

/** Two lines for each: what it looks like and how, then both histories, indented. */
export function nearMissLines(nearMisses: readonly Neighbour[], language: Language = 'en'): string[] {
  const { looksLike, likeness } = WORDS[language]
  return nearMisses.flatMap((miss) => [
    `${looksLike} ${miss.value} (${likeness[miss.likeness]})`,
    `  ${describeNearMiss(miss, language)}`,
  ])
}
