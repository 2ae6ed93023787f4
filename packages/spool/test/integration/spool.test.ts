import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { createClient, isSpillwayError, memory, type Spool, sum } from '@spillway/core'
import { seededRandom } from '@spillway/core/testing'
import { spool } from '@spillway/spool'
import { open } from 'lmdb'
import { describe, expect, onTestFinished, test } from 'vitest'

import { takeOwnership } from '../../src/owner.js'
import { newFolder } from '../folder.js'

async function opened(path: string): Promise<Spool> {
  const place = spool({ path })
  await place.open()
  onTestFinished(() => place.close())
  return place
}

/** What `open` rejects with. */
async function refusal(path: string): Promise<Error & { readonly code?: string; readonly reason?: string }> {
  const place = spool({ path })
  return place.open().then(
    async () => {
      await place.close()
      throw new Error('It was opened.')
    },
    (error: unknown) => error as Error,
  )
}

function reasonOf(error: unknown): string | undefined {
  return (error as { readonly reason?: string }).reason
}

async function filled(path: string): Promise<string> {
  const place = spool({ path })
  await place.open()
  await place.commit({ put: Array.from({ length: 500 }, (_, i) => ({ id: i + 1, text: `text ${i}` })), remove: [] })
  await place.close()
  return join(path, 'spool.mdb')
}

describe('a spool', () => {
  test('gives back what was committed, in the order of the numbers', async () => {
    const path = join(newFolder(), 'made', 'by', 'it')
    const first = spool({ path })
    expect(await first.open()).toEqual([])
    await first.commit({ put: [10, 9, 2, 1].map((id) => ({ id, text: `é😀 ${id}` })), remove: [] })
    await first.commit({ put: [{ id: 300, text: 'x'.repeat(300_000) }], remove: [9, 77] })
    await first.close()
    const second = spool({ path })
    expect(await second.open()).toEqual([
      { id: 1, text: 'é😀 1' },
      { id: 2, text: 'é😀 2' },
      { id: 10, text: 'é😀 10' },
      { id: 300, text: 'x'.repeat(300_000) },
    ])
    await second.close()
  })

  test('belongs to one client at a time, and to the next once it is closed', async () => {
    const path = newFolder()
    const first = await opened(path)
    await first.commit({ put: [{ id: 1, text: 'kept' }], remove: [] })
    const error = await refusal(path)
    expect(error).toMatchObject({ code: 'SPOOL', reason: 'in-use', retryable: true })
    expect(error.message.replace(path, 'PATH')).toMatchInlineSnapshot(
      `"The spool in PATH is in use: another client lives on it. One client at a time: close the other one, or give each a folder of its own."`,
    )
    await first.commit({ put: [{ id: 2, text: 'and still usable' }], remove: [] })
    await first.close()
    const second = spool({ path })
    expect(await second.open()).toHaveLength(2)
    await second.close()
    expect(readdirSync(path).toSorted()).toEqual(['spool.mdb', 'spool.mdb-lock'])
  })

  test('goes to one of many who want it at once', async () => {
    const path = newFolder()
    const all = Array.from({ length: 8 }, () => spool({ path }))
    const outcomes = await Promise.allSettled(all.map((place) => place.open()))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
    expect(refusals).toEqual(Array.from({ length: 7 }, () => expect.objectContaining({ reason: 'in-use' }) as unknown))
    await Promise.all(all.map((place) => place.close()))
  })
})

describe('the file of a process that was killed', () => {
  test('opens again, whichever commit was the last', async () => {
    const path = newFolder()
    const place = await opened(path)
    const random = seededRandom(7)
    const texts = new Map<number, string>()
    for (let round = 1; round <= 120; round++) {
      const put = Array.from({ length: Math.floor(random.next() ** 3 * 300) }, (_, i) => ({
        id: round * 1_000 + i,
        text: `${round}.${i} `.repeat(1 + Math.floor(random.next() ** 8 * 3_000)),
      }))
      const remove = [...texts.keys()].filter(() => random.next() < (round % 10 === 0 ? 0.9 : 0.3))
      await place.commit({ put, remove })
      for (const { id, text } of put) texts.set(id, text)
      for (const id of remove) texts.delete(id)
      if (round % 4 > 0) continue
      const copy = newFolder()
      copyFileSync(join(path, 'spool.mdb'), join(copy, 'spool.mdb'))
      const next = spool({ path: copy })
      expect(new Map((await next.open()).map(({ id, text }) => [id, text]))).toEqual(texts)
      await next.close()
    }
  })
})

test('a file that has grown beyond what one buffer holds opens again: LMDB never makes it smaller', async () => {
  const path = newFolder()
  const file = await filled(path)
  truncateSync(file, 2 ** 31 + 4_096) // a hole, which takes no room on the disk
  const place = spool({ path })
  expect(await place.open()).toHaveLength(500)
  await place.close()
})

test('a spool whose last commit fails is let go all the same', async () => {
  let owner: string | undefined
  let isFull = false
  const place = {
    read: () => owner,
    swap(expected: string | undefined, next: string | undefined) {
      if (isFull) throw new Error('no space is left')
      if (owner !== expected) return false
      owner = next
      return true
    },
  }
  const folder = newFolder()
  const ownership = await takeOwnership(folder, place)
  isFull = true
  await expect(ownership.release()).rejects.toThrow('no space')
  isFull = false
  await (await takeOwnership(folder, place)).release()
  expect(owner).toBeUndefined()
})

describe('what is no spool', () => {
  test.each([
    ['text', 'a file of text that is longer than the first page\n'.repeat(500)],
    ['a short file', 'x'],
    ['zeros', '\0'.repeat(100_000)],
  ])('is refused and left as it is: %s', async (_, contents) => {
    const path = newFolder()
    const file = join(path, 'spool.mdb')
    writeFileSync(file, contents)
    expect(await refusal(path)).toMatchObject({ code: 'SPOOL', reason: 'foreign' })
    expect(readFileSync(file, 'utf8')).toBe(contents)
  })

  test('is refused: a database of something else', async () => {
    const path = newFolder()
    const other = open({ path: join(path, 'spool.mdb'), noSubdir: true })
    await other.put('my', 'data')
    await other.close()
    expect(await refusal(path)).toMatchObject({ code: 'SPOOL', reason: 'foreign' })
  })

  test('is refused: a spool in another format', async () => {
    const path = newFolder()
    const file = await filled(path)
    const table = open({ path: file, noSubdir: true, encoding: 'string' })
    await table.put('format', 'spillway-spool 2')
    await table.close()
    const error = await refusal(path)
    expect(error).toMatchObject({ code: 'SPOOL', reason: 'foreign' })
    expect(error.message).toContain('spillway-spool 2')
  })

  test('is refused: a folder that cannot be made', async () => {
    const path = newFolder()
    writeFileSync(join(path, 'file'), '')
    expect(await refusal(join(path, 'file', 'spool'))).toMatchObject({ code: 'SPOOL', reason: 'failed' })
  })

  test('is refused before anything is made: a path that is too long for a socket', async () => {
    const path = join(newFolder(), 'x'.repeat(100))
    expect(await refusal(path)).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'path' })
  })
})

describe('a damaged spool', () => {
  test('is refused when its file was cut off', async () => {
    const path = newFolder()
    const file = await filled(path)
    for (const part of [0.3, 0.6, 0.9]) {
      const cut = join(newFolder(), 'cut')
      mkdirSync(cut)
      copyFileSync(file, join(cut, 'spool.mdb'))
      truncateSync(join(cut, 'spool.mdb'), Math.max(8_192, Math.floor(statSync(file).size * part)))
      expect(await refusal(cut)).toMatchObject({ code: 'SPOOL', reason: 'damaged' })
    }
  })

  test('is refused when pages of its file were overwritten', async () => {
    const file = await filled(newFolder())
    const outcomes = new Set<unknown>()
    for (const page of [2, 3, 4, 5, 6, 7]) {
      const broken = newFolder()
      const bytes = readFileSync(file)
      bytes.fill(0x41, page * 4_096, (page + 1) * 4_096)
      writeFileSync(join(broken, 'spool.mdb'), bytes)
      const place = spool({ path: broken })
      outcomes.add(await place.open().then((entries) => entries.length, reasonOf))
      await place.close()
    }
    // A page that nothing leads to harms nobody.
    expect([...outcomes].filter((outcome) => outcome !== 500)).toEqual(['damaged'])
  })

  test('is refused when a text is not what was written', async () => {
    const path = newFolder()
    const file = await filled(path)
    const bytes = readFileSync(file)
    for (let at = bytes.indexOf('text 250'); at >= 0; at = bytes.indexOf('text 250', at + 1)) bytes.write('tExt', at)
    writeFileSync(file, bytes)
    const error = await refusal(path)
    expect(error).toMatchObject({ code: 'SPOOL', reason: 'damaged' })
    expect(error.message).toContain('Entry 251')
  })

  test('keeps a client from being made, which tells why, and reaches no backend', async () => {
    const path = newFolder()
    writeFileSync(join(path, 'spool.mdb'), 'x'.repeat(50_000))
    const backend = memory()
    const made = createClient({
      backend: { ...backend, open: () => Promise.reject(new Error('reached')) },
      spool: spool({ path }),
    })
    await expect(made).rejects.toSatisfy((error: unknown) => isSpillwayError(error, 'SPOOL'))
  })
})

describe('options', () => {
  test.each([
    ['none', undefined],
    ['no path', {}],
    ['an empty path', { path: '' }],
    ['a misspelt name', { path: 'x', maxBytes: 1 }],
    ['too little room', { path: 'x', bytesMax: 10 }],
    ['more than a start can take in', { path: 'x', bytesMax: 2 ** 31 }],
    ['a part of a byte', { path: 'x', bytesMax: 65_536.5 }],
  ])('are refused at once: %s', (_, options) => {
    expect(() => spool(options as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as Error)
  })

  test('bound what is buffered: beyond, a write is refused and not written', async () => {
    const backend = memory()
    const client = await createClient({ backend, spool: spool({ path: newFolder(), bytesMax: 65_536 }) })
    const counts = client.records('count', { n: sum() })
    const writes = Array.from({ length: 2_000 }, (_, i) => counts.write(`key ${i}`, { n: 1 }, { ack: 'buffered' }))
    const outcomes = await Promise.allSettled(writes)
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
    expect(refused.length).toBeGreaterThan(100)
    for (const error of refused) expect(error).toMatchObject({ code: 'LIMIT_REACHED', max: 65_536 })
    await client.flush()
    const values = await Promise.all(writes.map(async (__, i) => (await counts.read(`key ${i}`)).n))
    expect(values).toEqual(outcomes.map(({ status }) => (status === 'fulfilled' ? 1 : 0)))
    await counts.write('later', { n: 1 }, { ack: 'buffered' }) // there is room again
    expect(await client.close()).toMatchObject({ failureCount: 0, kept: [] })
  })
})
