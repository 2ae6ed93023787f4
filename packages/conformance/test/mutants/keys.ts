import { mutant, withPlaces, withRecords, type Mutant } from './mutant.js'

export const keyMutants: readonly Mutant[] = [
  mutant(
    'keys-unicode',
    'keys are normalised',
    withPlaces((shard) => ({ ...shard, key: shard.key.normalize('NFC') })),
  ),
  mutant(
    'keys-lookalike',
    'the suffix of a shard has no mark of its own',
    withPlaces(({ key, index, generation: { number, nonce } }) => {
      const place = index === 0 ? key : `${key}:${index}:${number}:${nonce}`
      return { key: place, index: 0, generation: { number: 0, nonce: 0 } }
    }),
  ),
  mutant(
    'keys-longest',
    'keys are cut at 2,007 characters',
    withPlaces((shard) => ({ ...shard, key: shard.key.slice(0, 2_007) })),
  ),
  mutant(
    'keys-longest-unicode',
    'keys are escaped, and then cut at 2,100 characters',
    withPlaces((shard) => ({ ...shard, key: encodeURIComponent(shard.key).slice(0, 2_100) })),
    ['item-route', 'item-delete-route'], // the keys of items are not escaped
  ),
  mutant(
    'generation-apart',
    'the nonce of a generation is left out of the place',
    withPlaces((shard) => ({ ...shard, generation: { ...shard.generation, nonce: 0 } })),
  ),
  mutant(
    'generation-unsealed',
    'a seal holds for the index, whatever the generation',
    withRecords((records) => {
      const sealed = new Set<string>()
      return {
        write(write, call) {
          const isSealed = sealed.has(`${write.shard.key} ${write.shard.index} ${write.shard.generation.number - 1}`)
          return isSealed ? Promise.resolve({ status: 'sealed' }) : records.write(write, call)
        },
        seal(shard, fields, call) {
          sealed.add(`${shard.key} ${shard.index} ${shard.generation.number}`)
          return records.seal(shard, fields, call)
        },
      }
    }),
    ['clear-apart'],
  ),
]
