/** The check on archives: an outside address that Postfix copies mail to is held with every message until it is known. Pure. */

import { quote } from '../postfix/settings.js'
import { words } from '../text/translate.js'
import type { Check, CopiesFact, Fault } from './facts.js'

/** The command that makes it known; the note says why it is there. */
function allowCommand(address: string, setting: string, path: string): string {
  return ['toeh', 'allow', address, '--note', `archive, ${setting}`, '--config', path].map(quote).join(' ')
}

/**
 * What is held with every message.
 * @param path of TOEH's configuration
 */
export function archiveFaults({ outside, unseen }: CopiesFact, path: string): Fault[] {
  return [
    ...outside
      .filter(({ known }) => known === false)
      .map(
        ({ address, setting }): Fault => ({
          level: 'warning',
          what: words`${setting} copies mail to ${address}, which is outside and not known`,
          why: words`every message that is copied there is held for that. If it is your archive: ${allowCommand(address, setting, path)}`,
          // Who is known a person says.
          mend: [],
        }),
      ),
    ...unseen.map(
      ({ setting, table }): Fault => ({
        level: 'unknown',
        what: words`${setting}: where ${table} copies mail to cannot be told`,
        why: words`an archive outside is held with every message until it is known: look into it, and toeh allow it`,
        mend: [],
      }),
    ),
  ]
}

export const ARCHIVE_CHECKS: readonly Check[] = [
  {
    name: 'archives',
    good: () => words`Postfix copies no mail to an outside address that is not known`,
    look: ({ copies, toeh }) => (copies === undefined ? [] : archiveFaults(copies, toeh.path)),
  },
]
