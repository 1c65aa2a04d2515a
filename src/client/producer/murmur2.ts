const SEED = 0x9747b28c
const M = 0x5bd1e995
const R = 24

/** The 32-bit murmur2 of Kafka's partitioner, as a signed integer. */
export function murmur2(data: Uint8Array): number {
  const length = data.length
  let h = SEED ^ length
  const whole = length - (length & 3)
  for (let i = 0; i < whole; i += 4) {
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24)
    k = Math.imul(k, M)
    k ^= k >>> R
    k = Math.imul(k, M)
    h = Math.imul(h, M) ^ k
  }
  const rest = length & 3
  if (rest === 3) h ^= data[whole + 2]! << 16
  if (rest >= 2) h ^= data[whole + 1]! << 8
  if (rest >= 1) h = Math.imul(h ^ data[whole]!, M)
  h ^= h >>> 13
  h = Math.imul(h, M)
  return h ^ (h >>> 15)
}

/** The partition of a key, the same as every Kafka client's default. */
export function partitionForKey(key: Uint8Array, partitionCount: number): number {
  if (partitionCount === 1) return 0
  return (murmur2(key) & 0x7fffffff) % partitionCount
}
