/** Complaints about a command line: what yargs has against it, with what was perhaps meant. Pure. */
import { distanceWithin } from '../nearmiss/nearmiss.js'
import { words } from '../text/translate.js'

/** What there is to be meant. */
export interface Vocabulary {
  /** The command that was named, as yargs describes it (`show <id>`), or undefined. */
  command: string | undefined
  commands: readonly string[]
  /** Without their hyphens. */
  options: readonly string[]
}

const MOST = 3

/** The names that a mistyped one is nearest to, or begins; none where all are too far away. */
export function nearest(name: string, names: readonly string[]): string[] {
  const limit = name.length > 4 ? 2 : 1
  const distances = new Map(names.map((one) => [one, distanceWithin(name, one, limit)]))
  const least = Math.min(...distances.values())
  const near = least > limit ? [] : names.filter((one) => distances.get(one) === least)
  const begun = name.length > 1 ? names.filter((one) => one.startsWith(name) && !near.includes(one)) : []
  return [...near, ...begun].slice(0, MOST)
}

/** Of the words of a command line, the options with their hyphens. */
function spellings(argv: readonly string[]): Map<string, string> {
  const options = argv.filter((word) => word.startsWith('-')).map((word) => word.split('=')[0] ?? '')
  return new Map(options.map((option) => [option.replace(/^-+/, ''), option]))
}

/**
 * @param complaint of yargs, in its English
 * @returns what is wrong, and what was perhaps meant
 */
export function complaintOf(
  complaint: string,
  argv: readonly string[],
  { command, commands, options }: Vocabulary,
): { what: string; meant: string[] } {
  const [, unknown] = /^Unknown arguments?: (.*)$/s.exec(complaint) ?? []
  if (unknown !== undefined) {
    const [first = ''] = unknown.split(', ')
    const option = spellings(argv).get(first)
    if (option !== undefined)
      return {
        what: words`there is no option ${option}`,
        meant: nearest(
          first,
          options.filter((name) => command?.match(/[a-z]+/g)?.includes(name) !== true),
        ).map((name) => `--${name}`),
      }
    if (command === undefined)
      return { what: words`there is no command ${first}`, meant: nearest(first, commands) }
    return { what: words`${unknown} is too much: it is toeh ${command}`, meant: [] }
  }
  if (/^Not enough non-option arguments/.test(complaint) && command !== undefined)
    return { what: words`something is missing: it is toeh ${command}`, meant: [] }
  const [, valueless] = /^Not enough arguments following: (.*)$/.exec(complaint) ?? []
  if (valueless !== undefined) return { what: words`--${valueless} needs a value`, meant: [] }
  return { what: complaint, meant: [] }
}
