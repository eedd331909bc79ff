/** toeh express: what it sets up, what its check finds, and what it says of an address. */
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LANE_CHECKS } from '../../lib/doctor/express.js'
import { laneFiles, lanePath } from '../../lib/express/lane.js'
import { LANE_SERVICES, laneCommands, laneRestrictions } from '../../lib/express/tables.js'
import bettersqlite from '../../lib/system/bettersqlite.cjs'
import { doctor, find, paste } from '../support/doctor.js'
import { assertDone, assertFailed, assertRefused, Lab, makeFolder, SHELL_ENV } from '../support/lab.js'
import { cannotAskSqlite, Postfix } from '../support/postfix.js'

const Sqlite = bettersqlite.load()

t.test('a Postfix with the lane', { skip: cannotAskSqlite() }, async (t) => {
  const postfix = await Postfix.start(t, { express: true })
  const { lab } = postfix
  const check = () => postfix.toeh('express', '--check')
  assertDone(t, await postfix.toeh('allow', 'known.test', 'x@one.test'), 'rule 2')
  assertDone(
    t,
    await check(),
    /^The express lane is on: 2 addresses and domains pass, 0 stops; asked by 127.0.0.1:\d+\/inet.\n$/,
  )
  assertDone(
    t,
    await postfix.toeh('express', 'a@known.test', 'a@stranger.test', 'A@one.test', 'X@one.test'),
    'a@known.test: past the filter\na@stranger.test: to the filter\nA@one.test: to the filter\nX@one.test: past the filter\n',
  )
  const { stdout } = await postfix.toeh('init', '--user', 'nobody', '--express', '--json')
  const { express } = JSON.parse(stdout) as { express: string[] }
  t.strictSame(express, laneCommands(LANE_SERVICES, laneFiles(lab.config)))

  await t.test('the commands that are said do it', async (t) => {
    const etc = makeFolder(t)
    writeFileSync(join(etc, 'main.cf'), readFileSync(join(postfix.etc, 'main.cf')))
    const services = 'submission inet n - y - - smtpd\nsubmissions inet n - y - - smtpd\n'
    writeFileSync(join(etc, 'master.cf'), services)
    const sh = (command: string): string =>
      execFileSync('sh', ['-c', command], { env: { ...SHELL_ENV, MAIL_CONFIG: etc }, encoding: 'utf8' })
    for (const command of express) sh(command)
    const restrictions = laneRestrictions(laneFiles(lab.config))
    for (const service of LANE_SERVICES) {
      t.match(sh(`postconf -Px ${service}`), `smtpd_recipient_restrictions = ${restrictions}\n`)
      t.equal(sh(`postconf -F ${service}/chroot`), `${service}/chroot = n\n`)
    }
  })

  const sound = await doctor(postfix)
  for (const { name } of LANE_CHECKS) t.equal(find(sound, name)?.level, 'good', `doctor: ${name}`)
  t.same(
    find(sound, 'entrances')?.faults.map(({ what }) => what),
    [`127.0.0.1:${postfix.ungated}/inet does not hand its mail to the gate`],
    'an empty content_filter on submission is right',
  )

  await t.test('aliases that lead out', async (t) => {
    const main = join(postfix.dir, 'etc/main.cf')
    const before = readFileSync(main, 'utf8')
    const virtual = join(postfix.dir, 'etc/virtual')
    writeFileSync(
      virtual,
      'Sales@known.test evil@stranger.test\n@one.test evil@stranger.test\ny@one.test z@corp.test\notto@corp.test z@corp.test\npostmaster evil@stranger.test\n',
    )
    execFileSync('postmap', ['-c', join(postfix.dir, 'etc'), `hash:${virtual}`])
    writeFileSync(
      main,
      `${before}virtual_alias_maps = hash:${virtual} regexp:/nowhere\nrecipient_bcc_maps = hash:${virtual}\nalways_bcc = spy@stranger.test\n`,
    )
    const outcome = await check()
    assertFailed(
      t,
      outcome,
      /virtual_alias_maps hash:\S+: sales@known.test leads a known recipient elsewhere, past the filter/,
    )
    t.match(outcome.stdout, /: @one.test leads/)
    t.match(outcome.stdout, /: postmaster\S* leads mail to postmaster outside, past the filter/)
    t.match(outcome.stdout, /regexp:\/nowhere cannot be listed/)
    t.match(
      outcome.stdout,
      /recipient_bcc_maps \S+, @one\.test: BCC evil@stranger\.test adds a recipient that the gate does not see \(and 2 more\)/,
    )
    t.match(outcome.stdout, /always_bcc: BCC spy@stranger\.test adds a recipient that the gate does not see/)
    t.notMatch(outcome.stdout, /y@one.test|otto/)
    writeFileSync(main, before)
    assertDone(t, await check(), 'on')
  })

  await t.test('rows, rights and services', async (t) => {
    lab.change("UPDATE rule SET revoked_at = 1 WHERE value = 'known.test'")
    assertFailed(
      t,
      await check(),
      '1 rows of the lane differ from the landscape (@known.test): toeh express --write',
    )
    assertDone(t, await postfix.toeh('express', '--write'), /^1 rows of the lane written\n/)
    assertDone(t, await check(), ': 1 addresses')
    chmodSync(lanePath(lab.state), 0o600)
    assertFailed(t, await check(), /lane.db is not for the toeh user and Postfix's group alone/)
    chmodSync(lanePath(lab.state), 0o640)
    writeFileSync(laneFiles(lab.config).senders, '')
    assertFailed(t, await check(), /express-senders is not as it should be/)
    lab.change("UPDATE rule SET revoked_at = 1 WHERE value = 'x@one.test'")
    const sick = await doctor(postfix)
    t.match(find(sick, 'express-files'), {
      level: 'critical',
      faults: [
        {
          what: /express-senders is not as it should be$/,
          mend: [/^MAIL_CONFIG=\S+ toeh express --write --config \//],
        },
      ],
    })
    t.match(find(sick, 'express-rows'), {
      level: 'critical',
      faults: [{ what: /1 rows .* \(x@one\.test\)$/ }],
    })
    t.match(sick.mend.at(-1), /^postfix .* reload$/)
    lab.change("UPDATE rule SET revoked_at = NULL WHERE value = 'x@one.test'")
    assertDone(t, await postfix.toeh('express', '--write'), /express-senders written/)
    postfix.editMaster((text) =>
      text.replace(
        `127.0.0.1:${postfix.submission} inet n - n`,
        `127.0.0.1:${postfix.submission} inet n - y`,
      ),
    )
    assertFailed(t, await check(), /chrooted/)
    postfix.editMaster((text) =>
      text
        .replace(`127.0.0.1:${postfix.submission} inet n - y`, `127.0.0.1:${postfix.submission} inet n - n`)
        .replace('check_recipient_access', 'permit_mynetworks, check_recipient_access')
        .replace('smtputf8_enable=no', 'smtputf8_enable=yes')
        .replace('  -o message_size_limit', '  -o smtpd_relay_restrictions=permit\n  -o message_size_limit'),
    )
    const outcome = await check()
    assertFailed(t, outcome, /does not begin with the lane/)
    t.match(outcome.stdout, /with smtputf8_enable Postfix takes a sharp s for ss/)
    t.match(outcome.stdout, /anybody could relay/)
    const finding = find(await doctor(postfix), 'express-services')
    t.match(finding, {
      level: 'critical',
      faults: [{ what: /does not begin with/ }, { what: /sharp s for ss/ }, { what: /anybody could relay/ }],
    })
    for (const { mend } of finding?.faults ?? []) paste(mend)
    assertDone(t, await check(), ': 1 addresses')
  })

  await t.test('switched off', async (t) => {
    writeFileSync(
      lab.config,
      readFileSync(lab.config, 'utf8').replace('[express]\nenabled = true', '[express]\nenabled = false'),
    )
    assertFailed(t, await check(), /asks the express lane, which is off/)
    t.match(find(await doctor(postfix), 'express-services'), {
      level: 'warning',
      faults: [{ what: /which is off/ }],
    })
    const rows = (): number => {
      const db = new Sqlite(lanePath(lab.state), { readonly: true })
      const count = db.prepare('SELECT count(*) FROM lane').pluck().get() as number
      db.close()
      return count
    }
    t.equal(rows(), 1)
    assertDone(t, await postfix.toeh('allow', 'other.test'), 'rule')
    t.equal(rows(), 0, 'the next change empties it')
    assertDone(t, await postfix.toeh('express', '--write'), /is off, and passes nothing/)
  })
})

t.test('without a file for it', async (t) => {
  const lab = new Lab(t.testdir(), '[express]\nenabled = true\n')
  assertRefused(
    t,
    await lab.toeh('allow', 'known.test'),
    78,
    /lane.db: its file is missing.*toeh express --write/,
  )
  assertRefused(t, await lab.toeh('express', '--write', '--check'), 2, /one of them/)
})
