const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** `39,244`. */
export function count(value: number): string {
  return Number.isNaN(value) ? '–' : whole.format(value)
}

/** Milliseconds to three digits or so: `4.31`, `87.2`, `1,204`. */
export function ms(value: number): string {
  if (Number.isNaN(value)) return '–'
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : whole.format(value)
}

/** `12.4 s`. */
export function seconds(valueMs: number): string {
  return `${(valueMs / 1_000).toFixed(1)} s`
}

/** `1 user`, `2 users`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`
}
