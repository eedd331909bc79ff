/**
 * The killer: SIGKILL for processes of one private Postfix, found from its master downwards by parent and command
 * line, never by name alone: other instances run on the same machine.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Postfix } from '../support/postfix.js'
import { childrenOf, readProc } from '../support/process.js'
import type { Dice } from './dice.js'

export type Victim = 'filter' | 'pipe' | 'reinjection'

const VICTIMS: readonly Victim[] = ['filter', 'filter', 'pipe', 'reinjection']

export interface Kill {
  victim: Victim
  pid: number
  /** What it was working on, where that is known. */
  queueId: string | undefined
}

function commandOf(pid: number): string {
  return readProc(`${pid}/cmdline`).replaceAll('\0', ' ')
}

export class Killer {
  readonly kills: Kill[] = []
  readonly #postfix: Postfix
  readonly #dice: Dice

  constructor(postfix: Postfix, dice: Dice) {
    this.#postfix = postfix
    this.#dice = dice
  }

  /** Kills until it is told to stop, one of these every `meanMs` or so. */
  async work(stop: () => boolean, meanMs: number, victims: readonly Victim[] = VICTIMS): Promise<void> {
    while (!stop()) {
      await wait(this.#dice.between(meanMs / 4, meanMs * 1.75))
      this.#strike(this.#dice.pick(victims))
    }
  }

  #strike(victim: Victim): void {
    const targets = this.#find(victim)
    if (targets.length === 0) return
    const target = this.#dice.pick(targets)
    try {
      process.kill(target.pid, 'SIGKILL')
      this.kills.push(target)
    } catch {
      // It has ended by itself: no kill.
    }
  }

  #find(victim: Victim): Kill[] {
    const services = childrenOf(this.#postfix.masterPid()).map((pid) => ({ pid, command: commandOf(pid) }))
    const named = (name: string): number[] =>
      services.filter(({ command }) => command.includes(` -n ${name} `)).map(({ pid }) => pid)
    if (victim === 'reinjection') {
      return named(`127.0.0.1:${this.#postfix.reinjection}`).map((pid) => ({
        victim,
        pid,
        queueId: undefined,
      }))
    }
    const pipes = named('toeh').map((pid) => ({ pid, filter: childrenOf(pid)[0] }))
    return pipes.flatMap(({ pid, filter }): Kill[] => {
      const [, queueId] = filter === undefined ? [] : (/--queue-id=(\w+)/.exec(commandOf(filter)) ?? [])
      if (victim === 'pipe') return [{ victim, pid, queueId }]
      if (filter === undefined || queueId === undefined) return []
      // The shell, and the Node that it has started.
      return [filter, ...childrenOf(filter)].map((one) => ({ victim, pid: one, queueId }))
    })
  }
}
