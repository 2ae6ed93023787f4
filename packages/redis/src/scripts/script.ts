import { isUnknownScript } from '../error-table.js'
import type { RedisCommand, RedisPort } from '../client-port.js'

/** A Lua script and the name by which Redis keeps it. */
export class Script {
  /** What Redis runs. */
  readonly text: string
  #sha: string | undefined

  constructor(text: string) {
    this.text = text.trim()
  }

  /** Has every primary keep the script and learns its name; where that is not allowed, the whole text is sent with every run. */
  async load(port: RedisPort): Promise<void> {
    const [sha] = await port.sendToPrimaries(['script', 'load', this.text])
    if (typeof sha === 'string') this.#sha = sha
  }

  /** Runs it on one key. A node that does not know it – new, restarted, promoted or flushed – is sent the text. */
  run(port: RedisPort, key: string, args: readonly string[]): Promise<unknown> {
    const sha = this.#sha
    if (sha === undefined) return port.send(key, this.whole(key, args))
    return port.send(key, ['evalsha', sha, '1', key, ...args]).catch((error: unknown) => {
      if (!isUnknownScript(error)) throw error
      return port.send(key, this.whole(key, args))
    })
  }

  /** The command that runs the script wherever it is not known. */
  whole(key: string, args: readonly string[]): RedisCommand {
    return ['eval', this.text, '1', key, ...args]
  }
}
