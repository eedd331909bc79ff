/** The gate in a real Postfix: known, unknown and mixed mail, many recipients, every kind of bytes. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cannotRun, Postfix, withoutReceived } from '../support/postfix.js'

t.test('the gate in a real Postfix', { skip: cannotRun() }, async (t) => {
  const postfix = await Postfix.start(t)
  const { lab, sink } = postfix
  await lab.allow('client.test')
  t.beforeEach(() => {
    sink.mails.length = 0
  })

  /** What the hold has of the only message with this subject. */
  const heldWith = async (
    subject: string,
  ): Promise<{ id: string; recipients: string[]; bytes: Buffer }[]> => {
    const { stdout } = await postfix.toeh('list', '--json')
    const messages = JSON.parse(stdout) as {
      id: string
      subject: string
      recipients: { address: string }[]
    }[]
    return messages
      .filter((message) => message.subject === subject)
      .map(({ id, recipients }) => ({
        id,
        recipients: recipients.map(({ address }) => address),
        bytes: readFileSync(join(lab.state, 'hold', id, 'message.eml')),
      }))
  }

  t.test('all known: one copy to all, linked in the log, nothing durable', async (t) => {
    const queueId = await postfix.submit(
      'anna@corp.test',
      ['bob@corp.test', 'c@client.test'],
      'Subject: known\n\nhello\n',
    )
    const [mail, ...others] = await postfix.settled()
    t.same(others, [])
    t.equal(mail?.sender, 'anna@corp.test')
    t.same(mail?.recipients.toSorted(), ['bob@corp.test', 'c@client.test'])
    t.equal(withoutReceived(mail?.bytes ?? Buffer.alloc(0)).endsWith('\r\n\r\nhello\r\n'), true)
    t.match(
      postfix.log(),
      new RegExp(
        `${queueId}: to=<c@client.test>, relay=toeh, .*status=sent \\(delivered via toeh service \\(toeh: passed 2 as \\w+\\)\\)`,
      ),
    )
    t.match(
      postfix.log(),
      new RegExp(`postfix/toeh-reinject/smtpd.*orig_queue_id=${queueId}, orig_client=unknown\\[127.0.0.1\\]`),
    )
    t.same(lab.held(), [])
    t.same(lab.temporaries(), [])
  })

  t.test(
    'all unknown: nothing leaves, the bytes are held, a release sends them with the original envelope',
    async (t) => {
      await postfix.submit(
        'anna@corp.test',
        ['x@stranger.test', 'y@other.test'],
        'Subject: unknown\n\nsecret\n',
      )
      t.same(await postfix.settled(), [])
      const [held] = await heldWith('unknown')
      t.same(held?.recipients, ['x@stranger.test', 'y@other.test'])
      const released = await postfix.toeh('release', held?.id ?? '', '--recipient', 'x@stranger.test')
      t.match(released.stdout, new RegExp(`^${held?.id} released to x@stranger.test as \\w{10,}\n$`))
      t.equal(released.code, 0, released.stderr)
      const [mail, ...others] = await postfix.settled()
      t.same(others, [])
      t.same(mail?.recipients, ['x@stranger.test'])
      t.equal(mail?.sender, 'anna@corp.test')
      const arrived = mail?.bytes.toString('latin1').replaceAll('\r\n', '\n') ?? ''
      t.equal(
        arrived.endsWith(held?.bytes.toString('latin1') ?? 'none'),
        true,
        'the held bytes, below our own Received',
      )
      t.match(
        (await postfix.toeh('release', held?.id ?? '', '--recipient', 'x@stranger.test')).stderr,
        /is released already/,
      )
      t.equal(sink.mails.length, 1)
    },
  )

  t.test('mixed: the known get their copy byte for byte, and see nothing of the others', async (t) => {
    const text = 'From: anna@corp.test\nTo: bob@corp.test\nSubject: mixed\n\nto some in blind copy\n'
    await postfix.submit('anna@corp.test', ['bob@corp.test', 'blind@stranger.test', 'c@client.test'], text)
    const [mail, ...others] = await postfix.settled()
    t.same(others, [])
    t.same(mail?.recipients.toSorted(), ['bob@corp.test', 'c@client.test'])
    t.equal(mail?.bytes.includes('blind@stranger.test'), false, 'a blind copy is not revealed')
    const [held] = await heldWith('mixed')
    t.same(held?.recipients, ['blind@stranger.test'])
    t.equal(
      withoutReceived(mail?.bytes ?? Buffer.alloc(0)),
      withoutReceived(Buffer.from((held?.bytes.toString('latin1') ?? '').replaceAll('\n', '\r\n'))),
    )
    t.match(
      postfix.log(),
      /status=sent \(delivered via toeh service \(toeh: passed 2 as \w+, held 1 in \w{12}\)\)/,
    )
  })

  t.test('null sender: the same rules for its recipients', async (t) => {
    await postfix.submit('', ['bob@corp.test', 'x@stranger.test'], 'Subject: null\n\nreport\n')
    const [mail, ...others] = await postfix.settled()
    t.same(others, [])
    t.equal(mail?.sender, '')
    t.same(mail?.recipients, ['bob@corp.test'])
    t.same((await heldWith('null'))[0]?.recipients, ['x@stranger.test'])
  })

  t.test('120 recipients, in several runs: one hold, one copy to each known', async (t) => {
    const known = Array.from({ length: 60 }, (_, index) => `r${index}@client.test`)
    const unknown = Array.from({ length: 60 }, (_, index) => `u${index}@stranger.test`)
    const mixed = known.flatMap((address, index) => [address, unknown[index] ?? ''])
    await postfix.submit('anna@corp.test', mixed, 'Subject: many\n\nall\n')
    const mails = await postfix.settled()
    t.same(mails.flatMap(({ recipients }) => recipients).toSorted(), known.toSorted())
    const holds = await heldWith('many')
    t.equal(holds.length, 1)
    t.same(holds[0]?.recipients.toSorted(), unknown.toSorted())
    const envelope = JSON.parse(
      readFileSync(join(lab.state, 'hold', holds[0]?.id ?? '', 'envelope.json'), 'utf8'),
    )
    t.same(
      envelope.recipients.map(({ address }: { address: string }) => address).toSorted(),
      unknown.toSorted(),
      'the folder alone names them all',
    )
  })

  t.test('25 MB', async (t) => {
    const line = `${'0123456789abcdef'.repeat(4)}\n`
    const text = `Subject: large\n\n${line.repeat((25 * 2 ** 20) / line.length)}`
    await postfix.submit('anna@corp.test', ['bob@corp.test', 'x@stranger.test'], text)
    const [mail] = await postfix.settled(120)
    const digest = (bytes: string): string =>
      createHash('sha256')
        .update(bytes.slice(bytes.indexOf('\n\n')))
        .digest('hex')
    const [held] = await heldWith('large')
    t.equal(digest(mail?.bytes.toString('latin1').replaceAll('\r\n', '\n') ?? ''), digest(text))
    t.equal(digest(held?.bytes.toString('latin1') ?? ''), digest(text))
    const { code, stdout } = await postfix.toeh('release', held?.id ?? '')
    t.equal(code, 0, stdout)
    await postfix.settled(120)
    t.equal(digest(sink.mails[1]?.bytes.toString('latin1').replaceAll('\r\n', '\n') ?? ''), digest(text))
  })

  // What Postfix itself does to odd bytes, it does without the gate too: the copy through it must be the same.
  const ODD: Record<string, string> = {
    '8-bit text': 'Subject: caf\u00e9\n\n\u00fc\u00df\u20ac\n',
    'invalid UTF-8': 'Subject: bytes\n\n\xff\xfe\x80\n',
    'a lone CR': 'Subject: cr\n\none\rtwo\n',
    'lines over 998 bytes': `Subject: long\n\n${'x'.repeat(998)}\n${'y'.repeat(5000)}\n${'z'.repeat(2048)}\n`,
    'leading dots': 'Subject: dots\n\n.\n..\n.a\n...\nend\n',
    'From lines': 'Subject: from\n\nFrom me to you\n>From me\nFrom anna@corp.test Tue Nov 24\n',
    'no final newline': 'Subject: open\n\nlast line',
    'a blank last line': 'Subject: blank\n\ntext\n\n\n',
    'a NUL': 'Subject: nul\n\na\0b\n',
    'no header': 'just text\n',
    'no body': 'Subject: empty\n\n',
  }
  for (const [name, text] of Object.entries(ODD)) {
    t.test(`bytes: ${name}`, async (t) => {
      const bytes = name === '8-bit text' ? Buffer.from(text) : Buffer.from(text, 'latin1')
      const options = { mail: ' BODY=8BITMIME' }
      await postfix.submit('anna@corp.test', ['direct@corp.test'], bytes, {
        ...options,
        port: postfix.ungated,
      })
      await postfix.settled()
      await postfix.submit('anna@corp.test', ['gated@corp.test', 'x@stranger.test'], bytes, options)
      await postfix.settled()
      const arrived = (to: string): string =>
        withoutIds(
          sink.mails.find(({ recipients }) => recipients.includes(to))?.bytes ??
            Buffer.from(`nothing for ${to}`),
        )
      t.equal(arrived('gated@corp.test'), arrived('direct@corp.test'))
      const { stdout } = await postfix.toeh('list', '--json')
      const { id } = JSON.parse(stdout).at(-1)
      t.equal((await postfix.toeh('release', id)).code, 0)
      await postfix.settled()
      t.equal(arrived('x@stranger.test'), arrived('direct@corp.test'))
    })
  }

  t.test('a hostile local part at an internal domain does not get out', async (t) => {
    const hostile = ['victim%stranger.test@corp.test', '"a@stranger.test"@corp.test', '"us er"@client.test']
    await postfix.submit('anna@corp.test', hostile, 'Subject: hostile\n\nx\n')
    t.same(await postfix.settled(), [])
    t.same((await heldWith('hostile'))[0]?.recipients.toSorted(), hostile.toSorted())
    const reasons = lab
      .decisions()
      .at(-1)
      ?.recipients.map(({ reason }) => reason)
    t.same(reasons, ['malformed', 'malformed', 'malformed'])
  })

  t.test('an internationalised address goes through by SMTPUTF8, compared as its A-label', async (t) => {
    await lab.allow('xn--bcher-kva.test')
    const text = 'Subject: idn\n\nx\n'
    await postfix.submit('anna@corp.test', ['leser@bücher.test'], text, { mail: ' SMTPUTF8 BODY=8BITMIME' })
    await postfix.settled()
    t.same(
      lab
        .decisions()
        .at(-1)
        ?.recipients.map(({ reason, did }) => [reason, did]),
      [['allowed', 'passed']],
    )
    t.same(sink.mails[0]?.recipients, ['leser@bücher.test'])
  })

  t.test('mail from a local program, by sendmail and pickup: no client to tell of', async (t) => {
    const args = [
      '-C',
      join(postfix.dir, 'etc'),
      '-f',
      'anna@corp.test',
      '-i',
      'bob@corp.test',
      'x@stranger.test',
    ]
    execFileSync('/usr/sbin/sendmail', args, { input: 'Subject: local\n\nx\n' })
    await postfix.until('a copy', () => sink.mails.length === 1)
    t.same(sink.mails[0]?.recipients, ['bob@corp.test'])
    t.same((await heldWith('local'))[0]?.recipients, ['x@stranger.test'])
  })

  t.test('a forged sender: mail to a colleague passes, and to anybody else waits', async (t) => {
    await postfix.submit('stranger@evil.test', ['bob@corp.test', 'x@client.test'], 'Subject: forged\n\nx\n')
    t.same(
      (await postfix.settled()).flatMap(({ recipients }) => recipients),
      ['bob@corp.test'],
    )
    t.same(
      lab
        .decisions()
        .at(-1)
        ?.recipients.map(({ to, reason }) => `${to} ${reason}`)
        .sort(),
      ['bob@corp.test internal', 'x@client.test foreign-sender'],
    )
  })
})

/** A message without the fields Postfix writes anew for each copy. */
function withoutIds(bytes: Buffer): string {
  return withoutReceived(bytes)
    .replace(/^Message-Id:[^\r\n]*\r\n/m, '')
    .replace(/^Date:[^\r\n]*\r\n/m, '')
}
