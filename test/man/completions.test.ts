/** Completion, asked of the shells themselves. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { COMPLETIONS, complete } from '../../man/completions.js'
import { readCommands } from '../../man/definitions.js'
import { commonOptions, optionsOf } from '../support/help.js'
import { ROOT } from '../support/lab.js'

const FOLDER = join(ROOT, 'completion')
const COMMANDS = readdirSync(join(ROOT, 'lib/commands')).map((name) => name.replace('.ts', ''))
const COMMON = dashed(commonOptions())

function dashed(options: readonly string[]): string[] {
  return options.map((name) => `--${name}`)
}

/** What may follow a command. */
async function optionsAt(command: string): Promise<string[]> {
  return [...COMMON, ...dashed(await optionsOf(command))].sort()
}

function missing(shell: string): string | false {
  return spawnSync(shell, ['-c', ':']).error === undefined ? false : `there is no ${shell} here`
}

/** What a shell prints, one answer a line. Nothing may go wrong, and no node may be found. */
function ask(t: Test, cwd: string, shell: string, ...args: string[]): string[] {
  const env = { PATH: '/usr/bin:/bin', HOME: cwd, LC_ALL: 'C.UTF-8', TERM: 'dumb' }
  const { status, stdout, stderr } = spawnSync(shell, args, { cwd, env, encoding: 'utf8', timeout: 60_000 })
  t.strictSame({ status, stderr }, { status: 0, stderr: '' })
  return stdout.split(/\r?\n/).filter((line) => line !== '')
}

/** A folder with files to be completed. */
function someFiles(t: Test): string {
  const folder = t.testdir()
  writeFileSync(join(folder, 'rules one.csv'), '')
  mkdirSync(join(folder, 'rulebook'))
  return folder
}

t.test('the completions are those that npm run man makes', async (t) => {
  const commands = await readCommands()
  for (const name of COMPLETIONS)
    t.equal(complete(name, commands), readFileSync(join(FOLDER, name), 'utf8'), name)
})

t.test('bash', { skip: missing('bash') }, async (t) => {
  const folder = someFiles(t)
  const script = `source ${FOLDER}/toeh.bash
    [[ $(complete -p toeh) == 'complete -F _toeh toeh' ]] || exit 9
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _toeh; printf '%s\\n' "\${COMPREPLY[@]}"`
  const bash = (...words: string[]) =>
    ask(t, folder, 'bash', '--norc', '-uc', script, 'bash', 'toeh', ...words).sort()

  t.same(bash(''), [...COMMANDS, ...COMMON].sort(), 'commands')
  t.same(bash('rej'), ['reject'])
  t.same(bash('--config', 'x', 'rej'), ['reject'], 'behind an option')
  for (const name of COMMANDS) t.same(bash(name, '-'), await optionsAt(name), name)
  t.same(bash('import', '--format', ''), ['csv', 'json', 'ldif', 'vcf'], 'values of an option')
  t.same(bash('import', '--format', '='), ['csv', 'json', 'ldif', 'vcf'], 'as bash parts --format=')
  t.same(bash('export', '--format', '=', 'j'), ['json'], 'as bash parts --format=j')
  t.same(bash('release', 'x', '--allow', ''), ['address', 'domain'])
  t.same(bash('allow', '--for', ''), [], 'a value nobody can know')
  t.same(bash('learn', ''), ['log', 'observed'])
  t.same(bash('learn', 'log', 'ru'), ['rulebook', 'rules one.csv'])
  t.same(bash('learn', '--journal', ''), ['log', 'observed'], 'its value stands behind = only')
  t.same(bash('learn', '--journal', '=', 'ruleb'), ['rulebook'])
  t.same(bash('import', 'ru'), ['rulebook', 'rules one.csv'], 'a name with a blank is one answer')
  t.same(bash('--config', 'rules'), ['rules one.csv'])
  t.same(bash('fsck', '--backup', 'rules'), ['rules one.csv'])
  t.same(bash('show', ''), [], 'no files where none is meant')
  t.same(bash('allow', '--', '--f'), [], 'what follows -- is no option')
})

t.test('fish', { skip: missing('fish') }, async (t) => {
  const folder = someFiles(t)
  const fish = (line: string) =>
    ask(
      t,
      folder,
      'fish',
      '--no-config',
      '-c',
      `source ${FOLDER}/toeh.fish; complete -C ${JSON.stringify(line)}`,
    )
      .map((answer) => answer.split('\t')[0])
      .sort()
  t.same(fish('toeh '), [...COMMANDS].sort())
  t.same(fish('toeh rej'), ['reject'])
  for (const name of COMMANDS) t.same(fish(`toeh ${name} --`), await optionsAt(name), name)
  t.same(fish('toeh import --format '), ['csv', 'json', 'ldif', 'vcf'])
  t.same(fish('toeh learn o'), ['observed'])
  t.same(fish('toeh import ruleb'), ['rulebook/'])
  t.same(fish('toeh show '), [])
})

/** In an interactive zsh types each line, presses Tab and drops the line; says what was seen, closed by a form feed. */
const ZSH = `
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'unset zle_bracketed_paste; stty cols 300 rows 200; LISTMAX=10000; fpath=('$1' $fpath); autoload -Uz compinit; compinit -u -D; PS1="rea""dy> "'
zpty -r z seen '*ready> *'
for line in "\${@:2}"; do
  zpty -n -w z "$line"$'\\t\\x15print do""ne\\n'
  zpty -r z seen '*done*ready> *'
  print -rn -- "$seen"$'\\f'
done
zpty -d z
`

t.test('zsh', { skip: missing('zsh') }, async (t) => {
  const some = ['import', 'release', 'learn']
  const lines = ['toeh ', 'toeh rej', 'toeh learn ', 'toeh import --format ', 'toeh import rules']
  const typed = [...lines, ...some.map((name) => `toeh ${name} --`)]
  const said = ask(t, someFiles(t), 'zsh', '-fc', ZSH, 'zsh', FOLDER, ...typed).join('\n')
  const [commands = '', one, first, formats, files, ...options] = said.split('\f')
  for (const name of COMMANDS) t.match(commands, new RegExp(`\\b${name} +--`), name)
  t.match(one, /toeh reject/)
  t.match(first, /\blog +observed\b/)
  t.match(formats, /\bcsv +json +ldif +vcf\b/)
  t.match(files, /rules\\ one\.csv/)
  for (const [index, name] of some.entries())
    for (const option of await optionsAt(name))
      t.match(options[index], new RegExp(`${option} +--`), `${name} ${option}`)
})
