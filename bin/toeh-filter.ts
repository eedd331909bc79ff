/** toeh-filter: the content filter that pipe(8) starts, by toeh-filter.sh. Exit 0 when every recipient is settled, else 75. */
import '../lib/gate/exitguard.js' // First, and by itself so that no sorting moves it: it arms the process.
import { DEFAULT_CONFIG_PATH, loadConfig } from '../lib/config.js'
import { awaitAnswer, end, setDeadline, settle } from '../lib/gate/exitguard.js'
import { runGate } from '../lib/gate/gate.js'
import { isAwaited, isWriterAlive, readStdin } from '../lib/gate/stdin.js'
import { parseArguments } from '../lib/mail/envelope.js'

const parent = process.ppid

async function main(): Promise<void> {
  const { envelope, configPath, writer } = parseArguments(process.argv.slice(2))
  const config = loadConfig(configPath ?? process.env.TOEH_CONFIG ?? DEFAULT_CONFIG_PATH)
  setDeadline(config.deadlineSeconds)
  await runGate({
    config,
    envelope,
    input: readStdin(),
    now: Date.now(),
    writerAlive: () => isWriterAlive(parent, writer),
    isAwaited: () => isAwaited(parent, writer),
    answerDue: awaitAnswer,
    settled: settle,
  })
}

main().then(end, end)
