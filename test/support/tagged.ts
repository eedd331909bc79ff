/** Tagged: the texts of the sources that are said in the language a person has chosen, as their table has them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './lab.js'

/** The end of a template that begins at `from`, behind its backtick, and its text with places. */
function readTemplate(source: string, from: number): { text: string; end: number } {
  let text = ''
  let places = 0
  for (let at = from; at < source.length; at++) {
    if (source[at] === '`') return { text, end: at }
    if (source[at] === '\\') {
      const next = source[++at] ?? ''
      text += next === 'n' ? '\n' : next
    } else if (source.startsWith('${', at)) {
      at = endOfPlace(source, at + 2)
      text += `{${places++}}`
    } else text += source[at]
  }
  throw new Error('a template that does not end')
}

/** The closing brace of a place: it may hold texts, templates and braces of its own. */
function endOfPlace(source: string, from: number): number {
  let open = 0
  for (let at = from; at < source.length; at++) {
    const character = source[at]
    if (character === '`') at = readTemplate(source, at + 1).end
    else if (character === "'") at = source.indexOf("'", at + 1)
    else if (character === '{') open++
    else if (character === '}' && open-- === 0) return at
  }
  throw new Error('a place that does not end')
}

/** Every text that a source tags. */
export function taggedIn(source: string): string[] {
  return [...source.matchAll(/(?<![\w`])words`/g)].map(
    (match) => readTemplate(source, match.index + match[0].length).text,
  )
}

/** Every tagged text of lib and bin; comments about them are none. */
export function taggedTexts(): Set<string> {
  const files = ['lib', 'bin'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(ROOT, folder, name)),
  )
  return new Set(
    files.flatMap((file) => taggedIn(readFileSync(file, 'utf8').replace(/^\s*(?:\/\*\*|\*|\/\/).*$/gm, ''))),
  )
}
