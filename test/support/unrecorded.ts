/**
 * Loaded before tap's own preloads, in the processes of test files only (`npm test` names it in NODE_OPTIONS). tap
 * records which files each process loads, for coverage and `--changed`, neither of which is used here: that costs
 * most of a second of processor time for each test file and for each node started by one, more than most files take.
 * Tests are the same with and without it.
 */
import module from 'node:module'

/** Where @tapjs/processinfo keeps the record of this process; it starts none where there is one. */
const RECORD = Symbol.for('@tapjs/processinfo.ProcessInfoNodeData')

if (process.env.TAP === '1') {
  Reflect.set(globalThis, RECORD, { files: [], sources: {} })
  module.register = () => undefined
  delete process.env.NODE_OPTIONS
}
