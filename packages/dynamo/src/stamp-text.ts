import type { Stamp } from '@spillway/core'

const offset = 2n ** 53n
const width = 11 // 2^54 in base 36

/** A stamp as text that sorts, byte by byte, as stamps do: time and order as numbers of a fixed width, then the writer. */
export function stampText(stamp: Stamp): string {
  return fixed(stamp.timeMs) + fixed(stamp.order) + stamp.writer
}

/** The inverse of {@link stampText}. */
export function stampOf(text: string): Stamp {
  return {
    timeMs: number(text.slice(0, width)),
    order: number(text.slice(width, 2 * width)),
    writer: text.slice(2 * width),
  }
}

/** Whether a text is one of {@link stampText}'s. */
export function isStampText(text: string): boolean {
  return /^[0-9a-z]{22}/.test(text)
}

/** The stamp of a value that was there before Spillway: older than any other. */
export const oldestStamp: Stamp = Object.freeze({
  timeMs: Number.MIN_SAFE_INTEGER,
  order: Number.MIN_SAFE_INTEGER,
  writer: '',
})

function fixed(value: number): string {
  return (BigInt(value) + offset).toString(36).padStart(width, '0')
}

function number(text: string): number {
  let value = 0n
  for (const digit of text) value = value * 36n + BigInt(parseInt(digit, 36))
  return Number(value - offset)
}
