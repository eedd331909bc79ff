/** Debian's OpenDKIM before the gate and behind it: the gate changes no byte, and a signature's end may come in the hold. */
import t, { type Test } from 'tap'
import { cannotBeFresh, type Debian } from '../support/debian.js'
import { assertDone } from '../support/lab.js'
import { cannotRunOpenDkim, OpenDkim } from '../support/opendkim.js'
import { Site } from '../support/site.js'

const skip = cannotBeFresh() || cannotRunOpenDkim()
const OWN = 'anna@company.example'
const GOOD = /verification \(s=mail, d=company\.example, 2048-bit key\) succeeded/
/** Seconds. */
const TTL = 5
// OpenDKIM signs each byte of the body: blanks at the end of a line, dots.
const TEXT = `From: Anna <${OWN}>\nTo: x@known.example\nSubject:  contract \nMessage-ID: <c@company.example>\n\n.dot \n\nEnd\n`

/** A submission that OpenDKIM is put to by `place`. */
async function makeSite(t: Test, place: (debian: Debian) => void): Promise<Site> {
  const site = await Site.make(t, [], ({ host }) => `${host}:submission inet n - n - - smtpd\n`)
  const { debian } = site
  assertDone(t, await debian.toeh('init', '--postfix', '--apply'), 'postfix check finds nothing wrong')
  assertDone(t, await debian.toeh('allow', 'known.example'), /^rule/)
  place(debian)
  debian.start(t)
  return site
}

function before({ milter }: OpenDkim): (debian: Debian) => void {
  return (debian) => debian.postconf('-P', `${debian.host}:submission/inet/smtpd_milters=${milter}`)
}

/** As docs/postfix.md says it. */
function behind({ milter }: OpenDkim): (debian: Debian) => void {
  return (debian) => {
    const back = `${debian.host}:10026/inet`
    const overrides = debian.postconf('-Ph', `${back}/receive_override_options`).trim()
    debian.postconf(
      '-P',
      `${back}/smtpd_milters=${milter}`,
      `${back}/receive_override_options=${overrides.replace(/,?no_milters/, '')}`,
    )
  }
}

/** One to somebody known and one to a stranger, who is released. @returns what OpenDKIM says of each as it arrived */
async function judgements(t: Test, site: Site, opendkim: OpenDkim, seconds: number): Promise<string[]> {
  const { debian } = site
  for (const to of ['a@known.example', 'a@stranger.example'])
    t.match(await site.send({ port: 587, sender: OWN, recipients: [to], text: TEXT }), /^\w{11}/)
  t.same(await site.reached(), [`${OWN} a@known.example`])
  const [held = ''] = site.decisions().flatMap(({ hold }) => hold ?? [])
  await new Promise((done) => setTimeout(done, seconds * 1000))
  assertDone(t, await debian.toeh('release', held), 'a@stranger.example')
  const mails = await site.arrived()
  const said = mails.map(({ bytes }) => opendkim.judge(bytes))
  t.same(
    mails.map(({ recipients }) => recipients.join()),
    ['a@known.example', 'a@stranger.example'],
  )
  for (const { bytes } of mails) {
    t.equal(bytes.toString().match(/^DKIM-Signature:/gm)?.length, 1, 'signed once')
    t.ok(bytes.toString().endsWith('\r\n\r\n.dot \r\n\r\nEnd\r\n'))
  }
  return said
}

t.test('signed before the gate', { skip }, async (t) => {
  const opendkim = await OpenDkim.start(t)
  const site = await makeSite(t, before(opendkim))
  for (const said of await judgements(t, site, opendkim, 0)) t.match(said, GOOD)
  t.same(await site.faults('way-back-checks'), [])
  const [mail] = await site.arrived()
  t.match(
    opendkim.judge(Buffer.from(String(mail?.bytes).replace('.dot', '.dog'))),
    /failed: signature verification failed/,
    'and one that is not whole is seen',
  )
})

t.test('signed before the gate with an end, which comes in the hold', { skip }, async (t) => {
  const opendkim = await OpenDkim.start(t, TTL)
  const site = await makeSite(t, before(opendkim))
  const [, late] = await judgements(t, site, opendkim, TTL + 1)
  t.match(late, /failed: signature expired/)
})

t.test('signed behind the gate, where the time in the hold does not count', { skip }, async (t) => {
  const opendkim = await OpenDkim.start(t, TTL)
  const site = await makeSite(t, behind(opendkim))
  const [, late] = await judgements(t, site, opendkim, TTL + 1)
  t.match(late, GOOD)
  t.match(
    await site.faults('way-back-checks'),
    [new RegExp(opendkim.milter)],
    'doctor asks whether it adds any',
  )
  site.configure((text) => `trusted_milters = ["${opendkim.milter}"]\n${text}`)
  t.same(await site.faults('way-back-checks'), [])
})
