/**
 * A sendmail for a soak: hands its standard input to Postfix behind the gate, takes its time, and now and then hangs, before it
 * has handed it in or after that. `node sendmail.js PORT NOTES -G -i -f SENDER -- RECIPIENT…`; NOTES gets the numbers of
 * the letters that were handed in without a word.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { sendBySmtp } from '../../lib/mail/smtp.js'
import { numberOf } from './letter.js'

const SLOW_MS = 3000
const HANGING = 0.1
const HANGS_MS = 60_000

const [port, notes = '', ...options] = process.argv.slice(2)
const sender = options[options.indexOf('-f') + 1] ?? ''
const recipients = options.slice(options.indexOf('--') + 1)
const bytes = readFileSync(0)
const chance = Math.random()

async function* pieces(): AsyncGenerator<Buffer> {
  yield bytes
}

await sleep(Math.random() * SLOW_MS)
if (chance < HANGING / 2) await sleep(HANGS_MS)
const { accepted } = await sendBySmtp(
  { host: '127.0.0.1', port: Number(port), replyMs: 30_000, answerMs: 30_000 },
  {
    sender,
    recipients,
    size: bytes.length,
    eightBit: true,
    open: pieces,
    onRefused: async () => process.exit(70),
  },
)
if (accepted.length !== recipients.length) process.exit(70)
if (chance > 1 - HANGING / 2) {
  appendFileSync(notes, `${numberOf(bytes)}\n`)
  await sleep(HANGS_MS)
}
process.exit(0)
