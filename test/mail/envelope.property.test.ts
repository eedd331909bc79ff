/** Properties of envelope.ts: whatever argv holds, recipients are taken as they are or the run is refused. */
import fc from 'fast-check'
import t from 'tap'
import { EXIT } from '../../lib/exit.js'
import { Failure } from '../../lib/failure.js'
import { type FilterArguments, parseArguments } from '../../lib/mail/envelope.js'
import { holds } from '../support/property.js'
import { anyText, strangeAddress } from '../support/strange.js'

const text = fc.oneof(
  strangeAddress,
  anyText,
  fc.constantFrom('', '--', '--sender=x@evil.test', '-t', '=', '\n'),
)

/** What client and sender choose, behind the option that carries it. */
const chosen = fc
  .tuple(
    fc.constantFrom('config', 'client-address', 'client-name', 'client-port', 'proto', 'helo', 'sasl-user'),
    text,
  )
  .map(([name, value]) => `--${name}=${value}`)
const needed = fc
  .tuple(
    text,
    fc.constantFrom('4bQ8Yk2hJnz1', 'ABCD', '', 'x'),
    fc.constantFrom('', '0', '1234', '-1', '1e3'),
  )
  .map(([sender, id, size]) => [`--sender=${sender}`, `--queue-id=${id}`, `--size=${size}`])
const usual = fc
  .tuple(
    needed,
    fc.uniqueArray(chosen, { maxLength: 6, selector: (option) => option.split('=')[0] }),
    fc.array(text, { maxLength: 8 }),
  )
  .chain(([first, rest, recipients]) =>
    fc
      .shuffledSubarray([...first, ...rest], { minLength: first.length + rest.length })
      .map((options) => [...options, '--', ...recipients]),
  )

/** Arguments as master.cf gives them, some of them broken, and anything at all. */
const argv: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 4, arbitrary: usual },
  {
    weight: 2,
    arbitrary: fc.tuple(usual, fc.nat(12), text).map(([list, at, stray]) => list.toSpliced(at, 0, stray)),
  },
  { weight: 1, arbitrary: fc.tuple(usual, fc.nat(12)).map(([list, at]) => list.toSpliced(at, 1)) },
  { weight: 1, arbitrary: fc.array(fc.oneof(text, chosen), { maxLength: 8 }) },
)

/** What it gives, or undefined where it refuses as it should. */
function taken(argv: readonly string[]): FilterArguments | undefined {
  try {
    return parseArguments(argv)
  } catch (error) {
    if (!(error instanceof Failure) || error.status !== EXIT.usage) throw error
    return undefined
  }
}

t.test('recipients and options arrive as they were given, each once and in order', async (t) => {
  let seen = 0
  const whole = fc.property(argv, (argv) => {
    const actual = taken(argv)
    if (actual === undefined) return
    seen++
    const end = argv.indexOf('--')
    const expected: string[] = []
    for (const recipient of argv.slice(end + 1)) if (!expected.includes(recipient)) expected.push(recipient)
    const { envelope, configPath, writer } = actual
    const same = (one: unknown, other: unknown): void => {
      if (JSON.stringify(one) !== JSON.stringify(other))
        throw new Error(`${JSON.stringify(one)} of ${JSON.stringify(other)}`)
    }
    same(envelope.recipients, expected)
    const option = (name: string): string | undefined => {
      const given = argv.slice(0, end).filter((argument) => argument.startsWith(`--${name}=`))
      same(given.length <= 1, true)
      return given[0]?.slice(name.length + 3)
    }
    const { client, sender, queueId, recordBytes } = envelope
    same(configPath, option('config'))
    same(writer === undefined ? '' : String(writer), option('writer') ?? '')
    same(sender, option('sender'))
    same(queueId, option('queue-id'))
    same(recordBytes === undefined ? '' : String(recordBytes), option('size') ?? '')
    const { address, name, port, proto, helo, saslUser } = client
    same(
      [address, name, port, proto, helo, saslUser],
      ['client-address', 'client-name', 'client-port', 'proto', 'helo', 'sasl-user'].map(
        (key) => option(key) ?? '',
      ),
    )
  })
  await holds(t, 'arguments', 15_000, whole)
  t.ok(seen > 1000, `${seen} of them were taken`)
})

t.test('a recipient never becomes an option, nor an option a recipient', async (t) => {
  const LEAST = ['--sender=anna@corp.test', '--queue-id=4bQ8Yk2hJnz1', '--']
  const apart = fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), (recipients) => {
    const actual = parseArguments([...LEAST, ...recipients])
    const expected = parseArguments([...LEAST, 'x@known.test'])
    const other = { ...actual, envelope: { ...actual.envelope, recipients: ['x@known.test'] } }
    if (JSON.stringify(other) !== JSON.stringify(expected)) throw new Error(JSON.stringify(actual))
    for (const recipient of recipients) {
      if (!actual.envelope.recipients.includes(recipient))
        throw new Error(`lost: ${JSON.stringify(recipient)}`)
    }
  })
  await holds(t, 'recipients', 10_000, apart)
})
