import { sum, type ShardRef } from '@spillway/core'

import { ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { fieldOf, type World } from '../world.js'

const total = fieldOf('total', sum())

const oddKeys = [
  'a',
  'A',
  ' a',
  'a ',
  'é',
  'e\u0301',
  '👋',
  '世界',
  '\u0000',
  'a\u0000',
  '\n',
  '{a}b',
  '{a}',
  'a:b',
  'a/b',
].concat(['a#b', 'a|b', '%61', '..', '*', '?', '[a]', '__proto__', 'constructor', 'null', 'undefined', '0', '\u200d'])

/** Writes another amount to each of these shards and ensures that each kept its own. */
async function ensureApart(world: World, given: readonly ShardRef[]): Promise<void> {
  const { reservedMark } = world.backend.capabilities
  const shards = given.filter(({ key }) => !key.includes(reservedMark)) // the core lets no such key through
  for (const [i, shard] of shards.entries()) await world.write(shard, [[total, 2 ** (i % 40)]])
  for (const [i, shard] of shards.entries()) {
    const what = `shard ${shard.index} of generation ${shard.generation.number} of the key ${JSON.stringify(shard.key)}`
    ensureEqual(await world.read(shard, [total]), [2 ** (i % 40)], what)
  }
}

/** Keys as applications make them. */
export const keyRules: readonly Rule[] = [
  {
    id: 'keys-unicode',
    claim: 'Any string of Unicode is a key, and two that differ in any way are two keys.',
    check: (world) =>
      ensureApart(
        world,
        oddKeys.map((name) => world.key(name)),
      ),
  },
  {
    id: 'keys-lookalike',
    claim: 'A key that looks like the place of another key’s shard is a key of its own.',
    check(world) {
      const key = world.key()
      const { number, nonce } = { number: 7, nonce: 0xc0ffee }
      const suffixes = [
        '1',
        '.1',
        '~1',
        '#1',
        ':1',
        '/1',
        `:1:${number}`,
        `#1#${number}`,
        `~1~${number}`,
        `.1.${number}`,
      ]
        .concat([`1.${number}.00c0ffee`, `~spillway1.${number}.00c0ffee`, `spillway~1.${number}.00c0ffee`])
        .concat([`:1:${number}:${nonce}`, `#1#${number}#${nonce}`, `#1.${number}.c0ffee`, '~spillway', '~'])
      return ensureApart(world, [key, world.shard(key, 1), ...suffixes.map((suffix) => world.key(`k${suffix}`))])
    },
  },
  {
    id: 'keys-longest',
    claim: 'A key of `keyBytesMax` bytes still has shards of its own, down to its last byte.',
    check(world) {
      const { keyBytesMax } = world.backend.capabilities
      const room = Math.min(keyBytesMax, 4_096) - Buffer.byteLength(world.key('').key)
      const [a, b] = [world.key('a'.repeat(room)), world.key(`${'a'.repeat(room - 1)}b`)]
      const last = { number: 2 ** 45, nonce: 0xffffffff }
      return ensureApart(
        world,
        [a, b].flatMap((key) => [
          key,
          world.shard(key, 1, last.number, last.nonce),
          world.shard(key, 1023, last.number, last.nonce),
        ]),
      )
    },
  },
  {
    id: 'keys-longest-unicode',
    claim: '`keyBytesMax` counts bytes of UTF-8: a key so long may have any characters.',
    check(world) {
      const { keyBytesMax } = world.backend.capabilities
      const room = Math.min(keyBytesMax, 4_096) - Buffer.byteLength(world.key('').key)
      const keys = ['é', '世', '👋'].flatMap((character) => {
        const count = Math.floor(room / Buffer.byteLength(character))
        const rest = 'a'.repeat(room - count * Buffer.byteLength(character))
        return [world.key(character.repeat(count) + rest), world.key(character.repeat(count - 1) + rest)]
      })
      return ensureApart(
        world,
        keys.flatMap((key) => [key, world.shard(key, 1023, 2 ** 45, 0xffffffff)]),
      )
    },
  },
  {
    id: 'generation-apart',
    claim: 'A place belongs to one generation: the same index under another number or nonce is another place.',
    check(world) {
      const key = world.key()
      const shards = [
        key,
        world.shard(key, 1, 7, 1),
        world.shard(key, 1, 8, 1),
        world.shard(key, 1, 7, 2),
        world.shard(key, 2, 7, 1),
      ]
      return ensureApart(world, [
        ...shards,
        world.shard(key, 11, 7, 1),
        world.shard(key, 1, 17, 1),
        world.shard(key, 1, 1, 7),
      ])
    },
  },
  {
    id: 'generation-unsealed',
    claim: 'What is sealed in one generation is open in the next.',
    async check(world) {
      const key = world.key()
      await world.write(world.shard(key, 1, 7), [[total, 1]])
      await world.seal(world.shard(key, 1, 7), [total])
      const next = world.shard(key, 1, 8)
      ensureEqual(await world.write(next, [[total, 2]], world.stamp('w', 1)), 'done', 'a write to the next generation')
      ensureEqual(await world.read(next, [total]), [2], 'the next generation')
    },
  },
]
