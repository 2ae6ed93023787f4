import { isBackendError, type Backend, type ShardAnswer, type ThrottleDetail } from '@spillway/core'

import { withRecords } from '../mutants/mutant.js'

/** How a client repeats what was throttled. */
export interface Repeats {
  /** So often a request is sent at most. */
  readonly attemptsMax: number
  /** Which requests. */
  readonly of: 'writes' | 'reads' | 'both'
  /** Whether it tells of the attempts that were throttled. */
  readonly isTelling: boolean
}

/** Puts a client around a store that by itself repeats what was throttled. */
export function repeating({ attemptsMax, of, isTelling }: Repeats): (backend: Backend) => Backend {
  const repeated = async <T>(request: () => Promise<T>): Promise<[T, readonly ThrottleDetail[]]> => {
    const throttles: ThrottleDetail[] = []
    for (let attempt = 1; ; attempt++) {
      try {
        return [await request(), isTelling ? throttles : []]
      } catch (error) {
        if (!isBackendError(error) || error.throttle === undefined || attempt === attemptsMax) throw error
        throttles.push(error.throttle)
      }
    }
  }
  return withRecords((records) => ({
    async write(write, call) {
      if (of === 'reads') return records.write(write, call)
      const [answer, throttles] = await repeated(() => records.write(write, call))
      return { ...answer, throttles }
    },
    async read(read, call) {
      if (of === 'writes') return records.read(read, call)
      const [answers, throttles] = await repeated(() => records.read(read, call))
      return answers.map((answer): ShardAnswer => (answer.status === 'read' ? { ...answer, throttles } : answer))
    },
  }))
}
