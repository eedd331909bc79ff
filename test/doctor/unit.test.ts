/** The check of systemd's unit, on what systemctl prints of real units: Debian 13's own, and hardened ones. */
import t from 'tap'
import type { Facts, UnitFact } from '../../lib/doctor/facts.js'
import { readOrigins, readProperties, sandboxOf, UNIT_CHECKS } from '../../lib/doctor/unit.js'

const NOWHERE = 'MemoryDenyWriteExecute=no\nProtectSystem=no\nSystemCallFilter=~\nRestrictAddressFamilies=~\n'

function unitOf(shown: string, cat = ''): UnitFact {
  const properties = readProperties(NOWHERE + shown)
  return { name: 'postfix.service', properties, origins: readOrigins(cat) }
}

interface Case {
  /** As systemctl show prints it. */
  shown: string
  /** What is named; none where all is well. */
  named?: string
  /** The lines of the drop-in. */
  lines?: string[]
  state?: string
  node?: string
  sendmail?: boolean
  level?: string
}

function look({ shown, state = '/var/lib/toeh', node = '/usr/bin/node', sendmail }: Case, cat?: string) {
  const argv = ['/usr/lib/toeh/dist/bin/toeh-filter', `--node=${node}`, '--', '$' + '{recipient}']
  const facts = {
    services: [{ program: 'pipe', argv }],
    toeh: {
      state,
      path: '/etc/toeh/toeh.toml',
      reinject: sendmail ? undefined : { host: '127.0.0.1', port: 10026 },
    },
    unit: unitOf(shown, cat),
  } as unknown as Facts
  return UNIT_CHECKS.flatMap((check) => check.look(facts))
}

const FILES = '/etc/systemd/system/postfix.service.d'

t.test('each directive is named, with the lines that let Node be and no more', (t) => {
  const cases: Case[] = [
    { shown: '' },
    {
      shown: 'MemoryDenyWriteExecute=yes',
      named: 'MemoryDenyWriteExecute=yes',
      lines: ['MemoryDenyWriteExecute=no'],
    },
    { shown: 'ProtectSystem=strict', named: 'ProtectSystem', lines: ['ReadWritePaths=/var/lib/toeh'] },
    { shown: 'ProtectSystem=strict\nReadWritePaths=/var/spool /var' },
    { shown: 'ProtectSystem=strict\nReadWritePaths=-/var/lib/toeh/' },
    { shown: 'ProtectSystem=strict\nStateDirectory=toeh' },
    {
      shown: 'ProtectSystem=strict\nReadWritePaths=/var/lib/toeh2',
      named: 'ProtectSystem',
      lines: ['ReadWritePaths=/var/lib/toeh'],
    },
    { shown: 'ProtectSystem=full' },
    {
      shown: 'ProtectSystem=full',
      state: '/etc/toeh/state',
      named: 'ProtectSystem=full',
      lines: ['ReadWritePaths=/etc/toeh/state'],
    },
    {
      shown: 'ReadWritePaths=/var\nReadOnlyPaths=/var/lib',
      named: 'ReadOnlyPaths=/var/lib',
      lines: ['ReadWritePaths=/var/lib/toeh'],
    },
    {
      shown: 'InaccessiblePaths=/srv -/var/lib',
      named: 'InaccessiblePaths',
      lines: ['InaccessiblePaths=', 'InaccessiblePaths=/srv'],
    },
    { shown: 'ProtectHome=yes' },
    {
      shown: 'ProtectHome=yes',
      node: '/home/mail/node/bin/node',
      named: 'ProtectHome=yes',
      lines: ['ProtectHome=read-only'],
    },
    { shown: 'ProtectHome=tmpfs', state: '/home/toeh', named: 'ProtectHome', lines: ['ProtectHome=no'] },
    {
      shown: 'ProtectHome=read-only',
      state: '/home/toeh',
      named: 'ProtectHome',
      lines: ['ReadWritePaths=/home/toeh'],
    },
    {
      shown: 'SystemCallFilter=~pkey_alloc:EPERM fsync ptrace',
      named: 'SystemCallFilter',
      lines: ['SystemCallFilter=fsync pkey_alloc'],
    },
    { shown: 'SystemCallFilter=~ptrace' },
    {
      shown: 'RestrictAddressFamilies=AF_UNIX AF_INET6',
      named: 'RestrictAddressFamilies',
      lines: ['RestrictAddressFamilies=AF_INET'],
    },
    {
      shown: 'RestrictAddressFamilies=AF_INET',
      named: 'RestrictAddressFamilies',
      lines: ['RestrictAddressFamilies=AF_UNIX'],
    },
    { shown: 'RestrictAddressFamilies=~AF_PACKET' },
    {
      shown: 'RestrictAddressFamilies=~AF_INET',
      named: 'RestrictAddressFamilies',
      lines: ['RestrictAddressFamilies=AF_INET'],
    },
    {
      shown: 'PrivateNetwork=yes',
      named: 'PrivateNetwork',
      lines: ['PrivateNetwork=no'],
      level: 'warning',
    },
    { shown: 'NoNewPrivileges=yes' },
    {
      shown: 'NoNewPrivileges=yes',
      sendmail: true,
      named: 'NoNewPrivileges',
      lines: ['NoNewPrivileges=no'],
    },
    {
      shown: 'LimitNOFILE=40\nLimitNOFILESoft=40',
      named: 'LimitNOFILE=40',
      lines: ['LimitNOFILE=1024:524288'],
    },
    {
      shown: 'LimitAS=600000000\nLimitASSoft=600000000',
      named: 'LimitAS',
      lines: ['LimitAS=infinity'],
    },
    { shown: 'LimitAS=infinity\nLimitASSoft=infinity\nMemoryMax=infinity\nTasksMax=4915' },
    { shown: 'MemoryMax=67108864', named: 'MemoryMax', lines: ['MemoryMax=1G'], level: 'warning' },
    { shown: 'TasksMax=50', named: 'TasksMax', lines: ['TasksMax=500'], level: 'warning' },
    { shown: 'RootDirectory=/srv/mail', named: 'RootDirectory=/srv/mail', lines: [], level: 'warning' },
  ]
  for (const one of cases) {
    const faults = look(one)
    const title = JSON.stringify(one)
    t.equal(faults.length, one.named === undefined ? 0 : 1, title)
    const [fault] = faults
    if (one.named === undefined || fault === undefined) continue
    t.ok(fault.what.startsWith(`postfix.service has ${one.named}`), fault.what)
    t.equal(fault.level, one.level ?? 'critical', title)
    const lines = one.lines ?? []
    t.strictSame(
      fault.mend,
      lines.length === 0
        ? []
        : [
            `install -d ${FILES}`,
            `printf '%s\\n' '[Service]' ${lines.map((line) => `'${line}'`).join(' ')} >>${FILES}/toeh.conf`,
            'systemctl daemon-reload',
            'systemctl restart postfix.service',
          ],
    )
  }
  t.end()
})

t.test('several have one drop-in, and each has the file it comes from', (t) => {
  const cat = `# /usr/lib/systemd/system/postfix.service
[Service]
# the pkey_ calls are not among these
SystemCallFilter=@system-service
MemoryDenyWriteExecute=no

# /etc/systemd/system/postfix.service.d/override.conf
[Service]
MemoryDenyWriteExecute = yes
`
  const faults = look({ shown: 'MemoryDenyWriteExecute=yes\nSystemCallFilter=~pkey_alloc' }, cat)
  t.strictSame(
    faults.map(({ what }) => what),
    [
      `postfix.service has MemoryDenyWriteExecute=yes (${FILES}/override.conf)`,
      'postfix.service has SystemCallFilter=~pkey_alloc (/usr/lib/systemd/system/postfix.service)',
    ],
  )
  t.strictSame(faults[0]?.mend, faults[1]?.mend)
  t.match(faults[0]?.mend[1], "'MemoryDenyWriteExecute=no' 'SystemCallFilter=pkey_alloc'")
  t.end()
})

t.test('the trial is given what is set, in the form that systemd-run takes', (t) => {
  const shown = `MemoryDenyWriteExecute=yes
SystemCallErrorNumber=2147483646
ReadWritePaths=
LimitNOFILE=524288
LimitNOFILESoft=1024
LimitAS=infinity
LimitASSoft=infinity
TasksMax=infinity
Description=not this
`
  t.strictSame(sandboxOf(unitOf(shown)), [
    'MemoryDenyWriteExecute=yes',
    'ProtectSystem=no',
    'LimitNOFILE=1024:524288',
  ])
  t.end()
})
