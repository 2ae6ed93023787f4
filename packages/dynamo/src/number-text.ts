import { BackendError } from '@spillway/core'

import { magnitudeMax, magnitudeMin } from './limits.js'

/**
 * A number as DynamoDB takes it. A double's shortest decimal has at most 17 digits, so it is stored exactly as it prints and
 * read back as the same double. Throws `BackendError` for magnitudes that DynamoDB does not have.
 */
export function numberText(value: number | bigint, field: string): string {
  if (typeof value === 'bigint') return value.toString()
  const magnitude = Math.abs(value)
  if (magnitude !== 0 && !(magnitude >= magnitudeMin && magnitude < magnitudeMax)) {
    throw new BackendError(
      'invalid',
      `Field ${JSON.stringify(field)} was given ${value}, but DynamoDB has numbers from 1e-130 to 1e126 only.`,
    )
  }
  return String(value)
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** A whole number as digits alone, also where it is stored as `1E+3` or `5.0`; undefined when it is not whole. */
export function wholeText(text: string): string | undefined {
  const parts = decimal.exec(text)
  if (parts === null) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts
  const shift = Number(exponent) - fraction.length
  const digits = whole + fraction
  if (shift >= 0) return sign + digits + '0'.repeat(shift)
  if (/[^0]/.test(digits.slice(shift))) return undefined
  return sign + (digits.slice(0, shift) || '0')
}
