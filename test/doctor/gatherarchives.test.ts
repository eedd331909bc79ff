/** Archives: the outside addresses that Postfix copies mail to, and whether the landscape knows them. */
import { rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../lib/config.js'
import { databasePath } from '../../lib/database/database.js'
import { findArchives } from '../../lib/doctor/gatherarchives.js'
import { cool } from '../support/cool.js'
import { makeLab } from '../support/lab.js'
import { cannotRun } from '../support/postfix.js'

const NOW = Date.UTC(2026, 10, 24, 12)

t.test('what is copied to, and whether it is known', { skip: cannotRun() }, async (t) => {
  const lab = makeLab(t)
  const find = async (settings: string): Promise<unknown> => {
    writeFileSync(join(lab.postfix, 'main.cf'), `mydestination = corp.test\n${settings}`)
    cool(lab.postfix)
    return findArchives(loadConfig(lab.config), lab.postfix, NOW)
  }
  t.strictSame(await find(''), { outside: [], unseen: [] })
  t.strictSame(await find('always_bcc = archive@corp.test\n'), { outside: [], unseen: [] })
  const table = join(lab.dir, 'senders')
  writeFileSync(table, 'anna@corp.test anna@vault.test\notto@corp.test all@vault.test\n')
  // Postfix waits for a file that is new.
  utimesSync(table, 1, 1)
  const both = `always_bcc = all@vault.test\nsender_bcc_maps = texthash:${table}, ldap:/no\n`
  const all = { address: 'all@vault.test', setting: 'always_bcc' }
  const anna = { address: 'anna@vault.test', setting: 'sender_bcc_maps' }
  const unseen = [{ setting: 'sender_bcc_maps', table: 'ldap:/no' }]
  const found = (...known: (boolean | undefined)[]): object => ({
    outside: [
      { ...all, known: known[0] },
      { ...anna, known: known[1] },
    ],
    unseen,
  })
  t.strictSame(await find(both), found(false, false))
  await lab.allow('all@vault.test')
  t.strictSame(await find(both), found(true, false), 'each by itself')
  rmSync(databasePath(lab.state))
  t.strictSame(await find(both), found(undefined, undefined), 'where the landscape cannot be asked')
  rmSync(lab.state, { recursive: true })
  t.strictSame(await find(both), found(false, false), 'before there is a state folder')
  t.equal(
    await findArchives(loadConfig(lab.config), join(lab.dir, 'none'), NOW),
    undefined,
    'without Postfix',
  )
})
