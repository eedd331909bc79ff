/** The Debian package: built, checked, installed, used, upgraded, removed and purged on this system under an overlay. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { parseServices } from '../../lib/postfix/mastercf.js'
import { build, CACHE, cache, cannotPackage } from '../support/deb.js'
import { assertDone, MESSAGE, type Outcome, outcomeOf, ROOT } from '../support/lab.js'
import { Machine } from '../support/machine.js'
import { makeSink, type Sink, unwire } from '../support/sink.js'

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
const TIMERS = ['toeh-cleanup.timer', 'toeh-digest.timer']
const WANTS = '/etc/systemd/system/timers.target.wants'

/** lintian's complaints that are errors or warnings. */
async function lint(deb: string): Promise<string[]> {
  const { stdout } = await outcomeOf(spawn('lintian', ['--no-cfg', deb]))
  return stdout.split('\n').filter((line) => /^[EW]:/.test(line))
}

/** What dpkg and man keep for themselves, and the copies that adduser makes. */
const BOOKS =
  /^(?:var\/lib\/dpkg\/|var\/log\/|var\/cache\/|run\/|etc\/(?:passwd|group|shadow|gshadow|subuid|subgid)- |etc\/\.pwd\.lock )/

async function askArguments(t: Test, machine: Machine): Promise<string[]> {
  const { master } = JSON.parse(await machine.sh('toeh init --json')) as { master: string[] }
  const found = parseServices(master.join('\n'))[0]?.argv ?? []
  const node = (await machine.sh('command -v node')).trim()
  t.strictSame(found.slice(0, 2), ['/usr/lib/toeh/dist/bin/toeh-filter', `--node=${node}`])
  return found
}

/** The filter as the lines of `toeh init` have Postfix start it, by the user of the package. */
async function runFilter(
  machine: Machine,
  argv: string[],
  queueId: string,
  recipient: string,
): Promise<Outcome> {
  const values: Record<string, string> = {
    sender: 'anna@corp.test',
    queue_id: queueId,
    size: String(MESSAGE.length),
    client_address: '192.0.2.7',
    client_helo: 'pc.corp.test',
    recipient,
  }
  const words = argv.map((word) => word.replace(/\$\{(\w+)\}/, (_, name: string) => values[name] ?? ''))
  const user = [
    'setpriv',
    '--reuid=toeh',
    '--regid=toeh',
    '--clear-groups',
    'env',
    '-i',
    'PATH=/usr/bin:/bin',
  ]
  return machine.run([...user, ...words], MESSAGE)
}

/** What the lines of cron.d start, by a toeh that writes down what it is asked. */
async function runCron(machine: Machine): Promise<string> {
  const lines = (await machine.sh('cat /etc/cron.d/toeh')).split('\n').filter((line) => /^\d/.test(line))
  for (const line of lines) {
    const [, user, command] = /^(?:\S+\s+){5}(\S+)\s+(.*)$/.exec(line) ?? []
    if (user !== 'toeh' || command === undefined) throw new Error(line)
    const asked = command.replace(/\/usr\/bin\/toeh (?=\w+$)/, '/tmp/cron/toeh ')
    if (asked === command) throw new Error(`${line} names no program by its path`)
    await machine.run(['env', 'PATH=/usr/bin:/bin', 'sh', '-c', asked])
  }
  return machine.sh('cat /tmp/cron/asked 2>/dev/null || true; rm -f /tmp/cron/asked')
}

async function assertInstalled(t: Test, machine: Machine): Promise<void> {
  const rights = await machine.sh(
    `stat -c '%A %U:%G %n' /etc/toeh /etc/toeh/toeh.toml /var/lib/toeh /var/lib/toeh/hold /var/lib/toeh/toeh.db`,
  )
  t.equal(
    rights,
    [
      'drwxr-xr-x root:root /etc/toeh',
      '-rw-r----- root:toeh /etc/toeh/toeh.toml',
      'drwx------ toeh:toeh /var/lib/toeh',
      'drwx------ toeh:toeh /var/lib/toeh/hold',
      '-rw------- toeh:toeh /var/lib/toeh/toeh.db\n',
    ].join('\n'),
  )
  t.match(
    await machine.sh('getent passwd toeh'),
    /^toeh:x:\d+:\d+:[^:]*:\/var\/lib\/toeh:\/usr\/sbin\/nologin\n$/,
  )
  t.match(await machine.sh('cat /etc/toeh/toeh.toml'), /\nmode = "observe"\n/)
  t.match(await machine.sh('cat /etc/toeh/toeh.toml'), '\ninternal_domains = ["corp.test"]\n')
  t.equal(await machine.sh('toeh --version'), `${version}\n`)
  t.match(
    await machine.sh('toeh doctor || true'),
    /good +rights: .*\n(?:.*\n)*good +database: /,
    'doctor looks at it',
  )
  t.match(
    await machine.sh('man -w toeh toeh-filter toeh.toml'),
    /^.*toeh\.8\.gz\n.*toeh-filter\.8\.gz\n.*toeh\.toml\.5\.gz\n$/,
  )
  t.strictSame((await machine.sh(`ls ${WANTS} | grep toeh`)).trim().split('\n'), TIMERS)
  await machine.sh('systemd-analyze --man=no verify /usr/lib/systemd/system/toeh-*')
  for (const unit of ['cleanup', 'digest'])
    t.notMatch(await machine.sh(`cat /usr/lib/systemd/system/toeh-${unit}.service`), /^NoNewPrivileges/m)
  // Never both at work.
  await machine.sh(
    `mkdir -p /tmp/cron; printf '#!/bin/sh\\necho "$@" >> /tmp/cron/asked\\n' > /tmp/cron/toeh; chmod 755 /tmp/cron/toeh`,
  )
  t.equal(await runCron(machine), 'cleanup\ndigest\n')
  await machine.sh('mkdir -p /run/systemd/system')
  t.equal(await runCron(machine), '')
  await machine.sh('rmdir /run/systemd/system')
  t.equal(
    await machine.sh('find /usr/lib/toeh -name "*.ts" -o -name deps -o -name "*.c" -o -name "*.map"'),
    '',
  )
}

/** A message is held and released, another is let through; one stays. @returns the id of what waits */
async function assertWorks(t: Test, machine: Machine, sink: Sink, argv: string[]): Promise<string> {
  await machine.sh(
    `toeh mode enforce --yes; sed -i 's|^reinject = .*|${sink.setting}|; s|^enabled = true|enabled = false|' /etc/toeh/toeh.toml`,
  )
  const ids: string[] = []
  for (const queueId of ['4bQ8Yk2hJnz1', '4bQ8Yk2hJnz2']) {
    const held = await runFilter(machine, argv, queueId, 'bob@new.test')
    t.match(held, { code: 0, stderr: '' })
    ids.push(/ in ([0-9a-z]{12})\n$/.exec(held.stdout)?.[1] ?? held.stdout)
  }
  const [first = '', second = ''] = ids
  assertDone(t, await machine.run(['toeh', 'list']), second)
  assertDone(t, await machine.run(['toeh', 'release', first]), 'SINK00000001')
  t.strictSame(
    sink.mails.map(({ recipients, bytes }) => [...recipients, unwire(bytes).toString()]),
    [['bob@new.test', MESSAGE]],
  )
  for (const command of ['cleanup', 'digest']) await machine.sh(`runuser -u toeh -- /usr/bin/toeh ${command}`)
  return second
}

async function assertSurvivesNode(t: Test, machine: Machine, argv: string[]): Promise<void> {
  t.match(await cache(machine), CACHE)
  await machine.sh('toeh allow known.test; rm /usr/lib/toeh/dist/bin/*.cache')
  t.match(await runFilter(machine, argv, '4bQ8Yk2hJnz3', 'eve@known.test'), {
    code: 0,
    stdout: /^toeh: passed 1 as /,
  })
  const asInTheSample = ['/usr/lib/toeh/toeh-filter', ...argv.slice(2)]
  t.match(await runFilter(machine, asInTheSample, '4bQ8Yk2hJnz4', 'eve@known.test'), {
    code: 0,
    stdout: /^toeh: passed 1 as /,
  })
  // What dpkg does where a new /usr/bin/node is unpacked.
  await machine.sh('dpkg-trigger --by-package=nodejs /usr/bin/node && dpkg --triggers-only toeh')
  t.match(await cache(machine), CACHE, 'made again')
  // One that is too old, or has another ABI: told, and no reason to leave dpkg in the middle.
  await machine.sh(
    `printf '#!/bin/sh\\n[ "$1" = --version ] && echo v18.20.4\\n' > /usr/local/sbin/node; chmod 755 /usr/local/sbin/node`,
  )
  const told = await machine.run([
    'env',
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    '/var/lib/dpkg/info/toeh.postinst',
    'triggered',
  ])
  t.match(told, {
    code: 0,
    stdout: '',
    stderr: /^toeh: toeh-filter does not run with the node here \(v18\.20\.4\)[^\n]*\n$/,
  })
  await machine.sh('rm /usr/local/sbin/node')
}

/** The program of another Node, as packaging has it from npm. */
async function otherNode(): Promise<Buffer> {
  const made = (await import(join(ROOT, 'packaging/othernode.mjs'))) as {
    otherNode(root: string): { program: string }
  }
  return readFileSync(made.otherNode(ROOT).program)
}

/** Another major version of Node comes: nothing changes but speed, and with the trigger not even that. */
async function assertTakesOtherNode(t: Test, machine: Machine, argv: string[]): Promise<void> {
  const node = argv[1]?.slice('--node='.length) ?? ''
  const other = await otherNode()
  const first = await machine.sh(`node --version; cp -a ${node} /tmp/node-before`)
  await machine.sh(`rm ${node}; cat > ${node}; chmod 755 ${node}`, other)
  const second = await machine.sh('node --version')
  t.not(second.split('.')[0], first.split('.')[0])
  const works = async (queueId: string, why: string): Promise<void> => {
    const passed = await runFilter(machine, argv, `${queueId}k`, 'eve@known.test')
    t.match(passed, { code: 0, stdout: /^toeh: passed 1 as /, stderr: '' }, why)
    assertDone(t, await machine.run(['toeh', 'why', 'eve@known.test']), 'pass: allowed')
    // By the better-sqlite3 of this Node: the package has two.
    assertDone(t, await machine.run(['toeh', 'backup', `/tmp/${queueId}.db`]), queueId)
    await machine.sh(`rm /tmp/${queueId}.db`)
  }
  const begins = async (): Promise<boolean> => {
    const [path = ''] = (await machine.sh('ls /usr/lib/toeh/dist/bin/filter-*.cache')).split('\n')
    const size = 8 + '/proc/self/exe'.length
    const [head] = (await machine.sh(`head -c ${size + 1024} ${path} | tail -c 1024 | md5sum`)).split(' ')
    return head === createHash('md5').update(other.subarray(0, 1024)).digest('hex')
  }
  await works('4bQ8Yk2hJn5', 'with the cache of another')
  t.notOk(await begins())
  await machine.sh('dpkg-trigger --by-package=nodejs /usr/bin/node && dpkg --triggers-only toeh')
  t.match(await cache(machine), CACHE)
  t.ok(await begins(), 'the cache is of the new one')
  await works('4bQ8Yk2hJn6', 'with its own')
  await machine.sh(`mv /tmp/node-before ${node}`)
  await works('4bQ8Yk2hJn7', 'and back, with the cache of another')
  await machine.sh('rm /usr/lib/toeh/dist/bin/*.cache; /var/lib/dpkg/info/toeh.postinst triggered')
}

const POSTFIX = 'cat /etc/postfix/main.cf /etc/postfix/master.cf'

const cannot = cannotPackage()

t.test('the package, from its building to its purge', { skip: cannot, timeout: 280_000 }, async (t) => {
  const machine = await Machine.start(t)
  if (machine === undefined) {
    return void t.plan(0, 'no overlay over this system can be made here')
  }
  const deb = await build(t)
  const complaints = lint(deb)
  const sink = await makeSink(t)

  // Node where its packages have it: the one that runs the tests may lie in /usr/local or in somebody's home.
  await machine.sh(`[ "$(/usr/bin/node --version 2>/dev/null)" = ${process.version} ] || {
    cp --remove-destination -L ${process.execPath} /usr/bin/node; rm -f /usr/local/bin/node; }`)
  // A mail server as it would be, whatever else has been tried on this system.
  await machine.sh(`rm -rf /etc/toeh /var/lib/toeh /var/backups/toeh; mkdir -p /etc/postfix
    printf 'compatibility_level = 3.6\\nmydestination = corp.test\\n' > /etc/postfix/main.cf
    printf 'submission inet n - n - - smtpd\\n' > /etc/postfix/master.cf`)
  await machine.sh(`cat > /tmp/${basename(deb)}`, readFileSync(deb))
  const before = await machine.changes()
  const postfix = await machine.sh(POSTFIX)
  // The manual pages' database is man's own affair, and takes a second each time.
  const dpkg = (...words: string[]) => machine.run(['dpkg', '--force-unsafe-io', '--no-triggers', ...words])
  const install = () => dpkg('-i', `/tmp/${basename(deb)}`)
  const installed = await install()
  t.equal(installed.code, 0, installed.stderr)
  t.match(installed.stdout, 'toeh: /etc/toeh/toeh.toml made, internal domains: corp.test\n')
  t.match(installed.stdout, 'toeh: it begins by observing: everything passes until: toeh mode enforce\n')
  await assertInstalled(t, machine)
  t.equal(await machine.sh(POSTFIX), postfix, "what Postfix is told is nobody else's")
  const argv = await askArguments(t, machine)
  const id = await assertWorks(t, machine, sink, argv)
  await assertSurvivesNode(t, machine, argv)
  await assertTakesOtherNode(t, machine, argv)

  const config = await machine.sh('cat /etc/toeh/toeh.toml')
  t.match(await install(), { code: 0 })
  t.equal(await machine.sh('cat /etc/toeh/toeh.toml'), config, 'an upgrade keeps the configuration')
  t.match(await machine.sh('toeh list'), id, 'and what waits')
  t.match(await cache(machine), CACHE)

  await machine.sh('cp -p /etc/postfix/master.cf /tmp; postconf -P submission/inet/content_filter=toeh:dummy')
  const refused = await dpkg('--remove', 'toeh')
  t.equal(refused.code, 1)
  t.match(
    refused.stderr,
    'toeh: not removed, because Postfix still gives it mail: submission/inet/content_filter.',
  )
  t.match(await machine.sh('dpkg -s toeh'), /Status: \w+ ok installed\n/, 'it is as it was')
  t.match(await cache(machine), CACHE)
  await machine.sh('mv /tmp/master.cf /etc/postfix')
  t.match(await dpkg('--remove', 'toeh'), { code: 0 })
  t.equal(await machine.sh('ls -d /usr/lib/toeh /usr/bin/toeh 2>/dev/null || true'), '')
  t.equal(await machine.sh('cat /etc/toeh/toeh.toml'), config)
  t.equal(await runCron(machine), '', 'cron has nothing to start')

  const kept = await dpkg('--purge', 'toeh')
  t.match(kept, {
    code: 0,
    stderr: 'toeh: /var/lib/toeh and the user toeh are kept: mail waits in /var/lib/toeh/hold\n',
  })
  t.match(await machine.sh(`ls /var/lib/toeh/hold/${id}; getent passwd toeh`), 'message.eml')

  t.match(await install(), { code: 0 })
  assertDone(t, await machine.run(['toeh', 'show', id]), 'bob@new.test')
  await machine.sh(`sed -i 's|^reinject = .*|${sink.setting}|' /etc/toeh/toeh.toml; toeh release ${id}`)
  t.strictSame(
    sink.mails.map(({ recipients }) => recipients.join()),
    ['bob@new.test', 'anna@corp.test', ...Array(5).fill('eve@known.test'), 'bob@new.test', 'anna@corp.test'],
    'released, told by digest, let through five times, released and told of it',
  )
  // As toeh express --write leaves it: root's purge takes what Postfix's group shares.
  await machine.sh('install -d -o toeh -g postfix -m 2750 /var/lib/toeh-express')
  await machine.sh('touch /var/lib/toeh-express/lane.db /var/lib/toeh-express/lane.db-journal')
  t.match(await dpkg('--purge', 'toeh'), { code: 0, stderr: '' })
  t.equal(await machine.sh('ls -d /var/lib/toeh* 2>/dev/null || true'), '')
  await machine.sh('rm -r /tmp/cron')
  const rest = (lines: string[]): string[] => lines.filter((line) => !BOOKS.test(line))
  t.strictSame(rest(await machine.changes()), rest(before), 'nothing is left of it')
  t.strictSame(await complaints, [], 'lintian')
})
