/**
 * Person: who acts, and who may decide, with real accounts of this system. What sudo would do is done by setpriv and
 * the variable that sudo sets: sudo itself is not needed for what is to be shown.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import t, { type Test } from 'tap'
import { Failure } from '../../lib/failure.js'
import { demandMember, describeAccounts } from '../../lib/system/accounts.js'
import {
  assertDone,
  assertRefused,
  type Lab,
  makeLab,
  type Outcome,
  outcomeOf,
  startToeh,
  UNPRIVILEGED,
} from '../support/lab.js'
import { makeSink, type Sink } from '../support/sink.js'

const GROUP = `toehg${process.pid}`
const MEMBER = `toehm${process.pid}`
const OTHER = `toeho${process.pid}`
const canMakeUsers = process.getuid?.() === 0 && spawnSync('useradd', ['--help']).status === 0
const skip = canMakeUsers ? false : 'making accounts needs root and useradd'

if (canMakeUsers) {
  execFileSync('groupadd', [GROUP])
  execFileSync('useradd', ['--no-create-home', '--groups', GROUP, MEMBER])
  execFileSync('useradd', ['--no-create-home', OTHER])
  t.teardown(() => {
    for (const name of [MEMBER, OTHER]) spawnSync('userdel', [name])
    spawnSync('groupdel', [GROUP])
  })
}

/** An installation whose folder another user owns, with one message in it that waits. */
async function installed(t: Test, group: string): Promise<{ lab: Lab; sink: Sink; id: string }> {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting, `[notice]\nenabled = false\n[people]\ngroup = "${group}"\n`)
  const id = await lab.park(['eve@unknown.test'])
  lab.giveAway()
  chmodSync(lab.dir, 0o755)
  return { lab, sink, id }
}

const uidOf = (name: string): string => execFileSync('id', ['-u', name], { encoding: 'utf8' }).trim()
/** As `name` itself. */
const as = (name: string): string[] => [
  'setpriv',
  `--reuid=${uidOf(name)}`,
  `--regid=${uidOf(name)}`,
  '--clear-groups',
]
/** As sudo starts it for `name`: as root, or as the filter's user. */
const sudoRoot = (name: string): string[] => ['env', `SUDO_USER=${name}`]
const sudoToeh = (name: string): string[] => ['env', `SUDO_USER=${name}`, ...UNPRIVILEGED]

async function run(lab: Lab, through: readonly string[], ...args: string[]): Promise<Outcome> {
  return outcomeOf(startToeh(lab.config, args, through))
}

t.test('whoever is not in the group decides nothing, and nothing is changed', { skip }, async (t) => {
  const { lab, sink, id } = await installed(t, GROUP)
  const before = lab.databaseDigest()
  const line = new RegExp(
    `^toeh: decide: ${OTHER} is not in the group ${GROUP}; ask somebody who is \\(people\\.group`,
  )
  const deeds = [
    ['release', id],
    ['release', id, '--allow', 'address'],
    ['reject', id],
    ['allow', 'unknown.test'],
    ['block', 'unknown.test'],
    ['revoke', 'unknown.test'],
    ['forget', 'eve@unknown.test', '--yes'],
    ['undo', '--yes'],
  ]
  for (const through of [sudoRoot(OTHER), sudoToeh(OTHER), sudoToeh('nosuchuser')]) {
    // The others are refused by the same lines: one deed tells.
    for (const deed of through.length > 2 ? deeds.slice(0, 1) : deeds) {
      const outcome = await run(lab, through, ...deed)
      assertRefused(t, outcome, 77, through.includes('SUDO_USER=nosuchuser') ? /nosuchuser is not in/ : line)
    }
  }
  t.equal(lab.databaseDigest(), before, 'the database is as it was')
  t.equal(sink.mails.length, 0)
  assertDone(t, await run(lab, sudoToeh(OTHER), 'list'), 'eve@unknown.test')
  assertDone(t, await run(lab, sudoToeh(OTHER), 'cleanup'), /^/)
})

t.test('a member decides, and the audit has the name', { skip }, async (t) => {
  const { lab, sink, id } = await installed(t, GROUP)
  assertDone(t, await run(lab, sudoToeh(MEMBER), 'allow', 'one.test'), /rule 1/)
  assertDone(t, await run(lab, sudoRoot(MEMBER), 'release', id), /released to eve@unknown\.test/)
  t.strictSame(lab.query<{ who: string; what: string }>('SELECT who, what FROM audit'), [
    { who: MEMBER, what: 'allow' },
    { who: MEMBER, what: 'released' },
  ])
  t.equal(sink.mails.length, 1)
})

t.test('root and the owner of the state folder, acting as nobody else, may', { skip }, async (t) => {
  const { lab } = await installed(t, GROUP)
  assertDone(t, await run(lab, UNPRIVILEGED, 'allow', 'one.test'), /rule 1/)
  assertDone(t, await run(lab, [], 'allow', 'two.test'), /rule 2/)
})

t.test('without a group the rights of the folder decide', { skip }, async (t) => {
  const { lab, id } = await installed(t, '')
  for (const name of [MEMBER, OTHER]) {
    const outcome = await run(lab, as(name), 'release', id)
    assertRefused(
      t,
      outcome,
      77,
      /state .*: it is closed to this user, or incomplete; run as root or as the owner/,
    )
  }
  assertDone(t, await run(lab, sudoToeh(OTHER), 'release', id), /released/)
})

t.test(
  'a member is shut out by the rights of the folder, and so is a forged SUDO_USER',
  { skip },
  async (t) => {
    const { lab, id } = await installed(t, GROUP)
    for (const through of [as(MEMBER), ['env', `SUDO_USER=${MEMBER}`, ...as(OTHER)]])
      assertRefused(t, await run(lab, through, 'release', id), 77, /it is closed to this user/)
    chmodSync(lab.config, 0o640)
    assertRefused(
      t,
      await run(lab, as(MEMBER), 'list'),
      77,
      /permission denied \(EACCES\); it is for root and the filter/,
    )
  },
)

t.test('the account that logged in counts beside SUDO_USER', { skip }, async (t) => {
  const { lab } = await installed(t, GROUP)
  const login = (name: string, ...through: string[]): string[] => [
    'sh',
    '-c',
    `echo ${uidOf(name)} > /proc/self/loginuid && exec "$@"`,
    'sh',
    ...through,
  ]
  if (spawnSync('sh', ['-c', 'echo 0 > /proc/self/loginuid']).status !== 0) {
    t.comment('this kernel does not let a login be set here')
    return
  }
  const forged = await run(lab, login(OTHER, ...sudoToeh(MEMBER)), 'allow', 'one.test')
  assertRefused(t, forged, 77, new RegExp(`decide: ${OTHER} is not in the group`))
  const rooted = await run(lab, login(OTHER), 'allow', 'one.test')
  assertRefused(t, rooted, 77, new RegExp(`decide: ${OTHER} is not in the group`))
  assertDone(t, await run(lab, login(MEMBER, ...sudoToeh(MEMBER)), 'allow', 'one.test'), /rule 1/)
  assertDone(t, await run(lab, login(MEMBER), 'allow', 'two.test'), /rule 2/)
  t.strictSame(
    lab.query<{ who: string }>('SELECT who FROM audit').map(({ who }) => who),
    [MEMBER, `root (logged in as ${MEMBER})`],
  )
})

t.test('names and rules without accounts', (t) => {
  t.equal(describeAccounts([{ name: 'anna', uid: 1 }]), 'anna')
  t.equal(
    describeAccounts([
      { name: 'root', uid: 0 },
      { name: 'bob', uid: 7 },
    ]),
    'root (logged in as bob)',
  )
  t.doesNotThrow(() => demandMember([{ name: 'x', uid: 7 }], 'root', 7), 'the owner')
  t.doesNotThrow(() => demandMember([{ name: 'x', uid: 7 }], '', 1), 'no group')
  t.throws(
    () =>
      demandMember(
        [
          { name: 'root', uid: 0 },
          { name: 'x', uid: 7 },
        ],
        'root',
        1,
      ),
    Failure,
  )
  t.throws(() => demandMember([{ name: '--help', uid: 7 }], 'root', 1), Failure, 'an option is no name')
  t.throws(() => demandMember([{ name: 'root', uid: undefined }], 'root', 1), Failure, 'no such account')
  t.end()
})
