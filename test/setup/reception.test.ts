/** The reception: what Postfix is to be told of the address that approvers answer to, and what is refused. */
import t from 'tap'
import type { AnswerWayFact } from '../../lib/doctor/facts.js'
import { parseServices } from '../../lib/postfix/mastercf.js'
import { argumentsOf, unwire } from '../../lib/setup/plan.js'
import { type Reception, receive } from '../../lib/setup/reception.js'

const SERVICE =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: pipe(8)'s macro
  'toeh-moderate unix - n n - 1 pipe -o soft_bounce=yes flags=q user=toeh:toeh directory=/var/lib/toeh null_sender= argv=/usr/bin/node /usr/lib/toeh/dist/bin/toeh.cjs moderate --sender=${sender}'
const ADDRESS = 'say@corp.test'
const LISTED = 'virtual_mailbox_maps'

interface Changes {
  way?: Partial<AnswerWayFact>
  delivery?: Partial<AnswerWayFact> | null
  master?: string
  set?: Record<string, string>
}

function receptionOf({ way = {}, delivery = {}, master = '', set = {} }: Changes): Reception {
  const place: AnswerWayFact = {
    address: ADDRESS,
    list: LISTED,
    targets: [ADDRESS],
    listed: false,
    transport: undefined,
  }
  return {
    way: { ...place, ...way },
    delivery: delivery === null ? undefined : { ...place, ...delivery },
    services: parseServices(master),
    set: new Map(Object.entries(set)),
    defaults: new Map([['local_recipient_maps', 'proxy:unix:passwd.byname $alias_maps']]),
    expected: parseServices(SERVICE)[0] as never,
  }
}

const edits = (changes: Changes): string[] =>
  receive(receptionOf(changes)).edits.map((edit) => argumentsOf(edit).join(' '))

const ADDED = `-M toeh-moderate/unix=${SERVICE}`
const LIMIT = '-e toeh-moderate_destination_recipient_limit=1'
const LED = '-e transport_maps=inline:{say@corp.test=toeh-moderate:}'

t.test('what is added', (t) => {
  const cases: [title: string, changes: Changes, edits: string[]][] = [
    ['all', {}, [ADDED, '-e virtual_mailbox_maps=inline:{say@corp.test=toeh}', LED, LIMIT]],
    ['a domain whose recipients nobody lists', { delivery: { listed: undefined } }, [ADDED, LED, LIMIT]],
    ['one that is listed', { delivery: { listed: true } }, [ADDED, LED, LIMIT]],
    [
      'before the tables that are there',
      { set: { [LISTED]: 'hash:/etc/boxes', transport_maps: 'hash:/a, regexp:/b' } },
      [
        ADDED,
        '-e virtual_mailbox_maps=inline:{say@corp.test=toeh}, hash:/etc/boxes',
        `${LED}, hash:/a, regexp:/b`,
        LIMIT,
      ],
    ],
    [
      "before Postfix's own",
      { delivery: { list: 'local_recipient_maps' } },
      [
        ADDED,
        '-e local_recipient_maps=inline:{say@corp.test=toeh}, proxy:unix:passwd.byname $alias_maps',
        LED,
        LIMIT,
      ],
    ],
    [
      'no longer an alias',
      { way: { targets: ['all@corp.test'] }, delivery: { listed: true } },
      [ADDED, '-e virtual_alias_maps=inline:{say@corp.test=say@corp.test}', LED, LIMIT],
    ],
    [
      'an alias of an address that is delivered',
      {
        way: { list: '', targets: [], listed: false },
        delivery: { address: 'say@home.test', list: 'local_recipient_maps' },
        set: { local_recipient_maps: 'hash:/l' },
      },
      [
        ADDED,
        '-e virtual_alias_maps=inline:{say@corp.test=say@home.test}',
        '-e local_recipient_maps=inline:{say@home.test=toeh}, hash:/l',
        '-e transport_maps=inline:{say@home.test=toeh-moderate:}',
        LIMIT,
      ],
    ],
    [
      'what somebody has set up by hand under another name',
      {
        delivery: { listed: true, transport: 'answers:' },
        master: 'answers unix - n n - 1 pipe user=toeh argv=/usr/bin/node /toeh.cjs moderate',
        set: { answers_destination_recipient_limit: '1' },
      },
      [],
    ],
    [
      'a service that pipe(8) cannot start, for want of paths',
      {
        delivery: { listed: true, transport: 'toeh-moderate:' },
        master: 'toeh-moderate unix - n n - 1 pipe user=toeh argv=/usr/local/bin/toeh moderate',
        set: { 'toeh-moderate_destination_recipient_limit': '1' },
      },
      [ADDED],
    ],
  ]
  for (const [title, changes, wanted] of cases) t.strictSame(edits(changes), wanted, title)
  const everything = { delivery: { listed: true, transport: 'toeh-moderate:' }, master: SERVICE }
  t.strictSame(edits({ ...everything, set: { 'toeh-moderate_destination_recipient_limit': '1' } }), [])
  t.strictSame(receive(receptionOf({ way: { targets: ['all@corp.test'] } })).remarks, [
    'say@corp.test is an alias of all@corp.test, and will not be any more.',
  ])
  t.end()
})

t.test('and taken back, also where the service was mended since', (t) => {
  const made = receive(receptionOf({})).edits
  const set = new Map(
    made.filter(({ kind }) => kind === 'parameter').map(({ name, value }) => [name, value ?? '']),
  )
  const services = parseServices(SERVICE.replace('/usr/bin/node', '/opt/node/bin/node'))
  const { edits, changed } = unwire(made, { services, set })
  t.strictSame(changed, [])
  t.strictSame(
    edits.map((edit) => argumentsOf(edit).join(' ')).sort(),
    [
      '-MX toeh-moderate/unix',
      '-X toeh-moderate_destination_recipient_limit',
      '-X transport_maps',
      '-X virtual_mailbox_maps',
    ].sort(),
  )
  t.end()
})

t.test('what is refused', (t) => {
  const cases: [changes: Changes, why: RegExp][] = [
    [{ delivery: null }, /Postfix delivers no mail for its domain/],
    [{ delivery: { list: undefined } }, /Postfix delivers no mail for its domain/],
    [{ way: { address: 'a{b@corp.test' } }, /its name has signs that mean something in main\.cf/],
    [{ way: { address: '$x@corp.test' } }, /its name has signs that mean something in main\.cf/],
    [
      { master: 'toeh-moderate unix - n n - 1 pipe user=x argv=/bin/cat' },
      /a service of this name is there already, and does not run toeh moderate/,
    ],
  ]
  for (const [changes, why] of cases) t.throws(() => receive(receptionOf(changes)), { message: why })
  t.end()
})
