/**
 * Caller: what somebody behind sudo names counts, is read and is written as far as his own rights go. What sudo would do is done by
 * setpriv and the variables that it sets.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { laneFolder } from '../../lib/express/lane.js'
import { confine } from '../support/confined.js'
import {
  assertDone,
  assertRefused,
  type Lab,
  makeLab,
  type Outcome,
  outcomeOf,
  ROOT,
  startToeh,
  UNPRIVILEGED,
} from '../support/lab.js'
import { mailLog } from '../support/maillog.js'
import { makeSink } from '../support/sink.js'

const [ANNA, GROUP] = [`toeha${process.pid}`, `toehr${process.pid}`]
const NOBODY = 65534
const canMakeUsers = process.getuid?.() === 0 && spawnSync('useradd', ['--help']).status === 0
const skip = canMakeUsers ? false : 'making accounts needs root and useradd'

let [anna, readers] = [0, 0]
if (canMakeUsers) {
  execFileSync('groupadd', [GROUP])
  execFileSync('useradd', ['--no-create-home', '--groups', GROUP, ANNA])
  anna = Number(execFileSync('id', ['-u', ANNA]))
  readers = Number(execFileSync('getent', ['group', GROUP], { encoding: 'utf8' }).split(':')[2])
  t.teardown(() => {
    spawnSync('userdel', [ANNA])
    spawnSync('groupdel', [GROUP])
  })
}

/** An installation of nobody's, with one message that waits; everybody can go through its folder. */
async function installed(t: Test, more = ''): Promise<{ lab: Lab; id: string }> {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting, `[notice]\nenabled = false\n${more}`)
  const id = await lab.park(['eve@unknown.test'])
  lab.giveAway()
  chmodSync(lab.dir, 0o755)
  return { lab, id }
}

/** As sudo, or one like it, starts a command for anna: as root, and as the filter's user. */
const LENDERS: [name: string, through: () => string[]][] = [
  ['sudo', () => ['env', `SUDO_USER=${ANNA}`]],
  ['sudo -u toeh', () => ['env', `SUDO_USER=${ANNA}`, ...UNPRIVILEGED]],
  ['doas', () => ['env', `DOAS_USER=${ANNA}`]],
  ['pkexec', () => ['env', `PKEXEC_UID=${anna}`]],
]

function run(lab: Lab, through: readonly string[], ...args: string[]): Promise<Outcome> {
  return outcomeOf(startToeh(lab.config, args, through))
}

/** A file with this owner, group and mode. */
function make(path: string, uid: number, gid: number, mode: number, text = 'new.test\n'): string {
  writeFileSync(path, text)
  chownSync(path, uid, gid)
  chmodSync(path, mode)
  return path
}

t.test('a configuration that is not root’s alone', { skip }, async (t) => {
  const { lab, id } = await installed(t)
  const proof = join(lab.dir, 'proof')
  const program = join(lab.dir, 'program')
  writeFileSync(program, `#!/bin/sh\nid -un >${proof}\n`, { mode: 0o755 })
  mkdirSync(join(lab.dir, 'etc'), { mode: 0o755 })
  const settings = readFileSync(lab.config, 'utf8').replace(
    /^reinject = .*$/m,
    `reinject = "sendmail:${program}"`,
  )
  const config = (uid: number, mode: number): string =>
    make(join(lab.dir, 'etc/toeh.toml'), uid, NOBODY, mode, settings)
  const cases: [uid: number, mode: number, why: string][] = [
    [anna, 0o644, 'behind sudo it has to belong to root'],
    [NOBODY, 0o644, 'behind sudo it has to belong to root'],
    [0, 0o664, 'others than its owner can change it'],
    [0, 0o646, 'others than its owner can change it'],
  ]
  for (const [lender, through] of LENDERS) {
    for (const [uid, mode, why] of cases) {
      const path = config(uid, mode)
      const line = `toeh: configuration ${path}: ${why}; toeh takes one that belongs to root, and that nobody else can change\n`
      for (const way of [
        ['release', id, '--config', path],
        ['list', '--config', path],
        ['fsck', '--config', path],
        ['express', '--check', '--config', path],
        ['init', '--config', path],
      ]) {
        const outcome = await run(lab, through(), ...way)
        t.strictSame(
          [outcome.code, outcome.stderr],
          [77, line],
          `${lender}: ${way[0]} with ${uid} ${mode.toString(8)}`,
        )
        if (uid !== anna) break
      }
      const named = await outcomeOf(startToeh(path, ['release', id], through()))
      t.strictSame([named.code, named.stderr], [77, line], `${lender}: by TOEH_CONFIG`)
    }
  }
  const linked = join(lab.dir, 'etc/link.toml')
  config(anna, 0o644)
  symlinkSync(join(lab.dir, 'etc/toeh.toml'), linked)
  assertRefused(
    t,
    await run(lab, LENDERS[0]?.[1]() ?? [], 'list', '--config', linked),
    77,
    /it has to belong to root/,
  )
  t.notOk(existsSync(proof), 'nobody’s program has run')
  t.strictSame(lab.states(), ['eve@unknown.test held'])
})

t.test('without sudo: root takes root’s, everybody else his own as well', { skip }, async (t) => {
  const { lab } = await installed(t)
  const as = (uid: number): string[] => ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups']
  const cases: [through: string[], owner: number, mode: number, taken: boolean][] = [
    [[], 0, 0o644, true],
    [[], NOBODY, 0o644, false],
    [[], anna, 0o644, false],
    [[], 0, 0o664, false],
    [['env', 'SUDO_USER=root'], 0, 0o644, true],
    [['env', 'SUDO_USER='], 0, 0o644, true],
    [as(NOBODY), 0, 0o644, true],
    [as(NOBODY), NOBODY, 0o600, true],
    [as(NOBODY), NOBODY, 0o620, false],
    [as(NOBODY), anna, 0o644, false],
    [['env', 'SUDO_USER=nobody', ...as(NOBODY)], NOBODY, 0o600, true],
  ]
  for (const [through, owner, mode, taken] of cases) {
    chownSync(lab.config, owner, 0)
    chmodSync(lab.config, mode)
    const { code, stderr } = await run(lab, through, 'list')
    const comment = `${through.join(' ')}: of ${owner}, ${mode.toString(8)}: ${stderr}`
    t.equal(code, taken ? 0 : 77, comment)
    if (!taken)
      t.match(stderr, /^toeh: configuration \S+: (it belongs to another user|others than its owner)/, comment)
  }
})

t.test('toeh-filter takes the one that master.cf names', { skip }, async (t) => {
  const { lab } = await installed(t)
  chownSync(lab.config, NOBODY, NOBODY)
  const outcome = await lab.filter({
    recipients: ['eve@unknown.test'],
    through: UNPRIVILEGED,
    queueId: 'OWN12345',
  })
  t.match(outcome, { code: 0, stdout: /held 1/ })
})

t.test('files are read with the rights of who runs sudo', { skip }, async (t) => {
  const { lab } = await installed(t)
  const folder = join(lab.dir, 'files')
  mkdirSync(folder, { mode: 0o755 })
  const closed = join(folder, 'closed')
  mkdirSync(closed, { mode: 0o700 })
  const at = (name: string): string => join(folder, name)
  make(join(closed, 'inside'), 0, 0, 0o644, 'secret\n')
  symlinkSync(join(closed, 'inside'), at('link'))
  make(at('linked'), 0, 0, 0o600, 'secret\n')
  linkSync(at('linked'), at('hardlink'))
  const cases: [path: string, opened: boolean][] = [
    [make(at('everybody'), 0, 0, 0o644), true],
    [make(at('own'), anna, 0, 0o400), true],
    [make(at('group'), 0, readers, 0o640), true],
    [make(at('root'), 0, 0, 0o600, 'secret\n'), false],
    [make(at('group of root'), 0, 0, 0o640, 'secret\n'), false],
    // The group's bits count for who is in it, also where everybody may more.
    [make(at('not the group'), 0, readers, 0o604, 'secret\n'), false],
    [make(at('not the owner'), anna, 0, 0o044, 'secret\n'), false],
    [join(closed, 'inside'), false],
    [at('link'), false],
    [at('hardlink'), false],
    ['/proc/1/maps', false],
    ['/proc/self/environ', false],
  ]
  for (const confined of [[], ['env', `NODE_OPTIONS=${confine(lab.dir)}`]]) {
    for (const [path, opened] of cases) {
      const outcome = await run(lab, [...confined, 'env', `SUDO_USER=${ANNA}`], 'import', '--dry-run', path)
      if (opened) assertDone(t, outcome, /^\+ allow new\.test {2}\(line 1\)\n$/)
      else
        t.strictSame(
          outcome,
          {
            code: 66,
            signal: null,
            stdout: '',
            stderr: `toeh: import ${path}: permission denied (EACCES); or let the shell open it: toeh import - < FILE\n`,
          },
          path,
        )
    }
  }
  const log = make(at('mail.log'), 0, 0, 0o640, mailLog({ id: '4bQ8Yk2hJnz1', to: ['bob@firm.test'] }))
  for (const args of [
    ['learn', 'log', log],
    ['replay', log],
  ]) {
    const refused = await run(lab, ['env', `SUDO_USER=${ANNA}`], ...args)
    assertRefused(t, refused, 77, `toeh: log ${log}: permission denied (EACCES); or let the shell open it: `)
    assertDone(t, await run(lab, [], ...args), /1 (deliver|messages)|1 line/)
    const piped = ['sh', '-c', `"$@" - <${log}`, 'sh', 'env', `SUDO_USER=${ANNA}`]
    assertDone(t, await run(lab, piped, ...args.slice(0, -1)), /1 (deliver|messages)|1 line/)
  }
  // The filter's user could read these, and she may not.
  for (const path of [
    join(lab.state, 'hold', lab.held()[0] ?? '', 'message.eml'),
    join(lab.state, 'toeh.db'),
  ])
    for (const [lender, through] of LENDERS)
      t.match(
        await run(lab, through(), 'import', '--dry-run', path),
        { code: 66, stdout: '', stderr: /EACCES/ },
        lender,
      )
  const backup = at('backup.db')
  chmodSync(folder, 0o777)
  assertDone(t, await run(lab, [], 'backup', backup), /checked/)
  t.match(await run(lab, ['env', `SUDO_USER=${ANNA}`], 'fsck', '--repair', '--backup', backup), {
    code: 66,
    stderr: `toeh: backup ${backup}: permission denied (EACCES)\n`,
  })
})

t.test('the journal is read with the rights of who runs sudo', { skip }, async (t) => {
  const { lab } = await installed(t)
  const bin = join(lab.dir, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'journalctl'), '#!/bin/sh\nid -un >&2; id -Gn >&2; exit 1\n', { mode: 0o755 })
  const path = `PATH=${bin}:/usr/bin:/bin`
  const sudo = await run(lab, ['env', `SUDO_USER=${ANNA}`, path], 'learn', 'log', '--journal')
  assertRefused(t, sudo, 1, `toeh: journal: ${ANNA}; nothing was changed`)
  assertRefused(
    t,
    await run(lab, ['env', path], 'replay', '--journal'),
    1,
    'toeh: journal: root; nothing was changed',
  )
})

t.test('nothing is written into the state folder, nor over the configuration', { skip }, async (t) => {
  const { lab, id } = await installed(t)
  mkdirSync(laneFolder(lab.state))
  chownSync(laneFolder(lab.state), NOBODY, NOBODY)
  writeFileSync(join(laneFolder(lab.state), 'lane.db'), '')
  const around = join(lab.dir, 'around')
  symlinkSync(lab.state, around)
  const message = join(lab.state, 'hold', id, 'message.eml')
  const targets = [
    join(lab.state, 'toeh.db'),
    message,
    join(lab.state, 'new.prom'),
    join(lab.state, 'hold/new.prom'),
    join(around, 'decisions/new.prom'),
    join(laneFolder(lab.state), 'lane.db'),
  ]
  const before = lab.snapshot()
  for (const through of [[], UNPRIVILEGED, ['env', `SUDO_USER=${ANNA}`]]) {
    for (const target of targets) {
      for (const args of [
        ['export', target],
        ['report', '--html', target],
        ['backup', target],
        ...(target.endsWith('.prom') ? [['metrics', '--textfile', target]] : []),
      ])
        assertRefused(
          t,
          await run(lab, through, ...args),
          77,
          `toeh: ${args[0]} ${target}: what is in the state folder is for toeh alone to write; name a file elsewhere\n`,
        )
    }
    for (const folder of [lab.state, join(lab.state, 'hold')])
      assertRefused(
        t,
        await run(lab, through, 'backup', folder),
        77,
        'what is in the state folder is for toeh alone',
      )
  }
  t.strictSame(lab.snapshot(), before, 'everything is as it was')
  // His own configuration, where he has one.
  const own = makeLab(t)
  assertRefused(
    t,
    await own.toeh('export', own.config),
    77,
    `export ${own.config}: it is the configuration; name another file`,
  )
  symlinkSync(own.config, join(own.dir, 'link'))
  assertRefused(t, await own.toeh('report', '--html', join(own.dir, 'link')), 77, 'it is the configuration')
})

t.test('a held message is saved with the rights of who runs sudo, and as theirs', { skip }, async (t) => {
  const { lab, id } = await installed(t)
  const [[, asRoot]] = LENDERS as [(typeof LENDERS)[number]]
  const [own, closed] = [join(lab.dir, 'own'), join(lab.dir, 'closed')]
  for (const [folder, uid] of [
    [own, anna],
    [closed, 0],
  ] as const) {
    mkdirSync(folder, { mode: 0o755 })
    chownSync(folder, uid, uid)
  }
  const file = join(own, 'message.eml')
  assertDone(t, await run(lab, asRoot(), 'show', id, '--save', file), `the message is in ${file}`)
  const { uid, mode } = statSync(file)
  t.strictSame({ uid, mode: mode & 0o777 }, { uid: anna, mode: 0o600 })
  t.ok(readFileSync(file).equals(readFileSync(join(lab.state, 'hold', id, 'message.eml'))))
  for (const target of [join(closed, 'x.eml'), '/etc/toeh-never.eml'])
    assertRefused(
      t,
      await run(lab, asRoot(), 'show', id, '--save', target),
      77,
      `${ANNA} may not write there`,
    )
  // Root itself is lent nothing.
  const mine = join(closed, 'mine.eml')
  assertDone(t, await run(lab, [], 'show', id, '--save', mine), `the message is in ${mine}`)
  t.equal(statSync(mine).uid, 0)
})

t.test("a folder that is put in another's place meanwhile gets nothing", { skip }, async (t) => {
  const { lab } = await installed(t)
  const [own, closed] = [join(lab.dir, 'own'), join(lab.dir, 'closed')]
  mkdirSync(own)
  chownSync(own, anna, anna)
  mkdirSync(closed, { mode: 0o755 })
  const program = `
    import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const open = fs.openSync
    fs.openSync = (path, flags, mode) => {
      if (flags === 'wx') {
        fs.renameSync(${JSON.stringify(own)}, ${JSON.stringify(`${own}-away`)})
        fs.symlinkSync(${JSON.stringify(closed)}, ${JSON.stringify(own)})
      }
      return open(path, flags, mode)
    }
    syncBuiltinESMExports()
    const { createAsCaller } = await import(${JSON.stringify(join(ROOT, 'dist/lib/system/caller.js'))})
    const { demandTarget } = await import(${JSON.stringify(join(ROOT, 'dist/lib/cli/trust.js'))})
    const config = { path: ${JSON.stringify(lab.config)}, state: ${JSON.stringify(lab.state)} }
    try {
      createAsCaller(${JSON.stringify(join(own, 'x.eml'))}, () => demandTarget('show', config, ${JSON.stringify(join(own, 'x.eml'))}, undefined))
    } catch (error) {
      console.log(error.code)
    }`
  const { stdout, status } = spawnSync(
    'env',
    [
      '-i',
      `PATH=${process.env.PATH}`,
      `SUDO_USER=${ANNA}`,
      process.execPath,
      '--input-type=module',
      '-e',
      program,
    ],
    { encoding: 'utf8' },
  )
  t.strictSame({ stdout, status }, { stdout: 'EACCES\n', status: 0 })
  t.strictSame(readdirSync(closed), [])
})

t.test('and only where who runs sudo could write himself', { skip }, async (t) => {
  const { lab } = await installed(t)
  const place = (name: string, uid: number, gid: number, mode: number): string => {
    const path = join(lab.dir, name)
    mkdirSync(path)
    chownSync(path, uid, gid)
    chmodSync(path, mode)
    return path
  }
  const sudo = LENDERS.slice(0, 2).map(([, through]) => through())
  const cases: [folder: string, taken: boolean][] = [
    [place('everybody', 0, 0, 0o777), true],
    [place('group', NOBODY, readers, 0o770), true],
    [place('backups', NOBODY, NOBODY, 0o700), false],
    [place('readable', NOBODY, NOBODY, 0o755), false],
  ]
  for (const [folder, taken] of cases) {
    for (const through of sudo) {
      for (const [args, written] of [
        [['export', 'rules.csv'], /rule/],
        [['report', '--html', 'page.html'], /page\.html/],
        [['metrics', '--textfile', 'x.prom'], /^/],
        [['backup', 'b.db'], /checked/],
      ] as const) {
        const file = join(folder, args.at(-1) ?? '')
        const outcome = await run(lab, through, ...args.slice(0, -1), file)
        if (taken) assertDone(t, outcome, written)
        else assertRefused(t, outcome, 77, `toeh: ${args[0]} ${file}: ${ANNA} may not write there; `)
        t.equal(existsSync(file), taken, file)
        rmSync(file, { force: true })
      }
    }
    assertDone(t, await run(lab, [], 'backup', folder), /checked/)
  }
  const sticky = place('sticky', 0, 0, 0o1777)
  const theirs = make(join(sticky, 'rules.csv'), NOBODY, NOBODY, 0o600)
  assertRefused(
    t,
    await run(lab, sudo[0] ?? [], 'export', theirs),
    77,
    'may not write there; let the shell write: toeh export > FILE',
  )
  const hers = make(join(sticky, 'hers.csv'), anna, anna, 0o600)
  t.equal((await run(lab, sudo[0] ?? [], 'export', hers)).code, 1, 'hers is not ours to replace there')
  t.equal(statSync(hers).uid, anna)
})

t.test('another Postfix instance whose files somebody else has written', { skip }, async (t) => {
  const { lab } = await installed(t)
  const proof = join(lab.dir, 'proof')
  const etc = join(lab.dir, 'instance')
  mkdirSync(join(lab.dir, 'daemons'), { mode: 0o755 })
  for (const name of ['postfix-script', 'master'])
    writeFileSync(join(lab.dir, 'daemons', name), `#!/bin/sh\necho run >${proof}\n`, { mode: 0o755 })
  const cases: [folder: [number, number], main: [number, number], why: string][] = [
    [[anna, 0o755], [anna, 0o644], 'behind sudo it has to belong to root'],
    [[0, 0o755], [anna, 0o644], 'behind sudo it has to belong to root'],
    [[0, 0o777], [0, 0o644], 'others than its owner can change it'],
    [[0, 0o755], [0, 0o666], 'others than its owner can change it'],
  ]
  for (const [folder, main, why] of cases) {
    rmSync(etc, { recursive: true, force: true })
    mkdirSync(etc)
    writeFileSync(join(etc, 'master.cf'), '')
    make(
      join(etc, 'main.cf'),
      main[0],
      0,
      main[1],
      `compatibility_level = 3.6\ndaemon_directory = ${lab.dir}/daemons\n`,
    )
    chownSync(etc, folder[0], 0)
    chmodSync(etc, folder[1])
    for (const args of [
      ['doctor', '--config-dir', etc],
      ['init', '--postfix', '--config-dir', etc],
      ['init', '--postfix', '--undo', '--config-dir', etc],
    ]) {
      const { code, stderr } = await run(lab, LENDERS[0]?.[1]() ?? [], ...args)
      t.equal(code, 77)
      t.match(
        stderr,
        `${etc}${folder[0] === anna || folder[1] === 0o777 ? '' : '/main.cf'}: ${why}; Postfix would run what it names\n`,
      )
    }
  }
  t.notOk(existsSync(proof), 'nothing of it has run')
})

t.test('the sudoers lines of the documentation let nothing through but what they name', (t) => {
  const text = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8')
  const lines = text.split('\n').filter((line) => /^%\S+ ALL=\(toeh\)/.test(line))
  const commands = lines.flatMap((line) => line.slice(line.indexOf('NOPASSWD:') + 9).split(','))
  const patterns = commands.map((command) => command.trim().replace(/^\/usr\/bin\/toeh /, ''))
  t.ok(patterns.length >= 4)
  const takes = (given: string): boolean =>
    patterns.some((pattern) =>
      // sudoers(5): a regular expression where it has both ends, else the very words; wildcards are none of ours.
      /^\^.*\$$/.test(pattern) ? new RegExp(pattern).test(given) : pattern === given,
    )
  for (const pattern of patterns) if (!pattern.startsWith('^')) t.notMatch(pattern, /[*?[\]\\]/)
  const [one, two] = ['7k3m9q2x4v0a', 'vq00s0wbq8r5']
  for (const given of [
    'list',
    `show ${one}`,
    `release ${one} ${two}`,
    `release ${one} --allow domain`,
    `reject ${one}`,
  ])
    t.ok(takes(given), given)
  for (const given of [
    '',
    'list --config=/tmp/x',
    `show ${one} --config /tmp/x`,
    `release ${one} --config=/tmp/x`,
    `release --config /tmp/x ${one}`,
    `release ${one} --all`,
    `reject --all`,
    'export /tmp/x',
    'import /etc/shadow',
    `show ${one}\n--config=/tmp/x`,
    'doctor',
  ])
    t.notOk(takes(given), given)
  t.end()
})
