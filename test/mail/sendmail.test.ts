/** Sendmail: what the program is given, word by word, and that every bad end is temporary. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { sendBySendmail } from '../../lib/mail/sendmail.js'
import type { Refusal, Transaction } from '../../lib/mail/transaction.js'
import { failureOf } from '../support/failing.js'
import { makeFolder } from '../support/lab.js'

const PATIENCE = { replyMs: undefined, answerMs: 10_000 }
const BYTES = Buffer.from('Subject: x\n\nFrom here\n.\n\0\xe9 no final newline', 'latin1')

interface Fake {
  program: string
  /** Where the message is. */
  messagePath: () => string
  parcel: (changes?: Partial<Transaction>) => Transaction
  refused: Refusal[]
  /** The arguments of the only call, or undefined where it was not called. */
  argv: () => string[] | undefined
  read: (name: string) => string
}

/** A sendmail that writes down how it was called, and ends as `end` says. */
function makeFake(t: Test, end = 'exit 0'): Fake {
  const dir = makeFolder(t)
  const program = join(dir, 'sendmail')
  const path = join(dir, 'message.eml')
  writeFileSync(path, BYTES)
  writeFileSync(
    program,
    `#!/bin/sh
cd '${dir}'
printf '%s\\0' "$@" >> argv
{ [ -f /dev/stdin ] && echo file || echo other; } > kind
{ [ -p /dev/stdout ] || [ -S /dev/stdout ]; } && [ /dev/stderr -ef /dev/null ] && echo silent > output
cat > stdin
echo 'postdrop: warning'
${end}
`,
  )
  chmodSync(program, 0o755)
  const refused: Refusal[] = []
  return {
    program,
    messagePath: () => path,
    refused,
    parcel: (changes = {}) => ({
      sender: 'anna@corp.test',
      recipients: ['x@known.test', 'Y.Z+1@Known.TEST'],
      size: BYTES.length,
      eightBit: true,
      open: () => t.fail('it reads the file itself') as never,
      onRefused: async (refusals) => {
        t.notOk(existsSync(join(dir, 'argv')), 'parked before anything is sent')
        refused.push(...refusals)
      },
      ...changes,
    }),
    argv: () => {
      const path = join(dir, 'argv')
      return existsSync(path) ? readFileSync(path, 'utf8').split('\0').slice(0, -1) : undefined
    },
    read: (name) => readFileSync(join(dir, name), 'latin1'),
  }
}

t.test('its arguments, its input and its output', async (t) => {
  const fake = makeFake(t)
  const delivery = await sendBySendmail(fake.program, fake.messagePath, fake.parcel(), PATIENCE)
  t.strictSame(delivery, { accepted: ['x@known.test', 'Y.Z+1@Known.TEST'], queueId: '' })
  t.strictSame(fake.argv(), [
    ...['-G', '-i', '-f', 'anna@corp.test', '--'],
    ...['x@known.test', 'Y.Z+1@Known.TEST'],
  ])
  t.equal(fake.read('stdin'), BYTES.toString('latin1'), 'the bytes as they are')
  t.equal(fake.read('kind'), 'file\n', 'a pipe would make a killed writer look like the end')
  t.equal(fake.read('output'), 'silent\n', 'its words would become ours')
  t.strictSame(fake.refused, [])
})

t.test('the null sender is an argument of its own', async (t) => {
  const fake = makeFake(t)
  await sendBySendmail(fake.program, fake.messagePath, fake.parcel({ sender: '' }), PATIENCE)
  t.strictSame(fake.argv()?.slice(0, 5), ['-G', '-i', '-f', '', '--'])
})

t.test('what it would not carry unchanged is refused, and parked first', async (t) => {
  const bad = [
    'evil@evil.test,x@known.test',
    'x@known.test evil@evil.test',
    '"a b"@known.test',
    'a%evil.test@known.test',
    'x@b\u{fc}cher.test',
    'j\u{f6}rg@known.test',
    '-oQ/tmp@known.test',
    '(comment)x@known.test',
    'x',
    '',
  ]
  const fake = makeFake(t)
  const recipients = [...bad, 'x@known.test']
  const delivery = await sendBySendmail(fake.program, fake.messagePath, fake.parcel({ recipients }), PATIENCE)
  t.strictSame(delivery.accepted, ['x@known.test'])
  t.strictSame(fake.argv()?.slice(5), ['x@known.test'])
  t.strictSame(
    fake.refused,
    bad.map((recipient) => ({ recipient, reply: 'sendmail cannot carry this address unchanged' })),
  )
})

t.test('when all are refused it is not called', async (t) => {
  const fake = makeFake(t)
  const parcel = fake.parcel({ recipients: ['a@x.test,b@y.test'] })
  t.strictSame(await sendBySendmail(fake.program, fake.messagePath, parcel, PATIENCE), {
    accepted: [],
    queueId: '',
  })
  t.equal(fake.argv(), undefined)
})

t.test('of a sender it would not carry unchanged all are refused', async (t) => {
  for (const sender of ['a@x.test,b@y.test', 'anna@b\u{fc}cher.test', '-bs@corp.test', 'anna']) {
    const fake = makeFake(t)
    const parcel = fake.parcel({ sender })
    const delivery = await sendBySendmail(fake.program, fake.messagePath, parcel, PATIENCE)
    t.strictSame(delivery, { accepted: [], queueId: '' })
    const reply = 'sendmail cannot carry this sender unchanged'
    t.strictSame(
      fake.refused,
      parcel.recipients.map((recipient) => ({ recipient, reply })),
    )
    t.equal(fake.argv(), undefined)
  }
})

t.test('a refusal that cannot be parked stops the mail', async (t) => {
  const fake = makeFake(t)
  const parcel = fake.parcel({
    recipients: ['x@known.test', 'a@x.test,b@y.test'],
    onRefused: async () => {
      throw new Error('disk full')
    },
  })
  await t.rejects(sendBySendmail(fake.program, fake.messagePath, parcel, PATIENCE), { message: 'disk full' })
  t.equal(fake.argv(), undefined)
})

t.test('every end but 0 is temporary', async (t) => {
  const ends: [string, string][] = [
    ['exit 1', 'it ended with status 1'],
    ['exit 64', 'it ended with status 64'],
    ['exit 67', 'it ended with status 67'],
    ['exit 75', 'it ended with status 75'],
    ['exit 255', 'it ended with status 255'],
    ['kill -KILL $$', 'it was killed by SIGKILL'],
    ['kill -TERM $$', 'it was killed by SIGTERM'],
  ]
  for (const [end, why] of ends) {
    const fake = makeFake(t, end)
    const failure = await failureOf(() =>
      sendBySendmail(fake.program, fake.messagePath, fake.parcel(), PATIENCE),
    )
    t.equal(failure.message, `reinject by ${fake.program}: ${why}`)
    t.equal(failure.status, 75, why)
    t.strictSame(fake.refused, [])
  }
})

t.test('a program or a message that is not there', async (t) => {
  const fake = makeFake(t)
  const gone = `${fake.program}.gone`
  const noProgram = await failureOf(() => sendBySendmail(gone, fake.messagePath, fake.parcel(), PATIENCE))
  t.equal(noProgram.message, `reinject by ${gone}: no such file or directory (ENOENT)`)
  t.equal(noProgram.status, 75)
  t.notOk(process.getActiveResourcesInfo().includes('Timeout'), 'nothing keeps the process')
  const noMessage = await failureOf(() =>
    sendBySendmail(fake.program, () => `${fake.messagePath()}.gone`, fake.parcel(), PATIENCE),
  )
  t.equal(noMessage.message, `reinject by ${fake.program}: no such file or directory (ENOENT)`)
  t.equal(noMessage.status, 75)
  t.equal(fake.argv(), undefined)
})
