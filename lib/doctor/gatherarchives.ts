/** Archives: the outside addresses that Postfix copies mail to, and whether the landscape knows them. */
import { statSync } from 'node:fs'
import { send } from '../cli/errand.js'
import type { Config } from '../config.js'
import { readAliases } from '../postfix/aliases.js'
import { outsideCopies, readCopies } from '../postfix/copies.js'
import type { CopiesFact } from './facts.js'

/**
 * @param now milliseconds since 1970
 * @returns undefined where Postfix cannot be asked
 */
export async function findArchives(
  { state, busySeconds, internal }: Config,
  configDir: string | undefined,
  now: number,
): Promise<CopiesFact | undefined> {
  try {
    const { outside, unseen } = await outsideCopies(
      await readCopies(configDir),
      await readAliases(configDir),
      internal,
      configDir,
    )
    if (outside.length === 0) return { outside: [], unseen }
    const recipients = outside.map(({ address }) => address)
    const input = { state, busySeconds, internal: [...internal], recipients, now }
    const owner = statSync(state, { throwIfNoEntry: false })
    // Before there is a database nothing is known.
    const known = owner === undefined ? [] : await send('known', input, owner).catch(() => undefined)
    return { outside: outside.map((copy) => ({ ...copy, known: known?.includes(copy.address) })), unseen }
  } catch {
    return undefined
  }
}
