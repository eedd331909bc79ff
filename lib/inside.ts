/**
 * Node's inside: parts that its own modules are made of, where the module itself costs too much of a run of
 * toeh-filter (docs/performance.md). process.binding() gives them. Node's documentation calls it deprecated (DEP0111) and names
 * nothing in its place, so each caller does without it as well, by the module.
 */

/** A parameter of the bundle: whether cache.mjs has tried this installation with this very Node. */
declare const TRIED: boolean

/** Whether this is a version of Node that the tests run with. */
export const IS_TESTED = /^(?:20|22|24)\./.test(process.versions.node)

/** Whether the installation was tried with exactly this Node: for parts that end the process where they are used wrongly. */
export const IS_TRIED = typeof TRIED !== 'undefined' && TRIED

/** A part of Node's inside, or undefined where there is none of this name, or none to be had. */
export function inside<Part>(name: string): Part | undefined {
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
