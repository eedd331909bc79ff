/** toeh doctor where systemd runs Postfix: what a hardened unit takes from Node, and the drop-in that gives it back. */
import { join } from 'node:path'
import t from 'tap'
import type { Answer } from '../support/doctor.js'
import { find } from '../support/doctor.js'
import { ROOT } from '../support/lab.js'
import { Mends } from '../support/mends.js'
import { cannotRun } from '../support/postfix.js'
import { cannotBoot, Systemd } from '../support/systemd.js'

const skip = cannotRun() || cannotBoot()

/** In the checkout, which the overlay opens to every user, and not in a copy below /tmp, which is not there. */
const TOEH = join(ROOT, 'dist/bin/toeh.cjs')

/** A Postfix that delivers nowhere, as Debian's installer leaves it, and TOEH in it as the documents say. */
const INSTALL = `
cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
postconf -e myhostname=mail.company.example mydestination=company.example alias_maps= alias_database= \\
  inet_interfaces=127.0.0.1 inet_protocols=ipv4 default_transport=error:nowhere forward_path= \\
  maillog_file=/var/log/mail.log
touch -d '1 minute ago' /etc/postfix/main.cf
id toeh >/dev/null 2>&1 || useradd --system --user-group --home-dir /var/lib/toeh --no-create-home toeh`

/** After toeh init. */
const START = `
${process.execPath} ${TOEH} mode enforce --yes
systemctl daemon-reload
systemctl start postfix`

/** What Debian 13's own unit has of this, and one that has read a guide. */
const UNITS: { title: string; lines: string[]; named: string[]; line: RegExp }[] = [
  {
    title: 'Debian 13',
    lines: [
      'LockPersonality=yes',
      'MemoryDenyWriteExecute=yes',
      'PrivateDevices=yes',
      'ProcSubset=pid',
      'ProtectSystem=full',
      'RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_INET AF_INET6',
      'RestrictNamespaces=yes',
      'RestrictRealtime=yes',
      'SystemCallFilter=@system-service @setuid chroot',
    ],
    named: ['MemoryDenyWriteExecute', 'SystemCallFilter'],
    line: /SystemCallFilter=|MemoryDenyWriteExecute=/,
  },
  {
    title: 'memory alone',
    lines: ['MemoryDenyWriteExecute=yes'],
    named: ['MemoryDenyWriteExecute'],
    line: /Node crashed \(signal \d+\): probably MemoryDenyWriteExecute=/,
  },
  {
    title: 'a strict file system',
    lines: ['ProtectSystem=strict', 'ReadWritePaths=/var/spool /var/lib/postfix /var/log /run'],
    named: ['ProtectSystem'],
    line: /decision log .*: read-only file system \(EROFS\); ProtectSystem=/,
  },
  {
    title: 'too little of everything',
    lines: ['LimitAS=500M', 'LimitNOFILE=1024:4096'],
    named: ['LimitAS'],
    line: /Node crashed \(signal \d+\): .*a limit of memory/,
  },
]

t.test(
  'a hardened unit: it is named, the trial shows it, and what is printed mends it',
  { skip },
  async (t) => {
    const systemd = await Systemd.start(t)
    if (typeof systemd === 'string') return void t.plan(0, `no systemd can be started here: ${systemd}`)
    await systemd.sh(INSTALL)
    const mended = new Mends('scenarios/systemd.test')
    const doctor = async (): Promise<Answer> => {
      const { stdout, stderr } = await systemd.run([process.execPath, TOEH, 'doctor', '--json'])
      if (stdout === '') throw new Error(stderr)
      return JSON.parse(stdout) as Answer
    }
    const nothing = await doctor()
    t.match(nothing.checks, [
      {
        check: 'configuration',
        faults: [{ what: '/etc/toeh/toeh.toml does not exist: toeh is not set up here' }],
      },
    ])
    await systemd.sh((nothing.mend[0] ?? '').replace(/^toeh /, `${process.execPath} ${TOEH} `))
    mended.tried(nothing.checks.flatMap(({ faults }) => faults))
    await systemd.sh(START)
    // Debian 12's postfix.service starts another.
    const [, unit = ''] =
      /([^/\n]+\.service)$/m.exec(
        await systemd.sh('cat /proc/$(tr -d " " </var/spool/postfix/pid/master.pid)/cgroup'),
      ) ?? []
    t.match(unit, /^postfix(?:@-)?\.service$/)
    const folder = `/etc/systemd/system/${unit}.d`
    /** What Postfix's log says of a message to somebody unknown. */
    const send = (): Promise<string> =>
      systemd.sh(`: >/var/log/mail.log
printf 'Subject: x\\n\\nx\\n' | sendmail -f root@company.example eve@unknown.example
for i in $(seq 100); do grep -o 'relay=toeh.*' /var/log/mail.log && exit; sleep 0.1; done`)

    // Debian 13's own unit is one of these, without a drop-in.
    const first = await doctor()
    const asShipped = find(first, 'unit')?.level
    t.comment(`${unit} as it is shipped: ${asShipped}`)
    t.equal(find(first, 'filter')?.level, asShipped, 'the trial is of the same opinion')
    for (const { title, lines, named, line } of UNITS) {
      await t.test(title, async (t) => {
        const words = ['[Service]', ...lines].map((text) => `'${text}'`).join(' ')
        await systemd.sh(`rm -rf '${folder}'; mkdir -p '${folder}'
test ${asShipped === 'good' ? 0 : 1} = 0 ||
  printf '%s\\n' '[Service]' MemoryDenyWriteExecute=no SystemCallFilter= ProtectSystem=no >'${folder}/a.conf'
printf '%s\\n' ${words} >'${folder}/hardened.conf'
systemctl daemon-reload; systemctl restart '${unit}'`)
        const sick = await doctor()
        const fault = find(sick, 'unit')?.faults ?? []
        t.strictSame(
          fault.map(({ what }) => what.replace(/^\S+ has (\w+)=.* \((.*)\)$/, '$1 $2')),
          named.map((name) => `${name} ${folder}/hardened.conf`),
        )
        t.match(find(sick, 'filter')?.faults[0]?.what, line, 'the trial ends as the unit has it')
        const init = await systemd.sh(`${process.execPath} ${TOEH} init --postfix`)
        for (const { what, why, mend } of fault)
          for (const told of [`${what}: ${why}`, ...mend]) t.ok(init.includes(`${told}\n`), `init: ${told}`)
        t.match(await send(), /dsn=4\.3\.0, status=deferred \(toeh: .*toeh doctor/, 'as Postfix sees it')
        await systemd.sh((fault[0]?.mend ?? []).join('\n'))
        const sound = await doctor()
        t.strictSame(
          ['unit', 'filter'].map((name) => find(sound, name)?.level),
          ['good', 'good'],
          (fault[0]?.mend ?? []).join('\n'),
        )
        mended.tried(fault)
        t.match(await send(), /status=sent \(delivered via toeh service \(toeh: held 1/)
      })
    }
    mended.assertAllTried(t)
    await t.test('without D-Bus there is no systemd-run, and the unit is read all the same', async (t) => {
      await systemd.sh(`printf '[Service]\\nMemoryDenyWriteExecute=yes\\n' >'${folder}/zz.conf'
systemctl daemon-reload; systemctl stop dbus.socket dbus.service`)
      const answer = await doctor()
      t.match(find(answer, 'unit')?.faults, [{ what: /MemoryDenyWriteExecute=yes \(.*zz\.conf\)$/ }])
      t.equal(find(answer, 'filter')?.level, 'good')
    })
  },
)
