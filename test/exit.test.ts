/** Tests of exit.ts: the numbers are a contract with pipe(8) and with scripts. */
import t from 'tap'
import { EXIT } from '../lib/exit.js'

t.strictSame(EXIT, {
  ok: 0,
  failed: 1,
  usage: 2,
  dataError: 65,
  noInput: 66,
  tempFail: 75,
  noPermission: 77,
  config: 78,
})
