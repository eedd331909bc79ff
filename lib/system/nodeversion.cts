/** Which Node this runs on: what package.json says of it (`engines`), which npm only warns of. */

/** Why it does not run on this version, or undefined. Pure. CommonJS, for bin/launch.cts and bundle.mjs to ask it first of all. */
export = function refuseVersion(node: string): string | undefined {
  const [major = 0, minor = 0] = node.split('.').map(Number)
  if (major === 20 ? minor >= 19 : major === 22 ? minor >= 14 : major >= 24) return undefined
  return `Node ${node} does not do: TOEH runs on 20 from 20.19 on, 22 from 22.14 on, and 24 or newer (docs/install.md: where to get one)`
}
