/** A big integer as the bytes of java.math.BigInteger: two's complement, big endian, as short as possible. */
export function bigintBytes(value: bigint): Buffer {
  let length = 1
  // One more bit than the magnitude needs for the sign.
  const magnitude = value < 0n ? -value - 1n : value
  for (let limit = 0x80n; magnitude >= limit; limit <<= 8n) length++
  const bytes = Buffer.alloc(length)
  let rest = BigInt.asUintN(length * 8, value)
  for (let index = length - 1; index >= 0; index--) {
    bytes[index] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

const LOW = 0x1000000

/** The same of an integer below 2^54, into the end of an 8 byte scratch; gives the index of the first byte. */
export function integerBytes(value: number, scratch: Uint8Array): number {
  const high = Math.floor(value / LOW)
  const low = value - high * LOW
  scratch[1] = high >> 24
  scratch[2] = high >> 16
  scratch[3] = high >> 8
  scratch[4] = high
  scratch[5] = low >> 16
  scratch[6] = low >> 8
  scratch[7] = low
  const sign = value < 0 ? 0xff : 0
  let first = 1
  while (first < 7 && scratch[first] === sign && ((scratch[first + 1] as number) & 0x80) === (sign & 0x80)) first++
  return first
}
