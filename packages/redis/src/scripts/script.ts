import type { CommandAnswer, RedisCommand, RedisPort } from '../client-port.js'
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
    const sha = this.#sha
    if (sha === undefined) return port.send(key, this.#whole(key, args))
    return port.send(key, ['evalsha', sha, '1', key, ...args]).catch((error: unknown) => {
      if (!isUnknownScript(error)) throw error
      return port.send(key, this.#whole(key, args))
    })
  }

  /** Runs it on one key with a command behind it on the same connection. Never rejects. */
  async runBefore(
    port: RedisPort,
    key: string,
    args: readonly string[],
    next: RedisCommand,
  ): Promise<readonly CommandAnswer[]> {
    const sha = this.#sha
    if (sha !== undefined) {
      const answers = await port.sendInOrder(key, [['evalsha', sha, '1', key, ...args], next])
      const [ran] = answers
      if (ran?.status !== 'failed' || !isUnknownScript(ran.error)) return answers
    }
    return port.sendInOrder(key, [this.#whole(key, args), next])
  }

  #whole(key: string, args: readonly string[]): RedisCommand {
    return ['eval', this.text, '1', key, ...args]
  }
}
