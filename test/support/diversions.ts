/** Diversions: facts of a Postfix whose tables are texts, for what is judged on those alone. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Facts } from '../../lib/doctor/facts.js'
import { wantedTables } from '../../lib/postfix/diversion.js'
import { parseTable, sourceOf, type TableEntry } from '../../lib/postfix/lookuptable.js'
import { parseServices } from '../../lib/postfix/mastercf.js'
import { ROOT } from './lab.js'

export const SAMPLE = readFileSync(join(ROOT, 'master.cf.sample'), 'utf8')
const [gate, reinjection, cleanup] = parseServices(SAMPLE)
export const SUBMISSION = 'submission inet n - n - - smtpd -o content_filter=toeh:dummy'
export const PICKUP = 'pickup unix n - n 60 1 pickup -o content_filter=toeh:dummy'
export const CLEANUP = 'cleanup unix n - n - 0 cleanup'

export interface Changes {
  master?: string[]
  main?: Record<string, string>
  /** Texts of regexp: and cidr: tables, and `key value` lines of others; what is not here cannot be listed. */
  tables?: Record<string, string>
  toeh?: object
  lane?: boolean
}

/** An installation whose tables are told, and nothing else; sound where nothing is changed. */
export function factsOf({
  master = [SUBMISSION, PICKUP, CLEANUP],
  main = {},
  tables = {},
  toeh,
  lane,
}: Changes): Facts {
  const facts = {
    configDir: undefined,
    main: new Map(Object.entries(main)),
    services: parseServices([...master, SAMPLE].join('\n')),
    expected: { gate, reinjection, cleanup },
    toeh: {
      path: '/e/toeh.toml',
      internal: ['corp.test'],
      reinject: { host: '127.0.0.1', port: 10026 },
      trustedMilters: [],
      ...toeh,
    },
    lane: { enabled: lane ?? false, files: { map: '/e/express.cf' } },
    answers: new Map<string, TableEntry[] | undefined>(),
  } as unknown as Facts & { answers: Map<string, TableEntry[] | undefined> }
  const answersOf = (table: string): TableEntry[] | undefined => {
    const source = sourceOf(table)
    const text = tables[table]
    if (source.kind === 'written') return source.entries
    if (text === undefined) return undefined
    if (source.kind === 'text') return parseTable(source.type, text)
    return text.split('\n').map((line) => {
      const [, key = '', value = ''] = /^(\S+) (.*)$/.exec(line) ?? []
      return { key, value }
    })
  }
  for (let wanted = wantedTables(facts); wanted.some((table) => !facts.answers.has(table)); ) {
    for (const table of wanted) facts.answers.set(table, answersOf(table))
    wanted = wantedTables(facts)
  }
  return facts
}
