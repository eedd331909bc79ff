/** The people of a new configuration: its approvers and its language, as they are named or asked for. */
import { createInterface } from 'node:readline'
import type { Config } from '../config.js'
import { EXIT } from '../exit.js'
import { describeError, Failure } from '../failure.js'
import { foldAscii, parseAddress } from '../mail/address.js'
import { faultIn } from '../mail/addressfault.js'
import { languageOf, spoken, words } from '../text/translate.js'
import { visible } from '../text/visible.js'
import type { InitOptions } from './options.js'

type People = Pick<Config, 'approvers' | 'language'>

/** An approver's address, as the configuration takes it. @throws Failure */
function parseApprover(text: string): string {
  const address = parseAddress(text)
  if (address.plain) return text
  throw new Failure('init --approver', faultIn(spoken(), address.fault), {
    at: JSON.stringify(text),
    status: EXIT.usage,
  })
}

/** Each once. */
function approversIn(texts: readonly string[]): string[] {
  return [...new Map(texts.map((text) => [foldAscii(text), parseApprover(text)])).values()]
}

/** Asks a person at the terminal; no answer, and no terminal, is nobody. */
async function askApprovers(): Promise<string[]> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return []
  const question = (): boolean =>
    process.stderr.write(
      `${words`Who may say yes to held mail, and is told of it? Addresses with blanks between, or nothing:`} `,
    )
  question()
  for await (const line of createInterface({ input: process.stdin, terminal: false })) {
    try {
      return approversIn(line.split(/[\s,]+/).filter((text) => text !== ''))
    } catch (error) {
      process.stderr.write(`${visible(describeError(error))}\n`)
      question()
    }
  }
  process.stderr.write('\n')
  return []
}

/** Whom and in which language a new configuration has notices go to. */
export async function findPeople({ approver, language, json, ...options }: InitOptions): Promise<People> {
  const makes = !options.postfix || options.apply
  const asked = approver === undefined && makes && json !== true ? await askApprovers() : (approver ?? [])
  return { approvers: approversIn(asked), language: language ?? languageOf(process.env) ?? 'en' }
}

/** A configuration that is there is left alone: what was said of people has to stand in it already. */
export function demandPeople({ approver, language }: InitOptions, config: Config): void {
  const refused = (option: string, setting: string): Failure =>
    new Failure(`init --${option}`, words`the configuration is there already, and says something else`, {
      at: config.path,
      status: EXIT.usage,
      hint: words`set ${setting} in it`,
    })
  const there = new Set(config.approvers.map(foldAscii))
  const approvers = approversIn(approver ?? [])
  if (approvers.some((address) => !there.has(foldAscii(address))))
    throw refused('approver', `approvers = ${JSON.stringify(approvers)}`)
  if (language !== undefined && language !== config.language)
    throw refused('language', `language = "${language}"`)
}

export function describePeople({ approvers, path }: Config): string[] {
  return approvers.length > 0
    ? [words`Approvers: ${approvers.join(', ')}`]
    : [
        words`No approvers are named: of held mail its senders are told, and nobody who could say yes. To name them: approvers in ${path}`,
      ]
}
