/**
 * The mends that doctor can print, by what the sources say of whom each affects, and which of them a test has tried. The compiler
 * lets no check print a command without such a sentence, so a new one is found here until some test has broken what it mends.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Fault } from '../../lib/doctor/facts.js'
import { ROOT } from './lab.js'
import { textsIn } from './tagged.js'

/** Where `affects` is said: after its name, or after one of the two it may be. */
const PLACE = /\baffects(?:: | = )(?:\w+\s*\?\s*)?words$|\baffects:[^`]*`[^`]*`\s*: words$/

/** The sentences of one file of lib, as templates: `whoever sends by {0}: …`. */
function sentencesOf(file: string): string[] {
  const source = readFileSync(join(ROOT, 'lib', file), 'utf8')
  return textsIn(source).flatMap(({ text, tagged, before }) => (tagged && PLACE.test(before) ? [text] : []))
}

/** Every file of lib in which a check, or doctor itself, can print a command. */
export function mendingFiles(): string[] {
  return readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && sentencesOf(name).length > 0)
    .sort()
}

function patternOf(sentence: string): RegExp {
  const parts = sentence.split(/\{\d+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.+')}$`)
}

/**
 * Which test tries what: files of lib, and single sentences, by their beginnings, that take another test than their file does. A file
 * that is missing here fails `test/checkup.test.ts`.
 */
export const TRIED_IN: Readonly<Record<string, readonly string[]>> = {
  'commands/doctor.test': [
    'doctor/gate.ts',
    'doctor/entrances.ts',
    'doctor/wayback.ts',
    'doctor/aliases.ts',
    'doctor/diversions.ts',
  ],
  'commands/doctor.test: reach': ['processes of this host that send through it'],
  'scenarios/doctor.test': ['doctor/host.ts', 'doctor/canary.ts'],
  'scenarios/doctor.test: express': ['doctor/express.ts'],
  'scenarios/doctor.test: Debian': [
    'doctor/answers.ts',
    'all outgoing mail: it goes through the gate from the reload on, and what nobody',
  ],
  'scenarios/chains.test': ['incoming mail: it is not held any more'],
  'scenarios/relay.test': ['nobody: the way back takes larger messages'],
  'scenarios/systemd.test': ['doctor/unit.ts', 'commands/doctor.ts'],
}

function isFile(word: string): boolean {
  return word.endsWith('.ts')
}

/** What one test answers for. */
function sentencesFor(test: string): string[] {
  const own = TRIED_IN[test] ?? []
  const apart = Object.values(TRIED_IN)
    .flat()
    .filter((word) => !isFile(word))
  const ofFiles = own
    .filter(isFile)
    .flatMap(sentencesOf)
    .filter((sentence) => !apart.some((beginning) => sentence.startsWith(beginning)))
  const single = mendingFiles()
    .flatMap(sentencesOf)
    .filter((sentence) => own.some((word) => !isFile(word) && sentence.startsWith(word)))
  return [...ofFiles, ...single]
}

/** What of its files a test has tried. */
export class Mends {
  readonly #left: Map<string, RegExp>

  constructor(test: keyof typeof TRIED_IN) {
    const sentences = sentencesFor(test)
    if (sentences.length === 0) throw new Error(`${test} answers for nothing`)
    this.#left = new Map(sentences.map((sentence) => [sentence, patternOf(sentence)]))
  }

  /** These faults are mended by what was said of them. */
  tried(faults: readonly Fault[]): void {
    for (const fault of faults) {
      if (!('affects' in fault)) continue
      for (const [sentence, pattern] of this.#left)
        if (pattern.test(fault.affects)) this.#left.delete(sentence)
    }
  }

  /** Fails where one is left. */
  assertAllTried(t: Test): void {
    t.strictSame([...this.#left.keys()], [], 'no command is printed that no test has tried')
  }
}
