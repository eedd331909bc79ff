/** Crashes of the commands: killed at every call, and every call failing, each started again and brought to its end. */
import { rmSync } from 'node:fs'
import t from 'tap'
import { chosen, part, report, strokesOf, workOff } from './campaign.js'
import { DESK_CASES } from './deskcase.js'
import { faultsOf, killsOf } from './stroke.js'
import { cannotStrike, makeModel, modelFolder } from './trial.js'

t.test('toeh, struck at every call', { skip: cannotStrike() }, async (t) => {
  const folder = modelFolder()
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const kills = []
  const faults = []
  for (const one of chosen(DESK_CASES)) {
    const model = await makeModel(one, folder)
    kills.push(...strokesOf(model, part(killsOf(model.calls), 40)))
    faults.push(...strokesOf(model, part(faultsOf(model.calls, true), 60)))
  }
  const jobs = [...kills, ...faults]
  report(t, await workOff(jobs), jobs.length)
})
