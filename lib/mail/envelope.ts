/** The envelope: who sends, to whom, and what pipe(8) knows of the client. Parsed from the command line. Pure. */
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'

export interface Client {
  /** IP address, or empty for mail from sendmail(1). */
  address: string
  name: string
  port: string
  proto: string
  helo: string
  saslUser: string
}

export interface Envelope {
  /** Empty for the null sender (`null_sender=` in master.cf). */
  sender: string
  /** As Postfix gave them, byte for byte, each once, in order. */
  recipients: string[]
  queueId: string
  /** `${size}`: bytes of queue file records, not of the message; undefined outside pipe(8). */
  recordBytes: number | undefined
  client: Client
}

export interface FilterArguments {
  envelope: Envelope
  configPath: string | undefined
  /** Where a shell stands between pipe(8) and this process (bin/toeh-filter.sh): the process id of pipe(8). */
  writer: number | undefined
}

const OPTIONS = [
  'writer',
  'config',
  'sender',
  'queue-id',
  'size',
  'client-address',
  'client-name',
  'client-port',
  'proto',
  'helo',
  'sasl-user',
] as const
type Option = (typeof OPTIONS)[number]

function misuse(why: string): Failure {
  return new Failure('arguments', why, {
    status: EXIT.usage,
    hint: 'compare the toeh line in master.cf with master.cf.sample',
  })
}

/**
 * toeh-filter's arguments: `--name=value` only, then `--`, then recipients. No short forms, no blanks and no
 * abbreviations, because sender and helo are the client's to choose.
 * @throws Failure for anything else: a master.cf that does not fit this program must defer, not guess.
 */
export function parseArguments(argv: readonly string[]): FilterArguments {
  const end = argv.indexOf('--')
  if (end < 0) throw misuse('no -- before the recipients')
  const values = new Map<Option, string>()
  for (const argument of argv.slice(0, end)) {
    const option = OPTIONS.find((known) => argument.startsWith(`--${known}=`))
    if (option === undefined) throw misuse(`unknown option ${JSON.stringify(argument.slice(0, 40))}`)
    if (values.has(option)) throw misuse(`--${option} is given twice`)
    values.set(option, argument.slice(`--${option}=`.length))
  }
  const recipients = [...new Set(argv.slice(end + 1))]
  if (recipients.length === 0) throw misuse('no recipient')
  const value = (option: Option): string => values.get(option) ?? ''
  if (!values.has('sender')) throw misuse('--sender is missing')
  const queueId = value('queue-id')
  if (!/^[0-9A-Za-z]{4,32}$/.test(queueId)) throw misuse('--queue-id is missing or is no queue id')
  const size = value('size')
  if (!/^[0-9]{0,15}$/.test(size)) throw misuse('--size is not a number of bytes')
  const writer = value('writer')
  if (!/^[0-9]{0,10}$/.test(writer)) throw misuse('--writer is no process id')
  return {
    writer: writer === '' ? undefined : Number(writer),
    configPath: values.get('config'),
    envelope: {
      sender: value('sender'),
      recipients,
      queueId,
      recordBytes: size === '' ? undefined : Number(size),
      client: {
        address: value('client-address'),
        name: value('client-name'),
        port: value('client-port'),
        proto: value('proto'),
        helo: value('helo'),
        saslUser: value('sasl-user'),
      },
    },
  }
}
