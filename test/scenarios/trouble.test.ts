/** Trouble in a real Postfix: whatever breaks, mail waits in its queue, and then goes once. */

import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { NODE } from '../support/lab.js'
import { cannotRun, Postfix } from '../support/postfix.js'

const skip = cannotRun()

/** The filters of this installation that run now. */
function filters(config: string): number[] {
  const { stdout } = spawnSync('pgrep', ['-f', `^${NODE} .*toeh-filter.*--config=${config}`], {
    encoding: 'utf8',
  })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map(Number)
}

/** A server that takes connections and says nothing: a reinjection that hangs. */
async function silentServer(): Promise<{ server: Server; port: number }> {
  const server = createServer()
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return { server, port: (server.address() as { port: number }).port }
}

t.test('10026 down, then back: one copy, and what was held is held once', { skip }, async (t) => {
  const postfix = await Postfix.start(t)
  postfix.editMaster((text) =>
    text
      .replace(/^127\.0\.0\.1:(\d+)( inet n - n - 20 smtpd)/m, '#down 127.0.0.1:$1$2')
      .replace(
        /(#down[^\n]*\n)((?: {2}[^\n]*\n)+)/,
        (_, head, options) => head + options.replace(/^/gm, '#'),
      ),
  )
  await postfix.submit('anna@corp.test', ['bob@corp.test', 'x@stranger.test'], 'Subject: down\n\nx\n')
  await postfix.until('a deferral', () =>
    /status=(deferred|SOFTBOUNCE) \(toeh: reinject at 127\.0\.0\.1:\d+: connection refused \(ECONNREFUSED\)/.test(
      postfix.log(),
    ),
  )
  t.equal(postfix.lab.held().length, 1)
  t.same(postfix.lab.states(), ['x@stranger.test held'])
  postfix.editMaster((text) => text.replace(/^#(?:down )?/gm, ''))
  postfix.flush()
  const mails = await postfix.settled()
  t.same(
    mails.map(({ recipients }) => recipients),
    [['bob@corp.test']],
  )
  t.equal(postfix.lab.held().length, 1)
  t.same(postfix.lab.states(), ['bob@corp.test passed', 'x@stranger.test held'])
})

t.test('killed in the middle, then retried: one copy, one hold, no trace', { skip }, async (t) => {
  const { server, port } = await silentServer()
  const postfix = await Postfix.start(t, { settings: '' })
  const direct = readFileSync(postfix.lab.config, 'utf8')
  postfix.lab.configure(`reinject = "smtp:127.0.0.1:${port}"\n[notice]\nenabled = false\n`)
  await postfix.submit('anna@corp.test', ['bob@corp.test', 'x@stranger.test'], 'Subject: killed\n\nx\n')
  await postfix.until('a hold', () => postfix.lab.held().length === 1)
  const pids = filters(postfix.lab.config)
  t.equal(pids.length, 1)
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await postfix.until('a deferral', () => /relay=toeh.*(deferred|SOFTBOUNCE)/.test(postfix.log()))
  server.close()
  postfix.lab.configure(direct.split('\n').slice(2).join('\n'))
  postfix.flush()
  const mails = await postfix.settled()
  t.same(
    mails.map(({ recipients }) => recipients),
    [['bob@corp.test']],
  )
  t.equal(postfix.lab.held().length, 1)
  t.same(postfix.lab.states(), ['bob@corp.test passed', 'x@stranger.test held'])
})

t.test('database locked for longer than the timeout: deferred, then delivered once', { skip }, async (t) => {
  const postfix = await Postfix.start(t, { settings: 'busy_seconds = 1' })
  const db = postfix.lab.openDatabase()
  // An exclusive lock keeps readers out too.
  db.run('PRAGMA locking_mode = EXCLUSIVE')
  db.transaction(() => db.run("INSERT INTO notice (sender, sent_at) VALUES ('', 0)"))
  await postfix.submit('anna@corp.test', ['bob@corp.test', 'x@stranger.test'], 'Subject: locked\n\nx\n')
  await postfix.until('a deferral', () =>
    /status=(deferred|SOFTBOUNCE) \(toeh: database .*locked/.test(postfix.log()),
  )
  t.same(postfix.sink.mails, [])
  t.same(postfix.lab.held(), [])
  db.close()
  postfix.flush()
  const mails = await postfix.settled()
  t.same(
    mails.map(({ recipients }) => recipients),
    [['bob@corp.test']],
  )
  t.same(postfix.lab.states(), ['bob@corp.test passed', 'x@stranger.test held'])
})

const BROKEN: Record<string, (lines: string) => string> = {
  'exit 1': (lines) => lines.replace(/argv=\S+ \S+/, 'argv=/bin/false'),
  'exit 127': (lines) => lines.replace(/argv=\S+ \S+/, 'argv=/bin/sh /nonexistent'),
  'a missing program': (lines) => lines.replace(/argv=\S+/, 'argv=/nonexistent/toeh-filter'),
  'an option this program does not know': (lines) => lines.replace('--sender=', '--from='),
}
/** What the shell that starts Node answers for, so that nothing depends on soft_bounce. */
const ANSWERED: typeof BROKEN = {
  'a missing node': (lines) => lines.replace(/--node=\S+/, '--node=/nonexistent/node'),
  'a node that ends with a status of its own': (lines) => lines.replace(/--node=\S+/, '--node=/bin/false'),
}
for (const [name, breakNode] of Object.entries(ANSWERED)) {
  t.test(`${name}: a deferral, also without soft_bounce`, { skip }, async (t) => {
    const breakService = (lines: string): string => breakNode(lines.replace('  -o soft_bounce=yes\n', ''))
    const postfix = await Postfix.start(t, { breakService })
    t.notMatch(readFileSync(join(postfix.dir, 'etc/master.cf'), 'utf8'), /soft_bounce=yes/)
    await postfix.submit('anna@corp.test', ['bob@corp.test'], 'Subject: broken\n\nx\n')
    await postfix.until('a deferral', () => /relay=toeh.*dsn=4\.3\.0, status=deferred/.test(postfix.log()))
    t.equal(postfix.queue().length, 1)
    t.notMatch(postfix.log(), /status=(bounced|SOFTBOUNCE)/)
    t.same(postfix.sink.mails, [])
  })
}

for (const [name, breakService] of Object.entries(BROKEN)) {
  t.test(`${name}: a deferral, never a bounce`, { skip }, async (t) => {
    const postfix = await Postfix.start(t, { breakService })
    await postfix.submit('anna@corp.test', ['bob@corp.test'], 'Subject: broken\n\nx\n')
    await postfix.until('a deferral', () =>
      /relay=toeh.*dsn=4\.\d\.\d, status=(deferred|SOFTBOUNCE)/.test(postfix.log()),
    )
    t.equal(postfix.queue().length, 1)
    t.notMatch(postfix.log(), /status=bounced/)
    t.same(postfix.sink.mails, [])
  })
}

// 3.10 and newer hide it by the second, and show it by the option that toeh init --postfix gives 10026 there.
for (const [main, option] of [
  [[], ''],
  [['smtpd_hide_client_session=yes'], '\n  -o smtpd_hide_client_session=no'],
] as const) {
  const where = ['10026 left with a content_filter', ...main].join(', ')
  t.test(`the loop guard: ${where}`, { skip }, async (t) => {
    const loop = (lines: string): string =>
      lines.replace('-o content_filter=\n', `-o content_filter=toeh:dummy${option}\n`)
    const postfix = await Postfix.start(t, { breakService: loop, main: [...main] })
    await postfix.submit('anna@corp.test', ['bob@corp.test'], 'Subject: loop\n\nx\n')
    await postfix.until('the guard', () =>
      /status=(deferred|SOFTBOUNCE) \(toeh: reinject: this message has come back/.test(postfix.log()),
    )
    t.equal(postfix.queue().length, 1)
    t.same(postfix.sink.mails, [])
  })
}

t.test('reinjection by the real sendmail', { skip }, async (t) => {
  const postfix = await Postfix.start(t)
  // With the filter on pickup this would loop.
  postfix.editMaster((text) => text.replace(/(pickup\n) {2}-o content_filter=toeh:dummy\n/, '$1'))
  // sendmail takes this instance's configuration from MAIL_CONFIG, which pipe(8) sets for its child; only root or
  // a user whom Postfix trusts may name one, so the filter is run as root here.
  postfix.lab.configure('reinject = "sendmail:/usr/sbin/sendmail"\n[notice]\nenabled = false\n')
  execFileSync('chown', ['-R', 'root:root', postfix.lab.state])
  const env = { MAIL_CONFIG: join(postfix.dir, 'etc') }
  const input = 'Received: from pc\nSubject: by sendmail\n\n.\nFrom me\nlast\n'
  for (const sender of ['anna@corp.test', '']) {
    const { code, stdout } = await postfix.lab.filter({
      sender,
      recipients: ['bob@corp.test', 'x@stranger.test'],
      input,
      env,
    })
    t.equal(code, 0, stdout)
    t.match(stdout, /^toeh: passed 1, held 1 in \w{12}\n$/)
    await postfix.until('a copy', () => postfix.sink.mails.length === 1)
    const [mail] = await postfix.settled()
    t.same([mail?.sender, mail?.recipients], [sender, ['bob@corp.test']])
    t.match(
      mail?.bytes.toString('latin1'),
      /\r\nSubject: by sendmail\r\n(.+\r\n)*\r\n\.\r\nFrom me\r\nlast\r\n$/,
    )
    postfix.sink.mails.length = 0
  }
})

t.test('notices reach sender and approvers past the gate', { skip }, async (t) => {
  const postfix = await Postfix.start(t, {
    settings: 'approvers = ["boss@corp.test"]\nlanguage = "fr"',
    notice: '',
  })
  await postfix.submit(
    'anna@corp.test',
    ['x@stranger.test'],
    'Subject: telling\nMessage-ID: <t@corp.test>\n\nx\n',
  )
  await postfix.until('two notices', () => postfix.sink.mails.length === 2)
  const mails = await postfix.settled()
  // Postfix delivers both at once.
  t.strictSame(mails.map(({ sender, recipients }) => `<${sender}> to ${recipients.join()}`).sort(), [
    '<> to anna@corp.test',
    '<> to boss@corp.test',
  ])
  for (const { bytes } of mails) {
    t.match(bytes.toString(), /^Auto-Submitted: auto-generated\r$/m)
    t.match(bytes.toString(), /^In-Reply-To: <t@corp.test>\r$/m)
  }
})

t.test('init, as root for another user: everything is that user\u2019s alone', { skip }, async (t) => {
  const postfix = await Postfix.start(t)
  await postfix.toeh('allow', 'client.test')
  await postfix.submit('anna@corp.test', ['a@client.test', 'x@stranger.test'], 'Subject: rights\n\nx\n')
  await postfix.settled()
  const fresh = join(postfix.dir, 'fresh')
  const config = join(fresh, 'etc/toeh.toml')
  const init = await postfix.toeh(
    'init',
    '--config',
    config,
    '--state',
    join(fresh, 'state'),
    '--internal',
    'corp.test',
    '--user',
    'nobody',
  )
  t.equal(init.code, 0, init.stderr)
  for (const state of [postfix.lab.state, join(fresh, 'state')]) {
    const listing = execFileSync('find', [state, '-printf', '%u %y %m\n'], { encoding: 'utf8' })
    t.same([...new Set(listing.trim().split('\n'))].toSorted(), ['nobody d 700', 'nobody f 600'])
  }
  t.equal(execFileSync('stat', ['-c', '%U:%G %a', config], { encoding: 'utf8' }), 'root:nogroup 640\n')
  t.equal((await postfix.toeh('--config', config, 'list')).stdout, 'nothing waits\n')
})
