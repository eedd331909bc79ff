/** Diversions: what an answer of a table does, and which tables and milters a service's mail meets. */
import t from 'tap'
import {
  accessTables,
  actionOf,
  contentTables,
  miltersOf,
  wantedTables,
} from '../../lib/postfix/diversion.js'
import { factsOf } from '../support/diversions.js'

t.test('what an answer does', (t) => {
  const table: [string, string | undefined][] = [
    ['FILTER smtp:[10.0.0.1]:25', 'FILTER smtp:[10.0.0.1]:25'],
    ['filter\tscan:', 'FILTER scan:'],
    ['FILTER scan', undefined],
    ['Redirect  x@y.test ', 'REDIRECT x@y.test'],
    ['REDIRECT x', undefined],
    ['BCC x@y.test', 'BCC x@y.test'],
    ['BCC', undefined],
    ['HOLD', 'HOLD '],
    ['hold for a look', 'HOLD for a look'],
    ['HOLDING', undefined],
    ['REJECT FILTER x:y', undefined],
    ['toeh_gate', undefined],
    ['', undefined],
  ]
  for (const [value, act] of table) {
    const found = actionOf(value)
    t.equal(found && `${found.action} ${found.target}`, act, value)
  }
  t.end()
})

t.test('which milters, which tables', (t) => {
  const facts = factsOf({
    main: {
      smtpd_milters: 'inet:a:1 { inet:b:2, timeout=1 }',
      smtpd_milter_maps: 'cidr:/m ldap:/m',
      header_checks: 'regexp:/h',
      smtpd_helo_restrictions: 'check_helo_access hash:/a',
    },
    tables: {
      'cidr:/m': '127.0.0.0/8 disable\n10.0.0.0/8 inet:c:3',
      'regexp:/h': '',
      'hash:/a': 'x check_sender_access hash:/b',
    },
  })
  const [submission, pickup] = facts.services
  if (submission === undefined || pickup === undefined) throw new Error('no services')
  t.strictSame(
    miltersOf(facts, submission).map(({ table }) => table),
    ['inet:a:1', 'inet:b:2', 'inet:c:3', 'ldap:/m'],
  )
  t.strictSame(miltersOf(facts, pickup), [])
  t.strictSame(contentTables(facts, pickup), [{ setting: 'header_checks', table: 'regexp:/h' }])
  t.strictSame(accessTables(facts, pickup).tables, [])
  t.strictSame(wantedTables(facts).sort(), ['cidr:/m', 'hash:/a', 'hash:/b', 'ldap:/m', 'regexp:/h'])
  t.end()
})
