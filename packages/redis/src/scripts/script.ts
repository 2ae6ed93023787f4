import type { RedisCommand, RedisPort } from '../client-port.js'
import { isUnknownScript } from '../error-table.js'

/** In Lua: how many replicas are attached and have caught up. Read before anything is changed: it may not be permitted. */
export const onlineReplicas = `select(2, string.gsub(redis.call('INFO', 'replication'), 'state=online', ''))`

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
    const sent = port.send(key, this.command(key, args))
    if (this.#sha === undefined) return sent
    return sent.catch((error: unknown) => {
      if (!isUnknownScript(error)) throw error
      return port.send(key, this.whole(key, args))
    })
  }

  /** The command that runs it on one key, by its name where that is known. */
  command(key: string, args: readonly string[]): RedisCommand {
    return this.#sha === undefined ? this.whole(key, args) : ['evalsha', this.#sha, '1', key, ...args]
  }

  /** The command that runs it on one key on a node that may not know it. */
  whole(key: string, args: readonly string[]): RedisCommand {
    return ['eval', this.text, '1', key, ...args]
  }
}
