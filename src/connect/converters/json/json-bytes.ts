// What those who read JSON from its bytes have in common.

export const QUOTE = 0x22
export const BACKSLASH = 0x5c
export const MINUS = 0x2d
export const POINT = 0x2e
export const ZERO = 0x30
export const OPEN_BRACE = 0x7b
export const CLOSE_BRACE = 0x7d
const PLUS = 0x2b
const NINE = 0x39
/** In the place of an end where there is not what was looked for. */
export const WRONG = -1

/** False also behind the last byte. */
export function isDigit(byte: number | undefined): boolean {
  return (byte as number) >= ZERO && (byte as number) <= NINE
}

/** Whether it is the letter of an exponent. */
export function isExponent(byte: number | undefined): boolean {
  return ((byte as number) | 0x20) === 0x65
}

/** Where an exponent ends, which begins with its letter. */
export function endOfExponent(bytes: Uint8Array, start: number): number {
  const sign = bytes[start + 1]
  return endOfDigits(bytes, sign === PLUS || sign === MINUS ? start + 2 : start + 1)
}

/** At least one digit has to be there. */
export function endOfDigits(bytes: Uint8Array, start: number): number {
  let at = start
  while (isDigit(bytes[at])) at++
  return at === start ? WRONG : at
}
