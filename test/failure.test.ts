/** Tests of failure.ts: what an error says, and which status it gives. */
import { readFileSync, renameSync } from 'node:fs'
import t from 'tap'
import { EXIT } from '../lib/exit.js'
import { describeError, Failure, toFailure } from '../lib/failure.js'
import { systemError } from './support/failing.js'

function caught(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

t.test('a failure says what, where, why and what to do', (t) => {
  const bare = new Failure('release', 'it is gone')
  t.equal(bare.message, 'release: it is gone')
  t.equal(bare.line, 'release: it is gone')
  t.equal(bare.status, EXIT.failed)
  t.equal(bare.inDoubt, false)
  t.equal(bare.hint, undefined)
  t.equal(bare.name, 'Failure')
  t.type(bare, Error)

  const cause = new Error('lower')
  const full = new Failure('open', 'no', {
    at: '/x',
    hint: 'toeh init',
    status: EXIT.config,
    inDoubt: true,
    cause,
  })
  t.equal(full.message, 'open /x: no')
  t.equal(full.line, 'open /x: no; toeh init')
  t.equal(full.status, EXIT.config)
  t.equal(full.inDoubt, true)
  t.equal(full.cause, cause)
  t.end()
})

t.test('the words for an error', (t) => {
  const coded = (code: unknown, message: unknown): unknown => ({ code, message })
  const words: [unknown, string][] = [
    [caught(() => readFileSync('/nonexistent/a, b')), 'no such file or directory (ENOENT)'],
    [caught(() => renameSync('/nonexistent/a', '/nonexistent/b')), 'no such file or directory (ENOENT)'],
    [caught(() => readFileSync('/')), 'illegal operation on a directory (EISDIR)'],
    [systemError('ENOSPC', 'whatever Node says'), 'no space left on device (ENOSPC)'],
    [systemError('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1'), 'connection refused (ECONNREFUSED)'],
    [coded('SQLITE_BUSY', 'database is locked'), 'database is locked (SQLITE_BUSY)'],
    [coded(5, 'plain'), 'plain'],
    [new Error('plain'), 'plain'],
    [new Failure('open', 'no', { at: '/x', hint: 'do' }), 'open /x: no; do'],
    ['a text', 'a text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [7, '7'],
  ]
  for (const [error, text] of words) t.equal(describeError(error), text, text)
  t.end()
})

t.test('anything becomes a failure: in doubt, temporary', (t) => {
  const lower = caught(() => readFileSync('/nonexistent'))
  const failure = toFailure('spool', lower, { at: '/var/lib/toeh' })
  t.equal(failure.message, 'spool /var/lib/toeh: no such file or directory (ENOENT)')
  t.equal(failure.status, EXIT.tempFail)
  t.equal(failure.cause, lower)
  t.equal(toFailure('spool', lower, { status: EXIT.config }).status, EXIT.config)
  const known = new Failure('open', 'no', { status: EXIT.noInput })
  t.equal(toFailure('spool', known, { at: '/y', status: EXIT.config }), known, 'a failure stays what it is')
  t.end()
})
