/** The diversions' checks on facts alone: what leads mail round the gate, or elsewhere behind it, and by which table. */
import t from 'tap'
import { DIVERSION_CHECKS } from '../../lib/doctor/diversions.js'
import { parseServices } from '../../lib/postfix/mastercf.js'
import { type Changes, CLEANUP, factsOf, PICKUP, SAMPLE, SUBMISSION } from '../support/diversions.js'

function faults(changes: Changes): string[] {
  const facts = factsOf(changes)
  return DIVERSION_CHECKS.flatMap(({ name, look }) =>
    look(facts).map(({ level, what, why }) => {
      if (why === '') throw new Error(`no reason for ${what}`)
      return `${name} ${level} ${what}`
    }),
  )
}

t.test('a sound installation', (t) => {
  t.strictSame(faults({}), [])
  const main = { header_checks: 'regexp:/h', smtpd_data_restrictions: 'check_sender_access hash:/s, permit' }
  const tables = {
    'regexp:/h':
      '/a/ REJECT\n/b/ FILTER toeh:dummy\n/c/ REDIRECT it@corp.test\n/d/ BCC archive@corp.test\n/e/ PREPEND X: FILTER a:b',
    'hash:/s': 'a@corp.test REJECT see http://help.test\nb@corp.test OK\nc@corp.test 550 no',
  }
  t.strictSame(faults({ main, tables }), [])
  t.end()
})

t.test('header and body checks, by the cleanup that a service has', (t) => {
  const leak = (setting: string, ids: string, table = 'regexp:/h'): string =>
    `content-checks critical ${setting} ${table}, line 1, /x/: FILTER scan:y goes round the gate (${ids})`
  const tables = { 'regexp:/h': '/x/ FILTER scan:y' }
  for (const setting of ['header_checks', 'mime_header_checks', 'nested_header_checks', 'body_checks'])
    t.strictSame(faults({ main: { [setting]: 'regexp:/h' }, tables }), [
      leak(setting, 'submission/inet, pickup/unix'),
    ])
  const main = {
    header_checks: 'regexp:/h',
    mime_header_checks: 'regexp:/h',
    nested_header_checks: 'regexp:/h',
  }
  t.strictSame(
    faults({ main, tables }),
    [leak('header_checks', 'submission/inet, pickup/unix')],
    'a table once',
  )
  const own = [
    `${SUBMISSION} -o cleanup_service_name=pre`,
    PICKUP,
    CLEANUP,
    'pre unix n - n - 0 cleanup -o header_checks=',
  ]
  t.strictSame(faults({ main: { header_checks: 'regexp:/h' }, tables, master: own }), [
    leak('header_checks', 'pickup/unix'),
  ])
  const other = [SUBMISSION, PICKUP, `${CLEANUP} -o header_checks=regexp:/h`]
  t.strictSame(faults({ tables, master: other }), [leak('header_checks', 'submission/inet, pickup/unix')])
  const off = [`${SUBMISSION} -o receive_override_options=no_header_body_checks`, CLEANUP]
  t.strictSame(faults({ main: { header_checks: 'regexp:/h' }, tables, master: off }), [])
  t.strictSame(
    faults({ main: { header_checks: 'regexp:{ { /x/ FILTER scan:y } }' } }),
    [leak('header_checks', 'submission/inet, pickup/unix', 'regexp:{ { /x/ FILTER scan:y } }')],
    'in the parameter itself',
  )
  const ungated = ['submission inet n - n - - smtpd', CLEANUP]
  t.strictSame(
    faults({ main: { header_checks: 'regexp:/h' }, tables, master: ungated }),
    [],
    'entrances says that',
  )
  t.end()
})

t.test('each action, and how many lines', (t) => {
  const said = (text: string): string[] =>
    faults({
      main: { header_checks: 'regexp:/h' },
      tables: { 'regexp:/h': text },
      master: [SUBMISSION, CLEANUP],
    })
  const [place, id] = ['header_checks regexp:/h, line 2, /x/', '(submission/inet)']
  t.strictSame(said('# a\n/x/ REDIRECT x@out.test'), [
    `content-checks critical ${place}: REDIRECT x@out.test goes round the gate ${id}`,
  ])
  t.strictSame(said('# a\n/x/ REDIRECT $1@corp.test').length, 1, 'a pattern may become anything')
  t.strictSame(said('# a\n/x/ BCC x@out.test'), [
    `content-checks warning ${place}: BCC x@out.test copies mail to outside ${id}`,
  ])
  t.strictSame(said('# a\n/x/ HOLD'), [
    `content-checks warning ${place}: HOLD keeps mail in Postfix's own hold queue ${id}`,
  ])
  t.strictSame(said('# a\n/x/ FILTER a:b\n/y/ filter c:d\n/z/ FILTER toeh:x\n/w/ HOLD a look'), [
    `content-checks critical ${place}: FILTER a:b goes round the gate (and 1 more) ${id}`,
    `content-checks warning header_checks regexp:/h, line 5, /w/: HOLD a look keeps mail in Postfix's own hold queue ${id}`,
  ])
  t.strictSame(faults({ main: { header_checks: 'mysql:/h', body_checks: 'pcre:/gone' } }), [
    'content-checks unknown header_checks mysql:/h cannot be listed (submission/inet, pickup/unix)',
    'content-checks unknown body_checks pcre:/gone cannot be listed (submission/inet, pickup/unix)',
  ])
  t.end()
})

t.test('milter_header_checks count where there is a milter', (t) => {
  const main = { milter_header_checks: 'regexp:/m' }
  const tables = { 'regexp:/m': '/x/ FILTER scan:y\n/y/ BCC x@out.test' }
  t.strictSame(faults({ main, tables }), [])
  const found = faults({ main: { ...main, smtpd_milters: 'inet:localhost:1' }, tables })
  t.strictSame(found, [
    'content-checks critical milter_header_checks regexp:/m, line 1, /x/: FILTER scan:y goes round the gate (submission/inet)',
  ])
  const local = faults({ main: { ...main, non_smtpd_milters: 'unix:/s' }, tables })
  t.match(local, [/\(pickup\/unix\)$/])
  const off = [`${SUBMISSION} -o receive_override_options=no_milters`, CLEANUP]
  t.strictSame(faults({ main: { ...main, smtpd_milters: 'inet:localhost:1' }, tables, master: off }), [])
  t.end()
})

t.test('access tables: where a restriction names one, and what it answers', (t) => {
  const said = (
    main: Record<string, string>,
    tables: Record<string, string> = {},
    service = SUBMISSION,
  ): string[] => faults({ main, tables, master: [service, CLEANUP] })
  const leak = (setting: string, table: string, key: string): string =>
    `access-tables critical ${setting} ${table}${key}: FILTER scan:y goes round the gate (submission/inet)`
  for (const list of ['client', 'helo', 'sender', 'relay', 'recipient', 'data', 'end_of_data'])
    t.strictSame(
      said(
        { [`smtpd_${list}_restrictions`]: 'permit_mynetworks,\n check_sender_access hash:/a reject' },
        { 'hash:/a': 'a@corp.test FILTER scan:y' },
      ),
      [leak(`smtpd_${list}_restrictions`, 'hash:/a', ', a@corp.test')],
    )
  for (const name of [
    'client',
    'reverse_client_hostname',
    'helo',
    'helo_ns',
    'sender',
    'sender_mx',
    'recipient',
    'recipient_a',
    'etrn',
    'ccert',
    'sasl',
  ])
    t.strictSame(
      said({ smtpd_data_restrictions: `check_${name}_access static:{FILTER scan:y}` }),
      [leak('smtpd_data_restrictions', 'static:{FILTER scan:y}', '')],
      name,
    )
  t.strictSame(
    said({ smtpd_client_restrictions: 'cidr:/c' }, { 'cidr:/c': '10.0.0.0/8 FILTER scan:y' }),
    [leak('smtpd_client_restrictions', 'cidr:/c', ', line 1, 10.0.0.0/8')],
    'without check_client_access',
  )
  t.strictSame(said({ smtpd_etrn_restrictions: 'check_etrn_access static:{FILTER scan:y}' }), [], 'no mail')
  const own = `${SUBMISSION} -o {smtpd_sender_restrictions = check_sender_access inline:{ {a@corp.test = FILTER scan:y} }}`
  t.strictSame(
    said({ smtpd_sender_restrictions: 'reject' }, {}, own),
    [leak('smtpd_sender_restrictions', 'inline:{ {a@corp.test = FILTER scan:y} }', ', a@corp.test')],
    "the service's own",
  )
  const classes = {
    smtpd_restriction_classes: 'outer, inner, idle',
    outer: 'permit_mynetworks inner',
    inner: 'check_client_access static:{FILTER scan:y}, outer',
    idle: 'check_client_access static:{FILTER never:x}',
  }
  t.strictSame(
    said({ ...classes, smtpd_helo_restrictions: 'outer' }),
    [leak('smtpd_helo_restrictions', 'static:{FILTER scan:y}', '')],
    'by classes',
  )
  t.strictSame(
    said(
      { ...classes, smtpd_helo_restrictions: 'check_helo_access hash:/a' },
      { 'hash:/a': 'pc.corp.test inner, permit' },
    ),
    [leak('smtpd_helo_restrictions', 'static:{FILTER scan:y}', '')],
    'by what a table answers',
  )
  t.strictSame(
    said(
      { smtpd_helo_restrictions: 'check_helo_access hash:/a' },
      { 'hash:/a': 'pc check_sender_access hash:/b', 'hash:/b': 'x FILTER scan:y' },
    ),
    [leak('smtpd_helo_restrictions', 'hash:/b', ', x')],
    'by a table that a table names',
  )
  t.strictSame(
    said({
      smtpd_data_restrictions:
        'check_sender_access ldap:/l, check_policy_service { inet:127.0.0.1:1, timeout=1s } check_policy_service unix:private/p',
    }),
    [
      'access-tables unknown smtpd_data_restrictions ldap:/l cannot be listed (submission/inet)',
      'access-tables unknown smtpd_data_restrictions asks check_policy_service inet:127.0.0.1:1, whose answers cannot be listed (submission/inet)',
      'access-tables unknown smtpd_data_restrictions asks check_policy_service unix:private/p, whose answers cannot be listed (submission/inet)',
    ],
  )
  t.end()
})

t.test('port 25: where some of its mail is handed to the gate', (t) => {
  const relay = {
    smtpd_restriction_classes: 'toeh_gate',
    toeh_gate: 'check_client_access static:{FILTER toeh:dummy}, permit',
    smtpd_relay_restrictions:
      'permit_auth_destination, check_client_access cidr:/r, reject_unauth_destination',
    smtpd_recipient_restrictions: 'check_recipient_access static:{FILTER scan:y}',
  }
  const master = ['smtp inet n - n - - smtpd', CLEANUP]
  t.strictSame(faults({ main: relay, tables: { 'cidr:/r': '10.0.0.1 toeh_gate' }, master }), [
    'access-tables warning smtpd_recipient_restrictions static:{FILTER scan:y}: FILTER scan:y goes round the gate (smtp/inet)',
  ])
  t.strictSame(faults({ main: relay, tables: { 'cidr:/r': '10.0.0.1 OK' }, master }), [], 'none of it is')
  t.end()
})

t.test('the way back', (t) => {
  const main = { header_checks: 'regexp:/h', body_checks: 'regexp:/h' }
  const tables = { 'regexp:/h': '/x/ BCC x@out.test' }
  const back = (changes: Changes): string[] => faults(changes).filter((one) => one.startsWith('way-back'))
  t.strictSame(back({ main, tables }), [], 'its own cleanup has none')
  const master = (from: string | RegExp, to: string): string[] => [
    SUBMISSION,
    PICKUP,
    CLEANUP,
    SAMPLE.replace(from, to),
  ]
  const without = {
    ...factsOf({ main, tables }),
    services: parseServices(master('-o cleanup_service_name=toeh-cleanup', '').join('\n')),
  }
  const look = DIVERSION_CHECKS.find(({ name }) => name === 'way-back-checks')?.look
  const found = look?.(without) ?? []
  t.match(found, [
    {
      level: 'critical',
      what: '127.0.0.1:10026/inet is served by cleanup/unix, where header_checks body_checks count',
      mend: [
        "postconf -M 'toeh-cleanup/unix=toeh-cleanup unix n - n - 0 cleanup -o header_checks= -o mime_header_checks= -o nested_header_checks= -o body_checks= -o milter_header_checks='",
        'postconf -P 127.0.0.1:10026/inet/cleanup_service_name=toeh-cleanup',
      ],
    },
    {
      level: 'critical',
      what: 'header_checks regexp:/h, line 1, /x/: BCC x@out.test adds a recipient that the gate does not see (127.0.0.1:10026/inet)',
    },
  ])
  const idle = look?.({ ...without, main: new Map() }) ?? []
  t.match(idle, [
    {
      level: 'warning',
      what: /where header_checks mime_header_checks nested_header_checks body_checks would count$/,
    },
  ])
  const half =
    look?.({
      ...without,
      main: new Map(),
      services: parseServices(master('-o body_checks=', '').join('\n')),
    }) ?? []
  t.match(half, [{ level: 'warning', what: /served by toeh-cleanup\/unix, where body_checks would count$/ }])
  const gone =
    look?.({ ...without, services: parseServices(master(/^toeh-cleanup unix/m, 'other unix').join('\n')) }) ??
    []
  t.match(gone, [
    { level: 'critical', what: '127.0.0.1:10026/inet names a cleanup service that master.cf does not have' },
  ])
  const milters = (toeh: object, options: string): string[] => {
    const services = parseServices(
      master('no_unknown_recipient_checks,no_milters,no_address_mappings', options).join('\n'),
    )
    const facts = {
      ...factsOf({ toeh }),
      services,
      main: new Map([['smtpd_milters', '{ inet:localhost:8891, timeout=1s }, unix:/s']]),
    }
    return look?.(facts).map(({ level, what }) => `${level} ${what}`) ?? []
  }
  const named = (milter: string): string =>
    `warning smtpd_milters ${milter} may add recipients that the gate does not see (127.0.0.1:10026/inet)`
  t.strictSame(milters({}, 'no_address_mappings'), [named('inet:localhost:8891'), named('unix:/s')])
  t.strictSame(milters({ trustedMilters: ['inet:localhost:8891'] }, 'no_address_mappings'), [
    named('unix:/s'),
  ])
  t.strictSame(milters({}, 'no_milters,no_address_mappings'), [])
  t.end()
})

t.test('sendmail as the way on: pickup is the way back', (t) => {
  const toeh = { reinject: undefined }
  const master = [SUBMISSION, 'pickup unix n - n 60 1 pickup', CLEANUP]
  const back = (main: Record<string, string>, tables: Record<string, string> = {}): string[] =>
    faults({ main, tables, master, toeh }).filter((one) => one.startsWith('way-back'))
  t.strictSame(back({}), [])
  t.strictSame(back({ header_checks: 'regexp:/h' }, { 'regexp:/h': '/x/ BCC x@out.test' }), [
    'way-back-checks critical header_checks regexp:/h, line 1, /x/: BCC x@out.test adds a recipient that the gate does not see (pickup/unix)',
  ])
  t.strictSame(back({ always_bcc: 'x@out.test' }), [
    'way-back-checks critical always_bcc: BCC x@out.test adds a recipient that the gate does not see (pickup/unix)',
  ])
  t.strictSame(back({ sender_bcc_maps: 'hash:/b' }, { 'hash:/b': 'anna@corp.test x@out.test' }), [
    'way-back-checks critical sender_bcc_maps hash:/b, anna@corp.test: BCC x@out.test adds a recipient that the gate does not see (pickup/unix)',
  ])
  t.strictSame(back({ recipient_bcc_maps: 'hash:/b' }), [
    'way-back-checks critical recipient_bcc_maps hash:/b cannot be listed (pickup/unix)',
  ])
  t.strictSame(back({ always_bcc: 'archive@corp.test' }), [])
  t.strictSame(back({ header_checks: 'regexp:/h' }, { 'regexp:/h': '/x/ FILTER toeh:dummy' }), [
    'way-back-checks critical header_checks regexp:/h, line 1, /x/: FILTER toeh:dummy sends back to the gate what it sends on (pickup/unix)',
  ])
  t.end()
})
