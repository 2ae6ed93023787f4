import { abortRules } from './chapters/aborting.js'
import { absorbingRules } from './chapters/absorbing.js'
import { atomicityRules } from './chapters/atomicity.js'
import { batchRules } from './chapters/batches.js'
import { clearingRules } from './chapters/clearing.js'
import { dedupeRules } from './chapters/dedupe.js'
import { directoryRules } from './chapters/directory.js'
import { errorRules } from './chapters/errors.js'
import { expiryRules } from './chapters/expiring.js'
import { fieldRules } from './chapters/fields.js'
import { appendRules } from './chapters/appending.js'
import { itemDeleteRules } from './chapters/item-deletes.js'
import { itemLimitRules } from './chapters/item-limits.js'
import { itemOrderRules } from './chapters/item-order.js'
import { itemShardRules } from './chapters/item-shards.js'
import { itemTroubleRules } from './chapters/item-trouble.js'
import { itemVersionRules } from './chapters/item-versions.js'
import { itemRules } from './chapters/items.js'
import { keyRules } from './chapters/keys.js'
import { lifeRules } from './chapters/life.js'
import { limitRules } from './chapters/limits.js'
import { lostAnswerRules } from './chapters/lost-answers.js'
import { mergingRules } from './chapters/merging.js'
import { pageRules } from './chapters/pages.js'
import { partialRules } from './chapters/partial.js'
import { sealingRules } from './chapters/sealing.js'
import { sharingRules } from './chapters/sharing.js'
import { stampingRules } from './chapters/stamping.js'
import { throttleRules } from './chapters/throttles.js'
import type { Rule } from './rule.js'

/** A part of the kit. */
export interface Chapter {
  /** What it is about. */
  readonly title: string
  /** Its rules, simplest first. */
  readonly rules: readonly Rule[]
}

/** The whole kit, in the order in which an adapter is best written. */
export const chapters: readonly Chapter[] = [
  { title: 'merging', rules: mergingRules },
  { title: 'fields', rules: fieldRules },
  { title: 'keys', rules: keyRules },
  { title: 'dedupe', rules: dedupeRules },
  { title: 'sealing', rules: sealingRules },
  { title: 'absorbing', rules: absorbingRules },
  { title: 'clearing', rules: clearingRules },
  { title: 'expiry', rules: expiryRules },
  { title: 'routes beside the data', rules: stampingRules },
  { title: 'batches', rules: batchRules },
  { title: 'partial batches', rules: partialRules },
  { title: 'atomicity', rules: atomicityRules },
  { title: 'directory', rules: directoryRules },
  { title: 'limits', rules: limitRules },
  { title: 'life cycle', rules: lifeRules },
  { title: 'errors', rules: errorRules },
  { title: 'lost answers', rules: lostAnswerRules },
  { title: 'aborts and time-outs', rules: abortRules },
  { title: 'throttles', rules: throttleRules },
  { title: 'items', rules: itemRules },
  { title: 'order of items', rules: itemOrderRules },
  { title: 'pages', rules: pageRules },
  { title: 'versions of items', rules: itemVersionRules },
  { title: 'deleted items', rules: itemDeleteRules },
  { title: 'shards of items', rules: itemShardRules },
  { title: 'items and fields of one key', rules: sharingRules },
  { title: 'appended items', rules: appendRules },
  { title: 'limits of items', rules: itemLimitRules },
  { title: 'items in trouble', rules: itemTroubleRules },
]

/** Every rule of the kit. */
export const rules: readonly Rule[] = chapters.flatMap((chapter) => chapter.rules)

/** The ids of every rule. */
export const ruleIds: ReadonlySet<string> = new Set(rules.map(({ id }) => id))
