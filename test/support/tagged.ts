/** Tagged: the texts of the sources that are said in the language a person has chosen, as their table has them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './lab.js'

/** A string or template of a source. */
export interface SourceText {
  /** Of a template, with its places: `released to {0}`. */
  text: string
  tagged: boolean
  /** What stands before it in the source. */
  before: string
}

const BEFORE = 160

/** Reads the code of one source; knows as much of the language as finding its texts takes. */
class SourceReader {
  readonly texts: SourceText[] = []
  /** From where to where. */
  readonly comments: [number, number][] = []
  readonly #source: string

  constructor(source: string) {
    this.#source = source
  }

  /** Reads code from `from` to the end, or to the brace that closes a place of a template. @returns where that is */
  read(from: number, inPlace = false): number {
    const source = this.#source
    let open = 0
    let at = from
    while (at < source.length) {
      const character = source[at]
      if (source.startsWith('//', at)) at = this.#readComment(at, this.#find('\n', at))
      else if (source.startsWith('/*', at)) at = this.#readComment(at, this.#find('*/', at + 2) + 2)
      else if (character === "'" || character === '"') at = this.#readString(at)
      else if (character === '`') at = this.#readTemplate(at)
      else if (character === '/' && /(?:[(=,:[!&|?{};]|=>|\breturn)\s*$/.test(this.#before(at)))
        at = this.#readRegExp(at)
      else {
        if (inPlace && character === '{') open++
        else if (inPlace && character === '}' && open-- === 0) return at
        at++
      }
    }
    if (inPlace) throw new Error('a place that does not end')
    return at
  }

  #readComment(from: number, to: number): number {
    this.comments.push([from, to])
    return to
  }

  #before(at: number): string {
    return this.#source.slice(Math.max(0, at - BEFORE), at)
  }

  #find(text: string, from: number): number {
    const at = this.#source.indexOf(text, from)
    return at < 0 ? this.#source.length : at
  }

  #escaped(at: number): string {
    const character = this.#source[at + 1] ?? ''
    return character === 'n' ? '\n' : character
  }

  #readString(from: number): number {
    const quote = this.#source[from]
    let text = ''
    let at = from + 1
    while (this.#source[at] !== quote) {
      if (at >= this.#source.length) throw new Error('a string that does not end')
      const isEscape = this.#source[at] === '\\'
      text += isEscape ? this.#escaped(at) : this.#source[at]
      at += isEscape ? 2 : 1
    }
    this.texts.push({ text, tagged: false, before: this.#before(from) })
    return at + 1
  }

  #readTemplate(from: number): number {
    const before = this.#before(from)
    let text = ''
    let places = 0
    let at = from + 1
    while (this.#source[at] !== '`') {
      if (at >= this.#source.length) throw new Error('a template that does not end')
      if (this.#source[at] === '\\') {
        text += this.#escaped(at)
        at += 2
      } else if (this.#source.startsWith('${', at)) {
        text += `{${places++}}`
        at = this.read(at + 2, true) + 1
      } else text += this.#source[at++]
    }
    this.texts.push({ text, tagged: /(?<![\w`])words$/.test(before), before })
    return at + 1
  }

  #readRegExp(from: number): number {
    let isClass = false
    let at = from + 1
    while (this.#source[at] !== '/' || isClass) {
      if (this.#source[at] === '\n' || at >= this.#source.length)
        throw new Error('a pattern that does not end')
      if (this.#source[at] === '\\') at++
      else if (this.#source[at] === '[') isClass = true
      else if (this.#source[at] === ']') isClass = false
      at++
    }
    return at + 1
  }
}

/** Every text of a source, comments apart. */
export function textsIn(source: string): SourceText[] {
  const reader = new SourceReader(source)
  reader.read(0)
  return reader.texts
}

/** A source without its comments, so that words about code are not taken for code. */
export function withoutComments(source: string): string {
  const reader = new SourceReader(source)
  reader.read(0)
  let code = ''
  let at = 0
  for (const [from, to] of reader.comments) {
    code += source.slice(at, from)
    at = to
  }
  return code + source.slice(at)
}

/** Every text that a source tags. */
export function taggedIn(source: string): string[] {
  return textsIn(source).flatMap(({ text, tagged }) => (tagged ? [text] : []))
}

/** Every tagged text of lib and bin. */
export function taggedTexts(): Set<string> {
  const files = ['lib', 'bin'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(ROOT, folder, name)),
  )
  return new Set(files.flatMap((file) => taggedIn(readFileSync(file, 'utf8'))))
}

/** What is no sentence: commands for a shell or Postfix, SQL, marks of HTML, and what is told to programs. */
const COMMAND = /^\s*(?:toeh|postconf|postfix|nft|apt|apt-get|adduser|chmod|timedatectl|add|oif|EHLO) /
const SQL = /^\s*(?:SELECT|UPDATE|INSERT|DELETE|UNION)\b/
/** Two words of English side by side. */
const SENTENCE = /[a-z(]{2,}[,:;)]* \(?[a-z]{2,}/i

/** The sentences of a source that are not tagged. Texts of help, which are looked up as they stand, are none. */
export function untaggedIn(source: string): string[] {
  return textsIn(source)
    .filter(({ tagged, before }) => !tagged && !/(?:\bdescribe:|\.example\('[^']*',)\s*$/.test(before))
    .map(({ text }) => text)
    .filter((text) => {
      const bare = text.replace(/<[^<>]*>?/g, '\n')
      return !COMMAND.test(text) && !SQL.test(text) && SENTENCE.test(bare)
    })
}
