/** The progress bar: on a terminal, on standard error, by bytes read. */
import type { LogSource } from './logfile.js'

export interface Progress {
  /** Shows how far the reading is; cheap to call often. */
  update(): void
  stop(): void
}

const SILENT: Progress = { update: () => {}, stop: () => {} }

/** A bar over all sources; nothing where nobody looks, or where nobody knows how much there is. */
export async function showProgress(sources: readonly LogSource[]): Promise<Progress> {
  const total = sources.reduce((sum, { bytes }) => sum + bytes, 0)
  if (!process.stderr.isTTY || total === 0) return SILENT
  const { default: cliProgress } = await import('cli-progress')
  const bar = new cliProgress.SingleBar({
    format: 'reading {bar} {percentage}%  {eta_formatted} left',
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    fps: 5,
  })
  bar.start(total, 0)
  const read = (): number =>
    sources.reduce((sum, { stream, bytes }) => {
      const { bytesRead = 0 } = stream as { bytesRead?: number }
      return sum + Math.min(bytes, bytesRead)
    }, 0)
  return { update: () => bar.update(read()), stop: () => bar.stop() }
}
