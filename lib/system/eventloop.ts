/**
 * The event loop: when this process goes on. By V8 alone, as what Node has for it is compiled where a run first asks for it, two
 * dozen functions for a timer and sixteen for setImmediate (bench/NOTES.md).
 */

/** Does `work` when so much time has passed, if the process lives that long: this does not keep it alive. */
export function after(milliseconds: number, work: () => void): void {
  Promise.resolve(Atomics.waitAsync(newWord(), 0, 0, milliseconds).value).then(work)
}

/**
 * Until the system was asked once more what has come, and all of that was taken. The process has to have something that keeps
 * it alive.
 */
export async function eventsTaken(): Promise<void> {
  // What the system names in one go comes in any order, so the first turn may come before what it is there for.
  await turn()
  await turn()
}

/** Leaves, and comes back by way of the loop. */
async function turn(): Promise<void> {
  const word = newWord()
  const { value } = Atomics.waitAsync(word, 0, 0)
  Atomics.notify(word, 0)
  await value
}

/** Something to wait for. */
function newWord(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4))
}
