/** The commands as yargs is told of them: what the manual pages and the completions are made from. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Argv, CommandModule, Options, PositionalOptions } from 'yargs'

export const ROOT = resolve(import.meta.dirname, '../..')

export interface Option {
  name: string
  describe: string
  /** The word for its value in docs/commands.md, such as FILE; empty for a switch. */
  value: string
  /** The value may be left out, and else stands behind an equals sign. */
  optional: boolean
  choices: string[]
  byDefault: string
}

export interface Positional {
  name: string
  describe: string
  choices: string[]
}

export interface Command {
  name: string
  describe: string
  /** Its lines in docs/commands.md: `toeh show ID`. */
  synopsis: string[]
  positionals: Positional[]
  options: Option[]
  examples: { line: string; why: string }[]
}

const SWITCH = { value: '', optional: false, choices: [], byDefault: '' }

/** What bin/toeh.ts gives every command; --help and --version are yargs' own. */
export const COMMON: Option[] = [
  { ...SWITCH, name: 'config', describe: 'configuration file', value: 'FILE' },
  { ...SWITCH, name: 'json', describe: 'answer as JSON' },
  { ...SWITCH, name: 'help', describe: 'show help' },
  { ...SWITCH, name: 'version', describe: 'show the version' },
]

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The names in the order of bin/toeh.ts, which is not loaded: it would run. */
export const NAMES = [...read('bin/toeh.ts').matchAll(/^ {2}(\w+): \(\) => import\(/gm)].map(
  ([, name = '']) => name,
)

function choicesOf({ choices }: Options | PositionalOptions): string[] {
  return Array.isArray(choices) ? choices.map(String) : []
}

function defaultOf({ default: value }: Options): string {
  return value === undefined || value === false || value === '' ? '' : String(value)
}

function synopsisOf(name: string): string[] {
  const [, text = ''] =
    new RegExp(`^### ${name}\n\n((?:\`[^\`]+\`\n)+)`, 'm').exec(read('docs/commands.md')) ?? []
  return text
    .trim()
    .split('\n')
    .map((line) => line.replaceAll('`', ''))
}

/** Plays yargs to a command's builder, and keeps what it is told. */
function record(name: string, module: CommandModule): Command {
  const synopsis = synopsisOf(name)
  const command: Command = {
    ...{ name, synopsis, describe: String(module.describe), positionals: [], options: [], examples: [] },
  }
  const tellOption = (option: string, { describe = '', ...rest }: Options): void => {
    const [, joint, named] = new RegExp(`--${option}(\\[=| )([A-Z]+)`).exec(synopsis.join(' ')) ?? []
    command.options.push({
      ...{ name: option, describe, choices: choicesOf(rest), byDefault: defaultOf(rest) },
      value: rest.type === 'boolean' ? '' : (named ?? option.toUpperCase()),
      optional: joint === '[=',
    })
  }
  const told: Record<string, (...given: never[]) => void> = {
    positional: (positional: string, { describe = '', ...rest }: PositionalOptions) => {
      command.positionals.push({ name: positional, describe, choices: choicesOf(rest) })
    },
    option: tellOption,
    options: (options: Record<string, Options>) => {
      for (const [option, facts] of Object.entries(options)) tellOption(option, facts)
    },
    example: (line: string, why: string) => command.examples.push({ line, why }),
  }
  const yargs: unknown = new Proxy(
    {},
    {
      get:
        (_, method) =>
        (...given: never[]) => {
          told[String(method)]?.(...given)
          return yargs
        },
    },
  )
  if (typeof module.builder === 'function') module.builder(yargs as Argv)
  return command
}

/** Every command, as its file defines it. */
export async function readCommands(): Promise<Command[]> {
  return Promise.all(
    NAMES.map(async (name) => {
      const { default: module } = (await import(`../lib/commands/${name}.js`)) as { default: CommandModule }
      return record(name, module)
    }),
  )
}
