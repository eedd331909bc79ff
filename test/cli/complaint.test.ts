/** Complaints about a command line: what is wrong, and what was perhaps meant. */
import t from 'tap'
import { complaintOf, nearest } from '../../lib/cli/complaint.js'

const COMMANDS = ['allow', 'audit', 'list', 'learn', 'release', 'reject', 'show']
const OPTIONS = ['config', 'json', 'help', 'version', 'sender', 'since', 'all', 'allow', 'id']

t.test('the nearest names', (t) => {
  const cases: [name: string, among: string[], found: string[]][] = [
    ['lst', COMMANDS, ['list']],
    ['lsit', COMMANDS, ['list']],
    ['relase', COMMANDS, ['release']],
    ['rel', COMMANDS, ['release']],
    ['re', COMMANDS, ['release', 'reject']],
    ['frobnicate', COMMANDS, []],
    ['x', COMMANDS, []],
    ['liste', COMMANDS, ['list']],
    ['al', OPTIONS, ['all', 'allow']],
    ['sendr', OPTIONS, ['sender']],
    ['', COMMANDS, []],
  ]
  for (const [name, among, found] of cases) t.strictSame(nearest(name, among), found, name)
  t.end()
})

t.test('complaints', (t) => {
  const cases: [
    complaint: string,
    argv: string[],
    command: string | undefined,
    what: string,
    meant: string[],
  ][] = [
    ['Unknown argument: lst', ['lst'], undefined, 'there is no command lst', ['list']],
    [
      'Unknown arguments: releas, abc',
      ['releas', 'abc'],
      undefined,
      'there is no command releas',
      ['release'],
    ],
    [
      'Unknown argument: sendr',
      ['list', '--sendr', 'a@b'],
      'list',
      'there is no option --sendr',
      ['--sender'],
    ],
    ['Unknown argument: sendr', ['list', '--sendr=a@b'], 'list', 'there is no option --sendr', ['--sender']],
    ['Unknown argument: q', ['list', '-q'], 'list', 'there is no option -q', []],
    ['Unknown argument: ids', ['show', '--ids', 'x'], 'show <id>', 'there is no option --ids', []],
    ['Unknown argument: extra', ['list', 'extra'], 'list', 'extra is too much: it is toeh list', []],
    [
      'Unknown arguments: b, c',
      ['known', 'a', 'b', 'c'],
      'known [pattern]',
      'b, c is too much: it is toeh known [pattern]',
      [],
    ],
    [
      'Not enough non-option arguments: got 0, need at least 1',
      ['show'],
      'show <id>',
      'something is missing: it is toeh show <id>',
      [],
    ],
    ['Not enough arguments following: since', ['list', '--since'], 'list', '--since needs a value', []],
    ['Invalid values: Argument: format', ['export'], 'export [file]', 'Invalid values: Argument: format', []],
  ]
  for (const [complaint, argv, command, what, meant] of cases)
    t.strictSame(
      complaintOf(complaint, argv, { command, commands: COMMANDS, options: OPTIONS }),
      { what, meant },
      complaint,
    )
  t.end()
})
