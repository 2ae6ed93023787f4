import { describe, expect, test } from 'vitest'

import { isRedirection, readFailure, writeFailure } from '../../src/error-table.js'

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
  ['LOADING Redis is loading the dataset in memory', 'unavailable', 'unavailable', 'unknown'],
  ['NOREPLICAS Not enough good replicas to write.', 'unavailable', 'unavailable', 'unknown'],
  ['BUSY Redis is busy running a script.', 'unavailable', 'unavailable', 'unknown'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'rejected', 'rejected', 'unknown'],
  ['NOAUTH Authentication required.', 'rejected', 'rejected', 'unknown'],
  ["NOPERM this user has no permissions to run the 'evalsha' command", 'rejected', 'rejected', 'unknown'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'invalid', 'invalid', 'unknown'],
  ['SPILLWAY 1 is stored as something else', 'unavailable', 'invalid', 'invalid'],
  ["Stream isn't writeable and enableOfflineQueue options is false", 'unavailable', 'unavailable', 'unknown'],
  ['The client is offline', 'unavailable', 'unavailable', 'unknown'],
  [
    'Too many Cluster redirections. Last error: ReplyError: MOVED 1 127.0.0.1:1',
    'unavailable',
    'unavailable',
    'unknown',
  ],
  ['Too many Cluster redirections. Last error: Error: Connection is closed.', 'unavailable', 'unknown', 'unknown'],
  ['Reached the max retries per request limit (which is 20).', 'unavailable', 'unknown', 'unknown'],
  ['Connection is closed.', 'unavailable', 'unknown', 'unknown'],
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

  test('that sends elsewhere is told from others', () => {
    expect(isRedirection(new Error('MOVED 1 a:1'))).toBe(true)
    expect(isRedirection(new Error('MOVEDON'))).toBe(false)
    expect(isRedirection(new Error('Connection is closed.'))).toBe(false)
  })
})
