/** master.cf: its services, read from `postconf -M` or a sample, and written again with repairs (master(5)). Pure. */
import { splitWords, withoutBraces } from './braces.js'

export interface Service {
  /** `NAME/TYPE`, as postconf(1) takes it: `127.0.0.1:10026/inet`. */
  id: string
  name: string
  type: string
  private: string
  unprivileged: string
  chroot: string
  /** Processes at most, or `-` for default_process_limit; 0 is no limit. */
  processLimit: string
  /** The daemon's name: smtpd, pipe. */
  program: string
  /** `-o` options as they stand, without the `-o`: `content_filter=`, `{a = b c}`. */
  optionWords: string[]
  /** pipe(8)'s attributes as they stand: `flags=q`. */
  attributeWords: string[]
  /** The words after `argv=`. */
  argv: string[]
  /** `-o` options by name, values as they stand. */
  options: ReadonlyMap<string, string>
  /** pipe(8)'s attributes by name. */
  attributes: ReadonlyMap<string, string>
}

/** `name=value`, or `{name = value with blanks}`. */
function pair(word: string): [name: string, value: string] {
  const bare = withoutBraces(word)
  const at = bare.indexOf('=')
  return at < 0 ? [bare, ''] : [bare.slice(0, at).trim(), bare.slice(at + 1).trim()]
}

/** The services of master.cf's text: comments are left out, lines that begin with a blank go on. */
export function parseServices(text: string): Service[] {
  const lines: string[] = []
  for (const line of text.split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue
    if (/^\s/.test(line) && lines.length > 0) lines.push(lines.pop() + line)
    else lines.push(line)
  }
  return lines.map(parseService)
}

function parseService(line: string): Service {
  const [
    name = '',
    type = '',
    access = '',
    unprivileged = '',
    chroot = '',
    ,
    processLimit = '',
    program = '',
    ...rest
  ] = splitWords(line, /\s/)
  const optionWords: string[] = []
  const attributeWords: string[] = []
  const argv: string[] = []
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '-o') optionWords.push(rest.shift() ?? '')
    else if (word.startsWith('argv=')) argv.push(word.slice('argv='.length), ...rest.splice(0))
    else attributeWords.push(word)
  }
  return {
    id: `${name}/${type}`,
    name,
    type,
    private: access,
    unprivileged,
    chroot,
    processLimit,
    program,
    optionWords,
    attributeWords,
    argv,
    options: new Map(optionWords.map(pair)),
    attributes: new Map(attributeWords.map(pair)),
  }
}

/** The last field of a service's line, on one line: what `postconf -F ID/command=` takes. */
export function commandOf(service: Service): string {
  const { program, optionWords, attributeWords, argv } = service
  return [
    program,
    ...optionWords.flatMap((word) => ['-o', word]),
    ...attributeWords,
    ...(argv.length === 0 ? [] : [`argv=${argv[0]}`, ...argv.slice(1)]),
  ].join(' ')
}

/** The whole line of a service: what `postconf -M ID=` takes. */
export function lineOf(service: Service): string {
  const { name, type, private: access, unprivileged, chroot, processLimit } = service
  return `${name} ${type} ${access} ${unprivileged} ${chroot} - ${processLimit} ${commandOf(service)}`
}

/** The word as it stands of a name, or undefined: `{name = value}` without its braces and blanks. */
export function wordValue(list: readonly string[], name: string): string | undefined {
  return list.map(pair).find(([other]) => other === name)?.[1]
}

/** The words with `name=value` in the place of every word of that name, or at the end; without a value, with none. */
export function withPair(list: readonly string[], name: string, value: string | undefined): string[] {
  const others = list.filter((word) => pair(word)[0] !== name)
  if (value === undefined) return others
  const at = list.findIndex((word) => pair(word)[0] === name)
  const word = /\s/.test(value) ? `{${name} = ${value}}` : `${name}=${value}`
  return others.toSpliced(at < 0 ? others.length : at, 0, word)
}

/** The port a service of type inet listens on, as it is written there: `10026`, `submission`. */
export function portOf(service: Service): string {
  return service.name.slice(service.name.lastIndexOf(':') + 1)
}

/** The address before the port, without brackets, or empty. */
export function hostOf(service: Service): string {
  const at = service.name.lastIndexOf(':')
  return at < 0 ? '' : service.name.slice(0, at).replace(/^\[|\]$/g, '')
}

/** The lines of a service in master.cf's text, comments between them left out: the numbers of its lines. */
function linesOf(lines: readonly string[], id: string): number[] {
  const found: number[] = []
  let inside = false
  for (const [number, line] of lines.entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    if (!/^\s/.test(line)) {
      if (inside) break
      const [name, type] = line.split(/\s+/)
      inside = `${name}/${type}` === id
    }
    if (inside) found.push(number)
  }
  return found
}

/**
 * master.cf's text with an option of a service set, in its own lines, and every other byte as it is; undefined where
 * that takes more than a new last line or another value in place.
 */
export function withOption(text: string, id: string, name: string, value: string): string | undefined {
  const lines = text.split('\n')
  const own = linesOf(lines, id)
  const last = own.at(-1)
  if (last === undefined) return undefined
  const word = /\s/.test(value) ? `{${name} = ${value}}` : `${name}=${value}`
  const there = own.filter((number) => new RegExp(`-o\\s+\\{?\\s*${name}\\s*=`).test(lines[number] ?? ''))
  if (there.length === 0) {
    const [indent = '  '] = own.length > 1 ? (/^\s+/.exec(lines[last] ?? '') ?? []) : []
    return lines.toSpliced(last + 1, 0, `${indent}-o ${word}`).join('\n')
  }
  const [at = 0] = there
  const plain = new RegExp(`(-o\\s+)${name}=[^\\s{}]*(?=\\s|$)`)
  if (there.length > 1 || !plain.test(lines[at] ?? '')) return undefined
  return lines
    .with(
      at,
      (lines[at] ?? '').replace(plain, (_, before) => `${before}${word}`),
    )
    .join('\n')
}
