/**
 * Completions for bash, zsh and fish: static files, because starting node at each press of a key would be felt. They
 * know commands, options, their choices and where a file is asked for; hold ids and rules they do not.
 */
import { COMMON, type Command, type Option } from './definitions.js'

export const COMPLETIONS = ['toeh.bash', '_toeh', 'toeh.fish'] as const
export type Completion = (typeof COMPLETIONS)[number]

const MADE = '# Made from the commands by npm run man.'

function takesFile({ value }: Option): boolean {
  return ['FILE', 'FOLDER', 'PLACE'].includes(value)
}

function hasFile({ positionals }: Command): boolean {
  return positionals.some(({ name }) => name === 'file')
}

/** The words that may stand first: `log` and `observed` for learn. */
function firstWords({ positionals }: Command): string[] {
  return positionals[0]?.choices ?? []
}

function dashed(options: readonly Option[]): string {
  return options.map(({ name }) => `--${name}`).join(' ')
}

function bash(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(' ')
  const valued = [...COMMON.map((option) => ({ option, of: '*' })), ...allOptions(commands)]
    .filter(({ option }) => option.value !== '')
    .map(({ option, of }) => {
      const { name, choices } = option
      const words =
        choices.length > 0 ? `words='${choices.join(' ')}'` : takesFile(option) ? 'files=yes' : ':'
      return `    ${of}:--${name}) ${words} ;;`
    })
  const optional = allOptions(commands)
    .filter(({ option }) => option.optional)
    .map(({ option, of }) => `${of}:--${option.name}:`)
  const arguments_ = commands.map((command) => {
    const first = firstWords(command)
    return [
      `    ${command.name})`,
      `      options='${dashed(command.options)}'`,
      ...(first.length > 0 ? [`      first='${first.join(' ')}'`] : []),
      ...(hasFile(command) ? ['      files=yes'] : []),
      '      ;;',
    ].join('\n')
  })
  return `${MADE}
# shellcheck shell=bash
_toeh() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local command='' after=0 i word words='' files='' options='' first='' joined=''
  COMPREPLY=()
  # bash parts --name=value at the equals sign.
  if [[ $cur == = ]]; then
    cur='' joined=yes
  elif [[ $prev == = ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]} joined=yes
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == -- ]]; then
      prev=--
    elif [[ -n $command ]]; then
      [[ $word == -* ]] || ((after++))
    else
      case $word in
        ${names.replaceAll(' ', ' | ')}) command=$word ;;
      esac
    fi
  done
  case $command:$prev:$joined in
    ${optional.join(' | ')}) prev='' ;;
  esac
  case $command:$prev in
${valued.join('\n')}
    *)
      if [[ -z $command ]]; then
        words='${names} ${dashed(COMMON)}'
      else
        case $command in
${arguments_.join('\n').replace(/^/gm, '    ')}
        esac
        if [[ $cur == -* && $prev != -- ]]; then
          words="$options ${dashed(COMMON)}" files=''
        elif [[ -n $first && $after == 0 ]]; then
          words=$first files=''
        fi
      fi
      ;;
  esac
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  elif [[ -n $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  fi
}
complete -F _toeh toeh
`
}

function allOptions(commands: readonly Command[]): { option: Option; of: string }[] {
  return commands.flatMap(({ name, options }) => options.map((option) => ({ option, of: name })))
}

/** Between single quotes, as sh reads them. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function zshOption(option: Option): string {
  const { name, describe, value, optional, choices } = option
  const text = describe.replace(/[[\]:\\]/g, '\\$&')
  const action = choices.length > 0 ? `(${choices.join(' ')})` : takesFile(option) ? '_files' : ' '
  const given = value === '' ? '' : `${optional ? '::' : ':'}${value}:${action}`
  return quote(`*--${name}${optional ? '=-' : ''}[${text}]${given}`)
}

function zsh(commands: readonly Command[]): string {
  const named = commands.map(
    ({ name, describe }) => `    ${quote(`${name}:${describe.replaceAll(':', '\\:')}`)}`,
  )
  const cases = commands.map((command) => {
    const first = firstWords(command)
    const positionals = [
      ...(first.length > 0 ? [quote(`1:${command.positionals[0]?.name}:(${first.join(' ')})`)] : []),
      quote(hasFile(command) ? '*:file:_files' : '*: : '),
    ]
    const specs = [...command.options.map(zshOption), ...positionals]
    return `        ${command.name}) _arguments $common ${specs.join(' \\\n          ')} ;;`
  })
  return `#compdef toeh
${MADE}
_toeh() {
  local context state state_descr line
  typeset -A opt_args
  local -a common commands
  common=(
${COMMON.map((option) => `    ${zshOption(option)}`).join('\n')}
  )
  commands=(
${named.join('\n')}
  )
  _arguments -C $common '1: :->command' '*:: :->argument'
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      case $words[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}
_toeh "$@"
`
}

function fishOption(option: Option): string {
  const { name, describe, value, choices } = option
  const given =
    value === ''
      ? ''
      : choices.length > 0
        ? ` -x -a ${quote(choices.join(' '))}`
        : takesFile(option)
          ? ' -r -F'
          : ' -x'
  return `-l ${name} -d ${fishQuote(describe)}${given}`
}

/** Between single quotes, as fish reads them. */
function fishQuote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

function fish(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(' ')
  const lines = commands.flatMap((command) => {
    const { name, describe, options } = command
    const inside = `complete -c toeh -n '__fish_seen_subcommand_from ${name}'`
    const first = firstWords(command)
    return [
      `complete -c toeh -n "not __fish_seen_subcommand_from $commands" -a ${name} -d ${fishQuote(describe)}`,
      ...options.map((option) => `${inside} ${fishOption(option)}`),
      ...(first.length > 0 ? [`${inside} -a '${first.join(' ')}'`] : []),
      ...(hasFile(command) ? [`${inside} -F`] : []),
    ]
  })
  return `${MADE}
set -l commands ${names}
complete -c toeh -f
${COMMON.map((option) => `complete -c toeh ${fishOption(option)}`).join('\n')}
${lines.join('\n')}
`
}

/** A completion's text. */
export function complete(completion: Completion, commands: readonly Command[]): string {
  const shells = { 'toeh.bash': bash, _toeh: zsh, 'toeh.fish': fish }
  return shells[completion](commands)
}
