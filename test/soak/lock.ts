/** The lock: another program that keeps the database to itself now and then, for longer than anybody waits. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Lab } from '../support/lab.js'
import type { Dice } from './dice.js'

/** Locks until it is told to stop; how often it did. `busySeconds` is what the programs wait at most. */
export async function lockNowAndThen(
  lab: Lab,
  dice: Dice,
  stop: () => boolean,
  busySeconds: number,
): Promise<number> {
  let episodes = 0
  while (!stop()) {
    await wait(dice.between(1500, 5000))
    const db = lab.openDatabase()
    try {
      // The first keeps writers out, the second readers too.
      db.run(dice.pick(['BEGIN IMMEDIATE', 'BEGIN EXCLUSIVE']))
      episodes++
      await wait(dice.between(200, busySeconds * 2500))
      db.run('COMMIT')
    } catch (error) {
      if (!/locked|busy/.test(String(error))) throw error // Somebody else had it.
    } finally {
      db.close()
    }
  }
  return episodes
}
