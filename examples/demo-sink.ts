/** The demo's sink: an SMTP server on a free loopback port that stands for the world behind the gate. */
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { topmostField } from '../lib/mail/header.js'

// The first line on standard output is the port; then one line a mail: sender, recipients, subject, by tabs.
let count = 0
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  useXForward: true,
  onData(stream, { envelope }, done) {
    const pieces: Buffer[] = []
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    stream.on('end', () => {
      const sender = envelope.mailFrom === false ? '' : envelope.mailFrom.address
      const recipients = envelope.rcptTo.map(({ address }) => address).join(', ')
      const subject = topmostField(Buffer.concat(pieces), 'Subject') ?? ''
      process.stdout.write(`<${sender}>\t${recipients}\t${subject}\n`)
      count++
      done(null, `2.0.0 Ok: queued as DEMO${String(count).padStart(4, '0')}`)
    })
  },
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.server.address() as AddressInfo).port}\n`)
})
