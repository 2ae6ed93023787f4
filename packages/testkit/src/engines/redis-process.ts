// Problem: a server that a test starts must not outlive it, however the test ends, and two runs must not meet.
// Scheme: a shell of its own process group starts redis-server and then reads from a pipe that this process holds open. A line
//   has it start the server once more, when that has ended. When the pipe ends – on close(), on exit, on Ctrl-C, on SIGKILL – the shell kills the server and removes its folder.
// Invariants: no server without its starter; ports are free ones, and a port lost to somebody else is tried again elsewhere.
// Cost: one small shell a server.
// Source: the pipe trick is as old as pipes.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { waitUntil } from '../time/wait.js'
import { freePorts } from './free-port.js'
import { RespConnection } from './resp-connection.js'

const guard = `
dir=$1; shift
start() { "$@" </dev/null & pid=$!; echo "pid $pid"; }
start "$@"
while read -r line; do wait $pid 2>/dev/null; start "$@"; done
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
rm -rf "$dir"
`

const startsMax = 5

/** One running `redis-server`. */
export class RedisProcess {
  /** The loopback interface, but for a server that was only named. */
  readonly host: string
  /** Where it listens. */
  readonly port: number
  #pid: number | undefined
  readonly #shell: ChildProcess | undefined
  #admin: RespConnection | undefined

  private constructor(host: string, port: number, pid?: number, shell?: ChildProcess) {
    this.host = host
    this.port = port
    this.#pid = pid
    this.#shell = shell
  }

  /** A server that is there already. It cannot be crashed or frozen, and `close` leaves it running. */
  static named(host: string, port: number): RedisProcess {
    return new RedisProcess(host, port)
  }

  /** The server's process id. Throws for a server that was only named. */
  get pid(): number {
    if (this.#pid !== undefined) return this.#pid
    throw new Error(
      `The Redis at ${this.host}:${this.port} was not started by the tests, which cannot end or stop it. Unset SPILLWAY_REDIS_URL and SPILLWAY_REDIS_CLUSTER.`,
    )
  }

  /**
   * Starts a server in memory alone, or, where `keepsData`, one that has its data again after `crash` and `restart`, and waits
   * until it answers. `extra` are arguments made from its spare port.
   */
  static start(extra: (sparePort: number) => readonly string[] = () => [], keepsData = false): Promise<RedisProcess> {
    return RedisProcess.#startOf((port, sparePort, dir) => {
      const server = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--protected-mode', 'no']
      // Each command is handed to the system before its answer; with `everysec` it may wait for a sync that is under way.
      const kept = keepsData ? ['--appendonly', 'yes', '--appendfsync', 'no'] : ['--appendonly', 'no']
      return [...server, '--save', '', ...kept, '--repl-diskless-sync-delay', '0', ...extra(sparePort)]
    })
  }

  /** Starts a sentinel, and waits until it answers. `config` are lines such as `sentinel monitor …`; it has them in a file, which it keeps up to date. */
  static startSentinel(config: readonly string[]): Promise<RedisProcess> {
    return RedisProcess.#startOf((port, _sparePort, dir) => {
      const file = join(dir, 'sentinel.conf')
      const server = [`port ${port}`, 'bind 127.0.0.1', `dir "${dir}"`, 'protected-mode no']
      writeFileSync(file, [...server, ...config, ''].join('\n'))
      return [file, '--sentinel']
    })
  }

  static async #startOf(args: (port: number, sparePort: number, dir: string) => readonly string[]) {
    requireServer()
    for (let attempt = 1; ; attempt++) {
      const [port, sparePort] = (await freePorts(2)) as [number, number]
      const dir = mkdtempSync(join(tmpdir(), 'spillway-redis-'))
      try {
        const made = (pid: number, shell: ChildProcess) => new RedisProcess('127.0.0.1', port, pid, shell)
        return await launch(port, dir, args(port, sparePort, dir), made)
      } catch (error) {
        if (attempt === startsMax) throw error
      }
    }
  }

  /** Sends a command on a connection of the test kit's own. */
  call(...args: readonly (string | number)[]): Promise<unknown> {
    this.#admin ??= new RespConnection(this.port, this.host)
    return this.#admin.call(...args).catch((error: unknown) => {
      if (!(error instanceof Error && /^[A-Z]+ /.test(error.message))) this.#forgetConnection()
      throw error
    })
  }

  /** Ends the server at once, as a power cut would. */
  crash(): void {
    const { pid } = this
    this.#forgetConnection()
    process.kill(pid, 'SIGKILL')
  }

  /** Starts the server again where it was, once it has ended, and waits until it answers. It has the data that it kept. */
  async restart(): Promise<void> {
    const stdout = this.#shell?.stdout
    const stdin = this.#shell?.stdin
    if (!stdout || !stdin) throw new Error(`The Redis at ${this.host}:${this.port} was not started by the tests.`)
    this.#pid = await new Promise<number>((resolve) => {
      let said = ''
      const listener = (chunk: Buffer) => {
        const started = /pid (\d+)/.exec((said += chunk.toString()))
        if (started === null) return
        stdout.off('data', listener)
        resolve(Number(started[1]))
      }
      stdout.on('data', listener)
      stdin.write('start\n')
    })
    await waitUntil(`redis-server answers on port ${this.port} again`, async () => (await this.call('PING')) === 'PONG')
  }

  /** Stops the server without closing its connections, as a machine that hangs does. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  /** Lets a frozen server run on. */
  thaw(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Takes a server that was started down, and removes what it left. */
  close(): Promise<void> {
    this.#forgetConnection()
    const shell = this.#shell
    if (shell === undefined || shell.exitCode !== null || shell.signalCode !== null) return Promise.resolve()
    return new Promise((resolve) => {
      shell.ref()
      shell.once('exit', () => resolve())
      shell.stdin?.end()
    })
  }

  #forgetConnection(): void {
    this.#admin?.close()
    this.#admin = undefined
  }
}

async function launch(
  port: number,
  dir: string,
  args: readonly string[],
  made: (pid: number, shell: ChildProcess) => RedisProcess,
): Promise<RedisProcess> {
  const shell = spawn('sh', ['-c', guard, 'sh', dir, 'redis-server', ...args], {
    detached: true, // Ctrl-C must reach the guard by its pipe alone, or it would die before it has cleaned up
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let output = ''
  shell.stdout.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_096)))
  shell.unref()
  ;(shell.stdin as unknown as { unref?(): void }).unref?.()
  ;(shell.stdout as unknown as { unref?(): void }).unref?.()
  let pid = 0
  try {
    await waitUntil(
      `redis-server answers on port ${port}`,
      async () => {
        pid ||= Number(/pid (\d+)/.exec(output)?.[1] ?? 0)
        if (/Failed listening|Fatal config|aborting/.test(output)) return true
        const connection = new RespConnection(port)
        try {
          return pid > 0 && (await connection.call('PING')) === 'PONG'
        } finally {
          connection.close()
        }
      },
      10_000,
    )
    if (/Failed listening|Fatal config|aborting/.test(output)) throw new Error(`redis-server did not start: ${output}`)
    return made(pid, shell)
  } catch (error) {
    shell.stdin.end()
    throw error
  }
}

let isServerKnown = false

/** Finds `redis-server`, or installs it on Debian when root. Throws with what to install. */
export function requireServer(): void {
  if (isServerKnown || canRun('redis-server', ['--version'])) {
    isServerKnown = true
    return
  }
  const isRoot = process.getuid?.() === 0
  // A fresh machine has no lists of packages yet.
  if (isRoot && (installServer() || (canRun('apt-get', ['update']) && installServer()))) {
    if (canRun('redis-server', ['--version'])) {
      isServerKnown = true
      return
    }
  }
  throw new Error(
    'redis-server is not on the path. Install Redis 6.2 or later: `apt-get install redis-server` on Debian and Ubuntu, `brew install redis` on macOS. Where Docker is at hand, compose.yaml has the engines and says who can use them.',
  )
}

function installServer(): boolean {
  const lock = ['-o', 'DPkg::Lock::Timeout=120']
  return canRun('apt-get', ['install', '-y', '--no-install-recommends', ...lock, 'redis-server'])
}

function canRun(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
