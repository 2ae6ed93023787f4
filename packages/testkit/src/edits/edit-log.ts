import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** One edit of Wikipedia, as the demo's log has it. */
export interface Edit {
  /** ISO 8601. */
  readonly time: string
  /** Which Wikipedia. */
  readonly channel: string
  /** Of the page. */
  readonly namespace: string
  /** What was edited. */
  readonly page: string
  /** By whom. */
  readonly user: string
  /** By a bot. */
  readonly isRobot: boolean
  /** The page was made. */
  readonly isNew: boolean
  /** Characters. */
  readonly added: number
  /** Characters. */
  readonly deleted: number
  /** Characters. */
  readonly delta: number
}

/** An edit and where it stands. */
export interface LoggedEdit {
  /** Its line in the log, from 0. */
  readonly position: number
  /** Its time and its line: no two edits have the same, and they are in the order of the log. */
  readonly sort: string
  /** The edit. */
  readonly edit: Edit
}

/** The channel with 29 % of all edits. */
export const hottestChannel = '#en.wikipedia'

/** The channels whose routes grow; together they have 60 % of all edits. */
export const spreadChannels: readonly string[] = [hottestChannel, '#vi.wikipedia', '#de.wikipedia']

const file = join(import.meta.dirname, '../../../../examples/demo/data/wikiticker.jsonl.gz')

/** The first `count` edits of the log that comes with the demo; all 39,244 by default. */
export async function readEdits(count = Infinity): Promise<readonly LoggedEdit[]> {
  const lines = gunzipSync(await readFile(file))
    .toString()
    .trimEnd()
    .split('\n')
  return lines.slice(0, count).map((line, position) => {
    const edit = JSON.parse(line) as Edit
    return { position, sort: `${edit.time} ${String(position).padStart(5, '0')}`, edit }
  })
}

const draftPage = /^draft (\d+)$/ // no page of the log

/** An edit as it is stored before it is stored as it is, for the so-manieth time from 1. */
export function draftOf(edit: Edit, draft: number): Edit {
  return { ...edit, page: `draft ${draft}` }
}

/** Which draft an edit is; infinity when it is none, for that comes last. */
export function draftNumber({ page }: Edit): number {
  return Number(draftPage.exec(page)?.[1] ?? Infinity)
}
