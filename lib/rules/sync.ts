/** Sync: a list that is the truth for its source, held against the rules that came from it before. Pure. */

import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { words } from '../text/translate.js'
import type { Rule, RuleDraft } from './decide.js'

/** How many hundredths of a source's rules may go at once, where nobody says otherwise. */
export const AT_MOST = 10

/**
 * What the rules of a list have as their source.
 * @throws Failure (2) for what is no name
 */
export function syncSource(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return `sync ${name}`
  throw new Failure('import', words`a name has letters, digits, dots, hyphens and underscores, 64 at most`, {
    at: `--sync ${JSON.stringify(name.slice(0, 80))}`,
    status: EXIT.usage,
  })
}

type Reach = Pick<Rule, 'effect' | 'value' | 'scope' | 'subdomains' | 'endsAt'>

function keyOf({ effect, value, scope }: Reach): string {
  return `${effect} ${value} ${scope}`
}

/** Whether a rule reaches further than the list says now, or longer. */
function isWider(rule: Reach, draft: Reach): boolean {
  const longer = draft.endsAt !== null && (rule.endsAt === null || rule.endsAt > draft.endsAt)
  return longer || (rule.subdomains && !draft.subdomains)
}

export interface Ending {
  /** Rules of which the list says nothing any more. */
  gone: Rule[]
  /** Rules that reach further than it says now: they end, and what it says takes their place. */
  narrowed: Rule[]
  /** How many rules the source has. */
  of: number
}

/** Which rules of a source end by its list. Rules of other sources are not looked at. */
export function endingsOf(rules: readonly Rule[], source: string, drafts: readonly RuleDraft[]): Ending {
  const own = rules.filter((rule) => rule.source === source)
  const said = new Map<string, RuleDraft[]>()
  for (const draft of drafts) {
    const same = said.get(keyOf(draft))
    if (same === undefined) said.set(keyOf(draft), [draft])
    else same.push(draft)
  }
  const gone = own.filter((rule) => !said.has(keyOf(rule)))
  const narrowed = own.filter((rule) => said.get(keyOf(rule))?.every((draft) => isWider(rule, draft)))
  return { gone, narrowed, of: own.length }
}

/**
 * Refuses a list that ends more than its share: one that was cut off, or is another. A single rule may always go.
 * @param atMost hundredths
 * @throws Failure (65)
 */
export function demandShare(file: string, { gone, of }: Ending, drafts: number, atMost: number): void {
  if (drafts === 0)
    throw new Failure(
      'import',
      words`there is no rule in it, so it is no list to go by; nothing was changed`,
      {
        at: file,
        status: EXIT.dataError,
      },
    )
  if (gone.length <= Math.max(1, Math.floor((of * atMost) / 100))) return
  const share = Math.ceil((100 * gone.length) / of)
  throw new Failure(
    'import',
    words`${gone.length} of ${of} rules are not in it any more; nothing was changed`,
    {
      at: file,
      status: EXIT.dataError,
      hint: words`--dry-run shows them, --at-most ${share} lets them end`,
    },
  )
}
