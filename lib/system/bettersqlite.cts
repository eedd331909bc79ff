/**
 * better-sqlite3, in the version that fits this Node, and where its native part lies. 13 speaks Node-API 10: one part for every
 * Node from 22.14 on, which comes ready-made. 12 is the last for Node 20, and its part is compiled for that Node's own interface.
 * CommonJS, so that a bundle can hold both and a run loads one.
 */
import type Sqlite = require('better-sqlite3')

/** The version of Node-API that 13 needs (nodejs.org/api/n-api.html, "Node-API version matrix"). */
const NODE_API = 10

const is13 = Number(process.versions.napi) >= NODE_API

export = {
  /** The package's folder in node_modules. */
  folder: is13 ? 'better-sqlite3' : 'better-sqlite3-12',
  /** Where in it the native part may be, the most likely first. */
  natives: [
    ...(is13 ? [`prebuilds/${process.platform}-${process.arch}.node`] : []),
    'build/Release/better_sqlite3.node',
  ],
  /** The package. @throws MODULE_NOT_FOUND where it was not there when the bundle was made */
  load: (): typeof Sqlite => (is13 ? require('better-sqlite3') : require('better-sqlite3-12')),
}
