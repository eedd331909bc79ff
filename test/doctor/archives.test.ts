/** The check on archives: which copies to outside are told, and with which command. */
import t from 'tap'
import { ARCHIVE_CHECKS, archiveFaults } from '../../lib/doctor/archives.js'
import type { CopiesFact, Facts } from '../../lib/doctor/facts.js'

t.test('copies to outside', (t) => {
  const look = (outside: CopiesFact['outside'], unseen: CopiesFact['unseen'] = []): string[] =>
    archiveFaults({ outside, unseen }, '/etc/toeh/toeh.toml').map(
      ({ level, what, why, mend }) => `${level}: ${what}; ${why} ${mend}`,
    )
  const copy = (address: string, known: boolean | undefined) => ({ address, setting: 'always_bcc', known })
  t.strictSame(look([]), [])
  t.strictSame(look([copy('all@vault.test', true), copy('b@vault.test', undefined)]), [])
  t.strictSame(look([copy('all@vault.test', false)]), [
    'warning: always_bcc copies mail to all@vault.test, which is outside and not known; every message that is copied there is held' +
      " for that. If it is your archive: toeh allow all@vault.test --note 'archive, always_bcc' --config /etc/toeh/toeh.toml ",
  ])
  t.match(
    look([copy("o'hara$x@vault.test", false)]),
    [/toeh allow 'o'\\''hara\$x@vault\.test' --note/],
    'for a shell',
  )
  t.match(look([], [{ setting: 'sender_bcc_maps', table: 'ldap:x' }]), [
    /^unknown: sender_bcc_maps: where ldap:x copies mail to cannot be told;/,
  ])
  const [check] = ARCHIVE_CHECKS
  t.strictSame(check?.look({ copies: undefined } as Facts), [])
  t.end()
})
