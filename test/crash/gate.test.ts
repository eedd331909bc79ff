/** Crashes of toeh-filter: killed at every call, and every call failing, each run retried as Postfix would. */
import { rmSync } from 'node:fs'
import t from 'tap'
import { chosen, part, report, strokesOf, workOff } from './campaign.js'
import { GATE_CASES } from './gatecase.js'
import { faultsOf, killsOf } from './stroke.js'
import { cannotStrike, makeModel, modelFolder } from './trial.js'

t.test('toeh-filter, struck at every call', { skip: cannotStrike() }, async (t) => {
  const folder = modelFolder()
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const kills = []
  const faults = []
  for (const one of chosen(GATE_CASES)) {
    const model = await makeModel(one, folder)
    const mixed = one.name === 'toeh-filter mixed'
    kills.push(...strokesOf(model, part(killsOf(model.calls), mixed ? 1 : 48)))
    faults.push(...strokesOf(model, part(faultsOf(model.calls, !mixed), mixed ? 32 : 96)))
  }
  const jobs = [...kills, ...faults]
  report(t, await workOff(jobs), jobs.length)
})
