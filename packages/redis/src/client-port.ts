/** One command: its name and its arguments. */
export type RedisCommand = readonly string[]

/** What became of one command of several. */
export type CommandAnswer =
  { readonly status: 'answered'; readonly value: unknown } | { readonly status: 'failed'; readonly error: unknown }

/**
 * The least of a Redis client that the backend needs. `redis()` makes one of an ioredis client; `fromNodeRedis` of node-redis;
 * any other client can be given one by hand. Answers are strings, whole numbers, null and arrays of them; errors keep the
 * message that Redis gave them.
 */
export interface RedisPort {
  /** Names the client in messages. */
  readonly name: string
  /**
   * Sends a command to the primary that serves `key`, its only key, following redirections. Commands that are sent in one turn of
   * the event loop should leave together: a gather is as many of them.
   */
  send(key: string, command: RedisCommand): Promise<unknown>
  /**
   * Sends commands one behind the other on one connection to the primary that serves `key`; when it is lost in between, those
   * behind the first fail, even if they were answered on another. One answer a command. Never rejects.
   */
  sendInOrder(key: string, commands: readonly RedisCommand[]): Promise<readonly CommandAnswer[]>
  /** Sends a command to every primary; answers with what those said that could be reached. Rejects when none could. */
  sendToPrimaries(command: RedisCommand): Promise<readonly unknown[]>
  /**
   * Grows whenever a connection is lost after which the client may by itself send again what it had sent. While it stays the
   * same, an error that Redis answers speaks of the only copy of a command. A client that never resends keeps it at 0.
   */
  resendCount(): number
  /**
   * Whether a command for `key` would go out at once, as far as that is known, instead of waiting for a connection. A write that
   * must not be carried out twice is only sent while it would. Without this method it is always sent.
   */
  isUp?(key: string): boolean
  /**
   * What stands for the connection to the primary that serves `key`: keys with the same may share a `sendInOrder`. Without this
   * method only equal keys do.
   */
  connectionOf?(key: string): unknown
}

/** Waits for all; failures become data. */
export function answersOf(sent: readonly Promise<unknown>[]): Promise<readonly CommandAnswer[]> {
  return Promise.all(sent.map((one) => one.then(answered, failed)))
}

function answered(value: unknown): CommandAnswer {
  return { status: 'answered', value }
}

function failed(error: unknown): CommandAnswer {
  return { status: 'failed', error }
}

/** What was fulfilled; the first failure when nothing was. */
export async function fromReached(sent: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  const answers = await answersOf(sent)
  const [first] = answers
  if (first?.status === 'failed' && answers.every(({ status }) => status === 'failed')) throw first.error
  return answers.flatMap((answer) => (answer.status === 'answered' ? [answer.value] : []))
}
