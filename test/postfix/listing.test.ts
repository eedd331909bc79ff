/** The listing: what tables of every kind answer, asked of a real postmap(1) or read. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { listAll, listKeys } from '../../lib/postfix/listing.js'
import { makeFolder } from '../support/lab.js'
import { hasPostfix } from '../support/postfix.js'

const skip = hasPostfix() ? false : 'Postfix is not installed and could not be'

t.test('what tables answer', { skip }, async (t) => {
  const etc = makeFolder(t)
  writeFileSync(join(etc, 'main.cf'), 'compatibility_level = 3.6\n')
  const text = (name: string, content: string): string => {
    const path = join(etc, name)
    writeFileSync(path, content)
    return path
  }
  const access = text('access', 'b@corp.test  FILTER scan:y\na@corp.test\tOK\n  and more\n')
  execFileSync('/usr/sbin/postmap', ['-c', etc, `hash:${access}`])
  const patterns = text('patterns', '# first\n/x/ HOLD\n')
  const listed = [
    { key: 'a@corp.test', value: 'OK  and more' },
    { key: 'b@corp.test', value: 'FILTER scan:y' },
  ]
  const hold = { key: '/x/', value: 'HOLD', line: 2 }
  const table: [name: string, entries: unknown][] = [
    [`hash:${access}`, listed],
    [`texthash:${access}`, listed],
    [`proxy:hash:${access}`, listed],
    [`regexp:${patterns}`, [hold]],
    [`pcre:${patterns}`, [hold]],
    [`unionmap:{hash:${access}, regexp:${patterns}}`, [...listed, hold]],
    [`pipemap:{proxy:regexp:${patterns}}`, [hold]],
    [`unionmap:{regexp:${patterns}, hash:/nonexistent}`, undefined],
    ['static:{FILTER scan:y}', [{ key: '', value: 'FILTER scan:y' }]],
    ['regexp:/nonexistent', undefined],
    ['regexp:nonexistent', undefined],
    ['hash:/nonexistent', undefined],
    ['nonsense:x', undefined],
  ]
  const listing = await listAll(() => table.map(([name]) => name), etc)
  for (const [name, entries] of table) t.strictSame(listing.get(name), entries, name)
  t.equal(await listKeys(`regexp:${patterns}`, etc), undefined, 'its patterns are no keys')
})

t.test('a table that a table names is listed too', async (t) => {
  const wanted = (listed: ReadonlyMap<string, readonly { value: string }[] | undefined>): string[] => [
    'static:{static:{static:last}}',
    ...[...listed.values()]
      .flatMap((entries) => entries?.map(({ value }) => value) ?? [])
      .filter((value) => value.includes(':')),
  ]
  const listing = await listAll(wanted, undefined)
  t.strictSame([...listing.keys()], ['static:{static:{static:last}}', 'static:{static:last}', 'static:last'])
})
