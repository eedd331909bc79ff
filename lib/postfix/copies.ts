/**
 * Copies: the recipients that Postfix adds of itself (always_bcc, sender_bcc_maps, recipient_bcc_maps). Whoever wrote the mail
 * does not know of them, and is not to learn of an archive because it is held too. An archive outside is held with every message
 * until there is a rule for it.
 */
import { parseAddress } from '../mail/address.js'
import { type Aliases, entryOf, resolveAlias } from './aliases.js'
import { splitList } from './braces.js'
import { listAll } from './listing.js'
import { askPostfix } from './postconf.js'

const SETTINGS = ['always_bcc', 'sender_bcc_maps', 'recipient_bcc_maps'] as const

/** What Postfix copies mail to, by setting: of main.cf and of every service that has its own. */
export type Copies = Record<(typeof SETTINGS)[number], readonly string[]>

/** @param configDir as for readAliases @throws Failure where Postfix cannot be asked */
export async function readCopies(configDir?: string): Promise<Copies> {
  const text = [
    await askPostfix('postconf', configDir, '-x', ...SETTINGS),
    await askPostfix('postconf', configDir, '-Px'),
  ].join('\n')
  const valuesOf = (name: string): string[] => {
    const lines = text.matchAll(new RegExp(`^(?:\\S+/)?${name} =(.*)$`, 'gm'))
    return [...new Set([...lines].flatMap(([, value = '']) => splitList(value)))]
  }
  return {
    always_bcc: valuesOf('always_bcc'),
    sender_bcc_maps: valuesOf('sender_bcc_maps'),
    recipient_bcc_maps: valuesOf('recipient_bcc_maps'),
  }
}

/** The addresses a copy goes to: itself as a whole address, and those it stands for. */
async function behind(copy: string, aliases: Aliases): Promise<{ full: string; ends: string[] }> {
  const full = copy.includes('@') ? copy : `${copy}@${aliases.origin}`
  return { full, ends: await resolveAlias(full, aliases) }
}

/** A copy that goes outside. */
export interface OutsideCopy {
  address: string
  /** What makes it. */
  setting: string
}

/**
 * The copies that go outside, each address once.
 * @returns also, as `unseen`, tables that cannot be listed, or whose addresses are put together from what was looked up
 */
export async function outsideCopies(
  copies: Copies,
  aliases: Aliases,
  internal: ReadonlySet<string>,
  configDir: string | undefined,
): Promise<{ outside: OutsideCopy[]; unseen: { setting: string; table: string }[] }> {
  const outside = new Map<string, OutsideCopy>()
  const unseen: { setting: string; table: string }[] = []
  const take = async (setting: string, copy: string): Promise<void> => {
    for (const address of (await behind(copy, aliases)).ends) {
      const parsed = parseAddress(address, internal)
      if (parsed.plain && !internal.has(parsed.domain) && !outside.has(parsed.key))
        outside.set(parsed.key, { address: parsed.key, setting })
    }
  }
  for (const copy of copies.always_bcc) await take('always_bcc', copy)
  for (const setting of ['sender_bcc_maps', 'recipient_bcc_maps'] as const) {
    const tables = copies[setting]
    const listed = await listAll(() => tables, configDir)
    for (const table of tables) {
      const values = listed.get(table)?.map(({ value }) => value)
      if (values === undefined || values.some((value) => value.includes('$'))) unseen.push({ setting, table })
      for (const value of values ?? []) if (!value.includes('$')) await take(setting, value)
    }
  }
  return { outside: [...outside.values()], unseen }
}

/** Which of a message's recipients are copies that Postfix has added. */
export async function hiddenCopies(
  { sender, recipients }: { sender: string; recipients: readonly string[] },
  copies: Copies,
  aliases: Aliases,
): Promise<Set<string>> {
  const added = [...copies.always_bcc]
  const ask = async (maps: readonly string[], whom: string): Promise<void> => {
    const address = parseAddress(whom, aliases.bare)
    if (!address.plain || maps.length === 0) return
    const copy = await entryOf(maps, address, aliases)
    if (copy !== undefined) added.push(copy)
  }
  await ask(copies.sender_bcc_maps, sender)
  for (const recipient of recipients) await ask(copies.recipient_bcc_maps, recipient)
  const keys = new Set<string>()
  for (const copy of added) {
    const { full, ends } = await behind(copy, aliases)
    for (const address of [full, ...ends]) {
      const { key } = parseAddress(address, aliases.bare)
      if (key !== undefined) keys.add(key)
    }
  }
  return new Set(recipients.filter((recipient) => keys.has(parseAddress(recipient, aliases.bare).key ?? '')))
}
