/** The express lane in a real Postfix: what goes past the filter, and what never does. */
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import t from 'tap'
import bettersqlite from '../../lib/bettersqlite.cjs'
import { laneFiles, laneFolder, lanePath } from '../../lib/lane.js'
import { assertDone, MESSAGE } from '../support/lab.js'
import { Conversation, cannotAskSqlite, Postfix } from '../support/postfix.js'

const Sqlite = bettersqlite.load()

const OWN = 'anna@corp.test'

/** The queue ids of messages that went through the filter. */
const filtered = (postfix: Postfix): Set<string> => new Set(postfix.decisions().map(({ queueId }) => queueId))

t.test('what goes past the filter', { skip: cannotAskSqlite() }, async (t) => {
  const postfix = await Postfix.start(t, { express: true, main: ['recipient_delimiter=+'] })
  const run = async (...args: string[]): Promise<void> => assertDone(t, await postfix.toeh(...args), /^rule/)
  await run('allow', 'known.test', 'sales@one.test', 'strasse.test', 'kiss@one.test')
  await run('allow', 'wide.test', '--subdomains')
  await run('allow', 'mine.test', '--for', OWN)
  await run('allow', 'brief.test', '--until', '30d')
  await run('allow', 'corp.test')
  await run('block', 'bad@known.test')
  const cases: [string, string, 'past' | 'filter'][] = [
    [OWN, 'x@known.test', 'past'],
    [OWN, 'X@KNOWN.Test', 'past'],
    ['Anna+tag@Corp.Test', 'x@known.test', 'past'],
    ['', 'x@known.test', 'past'],
    [OWN, 'sales@one.test', 'past'],
    [OWN, 'x@wide.test', 'past'],
    [OWN, '@relay.test:x@known.test', 'past'],
    [OWN, 'x@a.wide.test', 'filter'],
    [OWN, 'sales+x@one.test', 'filter'],
    [OWN, 'x+y@known.test', 'filter'],
    [OWN, 'other@one.test', 'filter'],
    [OWN, 'bad@known.test', 'filter'],
    [OWN, 'x@mine.test', 'filter'],
    [OWN, 'x@brief.test', 'filter'],
    [OWN, 'x@stranger.test', 'filter'],
    [OWN, 'otto@corp.test', 'filter'],
    [OWN, 'x@sub.known.test', 'filter'],
    [OWN, '"x y"@known.test', 'filter'],
    [OWN, '"x@evil.test"@known.test', 'filter'],
    [OWN, 'x%evil.test@known.test', 'filter'],
    [OWN, 'x%evil.test@corp.test', 'filter'],
    [OWN, '"x@evil.test"@corp.test', 'filter'],
    [OWN, "o'x@known.test", 'filter'],
    [OWN, '\u{212a}iss@one.test', 'filter'],
    [OWN, 'kiß@one.test', 'filter'],
    [OWN, 'kis\u{17f}@one.test', 'filter'],
    ['eva@evil.test', 'x@known.test', 'filter'],
    ['x%corp.test@evil.test', 'x@known.test', 'filter'],
    ['root', 'x@known.test', 'filter'],
    ['x@corp.test.evil.test', 'x@known.test', 'filter'],
    ['a..b@corp.test', 'x@known.test', 'filter'],
    [`${'a'.repeat(65)}@corp.test`, 'x@known.test', 'filter'],
  ]
  const ids: string[] = []
  for (const [sender, recipient] of cases) ids.push(await postfix.submit(sender, [recipient], MESSAGE))
  await postfix.settled()
  const through = filtered(postfix)
  for (const [index, [sender, recipient, way]] of cases.entries())
    t.equal(through.has(ids[index] ?? '') ? 'filter' : 'past', way, `<${sender}> to <${recipient}>`)
  await t.test('what Unicode would fold to a known domain is refused', async (t) => {
    for (const recipient of ['x@straße.test', 'x@\u{17f}trasse.test', 'x@\u{212a}nown.test'])
      await t.rejects(
        postfix.submit(OWN, [recipient], MESSAGE),
        /RCPT TO:[\s\S]* was answered 501 5\.1\.3 /,
        recipient,
      )
    const [own, known] = ['anna@corp.te\u{17f}t', 'x@known.test']
    await t.rejects(postfix.submit(own, [known], MESSAGE), /MAIL FROM:[\s\S]* was answered 501 5\.1\.7 /)
    const mail = ' SMTPUTF8'
    await t.rejects(
      postfix.submit(OWN, [known], MESSAGE, { mail }),
      /MAIL FROM:[\s\S]* was answered 555 5\.5\.4 /,
    )
  })
  await t.test('one stranger takes the whole message to the filter', async (t) => {
    for (const recipients of [
      ['x@known.test', 'y@stranger.test'],
      ['y@stranger.test', 'x@known.test'],
      ['x@known.test', 'y@stranger.test', 'z@known.test'],
    ]) {
      const before = postfix.sink.mails.length
      const id = await postfix.submit(OWN, recipients, MESSAGE)
      await postfix.settled()
      t.ok(filtered(postfix).has(id), recipients.join(' '))
      const sent = postfix.sink.mails.slice(before).flatMap((mail) => mail.recipients)
      t.strictSame(sent.sort(), recipients.filter((address) => address.endsWith('known.test')).sort())
    }
  })
  await t.test('Postfix asks about the address it has resolved, and delivers to that', async (t) => {
    for (const recipient of [
      'r1%known.test@corp.test',
      'known.test!r1@corp.test',
      '"r2@known.test"@corp.test',
      '"r3"@known.test',
    ]) {
      const id = await postfix.submit(OWN, [recipient], MESSAGE)
      const mail = (await postfix.settled()).at(-1)
      t.match(mail?.recipients, [/^r[123]@known\.test$/], recipient)
      t.notOk(filtered(postfix).has(id), recipient)
    }
  })
})

t.test(
  'a change counts for the very next message of a connection that is open',
  { skip: cannotAskSqlite() },
  async (t) => {
    const postfix = await Postfix.start(t, { express: true })
    const run = async (...args: string[]): Promise<void> =>
      assertDone(t, await postfix.toeh(...args), /^rule/)
    const open = await Promise.all([1, 2, 3].map(() => Conversation.open(postfix.submission)))
    t.teardown(() => {
      for (const one of open) one.close()
    })
    for (const one of open) await one.say('EHLO pc.corp.test\r\n')
    /** One message by each connection: how many went to the filter. */
    const toFilter = async (recipient: string): Promise<number> => {
      const ids = []
      for (const one of open) ids.push(await one.send(OWN, [recipient], MESSAGE))
      await postfix.settled()
      const through = filtered(postfix)
      return ids.filter((id) => through.has(id)).length
    }
    t.equal(await toFilter('x@known.test'), 3, 'unknown')
    await run('allow', 'known.test')
    t.equal(await toFilter('x@known.test'), 0, 'allowed')
    await run('block', 'x@known.test')
    t.equal(await toFilter('x@known.test'), 3, 'blocked')
    t.equal(await toFilter('y@known.test'), 0, 'and nobody else')
    await run('revoke', 'x@known.test')
    t.equal(await toFilter('x@known.test'), 0, 'the block revoked')
    await run('allow', 'deep.mail.test', 'y@deep.mail.test')
    t.equal(await toFilter('x@deep.mail.test'), 0)
    await run('block', 'mail.test', '--subdomains')
    t.equal(await toFilter('x@deep.mail.test'), 3, 'a block above')
    t.equal(await toFilter('y@deep.mail.test'), 3, 'of an address as well')
    await run('revoke', 'mail.test')
    t.equal(await toFilter('x@deep.mail.test'), 0, 'which is revoked')
    await run('block', 'known.test', '--for', '@corp.test')
    t.equal(await toFilter('x@known.test'), 3, 'a block for some')
    await run('revoke', 'known.test')
    t.equal(await toFilter('x@known.test'), 3, 'revoked')
    const held = postfix.decisions().filter(({ recipients }) => recipients[0]?.did === 'held')
    // For deep.mail.test the filter knows better: its own allow is nearer than the block above.
    t.equal(held.length, 12, 'and what goes to x@known.test by the filter is held')
  },
)

t.test('no submission fails for a lock', { skip: cannotAskSqlite() }, async (t) => {
  const postfix = await Postfix.start(t, { express: true })
  assertDone(t, await postfix.toeh('allow', 'known.test'), 'rule 1')
  const path = lanePath(postfix.lab.state)
  /** Submits some messages at once; how many went to the filter, when all are delivered. */
  const toFilter = async (count: number): Promise<number> => {
    const before = postfix.sink.mails.length
    const ids = await Promise.all(
      Array.from({ length: count }, () => postfix.submit(OWN, ['x@known.test'], MESSAGE)),
    )
    await postfix.settled()
    t.equal(postfix.sink.mails.length - before, count, 'each was taken and delivered')
    const through = filtered(postfix)
    return ids.filter((id) => through.has(id)).length
  }
  t.equal(await toFilter(5), 0)
  const db = new Sqlite(path)
  db.exec("BEGIN IMMEDIATE; INSERT INTO lane VALUES ('@other.test', 1)")
  t.equal(await toFilter(20), 0, 'a writer that does not end')
  db.exec('ROLLBACK')
  // Its last connection closes, a new smtpd finds nothing of the log.
  db.close()
  postfix.command('reload')
  t.equal(await toFilter(10), 0, 'the log is made anew')
  const changes = (async () => {
    for (let i = 0; i < 3; i++) assertDone(t, await postfix.toeh('allow', `other${i}.test`), 'rule')
  })()
  t.equal(await toFilter(40), 0, 'while rules change')
  await changes
  t.notMatch(postfix.log(), /dict_sqlite|fatal|throttling/)
})

t.test('who may read what', { skip: cannotAskSqlite() }, async (t) => {
  const postfix = await Postfix.start(t, { express: true })
  assertDone(t, await postfix.toeh('allow', 'known.test', '--note', 'secret contract'), 'rule 1')
  const id = (...args: string[]): number => Number(execFileSync('id', args, { encoding: 'utf8' }))
  const rights = (path: string): unknown[] => {
    const { mode, uid, gid } = statSync(path)
    return [(mode & 0o7777).toString(8), uid, gid]
  }
  const { map, senders, recipients } = laneFiles(postfix.lab.config)
  const owner = [id('-u', 'nobody'), id('-g', 'postfix')]
  t.strictSame(rights(laneFolder(postfix.lab.state)), ['2770', ...owner])
  t.strictSame(rights(lanePath(postfix.lab.state)), ['666', ...owner])
  for (const path of [map, senders, recipients]) t.strictSame(rights(path), ['644', 0, 0])
  const db = new Sqlite(lanePath(postfix.lab.state), { readonly: true })
  t.strictSame(db.prepare('SELECT * FROM lane').all(), [{ key: '@known.test', pass: 1 }])
  t.strictSame(db.prepare('SELECT name FROM sqlite_schema').pluck().all(), ['lane'])
  db.close()
})
