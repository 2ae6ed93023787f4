import { ArgumentError } from './argument-error.js'
import { parseArguments, usage } from './arguments.js'
import { runDemo } from './demo.js'
import { LogError } from './log/log-error.js'
import { EngineError } from './store/engine-error.js'
import { createProgress, isLiveTerminal } from './report/progress.js'

const print = (text: string) => void process.stdout.write(`${text}\n`)

/** The first Ctrl-C stops cleanly, the second at once. */
function stopOnSignals(): AbortSignal {
  const controller = new AbortController()
  const stop = () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
    process.stderr.write('\nStopping: what is in flight is finished and checked. Once more to leave at once.\n')
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return controller.signal
}

async function main(): Promise<number> {
  const settings = parseArguments(process.argv.slice(2))
  if (settings === 'help') {
    print(usage)
    return 0
  }
  const watcher = createProgress(isLiveTerminal(process.stdout, process.env), print)
  const { exitCode } = await runDemo(settings, stopOnSignals(), { print, watcher })
  return exitCode
}

try {
  process.exitCode = await main()
} catch (error) {
  if (error instanceof ArgumentError) process.stderr.write(`${error.message}\nTry --help.\n`)
  else if (error instanceof LogError || error instanceof EngineError) process.stderr.write(`${error.message}\n`)
  else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(error instanceof ArgumentError ? 2 : 1) // clients of an engine that is gone would try to reach it for ever
}
