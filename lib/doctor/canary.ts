/** The canary: one message round the whole loop, followed by its queue ids from pickup to its last delivery. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, openSync, readSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config.js'
import { describeError, Failure } from '../failure.js'
import { type Decision, readDecisions } from '../logs/decisionlog.js'
import { askPostfix } from '../postfix/postconf.js'
import { quote } from '../postfix/settings.js'
import { words } from '../text/translate.js'
import type { Facts, Fault } from './facts.js'

/** How long it is followed, and how often it is looked for. */
const PATIENCE_MS = 60_000
const STEP_MS = 250

export interface CanaryTrace {
  sender: string
  recipient: string
  /** Queue ids before and behind the gate. */
  queueId?: string
  passedAs?: string
  /** Postfix's last word: `status=sent (…)`. */
  end?: string
  faults: Fault[]
}

/** The end of Postfix's log file, from where it was when the canary started. */
class LogTail {
  readonly #path: string | undefined
  readonly #from: number

  constructor(main: Facts['main']) {
    const paths = [main.get('maillog_file') ?? '', '/var/log/mail.log', '/var/log/maillog']
    this.#path = paths.find((path) => path.startsWith('/') && existsSync(path))
    this.#from = this.#path === undefined ? 0 : statSync(this.#path).size
  }

  get exists(): boolean {
    return this.#path !== undefined
  }

  read(): string {
    if (this.#path === undefined) return ''
    const bytes = Buffer.alloc(Math.max(0, statSync(this.#path).size - this.#from))
    const fd = openSync(this.#path, 'r')
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, this.#from))
  }
}

/**
 * Sends the canary by sendmail(1), so it passes pickup, and follows it.
 * @param now milliseconds since 1970
 * @throws Failure where it cannot be sent
 */
export async function flyCanary(
  config: Config,
  configDir: string | undefined,
  recipient: string,
  now: number,
): Promise<CanaryTrace> {
  const [internal = ''] = config.internal
  // A sender nobody else has: the decision log is searched for it.
  const sender = `toeh-canary-${randomBytes(6).toString('hex')}@${internal}`
  const flight: CanaryTrace = { sender, recipient, faults: [] }
  const parameter = async (name: string): Promise<string> =>
    (await askPostfix('postconf', configDir, '-hx', name)).trim()
  const log = new LogTail(new Map([['maillog_file', await parameter('maillog_file')]]))
  await sendmail(await parameter('sendmail_path'), configDir, sender, recipient)

  const decide = (): Promise<Decision | undefined> => decisionOn(config.state, sender, now)
  await until(async () => (await decide()) ?? deliveryOf(sender, log))
  // Once more: a run of the gate writes its decision before Postfix writes of the delivery.
  const decision = await decide()
  if (decision === undefined) {
    const what = await whereItIs(configDir, sender, log)
    const why = words`what sendmail(1) takes does not pass the gate, or waits before it`
    flight.faults.push({ level: 'critical', what, why, mend: [] })
    return flight
  }
  flight.queueId = decision.queueId
  if (decision.hold !== null) {
    flight.faults.push({
      level: 'warning',
      what: words`${recipient} is not known: the canary is held in ${decision.hold}`,
      why: words`it has come as far as the gate, and no further`,
      mend: [`toeh reject ${decision.hold} --config ${quote(config.path)}`],
      affects: words`nobody: the canary is not sent, and its sender is nobody`,
    })
    return flight
  }
  if (decision.passedAs === null) {
    const why = words`without a queue id it cannot be followed: sendmail is the way on`
    flight.faults.push({
      level: 'unknown',
      what: words`the gate has sent it on under no queue id`,
      why,
      mend: [],
    })
    return flight
  }
  flight.passedAs = decision.passedAs
  await follow(flight, decision.passedAs, configDir, log)
  return flight
}

async function follow(
  flight: CanaryTrace,
  queueId: string,
  configDir: string | undefined,
  log: LogTail,
): Promise<void> {
  const gone = async (): Promise<true | undefined> =>
    (await queued(configDir)).some((one) => one.queue_id === queueId) ? undefined : true
  if (!log.exists) {
    const left = (await until(gone)) === true
    const what = left
      ? words`it has left the queue; there is no log file that says more`
      : words`it is still in the queue; there is no log file that says more`
    const why = words`whether it was delivered is written in the log alone`
    flight.faults.push({ level: left ? 'unknown' : 'warning', what, why, mend: [] })
    return
  }
  const end = await until(async () => {
    const lines = log.read().split('\n')
    const line = lines.findLast((one) => one.includes(` ${queueId}: to=<`) && one.includes(' status='))
    return line === undefined ? undefined : line.slice(line.indexOf(' status=') + 1)
  })
  if (end !== undefined) flight.end = end
  if (end?.startsWith('status=sent') === true) return
  flight.faults.push({
    level: 'critical',
    what: words`behind the gate, as ${queueId}: ${end ?? words`no delivery was tried`}`,
    why: words`what the gate lets out does not arrive`,
    mend: [],
  })
}

function sendmail(
  path: string,
  configDir: string | undefined,
  sender: string,
  recipient: string,
): Promise<void> {
  const where = configDir === undefined ? [] : ['-C', configDir]
  const child = spawn(path, [...where, '-i', '-f', sender, '--', recipient], {
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (bytes) => {
    said += bytes
  })
  child.stdin.on('error', () => {}) // Its end says more.
  child.stdin.end(
    `From: TOEH <${sender}>\nTo: ${recipient}\nSubject: TOEH canary\nAuto-Submitted: auto-generated\n\n` +
      'A test of the way mail takes here, sent by toeh doctor --canary. It can be deleted.\n',
  )
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Failure('canary', why, { at: path }))
    child.on('error', (error) => fail(describeError(error)))
    child.on('close', (code) =>
      code === 0 ? resolve() : fail(said.trim().split('\n').at(-1) ?? words`it ended with ${String(code)}`),
    )
  })
}

/** Asks again and again; undefined where patience ends first. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  for (let waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await sleep(STEP_MS)
  }
  return undefined
}

async function decisionOn(state: string, sender: string, now: number): Promise<Decision | undefined> {
  const today = new Date(now).toISOString().slice(0, 10)
  for await (const decision of readDecisions(state, today)) if (decision.sender === sender) return decision
  return undefined
}

interface Queued {
  queue_id: string
  sender: string
  recipients: { delay_reason?: string }[]
}

async function queued(configDir: string | undefined): Promise<Queued[]> {
  const lines = (await askPostfix('postqueue', configDir, '-j')).split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Queued)
}

/** What is known of a canary that has not come to the gate. */
async function whereItIs(configDir: string | undefined, sender: string, log: LogTail): Promise<string> {
  const waiting = (await queued(configDir)).find((one) => one.sender === sender)
  if (waiting !== undefined) {
    const reason = waiting.recipients.find(({ delay_reason: why }) => why !== undefined)?.delay_reason
    return words`the canary waits as ${waiting.queue_id}: ${reason ?? words`no delivery was tried`}`
  }
  const delivery = deliveryOf(sender, log)
  const gone = words`the canary has not come to the gate, and is not in the queue`
  return delivery === undefined ? gone : words`the canary has gone past the gate: ${delivery}`
}

/** What the log says of the first delivery of the mail of this sender. */
function deliveryOf(sender: string, log: LogTail): string | undefined {
  const lines = log.read().split('\n')
  // pickup(8) writes the first: `ID: uid=0 from=<SENDER>`.
  const mention = lines.find((line) => line.includes(` from=<${sender}>`)) ?? ''
  const id = / (\w+): (?:uid=\d+ )?from=</.exec(mention)?.[1]
  const line = id === undefined ? undefined : lines.find((one) => one.includes(` ${id}: to=<`))
  return line?.slice(line.indexOf(` ${id}: `) + 1)
}
