/**
 * Readers: what commands read for long they read while nobody writes. A writer that came to its commit meanwhile would let nobody
 * else begin to read, and known mail would be deferred (https://www.sqlite.org/lockingv3.html). Counted in pages, by strace.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { appendAudit } from '../../lib/database/audit.js'
import { databasePath } from '../../lib/database/database.js'
import { cannotStrike } from '../crash/trial.js'
import { type Lab, makeLab, outcomeOf, startToeh } from '../support/lab.js'

/** More than a page cache takes, of everything. */
const MANY = 6_000

function fill(lab: Lab): void {
  const db = lab.openDatabase()
  const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MANY})`
  const now = Date.now()
  db.transaction(() => {
    for (const sql of [
      `INSERT INTO hold (id, queue_id, sender, sha256, size, subject, message_id, client, held_at, expires_at)
       ${numbers} SELECT printf('%012d', i), 'Q' || i, 'anna@corp.test', hex(zeroblob(32)), 100, hex(zeroblob(300)), '', '{}',
         ${now} - i, ${now + 9e8} FROM n`,
      `INSERT INTO recipient (hold, address, state, reason, detail, queue_id, changed_by, changed_at)
       ${numbers} SELECT printf('%012d', i), 'eve' || i || '@stranger.test', 'held', 'malformed', '', '', '', 1 FROM n`,
      `INSERT INTO recipient (hold, address, state, reason, detail, queue_id, changed_by, changed_at)
       ${numbers} SELECT printf('%012d', i), 'bob' || i || '@other.test', 'released', 'unknown', '', 'Q', 'x', ${now} FROM n`,
      `INSERT INTO rule (kind, value, subdomains, effect, added_by, added_at, source, note)
       ${numbers} SELECT 'domain', 'd' || i || '.test', 0, 'allow', 'x', 1, 's', hex(zeroblob(200)) FROM n`,
    ])
      db.run(sql)
    const deed = { who: 'x', what: 'allow', was: '', now: 'x'.repeat(400) }
    for (let at = 0; at < MANY; at++) appendAudit(db, { ...deed, at, subject: `d${at}.test` })
  })
  db.close()
}

interface Reading {
  /** Pages of the database that were read. */
  pages: number
  /** The most that were read in one go while others could write. */
  unguarded: number
}

const PENDING = 0x40000000
const LOCKS = { reserved: PENDING + 1, shared: PENDING + 2 }

/** What a trace of fcntl and pread64 says of the database. */
function readingIn(trace: string, database: string): Reading {
  const reading = { pages: 0, unguarded: 0 }
  const held = new Set<string>()
  let going = 0
  for (const line of trace.split('\n')) {
    if (!line.includes(`<${database}>`)) continue
    const lock = /SETLK, \{l_type=F_(\w+), l_whence=SEEK_SET, l_start=(\d+), l_len=(\d+)\}.*= 0$/.exec(line)
    if (lock !== null) {
      const [, type = '', start = '', length = ''] = lock
      for (const [name, at] of Object.entries(LOCKS)) {
        const isMeant = Number(start) <= at && (length === '0' || at < Number(start) + Number(length))
        if (isMeant && type === 'UNLCK') held.delete(name)
        else if (isMeant) held.add(name)
      }
      if (!held.has('shared') || held.has('reserved')) going = 0
    } else if (line.includes('pread64(')) {
      reading.pages++
      if (held.has('shared') && !held.has('reserved')) going++
      reading.unguarded = Math.max(reading.unguarded, going)
    }
  }
  return reading
}

const COMMANDS = [
  ['backup', 'BACKUP'],
  ['fsck'],
  ['export'],
  ['known', '--json'],
  ['list', '--json'],
  ['report'],
  ['audit', '--json'],
  ['audit', 'verify'],
  ['release', '--domain', 'nobody.test', '--dry-run'],
  ['recheck'],
]

t.test('what commands read for long', { skip: cannotStrike() }, async (t) => {
  const lab = makeLab(t)
  fill(lab)
  for (const args of COMMANDS) {
    const trace = join(lab.dir, 'trace')
    const through = ['strace', '-f', '-y', '-e', 'trace=fcntl,pread64', '-e', 'signal=none', '-o', trace]
    const given = args.map((word) => word.replace('BACKUP', join(lab.dir, 'backup.db')))
    await outcomeOf(startToeh(lab.config, given, through))
    const { pages, unguarded } = readingIn(readFileSync(trace, 'latin1'), databasePath(lab.state))
    t.ok(pages > 500, `${args.join(' ')}: it reads ${pages} pages`)
    t.ok(unguarded < 400, `${args.join(' ')}: ${unguarded} of them in one go while others write`)
  }
})
