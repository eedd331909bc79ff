/** toeh init: makes configuration, folders and database, and prints the master.cf lines. Twice changes nothing. */
import { execFileSync } from 'node:child_process'
import { existsSync, lchownSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { parseDomain } from '../address.js'
import { DEFAULTS, loadConfig } from '../config.js'
import { createDatabase, databasePath } from '../database.js'
import { answer, type CommonOptions, configPath } from '../desk.js'
import { EXIT } from '../exit.js'
import { LANE_SERVICES, laneCommands } from '../express.js'
import { Failure, toFailure } from '../failure.js'
import { laneFiles } from '../lane.js'
import { readAddressClasses } from '../postconf.js'
import { sampleConfig, sampleMaster } from '../sample.js'

interface Options extends CommonOptions {
  user?: string
  internal?: string[]
  state: string
  express: boolean
}

interface Owner {
  name: string
  uid: number
  gid: number
}

/** The user who is to own everything. Root makes it for the filter's user, anybody else for himself. */
function findOwner(options: Options): Owner {
  const me = { name: userInfo().username, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  if (me.uid !== 0) return me
  const name = options.user ?? 'toeh'
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, '--', name], { stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    return { name, uid: id('-u'), gid: id('-g') }
  } catch {
    throw new Failure('init', 'there is no such user', {
      at: name,
      status: EXIT.usage,
      hint: `adduser --system --group --home /var/lib/toeh --no-create-home ${name}`,
    })
  }
}

/** The internal domains to begin with, and what the reader should know of them. */
async function findInternal(options: Options): Promise<{ domains: string[]; remarks: string[] }> {
  if (options.internal !== undefined) {
    const domains = options.internal.map((text) => {
      const domain = parseDomain(text)
      if (domain.plain) return domain.domain
      throw new Failure('init --internal', domain.fault, { at: JSON.stringify(text), status: EXIT.usage })
    })
    return { domains, remarks: [] }
  }
  const classes = await readAddressClasses()
  if (classes === undefined || classes.domains.length === 0) {
    throw new Failure('init', 'Postfix names no domain of its own here', {
      status: EXIT.usage,
      hint: "name the company's domains: toeh init --internal company.example",
    })
  }
  const remarks = classes.tables.map((table) => `look into ${table}: add its domains to internal_domains`)
  return { domains: classes.domains, remarks }
}

/** Makes a folder for the owner alone; an existing one is looked at, not changed. */
function makeFolder(path: string, owner: Owner): string {
  if (existsSync(path)) {
    const { mode, uid } = statSync(path)
    const wrong = [
      (mode & 0o777) === 0o700 ? '' : `chmod 700 ${path}`,
      uid === owner.uid ? '' : `chown ${owner.name} ${path}`,
    ].filter((command) => command !== '')
    return wrong.length === 0
      ? `${path} is there`
      : `${path} is there, but not for ${owner.name} alone: ${wrong.join('; ')}`
  }
  // What lies above it stays open for passing through: the owner has to get there.
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  mkdirSync(path, { mode: 0o700 })
  // Not chown: somebody who may write above it could have put a link in its place meanwhile.
  if (process.getuid?.() === 0) lchownSync(path, owner.uid, owner.gid)
  return `${path} made, for ${owner.name} alone`
}

const module: CommandModule = {
  command: 'init',
  describe: 'make configuration, folders and database; print the master.cf lines',
  builder: (yargs: Argv) =>
    yargs
      .option('user', {
        type: 'string',
        requiresArg: true,
        describe: "the filter's user (for root; default toeh)",
      })
      .option('internal', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: "the company's own domains (default: Postfix's)",
      })
      .option('state', {
        type: 'string',
        default: DEFAULTS.state,
        requiresArg: true,
        describe: 'state folder',
      })
      .option('express', {
        type: 'boolean',
        default: false,
        describe: 'print what the express lane needs as well',
      })
      .example('toeh init --internal company.example', 'then add the printed lines to master.cf'),
  handler: async (args) => {
    const options = args as unknown as Options
    const path = resolve(configPath(options))
    const owner = findOwner(options)
    const lines: string[] = []
    // The modes below are meant: under a root's umask of 077 the filter could not read its configuration.
    process.umask(0o022)
    try {
      if (existsSync(path)) lines.push(`${path} is there`)
      else {
        const { domains, remarks } = await findInternal(options)
        mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
        writeFileSync(path, sampleConfig(resolve(options.state), domains), { flag: 'wx', mode: 0o640 })
        lchownSync(path, process.getuid?.() ?? owner.uid, owner.gid)
        lines.push(`${path} made, internal domains: ${domains.join(', ')}`, ...remarks)
      }
      const config = loadConfig(path)
      const { state, busySeconds } = config
      lines.push(makeFolder(state, owner))
      // What lies in it is made without root's rights: it is the owner's to put links there.
      if (process.getuid?.() === 0 && owner.uid !== 0) {
        process.setgroups?.([])
        process.setgid?.(owner.gid)
        process.setuid?.(owner.uid)
      }
      process.umask(0o077)
      for (const folder of ['hold', 'hold/tmp', 'decisions'])
        lines.push(makeFolder(join(state, folder), owner))
      const database = databasePath(state)
      lines.push(`${database} ${existsSync(database) ? 'is there' : 'made'}`)
      createDatabase(database, { busySeconds }).close()
      const master = sampleMaster(owner.name, config).trimEnd().split('\n')
      const express = options.express ? laneCommands(LANE_SERVICES, laneFiles(path)) : []
      const first =
        'For the express lane, set enabled = true under [express], run toeh express --write, then:'
      answer(options, { config: path, state, master, ...(options.express ? { express } : {}) }, [
        ...lines,
        '',
        'Add to master.cf:',
        '',
        ...master,
        ...(options.express ? ['', first, '', ...express, 'postfix reload'] : []),
      ])
    } catch (error) {
      throw toFailure('init', error, { at: path, status: EXIT.failed })
    }
  },
}
export default module
