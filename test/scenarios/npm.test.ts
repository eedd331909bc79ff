/**
 * toeh as npm installs it: packed without a compiler, and taken away and put back under a Postfix that goes on sending. What npm
 * would fetch beside it, the one native part, is this checkout's own.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import bettersqlite from '../../lib/system/bettersqlite.cjs'
import { MESSAGE, makeFolder, ROOT, SHELL_ENV } from '../support/lab.js'
import { cannotRun, Postfix } from '../support/postfix.js'

const hasNpm = spawnSync('npm', ['--version']).status === 0
const OWN = 'anna@corp.test'
const ENV = { ...SHELL_ENV, PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/' }

/** What `npm ci --ignore-scripts` leaves: all modules, and of better-sqlite3 nothing that was compiled. */
function bareCheckout(t: Test): string {
  const dir = join(makeFolder(t, 'toeh-npm-'), 'toeh')
  const left = ['.git', '.tap', 'dist', 'node_modules']
  cpSync(ROOT, dir, {
    recursive: true,
    filter: (from) => !left.some((name) => from === join(ROOT, name)),
  })
  mkdirSync(join(dir, 'node_modules'))
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    const [from, to] = [join(ROOT, 'node_modules', name), join(dir, 'node_modules', name)]
    if (!name.startsWith('better-sqlite3')) symlinkSync(from, to)
    else
      cpSync(from, to, {
        recursive: true,
        filter: (path) => !['build', 'prebuilds', 'deps'].includes(basename(path)),
      })
  }
  return dir
}

/** The tarball of a checkout in which nothing was compiled. */
function pack(t: Test): string {
  const dir = bareCheckout(t)
  const packed = spawnSync('npm', ['pack', '--offline'], { cwd: dir, env: ENV, encoding: 'utf8' })
  t.equal(packed.status, 0, packed.stderr)
  const [file = ''] = readdirSync(dir).filter((name) => name.endsWith('.tgz'))
  return join(dir, file)
}

/** Where npm puts it below a prefix. */
const placeIn = (prefix: string): string => join(prefix, 'lib/node_modules/toeh')

function install(tarball: string, prefix: string): void {
  const place = placeIn(prefix)
  mkdirSync(join(place, 'node_modules'), { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', place, '--strip-components=1', '--no-same-owner'])
  const { folder } = bettersqlite
  cpSync(join(ROOT, 'node_modules', folder), join(place, 'node_modules', folder), { recursive: true })
  execFileSync('chmod', ['-R', 'o+rX', prefix])
}

const skip = cannotRun() || (hasNpm ? false : 'there is no npm here')

t.test(
  'toeh goes and comes back under a living Postfix: mail waits, and none is returned',
  { skip },
  async (t) => {
    const tarball = pack(t)
    const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n')
    for (const name of ['dist/bin/toeh-filter.cjs', 'dist/bin/toeh.cjs', 'cache.mjs'])
      t.ok(files.includes(`package/${name}`), name)
    t.same(
      files.filter((name) => /\.node$|\.cache$|node_modules/.test(name)),
      [],
      'what is made for one Node is not in it',
    )
    const prefix = makeFolder(t, 'toeh-prefix-')
    chmodSync(prefix, 0o755)
    install(tarball, prefix)
    const postfix = await Postfix.start(t, {
      breakService: (lines) =>
        lines.replace(/argv=\S+/, `argv=${join(placeIn(prefix), 'dist/bin/toeh-filter')}`),
    })
    await postfix.submit(OWN, ['one@stranger.test'], MESSAGE)
    await postfix.settled()
    t.equal(postfix.lab.held().length, 1)

    const gone = spawnSync('npm', ['uninstall', '--global', '--offline', '--prefix', prefix, 'toeh'], {
      env: ENV,
      encoding: 'utf8',
    })
    t.equal(gone.status, 0, gone.stderr)
    t.notOk(existsSync(placeIn(prefix)))
    await postfix.submit(OWN, ['two@stranger.test'], MESSAGE)
    await postfix.until('a try without it', () => /to=<two@stranger\.test>.* status=/.test(postfix.log()))
    t.match(
      postfix.log(),
      /to=<two@stranger\.test>, relay=toeh, .* status=deferred \(temporary failure\..*No such file/,
    )
    t.notMatch(postfix.log(), /status=bounced/)
    t.same(
      postfix.queue().flatMap(({ recipients }) => recipients.map(({ address }) => address)),
      ['two@stranger.test'],
      'it waits',
    )
    t.same(postfix.sink.mails, [], 'nobody was sent anything, its sender neither')

    install(tarball, prefix)
    postfix.flush()
    await postfix.settled()
    t.equal(postfix.lab.held().length, 2, 'and is decided on when toeh is back')
    t.same(postfix.lab.states(), ['one@stranger.test held', 'two@stranger.test held'])
    t.same(postfix.sink.mails, [])
  },
)
