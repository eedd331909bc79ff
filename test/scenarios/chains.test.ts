/**
 * Chains: another content filter beside the gate, on a real Postfix. The other filter is a process that takes mail by SMTP,
 * marks it and hands it back to a service of its own, as amavis does (README.postfix).
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Fault } from '../../lib/doctor/facts.js'
import { cannotBeFresh, Debian } from '../support/debian.js'
import { type Answer, find, paste } from '../support/doctor.js'
import { assertDone, assertRefused } from '../support/lab.js'
import { Mends } from '../support/mends.js'
import { Conversation, freePort, isEmptyQueue } from '../support/postfix.js'
import { Sink } from '../support/sink.js'

const skip = cannotBeFresh()
const OWN = 'anna@company.example'

/** A filter that marks each message and hands it on to `back`. @returns its port */
async function startScanner(t: Test, host: string, back: number): Promise<number> {
  const scanner = await Sink.start(undefined, {
    onData(stream, session, done) {
      const pieces: Buffer[] = []
      stream.on('data', (piece: Buffer) => pieces.push(piece))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const sender = mailFrom === false ? '' : mailFrom.address
        const text = `X-Scanned: yes\n${Buffer.concat(pieces).toString('latin1').replaceAll('\r\n', '\n')}`
        Conversation.open(back, host)
          .then(async (conversation) => {
            await conversation.say('EHLO scanner.example\r\n')
            const id = await conversation.send(
              sender,
              rcptTo.map(({ address }) => address),
              text,
            )
            conversation.close()
            done(null, `2.0.0 from MTA: queued as ${id}`)
          })
          .catch((error: Error) => done(Object.assign(error, { responseCode: 451 })))
      })
    },
  })
  t.teardown(() => scanner.stop())
  return scanner.port
}

interface Chain {
  debian: Debian
  sink: Sink
  filter: string
  back: number
}

async function makeChain(t: Test): Promise<Chain> {
  const sink = await Sink.start()
  t.teardown(() => sink.stop())
  const debian = new Debian(t, sink.port)
  const back = await freePort()
  const filter = `smtp:[127.0.0.1]:${await startScanner(t, debian.host, back)}`
  debian.postconf(
    '-e',
    'mynetworks=127.0.0.0/24',
    `local_transport=smtp:[127.0.0.1]:${sink.port}`,
    'local_recipient_maps=',
    `content_filter=${filter}`,
  )
  debian.write(
    'master.cf',
    `${debian.read('master.cf')}${debian.host}:${back} inet n - n - - smtpd
  -o content_filter=
  -o receive_override_options=no_header_body_checks,no_unknown_recipient_checks,no_milters
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
  -o mynetworks=127.0.0.0/8
${debian.host}:submission inet n - n - - smtpd
`,
  )
  assertDone(t, await debian.init(), 'internal domains: company.example')
  debian.enforce((text) => text.replace(/^reinject = .*$/m, `reinject = "smtp:${debian.host}:10026"`))
  return { debian, sink, filter, back }
}

async function send(
  { debian }: Chain,
  port: number,
  sender: string,
  recipient: string,
  from = '127.0.0.1',
): Promise<void> {
  const conversation = await Conversation.open(port, debian.host, from)
  await conversation.say('EHLO client.example\r\n')
  await conversation.send(sender, [recipient], 'Subject: chain\n\nBody\n')
  conversation.close()
}

/** Who was reached once the queue is empty, each with whether the other filter has seen it. Notices are left out. */
async function reached({ debian, sink }: Chain): Promise<string[]> {
  for (let tries = 0; !isEmptyQueue(`${debian.dir}/queue`); tries++) {
    if (tries > 600) throw new Error(debian.log().slice(-6000))
    await new Promise((done) => setTimeout(done, 50))
  }
  return sink.mails
    .filter(({ sender }) => sender !== '')
    .map(({ recipients, bytes }) => `${recipients.join()} ${bytes.includes('X-Scanned: yes')}`)
    .sort()
}

async function faults(
  { debian }: Chain,
  check: string,
): Promise<{ what: string[]; mend: string[]; found: Fault[] }> {
  const { stdout } = await debian.toeh('doctor', '--json', '--config-dir', debian.etc)
  const found = find(JSON.parse(stdout) as Answer, check)?.faults ?? []
  const what = found.map(({ level, what }) => `${level} ${what}`)
  return { what, mend: found.flatMap(({ mend }) => mend), found }
}

async function play(t: Test, chain: Chain): Promise<void> {
  const { debian } = chain
  assertDone(t, await debian.toeh('allow', 'known.example'), /^rule/)
  debian.start(t)
  await send(chain, 587, OWN, 'a@known.example')
  await send(chain, 587, OWN, 'a@stranger.example')
  await send(chain, 25, 'eve@evil.example', 'anna@company.example', '127.9.0.1')
  spawnSync('/usr/sbin/sendmail', ['-C', debian.etc, '-f', OWN, 'b@known.example', 'b@stranger.example'], {
    input: 'Subject: pickup\n\nBody\n',
    env: { ...debian.env },
  })
  t.same(await reached(chain), ['a@known.example true', 'anna@company.example true', 'b@known.example true'])
  const held = await debian.toeh('list', '--json')
  t.match(held.stdout, 'a@stranger.example')
  t.match(held.stdout, 'b@stranger.example')
  t.notMatch(held.stdout, 'eve@evil.example', 'incoming mail is not held')
}

t.test('submission and pickup to the gate, the other filter behind it', { skip }, async (t) => {
  const chain = await makeChain(t)
  const { debian, filter } = chain
  const shown = await debian.toeh('init', '--postfix')
  assertDone(t, shown, `${filter} comes behind the gate now: what ${debian.host}:submission/inet takes`)
  t.match(shown.stdout, /Restart that filter after the reload/)
  const before = debian.read('master.cf')
  assertDone(t, await debian.toeh('init', '--postfix', '--apply'), 'postfix check finds nothing wrong')
  t.match(debian.postconf('-P', `${debian.host}:10026/inet/content_filter`), `= ${filter}\n`)
  const again = await debian.toeh('init', '--postfix', '--json')
  t.match(JSON.parse(again.stdout), { postfix: { difference: '' } })
  await play(t, chain)
  t.same((await faults(chain, 'way-back-filter')).what, [])
  t.same(
    (await faults(chain, 'entrances')).what,
    [`warning ${debian.host}:${chain.back}/inet does not hand its mail to the gate`],
    'what is known of it is told, and nothing offered that would hold incoming mail',
  )
  t.same((await faults(chain, 'entrances')).mend, [])
  debian.edit('master.cf', `${debian.host}:smtp inet`, 'smtp      inet')
  assertDone(t, await debian.toeh('init', '--postfix', '--undo'), '\n')
  t.equal(debian.read('master.cf').replace(/\s+/g, ' '), before.replace(/\s+/g, ' '))
})

t.test('the relay of port 25 goes through both as well', { skip }, async (t) => {
  const chain = await makeChain(t)
  const { debian } = chain
  assertDone(t, await debian.toeh('init', '--postfix', '--relay', '127.0.0.0/24', '--apply'), 'postfix check')
  await play(t, chain)
  await send(chain, 25, OWN, 'c@known.example')
  await send(chain, 25, OWN, 'c@stranger.example')
  t.same(
    (await reached(chain)).filter((line) => line.startsWith('c@')),
    ['c@known.example true'],
  )
})

t.test(
  'the gate where that filter hands back: named, and mended by what doctor says',
  { skip },
  async (t) => {
    const chain = await makeChain(t)
    const { debian, back } = chain
    const id = `${debian.host}:${back}/inet`
    debian.postconf('-P', `${id}/content_filter=toeh:dummy`)
    assertRefused(
      t,
      await debian.toeh('init', '--postfix'),
      1,
      new RegExp(
        `master\\.cf, ${id}: it hands to the gate what .* hands back, incoming mail as well, .*; postconf -P ${id}/content_filter=`,
      ),
    )
    const { what, mend, found } = await faults(chain, 'entrances')
    t.match(what, [`critical ${id} hands to the gate what another filter hands back`])
    paste(mend)
    await play(t, chain)
    t.same((await faults(chain, 'entrances')).mend, [])
    const mended = new Mends('scenarios/chains.test')
    mended.tried(found)
    mended.assertAllTried(t)
  },
)

t.test(
  'an approver who answers by mail is not heard by his login there, and init says so',
  { skip },
  async (t) => {
    const chain = await makeChain(t)
    const { debian } = chain
    const said =
      /^approvers' answers by mail go through smtp:.*, behind the gate, and their logins are lost there: /m
    const before = await debian.toeh('init', '--postfix')
    assertDone(t, before, 'comes behind the gate now')
    t.notMatch(before.stdout, said)
    const text = readFileSync(debian.config, 'utf8')
    writeFileSync(
      debian.config,
      text
        .replace('approvers = []', 'approvers = ["boss@company.example"]')
        .replace(/^\[moderate\]\nenabled = false/m, '[moderate]\nenabled = true')
        .replace('address = ""', 'address = "toeh@company.example"'),
    )
    assertDone(t, await debian.toeh('init', '--postfix', '--apply'), said)
    t.match((await faults(chain, 'answers')).what, [
      'critical mail to moderate.address, toeh@company.example, does not go to toeh moderate',
      /^warning approvers' answers by mail go through smtp:/,
    ])
  },
)
