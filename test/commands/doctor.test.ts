/** toeh doctor on settings of Postfix that are broken in one way after another: it names each, and its commands mend it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../lib/config.js'
import { examine, mends, worst } from '../../lib/doctor/examine.js'
import type { Facts } from '../../lib/doctor/facts.js'
import { readSettings } from '../../lib/doctor/gather.js'
import { HOST_CHECKS } from '../../lib/doctor/host.js'
import { cool } from '../support/cool.js'
import {
  type Answer,
  assertNamed,
  type Case,
  faulty,
  type Place,
  paste,
  rewrite,
  startSound,
} from '../support/doctor.js'
import { NODE, SHELL_ENV } from '../support/lab.js'
import { Mends } from '../support/mends.js'
import { cannotRun } from '../support/postfix.js'

const skip = cannotRun()

/** Whether Postfix is 3.10 or newer: an older one says nothing of the parameter. */
const canHide =
  skip === false &&
  execFileSync('/usr/sbin/postconf', ['-dh', 'smtpd_hide_client_session'], { stdio: 'pipe' }).length > 0

const HIDING: Case = {
  title: 'the gate is hidden in Received',
  check: 'way-back-options',
  level: 'warning',
  what: /has smtpd_hide_client_session=yes$/,
  breaking: ({ postconf }) => postconf('-e', 'smtpd_hide_client_session=yes'),
}

const flags = (to: string) => (place: Place) => place.master(/flags=q(?= )/, to)

const SETTINGS_CASES: Case[] = [
  {
    title: 'no service',
    check: 'gate-service',
    level: 'critical',
    what: /no service of master\.cf runs toeh-filter/,
    breaking: ({ postconf }) => postconf('-MX', 'toeh/unix'),
  },
  {
    title: 'in a chroot',
    check: 'gate-service',
    level: 'critical',
    what: /toeh\/unix has chroot=y/,
    breaking: ({ postconf }) => postconf('-F', 'toeh/unix/chroot=y'),
  },
  {
    title: 'unprivileged',
    check: 'gate-service',
    level: 'critical',
    what: /toeh\/unix has unprivileged=-/,
    breaking: ({ postconf }) => postconf('-F', 'toeh/unix/unprivileged=-'),
  },
  {
    title: 'a flag too many',
    check: 'pipe-flags',
    level: 'critical',
    what: /flags=qR/,
    breaking: flags('flags=qR'),
  },
  { title: 'no flags', check: 'pipe-flags', level: 'critical', what: /flags=$/, breaking: flags('') },
  {
    title: 'no null_sender',
    check: 'null-sender',
    level: 'critical',
    what: /null_sender= is missing/,
    breaking: ({ master }) => master('null_sender=', ''),
  },
  {
    title: 'a null_sender that is none',
    check: 'null-sender',
    level: 'critical',
    what: /null_sender=MAILER-DAEMON/,
    breaking: ({ master }) => master('null_sender=', 'null_sender=MAILER-DAEMON'),
  },
  {
    title: 'a size of its own',
    check: 'pipe-size',
    level: 'critical',
    what: /size=1000/,
    breaking: flags('flags=q size=1000'),
  },
  {
    title: 'no soft_bounce',
    check: 'soft-bounce',
    level: 'critical',
    what: /soft_bounce is not yes/,
    breaking: ({ postconf }) => postconf('-PX', 'toeh/unix/soft_bounce'),
  },
  {
    title: 'a macro of no version',
    check: 'arguments',
    level: 'critical',
    what: /pipe\(8\) knows no \$\{client_helo_name\}/,
    breaking: ({ master }) => master(/--helo=\S+/, '--helo=$(client_helo_name)'),
  },
  {
    title: 'an argument too few',
    check: 'arguments',
    level: 'critical',
    what: /argv= lacks --size=\$\{size\}/,
    breaking: ({ master }) => master(/ --size=\S+/, ''),
  },
  {
    title: 'no -- before the recipients',
    check: 'arguments',
    level: 'critical',
    what: /argv= lacks --/,
    breaking: ({ master }) => master(/ -- \S+$/m, ' $(recipient)'),
  },
  {
    title: 'root',
    check: 'user',
    level: 'critical',
    what: /user= is root/,
    breaking: ({ master }) => master('user=nobody:nogroup', 'user=root:root'),
  },
  {
    title: 'the mail owner',
    check: 'user',
    level: 'critical',
    what: /user=postfix is Postfix's own/,
    breaking: ({ master }) => master('user=nobody:nogroup', 'user=postfix'),
  },
  {
    title: 'a user that does not exist',
    check: 'user',
    level: 'critical',
    what: /there is no user toeh-nobody/,
    breaking: ({ master }) => master('user=nobody:nogroup', 'user=toeh-nobody'),
  },
  {
    title: "postdrop's group",
    check: 'user',
    level: 'critical',
    what: /group postdrop is postdrop's/,
    breaking: ({ master }) => master('user=nobody:nogroup', 'user=nobody:postdrop'),
  },
  {
    title: 'too many recipients',
    check: 'recipient-limit',
    level: 'critical',
    what: /toeh_destination_recipient_limit = 5000/,
    breaking: ({ postconf }) => postconf('-e', 'toeh_destination_recipient_limit=5000'),
  },
  {
    title: 'domains that Postfix takes for others',
    check: 'idna',
    level: 'critical',
    what: /^enable_idna2003_compatibility = yes$/,
    breaking: ({ postconf }) => postconf('-e', 'enable_idna2003_compatibility=yes'),
  },
  {
    title: 'a time limit below the deadline',
    check: 'time-limit',
    level: 'critical',
    what: /toeh_time_limit = 1m, deadline_seconds, answer_seconds and busy_seconds make 695 s/,
    breaking: ({ postconf }) => postconf('-e', 'toeh_time_limit=1m'),
  },
  {
    title: 'a time limit that a slow answer would pass',
    check: 'time-limit',
    level: 'warning',
    what: /toeh_time_limit = 300s/,
    breaking: ({ postconf }) => postconf('-e', 'toeh_time_limit=300s'),
  },
  {
    title: 'a time limit that a locked database would pass',
    check: 'time-limit',
    level: 'warning',
    what: /toeh_time_limit = 694s/,
    breaking: ({ postconf }) => postconf('-e', 'toeh_time_limit=694s'),
  },
  {
    title: 'a submission without the gate',
    check: 'entrances',
    level: 'critical',
    what: /0\.0\.0\.0:\d+\/inet does not hand its mail to the gate/,
    breaking: ({ postconf, master, submission }) => {
      postconf('-PX', `${submission}/content_filter`)
      postconf('-P', `${submission}/mynetworks=127.0.0.0/8,10.0.0.0/8`)
      master(submission.replace('/inet', ''), submission.replace('127.0.0.1', '0.0.0.0').replace('/inet', ''))
    },
  },
  {
    title: 'a local service without the gate',
    check: 'entrances',
    level: 'warning',
    what: /127\.0\.0\.1:submissions\/inet does not hand its mail/,
    breaking: ({ postconf }) =>
      postconf(
        '-M',
        '127.0.0.1:submissions/inet=127.0.0.1:submissions inet n - n - - smtpd -o message_size_limit=1000 -o smtpd_discard_ehlo_keywords=dsn',
      ),
  },
  {
    title: 'no next hop',
    check: 'entrances',
    level: 'warning',
    what: /has a content_filter without a next hop/,
    breaking: ({ postconf, submission }) => postconf('-P', `${submission}/content_filter=toeh:`),
  },
  {
    title: 'pickup without the gate',
    check: 'pickup',
    level: 'critical',
    what: /pickup\/unix does not hand its mail to the gate/,
    breaking: ({ postconf }) => postconf('-PX', 'pickup/unix/content_filter'),
  },
  {
    title: 'a circle of pickup and sendmail',
    check: 'pickup',
    level: 'critical',
    what: /pickup\/unix has a content_filter, and sendmail is the way on/,
    breaking: ({ postfix }) =>
      rewrite(
        postfix.lab.config,
        /^reinject = .*$/m,
        (line) => `reinject = "sendmail:/usr/sbin/sendmail" #${line}`,
      ),
    // It is another service on loopback now, and not the way back.
    also: ['dsn', 'entrances'],
  },
  {
    title: 'port 25 relays for this host',
    check: 'port-25',
    level: 'warning',
    what: /127\.0\.0\.1:smtp\/inet relays for 127\.0\.0\.0\/8/,
    breaking: ({ postconf }) => postconf('-M', '127.0.0.1:smtp/inet=127.0.0.1:smtp inet n - n - - smtpd'),
  },
  {
    title: 'port 25 takes mail of who logs in',
    check: 'port-25',
    level: 'critical',
    what: /smtp\/inet relays for whoever logs in/,
    breaking: ({ postconf }) =>
      postconf('-M', 'smtp/inet=smtp inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes'),
  },
  {
    title: 'port 25 hands mail from outside to the gate',
    check: 'port-25',
    level: 'critical',
    what: /smtp\/inet hands mail from outside to the gate/,
    breaking: ({ postconf }) =>
      postconf(
        '-M',
        'smtp/inet=smtp inet n - n - - smtpd -o content_filter=toeh:dummy -o smtpd_relay_restrictions=reject_unauth_destination',
      ),
  },
  {
    title: 'port 25 relays for a network',
    check: 'port-25',
    level: 'critical',
    what: /smtp\/inet relays for 127\.0\.0\.0\/8 10\.99\.0\.0\/24, without the gate$/,
    breaking: ({ postconf }) =>
      postconf(
        '-M',
        'smtp/inet=smtp inet n - n - - smtpd -o {mynetworks=127.0.0.0/8 10.99.0.0/24} -o inet_interfaces=all',
      ),
  },
  {
    title: 'port 25 lets a partner of its own relay',
    check: 'port-25',
    level: 'critical',
    what: /smtp\/inet relays for 192\.0\.2\.7, without the gate$/,
    breaking: ({ postconf }) => {
      postconf('-e', 'mine = check_client_access cidr:{{192.0.2.7 OK}}, reject_unauth_destination')
      postconf('-M', 'smtp/inet=smtp inet n - n - - smtpd -o smtpd_relay_restrictions=$mine')
    },
    restore: () => {},
  },
  {
    title: 'a FILTER for one stranger',
    check: 'entrances',
    level: 'warning',
    what: /hands only some of its mail to the gate: smtpd_recipient_restrictions comes before its FILTER$/,
    breaking: ({ postconf, submission }) => {
      postconf('-e', 'mine = check_recipient_access inline:{{x@one.test=FILTER toeh:dummy}}')
      postconf('-P', `${submission}/content_filter=`, `${submission}/smtpd_recipient_restrictions=$mine`)
    },
  },
  {
    title: 'another filter in the place of the gate',
    check: 'entrances',
    level: 'warning',
    what: /hands mail to scan:\[127\.0\.0\.1\]:10024, and not to the gate \(127\.0\.0\.0\/8\)$/,
    breaking: ({ postconf, master, submission }) => {
      postconf('-P', `${submission}/content_filter=scan:[127.0.0.1]:10024`)
      const id = submission.replace('/inet', '')
      master(`${id} inet`, '127.0.0.1:submission inet')
    },
  },
  {
    title: 'no way back',
    check: 'way-back',
    level: 'critical',
    what: /no service of master\.cf listens on 127\.0\.0\.1:\d+/,
    breaking: ({ postconf, back }) => postconf('-MX', back),
  },
  {
    title: 'a way back for everybody',
    check: 'way-back',
    level: 'critical',
    what: /0\.0\.0\.0:\d+\/inet is not on loopback alone/,
    breaking: ({ master, back }) =>
      master(back.replace('/inet', ''), back.replace('127.0.0.1', '0.0.0.0').replace('/inet', '')),
  },
  {
    title: 'a filter on the way back',
    check: 'way-back-filter',
    level: 'critical',
    what: /has content_filter=toeh:dummy/,
    breaking: ({ postconf, back }) => {
      postconf('-e', 'content_filter=toeh:dummy')
      postconf('-PX', `${back}/content_filter`)
    },
  },
  ...[
    ['permit_mynetworks', 'smtpd_recipient_restrictions', 'permit_mynetworks,$filter,reject'],
    ['smtpd_delay_reject=no', 'smtpd_client_restrictions', '$filter'],
    [
      'smtpd_sender_restrictions',
      'smtpd_sender_restrictions',
      'check_sender_access,inline:{{a@corp.test=FILTER\ttoeh:dummy}}',
    ],
  ].map(
    ([bypass = '', list = '', value = '']): Case => ({
      title: `a FILTER behind ${bypass}`,
      check: 'entrances',
      level: 'warning',
      what: new RegExp(
        `^127\\.0\\.0\\.1:\\d+/inet hands only some of its mail to the gate: ${bypass} comes before its FILTER$`,
      ),
      breaking: ({ postconf, submission }) => {
        postconf(
          '-e',
          'filter = check_client_access static:{FILTER toeh:dummy}',
          `mine = ${value.replace('\t', ' ')}`,
        )
        postconf(
          '-P',
          `${submission}/content_filter=`,
          `${submission}/${list}=$mine`,
          `${submission}/smtpd_delay_reject=${bypass.includes('delay') ? 'no' : 'yes'}`,
        )
      },
    }),
  ),
  {
    title: 'a recipient that is rewritten behind the gate',
    check: 'generic',
    level: 'warning',
    what: /^hash:\S+generic: @known\.test is rewritten to @evil\.test when mail leaves$/,
    breaking: ({ postfix, postconf }) => {
      const table = join(postfix.etc, 'generic')
      writeFileSync(table, 'anna@corp.test anna@isp.test\n@known.test @evil.test\n')
      execFileSync('/usr/sbin/postmap', ['-c', postfix.etc, `hash:${table}`])
      postconf('-e', `smtp_generic_maps=hash:${table}`)
    },
    // It may lead to a partner who is known: a person decides.
    restore: () => {},
  },
  {
    title: 'another filter before the gate',
    check: 'entrances',
    level: 'critical',
    what: /127\.0\.0\.1:\d+\/inet has smtpd_proxy_filter=127\.0\.0\.1:8025$/,
    breaking: ({ postconf, submission }) => postconf('-P', `${submission}/smtpd_proxy_filter=127.0.0.1:8025`),
    restore: () => {},
  },
  {
    title: 'header_checks with a FILTER, for a service that has them by a name of its own',
    check: 'content-checks',
    level: 'critical',
    what: /^mime_header_checks regexp:\{\{ \/x\/ FILTER smtp:y \}\}, line 1, \/x\/: FILTER smtp:y goes round the gate \(127\.0\.0\.1:\d+\/inet\)$/,
    breaking: ({ postconf, submission }) => {
      postconf('-e', 'mine = regexp:{{ /x/ FILTER smtp:y }}', 'mime_header_checks = $theirs', 'theirs =')
      postconf('-P', `${submission}/cleanup_service_name=mine`)
      postconf('-M', 'mine/unix=mine unix n - n - 0 cleanup -o theirs=$mine')
    },
    restore: () => {},
  },
  {
    title: 'header_checks that cannot be listed',
    check: 'content-checks',
    level: 'unknown',
    what: /^body_checks pcre:\/nonexistent cannot be listed \(127\.0\.0\.1:\d+\/inet, pickup\/unix\)$/,
    breaking: ({ postconf }) => postconf('-e', 'body_checks=pcre:/nonexistent'),
  },
  {
    title: 'an access table of one service, in a list of its own',
    check: 'access-tables',
    level: 'critical',
    what: /^smtpd_sender_restrictions hash:\S+access, b@corp\.test: REDIRECT spy@evil\.test goes round the gate \(127\.0\.0\.1:\d+\/inet\)$/,
    breaking: ({ postfix, postconf, submission }) => {
      const table = join(postfix.etc, 'access')
      writeFileSync(table, 'a@corp.test REJECT\nb@corp.test  redirect spy@evil.test\n')
      execFileSync('/usr/sbin/postmap', ['-c', postfix.etc, `hash:${table}`])
      postconf('-e', `table = hash:${table}`, 'mine = check_sender_access $table')
      postconf('-P', `${submission}/smtpd_sender_restrictions=$mine`)
    },
    restore: () => {},
  },
  {
    title: 'a policy server',
    check: 'access-tables',
    level: 'unknown',
    what: /^smtpd_recipient_restrictions asks check_policy_service unix:private\/policy, whose answers cannot be listed/,
    breaking: ({ postconf }) =>
      postconf(
        '-e',
        'smtpd_recipient_restrictions=check_policy_service { unix:private/policy, timeout=10s }',
      ),
  },
  {
    title: 'the cleanup of all others on the way back',
    check: 'way-back-checks',
    level: 'warning',
    what: /is served by cleanup\/unix, where header_checks mime_header_checks nested_header_checks body_checks would count$/,
    breaking: ({ postconf, back }) => postconf('-PX', `${back}/cleanup_service_name`),
  },
  {
    title: 'a cleanup on the way back that has header_checks',
    check: 'way-back-checks',
    level: 'critical',
    what: /is served by toeh-cleanup\/unix, where header_checks count$/,
    breaking: ({ postconf }) => postconf('-P', 'toeh-cleanup/unix/header_checks=static:WARN'),
  },
  {
    title: 'no cleanup for the way back',
    check: 'way-back-checks',
    level: 'critical',
    what: /names a cleanup service that master\.cf does not have$/,
    breaking: ({ postconf }) => postconf('-MX', 'toeh-cleanup/unix'),
  },
  ...Object.entries({
    smtpd_command_filter: 'regexp:/nonexistent',
    smtpd_proxy_filter: '127.0.0.1:8025',
    mynetworks: '10.0.0.0/8',
    smtpd_recipient_restrictions: 'permit',
    smtpd_client_restrictions: 'permit',
    receive_override_options:
      'no_unknown_recipient_checks,no_milters,no_address_mappings,no_header_body_checks',
  }).map(
    ([name, value]): Case => ({
      title: `${name} on the way back`,
      check: 'way-back-options',
      level: 'critical',
      what: new RegExp(`has ${name}=${value.replaceAll('.', '\\.')}$`),
      breaking: ({ postconf, back }) => postconf('-P', `${back}/${name}=${value}`),
    }),
  ),
  {
    title: 'line ends on the way back',
    check: 'way-back-options',
    level: 'warning',
    what: /has smtpd_forbid_bare_newline=no/,
    breaking: ({ postconf, back }) => postconf('-P', `${back}/smtpd_forbid_bare_newline=no`),
  },
  ...(canHide ? [HIDING] : []),
  {
    title: 'too few processes',
    check: 'way-back-processes',
    level: 'warning',
    what: /has 5 processes, toeh\/unix 10/,
    breaking: ({ postconf, back }) => postconf('-F', `${back}/process_limit=5`),
  },
  {
    title: 'DSN is offered',
    check: 'dsn',
    level: 'warning',
    what: /offers DSN/,
    breaking: ({ postconf, submission }) =>
      postconf('-P', `${submission}/smtpd_discard_ehlo_keywords=chunking`),
  },
  {
    title: 'the same size limit before and behind',
    check: 'size-limits',
    level: 'warning',
    what: /takes 40000000 bytes, the way back 40000000/,
    breaking: ({ postconf, submission }) => postconf('-PX', `${submission}/message_size_limit`),
  },
  {
    title: 'short queue ids',
    check: 'queue-ids',
    level: 'warning',
    what: /enable_long_queue_ids is not yes/,
    breaking: ({ postconf }) => postconf('-e', 'enable_long_queue_ids=no'),
  },
  {
    title: "a domain that is not Postfix's",
    check: 'internal-domains',
    level: 'critical',
    what: /has partner\.test as internal, Postfix does not$/,
    breaking: ({ postfix }) =>
      rewrite(
        postfix.lab.config,
        /^internal_domains = .*$/m,
        () => 'internal_domains = [\n  "corp.test", # ours\n  "partner.test"\n]',
      ),
  },
  {
    title: 'a domain that only Postfix has',
    check: 'internal-domains',
    level: 'warning',
    what: /branch\.test is Postfix's own, and not in internal_domains/,
    breaking: ({ postfix, postconf }) => {
      const table = join(postfix.etc, 'relay')
      writeFileSync(table, 'branch.test ok\n')
      execFileSync('/usr/sbin/postmap', ['-c', postfix.etc, `hash:${table}`])
      postconf('-e', `relay_domains=hash:${table}`)
    },
  },
  {
    title: 'extensions that only Postfix knows',
    check: 'recipient-delimiter',
    level: 'critical',
    what: /recipient_delimiter is "" in \S+, and "\+-" in Postfix$/,
    breaking: ({ postconf }) => postconf('-e', 'recipient_delimiter=+-'),
  },
  {
    title: 'one sign of two',
    check: 'recipient-delimiter',
    level: 'critical',
    what: /recipient_delimiter is "\+" in \S+, and "\+-" in Postfix$/,
    breaking: ({ postfix, postconf }) => {
      postconf('-e', 'recipient_delimiter=+-')
      rewrite(postfix.lab.config, /^recipient_delimiter = .*$/m, () => 'recipient_delimiter = "+"')
    },
  },
  {
    title: 'a sign that is none to Postfix',
    check: 'recipient-delimiter',
    level: 'warning',
    what: /recipient_delimiter is "\+=" in \S+, and "\+" in Postfix$/,
    breaking: ({ postfix, postconf }) => {
      postconf('-e', 'recipient_delimiter=+')
      rewrite(postfix.lab.config, /^recipient_delimiter = .*$/m, () => 'recipient_delimiter = "+="')
    },
  },
  {
    title: 'extensions of which nothing is said',
    check: 'recipient-delimiter',
    level: 'warning',
    what: /does not say what recipient_delimiter is in Postfix$/,
    breaking: ({ postfix }) => rewrite(postfix.lab.config, /^recipient_delimiter = .*\n/m, () => ''),
  },
  {
    title: 'signs that mean something to the shell, to Perl and to TOML',
    check: 'recipient-delimiter',
    level: 'critical',
    what: /recipient_delimiter is "" in/,
    breaking: ({ postconf }) => postconf('-e', `recipient_delimiter=+'"\\()#&`),
  },
  {
    title: 'an alias that leads outside',
    check: 'aliases',
    level: 'warning',
    what: /sales leads outside, to eve@outside\.test/,
    breaking: ({ postfix, postconf }) => {
      const table = join(postfix.etc, 'aliases')
      writeFileSync(table, 'root: anna\nsales: bob,\n  eve@outside.test\nabuse: anna@corp.test\n')
      execFileSync('/usr/sbin/postalias', ['-c', postfix.etc, `hash:${table}`])
      postconf('-e', `alias_maps=hash:${table}`)
    },
    // It may lead to a partner who is known: a person decides.
    restore: () => {},
  },
  {
    title: 'a virtual alias that leads outside',
    check: 'virtual-aliases',
    level: 'warning',
    what: /ceo@corp\.test leads outside, to ceo@outside\.test/,
    breaking: ({ postfix, postconf }) => {
      const table = join(postfix.etc, 'virtual')
      writeFileSync(table, 'info@corp.test anna@corp.test\nceo@corp.test ceo@outside.test\n')
      execFileSync('/usr/sbin/postmap', ['-c', postfix.etc, `hash:${table}`])
      postconf('-e', `virtual_alias_maps=hash:${table}`)
    },
    // It may lead to a partner who is known: a person decides.
    restore: () => {},
  },
  {
    title: 'a table that cannot be listed',
    check: 'virtual-aliases',
    level: 'unknown',
    what: /virtual_alias_maps: pcre:\/nonexistent cannot be listed/,
    breaking: ({ postconf }) => postconf('-e', 'virtual_alias_maps=pcre:/nonexistent'),
  },
  {
    title: '.forward files',
    check: 'forward',
    level: 'warning',
    what: /forward_path = /,
    breaking: ({ postconf }) => {
      postconf('-e', 'local_transport=local:$myhostname')
    },
  },
]

/** What a sound host gives to the checks. */
const SOUND_HOST = {
  unit: undefined,
  injectors: [],
  now: 0,
  paths: [],
  disks: [],
  running: true,
  greeting: { banner: '220 mx', offers: ['XFORWARD'] },
  strangerEnters: false,
  trial: { status: 75, output: '4.3.0 toeh: read message: standard input was empty' },
  database: { newest: 0, load: { messages: 0, bytes: 0 } },
  clockKept: true,
  approvers: [{ address: 'boss@corp.test', mailboxes: ['boss@corp.test'] }],
  notice: { from: 'toeh@corp.test', mailboxes: ['boss@corp.test'] },
  sieve: undefined,
  copies: undefined,
  moderate: { enabled: false, relays: [], authservId: '' },
  answerWay: undefined,
  routine: undefined,
  logwatch: undefined,
  lane: {
    enabled: false,
    files: { map: '/etc/toeh/express.cf', senders: '', recipients: '' },
    texts: [],
    places: [],
    rows: undefined,
    astray: [],
  },
}

/** The checks over the settings alone, with all else as a sound host has it. */
async function examineSettings({ postfix }: Place): Promise<Answer> {
  cool(postfix.etc)
  const settings = await readSettings(loadConfig(postfix.lab.config), postfix.etc)
  const checks = examine({ ...settings, ...SOUND_HOST })
  return { status: worst(checks.map(({ level }) => level)), checks, mend: mends(checks) }
}

t.test('settings: each fault is named, and the commands that are said mend it', { skip }, async (t) => {
  const place = await startSound(t)
  const mended = new Mends('commands/doctor.test')
  const files = [
    join(place.postfix.etc, 'main.cf'),
    join(place.postfix.etc, 'master.cf'),
    place.postfix.lab.config,
  ]
  const sound = files.map((path): [string, string] => [path, readFileSync(path, 'utf8')])
  t.same(faulty(await examineSettings(place)), [], 'sound')
  for (const one of SETTINGS_CASES) {
    await t.test(`${one.check}: ${one.title}`, async (t) => {
      one.breaking(place)
      const sick = await examineSettings(place)
      assertNamed(t, sick, one)
      if (one.level === 'unknown' || one.restore !== undefined) t.same(sick.mend, [])
      else {
        t.not(sick.mend.length, 0)
        paste(sick.mend)
        t.same(faulty(await examineSettings(place)), [], sick.mend.join('\n'))
        mended.tried(sick.checks.flatMap(({ faults }) => faults))
      }
      for (const [path, text] of sound) writeFileSync(path, text)
    })
  }
  mended.assertAllTried(t)
})

/** Whether this system can have a firewall of its own for one process: root, unshare(1) and nft(8). */
const cannotFence =
  skip ||
  (spawnSync('unshare', ['-n', 'sh', '-c', 'nft add table inet toeh']).status === 0
    ? false
    : 'nft adds no table here')

t.test('other users reach the way back until the firewall closes it', { skip: cannotFence }, async (t) => {
  const facts = {
    ...SOUND_HOST,
    toeh: { reinject: { host: '127.0.0.1', port: 10026 } },
    user: { uid: 65_534 },
  }
  const check = HOST_CHECKS.find(({ name }) => name === 'reach')
  const [fault] = check?.look({ ...facts, strangerEnters: true } as unknown as Facts) ?? []
  t.match(fault, { level: 'warning', what: "other users' processes reach 127.0.0.1:10026" })
  // A network of its own: the rules of this host are not touched.
  const server = "require('node:net').createServer((s) => s.end('220 x\\r\\n')).listen(10026, '127.0.0.1')"
  const ask = (uid: number): string =>
    `setpriv --reuid=${uid} --regid=${uid} --clear-groups ${NODE} -e "${'$'}ASK"; echo uid ${uid}: $?`
  const client =
    "const s = require('node:net').connect(10026, '127.0.0.1'); s.on('error', () => process.exit(3)); s.on('data', () => process.exit(0))"
  const script = [
    'ip link set lo up',
    `${NODE} -e "$SERVER" & server=$!`,
    'sleep 1',
    ask(65_533),
    ...(fault?.mend ?? []),
    ask(65_533),
    ask(65_534),
    ask(0),
    'kill $server',
  ].join('\n')
  const { stdout, stderr } = spawnSync('unshare', ['-n', 'sh', '-c', script], {
    env: { ...SHELL_ENV, SERVER: server, ASK: client },
    encoding: 'utf8',
  })
  t.same(
    stdout.split('\n').slice(0, -1),
    ['uid 65533: 0', 'uid 65533: 3', 'uid 65534: 0', 'uid 0: 0'],
    stderr,
  )
  const mended = new Mends('commands/doctor.test: reach')
  mended.tried(fault === undefined ? [] : [fault])
  mended.assertAllTried(t)
})
