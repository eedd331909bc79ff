/** Braces: how the words of main.cf and master.cf are parted where some stand in them (mystrtokq in Postfix's sources). Pure. */

/** The words of a text; one character of `between` parts them, but not within braces. */
export function splitWords(text: string, between: RegExp): string[] {
  const found: string[] = []
  let word = ''
  let depth = 0
  for (const character of text) {
    if (depth === 0 && between.test(character)) {
      if (word !== '') found.push(word)
      word = ''
      continue
    }
    if (character === '{') depth++
    else if (character === '}' && depth > 0) depth--
    word += character
  }
  return word === '' ? found : [...found, word]
}

/** A list's words, parted by blanks and commas. */
export function splitList(value: string): string[] {
  return splitWords(value, /[\s,]/)
}

/** `{ text }` without its braces; anything else as it is. */
export function withoutBraces(word: string): string {
  return word.startsWith('{') && word.endsWith('}') ? word.slice(1, -1).trim() : word
}
