import { describe, expect, test } from 'vitest'

import { closedClient, isRedirection, readFailure, writeFailure } from '../../src/error-table.js'

/** What comes, and what it means for a read, for a write, and for a write of which there may be a second copy. */
const cases: readonly (readonly [string, string, string, string])[] = [
  ['MOVED 3999 127.0.0.1:6381', 'unavailable', 'unavailable', 'unknown'],
  ['ASK 3999 127.0.0.1:6381', 'unavailable', 'unavailable', 'unknown'],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'unavailable', 'unavailable', 'unknown'],
  ['CLUSTERDOWN The cluster is down', 'unavailable', 'unavailable', 'unknown'],
  ["READONLY You can't write against a read only replica.", 'unavailable', 'unavailable', 'unknown'],
  [
    "ERR Error running script (call to f_1): @user_script:9: @user_script: 9: -READONLY You can't write against a read only replica. ",
    'unavailable',
    'unavailable',
    'unknown',
  ],
  [
    "READONLY You can't write against a read only replica. script: 3d2a9b, on @user_script:9.",
    'unavailable',
    'unavailable',
    'unknown',
  ],
  ['LOADING Redis is loading the dataset in memory', 'unavailable', 'unavailable', 'unknown'],
  [
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    'unavailable',
    'unavailable',
    'unknown',
  ],
  ['NOSCRIPT No matching script. Please use EVAL.', 'unavailable', 'unavailable', 'unknown'],
  ['NOREPLICAS Not enough good replicas to write.', 'unavailable', 'unavailable', 'unknown'],
  ['BUSY Redis is busy running a script.', 'unavailable', 'unavailable', 'unknown'],
  [
    'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    'unavailable',
    'unavailable',
    'unknown',
  ],
  [
    'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist on disk.',
    'rejected',
    'rejected',
    'unknown',
  ],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'rejected', 'rejected', 'unknown'],
  ['NOAUTH Authentication required.', 'rejected', 'rejected', 'unknown'],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'rejected', 'rejected', 'unknown'],
  ["NOPERM this user has no permissions to run the 'evalsha' command", 'rejected', 'rejected', 'unknown'],
  [
    "ERR The user executing the script can't run this command or subcommand script: 3d2a9b, on @user_script:9.",
    'rejected',
    'rejected',
    'unknown',
  ],
  ["CROSSSLOT Keys in request don't hash to the same slot", 'invalid', 'invalid', 'unknown'],
  ["ERR unknown command 'hrandfield', with args beginning with: ", 'invalid', 'invalid', 'unknown'],
  ['ERR max number of clients reached', 'unavailable', 'unavailable', 'unknown'],
  ['ERR hash value is not an integer', 'unavailable', 'invalid', 'unknown'],
  ['ERR increment or decrement would overflow', 'unavailable', 'invalid', 'unknown'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'invalid', 'invalid', 'unknown'],
  ['SPILLWAY 1 is stored as something else', 'invalid', 'invalid', 'invalid'],
  ["Stream isn't writeable and enableOfflineQueue options is false", 'unavailable', 'unavailable', 'unknown'],
  ["Cluster isn't ready and enableOfflineQueue options is false", 'unavailable', 'unavailable', 'unknown'],
  ['Connection in subscriber mode, only subscriber commands may be used', 'invalid', 'invalid', 'unknown'],
  ['The client is offline', 'unavailable', 'unavailable', 'unknown'],
  ['The client is closed', 'unavailable', 'unavailable', 'unknown'],
  ['The queue is full', 'unavailable', 'unavailable', 'unknown'],
  ['Too many Cluster redirections', 'unavailable', 'unavailable', 'unknown'],
  [
    'Too many Cluster redirections. Last error: ReplyError: TRYAGAIN Multiple keys request during rehashing of slot',
    'unavailable',
    'unavailable',
    'unknown',
  ],
  [
    'Too many Cluster redirections. Last error: ReplyError: MOVED 1 127.0.0.1:1',
    'unavailable',
    'unavailable',
    'unknown',
  ],
  ['Too many Cluster redirections. Last error: Error: Connection is closed.', 'unavailable', 'unknown', 'unknown'],
  ['Reached the max retries per request limit (which is 20).', 'unavailable', 'unknown', 'unknown'],
  ['Connection is closed.', 'unavailable', 'unknown', 'unknown'],
  ['Cluster is ended.', 'unavailable', 'unknown', 'unknown'],
  ['None of startup nodes is available', 'unavailable', 'unknown', 'unknown'],
  ['Command aborted due to connection close', 'unavailable', 'unknown', 'unknown'],
  [
    'The connection was lost, and the client does not send again what was under way.',
    'unavailable',
    'unknown',
    'unknown',
  ],
  ['Disconnects client', 'unavailable', 'unknown', 'unknown'],
  ["Socket timeout timeout. Expecting data, but didn't receive any in 100ms.", 'unavailable', 'unknown', 'unknown'],
  ['Command timed out', 'unavailable', 'unknown', 'unknown'],
  ['Socket closed unexpectedly', 'unavailable', 'unknown', 'unknown'],
  ['read ECONNRESET', 'unavailable', 'unknown', 'unknown'],
  ['ERR something new', 'unavailable', 'unknown', 'unknown'],
]

describe('an error', () => {
  test.each(cases)('%s', (message, read, write, copied) => {
    const error = new Error(message)
    expect([readFailure(error).kind, writeFailure(error, false).kind, writeFailure(error, true).kind]).toEqual([
      read,
      write,
      copied,
    ])
    expect(writeFailure(error, false).cause).toBe(error)
  })

  test('of a script that knows no number of the write speaks of its last copy alone', () => {
    const error = new Error('SPILLWAY 1 would leave the range of 64 bits')
    expect([writeFailure(error, true, false).kind, writeFailure(error, false, false).kind]).toEqual([
      'unknown',
      'invalid',
    ])
  })

  test('is told with what to do, in sentences', () => {
    const messages = [
      'WRONGTYPE Operation against a key holding the wrong kind of value',
      'NOAUTH Authentication required.',
    ]
    expect(messages.map((message) => readFailure(new Error(message)).message)).toMatchInlineSnapshot(`
      [
        "Redis: WRONGTYPE Operation against a key holding the wrong kind of value. A hash is adopted as it stands, a counter with adoptStringAs; no other type is.",
        "Redis: NOAUTH Authentication required. The client has not logged in.",
      ]
    `)
  })

  test('without a message is named by its class', () => {
    class TimeoutError extends Error {}
    expect(writeFailure(new TimeoutError(), false)).toMatchObject({ kind: 'unknown', message: 'Redis: TimeoutError' })
  })

  test('that was translated before stays as it is', () => {
    const error = closedClient('ioredis')
    expect([readFailure(error), writeFailure(error, true)]).toEqual([error, error])
    expect(error.kind).toBe('invalid')
  })

  test('that sends elsewhere is told from others', () => {
    expect(isRedirection(new Error('MOVED 1 a:1'))).toBe(true)
    expect(isRedirection(new Error('MOVEDON'))).toBe(false)
    expect(isRedirection(new Error('Connection is closed.'))).toBe(false)
  })
})
