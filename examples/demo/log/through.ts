import type { Duplex, Readable } from 'node:stream'

/** Pipes `source` into `stage` and lets an error of the one end the other, which a plain pipe does not. */
export function through<T extends Duplex>(source: Readable, stage: T): T {
  source.on('error', (error) => stage.destroy(error))
  stage.on('close', () => source.destroy())
  return source.pipe(stage)
}
