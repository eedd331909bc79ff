/**
 * What is written for other programs, run by them where Node is in /usr/local alone: the package's postinst by apt, the lines for cron
 * by cron(8), the services of master.cf by pipe(8). Each gives its children a PATH of its own.
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import t, { type Test } from 'tap'
import { build, CACHE, cache, cannotPackage } from '../support/deb.js'
import { findProgram } from '../support/debianpackages.js'
import { Machine } from '../support/machine.js'

const cannot = cannotPackage() || (findProgram('cron') === undefined && 'there is no cron here')

const MAIN = `compatibility_level = 3.6
myhostname = mx.corp.test
mydestination = corp.test
inet_interfaces = 127.0.0.1
maillog_file = /var/log/toeh-test.log
alias_maps =
alias_database =
local_recipient_maps = inline:{anna=x}
default_transport = discard:
`

/** Looks again and again until the words of sh print something. */
async function until(machine: Machine, script: string, complaint: string): Promise<string> {
  for (const end = Date.now() + 60_000; ; ) {
    const found = await machine.sh(`${script} 2>/dev/null || true`)
    if (found !== '') return found
    if (Date.now() > end) throw new Error(await machine.sh(complaint))
    await new Promise((done) => setTimeout(done, 200))
  }
}

/** Has cron(8) run each line of a file of cron.d once, when it starts. @returns what each printed and how it ended */
async function runByCron(t: Test, machine: Machine, text: string): Promise<string[]> {
  let count = 0
  const lines = text.replace(/^(?:\S+ +){5}(?=toeh )(.*)$/gm, (_, rest: string) => {
    const file = `/tmp/by-cron.${count++}`
    return `@reboot ${rest.replace(/^(\S+ +)(.*)$/, `$1{ $2; } > ${file} 2>&1; echo "ended $?" >> ${file}`)}`
  })
  // No other jobs: not those of the system.
  await machine.sh(
    'rm -rf /etc/cron.d /etc/crontab /var/spool/cron/crontabs /run/crond.reboot /tmp/by-cron.*',
  )
  await machine.sh('mkdir -p /etc/cron.d /var/spool/cron/crontabs; cat > /etc/cron.d/toeh', lines)
  await machine.sh('cron')
  const stop = () => machine.sh('kill "$(cat /run/crond.pid)" 2>/dev/null || true')
  t.teardown(stop)
  const files = Array.from({ length: count }, (_, index) => `/tmp/by-cron.${index}`)
  for (const file of files) await until(machine, `grep -h ended ${file}`, `ls -l /tmp; cat ${file} || true`)
  await stop()
  return Promise.all(files.map((file) => machine.sh(`cat ${file}`)))
}

t.test(
  'apt, cron and pipe(8) start what is written for them',
  { skip: cannot, timeout: 280_000 },
  async (t) => {
    const machine = await Machine.start(t)
    if (machine === undefined) return void t.plan(0, 'no overlay over this system can be made here')
    const deb = await build(t)
    await machine.sh(
      `cp -L ${process.execPath} /tmp/node; rm -f /usr/bin/node /usr/local/bin/node /usr/local/bin/toeh
    mv /tmp/node /usr/local/bin/node; rm -rf /etc/toeh /var/lib/toeh /var/backups/toeh; mkdir -p /etc/postfix
    sed 's/^smtp *inet/#&/' /usr/share/postfix/master.cf.dist > /etc/postfix/master.cf; cat > /etc/postfix/main.cf`,
      MAIN,
    )
    await machine.sh(`cat > /tmp/${basename(deb)}`, readFileSync(deb))

    const apt = ['apt-get', '-y', '-qq', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-unsafe-io']
    const installed = await machine.run([...apt, 'install', `/tmp/${basename(deb)}`])
    t.equal(installed.code, 0, installed.stderr)
    t.notMatch(installed.stdout + installed.stderr, 'does not run with the node here')
    t.match(installed.stdout, /toeh: \/etc\/toeh\/toeh\.toml made, internal domains: corp\.test\r?\n/)
    t.match(await cache(machine), CACHE)

    const [path = ''] = (await machine.sh('systemd-path search-binaries-default')).split('\n')
    for (const unit of ['cleanup', 'digest']) {
      const [, command = ''] =
        /^ExecStart=(.*)$/m.exec(await machine.sh(`cat /usr/lib/systemd/system/toeh-${unit}.service`)) ?? []
      const timed = await machine.run([
        'runuser',
        '-u',
        'toeh',
        '--',
        'env',
        '-i',
        `PATH=${path}`,
        ...command.split(' '),
      ])
      t.match(timed, { code: 0, stderr: '' }, `${command}, with the PATH that systemd gives it`)
    }

    const own = await machine.sh('cat /etc/cron.d/toeh')
    t.strictSame(await runByCron(t, machine, own), ['ended 0\n', 'ended 0\n'], "the package's lines")
    await machine.sh('install -d -o toeh -g toeh -m 0700 /var/backups/toeh')
    const printed = await machine.sh('toeh init --cron')
    const ended = await runByCron(t, machine, printed)
    t.strictSame(ended.slice(0, 2), ['ended 0\n', 'ended 0\n'], 'those of toeh init --cron')
    t.match(ended[2], /^\/var\/backups\/toeh\/toeh-\w+\.db: 0 rules, 0 messages, checked\nended 0\n$/)
    const bare = printed.replace(/\S+ (?=\S+toeh\.cjs)/g, '')
    t.match(
      await runByCron(t, machine, bare),
      Array(3).fill(/env: .*node.*\nended 127\n$/),
      'this test would notice',
    )

    // Without inet: its ports are this system's.
    await machine.sh(`sed -i 's/^reinject = .*/reinject = "smtp:127.0.0.1:9"/' /etc/toeh/toeh.toml
    toeh init --moderate --apply; postfix start`)
    t.teardown(() => machine.sh('postfix abort 2>/dev/null || true'))
    await machine.sh('sendmail -f anna@corp.test toeh-moderate@corp.test', 'Subject: x\n\nrelease\n')
    const line = await until(
      machine,
      "grep -h 'to=<toeh-moderate@corp.test>.*status=' /var/log/toeh-test.log",
      'cat /var/log/toeh-test.log',
    )
    t.match(
      line,
      /relay=toeh-moderate, .*status=sent \(delivered via toeh-moderate service \(toeh moderate: dropped: /,
    )
  },
)
