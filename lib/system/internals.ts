/**
 * Node's inside: parts that its own modules are made of, where the module itself costs too much of a run of
 * toeh-filter (bench/NOTES.md). process.binding() gives them. Node's documentation calls it deprecated (DEP0111) and names
 * nothing in its place, so each caller does without it as well, by the module.
 */

/** A parameter of the bundle: whether cache.mjs has tried this installation with the very program that runs it. */
declare const TRIED: boolean

/** Whether that is so. A part that is used as another Node has it may end the process. */
function isTried(): boolean {
  return typeof TRIED !== 'undefined' && TRIED
}

/** A part of Node's inside, or undefined where this installation was not tried, or there is none of this name to be had. */
export function inside<Part>(name: string): Part | undefined {
  if (!isTried()) return undefined
  const node = process as unknown as { binding?: (name: string) => unknown; noDeprecation: boolean }
  const { noDeprecation } = node
  // Node says so by a warning, for some parts, and that takes longer than the part.
  node.noDeprecation = true
  try {
    return node.binding?.(name) as Part | undefined
  } catch {
    return undefined
  } finally {
    node.noDeprecation = noDeprecation
  }
}
