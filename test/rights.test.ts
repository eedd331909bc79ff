/** Rights: what any program makes is unreadable to others, whatever the umask and whoever starts it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { databasePath, openForWriting } from '../lib/database/database.js'
import {
  makeFolder,
  makeLab,
  NODE,
  type Outcome,
  onlyWith,
  outcomeOf,
  PIPE_ENV,
  startToeh,
  startWith,
  TOEH,
  UNPRIVILEGED,
  walk,
} from './support/lab.js'
import { makeSink } from './support/sink.js'

const isRoot = process.getuid?.() === 0
const STRANGER = ['setpriv', '--reuid=65533', '--regid=65533', '--clear-groups']

/** A shell that sets the umask and becomes the program behind it. */
function under(umask: string): string[] {
  return ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh']
}

/** The paths at and below a folder that group or others may do anything with. */
function open(dir: string): string[] {
  return walk(dir)
    .map((path) => ({ path, mode: lstatSync(path).mode & 0o777 }))
    .filter(({ mode }) => (mode & 0o077) !== 0)
    .map(({ path, mode }) => `${path} ${mode.toString(8)}`)
}

for (const umask of ['000', '022', '077']) {
  t.test(`everything under umask ${umask}`, async (t) => {
    const sink = await makeSink(t)
    const dir = makeFolder(t)
    chmodSync(dir, 0o755)
    const config = join(dir, 'etc/toeh.toml')
    const state = join(dir, 'state')
    const through = under(umask)
    const toeh = async (...args: string[]): Promise<Outcome> => outcomeOf(startToeh(config, args, through))
    const user = isRoot ? ['--user', 'nobody'] : []
    t.match(await toeh('init', '--state', state, '--internal', 'corp.test', ...user), { code: 0 })
    t.equal(
      statSync(config).mode & 0o027,
      0,
      'the configuration: nothing for others, no writing for the group',
    )
    const lab = makeLab(t, sink.setting)
    const filtered = await lab.filter({ recipients: ['eve@unknown.test', 'x@corp.test'], through })
    t.match(filtered, { code: 0, stdout: /held 1/ })
    t.match(await toeh('allow', 'one.test', '--note', 'x'), { code: 0 })
    t.match(await toeh('list'), { code: 0 })
    t.match(await toeh('cleanup'), { code: 0 })
    const exported = join(makeFolder(t), 'rules.csv')
    if (isRoot) chownSync(join(exported, '..'), 65534, 65534)
    t.match(await toeh('export', exported), { code: 0 })
    t.equal(statSync(exported).mode & 0o777, 0o600, 'the export')
    for (const folder of [state, lab.state]) {
      t.strictSame(open(folder), [], 'nothing is open to others')
      t.equal(statSync(folder).mode & 0o777, 0o700)
    }
    t.ok(
      walk(lab.state).some((path) => path.endsWith('.jsonl')) && lab.held().length === 1,
      'all of it is there',
    )
    if (!isRoot) return
    const owners = execFileSync('find', [state, '-printf', '%u\n'], { encoding: 'utf8' })
    t.strictSame([...new Set(owners.trim().split('\n'))], ['nobody'], 'root made nothing of its own in it')
    for (const path of walk(state)) {
      const read = spawnSync(STRANGER[0] ?? '', [...STRANGER.slice(1), 'cat', path])
      t.not(read.status, 0, `a stranger cannot read ${path}`)
    }
  })
}

t.test('the journal of the database, and a spool in the middle', async (t) => {
  const before = process.umask(0)
  t.teardown(() => process.umask(before))
  const lab = makeLab(t)
  const db = openForWriting(databasePath(lab.state), { busySeconds: 1 })
  db.transaction(() => {
    db.run("INSERT INTO progress (name, value) VALUES ('x', 'y')")
    const journal = `${databasePath(lab.state)}-journal`
    t.equal(statSync(journal).mode & 0o777, 0o600, 'the journal')
    t.strictSame(open(lab.state), [])
  })
  db.close()
  const child = lab.startFilter({ recipients: ['eve@unknown.test'], through: under('000') })
  const ended = outcomeOf(child)
  // More than is kept in memory.
  child.stdin?.write(`Subject: x\n\n${'x\n'.repeat(50_000)}`)
  while (lab.temporaries().length === 0) await new Promise((done) => setTimeout(done, 20))
  t.strictSame(open(lab.state), [], 'the spool')
  child.stdin?.end('x\n')
  await ended
})

/** toeh init as root for nobody. */
async function init(config: string, state: string): Promise<Outcome> {
  const args = ['init', '--config', config, '--state', state, '--internal', 'corp.test', '--user', 'nobody']
  return outcomeOf(startWith(PIPE_ENV, ['env', ...onlyWith(PIPE_ENV), NODE, TOEH, ...args]))
}

async function place(t: Test): Promise<{ state: string; precious: string; config: string }> {
  const dir = makeFolder(t)
  chmodSync(dir, 0o755)
  const precious = join(dir, 'precious')
  mkdirSync(precious, { mode: 0o755 })
  const state = join(dir, 'state')
  mkdirSync(state, { mode: 0o700 })
  chownSync(state, 65534, 65534)
  return { state, precious, config: join(dir, 'toeh.toml') }
}

t.test(
  'links that the filter\u2019s user plants lead root nowhere',
  { skip: isRoot ? false : 'needs root' },
  async (t) => {
    for (const name of ['hold', 'decisions']) {
      const { state, precious, config } = await place(t)
      symlinkSync(precious, join(state, name))
      await init(config, state)
      const { uid, mode } = statSync(precious)
      t.strictSame({ uid, mode: mode & 0o777 }, { uid: 0, mode: 0o755 }, `${name}: the folder stays root's`)
      t.notOk(existsSync(join(precious, 'tmp')), `${name}: and nothing is made in it`)
    }
    const { state, precious, config } = await place(t)
    symlinkSync(join(precious, 'toeh.db'), join(state, 'toeh.db'))
    await init(config, state)
    t.notOk(existsSync(join(precious, 'toeh.db')), 'nor a database')
  },
)

t.test(
  'a stranger can plant nothing where TOEH writes',
  { skip: isRoot ? false : 'needs root' },
  async (t) => {
    const lab = makeLab(t)
    await lab.park(['eve@unknown.test'])
    lab.giveAway()
    chmodSync(lab.dir, 0o755)
    for (const folder of ['.', 'hold', 'hold/tmp', 'decisions']) {
      const link = join(lab.state, folder, 'planted')
      const [program = '', ...args] = [...STRANGER, 'ln', '-s', '/etc/passwd', link]
      t.not(spawnSync(program, args).status, 0, folder)
      const [owner = '', ...rest] = [...UNPRIVILEGED, 'test', '-w', join(lab.state, folder)]
      t.equal(spawnSync(owner, rest).status, 0, `${folder}: its owner can`)
    }
  },
)
