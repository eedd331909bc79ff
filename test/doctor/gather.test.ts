/** The installation: what is asked of Postfix and of the disk, and what is said of each that does not answer. */
import { chownSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../lib/config.js'
import { databasePath } from '../../lib/database/database.js'
import { greet, lookInside, ownerOf, postfixGroup, readMain, readSettings } from '../../lib/doctor/gather.js'
import { Lane, laneFolder } from '../../lib/express/lane.js'
import { cool } from '../support/cool.js'
import { makeFolder, makeLab } from '../support/lab.js'
import { cannotRun, freePort } from '../support/postfix.js'
import { Talker } from '../support/talker.js'

const NOW = Date.UTC(2026, 10, 24, 12)
const skip = cannotRun()

t.test('what both are told to do', { skip }, async (t) => {
  const lab = makeLab(t, 'reinject = "smtp:127.0.0.1:2525"\n')
  const tables = join(lab.dir, 'domains')
  writeFileSync(tables, 'more.test x\n')
  // Postfix waits for a file that is new.
  utimesSync(tables, 1, 1)
  writeFileSync(
    join(lab.postfix, 'main.cf'),
    `myhostname = mx.corp.test\nmydestination = $myhostname, texthash:${tables}, ldap:/no\n`,
  )
  writeFileSync(
    join(lab.postfix, 'master.cf'),
    'submission inet n - n - - smtpd\n  -o header_checks=regexp:$config_directory/h\ntoeh unix - n n - 1 pipe\n  user=nobody argv=/x/toeh-filter\n',
  )
  cool(lab.postfix)
  const settings = await readSettings(loadConfig(lab.config), lab.postfix)
  t.equal(settings.main.get('mydestination'), `mx.corp.test, texthash:${tables}, ldap:/no`, 'expanded')
  const [submission, gate] = settings.services
  t.equal(submission?.options.get('header_checks'), `regexp:${lab.postfix}/h`)
  t.equal(gate?.program, 'pipe')
  t.strictSame(settings.tables.get(`texthash:${tables}`), [{ key: 'more.test', value: 'x' }])
  t.ok(settings.tables.has('ldap:/no'))
  t.equal(settings.tables.get('ldap:/no'), undefined, 'one that cannot be listed')
  t.equal(settings.expected.reinjection.id, '127.0.0.1:2525/inet')
  t.match(settings.toeh, { path: lab.config, state: lab.state, internal: ['corp.test'] })
  t.match(settings.user, { name: 'nobody', uid: Number })
  t.equal(settings.versions.node, process.versions.node)
  t.equal((await readMain(lab.postfix)).get('myhostname'), 'mx.corp.test')
  await t.rejects(readMain(join(lab.dir, 'none')), { message: /^postconf / })
})

t.test('what the service behind `reinject` says', async (t) => {
  const port = async (answers: Parameters<typeof Talker.start>[1]): Promise<number> =>
    Number(/(\d+)"$/.exec((await Talker.start(t, answers)).setting)?.[1])
  const said = async (at: number): Promise<unknown> => greet({ host: '127.0.0.1', port: at })
  t.strictSame(
    await said(await port({ EHLO: '250-talker.test\r\n250-SIZE 1000\r\n250 XFORWARD ADDR IDENT' })),
    {
      banner: '220 talker.test ESMTP',
      offers: ['SIZE', 'XFORWARD'],
    },
  )
  const failures: [at: number, why: string | RegExp][] = [
    [await port({ HELLO: '554 5.7.1 go away' }), '554 5.7.1 go away'],
    [await port({ EHLO: '502 5.5.1 what?' }), '502 5.5.1 what?'],
    [await port({ EHLO: 'HANG UP' }), 'the connection was closed'],
    [await freePort(), 'connection refused (ECONNREFUSED)'],
  ]
  for (const [at, why] of failures) t.strictSame(await said(at), { failure: `127.0.0.1:${at}: ${why}` })
  const server = createServer((socket) => {
    socket.write('220-first\r\n')
    setImmediate(() => socket.write('220 second\r\n'))
    socket.on('data', () => socket.write('250 only.test\r\n'))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  t.strictSame(await said(address.port), { banner: '220-first\r\n220 second', offers: [] }, 'in pieces')
})

t.test('whose the state folder is', (t) => {
  const dir = makeFolder(t)
  t.equal(ownerOf(join(dir, 'none')), undefined)
  const isRoot = process.getuid?.() === 0
  t.equal(ownerOf(dir), isRoot ? undefined : userInfo().username, 'root’s it should not be')
  if (isRoot) {
    chownSync(dir, 65534, 65534)
    t.equal(ownerOf(dir), 'nobody')
    chownSync(dir, 4_000_000, 0)
    t.equal(ownerOf(dir), undefined, 'nor of somebody there is none of')
  }
  t.equal(postfixGroup(new Map([['mail_owner', 'no-such-user']])), undefined)
  t.equal(postfixGroup(new Map([['mail_owner', 'root']])), 0)
  t.end()
})

t.test('the database and the lane, and why they cannot be seen', async (t) => {
  const lab = makeLab(t, '', '[notice]\nenabled = false\n[express]\nenabled = true\n')
  await lab.allow('known.test')
  const config = loadConfig(lab.config)
  const main = new Map([['mail_owner', 'root']])
  mkdirSync(laneFolder(lab.state), { mode: 0o750 })
  new Lane(config, true).replace([{ key: '@known.test', pass: true }])
  const seen = await lookInside(config, main, NOW)
  t.match(seen, { lane: { enabled: true, rows: [{ key: '@known.test', pass: true }], astray: [] } })
  t.match(seen.database, { newest: 1, load: { messages: 0, bytes: 0 } })
  t.equal(seen.trouble, undefined)
  t.ok(seen.lane.texts.length > 0)
  t.ok(
    seen.lane.texts.every(({ right }) => !right),
    'nobody has written them',
  )
  rmSync(databasePath(lab.state))
  const lost = await lookInside(config, main, NOW)
  t.match(lost.database, { failure: new RegExp(databasePath(lab.state)) })
  t.ok(lost.trouble instanceof Error)
  const off = await lookInside({ ...config, express: { ...config.express, enabled: false } }, main, NOW)
  t.match(off.lane, { enabled: false, texts: [], places: [], rows: undefined })
})
