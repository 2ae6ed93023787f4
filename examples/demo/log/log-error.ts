/** A log that cannot be read as it is: names the file and, where there is one, the line. */
export class LogError extends Error {
  constructor(file: string, line: number | undefined, why: string, cause?: unknown) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${why}`, { cause })
    this.name = 'LogError'
  }
}
