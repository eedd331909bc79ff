/**
 * toeh init: makes configuration, folders and database, and prints the master.cf lines, or puts them into Postfix. Twice
 * changes nothing. lib/setup/ does the work.
 */
import { resolve } from 'node:path'
import type { Argv, CommandModule } from 'yargs'
import { answer, configPath } from '../cli/context.js'
import { demandTrustedInstance, loadTrusted } from '../cli/trust.js'
import { DEFAULTS } from '../config.js'
import { ownerOf } from '../doctor/gather.js'
import { EXIT } from '../exit.js'
import { laneFiles } from '../express/lane.js'
import { LANE_SERVICES, laneCommands } from '../express/tables.js'
import { Failure, toFailure } from '../failure.js'
import { cronLines, sampleMaster } from '../postfix/sample.js'
import { intoModerate } from '../setup/answering.js'
import { build, describeMode, draw } from '../setup/install.js'
import { demandTightLane, intoPostfix } from '../setup/intopostfix.js'
import type { InitOptions } from '../setup/options.js'
import { describePeople } from '../setup/people.js'
import { words } from '../text/translate.js'

/** Prints what cron is to run; the configuration says by whom. */
function printCron(options: InitOptions): void {
  const config = loadTrusted(resolve(configPath(options)))
  const owner = options.user ?? ownerOf(config.state) ?? 'toeh'
  const cron = cronLines(owner, config)
  answer(options, { config: config.path, cron }, cron)
}

/** Options that mean nothing without --postfix, and two that contradict one another. */
function demandSense(options: InitOptions): void {
  const { postfix, moderate, apply, undo: back, reload: read, relay, configDir } = options
  const parts = Object.entries({ postfix, moderate, cron: options.cron }).filter(([, there]) => there)
  if (parts.length > 1)
    throw new Failure('init', words`${parts.map(([name]) => `--${name}`).join(', ')}: one of them`, {
      status: EXIT.usage,
    })
  const given = {
    apply,
    undo: back,
    reload: read,
    relay: relay !== undefined,
    'config-dir': configDir !== undefined,
  }
  for (const [name, there] of Object.entries(given))
    if (there && !postfix && !(moderate && name !== 'relay'))
      throw new Failure(`init --${name}`, words`it belongs to --postfix`, { status: EXIT.usage })
  // What makes a configuration: this only reads one.
  const { express, anew, internal, approver, language } = options
  for (const [name, there] of Object.entries({ express, anew, internal, approver, language }))
    if (moderate && there !== undefined && there !== false)
      throw new Failure(`init --${name}`, words`it does not go with --moderate`, { status: EXIT.usage })
  if (apply && back) throw new Failure('init', words`--apply or --undo: one of them`, { status: EXIT.usage })
  if (relay !== undefined && back)
    throw new Failure('init', words`--relay or --undo: one of them`, { status: EXIT.usage })
  if (read && !apply && !back)
    throw new Failure('init --reload', words`it goes with --apply or --undo`, { status: EXIT.usage })
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
      .option('approver', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'who may say yes to held mail, and is told of it',
      })
      .option('language', {
        choices: ['en', 'fr'] as const,
        requiresArg: true,
        describe: 'of notices (default: that of this shell)',
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
      .option('anew', {
        type: 'boolean',
        default: false,
        describe: 'make an empty database also where one was lost',
      })
      .option('postfix', {
        type: 'boolean',
        default: false,
        describe: 'show what would change in main.cf and master.cf',
      })
      .option('moderate', {
        type: 'boolean',
        default: false,
        describe: "show what would change in Postfix for approvers' answers by mail",
      })
      .option('cron', {
        type: 'boolean',
        default: false,
        describe: 'print the lines for cron, their programs by their paths',
      })
      .option('apply', {
        type: 'boolean',
        default: false,
        describe: 'with --postfix: change it, and make all the rest; or change it alone (--moderate)',
      })
      .option('undo', {
        type: 'boolean',
        default: false,
        describe: 'with --postfix or --moderate: put back what was there',
      })
      .option('reload', {
        type: 'boolean',
        default: false,
        describe: 'with --apply or --undo: tell Postfix of it',
      })
      .option('relay', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: 'with --postfix: the networks that relay by port 25, through the gate',
      })
      .option('config-dir', {
        type: 'string',
        requiresArg: true,
        describe: "with --postfix or --moderate: another Postfix instance's configuration folder",
      })
      .example('toeh init --postfix', 'see what it would do to Postfix')
      .example('toeh init --moderate --apply --reload', 'let approvers answer by mail')
      .example('toeh init --cron > /etc/cron.d/toeh', 'have cleanup, digest and backup run')
      .example('toeh init --postfix --relay 127.0.0.0/8,10.0.0.5', 'put the gate before what port 25 relays')
      .example('toeh init --internal company.example', 'then add the printed lines to master.cf'),
  handler: async (args) => {
    const options = args as unknown as InitOptions
    demandSense(options)
    demandTrustedInstance('init --config-dir', options.configDir)
    try {
      if (options.cron) return printCron(options)
      if (options.postfix) return await intoPostfix(options)
      if (options.moderate) return await intoModerate(options)
      const plan = await draw(options)
      const { path, owner, config } = plan
      if (options.express) await demandTightLane(plan)
      const lines = await build(plan, options.anew)
      const master = sampleMaster(owner.name, config).trimEnd().split('\n')
      const express = options.express ? laneCommands(LANE_SERVICES, laneFiles(path)) : []
      const first = words`For the express lane, set enabled = true under [express], run toeh express --write, then:`
      answer(
        options,
        { config: path, state: config.state, master, ...(options.express ? { express } : {}) },
        [
          ...lines,
          ...(plan.text === undefined ? [] : [...describePeople(config), ...describeMode(config)]),
          '',
          words`Add to master.cf:`,
          '',
          ...master,
          ...(plan.offers.length > 0 ? ['', ...plan.offers] : []),
          ...(options.express ? ['', first, '', ...express, 'postfix reload'] : []),
        ],
      )
    } catch (error) {
      throw toFailure('init', error, { at: resolve(configPath(options)), status: EXIT.failed })
    }
  },
}
export default module
