import { type Random, randomUint32 } from '../chance/random.js'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const length = 12

/** 72 random bits as 12 characters: the chance that two of a million writers are the same is one in ten billion. */
export function writerId(random: Random): string {
  let id = ''
  for (let i = 0; i < length; i++) id += alphabet[randomUint32(random) >>> 26]
  return id
}
