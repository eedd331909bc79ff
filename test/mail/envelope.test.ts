/** Tests of envelope.ts: the arguments pipe(8) gives, and those it must never give. */
import t from 'tap'
import { EXIT } from '../../lib/exit.js'
import { Failure } from '../../lib/failure.js'
import { parseArguments } from '../../lib/mail/envelope.js'

const LEAST = ['--sender=anna@corp.test', '--queue-id=4bQ8Yk2hJnz1']

t.test('every option', (t) => {
  const argv = [
    '--writer=4711',
    '--config=/etc/toeh/other.toml',
    '--sender=anna@corp.test',
    '--queue-id=4bQ8Yk2hJnz1',
    '--size=1234',
    '--client-address=192.0.2.7',
    '--client-name=pc.corp.test',
    '--client-port=51234',
    '--proto=ESMTP',
    '--helo=-helo?x=1',
    '--sasl-user=anna',
    '--',
    'Bob@Known.test',
    '--sender=x',
    'Bob@Known.test',
    '',
    '--',
  ]
  t.strictSame(parseArguments(argv), {
    writer: 4711,
    configPath: '/etc/toeh/other.toml',
    envelope: {
      sender: 'anna@corp.test',
      // Once each, in order, byte for byte; after the first -- everything is a recipient.
      recipients: ['Bob@Known.test', '--sender=x', '', '--'],
      queueId: '4bQ8Yk2hJnz1',
      recordBytes: 1234,
      client: {
        address: '192.0.2.7',
        name: 'pc.corp.test',
        port: '51234',
        proto: 'ESMTP',
        helo: '-helo?x=1',
        saslUser: 'anna',
      },
    },
  })
  t.end()
})

t.test('what may be missing or empty', (t) => {
  const { writer, configPath, envelope } = parseArguments([
    '--queue-id=ABCD',
    '--sender=',
    '--size=',
    '--',
    'b@known.test',
  ])
  t.equal(writer, undefined)
  t.equal(configPath, undefined)
  t.strictSame(envelope, {
    sender: '',
    recipients: ['b@known.test'],
    queueId: 'ABCD',
    recordBytes: undefined,
    client: { address: '', name: '', port: '', proto: '', helo: '', saslUser: '' },
  })
  t.equal(parseArguments([...LEAST, '--size=0', '--', 'b']).envelope.recordBytes, 0)
  t.equal(parseArguments([...LEAST, '--helo=a\nb', '--', 'b']).envelope.client.helo, 'a\nb')
  t.equal(parseArguments([...LEAST, '--helo=', '--', 'b']).envelope.client.helo, '')
  t.end()
})

const WRONG: [string[], string][] = [
  [[], 'no -- before the recipients'],
  [LEAST, 'no -- before the recipients'],
  [[...LEAST, 'b@known.test'], 'no -- before the recipients'],
  [[...LEAST, '--'], 'no recipient'],
  [['--', 'b'], '--sender is missing'],
  [['--queue-id=4bQ8Yk2hJnz1', '--', 'b'], '--sender is missing'],
  [['--sender=', '--', 'b'], '--queue-id is missing or is no queue id'],
  [['--sender=', '--queue-id=', '--', 'b'], '--queue-id is missing or is no queue id'],
  [['--sender=', '--queue-id=ABC', '--', 'b'], '--queue-id is missing or is no queue id'],
  [['--sender=', '--queue-id=../../etc', '--', 'b'], '--queue-id is missing or is no queue id'],
  [['--sender=', '--queue-id=ABCD\n', '--', 'b'], '--queue-id is missing or is no queue id'],
  [['--sender=', `--queue-id=${'A'.repeat(33)}`, '--', 'b'], '--queue-id is missing or is no queue id'],
  [[...LEAST, '--size=-1', '--', 'b'], '--size is not a number of bytes'],
  [[...LEAST, '--size=1k', '--', 'b'], '--size is not a number of bytes'],
  [[...LEAST, '--size=1234567890123456', '--', 'b'], '--size is not a number of bytes'],
  [[...LEAST, '--writer=-1', '--', 'b'], '--writer is no process id'],
  [[...LEAST, '--writer=12345678901', '--', 'b'], '--writer is no process id'],
  [[...LEAST, '--sender=x@corp.test', '--', 'b'], '--sender is given twice'],
  [[...LEAST, '--helo=', '--helo=', '--', 'b'], '--helo is given twice'],
  [[...LEAST, '--send=x', '--', 'b'], 'unknown option "--send=x"'],
  [[...LEAST, '--proto', 'ESMTP', '--', 'b'], 'unknown option "--proto"'],
  [[...LEAST, '-s=x', '--', 'b'], 'unknown option "-s=x"'],
  [[...LEAST, 'stray', '--', 'b'], 'unknown option "stray"'],
  [[...LEAST, '--Helo=x', '--', 'b'], 'unknown option "--Helo=x"'],
  [[...LEAST, '--__proto__=x', '--', 'b'], 'unknown option "--__proto__=x"'],
  [[...LEAST, `--${'x'.repeat(60)}`, '--', 'b'], `unknown option "--${'x'.repeat(38)}"`],
]

t.test('anything else is refused by name', (t) => {
  for (const [argv, why] of WRONG) {
    try {
      parseArguments(argv)
      t.fail(`${argv.join(' ')} was taken`)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      t.equal(error.message, `arguments: ${why}`)
      t.equal(error.status, EXIT.usage, why)
      t.equal(error.hint, 'compare the toeh line in master.cf with master.cf.sample', why)
    }
  }
  t.end()
})
