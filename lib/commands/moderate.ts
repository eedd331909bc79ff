/** toeh moderate: from pipe(8). Takes an approver's answer to a notice, does what it says, and tells him. */
import { createHash } from 'node:crypto'
import type { Argv, CommandModule } from 'yargs'
import { type CommonOptions, enterState, openDesk } from '../cli/context.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { isWriterAlive, readStdin } from '../gate/stdin.js'
import { accounts, demandMember } from '../system/accounts.js'

interface Options extends CommonOptions {
  sender: string
  'sasl-user': string
  'queue-id': string
}

/** An answer is a line; what is quoted below it, and a logo, may be as much. */
const MOST_BYTES = 1024 * 1024

/** Standard input to its end, of which no more is kept than {@link MOST_BYTES}; and the digest of all of it. */
async function readMail(): Promise<{ bytes: Buffer; digest: string; tooLong: boolean }> {
  const hash = createHash('sha256')
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of readStdin()) {
    hash.update(piece)
    if (size < MOST_BYTES) pieces.push(Buffer.from(piece.subarray(0, MOST_BYTES - size)))
    size += piece.length
  }
  return { bytes: Buffer.concat(pieces), digest: hash.digest('hex'), tooLong: size > MOST_BYTES }
}

async function run(options: Options): Promise<string> {
  const parent = process.ppid
  // First, because it may take another process, which is to read the mail.
  const desk = openDesk(options, 'write')
  const mail = await readMail()
  // When pipe(8) dies, half an answer looks like a whole one.
  if (mail.bytes.length === 0 || !(await isWriterAlive(parent)))
    throw new Failure('moderate', 'the mail did not come to its end', { status: EXIT.tempFail })
  // The first account alone: whoever started Postfix by hand is no part of this.
  demandMember(accounts().slice(0, 1), desk.config.people.group, enterState(desk.config.state))
  if (!desk.config.moderate.enabled) return 'dropped: moderate.enabled is false'
  const { moderate } = await import('../approval/moderate.js')
  const { sender, 'sasl-user': saslUser, 'queue-id': queueId } = options
  return moderate(desk, { sender, saslUser, queueId, ...mail })
}

const module: CommandModule = {
  command: 'moderate',
  describe: "take an approver's answer by mail; from pipe(8), exit status 0 or 75",
  builder: (yargs: Argv) =>
    yargs
      .option('sender', { type: 'string', default: '', describe: 'envelope sender' })
      .option('sasl-user', {
        type: 'string',
        default: '',
        describe: 'login that submitted the mail',
      })
      .option('queue-id', { type: 'string', default: '', describe: 'queue id' })
      .example('toeh moderate --sender=… --sasl-user=… < MAIL', 'as pipe(8) starts it'),
  handler: async (args) => {
    // Here and not above: it arms the process, so that whatever goes wrong ends with 75 and bounces nothing.
    const { end, settle } = await import('../gate/exitguard.js')
    try {
      settle(`toeh moderate: ${await run(args as unknown as Options)}`)
      end()
    } catch (error) {
      end(error)
    }
  },
}
export default module
