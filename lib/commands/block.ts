/** toeh block: says that a destination is to be held, also where a wider rule or an equal one allows it. */
import { ruleCommand } from './allow.js'

export default ruleCommand(
  'block',
  'hold destinations, whatever is said of a wider domain',
  'toeh block supp1ier.example',
)
