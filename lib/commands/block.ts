/** toeh block: says that a destination is to be held whatever else allows it. */
import { ruleCommand } from './allow.js'

export default ruleCommand('block', 'hold destinations whatever allows them', 'toeh block supp1ier.example')
