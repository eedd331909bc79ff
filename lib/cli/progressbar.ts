/** The progress bar: on a terminal, on standard error, by bytes read or by things done. */
import type { LogSource } from '../logs/logfile.js'

export interface Progress<T = void> {
  /** Shows how far it is; cheap to call often. */
  update(done: T): void
  stop(): void
}

const SILENT: Progress<unknown> = { update: () => {}, stop: () => {} }

/** Fewer are done before anybody has read the bar. */
const WORTH_A_BAR = 5

/** A bar, or nothing where nobody looks, or the terminal has no cursor to be moved. */
async function startBar(format: string, total: number): Promise<Progress<number>> {
  if (!process.stderr.isTTY || process.env.TERM === 'dumb' || total === 0) return SILENT
  const { default: cliProgress } = await import('cli-progress')
  const bar = new cliProgress.SingleBar({
    format,
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    fps: 5,
  })
  bar.start(total, 0)
  return { update: (done) => bar.update(done), stop: () => bar.stop() }
}

/** A bar over all sources; nothing where nobody knows how much there is. */
export async function showProgress(sources: readonly LogSource[]): Promise<Progress> {
  const total = sources.reduce((sum, { bytes }) => sum + bytes, 0)
  const bar = await startBar('reading {bar} {percentage}%  {eta_formatted} left', total)
  const read = (): number =>
    sources.reduce((sum, { stream, bytes }) => {
      const { bytesRead = 0 } = stream as { bytesRead?: number }
      return sum + Math.min(bytes, bytesRead)
    }, 0)
  return { update: () => bar.update(read()), stop: () => bar.stop() }
}

/** A bar over so many things to be done, told how many are. */
export async function showCount(doing: string, total: number): Promise<Progress<number>> {
  return startBar(`${doing} {bar} {value} of {total}  {eta_formatted} left`, total < WORTH_A_BAR ? 0 : total)
}
