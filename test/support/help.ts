/** What toeh's own help lists: yargs' reading of the commands, and for what all of them share the program's. */
import { spawnSync } from 'node:child_process'
import yargs, { type CommandModule } from 'yargs'
import { NODE, TOEH } from './lab.js'

/** The long options that a help text lists. */
function optionsIn(help: string): string[] {
  // An example may be broken before an option.
  const [list = ''] = help.split('\nExamples:')
  return [...list.matchAll(/^ +(?:-\w, )?--([a-z-]+)/gm)].map(([, name = '']) => name)
}

/** The options that every command has, sorted. */
export function commonOptions(): string[] {
  const { stdout } = spawnSync(NODE, [TOEH, 'recheck', '--help'], { encoding: 'utf8' })
  return optionsIn(stdout).sort()
}

/** The options of one command alone, sorted; read in this process, because one run of toeh for each takes long. */
export async function optionsOf(command: string): Promise<string[]> {
  const { default: module } = (await import(`../../lib/commands/${command}.js`)) as { default: CommandModule }
  return new Promise((resolve) => {
    const parser = yargs([]).locale('en').version(false).help().command(module)
    parser.parse([command, '--help'], (_: unknown, __: unknown, output: string) => {
      resolve(
        optionsIn(output)
          .filter((name) => name !== 'help')
          .sort(),
      )
    })
  })
}
