/**
 * Owner: what root runs on a Node that cannot change its user is done by the owner of the state folder all the same, with the
 * same words, bytes and statuses as on one that can; and root leaves to him what lies in his folder.
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { lanePath } from '../../lib/express/lane.js'
import { describeError, Failure } from '../../lib/failure.js'
import { errorOf, troubleOf } from '../../lib/system/owner.js'
import { confine } from '../support/confined.js'
import { cannotBeFresh, Debian } from '../support/debian.js'
import {
  assertDone,
  assertRefused,
  type Lab,
  makeFolder,
  makeLab,
  type Outcome,
  outcomeOf,
  ROOT,
  startToeh,
  TOEH,
  UNPRIVILEGED,
} from '../support/lab.js'
import { mailLog } from '../support/maillog.js'
import { childrenOf, isAlive, readProc } from '../support/process.js'
import { makeSink, type Sink } from '../support/sink.js'

const NOBODY = 65534
/** The program has to be reached by the owner, which a clone below /root is not. */
const isReached = UNPRIVILEGED.length > 0 && startsAs([...UNPRIVILEGED, 'test', '-r', TOEH])
const skip = isReached ? false : 'root is needed, and a clone that every user can reach'

function startsAs([program = '', ...args]: readonly string[]): boolean {
  try {
    execFileSync(program, args)
    return true
  } catch {
    return false
  }
}

interface Installed {
  lab: Lab
  sink: Sink
  id: string
  /** What makes Node a confined one, for startToeh. */
  through: string[]
  run: (...args: string[]) => Promise<Outcome>
  /** On whatever Node runs these tests. */
  free: (...args: string[]) => Promise<Outcome>
}

/** An installation of nobody's, with one message that waits and one rule. */
async function installed(t: Test): Promise<Installed> {
  const sink = await makeSink(t)
  const lab = makeLab(t, sink.setting)
  const id = await lab.park(['eve@unknown.test'])
  await lab.allow('known.test')
  lab.giveAway()
  chmodSync(lab.dir, 0o755)
  const through = ['env', `NODE_OPTIONS=${confine(lab.dir)}`]
  const run = (...args: string[]): Promise<Outcome> => outcomeOf(startToeh(lab.config, args, through))
  const free = (...args: string[]): Promise<Outcome> => outcomeOf(startToeh(lab.config, args))
  return { lab, sink, id, through, run, free }
}

/** A file that root alone can read, in a folder that root alone can enter. */
function secret(t: Test, name: string, content: string | Buffer): string {
  const path = join(makeFolder(t), name)
  writeFileSync(path, content, { mode: 0o600 })
  return path
}

function people(lab: Lab): string[] {
  const rows = lab.query<{ who: string; what: string; subject: string }>(
    'SELECT who, what, subject FROM audit',
  )
  return rows.map(({ who, what, subject }) => `${who} ${what} ${subject}`)
}

/** Everything below the state folder is its owner's. */
function assertOwned(t: Test, lab: Lab): void {
  const others = execFileSync('find', [lab.state, '!', '-user', String(NOBODY)], { encoding: 'utf8' })
  t.equal(others, '', 'all of it is the owner\u2019s')
}

const LOG = [
  mailLog({ id: '4bQ8Yk2hJnz1', to: ['bob@firm.test', 'eve@firm.test'] }),
  mailLog({ id: '4bQ8Yk2hJnz2', to: ['bob@firm.test'], sender: 'carl@corp.test', at: '2026-11-14T05:06:07' }),
].join('')

t.test('what is looked at comes out the same, byte for byte', { skip }, async (t) => {
  const { lab, id, run, free } = await installed(t)
  const log = secret(t, 'mail.log', LOG)
  const packed = secret(
    t,
    'mail.log.1.gz',
    gzipSync(mailLog({ id: '4bQ8Yk2hJnz3', to: ['x@old.test'], at: '2026-11-01T05:06:07' })),
  )
  const rules = secret(t, 'rules.csv', 'new.test\nb@other.test\n')
  const looks = [
    ['known', '--json'],
    ['show', id, '--json'],
    ['show', '000000000000'],
    ['why', 'a@unknown.test', '--json'],
    ['audit', 'verify', '--json'],
    ['export'],
    ['report', '--since', '2026-99-99'],
    ['fsck', '--json'],
    ['learn', 'log', log, packed],
    ['learn', 'log', packed, log, '--json'],
    ['learn', 'observed', '--json'],
    ['replay', log, packed, '--json'],
    ['import', rules, '--dry-run'],
    ['import', '/nonexistent'],
    ['import', lab.dir],
    ['import', packed, '--dry-run'],
    ['learn', 'log', '/nonexistent'],
    ['list', '--nosuch'],
  ]
  for (const look of looks) {
    const [confined, usual] = [await run(...look), await free(...look)]
    t.strictSame(confined, usual, look.join(' '))
    t.notMatch(confined.stderr, /io_uring|\bat .*:\d+:\d+/, look.join(' '))
  }
  t.match((await run('learn', 'log', log, packed)).stdout, /\nfirm\.test +2 +2 +2 2026-11-04 2026-11-14\n/)
  t.match((await run('learn', 'log', log, packed)).stdout, /\nx@old\.test +1 /)
  assertOwned(t, lab)
})

t.test('what is changed is the owner\u2019s, and the audit says who did it', { skip }, async (t) => {
  const { lab, sink, id, through, run } = await installed(t)
  assertDone(t, await run('allow', 'one.test'), /^rule 2: allow one\.test\n$/)
  const sudo = await outcomeOf(startToeh(lab.config, ['block', 'two.test'], [...through, 'SUDO_USER=daemon']))
  assertDone(t, sudo, /^rule 3: block two\.test\n$/)
  const empty = await outcomeOf(startToeh(lab.config, ['revoke', 'one.test'], [...through, 'SUDO_USER=']))
  assertDone(t, empty, /one\.test/)
  const rules = secret(t, 'rules.csv', 'three.test\n')
  assertDone(t, await run('import', rules), '1 rule added\n')
  assertDone(t, await run('release', id), /^.*released to eve@unknown\.test/)
  t.equal(sink.mails.length, 1)
  assertDone(t, await run('learn', 'log', secret(t, 'mail.log', LOG), '--apply'), /rules? added\n$/)
  t.strictSame(people(lab).slice(1, 6), [
    'root allow one.test',
    'daemon block two.test',
    'root revoke one.test',
    'root allow three.test',
    `root released ${id} eve@unknown.test`,
  ])
  assertDone(t, await run('fsck', '--repair'), /^whole: /)
  assertDone(t, await run('cleanup'), /^/)
  assertDone(t, await run('recheck'), 'nothing that waits has become known\n')
  const out = join(lab.dir, 'out')
  mkdirSync(out)
  chownSync(out, NOBODY, NOBODY)
  assertDone(
    t,
    await run('backup', out),
    /^\S+\/out\/toeh-\d{8}T\d{6}Z\.db: \d rules, 1 messages, checked\n$/,
  )
  assertDone(t, await run('export', join(out, 'rules.json')), /^\d rules in /)
  assertDone(t, await run('report', '--html', join(out, 'page.html')), `${out}/page.html\n`)
  t.match(readFileSync(join(out, 'page.html'), 'utf8'), /^<!doctype html>[\s\S]*<\/html>\n?$/)
  t.equal(statSync(join(out, 'page.html')).uid, NOBODY)
  const closed = makeFolder(t)
  chmodSync(closed, 0o755)
  assertRefused(
    t,
    await run('export', join(closed, 'x.csv')),
    1,
    /permission denied \(EACCES\); it is written as the state/,
  )
  assertOwned(t, lab)
})

t.test('a member of the group decides, somebody else does not', { skip }, async (t) => {
  const { lab, run, through } = await installed(t)
  lab.configure('', ['corp.test'])
  writeFileSync(lab.config, `${readFileSync(lab.config, 'utf8')}[people]\ngroup = "tape"\n`)
  assertDone(t, await run('allow', 'one.test'), /rule 2/)
  const other = await outcomeOf(startToeh(lab.config, ['allow', 'x.test'], [...through, 'SUDO_USER=daemon']))
  assertRefused(t, other, 77, /^toeh: decide: daemon is not in the group tape; /)
})

t.test('standard input, from a pipe and from a file', { skip }, async (t) => {
  const { lab, through } = await installed(t)
  const all = Array.from({ length: 30_000 }, (_, index) => `a${index}.test`)
  const rules = secret(t, 'rules.csv', `${all.join('\n')}\n`)
  const log = secret(t, 'mail.log', LOG)
  const sh = (script: string, ...args: string[]): Promise<Outcome> =>
    outcomeOf(startToeh(lab.config, args, ['sh', '-c', script, 'sh', ...through]))
  assertDone(t, await sh(`"$@" <${rules}`, 'import', '-'), '30000 rules added\n')
  t.equal(lab.query<{ n: number }>("SELECT count(*) AS n FROM rule WHERE value LIKE 'a%'")[0]?.n, 30_000)
  assertDone(
    t,
    await sh(`cat ${rules} | "$@"`, 'import', '-'),
    '0 rules added\n= 30000 rules already there\n',
  )
  assertDone(
    t,
    await sh(`(sleep 1; cat ${rules}) | "$@"`, 'import', '-'),
    '0 rules added\n= 30000 rules already there\n',
  )
  for (const script of [`"$@" <${log}`, `cat ${log} | "$@"`]) {
    assertDone(t, await sh(script, 'learn', 'log', '-'), /\n6 lines|\n\d+ lines, 0 broken, 3 deliveries/)
    t.match((await sh(script, 'replay', '-', '--json')).stdout, /"lines": \d+/)
  }
  const substituted = await outcomeOf(
    startToeh(lab.config, ['replay', '--json'], ['bash', '-c', `"$@" <(cat ${log})`, 'bash', ...through]),
  )
  assertDone(t, substituted, /"broken": 0/)
  const answer = await sh('echo y | "$@"', 'moderate', '--sender=x@corp.test')
  t.strictSame({ code: answer.code, stderr: answer.stderr }, { code: 0, stderr: '' })
  t.match(answer.stdout, 'toeh moderate: dropped: moderate.enabled is false')
})

t.test('the journal', { skip }, async (t) => {
  const { lab, through } = await installed(t)
  const folder = join(lab.dir, 'bin')
  mkdirSync(folder)
  const big = join(lab.dir, 'big')
  writeFileSync(
    big,
    LOG.replaceAll('+01:00', '+0100') + '2026-11-04T05:06:07+0100 mx dovecot: noise\n'.repeat(200_000),
  )
  const learn = (script: string, via: readonly string[], ...args: string[]): Promise<Outcome> => {
    // Who runs it can read what nobody cannot.
    writeFileSync(join(folder, 'journalctl'), `#!/bin/sh\n[ "$(id -u)" = 0 ] || exit 9\n${script}\n`, {
      mode: 0o755,
    })
    const path = `PATH=${folder}:/usr/bin:/bin`
    return outcomeOf(
      startToeh(
        lab.config,
        ['learn', 'log', '--journal', ...args],
        [...via, ...(via.length > 0 ? [] : ['env']), path],
      ),
    )
  }
  const scripts = [
    `cat ${big}`,
    'exit 0',
    'echo "No journal files were found." >&2; exit 1',
    `cat ${big}; yes complaint | head -n 100000 >&2; exit 3`,
    'exit 4',
    'kill -9 $$',
  ]
  for (const script of scripts) {
    const [confined, usual] = [await learn(script, through), await learn(script, [])]
    t.strictSame(confined, usual, script)
  }
  assertDone(t, await learn(`cat ${big}`, through), /\nfirm\.test[\s\S]*\n2000\d\d lines/)
  assertRefused(
    t,
    await learn('echo "No journal." >&2; exit 1', through),
    1,
    /journal: No journal\.; nothing was changed/,
  )
  assertRefused(t, await learn('exit 4', through), 1, /journal: journalctl ended with status 4; nothing/)
  assertDone(t, await learn(`cat ${big}`, through, '--apply'), /rules? added/)
})

/** The process that goes on as the owner, once there is one: by what it is handed, for between fork and exec it is the first's copy. */
async function secondOf(pid: number): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const second = childrenOf(pid).find((child) =>
      /^Uid:\s+65534\s+65534\s+65534/m.test(readProc(`${child}/status`)),
    )
    const isStarted = (pid: number): boolean =>
      readProc(`${pid}/cmdline`).startsWith(process.execPath) &&
      readProc(`${pid}/environ`).includes('TOEH_HANDOVER=')
    if (second !== undefined && isStarted(second)) return second
    await sleep(50)
  }
  throw new Error('there is no second process')
}

async function assertGone(t: Test, pid: number, why: string): Promise<void> {
  for (let tries = 0; tries < 100 && isAlive(pid); tries++) await sleep(50)
  t.notOk(isAlive(pid), why)
}

t.test('ends and signals', { skip }, async (t) => {
  const { lab, through } = await installed(t)
  through.push('SECRET=of-root')
  // It waits for the end of its input, which does not come.
  const waiting = () =>
    startToeh(
      lab.config,
      ['import', '-'],
      ['sh', '-c', 'exec "$@" < "$0"', join(lab.dir, 'never'), ...through],
    )
  execFileSync('mkfifo', [join(lab.dir, 'never')])
  // So that it can be opened, and no end comes.
  const holder = startToeh(lab.config, [], ['sh', '-c', 'exec sleep 600 <> "$0"', join(lab.dir, 'never')])
  t.teardown(() => holder.kill('SIGKILL'))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const) {
    const first = waiting()
    const ended = outcomeOf(first)
    const second = await secondOf(first.pid ?? 0)
    t.notMatch(readProc(`${second}/environ`), 'of-root', 'whom the second belongs to may read it')
    first.kill(signal)
    const { code, signal: by, stdout } = await ended
    t.strictSame({ code, by, stdout }, { code: null, by: signal, stdout: '' }, `${signal} for the first`)
    await assertGone(t, second, `${signal}: nothing is left`)
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL', 'SIGSEGV'] as const) {
    const first = waiting()
    const ended = outcomeOf(first)
    process.kill(await secondOf(first.pid ?? 0), signal)
    t.match(await ended, { code: null, signal, stdout: '' }, `${signal} for the second`)
  }
  const { run } = await installed(t)
  t.equal((await run('show', '000000000000')).code, 66)
})

t.test('a reader that has seen enough', { skip }, async (t) => {
  const { lab, through } = await installed(t)
  await lab.allow(...Array.from({ length: 3000 }, (_, index) => `supplier${index}.test`))
  lab.giveAway()
  for (const args of [['known'], ['known', '--json']]) {
    const child = startToeh(lab.config, args, through)
    const ended = outcomeOf(child)
    child.stdout?.once('data', () => child.stdout?.destroy())
    t.match(await ended, { code: 0, signal: null, stderr: '' }, args.join(' '))
  }
})

t.test('no descriptor is taken from whoever says so', { skip }, async (t) => {
  const { lab } = await installed(t)
  const [good, bad] = [join(lab.dir, 'good.csv'), join(lab.dir, 'bad.csv')]
  writeFileSync(good, 'good.test\n')
  writeFileSync(bad, 'bad.test\n')
  // The very parent may: it is the one who has opened it.
  const claim = `export TOEH_HANDOVER="$1
file ${encodeURIComponent(good)}"; shift; exec 3<${bad}; "$@"; exit $?`
  for (const through of [[], UNPRIVILEGED]) {
    const via = ['sh', '-c', claim, 'sh', '1', ...through]
    assertDone(
      t,
      await outcomeOf(startToeh(lab.config, ['import', good, '--dry-run'], via)),
      /^\+ allow good\.test/,
    )
  }
})

t.test('a program that the owner cannot reach: one line, and nothing is made', { skip }, async (t) => {
  const { lab, through } = await installed(t)
  const closed = join(makeFolder(t), 'closed')
  mkdirSync(join(closed, 'dist'), { recursive: true })
  for (const name of ['dist/bin', 'dist/lib', 'dist/locales', 'package.json', 'examples', 'master.cf.sample'])
    cpSync(join(ROOT, name), join(closed, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(closed, 'node_modules'))
  chmodSync(closed, 0o700)
  chmodSync(join(closed, '..'), 0o755)
  const program = join(closed, 'dist/bin/toeh.cjs')
  const line = `toeh: start ${program}: ${closed} is closed to nobody; put it where every user can reach it, as below /usr/local or /opt\n`
  const start = (via: readonly string[], ...args: string[]): Promise<Outcome> => {
    const script = `node=$1; shift 2; exec "$node" ${program} "$@"`
    return outcomeOf(startToeh(lab.config, args, [...via, 'sh', '-c', script, 'sh']))
  }
  for (const via of [through, ['env']]) {
    const listed = await start(via, 'list')
    t.strictSame(listed, { code: 77, signal: null, stdout: '', stderr: line })
    const [state, config] = [join(lab.dir, 'new'), join(lab.dir, 'new.toml')]
    const made = await start(
      via,
      'init',
      '--user',
      'nobody',
      '--internal',
      'a.test',
      '--state',
      state,
      '--config',
      config,
    )
    t.strictSame(made, { code: 77, signal: null, stdout: '', stderr: line })
    t.notOk(statSync(state, { throwIfNoEntry: false }) ?? statSync(config, { throwIfNoEntry: false }))
  }
  // The other half of it: Node itself.
  cpSync(process.execPath, join(closed, 'node'))
  const script = `shift 2; exec ${join(closed, 'node')} ${TOEH} "$@"`
  const hidden = await outcomeOf(startToeh(lab.config, ['list'], [...through, 'sh', '-c', script, 'sh']))
  assertRefused(t, hidden, 77, `toeh: start ${join(closed, 'node')}: ${closed} is closed to nobody; put it`)
})

t.test('in Postfix: init, doctor and the express lane', { skip: skip || cannotBeFresh() }, async (t) => {
  const answers: string[][] = []
  for (const isConfined of [true, false]) {
    const debian = new Debian(t)
    if (isConfined) debian.env.NODE_OPTIONS = confine(debian.dir)
    const told: string[] = []
    const tell = ({ code, signal, stdout, stderr }: Outcome): void => {
      const plain = (text: string): string =>
        text.replaceAll(debian.dir, 'DIR').replaceAll(debian.host, 'HOST')
      // What stands round a change in main.cf comes in an order of chance.
      const own = plain(stdout).replace(/^ +\w+ = .*\n/gm, '')
      told.push(`${code} ${signal} ${own} ${plain(stderr)}`)
    }
    tell(await debian.init('--postfix'))
    tell(await debian.init('--postfix', '--apply'))
    tell(await debian.init())
    t.equal(execFileSync('find', [debian.state, '!', '-user', String(NOBODY)], { encoding: 'utf8' }), '')
    tell(await debian.toeh('allow', 'known.test'))
    const text = readFileSync(debian.config, 'utf8')
    writeFileSync(debian.config, text.replace(/(\[express\][^[]*?)enabled = false/, '$1enabled = true'))
    tell(await debian.toeh('express', '--check'))
    const written = await debian.toeh('express', '--write')
    tell(written)
    assertDone(t, written, /\n1 rows of the lane written\n/)
    t.equal(statSync(lanePath(debian.state)).uid, NOBODY)
    t.equal(statSync(lanePath(debian.state)).mode & 0o777, 0o640)
    tell(await debian.toeh('express', '--check'))
    tell(await debian.toeh('express', '--check', '--json'))
    tell(await debian.toeh('express', 'a@known.test', 'a@stranger.test'))
    tell(await debian.toeh('doctor', '--config-dir', debian.etc))
    answers.push(told)
  }
  const [confined = [], usual = []] = answers
  t.strictSame(confined, usual)
  t.match(confined[1], /DIR\/var\/toeh\/toeh\.db made/)
  t.match(confined[2], /DIR\/var\/toeh\/toeh\.db is there/)
  t.notMatch(confined.join('\n'), /io_uring|ERR_INVALID_STATE/)
})

t.test('troubles survive the way back', (t) => {
  const failure = new Failure('state', 'it is closed', { at: '/x', status: 77, hint: 'open it' })
  const system = Object.assign(new Error('EACCES: denied'), { code: 'EACCES', errno: -13 })
  for (const error of [failure, system, new Error('plain'), 'text', undefined]) {
    const back = errorOf(JSON.parse(JSON.stringify(troubleOf(error))))
    t.equal(describeError(back), describeError(error))
    t.equal(back instanceof Failure, error instanceof Failure)
  }
  t.equal((errorOf(troubleOf(failure)) as Failure).status, 77)
  t.end()
})
