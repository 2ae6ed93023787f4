import { reservedMark, suffixBytesMax, type Capabilities } from '@spillway/core'

import * as limits from './limits.js'

/** What DynamoDB can do, as the core asks for it. */
export const capabilities: Capabilities = Object.freeze({
  keyBytesMax: limits.partitionKeyBytesMax - suffixBytesMax,
  changeBytesMax: limits.changeBytesMax,
  shardsPerReadMax: limits.keysPerBatchMax,
  integerMax: limits.integerMax,
  magnitudes: Object.freeze({ least: limits.magnitudeMin, most: limits.numberMost }),
  conditionalFieldsMax: limits.conditionalFieldsMax,
  reservedMark,
  partition: Object.freeze({
    writeUnitsPerSecond: limits.writeUnitsPerSecond,
    readUnitsPerSecond: limits.readUnitsPerSecond,
  }),
})
