/** The package: the folder that TOEH is installed in, from wherever in it this runs, a bundle or not. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What no folder below has. */
const MARK = 'package.json'

/** A file of the package, by its path there. */
export function packagePath(path: string): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, MARK)) && folder !== dirname(folder)) folder = dirname(folder)
  return join(folder, path)
}
