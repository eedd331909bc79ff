/** What toeh init is asked to do. */
import type { CommonOptions } from '../cli/context.js'
import type { Config } from '../config.js'

export interface InitOptions extends CommonOptions {
  user?: string
  internal?: string[]
  approver?: string[]
  language?: Config['language']
  state: string
  express: boolean
  anew: boolean
  postfix: boolean
  moderate: boolean
  cron: boolean
  apply: boolean
  undo: boolean
  reload: boolean
  relay?: string[]
  configDir?: string
}
