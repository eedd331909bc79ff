/** npm run man: writes the manual pages and the completions beside their sources. They are kept in the repository. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { COMPLETIONS, complete } from './completions.js'
import { ROOT, readCommands } from './definitions.js'
import { fillIn, format, PAGES } from './pages.js'

const commands = await readCommands()
for (const name of COMPLETIONS) writeFileSync(join(ROOT, 'completion', name), complete(name, commands))
for (const page of PAGES) {
  const text = format(fillIn(page, commands))
  if (text === undefined) {
    console.error("man: no scdoc here (Debian's package scdoc): the pages stay as they are")
    process.exitCode = 1
    break
  }
  writeFileSync(join(ROOT, 'man', page), text)
}
