/** What everything else is measured against. */

export const BARE = 'bare node'

export const NO_FILTER = 'no filter'
