/** Trust: whose configuration counts, and where a file may be written; in this process, as root and behind sudo. */
import { chmodSync, chownSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { demandTarget, demandTrustedInstance, loadTrusted } from '../../lib/cli/trust.js'
import { EXIT } from '../../lib/exit.js'
import { laneFolder } from '../../lib/express/lane.js'
import { Failure } from '../../lib/failure.js'
import { failureOf } from '../support/failing.js'
import { makeFolder, makeLab } from '../support/lab.js'

const NOBODY = 65534
const skip = process.getuid?.() === 0 ? false : 'needs root'

/** Has this process run for somebody else, as sudo says it; empty for nobody. */
function lendTo(t: Test, name: string): void {
  const { SUDO_USER } = process.env
  process.env.SUDO_USER = name
  t.teardown(() => {
    if (SUDO_USER === undefined) delete process.env.SUDO_USER
    else process.env.SUDO_USER = SUDO_USER
  })
}

function own(path: string, uid: number, mode: number): void {
  chownSync(path, uid, 0)
  chmodSync(path, mode)
}

/** The owner and mode of a file, behind whom, and why it does not count. */
const DISTRUSTED: [uid: number, mode: number, behind: string, why: string | undefined][] = [
  [0, 0o644, '', undefined],
  [0, 0o600, 'daemon', undefined],
  [0, 0o664, '', 'others than its owner can change it'],
  [0, 0o646, 'daemon', 'others than its owner can change it'],
  [NOBODY, 0o600, '', 'it belongs to another user'],
  [NOBODY, 0o600, 'nobody', 'behind sudo it has to belong to root'],
  [NOBODY, 0o622, 'nobody', 'others than its owner can change it'],
]

t.test('which configuration counts', { skip }, async (t) => {
  const lab = makeLab(t, 'expire_days = 3\n')
  for (const [uid, mode, behind, why] of DISTRUSTED) {
    lendTo(t, behind)
    own(lab.config, uid, mode)
    const name = `of ${uid}, ${mode.toString(8)}, behind ${behind || 'nobody'}`
    if (why === undefined) {
      t.equal(loadTrusted(lab.config).expireDays, 3, name)
      continue
    }
    const failure = await failureOf(() => loadTrusted(lab.config))
    t.equal(failure.status, EXIT.noPermission, name)
    t.equal(
      failure.line,
      `configuration ${lab.config}: ${why}; toeh takes one that belongs to root, and that nobody else can change`,
      name,
    )
  }
  lendTo(t, '')
  own(lab.config, 0, 0o644)
  writeFileSync(lab.config, 'nonsense = 1\n')
  t.equal((await failureOf(() => loadTrusted(lab.config))).status, EXIT.config)
  t.ok(await failureOf(() => loadTrusted(`${lab.config}.not`)))
})

t.test('another Postfix instance', { skip }, async (t) => {
  t.doesNotThrow(() => demandTrustedInstance('doctor', undefined), "the system's own is not asked about")
  const dir = join(makeFolder(t), 'etc')
  t.doesNotThrow(() => demandTrustedInstance('doctor', dir), 'what is not there postconf(1) speaks of')
  mkdirSync(dir)
  t.doesNotThrow(() => demandTrustedInstance('doctor', dir))
  for (const name of ['main.cf', 'master.cf']) writeFileSync(join(dir, name), '')
  for (const path of [dir, join(dir, 'main.cf'), join(dir, 'master.cf')]) {
    for (const [uid, mode, behind, why] of DISTRUSTED) {
      lendTo(t, behind)
      own(path, uid, mode)
      const name = `${path} of ${uid}, ${mode.toString(8)}, behind ${behind || 'nobody'}`
      if (why === undefined) t.doesNotThrow(() => demandTrustedInstance('doctor', dir), name)
      else {
        const failure = await failureOf(() => demandTrustedInstance('doctor', dir))
        t.strictSame(
          [failure.status, failure.line],
          [EXIT.noPermission, `doctor ${path}: ${why}; Postfix would run what it names`],
          name,
        )
      }
    }
    own(path, 0, 0o755)
  }
})

/** Why a file may not be written, or undefined where it may. */
function refusal(
  config: { path: string; state: string },
  path: string,
  toStdout?: string,
): string | undefined {
  try {
    demandTarget('export', config, path, toStdout)
    return undefined
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    if (error.status !== EXIT.noPermission) throw new Error(`${error.status} for ${path}`)
    return error.line
  }
}

t.test('where a file may be written', { skip }, async (t) => {
  lendTo(t, '')
  const lab = makeLab(t)
  const config = { path: lab.config, state: lab.state }
  mkdirSync(laneFolder(lab.state), { recursive: true })
  const around = join(lab.dir, 'around')
  symlinkSync(lab.state, around)
  const inside = (path: string): string =>
    `export ${path}: what is in the state folder is for toeh alone to write; name a file elsewhere`
  for (const path of [
    lab.state,
    join(lab.state, 'new'),
    join(lab.state, 'toeh.db'),
    join(lab.state, 'hold/tmp/new'),
    join(around, 'new'),
    join(around, 'hold/../new'),
    join(laneFolder(lab.state), 'new'),
  ])
    t.equal(refusal(config, path), inside(path))
  const [link, twin] = [join(lab.dir, 'link.toml'), join(lab.dir, 'twin.toml')]
  symlinkSync(lab.config, link)
  linkSync(lab.config, twin)
  for (const path of [lab.config, link, twin])
    t.equal(refusal(config, path), `export ${path}: it is the configuration; name another file`)
  for (const path of [join(lab.dir, 'new'), join(lab.dir, 'postfix'), '/no/such/folder/new'])
    t.equal(refusal(config, path), undefined, path)
})

t.test('behind sudo, where that person could write', { skip }, async (t) => {
  lendTo(t, 'nobody')
  const lab = makeLab(t)
  chmodSync(lab.dir, 0o755)
  const config = { path: lab.config, state: lab.state }
  const folder = (name: string, uid: number, mode: number): string => {
    const path = join(lab.dir, name)
    mkdirSync(path)
    own(path, uid, mode)
    return path
  }
  const [mine, theirs, all] = [folder('a', NOBODY, 0o755), folder('b', 0, 0o755), folder('c', 0, 0o1777)]
  t.equal(refusal(config, join(mine, 'new')), undefined)
  t.equal(refusal(config, join(all, 'new')), undefined)
  const closed = join(theirs, 'new')
  t.equal(refusal(config, closed), `export ${closed}: nobody may not write there; run it in a root shell`)
  t.equal(
    refusal(config, closed, 'export'),
    `export ${closed}: nobody may not write there; let the shell write: toeh export > FILE`,
  )
  const kept = join(all, 'kept')
  writeFileSync(kept, '')
  t.match(refusal(config, kept), 'nobody may not write there', "another's file in a sticky folder")
  chownSync(kept, NOBODY, 0)
  t.equal(refusal(config, kept), undefined)
})
