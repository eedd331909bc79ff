// Preloaded by the benchmark: prints the process's peak memory, in kilobytes, to descriptor 3 when it ends.
process.on('exit', () => {
  require('node:fs').writeSync(3, `${process.resourceUsage().maxRSS}\n`)
})
