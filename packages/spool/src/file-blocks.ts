import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const blockBytes = 4_096

/** No number that is read is longer. */
const numberBytesMax = 8

/** A file that is read a block at a time, where it is asked for numbers: it may be larger than a buffer can be. */
export class FileBlocks {
  /** How many bytes the file has. */
  readonly length: number
  readonly #descriptor: number
  readonly #block = Buffer.alloc(blockBytes + numberBytesMax)
  #from = -1

  /** Opens the file, which `close` closes; undefined when there is none. Throws what the system says otherwise. */
  static open(file: string): FileBlocks | undefined {
    try {
      return new FileBlocks(openSync(file, 'r'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  private constructor(descriptor: number) {
    this.#descriptor = descriptor
    this.length = fstatSync(descriptor).size
  }

  readUInt16LE(at: number): number {
    return this.#around(at).readUInt16LE(at - this.#from)
  }

  readUInt32LE(at: number): number {
    return this.#around(at).readUInt32LE(at - this.#from)
  }

  readBigUInt64LE(at: number): bigint {
    return this.#around(at).readBigUInt64LE(at - this.#from)
  }

  /** Lets the file go. */
  close(): void {
    closeSync(this.#descriptor)
  }

  /** Behind the end of the file there are zeros. */
  #around(at: number): Buffer {
    const from = at - (at % blockBytes)
    if (from !== this.#from) {
      this.#block.fill(0)
      readSync(this.#descriptor, this.#block, 0, this.#block.length, from)
      this.#from = from
    }
    return this.#block
  }
}
