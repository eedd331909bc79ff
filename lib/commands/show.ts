/** toeh show: one held message, for the person who decides. */
import { closeSync, fsyncSync, statSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { answer, type CommonOptions, configPath, type Desk, fileOrHyphen, openDesk } from '../cli/context.js'
import { demandTarget, loadTrusted } from '../cli/trust.js'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import { HoldFolder } from '../hold/folder.js'
import type { Recipient } from '../hold/heldmail.js'
import { demandHoldId } from '../hold/id.js'
import { signatureLines } from '../mail/dkim.js'
import { readBytes } from '../mail/message.js'
import { describeFile } from '../mime/describe.js'
import { nearMissLines } from '../nearmiss/describe.js'
import { type Placed, placeRecipients } from '../nearmiss/neighbours.js'
import { readableSubject } from '../notice/compose.js'
import { accounts, demandMember } from '../system/accounts.js'
import { createAsCaller } from '../system/caller.js'
import { spoken, translated, words } from '../text/translate.js'
import { localTime, shortSize } from '../text/visible.js'

const STDOUT = 1

interface Options extends CommonOptions {
  id: string
  text: boolean
  save?: string
}

/**
 * The file that the message is to be saved in, made with the rights of who asks: before openDesk, which gives up root's. Where the
 * message is not there none is made, and openDesk or what follows says why.
 * @returns a descriptor; that of standard output for `-`
 */
function openTarget(options: Options, id: string): number | undefined {
  const { save } = options
  if (save === undefined) return undefined
  const file = fileOrHyphen(save)
  if (file === '') throw new Failure('show', words`which file?`, { at: '--save', status: EXIT.usage })
  if (file === '-') {
    if (options.json === true || options.text)
      throw new Failure('show', words`--save - is the message alone`, {
        status: EXIT.usage,
        hint: words`leave out --json and --text, or name a file`,
      })
    if (process.stdout.isTTY)
      throw new Failure('show', words`not to a terminal, which a message could steer`, {
        at: '--save -',
        status: EXIT.usage,
        hint: words`--text shows what can be shown`,
      })
    return STDOUT
  }
  const config = loadTrusted(configPath(options))
  if (!new HoldFolder(config.state).has(id)) return undefined
  // Who may not have it gets no empty file either.
  demandMember(accounts(), config.people.group, statSync(config.state).uid)
  try {
    const path = resolve(file)
    return createAsCaller(path, () => demandTarget('show', config, path, `show ${id} --save -`))
  } catch (error) {
    if (error instanceof Failure) throw error
    const exists = (error as { code?: unknown }).code === 'EEXIST'
    throw new Failure('show', describeError(error), {
      at: file,
      hint: exists ? words`name a file that is not there yet` : undefined,
      cause: error,
    })
  }
}

/** Writes the bytes of a held message, as they came. */
async function save(desk: Desk, id: string, fd: number): Promise<void> {
  for await (const piece of readBytes(desk.folder.messagePath(id)))
    for (let from = 0; from < piece.length; ) from += writeSync(fd, piece, from)
  if (fd === STDOUT) return
  fsyncSync(fd)
  closeSync(fd)
}

/** What failed once the file was made, whose folder is not ours to remove anything from. */
function notWhole(error: unknown, file: string): Failure {
  return new Failure('show', describeError(error), {
    at: file,
    status: error instanceof Failure ? error.status : EXIT.failed,
    hint: words`it is not whole: remove it`,
    cause: error,
  })
}

function describeRecipient(recipient: Placed<Recipient>, now: number): string[] {
  const { address, state, reason, detail, queueId, changedBy, changedAt, nearMisses = [] } = recipient
  const lines = [
    `  ${address}`,
    `      ${translated(state)}: ${translated(reason)}${detail === '' ? '' : ` (${detail})`}`,
  ]
  if (changedBy !== 'toeh-filter') {
    const sent = queueId === '' ? '' : words`, as ${queueId}`
    lines.push(`      ${words`by ${changedBy}, ${localTime(changedAt)}`}${sent}`)
  }
  lines.push(...nearMissLines(nearMisses, spoken(), now).map((line) => `      ${line}`))
  return lines
}

/** Each with a margin, so that none can be taken for a line of ours. */
function linesOf(text = ''): string[] {
  const lines = text.trimEnd().split(/\r\n|\r|\n/)
  return lines.length === 1 && lines[0] === '' ? [`  ${words`(none)`}`] : lines.map((line) => `  | ${line}`)
}

async function show(options: Options, id: string, target: number | undefined): Promise<void> {
  const reads = options.text || options.save !== undefined
  const desk = openDesk(options, reads ? 'decide' : 'read')
  const message = await placeRecipients(desk.neighbours, desk.hold.find(id))
  const there = desk.folder.has(id)
  if (reads && (!there || (options.save !== undefined && target === undefined)))
    throw new Failure('show', words`the message itself is gone: everybody on it is settled`, {
      at: id,
      status: EXIT.noInput,
    })
  // Before anything of it is seen.
  const deed = { ...desk.actor, subject: id, was: '' }
  if (options.text) await desk.audit.note({ ...deed, what: 'read', now: '' })
  if (target !== undefined) {
    const file = target === STDOUT ? '-' : resolve(options.save ?? '')
    await desk.audit.note({ ...deed, what: 'saved', now: file })
    await save(desk, id, target)
    if (target === STDOUT) return
  }
  const path = desk.folder.messagePath(id)
  const description = there ? await describeFile(path, undefined, options.text) : null
  const { client } = message
  const lines = [
    words`hold:     ${id}`,
    words`sender:   ${message.sender === '' ? '<>' : message.sender}`,
    words`subject:  ${readableSubject(message.subject, words`(no subject)`)}`,
    words`size:     ${shortSize(message.size)}`,
    words`held:     ${localTime(message.heldAt)} (queue id ${message.queueId})`,
    words`expires:  ${localTime(message.expiresAt)}`,
    ...(message.automatic === '' ? [] : [words`automatic: ${translated(message.automatic)}`]),
    words`client:   ${[client.name, client.address, client.saslUser && words`as ${client.saslUser}`].filter(Boolean).join(' ')}`,
    '',
    words`recipients:`,
    ...message.recipients.flatMap((recipient) => describeRecipient(recipient, desk.actor.at)),
    '',
  ]
  if (description === null) lines.push(words`the message itself is gone: everybody on it is settled`)
  else {
    lines.push(words`headers:`, ...description.headers.map(({ name, value }) => `  ${name}: ${value}`), '')
    lines.push(description.attachments.length > 0 ? words`attachments:` : words`no attachments`)
    for (const { name, type, size } of description.attachments) {
      lines.push(`  ${name === '' ? words`(no name)` : name}  ${type}  ${shortSize(size)}`)
    }
    if (description.trouble !== null)
      lines.push(words`the message could not be read to its end: ${description.trouble}`)
    lines.push(...signatureLines(description.signatures, desk.actor.at, message.expiresAt))
    if (options.text) lines.push('', words`text:`, ...linesOf(description.text))
    if (target !== undefined) lines.push('', words`the message is in ${options.save ?? ''}`)
  }
  answer(options, { ...message, description }, lines)
}

const module: CommandModule = {
  command: 'show <id>',
  describe: 'headers, attachments, recipients and reasons of a held message',
  builder: (yargs: Argv) =>
    yargs
      .positional('id', { type: 'string', demandOption: true, describe: 'a hold id, from toeh list' })
      .option('text', {
        type: 'boolean',
        default: false,
        describe: 'its text too, as a mail program shows it; the audit says who has read it',
      })
      .option('save', {
        type: 'string',
        requiresArg: true,
        describe: 'write the whole message to a new file (- is standard output); the audit says who',
      })
      .example('toeh show 7k3m9q2x4v0a', 'before you release it')
      .example('toeh show 7k3m9q2x4v0a --save message.eml', 'for a mail program'),
  handler: async (args) => {
    const options = args as unknown as Options
    const id = demandHoldId(options.id)
    const target = openTarget(options, id)
    const isFile = target !== undefined && target !== STDOUT
    try {
      await show(options, id, target)
    } catch (error) {
      throw isFile ? notWhole(error, resolve(options.save ?? '')) : error
    }
  },
}
export default module
