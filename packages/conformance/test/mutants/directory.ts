import { mutant, tick, withDirectory, withRecords, type Mutant } from './mutant.js'

export const directoryMutants: readonly Mutant[] = [
  mutant(
    'directory-empty',
    'a directory that is not there reads as an empty one',
    withDirectory((directory) => ({
      async read(call) {
        const document = await directory.read(call)
        return document.version === undefined ? { text: '', version: '0' } : document
      },
      swap: (expected, text, call) => directory.swap(expected === '0' ? undefined : expected, text, call),
    })),
    ['directory-nothing-expected'],
  ),
  mutant(
    'directory-swap',
    'a swap that leaves the text as it was is refused',
    withDirectory((directory) => ({
      async swap(expected, text, call) {
        return (await directory.read(call)).text === text ? undefined : directory.swap(expected, text, call)
      },
    })),
  ),
  mutant(
    'directory-conflict',
    'a swap that expects nothing overwrites what is there',
    withDirectory((directory) => ({
      async swap(expected, text, call) {
        return directory.swap(expected ?? (await directory.read(call)).version, text, call)
      },
    })),
  ),
  mutant(
    'directory-nothing-expected',
    'a swap that expects a version makes a directory where there is none',
    withDirectory((directory) => ({
      async swap(expected, text, call) {
        const { version } = await directory.read(call)
        return directory.swap(version === undefined ? undefined : expected, text, call)
      },
    })),
  ),
  mutant(
    'directory-versions',
    'the text is the version',
    withDirectory(() => {
      let kept: string | undefined
      return {
        read: () => Promise.resolve({ text: kept, version: kept }),
        swap(expected, text) {
          if (expected !== kept) return Promise.resolve(undefined)
          kept = text
          return Promise.resolve(text)
        },
      }
    }),
  ),
  mutant(
    'directory-text',
    'the text is cut at 16 KB',
    withDirectory((directory) => ({
      swap: (expected, text, call) => directory.swap(expected, text.slice(0, 16 * 1_024), call),
    })),
  ),
  mutant('directory-apart', 'a record with the name of the directory takes its place', (backend) => {
    let isGone = false
    const recordsTaken = withRecords((records) => ({
      write(write, call) {
        isGone ||= write.shard.key.endsWith('/directory')
        return records.write(write, call)
      },
    }))
    const directoryGone = withDirectory((directory) => ({
      read: (call) => (isGone ? Promise.resolve({ text: undefined, version: undefined }) : directory.read(call)),
    }))
    return directoryGone(recordsTaken(backend))
  }),
  mutant(
    'directory-contention',
    'the version is looked at first and the text written later',
    withDirectory((directory) => ({
      async swap(expected, text, call) {
        if ((await directory.read(call)).version !== expected) return undefined
        for (;;) {
          await tick()
          const version = await directory.swap((await directory.read(call)).version, text, call)
          if (version !== undefined) return version
        }
      },
    })),
  ),
]
