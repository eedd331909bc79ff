/** The check on answers by mail: relays that vouch for nobody, and a Received that is taken away behind the gate. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ANSWER_CHECKS, answerRemarks, describeUnheard, unheard } from '../../lib/doctor/answers.js'
import type { AnswerWayFact, Facts, Fault, ModerateFact } from '../../lib/doctor/facts.js'
import { networkText, parseNetwork } from '../../lib/mail/network.js'
import { sourceOf, type TableEntry } from '../../lib/postfix/lookuptable.js'
import { parseServices } from '../../lib/postfix/mastercf.js'
import { ROOT } from '../support/lab.js'

const SAMPLE = readFileSync(join(ROOT, 'master.cf.sample'), 'utf8')
const [gate, reinjection, cleanup] = parseServices(SAMPLE)
const [check] = ANSWER_CHECKS
const RELAY = 'permit_auth_destination, check_client_access static:{FILTER toeh:dummy}, permit'

interface Changes {
  main?: Record<string, string>
  submission?: string
  moderate?: Partial<ModerateFact>
  back?: string
}

function factsOf({ main = {}, submission = '', moderate = {}, back = '' }: Changes): Facts {
  const get = (table: string): TableEntry[] | undefined => {
    const source = sourceOf(table)
    return source.kind === 'written' ? source.entries : undefined
  }
  const text = SAMPLE.replace('-o cleanup_service_name=toeh-cleanup', back === '' ? '$&' : back)
  return {
    configDir: undefined,
    main: new Map(
      Object.entries({
        mynetworks: '127.0.0.0/8 10.99.0.0/24',
        myhostname: 'mx.corp.test',
        smtpd_relay_restrictions: RELAY,
        smtpd_delay_reject: 'yes',
        enable_long_queue_ids: 'yes',
        ...main,
      }),
    ),
    services: parseServices(`smtp inet n - n - - smtpd\n${submission}\n${text}`),
    expected: { gate, reinjection, cleanup },
    toeh: {
      path: '/etc/toeh/toeh.toml',
      internal: ['corp.test'],
      reinject: { host: '127.0.0.1', port: 10026 },
      trustedMilters: [],
    },
    lane: { files: { map: '/lane', senders: '/senders', recipients: '/recipients' } },
    answers: Object.assign(new Map(), { get }),
    moderate: { enabled: true, relays: [], authservId: '', ...moderate },
  } as unknown as Facts
}

function look(changes: Changes): string[] {
  return (check?.look(factsOf(changes)) ?? []).map(({ level, what }) => `${level}: ${what}`)
}

const LOGIN = 'submission inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes'

t.test('answers through a relay', (t) => {
  const deaf = "warning: approvers' answers by mail through 10.99.0.0/24 are dropped"
  const good = (changes: Changes): string => check?.good(factsOf(changes)) ?? ''
  t.strictSame(look({}), [deaf])
  t.strictSame(look({ moderate: { relays: ['192.0.2.1'] } }), [deaf], 'another is named')
  t.strictSame(look({ moderate: { enabled: false } }), [])
  t.match(good({ moderate: { enabled: false } }), 'do not answer by mail')
  const others: Changes[] = [
    { moderate: { relays: ['10.99.0.2'] } },
    { main: { mynetworks: '127.0.0.0/8' } },
    { main: { smtpd_relay_restrictions: 'permit_mynetworks, reject' } },
  ]
  for (const changes of others) {
    t.strictSame(look(changes), [], JSON.stringify(changes))
    t.match(good(changes), 'approvers who answer by mail are heard')
  }
  // They may log in, or sign: it is said, and no fault.
  for (const changes of [{ submission: LOGIN }, { moderate: { authservId: 'mx.corp.test' } }]) {
    t.strictSame(look(changes), [], JSON.stringify(changes))
    t.match(good(changes), /through 10\.99\.0\.0\/24 have no login there: .*moderate\.relays/)
  }
  t.end()
})

t.test('which networks nobody lets vouch', (t) => {
  const networks = ['10.0.0.5', '127.0.0.0/8', '10.0.0.5', '2001:db8::/64'].flatMap(
    (text) => parseNetwork(text) ?? [],
  )
  const named = (...relays: string[]): string =>
    unheard(networks, { enabled: true, relays, authservId: '' }).map(networkText).join(' ')
  t.equal(named(), '10.0.0.5 2001:db8::/64')
  t.equal(named('10.0.0.5'), '2001:db8::/64')
  t.equal(named('10.0.0.5', '2001:db8::7'), '')
  t.equal(named('unix:x'), '10.0.0.5 2001:db8::/64')
  t.match(
    describeUnheard(networks),
    'approvers who answer by mail through 10.0.0.5 127.0.0.0/8 10.0.0.5 2001:',
  )
  t.end()
})

t.test('Received that is taken away behind the gate', (t) => {
  const lines = (table: string, long = 'no', back = '-o syslog_name=postfix/x'): string[] =>
    look({
      submission: LOGIN,
      main: { header_checks: table, enable_long_queue_ids: long },
      back,
    })
  const lost: [pattern: string, isLost: boolean][] = [
    ['/^Received:/ IGNORE', true],
    ['/^received:.*/ ignore', true],
    ['/^(Received|X-Mailer):/ REPLACE X: y', true],
    ['/^Received: from toeh/ STRIP', true],
    ['/^Received: .*with ESMTPSA/ IGNORE', false],
    ['/^Received:.*\\[10[.]99/ IGNORE', false],
    ['!/^Subject:/ IGNORE', true],
    ['/^X-Received:/ IGNORE', false],
    ['/^Received:/ WARN', false],
    ['/^Subject:/ IGNORE', false],
    ['/^Received:(?<x/ IGNORE', true],
  ]
  for (const [pattern, isLost] of lost) {
    const found = lines(`regexp:{ { ${pattern} } }`)
    t.equal(found.length, isLost ? 1 : 0, pattern)
    if (isLost)
      t.match(found[0], /^warning: header_checks regexp:.*: takes Received away on 127\.0\.0\.1:10026\/inet$/)
  }
  const table = 'regexp:{ { /^Received:/ IGNORE } }'
  t.strictSame(lines(table, 'yes'), [], 'a long queue id finds it')
  t.strictSame(lines(table, 'no', ''), [], 'the way back has checks of its own, which are empty')
  t.strictSame(lines('ldap:x'), [], 'what cannot be listed is no reason')
  t.end()
})

t.test('another filter behind the gate', (t) => {
  const chain = (moderate: Partial<ModerateFact>): string[] => {
    const facts = factsOf({ submission: LOGIN, moderate })
    const services = facts.services.map((service) =>
      service.id === '127.0.0.1:10026/inet'
        ? {
            ...service,
            options: new Map([...service.options, ['content_filter', 'smtp-amavis:[127.0.0.1]:10027']]),
          }
        : service,
    )
    return (check?.look({ ...facts, services } as Facts) ?? []).map(({ what }) => what)
  }
  t.match(chain({}), [
    /^approvers' answers by mail go through smtp-amavis:\[127\.0\.0\.1\]:10027, behind the gate/,
  ])
  t.strictSame(chain({ authservId: 'mx.corp.test' }), [])
  t.strictSame(chain({ enabled: false }), [])
  t.end()
})

t.test('what init says', (t) => {
  const networks = ['10.0.0.5', '127.0.0.0/8'].flatMap((text) => parseNetwork(text) ?? [])
  const moderate = { enabled: true, relays: [], authservId: '' }
  t.match(answerRemarks(moderate, networks, 'smtp-amavis:x'), [
    /^approvers who answer by mail through 10\.0\.0\.5 have no login there/,
    /^approvers' answers by mail go through smtp-amavis:x, behind the gate, .*: a login is found by the queue id/,
  ])
  t.strictSame(answerRemarks({ ...moderate, relays: ['10.0.0.5'] }, networks, undefined), [])
  t.equal(answerRemarks({ ...moderate, authservId: 'mx.corp.test' }, networks, 'smtp-amavis:x').length, 1)
  t.strictSame(answerRemarks({ ...moderate, enabled: false }, networks, 'smtp-amavis:x'), [])
  t.end()
})

t.test('the address that approvers answer to', (t) => {
  const service = 'toeh-moderate unix - n n - 1 pipe flags=q user=toeh argv=/usr/bin/node /toeh.cjs moderate'
  const other = 'other unix - n n - 1 pipe flags=q user=toeh argv=/bin/cat'
  const faults = (way: Partial<AnswerWayFact>, configDir?: string): Fault[] => {
    const facts = factsOf({ submission: `${service}\n${other}`, moderate: { authservId: 'mx' } })
    const answerWay = {
      address: 'say@corp.test',
      list: 'local_recipient_maps',
      targets: ['say@corp.test'],
      listed: true,
      transport: 'toeh-moderate:',
      ...way,
    }
    return check?.look({ ...facts, configDir, answerWay }) ?? []
  }
  const mend = ['toeh init --moderate --apply --reload --config /etc/toeh/toeh.toml']
  const cases: [way: Partial<AnswerWayFact>, what: string | undefined, mend?: string[]][] = [
    [{}, undefined],
    [{ listed: undefined, transport: 'toeh-moderate:nexthop' }, undefined],
    [{ listed: false }, 'Postfix has nobody of the name of moderate.address, say@corp.test', mend],
    [{ list: undefined }, 'Postfix takes no mail for the domain of moderate.address, say@corp.test', []],
    ...[undefined, 'other:', 'gone:', 'lmtp:unix:private/dovecot-lmtp'].map(
      (transport): [Partial<AnswerWayFact>, string, string[]] => [
        { transport },
        'mail to moderate.address, say@corp.test, does not go to toeh moderate',
        mend,
      ],
    ),
  ]
  for (const [way, what, commands] of cases)
    t.strictSame(
      faults(way).map(({ level, what, mend }) => [level, what, mend]),
      what === undefined ? [] : [['critical', what, commands]],
    )
  t.strictSame(faults({ listed: false }, '/etc/postfix out')[0]?.mend, [
    "toeh init --moderate --apply --reload --config-dir '/etc/postfix out' --config /etc/toeh/toeh.toml",
  ])
  t.end()
})
