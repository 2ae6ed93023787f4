import { seededRandom } from '../../packages/core/src/chance/seeded-random.js'
import { Zipf } from './zipf.js'

const keyLength = 22

/** What a stream of operations looks like. */
export interface StreamShape {
  readonly seed: number
  readonly operationCount: number
  readonly keyCount: number
  /** Of the Zipf distribution. */
  readonly exponent: number
  /** The part of the operations that goes to keys which never come again, 0 to 1. */
  readonly oneHitShare: number
  readonly operationsPerMs: number
}

/** Operations on 22-character keys. Half-way, every rank moves to another key, so that the whole hot set is replaced. */
export class SkewedStream {
  readonly shape: StreamShape
  /** The key of each operation; one-hit keys are numbered from `keyCount` on. */
  readonly ids: Uint32Array
  readonly #texts: Buffer

  constructor(shape: StreamShape) {
    this.shape = shape
    const { operationCount, keyCount, oneHitShare } = shape
    const random = seededRandom(shape.seed)
    const zipf = new Zipf(keyCount, shape.exponent, random)
    this.ids = new Uint32Array(operationCount)
    let idCount = keyCount
    for (let i = 0; i < operationCount; i++) {
      const shift = i < operationCount / 2 ? 0 : Math.floor(keyCount / 2)
      this.ids[i] = random.next() < oneHitShare ? idCount++ : (zipf.next() - 1 + shift) % keyCount
    }
    this.#texts = Buffer.alloc(keyLength * idCount)
    for (let id = 0; id < idCount; id++) this.#texts.write(textOf(id), keyLength * id, 'latin1')
  }

  /** The key of an id: a new string each time, as a key comes out of a request. */
  key(id: number): string {
    return this.#texts.toString('latin1', keyLength * id, keyLength * (id + 1))
  }

  /** The id of a key. */
  id(key: string): number {
    return Number.parseInt(key.slice(-8), 10)
  }

  /** When an operation happens. */
  timeMs(operation: number): number {
    return operation / this.shape.operationsPerMs
  }
}

/** Scrambled digits first, so that keys do not differ in their last characters only. */
function textOf(id: number): string {
  return `user:${String((id * 48_271) % 999_983).padStart(9, '0')}${String(id).padStart(8, '0')}`
}
