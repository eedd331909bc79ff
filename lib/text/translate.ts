/**
 * The words of the commands: English as they stand in the sources, or another language by a table of these texts. The
 * language is chosen once, where toeh starts; toeh-filter loads nothing of this. What a table does not have stays
 * English, and what programs read (JSON, the audit, what is stored) is never said through here. Pure but for the choice.
 */

export type Table = Readonly<Record<string, string>>

let chosen: Language = 'en'
let table: Table = {}

/** From now on says everything in this language. */
export function speak(language: Language, texts: Table): void {
  chosen = language
  table = texts
}

export function spoken(): Language {
  return chosen
}

/** A text that stands in the sources as a whole, in the language that was chosen. */
export function translated(text: string): string {
  return Object.hasOwn(table, text) ? (table[text] ?? text) : text
}

/** Tags a text with places: words`released to ${who}` stands in the table as `released to {0}`. */
export function words(strings: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  const key = strings.reduce((text, part, index) => `${text}{${index - 1}}${part}`)
  return translated(key).replace(/\{(\d+)\}/g, (_, place: string) => String(values[Number(place)]))
}

/**
 * The language that the environment asks for (POSIX, XBD 8.2: LC_ALL, then LC_MESSAGES, then LANG; empty is unset), or
 * undefined where it says nothing. C, POSIX and every other language are English here.
 */
export function languageOf(environment: Readonly<Record<string, string | undefined>>): Language | undefined {
  const { LC_ALL, LC_MESSAGES, LANG } = environment
  const locale = [LC_ALL, LC_MESSAGES, LANG].find((value) => value !== undefined && value !== '')
  if (locale === undefined) return undefined
  return /^fr(?:[_.@]|$)/i.test(locale) ? 'fr' : 'en'
}

export type Language = 'en' | 'fr'
