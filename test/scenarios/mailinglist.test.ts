/** Debian's mlmmj, which hands what a list sends to port 25: its members are asked about one by one, and counted no bounce of. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { findInjectors } from '../../lib/doctor/injectors.js'
import { cannotBeFresh } from '../support/debian.js'
import { assertDone } from '../support/lab.js'
import { cannotRunMlmmj, List } from '../support/mlmmj.js'
import { Site } from '../support/site.js'

const skip = cannotBeFresh() || cannotRunMlmmj()
const OWN = 'anna@company.example'
const STAFF = 'staff@company.example'

/** The sender that the list gives to what it sends a member, by whom it tells bounces apart (VERP). */
function verp(member: string, n: number): string {
  return `staff+bounces-${n}-${member.replace('@', '=')}@company.example`
}

t.test('a list with members outside', { skip }, async (t) => {
  const list = List.make(t, 'staff', ['bob@company.example', 'carl@known.example', 'dora@stranger.example'])
  const site = await Site.make(
    t,
    ['recipient_delimiter=+', ...list.settings],
    ({ host }) => `${list.service}${host}:submission inet n - n - - smtpd\n`,
  )
  const { debian } = site
  list.relayThrough(debian.host)
  t.same(
    findInjectors(list.root).filter(({ program }) => program === 'mlmmj'),
    [
      {
        program: 'mlmmj',
        setting: `${list.root}/var/spool/mlmmj/staff/control/relayhost`,
        host: debian.host,
        port: '25',
      },
    ],
    'where it hands its mail to is found',
  )
  const command = ['init', '--postfix', '--relay', '127.0.0.0/24', '--apply']
  assertDone(t, await debian.toeh(...command), 'postfix check finds nothing wrong')
  assertDone(t, await debian.toeh('allow', 'known.example'), /^rule/)
  debian.start(t)

  const text = `From: ${OWN}\nTo: ${STAFF}\nMessage-ID: <1@company.example>\nSubject: news\n\nNews for all\n`
  t.match(await site.send({ port: 587, sender: OWN, recipients: [STAFF], text }), /^\w{11}/)
  await site.until('the list', () => site.decisions().length === 3 && site.sink.mails.length >= 2)
  t.same(await site.reached(), [
    `${verp('bob@company.example', 1)} bob@company.example`,
    `${verp('carl@known.example', 1)} carl@known.example`,
  ])
  t.same(site.decided(), [
    `${OWN} ${STAFF} pass internal`,
    `${verp('carl@known.example', 1)} carl@known.example pass allowed`,
    `${verp('dora@stranger.example', 1)} dora@stranger.example hold unknown`,
  ])
  t.same(list.bounced(), [], 'and the list is not told of what waits: it would take that for a bounce')

  const waiting = JSON.parse((await debian.toeh('list', '--automatic', '--json')).stdout)
  t.match(waiting, [{ sender: verp('dora@stranger.example', 1), automatic: 'bounce address' }])
  const [held = ''] = site.decisions().flatMap(({ hold }) => hold ?? [])
  assertDone(t, await debian.toeh('release', held), 'dora@stranger.example')
  const mail = (await site.arrived()).find(({ recipients }) => recipients[0] === 'dora@stranger.example')
  t.match(mail, { sender: verp('dora@stranger.example', 1), bytes: /\r\n\r\nNews for all\r\n/ })

  // What a list needs: a rule for its sender, which counts without its extension.
  assertDone(t, await debian.toeh('allow', 'dora@stranger.example', '--for', STAFF), /^rule/)
  const { status } = spawnSync('/usr/sbin/sendmail', ['-C', debian.etc, '-f', OWN, STAFF], {
    input: text.replace('<1@', '<2@'),
    env: { ...debian.env },
  })
  t.equal(status, 0)
  await site.until('the list', () => site.decisions().length === 6 && site.sink.mails.length >= 6)
  t.same(
    (await site.reached()).filter((line) => line.includes('bounces-2')),
    [
      `${verp('bob@company.example', 2)} bob@company.example`,
      `${verp('carl@known.example', 2)} carl@known.example`,
      `${verp('dora@stranger.example', 2)} dora@stranger.example`,
    ],
  )
  t.same(list.bounced(), [])
  t.same(await site.faults('entrances'), [])
  t.same(await site.faults('port-25'), [])
})
