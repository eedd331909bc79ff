/** Columns: text cut or wrapped to what a terminal has of them; wide characters count as two. Pure. */
import stringWidth from 'string-width'

/** The text cut to so many columns, with … where something is missing. */
export function fit(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text
  let cut = ''
  for (const character of text) {
    if (stringWidth(cut + character) > columns - 1) break
    cut += character
  }
  return `${cut}…`
}

/** The same cut at its front: of an address, the end of the domain says whose it is. */
export function fitEnd(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text
  let cut = ''
  for (const character of [...text].reverse()) {
    if (stringWidth(character + cut) > columns - 1) break
    cut = character + cut
  }
  return `…${cut}`
}

/** A word in pieces of so many columns. */
function broken(word: string, columns: number): string[] {
  if (stringWidth(word) <= columns) return [word]
  const pieces: string[] = []
  let piece = ''
  for (const character of word) {
    if (piece !== '' && stringWidth(piece + character) > columns) {
      pieces.push(piece)
      piece = ''
    }
    piece += character
  }
  return [...pieces, piece]
}

/** The text in lines of so many columns, parted at its blanks; a word that is longer than a line is parted too. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line: string | undefined
  for (const word of text.split(' ').flatMap((one) => broken(one, columns))) {
    const longer = line === undefined ? word : `${line} ${word}`
    if (line !== undefined && stringWidth(longer) > columns) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line ?? '']
}
