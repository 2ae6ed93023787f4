import { type Backend, memory } from '../../src/index.js'

/** A store in memory that takes every double, and as many fields as a record has. */
export function unlimited(): Backend {
  const backend = memory()
  return {
    ...backend,
    capabilities: { ...backend.capabilities, magnitudes: undefined, conditionalFieldsMax: undefined },
  }
}
