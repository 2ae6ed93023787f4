import { BackendError } from '@spillway/core'

import { magnitudeMax, magnitudeMin } from './limits.js'

/**
 * A number as DynamoDB takes it. A double's shortest decimal has at most 17 digits, so it is stored exactly as it prints and
 * read back as the same double. Throws `BackendError`, which says `what` it is, for magnitudes that DynamoDB does not have.
 */
export function numberText(value: number | bigint, what: string): string {
  if (typeof value === 'bigint') return value.toString()
  const magnitude = Math.abs(value)
  if (magnitude !== 0 && !(magnitude >= magnitudeMin && magnitude < magnitudeMax)) {
    throw new BackendError('invalid', `${what} was given ${value}, but DynamoDB has numbers from 1e-130 to 1e126 only.`)
  }
  return String(value)
}

const decimal = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** A decimal of so many characters, without an exponent, is that of a double. */
const exactDigitsMax = 15

/** The double whose shortest decimal says the same as `text`; undefined where there is none, as for 38 digits. */
export function doubleOf(text: string): number | undefined {
  const number = Number(text)
  if (text.length <= exactDigitsMax && !/e/i.test(text)) return number + 0 // -0 becomes 0
  return canonical(text) === canonical(String(number)) ? number + 0 : undefined
}

/** One text for each value; undefined for what is no decimal. */
function canonical(text: string): string | undefined {
  const parts = decimal.exec(text)
  if (parts === null) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts
  const digits = (whole + fraction).replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return '0'
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`
}

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
