import { sum } from '@spillway/core'

import { ensure, ensureEqual } from '../ensure.js'
import type { Rule } from '../rule.js'
import { fieldOf, type World } from '../world.js'

const total = fieldOf('total', sum())

/** As large as a directory may become: 32 KB. */
const directoryBytesMax = 32 * 1_024

async function swapped(world: World, expected: string | undefined, text: string): Promise<string> {
  const version = await world.backend.directory.swap(expected, text, world.call)
  ensure(version !== undefined, 'Expected a swap with the latest version to take place, but it was refused.')
  return version as string
}

/** The directory: a small document that is swapped. */
export const directoryRules: readonly Rule[] = [
  {
    id: 'directory-empty',
    claim: 'Where there is no directory yet, both text and version are undefined.',
    async check(world) {
      const { text, version } = await world.backend.directory.read(world.call)
      ensureEqual([text, version], [undefined, undefined], 'text and version')
    },
  },
  {
    id: 'directory-swap',
    claim: 'A swap with the latest version takes place, and is read at once with the version that it answered.',
    async check(world) {
      let version: string | undefined
      for (const text of ['first', 'second', 'second']) {
        version = await swapped(world, version, text)
        const document = await world.backend.directory.read(world.call)
        ensureEqual([document.text, document.version], [text, version], 'text and version')
      }
    },
  },
  {
    id: 'directory-conflict',
    claim: 'A swap with any other version is answered undefined and changes nothing.',
    async check(world) {
      const { directory } = world.backend
      const first = await swapped(world, undefined, 'first')
      ensureEqual(await directory.swap(undefined, 'x', world.call), undefined, 'a swap that expected no directory')
      const second = await swapped(world, first, 'second')
      ensureEqual(await directory.swap(first, 'x', world.call), undefined, 'a swap that expected an earlier version')
      ensureEqual((await directory.read(world.call)).text, 'second', 'the text')
      ensureEqual((await directory.read(world.call)).version, second, 'the version')
    },
  },
  {
    id: 'directory-nothing-expected',
    claim: 'A swap that expects a version where there is no directory is refused.',
    async check(world) {
      const { directory } = world.backend
      ensureEqual(await directory.swap('1', 'x', world.call), undefined, 'a swap that expected a directory')
      ensureEqual((await directory.read(world.call)).text, undefined, 'the text')
    },
  },
  {
    id: 'directory-versions',
    claim: 'No version comes back, also when the text does.',
    async check(world) {
      const versions: (string | undefined)[] = [undefined]
      for (const text of ['a', 'b', 'a', 'b']) versions.push(await swapped(world, versions.at(-1), text))
      ensureEqual(new Set(versions).size, versions.length, 'how many versions differ')
    },
  },
  {
    id: 'directory-text',
    claim: 'The text comes back to the letter, up to 32 KB.',
    async check(world) {
      let version: string | undefined
      for (const text of ['{"a":"Grüße, 世界 👋"}', ' \n\t"\\\u0000', 'x'.repeat(directoryBytesMax)]) {
        version = await swapped(world, version, text)
        const document = await world.backend.directory.read(world.call)
        ensure(
          document.text === text,
          `Expected a text of ${text.length} characters to come back as it was, but it did not.`,
        )
      }
    },
  },
  {
    id: 'directory-apart',
    claim: 'Directory and records do not touch each other.',
    async check(world) {
      const version = await swapped(world, undefined, 'routes')
      for (const name of ['directory', '', 'routes']) await world.write(world.key(name), [[total, 1]])
      const document = await world.backend.directory.read(world.call)
      ensureEqual([document.text, document.version], ['routes', version], 'text and version')
    },
  },
  {
    id: 'directory-contention',
    claim: 'Of many that swap at once, exactly one wins each version.',
    async check(world) {
      const { directory } = world.backend
      const swapper = async () => {
        for (let attempt = 0; attempt < 500; attempt++) {
          const { text, version } = await directory.read(world.call)
          const next = String(Number(text ?? 0) + 1)
          if ((await directory.swap(version, next, world.call)) !== undefined) return
        }
        ensure(false, 'Expected each of 20 swappers to win within 500 attempts, but one did not.')
      }
      await Promise.all(Array.from({ length: 20 }, swapper))
      ensureEqual((await directory.read(world.call)).text, '20', 'the count that 20 swappers raised by one each')
    },
  },
]
