/** What Postfix's own tables and milters do with a message, on a real Postfix: what goes round the gate, and what does not. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { doctor, find, paste } from '../support/doctor.js'
import { assertDone } from '../support/lab.js'
import { Milter } from '../support/milter.js'
import { cannotRun, Postfix } from '../support/postfix.js'

const skip = cannotRun()
const OWN = 'anna@corp.test'
const KNOWN = 'x@known.test'
const STRANGER = 'y@stranger.test'
const SPY = 'spy@evil.test'

/** A message whose subject is a word that tables look for. */
function about(subject: string): string {
  return `Subject: ${subject}\nMIME-Version: 1.0\n\nBody about ${subject}\n`
}

async function start(t: Test): Promise<Postfix> {
  const postfix = await Postfix.start(t)
  assertDone(t, await postfix.toeh('allow', 'known.test'), 'rule 1')
  return postfix
}

/** Settings of main.cf. */
function set(postfix: Postfix, ...settings: string[]): void {
  execFileSync('/usr/sbin/postconf', ['-c', postfix.etc, '-e', ...settings])
  postfix.command('reload')
}

/** A table's file. */
function table(postfix: Postfix, name: string, text: string): string {
  const path = join(postfix.etc, name)
  writeFileSync(path, text)
  return path
}

/** Who has a copy of this message once Postfix keeps nothing any more. */
async function reached(postfix: Postfix, subject: string, recipients: readonly string[]): Promise<string[]> {
  const before = postfix.sink.mails.length
  await postfix.submit(OWN, recipients, about(subject))
  await postfix.settled()
  const mails = postfix.sink.mails.slice(before)
  return mails.flatMap((mail) => mail.recipients).sort()
}

/** What doctor says of a check, one line a fault. */
async function told(postfix: Postfix, name: string): Promise<string[]> {
  return (find(await doctor(postfix), name)?.faults ?? []).map(({ level, what }) => `${level} ${what}`)
}

t.test('header and body checks, at the entrance', { skip }, async (t) => {
  const postfix = await start(t)
  const { sink } = postfix
  const path = table(
    postfix,
    'header',
    `# of this test
/^Subject: filter/ FILTER smtp:[127.0.0.1]:${sink.port}
/^Subject: redirect/
  REDIRECT ${SPY}
/^Subject: copy/ BCC ${SPY}
/^Subject: reject/ REJECT no`,
  )
  const body = `regexp:{ { /^Body about bodily/ FILTER smtp:[127.0.0.1]:${sink.port} } }`
  set(postfix, `header_checks=regexp:${path}`, `body_checks=${body}`)
  const decisions = postfix.decisions().length
  t.same(await reached(postfix, 'filter', [STRANGER]), [STRANGER])
  t.same(await reached(postfix, 'redirect', [STRANGER]), [SPY])
  t.same(await reached(postfix, 'bodily', [STRANGER]), [STRANGER])
  t.equal(postfix.decisions().length, decisions, 'nobody was asked')
  t.same(
    await reached(postfix, 'copy', [KNOWN]),
    [KNOWN],
    'before the gate a copy is a recipient as every other',
  )
  t.same(postfix.lab.states(), [`${SPY} held`, `${KNOWN} passed`])

  const ids = `(127.0.0.1:${postfix.submission}/inet, pickup/unix)`
  t.same(await told(postfix, 'content-checks'), [
    `critical header_checks regexp:${path}, line 2, /^Subject: filter/: FILTER smtp:[127.0.0.1]:${sink.port} goes round the gate ${ids}`,
    `critical header_checks regexp:${path}, line 3, /^Subject: redirect/: REDIRECT ${SPY} goes round the gate ${ids}`,
    `warning header_checks regexp:${path}, line 5, /^Subject: copy/: BCC ${SPY} copies mail to outside ${ids}`,
    `critical body_checks ${body}, line 1, /^Body about bodily/: FILTER smtp:[127.0.0.1]:${sink.port} goes round the gate ${ids}`,
  ])
  t.same(await told(postfix, 'way-back-checks'), [])
})

t.test('the way back applies no checks a second time', { skip }, async (t) => {
  const postfix = await start(t)
  const back = `127.0.0.1:${postfix.reinjection}/inet`
  const path = table(
    postfix,
    'header',
    `/^Subject: copy/ BCC ${SPY}\n/^Received: from toeh-reinject.*\\.invalid/ PREPEND X-Seen: again\n`,
  )
  set(postfix, `header_checks=regexp:${path}`)
  const isSeen = (): boolean => postfix.sink.mails.at(-1)?.bytes.includes('X-Seen') ?? false
  t.same(await reached(postfix, 'copy', [KNOWN]), [KNOWN])
  t.notOk(isSeen())

  // cleanup(8) reads these settings, not smtpd(8): on 10026 itself they mean nothing.
  postfix.editMaster((text) =>
    text.replace('-o cleanup_service_name=toeh-cleanup', '-o header_checks= -o body_checks='),
  )
  t.same(await reached(postfix, 'copy', [KNOWN]), [SPY, KNOWN], 'and nobody was asked')
  t.ok(isSeen())
  t.same(await told(postfix, 'way-back-checks'), [
    `critical ${back} is served by cleanup/unix, where header_checks mime_header_checks nested_header_checks count`,
    `critical header_checks regexp:${path}, line 1, /^Subject: copy/: BCC ${SPY} adds a recipient that the gate does not see (${back})`,
  ])
  writeFileSync(path, `/^Received: from toeh-reinject/ REDIRECT ${SPY}\n`)
  postfix.command('reload')
  t.same(await reached(postfix, 'redirect', [KNOWN]), [SPY])
  t.match(await told(postfix, 'way-back-checks'), [
    /where header_checks/,
    `critical header_checks regexp:${path}, line 1, /^Received: from toeh-reinject/: REDIRECT ${SPY} goes round the gate (${back})`,
  ])
  const finding = find(await doctor(postfix), 'way-back-checks')
  paste(finding?.faults.flatMap(({ mend }) => mend) ?? [])
  postfix.command('reload')
  t.same(await told(postfix, 'way-back-checks'), [])
  t.same(await reached(postfix, 'copy', [KNOWN]), [KNOWN], 'what doctor says mends it')
})

t.test('what rewrites commands rewrites none of the gate', { skip }, async (t) => {
  const postfix = await start(t)
  const path = table(postfix, 'commands', `/^RCPT TO:<${KNOWN}>/ RCPT TO:<${STRANGER}>\n`)
  const entrance = `127.0.0.1:${postfix.submission} inet n - n - - smtpd\n`
  postfix.editMaster((text) => text.replace(entrance, `${entrance}  -o smtpd_command_filter=\n`))
  set(postfix, `smtpd_command_filter=regexp:${path}`)
  t.same(await reached(postfix, 'commands', [KNOWN]), [KNOWN])
  postfix.editMaster((text) => text.replace('-o smtpd_proxy_filter= -o smtpd_command_filter=', ''))
  t.same(await reached(postfix, 'commands', [KNOWN]), [STRANGER])
  t.same(await told(postfix, 'way-back-options'), [
    `critical 127.0.0.1:${postfix.reinjection}/inet has smtpd_command_filter=regexp:${path}`,
  ])
})

t.test('access tables of the entrance', { skip }, async (t) => {
  const postfix = await start(t)
  const access = table(postfix, 'access', `${OWN} odd, permit\n`)
  execFileSync('/usr/sbin/postmap', ['-c', postfix.etc, `hash:${access}`])
  const filter = `static:{FILTER smtp:[127.0.0.1]:${postfix.sink.port}}`
  set(
    postfix,
    'smtpd_restriction_classes=odd',
    `odd=check_client_access ${filter}`,
    `smtpd_data_restrictions=check_sender_access hash:${access}`,
  )
  t.same(await reached(postfix, 'class', [STRANGER]), [STRANGER])
  const id = `(127.0.0.1:${postfix.submission}/inet)`
  t.same(await told(postfix, 'access-tables'), [
    `critical smtpd_data_restrictions ${filter}: FILTER smtp:[127.0.0.1]:${postfix.sink.port} goes round the gate ${id}`,
  ])
  const cidr = table(postfix, 'cidr', `if 127.0.0.0/8\n127.0.0.1 REDIRECT ${SPY}\nendif\n`)
  set(postfix, `smtpd_client_restrictions=cidr:${cidr}`, 'smtpd_data_restrictions=')
  t.same(await reached(postfix, 'redirect', [STRANGER]), [SPY])
  t.same(postfix.decisions(), [])
  t.same(await told(postfix, 'access-tables'), [
    `critical smtpd_client_restrictions cidr:${cidr}, line 2, 127.0.0.1: REDIRECT ${SPY} goes round the gate ${id}`,
  ])
  set(postfix, 'smtpd_client_restrictions=check_client_access static:{HOLD a look}')
  await postfix.submit(OWN, [STRANGER], about('hold'))
  t.equal(postfix.queue().length, 1)
  t.same(await told(postfix, 'access-tables'), [
    `warning smtpd_client_restrictions static:{HOLD a look}: HOLD a look keeps mail in Postfix's own hold queue ${id}`,
  ])
  t.same(postfix.lab.held(), [], 'and not in ours')
})

t.test('milters', { skip }, async (t) => {
  const postfix = await start(t)
  const milter = await Milter.start(t, { recipients: [SPY], headers: [['X-Flag', 'yes']] })
  set(postfix, `smtpd_milters=${milter.name}`)
  t.same(
    await reached(postfix, 'added', [KNOWN]),
    [KNOWN],
    'before the gate it is a recipient as every other',
  )
  t.equal(milter.messages, 1)
  t.same(postfix.lab.states(), [`${SPY} held`, `${KNOWN} passed`])
  t.same(await told(postfix, 'way-back-checks'), [])

  const checks = table(postfix, 'milter', `/^X-Flag: yes/ FILTER smtp:[127.0.0.1]:${postfix.sink.port}\n`)
  set(postfix, `milter_header_checks=regexp:${checks}`)
  t.same(await reached(postfix, 'flagged', [STRANGER]), [SPY, STRANGER])
  t.same(await told(postfix, 'content-checks'), [
    `critical milter_header_checks regexp:${checks}, line 1, /^X-Flag: yes/: FILTER smtp:[127.0.0.1]:${postfix.sink.port} goes round the gate (127.0.0.1:${postfix.submission}/inet)`,
  ])
  writeFileSync(checks, `/^X-Flag: yes/ BCC ${SPY}\n`)
  set(postfix, 'smtpd_milters=')
  const quiet = await Milter.start(t, { headers: [['X-Flag', 'yes']] })
  set(postfix, `smtpd_milters=${quiet.name}`)
  t.same(await reached(postfix, 'copied', [KNOWN]), [KNOWN], 'milter_header_checks know no BCC')
  t.same(await told(postfix, 'content-checks'), [])

  set(postfix, 'milter_header_checks=', `smtpd_milters=${milter.name}`)
  postfix.editMaster((text) =>
    text.replace('no_unknown_recipient_checks,no_milters,', 'no_unknown_recipient_checks,'),
  )
  t.same(await reached(postfix, 'behind', [KNOWN]), [SPY, KNOWN], 'behind the gate nobody is asked')
  t.same(await told(postfix, 'way-back-checks'), [
    `warning smtpd_milters ${milter.name} may add recipients that the gate does not see (127.0.0.1:${postfix.reinjection}/inet)`,
  ])
  postfix.lab.configure(
    `reinject = "smtp:127.0.0.1:${postfix.reinjection}"\ntrusted_milters = ["${milter.name}"]\n`,
  )
  t.same(await told(postfix, 'way-back-checks'), [], 'somebody has vouched for it')
})

t.test('what smtp(8) rewrites', { skip }, async (t) => {
  const postfix = await start(t)
  const generic = `inline:{{${KNOWN}=${SPY}}}`
  set(postfix, `smtp_generic_maps=${generic}`)
  t.same(await reached(postfix, 'generic', [KNOWN]), [SPY])
  t.same(await told(postfix, 'generic'), [
    `warning ${generic}: ${KNOWN} is rewritten to ${SPY} when mail leaves`,
  ])
})

t.test('a FILTER that is not asked of all mail', { skip }, async (t) => {
  const postfix = await start(t)
  const filter = 'check_client_access static:{FILTER toeh:dummy}'
  postfix.editMaster((text) =>
    text.replace('-o content_filter=toeh:dummy', '-o smtpd_sender_restrictions=$mine'),
  )
  for (const [list, recipients] of [
    [`permit_mynetworks, ${filter}`, [STRANGER]],
    [`${filter}, permit_mynetworks`, []],
  ] as const) {
    set(postfix, `mine=${list}`)
    t.same(await reached(postfix, 'some', [STRANGER]), recipients, list)
    const faults = await told(postfix, 'entrances')
    const isNamed = faults.some((fault) => fault.includes('permit_mynetworks comes before its FILTER'))
    t.equal(isNamed, recipients.length > 0)
  }
})

t.test('header and body checks of smtp(8) lead nowhere', { skip }, async (t) => {
  const postfix = await start(t)
  const path = table(
    postfix,
    'smtp',
    `/^Subject: filter/ FILTER smtp:[127.0.0.1]:9\n/^Subject: redirect/ REDIRECT ${SPY}\n/^Subject: copy/ BCC ${SPY}\n/^Subject: hold/ HOLD\n`,
  )
  set(postfix, `smtp_header_checks=regexp:${path}`)
  for (const subject of ['filter', 'redirect', 'copy', 'hold'])
    t.same(await reached(postfix, subject, [KNOWN]), [KNOWN], subject)
  t.equal(postfix.log().match(/unsupported command/g)?.length ?? 0, 4, 'Postfix says so')
})
