/** The ways: which services take mail, hand it to the gate, or take it back; on texts alone. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseServices } from '../../lib/postfix/mastercf.js'
import {
  cleanupOf,
  isFiltered,
  isReturn,
  overrides,
  peoplesServices,
  takersBack,
} from '../../lib/postfix/services.js'
import type { Setup } from '../../lib/postfix/settings.js'
import { ROOT } from '../support/lab.js'

const SAMPLE = readFileSync(join(ROOT, 'master.cf.sample'), 'utf8')
const [gate, reinjection, cleanup] = parseServices(SAMPLE)

function setupOf(
  master: string,
  main: Record<string, string> = {},
  reinject: object | undefined = { port: 10026 },
): Setup {
  return {
    main: new Map(Object.entries(main)),
    services: parseServices(`${master}\n${SAMPLE}`),
    expected: { gate, reinjection, cleanup },
    toeh: { reinject },
  } as unknown as Setup
}

t.test('who takes what back', (t) => {
  const master = 'pickup unix n - n 60 1 pickup\nsubmission inet n - n - - smtpd\n10026 inet n - n - - smtpd'
  const ids = (services: readonly { id: string }[]): string[] => services.map(({ id }) => id)
  t.same(ids(takersBack(setupOf(master))), ['10026/inet', '127.0.0.1:10026/inet'])
  const bySendmail = { ...setupOf(master), toeh: { reinject: undefined } } as unknown as Setup
  t.same(ids(takersBack(bySendmail)), ['pickup/unix'])
  t.same(ids(peoplesServices(setupOf(master))), ['submission/inet'])
  t.same(ids(peoplesServices(setupOf(master.replace('10026 inet', '[::1]:465 inet')))), [
    'submission/inet',
    '[::1]:465/inet',
  ])
  t.same(ids(peoplesServices(setupOf('587 inet n - n - - smtpd', {}, { port: 587 }))), [], 'not the way back')
  t.end()
})

t.test('the cleanup of a service', (t) => {
  const setup = setupOf(
    'submission inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\ncleanup inet n - n - 0 cleanup',
  )
  const [submission, , , , back] = setup.services
  if (submission === undefined || back === undefined) throw new Error('no services')
  t.equal(cleanupOf(setup, submission)?.id, 'cleanup/unix')
  t.equal(cleanupOf(setup, back)?.id, 'toeh-cleanup/unix')
  t.equal(cleanupOf({ ...setup, main: new Map([['cleanup_service_name', 'lost']]) }, submission), undefined)
  t.ok(overrides(setup, back, 'no_milters'))
  t.notOk(overrides(setup, submission, 'no_milters'))
  t.end()
})

t.test('a filter of all its mail, or a FILTER among its restrictions', (t) => {
  const filter = 'check_client_access static:{FILTER toeh:dummy}'
  const table: [options: string, filtered: boolean][] = [
    ['', false],
    ['-o content_filter=toeh:dummy', true],
    [`-o {smtpd_data_restrictions = ${filter}}`, true],
    [`-o {smtpd_data_restrictions = permit_lost_table:x, ${filter.replace('toeh', 'scan')}}`, false],
  ]
  for (const [options, filtered] of table) {
    const setup = setupOf(`submission inet n - n - - smtpd ${options}`)
    const [service] = setup.services
    if (service === undefined) throw new Error('no service')
    t.equal(isFiltered(setup, service), filtered, options)
  }
  t.end()
})

t.test('what another filter hands back comes in by a service of its own', (t) => {
  const table: [options: string, back: boolean][] = [
    ['', false],
    ['-o receive_override_options=no_milters', false],
    ['-o receive_override_options=no_header_body_checks,no_unknown_recipient_checks', true],
    ['-o local_recipient_maps=', true],
  ]
  for (const [options, back] of table) {
    const [service] = parseServices(`127.0.0.1:10025 inet n - n - - smtpd ${options}`)
    t.equal(service && isReturn(service), back, options)
  }
  t.end()
})
