/** Approvers' answers: what toeh init --moderate shows of Postfix, puts in place and takes back. */
import { resolve } from 'node:path'
import { answer, configPath } from '../cli/context.js'
import { loadTrusted } from '../cli/trust.js'
import type { Config } from '../config.js'
import { deliveryOf, readAnswerWay } from '../doctor/answerway.js'
import { EXIT } from '../exit.js'
import { Failure } from '../failure.js'
import { foldAscii } from '../mail/address.js'
import { readAliases } from '../postfix/aliases.js'
import { parseServices } from '../postfix/mastercf.js'
import { askPostfix } from '../postfix/postconf.js'
import { readResidences } from '../postfix/residents.js'
import { moderateService } from '../postfix/sample.js'
import { words } from '../text/translate.js'
import { ANSWERS, prepare, putInPlace, readRaw } from './apply.js'
import { findOwner } from './install.js'
import { next, reload, takeBack } from './intopostfix.js'
import type { InitOptions } from './options.js'
import { LED, receive } from './reception.js'

/** The lines of toeh.toml that a person adds. */
function describeModerate({ moderate, path }: Config, address: string): string[] {
  if (moderate.enabled && foldAscii(moderate.address) === foldAscii(address)) return []
  return [
    words`Then, under [moderate] in ${path}: enabled = true, address = ${JSON.stringify(address)}. Until then nobody is asked to answer by mail.`,
  ]
}

/** Hands approvers' answers to toeh moderate. */
export async function intoModerate(options: InitOptions): Promise<void> {
  const { configDir } = options
  if (process.getuid?.() !== 0)
    throw new Failure('init --moderate', words`only root can change Postfix`, { status: EXIT.noPermission })
  const path = resolve(configPath(options))
  if (options.undo)
    return takeBack(
      options,
      ANSWERS,
      words`Approvers' answers by mail find nobody any more: enabled = false, under [moderate] in ${path}.`,
    )
  await prepare(configDir, [])
  const config = loadTrusted(path)
  const domains = [...config.internal]
  const home = domains.find((domain) => domain.includes('.')) ?? domains[0]
  const address = config.moderate.address || `toeh-moderate@${home}`
  const lists = { aliases: await readAliases(configDir), residences: await readResidences(configDir) }
  const way = await readAnswerWay(address, configDir, lists)
  const values = (await askPostfix('postconf', configDir, '-h', ...LED)).split('\n')
  const [expected] = parseServices(moderateService(findOwner(options).name, config))
  if (expected === undefined) throw new Failure('init --moderate', words`it is damaged`)
  const { edits, remarks } = receive({
    way,
    delivery: await deliveryOf(way, config.internal, configDir, lists),
    ...(await readRaw(configDir)),
    defaults: new Map(LED.map((name, index) => [name, values[index]?.trim() ?? ''])),
    expected,
  })
  const alteration = await prepare(configDir, edits)
  const { folder, difference } = alteration
  const applied = options.apply && difference !== ''
  const backups = applied ? await putInPlace(alteration, ANSWERS) : []
  if (applied && options.reload) await reload(configDir)
  const json = {
    folder,
    difference,
    applied: options.apply,
    backups,
    reloaded: applied && options.reload,
    remarks,
  }
  const settings = describeModerate(config, address)
  if (difference === '')
    return answer(options, { config: path, moderate: json }, [
      words`Postfix has all of it already: nothing is changed in ${folder}.`,
      ...settings,
    ])
  answer(
    options,
    { config: path, moderate: json },
    applied
      ? [
          words`${folder}/main.cf and master.cf are changed, and postfix check finds nothing wrong.`,
          words`As they were: ${backups.join(', ')}. toeh init --moderate --undo puts that back.`,
          ...remarks,
          next(options),
          ...settings,
        ]
      : [
          ...difference.trimEnd().split('\n'),
          '',
          ...remarks,
          words`Nothing is changed yet: the same with --apply does it.`,
          ...settings,
        ],
  )
}
