/** Debian's amavis behind the gate, as docs/postfix.md draws it, and what the connection it keeps open means. */
import { execFileSync, spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { cannotRunAmavis, startAmavis } from '../support/amavis.js'
import { cannotBeFresh } from '../support/debian.js'
import { type Answer, find, paste } from '../support/doctor.js'
import { assertDone } from '../support/lab.js'
import { freePort } from '../support/postfix.js'
import { Site } from '../support/site.js'

const skip = cannotBeFresh() || cannotRunAmavis()
const OWN = 'anna@company.example'
const EVE = 'eve@evil.example'
const INTERNET = '127.99.0.9'

interface Chain {
  site: Site
  /** The service that amavis hands back to, as doctor names it. */
  back: string
  endAmavis: () => Promise<void>
  startAmavis: () => Promise<() => Promise<void>>
}

/** As amavis' README.postfix has it: all mail to amavis, and from there to a service without a filter. Started. */
async function makeChain(t: Test): Promise<Chain> {
  const [port, back] = [await freePort(), await freePort()]
  const site = await Site.make(
    t,
    [`content_filter=smtp-amavis:[127.0.0.1]:${port}`],
    ({ host }) => `smtp-amavis unix - - n - 1 smtp
  -o smtp_data_done_timeout=1200
  -o smtp_send_xforward_command=yes
  -o disable_dns_lookups=yes
  -o max_use=20
${host}:${back} inet n - n - - smtpd
  -o syslog_name=postfix/from-amavis
  -o content_filter=
  -o local_recipient_maps=
  -o relay_recipient_maps=
  -o smtpd_restriction_classes=
  -o smtpd_delay_reject=no
  -o smtpd_client_restrictions=permit_mynetworks,reject
  -o smtpd_helo_restrictions=
  -o smtpd_sender_restrictions=
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
  -o mynetworks=127.0.0.0/8
  -o smtpd_authorized_xforward_hosts=127.0.0.0/8
  -o receive_override_options=no_header_body_checks,no_unknown_recipient_checks,no_milters
${host}:submission inet n - n - - smtpd
`,
  )
  const { debian } = site
  debian.start(t)
  const start = (): Promise<() => Promise<void>> => startAmavis(t, port, `${debian.host}:${back}`)
  return { site, back: `${debian.host}:${back}/inet`, endAmavis: await start(), startAmavis: start }
}

/** The recipients who were reached, each by how many passes through amavis. */
async function reached({ site }: Chain): Promise<string[]> {
  const mails = await site.arrived()
  return mails
    .map(({ recipients, bytes }) => {
      const passes = bytes.toString().match(/^Received:.*(?:\r\n[\t ].*)*\(amavis/gm) ?? []
      return `${recipients.join()} ${passes.length}`
    })
    .sort()
}

/** One from each way in, to somebody known and a stranger. */
async function sendAll({ site }: Chain, name: string): Promise<void> {
  const { debian } = site
  await site.send({ port: 587, sender: OWN, recipients: [`${name}@known.example`] })
  await site.send({ port: 587, sender: OWN, recipients: [`${name}@stranger.example`] })
  await site.send({ from: INTERNET, sender: EVE, recipients: [`${name}@company.example`] })
  const pickup = [`${name}-pickup@known.example`, `${name}-pickup@stranger.example`]
  const sendmail = spawnSync('/usr/sbin/sendmail', ['-C', debian.etc, '-f', OWN, ...pickup], {
    input: 'Subject: pickup\n\nBody\n',
    env: { ...debian.env },
    encoding: 'utf8',
  })
  if (sendmail.status !== 0) throw new Error(sendmail.stderr)
}

/** The smtpd(8) processes that amavis has handed mail to, in order. */
function servers({ site }: Chain): string[] {
  return [...site.debian.log().matchAll(/from-amavis\/smtpd\[(\d+)\]: \w+: client=/g)].map(
    ([, pid = '']) => pid,
  )
}

function reload({ site }: Chain): void {
  execFileSync('/usr/sbin/postfix', ['-c', site.debian.etc, 'reload'], { stdio: 'pipe' })
}

t.test('the gate before amavis, put in while mail flows', { skip }, async (t) => {
  const chain = await makeChain(t)
  const { site, back } = chain
  const { debian, sink } = site
  await site.send({ port: 587, sender: OWN, recipients: ['early@stranger.example'] })
  t.same(await reached(chain), ['early@stranger.example 1'], 'without the gate it leaves')
  assertDone(t, await debian.toeh('allow', 'known.example'), /^rule/)
  const init = await debian.toeh('init', '--postfix', '--apply', '--reload')
  assertDone(t, init, /smtp-amavis:\[127\.0\.0\.1\]:\d+ comes behind the gate now/)
  sink.mails.length = 0
  await sendAll(chain, 'a')
  t.same(await reached(chain), ['a-pickup@known.example 1', 'a@company.example 1', 'a@known.example 1'])
  t.same(site.decided(), [
    `${OWN} a-pickup@known.example pass allowed`,
    `${OWN} a-pickup@stranger.example hold unknown`,
    `${OWN} a@known.example pass allowed`,
    `${OWN} a@stranger.example hold unknown`,
  ])
  const [first, ...later] = servers(chain)
  t.ok(
    later.length >= 3 && later.every((pid) => pid === first),
    'all by the connection from before the reload',
  )
  // The id of the gate's own copy, and where amavis has put it.
  for (const { passedAs } of site.decisions().filter((one) => one.passedAs !== null))
    t.match(
      debian.log(),
      new RegExp(`${passedAs}: to=<.*>, relay=127\\.0\\.0\\.1\\[.*status=sent \\(250 2\\.0\\.0 from MTA`),
    )
  t.same(await site.faults('way-back-filter'), [])
  t.same(await site.faults('entrances'), [`warning ${back} does not hand its mail to the gate`])
})

t.test('the gate where amavis hands back, and mended while mail flows', { skip }, async (t) => {
  const chain = await makeChain(t)
  const { site, back } = chain
  const { debian, sink } = site
  assertDone(t, await debian.toeh('allow', 'known.example'), /^rule/)
  await site.send({ port: 587, sender: OWN, recipients: ['early@known.example'] })
  await site.arrived()
  // The services of the gate, and then what is written in many a howto.
  assertDone(t, await debian.toeh('init', '--postfix', '--apply'), /comes behind the gate now/)
  debian.postconf('-PX', `${debian.host}:submission/inet/content_filter`, 'pickup/unix/content_filter')
  debian.postconf('-P', `${debian.host}:10026/inet/content_filter=`, `${back}/content_filter=toeh:dummy`)
  reload(chain)
  sink.mails.length = 0
  await site.send({ port: 587, sender: OWN, recipients: ['late@stranger.example'] })
  t.same(
    await reached(chain),
    ['late@stranger.example 1'],
    'amavis goes on by the connection without the gate',
  )
  t.same(site.decided(), [])
  await chain.endAmavis()
  const end = await chain.startAmavis()
  await sendAll(chain, 'a')
  t.same(await reached(chain), [
    'a-pickup@known.example 1',
    'a@company.example 1',
    'a@known.example 1',
    'late@stranger.example 1',
  ])
  t.same(site.decided(), [
    `${OWN} a-pickup@known.example pass allowed`,
    `${OWN} a-pickup@stranger.example hold unknown`,
    `${OWN} a@known.example pass allowed`,
    `${OWN} a@stranger.example hold unknown`,
    `${EVE} a@company.example pass internal`,
  ])
  const { stdout } = await debian.toeh('doctor', '--json', '--config-dir', debian.etc)
  const found = find(JSON.parse(stdout) as Answer, 'entrances')?.faults ?? []
  t.match(found[0], {
    level: 'critical',
    what: `${back} hands to the gate what another filter hands back`,
    why: /restart that filter after the reload, or mail goes in a circle on the connection that it keeps open, until Postfix refuses it$/,
  })
  paste(found.flatMap(({ mend }) => mend))
  reload(chain)
  sink.mails.length = 0
  await site.send({ port: 587, sender: OWN, recipients: ['b@known.example'] })
  t.same(await reached(chain), [], 'as doctor says, amavis goes on by the connection with the gate')
  t.match(debian.log(), 'message rejected: hopcount exceeded')
  await end()
  await chain.startAmavis()
  sink.mails.length = 0
  await sendAll(chain, 'c')
  t.same(await reached(chain), ['c-pickup@known.example 1', 'c@company.example 1', 'c@known.example 1'])
  t.same(site.decided().filter((line) => line.includes(EVE)).length, 1, 'what comes in is not asked about')
})
