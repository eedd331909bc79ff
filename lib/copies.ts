/**
 * Copies: the recipients that Postfix adds of itself (always_bcc, sender_bcc_maps, recipient_bcc_maps). Whoever wrote the mail
 * does not know of them, and is not to learn of an archive because it is held too.
 */
import { parseAddress } from './address.js'
import { type Aliases, entryOf, resolveAlias } from './aliases.js'
import { splitList } from './braces.js'
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
    const full = copy.includes('@') ? copy : `${copy}@${aliases.origin}`
    for (const address of [full, ...(await resolveAlias(full, aliases))]) {
      const { key } = parseAddress(address, aliases.bare)
      if (key !== undefined) keys.add(key)
    }
  }
  return new Set(recipients.filter((recipient) => keys.has(parseAddress(recipient, aliases.bare).key ?? '')))
}
