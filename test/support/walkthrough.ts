/** A walkthrough: a page of docs whose commands a test runs as they stand, and compares with what it says they print. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './lab.js'

export interface Step {
  command: string
  /** What the page says it prints; `…` stands for what is left out. */
  output: string
}

export function readPage(name: string): string {
  return readFileSync(join(ROOT, 'docs', name), 'utf8')
}

/** Each command of a page, in its order. */
export function stepsOf(page: string): Step[] {
  return [...page.matchAll(/^```\n# (.*)\n((?:(?!```).*\n)*)```$/gm)].map(
    ([, command = '', output = '']) => ({
      command,
      output,
    }),
  )
}

/** A pattern for a shown output: what differs between runs, and what is left out, may be anything. */
export function patternOf(output: string): RegExp {
  const lines = output
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      if (line === '…') return '(?:.*\\n)*?'
      const words = line
        .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
        .replace(/…/g, '.*')
        .replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d')
        .replace(/\b4jYn\w+/g, '\\w+')
        .replace(/ +\d+s +(\d+) /, ' +\\d+s +\\d+ ')
        .replace(/^(size: +)\d+$/, '$1\\d+')
      return `${words} *\\n`
    })
  return new RegExp(`^${lines.join('')}$`)
}
