#!/usr/bin/env node
/**
 * toeh-filter: the content filter that pipe(8) starts. Exit 0 when every recipient is settled, else 75, and
 * nothing else whatever happens: any other status would bounce the mail (pipe(8), sys_exits.c).
 */
import { writeSync } from 'node:fs'
import { DEFAULT_CONFIG_PATH, loadConfig } from '../lib/config.js'
import { parseArguments } from '../lib/envelope.js'
import { EXIT } from '../lib/exit.js'
import { describeError, Failure } from '../lib/failure.js'
import { runGate } from '../lib/gate.js'
import { readStdin } from '../lib/stdin.js'

/** How long a notice may take once the mail is settled. */
const NOTICE_MS = 10_000

// An empty event loop ends the process without anybody having said so; that must not look like success.
process.exitCode = EXIT.tempFail
process.umask(0o077)
// Output is one stream to pipe(8): a warning in front of the line would hide its 4.3.0 and reach the sender.
process.removeAllListeners('warning')

/** The verdict once every recipient is settled: from then on even a crash is a success. */
let settled: string | undefined
const parent = process.ppid

function end(failure: unknown): never {
  const line = settled ?? `4.3.0 toeh: ${describeError(failure)}`
  try {
    // The verdict is short; a failure is for the log and for DSNs, and must stay one line.
    writeSync(1, `${line.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 400)}\n`)
  } catch {
    // Nobody reads it any more; the status still counts.
  }
  process.exit(settled === undefined ? EXIT.tempFail : EXIT.ok)
}

process.on('uncaughtException', end)
process.on('unhandledRejection', end)

async function main(): Promise<void> {
  const { envelope, configPath } = parseArguments(process.argv.slice(2))
  const config = loadConfig(configPath ?? process.env.TOEH_CONFIG ?? DEFAULT_CONFIG_PATH)
  const deadline = setTimeout(() => {
    end(new Failure('deadline', `not done within ${config.deadlineSeconds} s`))
  }, config.deadlineSeconds * 1000)
  await runGate({
    config,
    envelope,
    input: readStdin(),
    now: Date.now(),
    sameParent: () => process.ppid === parent,
    settled: (verdict) => {
      if (settled === undefined) {
        clearTimeout(deadline)
        setTimeout(end, NOTICE_MS)
      }
      settled = verdict
    },
  })
}

main().then(end, end)
