import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { formatReport } from './format-report.js'
import type { Report } from './report.js'

/** Names what becomes of the reports of a test run: `print`, or a folder to write them to. */
const reportVariable = 'SPILLWAY_CONFORMANCE_REPORT'

/** Prints a report or writes it as JSON into a folder, as the environment asks. Rejects when the folder cannot be written. */
export async function publishReport(report: Report, wish = process.env[reportVariable]): Promise<void> {
  if (wish === undefined || wish === '') return
  if (wish === 'print') {
    process.stdout.write(`${formatReport(report)}\n`)
    return
  }
  await mkdir(wish, { recursive: true })
  const name = report.backend.replaceAll(/[^\p{L}\p{N}]+/gu, '-').replaceAll(/^-|-$/g, '')
  await writeFile(join(wish, `${name}.json`), `${JSON.stringify(report, undefined, 2)}\n`)
}
